/**
 * Searching for a sampler's best options as one call: digits of every combination, with several seeds each.
 * @module
 */
import type { SdeConfig } from "../diffusion/sde.ts";
import type { GridConfig } from "../diffusion/time_grid.ts";
import { quoted } from "../input/quoted.ts";
import { requireFunction, requireNumbers, requireOptions, requireWhole } from "../input/require.ts";
import type { Guidance } from "../networks/guidance_interval.ts";
import { samplerOptionNames, type SamplerOptions } from "../samplers/sampler_info.ts";
import { type DigitsParts, type QualityReference, runEvaluation } from "./evaluation.ts";
import { openSampling, type SamplingConfig } from "./sampling.ts";

/** What a search can make small: the Fréchet distance or the kernel distance. */
export type TuningMetric = "frechet" | "kernel";

/** A search, as plain data: every number of steps with every signal-to-noise ratio and every γ. */
export interface TuningRequest {
  /** The SDE that is reversed. */
  readonly sde: SdeConfig;
  /** The sampler, with the options that all combinations have. */
  readonly sampler: { readonly name: string; readonly options: SamplerOptions };
  /** The time grid, its steps left to `steps`. */
  readonly grid: Omit<GridConfig, "steps">;
  /** Numbers of steps of the grid, at least one. */
  readonly steps: readonly number[];
  /** Signal-to-noise ratios of Langevin corrections; none leaves the option as it is in `sampler`. */
  readonly snr: readonly number[];
  /** Values of γ, by which edm-stochastic raises the noise ratio before a step; none leaves the option as it is. */
  readonly gamma: readonly number[];
  /** What is to be small. */
  readonly metric: TuningMetric;
  /** Seeds for each combination, the same for all: `seed`, `seed + 1` and so on. */
  readonly repeats: number;
  /** How the network follows its labels. */
  readonly guidance: Guidance;
  /** Digits for each seed. */
  readonly count: number;
  /** Digits drawn at once. */
  readonly batch: number;
  /** The first seed. */
  readonly seed: number;
}

/** One combination of a search. */
export interface Combination {
  /** Steps of the time grid. */
  readonly steps: number;
  /** The options of the sampler. */
  readonly options: SamplerOptions;
}

/** A combination and what it measured. */
export interface Trial extends Combination {
  /** The metric for each seed. */
  readonly values: readonly number[];
  /** Network evaluations that a digit took; the most of all seeds. */
  readonly evaluations: number;
  /** The mean of the values. */
  readonly mean: number;
  /** Its standard error; null for one seed. */
  readonly error: number | null;
}

/** What a search found. */
export interface TuningResult {
  /** All combinations, in the order of the request: steps, then signal-to-noise ratios, then γ. */
  readonly trials: readonly Trial[];
  /** Index of the one with the least mean. */
  readonly best: number;
  /**
   * Indices of those that cannot be told from the best: their differences from it, seed by seed, are on average less than twice
   * their standard error. Null for one seed, which says nothing about it.
   */
  readonly undecided: readonly number[] | null;
  /** The metric of as many training images. */
  readonly floor: number;
}

/** What a search needs beside its request. */
export interface TuningParts extends Omit<DigitsParts, "classifier" | "onStep"> {
  /** What digits are compared with. */
  readonly reference: QualityReference;
  /** Called after every step with the number of steps so far, all batches together, and the combination. */
  readonly onStep?: (steps: number, combination: Combination) => void;
  /** Called with every combination that is measured. */
  readonly onTrial?: (trial: Trial) => void;
}

/**
 * The combinations of a search.
 * @throws {RangeError | TypeError} When one of them is not a sampling that can be.
 */
export function listCombinations(
  request: Pick<TuningRequest, "sde" | "sampler" | "grid" | "steps" | "snr" | "gamma">,
): readonly Combination[] {
  requireOptions("a search", request);
  requireOptions("sampler", request.sampler);
  const { options = {} } = request.sampler;
  requireOptions("sampler.options", options);
  requireOptions("grid", request.grid);
  for (const key of ["steps", "snr", "gamma"] as const) requireNumbers(key, request[key]);
  const { sampler, steps, snr, gamma } = request;
  if (steps.length === 0) throw new RangeError("steps must hold at least one number, got none");
  const orNone = (values: readonly number[]) => values.length > 0 ? values : [undefined];
  const combinations = steps.flatMap((steps) =>
    orNone(snr).flatMap((snr) =>
      orNone(gamma).map((gamma) => {
        const searched: SamplerOptions = {
          ...snr !== undefined && { snr },
          ...gamma !== undefined && { gamma },
        };
        return { steps, options: inOrder({ ...sampler.options, ...searched }) };
      })
    )
  );
  for (const combination of combinations) openSampling(samplingOf(request, combination));
  return combinations;
}

/** The options in the order of their catalogue. */
function inOrder(options: SamplerOptions): SamplerOptions {
  const place = (key: string) => (samplerOptionNames as readonly string[]).indexOf(key);
  return Object.fromEntries(Object.entries(options).toSorted(([a], [b]) => place(a) - place(b)));
}

function samplingOf(
  { sde, sampler, grid }: Pick<TuningRequest, "sde" | "sampler" | "grid">,
  { steps, options }: Combination,
): SamplingConfig {
  return { sde, sampler: { name: sampler.name, options }, grid: { ...grid, steps } };
}

/**
 * Measures every combination with every seed.
 *
 * @throws {RangeError | TypeError} When the request is not one that can be carried out, before anything is drawn.
 */
export async function runTuning(request: TuningRequest, parts: TuningParts): Promise<TuningResult> {
  const combinations = listCombinations(request);
  requireOptions("parts", parts);
  const { metric, repeats, guidance, count, batch, seed } = request;
  if (metric !== "frechet" && metric !== "kernel") {
    throw new RangeError(`metric must be "frechet" or "kernel", got ${quoted(metric)}`);
  }
  requireWhole("repeats", repeats, 1);
  requireWhole("seed", seed, 0, Number.MAX_SAFE_INTEGER);
  requireWhole("count", count, 1);
  requireWhole("batch", batch, 1);
  const { onStep = () => {}, onTrial = () => {}, ...rest } = parts;
  requireFunction("onStep", onStep);
  requireFunction("onTrial", onTrial);
  requireOptions("reference", parts.reference);
  const batches = Math.ceil(count / batch);
  const trials: Trial[] = [];
  let done = 0;
  for (const combination of combinations) {
    const values: number[] = [];
    let evaluations = 0;
    for (let repeat = 0; repeat < repeats; repeat++) {
      const measured = await runEvaluation({
        ...samplingOf(request, combination),
        guidance,
        classifierScale: 0,
        count,
        batch,
        seed: seed + repeat,
      }, { ...rest, onStep: (taken) => onStep(done + taken, combination) });
      values.push(metric === "frechet" ? measured.quality.frechet : measured.quality.kernelDistance);
      evaluations = Math.max(evaluations, measured.evaluations);
      done += batches * combination.steps;
    }
    const trial = { ...combination, values, evaluations, ...meanWithError(values) };
    trials.push(trial);
    onTrial(trial);
  }
  const { frechet, kernelDistance } = parts.reference.reference.floor;
  return {
    trials,
    ...compareTrials(trials.map(({ values }) => values)),
    floor: metric === "frechet" ? frechet : kernelDistance,
  };
}

/** The best of some trials and those that cannot be told from it, as {@linkcode TuningResult} has them. */
export function compareTrials(
  values: readonly (readonly number[])[],
): Pick<TuningResult, "best" | "undecided"> {
  const means = values.map((own) => meanWithError(own).mean);
  const best = means.reduce((least, mean, index) => mean < means[least] ? index : least, 0);
  if (values[best].length === 1) return { best, undecided: null };
  const undecided = values.flatMap((own, index) => {
    const { mean, error } = meanWithError(own.map((value, seed) => value - values[best][seed]));
    return index !== best && mean < 2 * error! ? [index] : [];
  });
  return { best, undecided };
}

/** Mean and its standard error; of one value there is none. */
function meanWithError(values: readonly number[]): Pick<Trial, "mean" | "error"> {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean, error: null };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}
