/**
 * The adaptive solver of the reverse SDE at its tolerances: the step that it takes, the length of the next, and where it leads.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { noiseRatio, type Sde, veSde, vpSde } from "../../../src/diffusion/sde.ts";
import { adaptiveSde } from "../../../src/samplers/adaptive_sde.ts";
import { drawSamples, sample } from "../../../src/samplers/sample.ts";
import { bumps } from "../../instruments/flow_map.ts";
import {
  checkRecursion,
  type Coefficients,
  type Recursion,
  s0Squared,
  sum,
  withDraw,
} from "../../instruments/gaussian_recursion.ts";
import { alarmRate, dkwDistance, uniformDistance } from "../../instruments/statistics.ts";
import { narrowSdes } from "../../problems/sdes.ts";
import { scalarDistribution } from "../../reference/scalar_mixture.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const recursion: Recursion = {
  name: "adaptive-sde",
  sampler: adaptiveSde({ rtol: 1e9, firstStep: 10, maxAttempts: 2 }),
  method: improvedEuler,
  grids: [{ kind: "quadratic", steps: 64 }],
  deterministic: false,
};

claim(
  `${recursion.name} on Gaussian data agrees with its equations in float64`,
  async (check) => await checkRecursion(check, recursion),
);

/** The mean of Euler's step and of one with drift and diffusion at its end, by the same noise. */
function improvedEuler(sde: Sde, times: Float64Array, noise: (t: number) => number): Coefficients {
  let x: Coefficients = [1];
  for (let k = 0; k + 1 < times.length; k++) {
    const [t, s] = [times[k], times[k + 1]];
    const drift = (u: number) =>
      sde.driftCoefficient(u) + sde.diffusionCoefficient(u) ** 2 * noise(u) / sde.sigma(u);
    const draw = (u: number) => sde.diffusionCoefficient(u) * Math.sqrt(t - s);
    const near = withDraw(x.map((c) => c * (1 - (t - s) * drift(t))), draw(t));
    const again = withDraw(x, draw(s)).map((c, i) => c - (t - s) * drift(s) * near[i]);
    x = sum(0.5, near, 0.5, again);
  }
  return x;
}

claim(
  "the adaptive SDE solver's next step is 0.9 E^−0.9 times as long, by the E of its equations",
  async (check) => {
    const sde = veSde({ sigmaMin: 0.01, sigmaMax: 10 });
    const [rtol, atol] = [0.1, 0.02];
    // Under VE x/α is x, so what the network is asked about are the states x and x' of each attempt, at t and at t − h.
    const asked: { x: Float32Array; t: number }[] = [];
    const score = (x: Float32Array, t: number) => Array.from(x, (v) => -v / (s0Squared + sde.sigma(t) ** 2));
    const model = scoreModel({
      predictNoise: (y, ratio) => {
        const t = sde.timeAtHalfLogSnr(-Math.log((ratio as Float64Array)[0]));
        asked.push({ x: y.dataSync<"float32">().slice(), t });
        return y.mul(sde.sigma(t) / (s0Squared + sde.sigma(t) ** 2));
      },
    }, sde);
    const samples = await drawSamples(model, adaptiveSde({ rtol, atol, firstStep: 0.2, maxAttempts: 500 }), {
      shape: [1, 4],
      grid: { kind: "uniform", steps: 1 },
      rng: createRng(check.seed),
      denoise: false,
    });
    samples.dispose();
    const attempts = Array.from({ length: asked.length / 2 }, (_, k) => [asked[2 * k], asked[2 * k + 1]]);
    check.atLeast("attempts", attempts.length, 20, "enough to compare");
    let previous = attempts[0][0].x;
    let [rejected, accepted] = [0, 0];
    for (const [k, [from, to]] of attempts.entries()) {
      if (k + 2 >= attempts.length) break; // The last step ends where the grid does.
      const h = from.t - to.t;
      const [before, after] = [score(from.x, from.t), score(to.x, to.t)];
      const [g, gEnd] = [from.t, to.t].map((t) => sde.diffusionCoefficient(t));
      const squares = Array.from(to.x, (near, i) => {
        const noise = (near - from.x[i] - h * g ** 2 * before[i]) / g;
        const second = from.x[i] + h * gEnd ** 2 * after[i] + gEnd * noise;
        const scale = Math.max(atol, rtol * Math.max(Math.abs(near), Math.abs(previous[i])));
        return ((near - second) / 2 / scale) ** 2;
      });
      const error = Math.sqrt(squares.reduce((a, b) => a + b) / 4);
      const next = attempts[k + 1];
      const kept = next[0].t === from.t;
      check.equal(
        `attempt ${k + 1}, E = ${error.toPrecision(4)}: rejected`,
        kept,
        error > 1,
        "accepted if E ≤ 1",
      );
      check.within(
        `attempt ${k + 1}, E = ${error.toPrecision(4)}: the next length over 0.9 E^−0.9 h`,
        (next[0].t - next[1].t) / (0.9 * error ** -0.9 * h),
        1,
        1e-3,
        "Jolicoeur-Martineau et al. 2021, Alg. 1 with θ = 0.9, r = 0.9; E by float32 states",
        { detectable: "another power" },
      );
      if (kept) rejected++;
      else [accepted, previous] = [accepted + 1, to.x];
    }
    check.atLeast(
      "rejected steps, and accepted ones",
      Math.min(rejected, accepted),
      1,
      "both rules are seen",
    );
  },
);

claim(
  "the adaptive SDE solver draws two modes to within its tolerance, and evaluates more for a smaller one",
  async (check) => {
    for (const sde of [vpSde(), narrowSdes["VE"]]) {
      const { kind } = sde.config;
      const distribution = scalarDistribution(bumps, noiseRatio(sde, sde.tMin));
      const run = async (count: number, tolerance: number) => {
        const grid = { kind: "uniform", steps: 1 } as const;
        const options = { shape: [count, 1], grid, rng: createRng(check.seed), denoise: false };
        const sampler = adaptiveSde({ rtol: tolerance, atol: tolerance / 10, maxAttempts: 1500 });
        let evaluations = 0;
        let ranks = new Float64Array();
        for await (const state of sample(scoreModel(bumps, sde), sampler, options)) {
          if (!state.done) continue;
          evaluations = state.evaluations;
          ranks = Float64Array.from(await state.x.data(), (x) => distribution.cdf(x / sde.alpha(sde.tMin)));
          state.x.dispose();
        }
        return { evaluations, ranks };
      };
      const count = 3000;
      const noise = dkwDistance(count, alarmRate);
      check.atMost(
        `${kind}: distance from the distribution at a tolerance of 0.05`,
        uniformDistance((await run(count, 0.05)).ranks),
        noise + 0.025,
        `chance (Dvoretzky–Kiefer–Wolfowitz over ${count} draws) and half the tolerance`,
        { alarmRate, detectable: "a distribution 0.15 away: rejected noise drawn anew, half a score" },
      );
      check.atLeast(
        `${kind}: evaluations at a tolerance of 0.02, over those at 0.2`,
        (await run(64, 0.02)).evaluations / (await run(64, 0.2)).evaluations,
        2,
        "the error of a step falls at most with its length, so a tenth asks for up to ten times as many",
      );
    }
  },
);
