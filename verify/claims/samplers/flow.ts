/**
 * Sampling along the straight paths of flow matching: the published steps, and the same states as under VE.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { flowSde } from "../../../src/diffusion/flow_sde.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { noiseRatio, veSde } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import { sample } from "../../../src/samplers/sample.ts";
import { mixture } from "../../problems/short_runs.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

claim(
  "Euler's step along the flow is rectified flow's, x + (s − t) E[ε − x_0 | x], and DDIM's",
  async (check) => {
    const [m0, s0Squared] = [0.7, 0.25];
    const sde = flowSde();
    const model = scoreModel(new Gaussian({ mean: [m0], variances: [s0Squared] }), sde);
    for (const [t, s] of [[0.9, 0.7], [0.5, 0.45], [0.3, 0.001]]) {
      const points = Float32Array.of(-1.2, 0.1, 1.7);
      // The regression of ε − x_0 on x_t: Cov(ε − x_0, x_t) = t − (1 − t) s0².
      const slope = (t - (1 - t) * s0Squared) / ((1 - t) ** 2 * s0Squared + t ** 2);
      const expected = [...points].map((x) => x + (s - t) * (slope * (x - (1 - t) * m0) - m0));
      for (const name of ["ode-euler", "ddim"]) {
        const x = tf.tensor2d(points, [3, 1]);
        const next = await samplerByName(name).start(model, createRng(0)).step(x, t, s);
        const seen = await next.data();
        tf.dispose([x, next]);
        const worst = Math.max(...expected.map((value, i) => Math.abs(seen[i] - value)));
        check.atMost(`${name} from ${t} to ${s}`, worst, 4e-6, "Liu et al. 2023, eq. 1; float32", {
          detectable: "a slope wrong by 1e-4",
        });
      }
    }
  },
);

/** The samplers whose steps are functions of ν and x/α alone. */
const inNoiseRatio = [
  ...[
    "ddim",
    "ancestral",
    "dpm++2m",
    "sde-dpm++2m",
    "sde-dpm++2s",
    "sa-solver",
    "dpm++2s-ancestral",
    "dpm-solver-2",
    "dpm-solver-3",
    "dpm++2s",
    "unipc",
    "lms",
    "deis",
    "ipndm",
    "plms",
    "edm-heun",
  ],
  "edm-stochastic",
];

claim(
  "sampling along the flow goes through the states that VE goes through, times α, at the times of equal ν",
  async (check) => {
    const flow = flowSde();
    const [most, least] = [noiseRatio(flow, flow.tMax), noiseRatio(flow, flow.tMin)];
    const ve = veSde({ sigmaMin: least, sigmaMax: most, tMin: 0 });
    for (const name of inNoiseRatio) {
      const times = timeGrid(flow, { kind: "shifted", steps: 12 });
      const veTimes = times.map((t, i) =>
        i === 0 ? ve.tMax : i === 12 ? ve.tMin : ve.timeAtHalfLogSnr(-Math.log(noiseRatio(flow, t)))
      );
      const states = async (sde: typeof flow, grid: Float64Array) => {
        const scale = sde.alpha(grid[0]);
        const initial = tf.tidy(() => createRng(3).normal([4, 3]).mul(most * scale));
        const seen: Float32Array[] = [];
        const options = { shape: [4, 3], grid, rng: createRng(4), initial, denoise: false };
        for await (
          const { x, time, done } of sample(scoreModel(mixture, sde), samplerByName(name), options)
        ) {
          const alpha = sde.alpha(time);
          seen.push(Float32Array.from(await x.data(), (value) => value / alpha));
          if (done) x.dispose();
        }
        initial.dispose();
        return seen;
      };
      const [along, exploding] = [await states(flow, times), await states(ve, veTimes)];
      const worst = Math.max(...along.map((state, step) => {
        const size = Math.hypot(1, noiseRatio(flow, times[step]));
        return Math.max(...state.map((value, i) => Math.abs(value - exploding[step][i]) / size));
      }));
      check.atMost(
        `${name}: largest difference, over the state's size`,
        worst,
        3e-4,
        "y = x/α, dy = ε̂ dν; float32 of 12 steps, which grows between two modes",
        {
          detectable: "any term in t in the place of ν",
        },
      );
    }
  },
);
