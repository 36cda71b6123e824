/**
 * The proportions of well-separated modes: plain Langevin dynamics cannot cross between them and keeps those of its
 * start; annealed Langevin dynamics and the reverse SDE recover the true ones (Song & Ermon 2019, Section 3.2.2 and
 * Figure 3).
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import { type ScoreModel, scoreModel } from "../diffusion/noise_predictor.ts";
import type { GaussianMixture } from "../distributions/gaussian_mixture.ts";
import { twoGaussians } from "../distributions/toys.ts";
import type { BinomialEstimate } from "../metrics/wilson_interval.ts";
import { panels } from "../plots/panels.ts";
import { plot } from "../plots/plot.ts";
import { annealedLangevin } from "../samplers/annealed_langevin.ts";
import { eulerMaruyama } from "../samplers/euler_maruyama.ts";
import { sample } from "../samplers/sample.ts";
import type { Sampler } from "../samplers/sampler.ts";
import { veSde } from "../diffusion/sde.ts";
import { densityMark, dotsMark, pathMark, squarePlot } from "./plane.ts";
import { LOWEST_NOISE, modeShares, runLangevin } from "./exact_langevin.ts";
import { requireFunction, requireOptions } from "../input/require.ts";
import { requireRng, requireSignal, requireSome } from "../input/require_parts.ts";

/** Options of the measurement. */
export interface ModesOptions {
  /** Samples of each sampler, at least 2. */
  readonly count: number;
  /** Steps of plain Langevin dynamics; annealed dynamics takes as many in all, the reverse SDE a quarter. */
  readonly steps: number;
  /** Probability of the heavier mode; default 0.8. */
  readonly weight?: number;
  /** Distance of the modes in their standard deviations; default 12. */
  readonly separation?: number;
  /** Source of all randomness. */
  readonly rng: Rng;
  /** Called after every step with the number of steps so far, of all samplers together. */
  readonly onStep?: (steps: number) => void;
  /** Ends the run once it is aborted, at the next evaluation of the score: with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The measurement of one sampler. */
export interface ModesRow {
  /** The sampler. */
  readonly sampler: string;
  /** Share of samples in the heavier mode. */
  readonly heavier: BinomialEstimate;
  /** Evaluations of the score for a sample. */
  readonly evaluations: number;
  /** The samples, [count, 2]. */
  readonly samples: Float32Array;
  /** Paths of a few, [moments, 2] each. */
  readonly paths: readonly Float32Array[];
}

/** Names of the samplers that are compared. */
const modeSamplers = ["plain Langevin", "annealed Langevin", "reverse SDE"] as const;

const FOLLOWED = 8;
const STD = 0.3;

/** The mixture that is sampled. */
export function separatedModes(
  options: Partial<ModesOptions> = {},
): GaussianMixture {
  requireOptions("options", options);
  const { weight = 0.8, separation = 12 } = options;
  return twoGaussians({ weight, separation, std: STD });
}

/**
 * Draws with each sampler and counts the heavier mode.
 *
 * @throws {RangeError} If a number of the options is out of range.
 */
export async function measureModes(options: ModesOptions): Promise<ModesRow[]> {
  requireOptions("options", options);
  const { count, steps, rng, onStep = () => {}, signal } = options;
  requireRng("rng", rng);
  requireFunction("onStep", onStep);
  requireSignal("signal", signal);
  let taken = 0;
  const watch = { onStep: () => onStep(++taken), signal };
  const mixture = separatedModes(options);
  const plain = await runLangevin(mixture, {
    count,
    steps,
    stepSize: 0.05 * STD ** 2,
    rng: rng.fork("plain"),
    snapshots: 1,
    followed: FOLLOWED,
    ...watch,
  });
  const row = (
    sampler: string,
    evaluations: number,
    samples: Float32Array,
    paths: Float32Array[],
  ): ModesRow => {
    const heavier = modeShares(mixture, samples)[1];
    return { sampler, heavier, evaluations, samples, paths };
  };
  const levels = Math.max(2, Math.round(Math.sqrt(steps) / 2));
  const inner = Math.max(1, Math.round(steps / levels));
  const model = scoreModel(mixture, veSde({ sigmaMin: 0.05, sigmaMax: 10 }));
  const annealed = annealedLangevin({ steps: inner });
  return [
    row(modeSamplers[0], steps, plain.states[plain.states.length - 1], [...plain.paths]),
    row(
      modeSamplers[1],
      levels * inner + 1,
      ...await drawn(model, annealed, levels, count, rng.fork("annealed"), watch),
    ),
    row(
      modeSamplers[2],
      Math.ceil(steps / 4) + 1,
      ...await drawn(model, eulerMaruyama(), Math.ceil(steps / 4), count, rng.fork("reverse"), watch),
    ),
  ];
}

/** Samples and the paths of the first few. */
async function drawn(
  model: ScoreModel,
  sampler: Sampler,
  steps: number,
  count: number,
  rng: Rng,
  { onStep, signal }: { readonly onStep: () => void; readonly signal: AbortSignal | undefined },
): Promise<[Float32Array, Float32Array[]]> {
  const paths: number[][] = Array.from({ length: Math.min(FOLLOWED, count) }, () => []);
  let samples = new Float32Array();
  for await (
    const state of sample(model, sampler, {
      shape: [count, 2],
      grid: { kind: "uniform", steps },
      rng,
      signal,
    })
  ) {
    samples = (await state.x.data<"float32">()).slice();
    paths.forEach((path, i) => path.push(samples[2 * i], samples[2 * i + 1]));
    if (state.done) state.x.dispose();
    if (state.step > 0) onStep();
  }
  return [samples, paths.map((path) => Float32Array.from(path))];
}

/** Samples, paths and proportions of each sampler, as an SVG. */
export async function modesPicture(
  rows: readonly ModesRow[],
  options: Partial<ModesOptions> = {},
): Promise<string> {
  requireSome("rows", rows);
  for (const row of rows) requireOptions("a row", row);
  const mixture = separatedModes(options);
  const shade = await densityMark(mixture, LOWEST_NOISE);
  const percent = (value: number) => (100 * value).toFixed(1);
  const truth = percent(Math.max(...mixture.weights));
  const title = ({ sampler, heavier: { share, low, high } }: ModesRow) =>
    `${sampler}: ${percent(share)} ± ${percent((high - low) / 2)}%`;
  // Paths that start far away are drawn from where they enter the square.
  const ends = (path: Float32Array) => path.subarray(2 * Math.round(path.length / 2 * 0.4));
  return panels([
    ...rows.map((row) =>
      plot([shade, dotsMark(row.samples.subarray(0, 3000), "#222222", 1, 0.4)], squarePlot(title(row)))
    ),
    ...rows.map(({ sampler, paths }) =>
      plot(
        [shade, ...paths.map((path) => pathMark(ends(path), { width: 0.6 }))],
        squarePlot(`${paths.length} paths of ${sampler}`),
      )
    ),
  ], { columns: rows.length, title: `Share of the upper right mode: truth ${truth}%, 95% intervals` });
}
