/**
 * Mistakes that people make in samplers, planted in examples/conformance/numpy_samplers.py, and the property of the
 * conformance kit that fails or, where that is said, is noted.
 * @module
 */

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
const corrector = "predictor_corrector";

/** The table. */
export const faultySamplers: readonly FaultySampler[] = [
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
  // Noise.
  {
    fault: "one noise for all steps",
    sampler: euler,
    changes: [["    x = run.start\n", "    x = run.start\n    z = run.randn_like(x)\n"], [
      "        z = run.randn_like(x)\n",
      "",
    ]],
    property: "noise_draws",
    words: /share/,
  },
  {
    fault: "one noise for all rows",
    sampler: euler,
    changes: [["z = run.randn_like(x)", "z = run.randn_like(x)[:1]"]],
    property: "rows",
    words: /every row gets the noise of row 0/,
  },
  {
    fault: "one number for all coordinates",
    sampler: euler,
    changes: [["z = run.randn_like(x)", "z = run.randn_like(x)[:, :1]"]],
    property: "affine",
    words: /depend on the state|coordinate/,
    noted: true,
  },
  {
    fault: "rows that get each other's noise",
    sampler: euler,
    changes: [["z = run.randn_like(x)", "z = run.randn_like(x)[::-1]"]],
    property: "rows",
    words: /noise of row 0/,
  },
  {
    fault: "the noise of the step before",
    sampler: euler,
    changes: [
      ["    x = run.start\n", "    x = run.start\n    z = run.randn_like(x)\n"],
      ["        z = run.randn_like(x)\n", ""],
      ["* z\n", "* z\n        z = z if n % 2 == 0 else run.randn_like(x)\n"],
    ],
    property: "noise_draws",
    words: /share/,
  },
  {
    fault: "the predictor's noise in the corrector",
    sampler: corrector,
    changes: [["np.sqrt(2 * size) * run.randn_like(x)", "np.sqrt(2 * size) * z"]],
    property: "noise_draws",
    words: /share|twice/,
  },
  {
    fault: "√ε for √(2ε) in a corrector",
    sampler: corrector,
    changes: [["np.sqrt(2 * size)", "np.sqrt(size)"]],
    property: "noise_draws",
    words: /0\.7\d* /,
  },
  {
    fault: "numbers of its own among those that are given",
    sampler: euler,
    changes: [["z = run.randn_like(x)", "z = run.randn_like(x) + 1e-3 * np.random.standard_normal(x.shape)"]],
    property: "repeat",
    words: /numbers are drawn that the run does not give/,
  },
  {
    fault: "a generator without the run's seed",
    sampler: "own_noise",
    changes: [["np.random.default_rng(run.seed)", "np.random.default_rng()"]],
    property: "repeat",
    words: /seed/,
  },
  {
    fault: "the same seed for all runs",
    sampler: "own_noise",
    changes: [["np.random.default_rng(run.seed)", "np.random.default_rng(0)"]],
    property: "repeat",
    words: /seed is not used/,
  },
  {
    fault: "uniform numbers for normal ones",
    sampler: "own_noise",
    changes: [["z = generator.standard_normal(x.shape)", "z = generator.uniform(-1, 1, x.shape)"]],
    property: "mixture",
    words: /./,
  },
  // The grid.
  {
    fault: "a score at the step's end",
    sampler: euler,
    changes: [["run.score(x, run.times[n])", "run.score(x, run.times[n + 1])"]],
    property: "first_level",
    words: /level 1 of the grid/,
  },
  {
    fault: "a score at the level before",
    sampler: euler,
    changes: [["run.score(x, run.times[n])", "run.score(x, run.times[max(n - 1, 0)])"]],
    property: "visited_levels",
    words: /level/,
  },
  {
    fault: "a step too few",
    sampler: euler,
    changes: [["range(run.steps)", "range(run.steps - 1)"]],
    property: "visited_levels",
    words: /level/,
  },
  {
    fault: "the last step taken twice",
    sampler: euler,
    changes: [["range(run.steps)", "[*range(run.steps), run.steps - 1]"]],
    property: "visited_levels",
    words: /twice|times|level/,
  },
  {
    fault: "a start at the second level",
    sampler: euler,
    changes: [["range(run.steps)", "range(1, run.steps)"]],
    property: "first_level",
    words: /level 1 of the grid/,
  },
  {
    fault: "two levels in the wrong order",
    sampler: euler,
    changes: [["range(run.steps)", "[*range(5), 6, 5, *range(7, run.steps)]"]],
    property: "visited_levels",
    words: /level 5 after level 6/,
  },
  {
    fault: "times rounded to a thousandth",
    sampler: euler,
    changes: [["run.score(x, run.times[n])", "run.score(x, np.round(run.times[n], 3))"]],
    property: "visited_levels",
    words: /level/,
  },
  {
    fault: "one evaluation for two steps",
    sampler: euler,
    changes: [[
      "score = run.score(x, run.times[n])",
      "score = run.score(x, run.times[n]) if n % 2 == 0 else score",
    ]],
    property: "evaluations",
    words: /takes 0\.5/,
  },
  {
    fault: "an evaluation that is thrown away",
    sampler: euler,
    changes: [["z = run.randn_like(x)", "run.score(x, run.times[n])\n        z = run.randn_like(x)"]],
    property: "evaluations",
    words: /takes 2/,
  },
  {
    fault: "the last level said to be data",
    sampler: euler,
    changes: [["    return x\n\n\ndef own_noise", "    return run.end(x, time=0)\n\n\ndef own_noise"]],
    property: "noise_at_end",
    words: /exceeds|last step adds noise/,
  },
  {
    fault: "the last noise kept where data are promised",
    sampler: "ancestral",
    changes: [["return run.end(x0, time=0)", "return run.end(x0 + sigma * run.randn_like(x), time=0)"]],
    property: "noise_at_end",
    words: /noise/,
  },
  {
    fault: "denoised twice at the end",
    sampler: "ancestral",
    changes: [[
      "    return run.end(x0, time=0)",
      "    x0 = x0 - sigma * run.noise_prediction(x0, run.times[-1])\n    return run.end(x0, time=0)",
    ]],
    property: "limit",
    words: /./,
  },
  // Start.
  {
    fault: "a prior of deviation 1 under VE",
    sampler: "own_start",
    changes: [["x = run.sigmas[0] * run.randn()", "x = run.randn()"]],
    property: "start_scale",
    words: /deviation/,
    sde: "ve",
  },
  {
    fault: "the start normalized to deviation 1",
    sampler: euler,
    changes: [["    x = run.start\n", "    x = run.start / run.start.std()\n"]],
    property: "rows",
    words: /row/,
  },
  // Rows, history, precision.
  {
    fault: "the batch's mean norm in a step size",
    sampler: corrector,
    changes: [[
      "(0.1 * run.sigmas[n + 1]) ** 2",
      "(0.1 * np.sqrt(x.shape[1]) / np.linalg.norm(score, axis=1).mean()) ** 2",
    ]],
    property: "rows",
    words: /statistic of the batch/,
  },
  {
    fault: "the mean of the rows subtracted from the noise",
    sampler: euler,
    changes: [["z = run.randn_like(x)", "z = run.randn_like(x)\n        z = z - z.mean(axis=0)"]],
    property: "rows",
    words: /row/,
  },
  {
    fault: "a history kept from run to run",
    sampler: "dpm_solver_2m",
    changes: [
      ["    before = None\n", "    before = KEPT.get(run.shape)\n"],
      ["lambdas[n - 1]) / h", "lambdas[max(n - 1, 0)] + h * (n == 0)) / h"],
      ["        before = x0\n", "        before = KEPT[run.shape] = x0\n"],
      ["SAMPLERS = {", "KEPT = {}\nSAMPLERS = {"],
    ],
    property: "repeat",
    words: /history that is not cleared/,
  },
  {
    fault: "states in float16",
    sampler: euler,
    changes: [["* z\n", "* z\n        x = x.astype(np.float16).astype(np.float64)\n"]],
    property: "affine",
    words: /float16/,
  },
  {
    fault: "states in float32 where float64 is declared",
    sampler: euler,
    changes: [["* z\n", "* z\n        x = x.astype(np.float32).astype(np.float64)\n"]],
    property: "affine",
    words: /float32/,
  },
  {
    fault: "x̂₀ clipped to [-1, 1]",
    sampler: "ancestral",
    changes: [[
      "* run.noise_prediction(x, run.times[-1])) / alpha",
      "* run.noise_prediction(x, run.times[-1])) / alpha\n    x0 = np.clip(x0, -1, 1)",
    ]],
    property: "affine",
    words: /cut off/,
    noted: true,
  },
  {
    fault: "x̂₀ thresholded by a quantile of its row",
    sampler: "ddim",
    changes: [[
      "/ alpha\n        x = next",
      "/ alpha\n        x0 = np.clip(x0, -1, 1) * np.maximum(1, np.quantile(np.abs(x0), 0.9, axis=1, keepdims=True)) ** 0\n        x = next",
    ]],
    property: "affine",
    words: /./,
    noted: true,
  },
  {
    fault: "states cut off at 4",
    sampler: euler,
    changes: [["* z\n", "* z\n        x = np.clip(x, -4, 4)\n"]],
    property: "affine",
    words: /cut off at 4/,
    noted: true,
  },
];
