/**
 * DPM-Solver-fast against its equations in float64, k-diffusion's code, and the orders that its endings have.
 * @module
 */
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { edmSde, noiseRatio } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { dpmSolverFast, type LastOrders } from "../../../src/samplers/dpm_solver_fast.ts";
import { stepsForNfe } from "../../../src/samplers/nfe_budget.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import { sample } from "../../../src/samplers/sample.ts";
import reference from "../../../fixtures/reference/other_libraries.json" with { type: "json" };
import { noiseOfRatio, s0Squared } from "../../instruments/gaussian_recursion.ts";
import { outputVariance } from "../../instruments/impulse_response.ts";
import { referenceMixture, ReferenceRng } from "../../problems/other_libraries.ts";
import { marginalVariance, responseOf } from "../../problems/gaussian_1d.ts";
import { narrowSdes } from "../../problems/sdes.ts";
import { thirdsGain } from "../../reference/error_constants.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

/** y at a lower noise ratio over y, by a step of the given order in λ = −ln ν. */
function gain(order: number, from: number, to: number): number {
  if (order === 3) return thirdsGain(from, Math.log(from / to), noiseOfRatio);
  if (order === 1) return 1 + (to - from) * noiseOfRatio(from);
  const middle = Math.sqrt(from * to);
  return 1 + (to - from) * noiseOfRatio(middle) * (1 + (middle - from) * noiseOfRatio(from));
}

/** The variance of y at the end of a run, whose steps have the given orders, from that at its start. */
function endVariance(
  ratios: readonly number[],
  orders: readonly number[],
  start: number,
  eta: number,
  sNoise: number,
): number {
  const last = ratios[ratios.length - 1];
  return orders.reduce((variance, order, k) => {
    const [from, to] = [ratios[k], ratios[k + 1]];
    const down = Math.max(last, to * Math.sqrt(1 - eta ** 2 * (1 - (to / from) ** 2)));
    return gain(order, from, down) ** 2 * variance + sNoise ** 2 * (to ** 2 - down ** 2);
  }, start);
}

claim("DPM-Solver-fast on Gaussian data agrees with its equations in float64", async (check) => {
  const thirds = Array<number>(10).fill(3);
  const runs: [LastOrders, number[]][] = [
    ["2", [...thirds, 3, 2]],
    ["1", [...thirds, 3, 1]],
    ["2+1", [...thirds, 2, 1]],
  ];
  for (const [label, sde] of Object.entries(narrowSdes)) {
    for (const [lastOrders, orders] of runs) {
      for (const [eta, sNoise] of [[0, 1], [1, 1], [0.5, 1.1]]) {
        const times = timeGrid(sde, { kind: "log-snr", steps: orders.length });
        const ratios = [...times].map((t) => noiseRatio(sde, t));
        const start = marginalVariance({ sde, s0Squared }, sde.tMax);
        const [first, last] = [sde.alpha(times[0]), sde.alpha(times[times.length - 1])];
        const expected = last ** 2 * endVariance(ratios, orders, start / first ** 2, eta, sNoise);
        const sampler = dpmSolverFast({ lastOrders, eta, sNoise });
        const observed = outputVariance(await responseOf({ sde, s0Squared }, sampler, times), start);
        check.within(
          `${label}, orders ${lastOrders} at the end, η = ${eta}: variance`,
          observed,
          expected,
          // As for the other singlestep methods: terms of a step may be larger than what they leave.
          8 * orders.length * 2 ** -22 * expected,
          "the steps of orders 3, 2 and 1 on coefficients; rounding of float32 states",
          { detectable: "2e-5 of the variance" },
        );
      }
    }
  }
});

claim(
  "with as many evaluations DPM-Solver-fast ends where k-diffusion's sample_dpm_fast does",
  async (check) => {
    const levels = reference.sigmas;
    const sde = edmSde({ tMin: levels[levels.length - 1], tMax: levels[0] });
    for (const { nfe, evaluations: counted, options, ends } of reference.fast) {
      const run = stepsForNfe("dpm-solver-fast", nfe + 1, options);
      const initial = tf.tensor2d(Float32Array.from(reference.start), [ends.length, 1]);
      const settings = {
        shape: [ends.length, 1],
        grid: { kind: "log-snr", steps: run.steps },
        rng: new ReferenceRng(),
        initial,
        denoise: false,
      } as const;
      const sampler = samplerByName("dpm-solver-fast", run.options);
      for await (
        const { x, evaluations, done } of sample(scoreModel(referenceMixture, sde), sampler, settings)
      ) {
        if (!done) continue;
        const values = await x.data();
        tf.dispose([x, initial]);
        const what = `${nfe} evaluations, ${JSON.stringify(options)}`;
        const worst = Math.max(...ends.map((end, i) => Math.abs(values[i] - end)));
        check.atMost(
          `${what}: largest difference`,
          worst,
          // Steps over most of the way multiply the rounding of a state of the start's size, 20, by up to their noise ratios' change.
          32 * run.steps * 2 ** -22,
          "fixtures/reference/other_libraries.json, fast; float32 of its steps",
          { detectable: "a step of another order, or noise wrong by a thousandth" },
        );
        check.equal(`${what}: evaluations`, evaluations, counted, "sample_dpm_fast");
      }
    }
  },
);

claim("DPM-Solver-fast has order 2 where its last step has order 1", async (check) => {
  // It ends at much noise, where the error of one step can be seen.
  const problem = { sde: edmSde({ tMin: 0.3, tMax: 2.2 }), s0Squared };
  const start = marginalVariance(problem, problem.sde.tMax);
  const exact = marginalVariance(problem, problem.sde.tMin);
  for (const lastOrders of ["1", "2+1"] as const) {
    const errors: number[] = [];
    for (const steps of [16, 32]) {
      const grid = { kind: "log-snr", steps } as const;
      const response = await responseOf(problem, dpmSolverFast({ lastOrders }), grid);
      errors.push(Math.abs(outputVariance(response, start) - exact));
    }
    check.within(
      `orders ${lastOrders} at the end: order of the variance's error, 16 to 32 steps`,
      Math.log2(errors[0] / errors[1]),
      2,
      0.2,
      "the local error of one step of order 1 falls with its square",
      { detectable: "an order" },
    );
  }
});
