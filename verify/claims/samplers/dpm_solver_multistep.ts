/**
 * DPM-Solver++(2M) and its variants with noise against their equations in float64.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { noiseRatio, type Sde, vpSde } from "../../../src/diffusion/sde.ts";
import { dpmSolver2Ancestral, dpmSolver2SAncestral } from "../../../src/samplers/dpm_solver_ancestral.ts";
import { dpmSolver2M } from "../../../src/samplers/dpm_solver_multistep.ts";
import { sdeDpmSolver2M, sdeDpmSolver3M } from "../../../src/samplers/dpm_solver_sde.ts";
import { sdeDpmSolver2S } from "../../../src/samplers/dpm_solver_sde_singlestep.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import {
  checkRecursion,
  type Coefficients,
  gridsOfEndings,
  type Recursion,
  simpson,
  sum,
  withDraw,
} from "../../instruments/gaussian_recursion.ts";
import { narrowSdes } from "../../problems/sdes.ts";
import { mixture, shape } from "../../problems/short_runs.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const recursions: readonly Recursion[] = [
  {
    name: "dpm++2m with DDIM's last step",
    sampler: dpmSolver2M({ lastStep: "ddim" }),
    method: (sde, times, noise) => multistep(sde, times, noise, true),
    deterministic: true,
    grids: gridsOfEndings,
  },
  {
    name: "dpm++2m with the line's integral",
    sampler: dpmSolver2M({ solverType: "heun" }),
    method: (sde, times, noise) => stochasticMultistep(sde, times, noise, 1, { eta: 0 }),
    deterministic: true,
  },
  {
    name: "dpm++2m",
    sampler: dpmSolver2M(),
    method: (sde, times, noise) => multistep(sde, times, noise, false),
    deterministic: true,
  },
  {
    name: "sde-dpm++2m",
    sampler: samplerByName("sde-dpm++2m"),
    method: (sde, times, noise) => stochasticMultistep(sde, times, noise, 2, {}),
    deterministic: false,
  },
  {
    name: "sde-dpm++2m with the line's integral, η = 0.5 and S_noise = 1.1",
    sampler: sdeDpmSolver2M({ solverType: "heun", eta: 0.5, sNoise: 1.1 }),
    method: (sde, times, noise) => stochasticMultistep(sde, times, noise, 1, { eta: 0.5, sNoise: 1.1 }),
    deterministic: false,
  },
  {
    name: "sde-dpm++2m with η = 0",
    sampler: sdeDpmSolver2M({ eta: 0 }),
    method: (sde, times, noise) => multistep(sde, times, noise, false),
    deterministic: true,
  },
  {
    name: "sde-dpm++3m",
    sampler: samplerByName("sde-dpm++3m"),
    method: (sde, times, noise) => stochasticMultistep(sde, times, noise, 3, {}),
    deterministic: false,
  },
  {
    name: "sde-dpm++3m with η = 0.5 and S_noise = 1.1",
    sampler: sdeDpmSolver3M({ eta: 0.5, sNoise: 1.1 }),
    method: (sde, times, noise) => stochasticMultistep(sde, times, noise, 3, { eta: 0.5, sNoise: 1.1 }),
    deterministic: false,
  },
];

for (const recursion of recursions) {
  claim(
    `${recursion.name} on Gaussian data agrees with its equations in float64`,
    async (check) => await checkRecursion(check, recursion),
  );
}

/** DPM-Solver++(2M), whose last step may be of order 1. */
function multistep(sde: Sde, times: Float64Array, noise: (t: number) => number, ends: boolean): Coefficients {
  let x = 1;
  let [before, last] = [NaN, NaN];
  for (let k = 0; k + 1 < times.length; k++) {
    const [t, s] = [times[k], times[k + 1]];
    const h = Math.log(noiseRatio(sde, t) / noiseRatio(sde, s));
    const data = x * (1 - sde.sigma(t) * noise(t)) / sde.alpha(t);
    const first = k === 0 || ends && k + 2 === times.length;
    const middle = first ? data : data + h / (2 * last) * (data - before);
    x = sde.sigma(s) / sde.sigma(t) * x + sde.alpha(s) * (1 - Math.exp(-h)) * middle;
    [before, last] = [data, h];
  }
  return [x];
}

/**
 * The SDE-DPM-Solvers++ in y with D(λ) a polynomial through the last data predictions: 2, a line by its value in the middle; 1, a line
 * by its integral; 3, a parabola with half of its second-order term, by its integral. Integrals by Simpson's rule of
 * (1 + η) e^{−(1 + η)(λ_s − λ)} D(λ).
 */
function stochasticMultistep(
  sde: Sde,
  times: Float64Array,
  noise: (t: number) => number,
  rule: 1 | 2 | 3,
  { eta = 1, sNoise = 1 },
): Coefficients {
  const alpha = (k: number) => sde.alpha(times[k]);
  const lambda = (k: number) => -Math.log(noiseRatio(sde, times[k]));
  let y: Coefficients = [1 / alpha(0)];
  const data: Coefficients[] = [];
  for (let k = 0; k + 1 < times.length; k++) {
    const ratio = noiseRatio(sde, times[k]);
    data.push(y.map((c) => c * (1 - ratio * noise(times[k]) * alpha(k))));
    const h = lambda(k + 1) - lambda(k);
    const moment = (power: number) =>
      simpson(0, h, (u) => (1 + eta) * Math.exp(-(1 + eta) * (h - u)) * u ** power);
    y = sum(Math.exp(-(1 + eta) * h), y, moment(0), data[k]);
    if (k > 0) {
      const last = lambda(k) - lambda(k - 1);
      let slope = sum(1 / last, data[k], -1 / last, data[k - 1]);
      if (rule === 3 && k > 1) {
        const before = lambda(k - 1) - lambda(k - 2);
        const other = sum(1 / before, data[k - 1], -1 / before, data[k - 2]);
        const half = sum(1 / (last + before), slope, -1 / (last + before), other);
        slope = sum(1, slope, last, half);
        y = sum(1, y, moment(2) / 2, half);
      }
      y = sum(1, y, rule === 2 ? moment(0) * h / 2 : moment(1), slope);
    }
    const fresh = sNoise * noiseRatio(sde, times[k + 1]) * Math.sqrt(1 - Math.exp(-2 * eta * h));
    if (eta > 0) y = withDraw(y, fresh);
  }
  return y.map((c) => c * alpha(times.length - 1));
}

claim("with η = 0 the stochastic DPM-Solvers are those of the probability flow", async (check) => {
  const pairs = [
    { sampler: sdeDpmSolver2M({ eta: 0 }), flow: "dpm++2m" },
    { sampler: sdeDpmSolver2S({ eta: 0 }), flow: "dpm++2s" },
    { sampler: dpmSolver2SAncestral({ eta: 0 }), flow: "dpm++2s" },
    { sampler: dpmSolver2Ancestral({ eta: 0 }), flow: "dpm-solver-2" },
  ];
  for (const [i, sde] of [vpSde(), narrowSdes["VE"]].entries()) {
    const run = (sampler: Sampler) =>
      drawSamples(scoreModel(mixture, sde), sampler, {
        shape,
        grid: { kind: "karras", steps: 6 },
        rng: createRng(i),
      });
    for (const { sampler, flow } of pairs) {
      const [ours, theirs] = [await run(sampler), await run(samplerByName(flow))];
      const worst = tf.tidy(() => ours.sub(theirs).abs().max());
      check.atMost(
        `${sampler.name} and ${flow}, ${sde.config.kind}`,
        (await worst.data())[0],
        1e-5,
        "no noise; float32 of 6 steps",
      );
      tf.dispose([ours, theirs, worst]);
    }
  }
});
