/**
 * The adaptive DPM-Solver against k-diffusion's code, without and with noise, and what its noise may depend on.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { edmSde, noiseRatio } from "../../../src/diffusion/sde.ts";
import { dpmSolverAdaptive } from "../../../src/samplers/dpm_solver_adaptive.ts";
import { drawSamples, sample } from "../../../src/samplers/sample.ts";
import reference from "../../../fixtures/reference/other_libraries.json" with { type: "json" };
import { alarmRate, dkwDistance, uniformDistance } from "../../instruments/statistics.ts";
import { referenceMixture, ReferenceRng } from "../../problems/other_libraries.ts";
import { scalarDistribution } from "../../reference/scalar_mixture.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const times = reference.sigmas;

claim(
  "the adaptive DPM-Solver ends where k-diffusion's does, each row as if alone, after as many steps",
  async (check) => {
    const sde = edmSde({ tMin: times.at(-1)!, tMax: times[0] });
    for (const { options, ends, steps } of reference.adaptive) {
      const start = reference.start.map((value) => value * times[4] / times[0]);
      const initial = tf.tensor2d(Float32Array.from(start), [ends.length, 1]);
      const run = {
        shape: [ends.length, 1],
        grid: Float64Array.of(times[4], times.at(-1)!),
        initial,
        rng: new ReferenceRng(),
        denoise: false,
      };
      for await (
        const { x, evaluations, done } of sample(
          scoreModel(referenceMixture, sde),
          dpmSolverAdaptive(options),
          run,
        )
      ) {
        if (!done) continue;
        const values = await x.data();
        tf.dispose([x, initial]);
        const what = JSON.stringify(options);
        const source = "sample_dpm_adaptive, fixtures/reference/other_libraries.json";
        const worst = Math.max(...ends.map((end, i) => Math.abs(values[i] - end)));
        check.atMost(
          `${what}: largest difference`,
          worst,
          // With noise rounding changes the steps' lengths and so the noise: twice as much as k-diffusion's code differs in float32.
          options.eta === undefined ? 16 * 2 ** -22 : 4e-5,
          `${source}; float32 of some 15 steps, whose lengths it changes`,
          {
            detectable: "an error estimate, or a step, wrong by a thousandth",
          },
        );
        const most = Math.max(...steps.map(([accepted, rejected]) => accepted + rejected));
        check.equal(`${what}: evaluations`, evaluations, (options.solverOrder ?? 3) * most, source);
      }
    }
  },
);

const sde = edmSde({ tMin: 0.02, tMax: 20 });

claim("with noise a sample of the adaptive DPM-Solver does not depend on its batch", async (check) => {
  const run = async (first: number, rows: number) => {
    const rng = createRng(4).startingAt(first);
    const grid = { kind: "log-snr", steps: 3 } as const;
    const sampler = dpmSolverAdaptive({ eta: 1 });
    const x = await drawSamples(scoreModel(referenceMixture, sde), sampler, { shape: [rows, 1], grid, rng });
    const values = Array.from(await x.data());
    x.dispose();
    return values;
  };
  const together = await run(0, 8);
  const alone: number[] = [];
  for (let row = 0; row < 8; row++) alone.push(...await run(row, 1));
  const worst = Math.max(...together.map((value, row) => Math.abs(value - alone[row])));
  // Which attempts are accepted could change by rounding, but does not with this seed.
  check.atMost("largest difference", worst, 1e-5, "a sample's steps and noise are its own; float32");
});

claim("with noise the adaptive DPM-Solver draws the data", async (check) => {
  const count = 4000;
  const rng = createRng(check.seed).fork("adaptive DPM-Solver");
  const sampler = dpmSolverAdaptive({ eta: 1, rtol: 0.01, atol: 0.001 });
  const grid = { kind: "uniform", steps: 1 } as const;
  const model = scoreModel(referenceMixture, sde);
  const x = await drawSamples(model, sampler, { shape: [count, 1], grid, rng, denoise: false });
  const { cdf } = scalarDistribution(referenceMixture, noiseRatio(sde, sde.tMin));
  const distance = uniformDistance(Float64Array.from(await x.data(), cdf));
  x.dispose();
  const chance = dkwDistance(count, alarmRate);
  check.atMost(
    "distance from the mixture",
    distance,
    chance + 0.01,
    `chance (Dvoretzky–Kiefer–Wolfowitz over ${count} draws); the tolerance of a hundredth`,
    { alarmRate, detectable: `a distribution ${(2 * chance + 0.01).toFixed(2)} away` },
  );
});
