/**
 * Mistakes that people make in samplers, planted in examples/conformance/numpy_samplers.py, and the property of the
 * conformance kit that fails or, where that is said, is noted.
 * @module
 */
import { faultyRuns } from "./faulty_runs.ts";

/** One mistake. */
export interface FaultySampler {
  /** What is wrong. */
  readonly fault: string;
  /** Which of the numpy samplers it is in. */
  readonly sampler: string;
  /** Texts that stand in the sampler, or in its row of the table, exactly once, and what stands there instead. */
  readonly changes: readonly (readonly [find: string, replace: string])[];
  /** The property that must not hold. */
  readonly property: string;
  /** What its words, or what was observed, must have: they lead to the line. */
  readonly words: RegExp;
  /** The SDE, where it is not VP. */
  readonly sde?: "ve";
  /** Whether the property is noted and not failed, as a documented choice may be the same. */
  readonly noted?: true;
}

const euler = "euler_maruyama";

/** Mistakes in the coefficients of a step, and in its order. */
const faultySteps: readonly FaultySampler[] = [
  // Coefficients of a step.
  {
    fault: "half of the score",
    sampler: euler,
    changes: [["g**2 * score", "0.5 * g**2 * score"]],
    property: "limit",
    words: /score's weight is 0\.5/,
  },
  {
    fault: "a score that is a tenth too large",
    sampler: euler,
    changes: [["g**2 * score", "1.1 * g**2 * score"]],
    property: "limit",
    words: /score's weight is 1\.1/,
  },
  {
    fault: "the whole of the score in the flow",
    sampler: "own_start",
    changes: [["0.5 * g**2", "g**2"]],
    property: "limit",
    words: /flow's half is missing/,
  },
  {
    fault: "the drift's sign",
    sampler: euler,
    changes: [["x - (f * x - g", "x - (-f * x - g"]],
    property: "limit",
    words: /drift/,
  },
  {
    fault: "the drift left out",
    sampler: euler,
    changes: [["(f * x - g", "(-g"]],
    property: "limit",
    words: /drift/,
  },
  {
    fault: "the score's sign",
    sampler: euler,
    changes: [["f * x - g**2", "f * x + g**2"]],
    property: "limit",
    words: /sign|settle/,
  },
  {
    fault: "g for g² at the score",
    sampler: euler,
    changes: [["g**2 * score", "g * score"]],
    property: "limit",
    words: /score/,
  },
  {
    fault: "predicted noise in the place of the score",
    sampler: euler,
    changes: [["run.score(x, run.times[n])", "-run.noise_prediction(x, run.times[n])"]],
    property: "limit",
    words: /score/,
  },
  {
    fault: "h for √h at the noise",
    sampler: euler,
    changes: [["np.sqrt(h)", "h"]],
    property: "limit",
    words: /h where √h belongs/,
  },
  {
    fault: "√h for h at the drift",
    sampler: euler,
    changes: [["g**2 * score) * h", "g**2 * score) * np.sqrt(h)"]],
    property: "limit",
    words: /√h stands for h|does not settle/,
  },
  {
    fault: "noise without √h",
    sampler: euler,
    changes: [["g * np.sqrt(h) * z", "g * z"]],
    property: "limit",
    words: /√h is missing/,
  },
  {
    fault: "noise twice as large",
    sampler: euler,
    changes: [["np.sqrt(h) * z", "np.sqrt(h) * 2 * z"]],
    property: "noise_draws",
    words: /2 times/,
  },
  {
    fault: "√2 too much noise, from two draws that are added",
    sampler: euler,
    changes: [["z = run.randn_like(x)", "z = run.randn_like(x) + run.randn_like(x)"]],
    property: "noise_draws",
    words: /1\.4\d* times/,
  },
  {
    fault: "no noise in the reverse SDE",
    sampler: euler,
    changes: [["np.sqrt(h) * z", "np.sqrt(h) * 0 * z"]],
    property: "rows",
    words: /not used/,
  },
  {
    fault: "σ and the next σ swapped",
    sampler: "dpm_solver_2m",
    changes: [["run.sigmas[n + 1] / run.sigmas[n] * x", "run.sigmas[n] / run.sigmas[n + 1] * x"]],
    property: "limit",
    words: /drift|scaled|settle/,
  },
  {
    fault: "the next α for α in x̂₀",
    sampler: "ddim",
    changes: [["x0 = (x - sigma * noise) / alpha", "x0 = (x - sigma * noise) / next_alpha"]],
    property: "limit",
    words: /times the exact|drift|score/,
  },
  {
    fault: "α forgotten at the start",
    sampler: "heun",
    changes: [["run.start / run.alphas[0]", "run.start"]],
    property: "start_scale",
    words: /0\.0065|alpha|α/,
  },
  {
    fault: "α forgotten at the end",
    sampler: "heun",
    changes: [["return y * run.alphas[-1]", "return y * run.alphas[1]"]],
    property: "limit",
    words: /./,
  },
  {
    fault: "1 − h for e^{−h} − 1",
    sampler: "dpm_solver_2m",
    changes: [["np.expm1(-h)", "(-h)"]],
    property: "order",
    words: /declared order 2/,
  },
  // Second order.
  {
    fault: "a corrector that uses its first slope again",
    sampler: "heun",
    changes: [["(slope + next_slope) / 2", "(slope + slope) / 2"]],
    property: "order",
    words: /declared order 2/,
  },
  {
    fault: "weights of a corrector that do not sum to 1",
    sampler: "heun",
    changes: [["(slope + next_slope) / 2", "(slope + next_slope) / 2.2"]],
    property: "limit",
    words: /score's weight/,
  },
  {
    fault: "a corrector asked at the first level",
    sampler: "heun",
    changes: [["run.denoised(there, next_sigma)", "run.denoised(there, sigma)"]],
    property: "order",
    words: /declared order 2/,
  },
  {
    fault: "half of an extrapolation",
    sampler: "dpm_solver_2m",
    changes: [[
      "(1 + 1 / (2 * r)) * x0 - 1 / (2 * r) * before",
      "(1 + 1 / (4 * r)) * x0 - 1 / (4 * r) * before",
    ]],
    property: "order",
    words: /declared order 2/,
  },
  {
    fault: "the state kept for an extrapolation, and not x̂₀",
    sampler: "dpm_solver_2m",
    changes: [["before = x0\n", "before = x\n"]],
    property: "order",
    words: /declared order 2/,
  },
  {
    fault: "an extrapolation the wrong way",
    sampler: "dpm_solver_2m",
    changes: [[
      "(1 + 1 / (2 * r)) * x0 - 1 / (2 * r) * before",
      "(1 - 1 / (2 * r)) * x0 + 1 / (2 * r) * before",
    ]],
    property: "order",
    words: /declared order 2/,
  },
  {
    fault: "an order that it has not",
    sampler: euler,
    changes: [["euler_maruyama, dict(order=1", "euler_maruyama, dict(order=2"]],
    property: "order",
    words: /declared order 2/,
  },
  {
    fault: "a process that it does not follow",
    sampler: "ddim",
    changes: [['ddim, dict(order=1, process="ode"', 'ddim, dict(order=1, process="sde"']],
    property: "process",
    words: /flow/,
  },
  {
    fault: "η ignored",
    sampler: "ancestral",
    changes: [["fresh = eta * ", "fresh = 0 * "]],
    property: "process",
    words: /flow/,
  },
  {
    fault: "a third of the last step taken once more in the next, as momentum",
    sampler: euler,
    changes: [
      ["    x = run.start\n", "    x = old = run.start\n"],
      ["        z = run.randn_like(x)\n", "        z = run.randn_like(x)\n        step, old = x - old, x\n"],
      ["* z\n", "* z + 0.3 * step\n"],
    ],
    property: "limit",
    words: /./,
  },
];

/** All mistakes. */
export const faultySamplers: readonly FaultySampler[] = [...faultySteps, ...faultyRuns];
