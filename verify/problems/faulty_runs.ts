/**
 * Mistakes in what surrounds a sampler's steps: its noise, its levels, its start, its rows and its precision.
 * @module
 */
import type { FaultySampler } from "./faulty_samplers.ts";

const euler = "euler_maruyama";
const corrector = "predictor_corrector";

/** The table. */
export const faultyRuns: readonly FaultySampler[] = [
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
    words: /share|needs noise/,
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
