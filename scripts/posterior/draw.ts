/**
 * Draws samples from the posterior of a trained network given measurements: shared by `inpaint`, `colorize` and `restore`.
 * @module
 */
import type { Engine } from "../../src/compute/engine.ts";
import { createRng } from "../../src/compute/rng.ts";
import * as tf from "../../src/compute/tf.ts";
import {
  type Known,
  repaintSampler,
  replacementSampler,
  withExactKnownValues,
} from "../../src/conditioning/imputation.ts";
import {
  type LinearObservation,
  linearObservation,
  type LinearOperator,
} from "../../src/conditioning/observation.ts";
import { posteriorScore, type PosteriorScoreOptions } from "../../src/conditioning/posterior_score.ts";
import { type ScoreModel, scoreModel } from "../../src/diffusion/noise_predictor.ts";
import { sizeOf } from "../../src/math/shape.ts";
import type { NetworkPredictor } from "../../src/networks/network_predictor.ts";
import type { Sampler } from "../../src/samplers/sampler.ts";
import { openSampling, type SamplingConfig } from "../../src/runs/sampling.ts";
import { DEFAULT_SAMPLER } from "../sampling/sampling.ts";
import { networkFlags, samplingFlags, seedFlag } from "../sampling/flags.ts";
import { type BatchOptions, runBatches, shardBatches } from "../../src/runs/batches.ts";
import { choice, type FlagValues, integer, onlyWith, text, toggle, UsageError } from "../cli/flags.ts";
import { inputFlags, type Inputs } from "./inputs.ts";

/** The methods of posterior sampling. */
export const methodNames = ["replacement", "repaint", "pigdm", "mmps"] as const;

/** The name of a method. */
type Method = typeof methodNames[number];

/** Steps of the default sampler: with fewer, samples overshoot their measurements. */
export const DEFAULT_STEPS = 15;

/** The flags that the tasks have in common, with `output` for the name of the picture. */
export function posteriorFlags<const M extends Method>(
  { methods, method, output }: {
    readonly methods: readonly M[];
    readonly method: NoInfer<M>;
    readonly output: string;
  },
) {
  return {
    ...inputFlags,
    count: integer({ help: "samples for each image", default: 5, min: 1, max: 10_000 }),
    method: choice<Method, Method>(methods, {
      help:
        "how samples are conditioned: by the posterior's score (pigdm, or mmps, which takes more network evaluations)" +
        (methods.length > 2
          ? ", or by replacing what is known at every noise level, once or again and again"
          : ""),
      default: method,
    }),
    label: choice(["none", "own", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], {
      help: "class of the samples: none, own for the class of each input, or a digit",
      placeholder: "none|own|0-9",
      default: "none",
    }),
    iterations: onlyWith(
      integer({
        help:
          "iterations of the linear solver (default 3 of mmps, which evaluates the network in each, and 20 of pigdm)",
        min: 1,
        max: 1000,
      }),
      "method",
      ["mmps", "pigdm"],
    ),
    checkpoint: networkFlags.checkpoint,
    ...samplingFlags,
    steps: integer({
      help:
        `steps of the time grid (default ${DEFAULT_STEPS} of ${DEFAULT_SAMPLER}, the sampler's own of others)`,
      min: 1,
      max: 100_000,
    }),
    seed: seedFlag,
    engine: networkFlags.engine,
    batch: integer({ help: "samples drawn at once", default: 50, min: 1, max: 4096 }),
    output: text({
      help: ".png: the picture; .npy: float32 [images, samples, H, W, C] in [0, 1]",
      placeholder: "FILE",
      default: output,
    }),
    json: toggle({ help: "print the result as JSON" }),
  };
}

/** The flags of tasks that have RePaint. */
export const repaintFlags = {
  resamplings: onlyWith(
    integer({ help: "how often repaint does each step (default 10)", min: 1, max: 1000 }),
    "method",
    ["repaint"],
  ),
};

/** Values of {@linkcode posteriorFlags} and, where a task has them, of {@linkcode repaintFlags}. */
export type PosteriorValues =
  & FlagValues<ReturnType<typeof posteriorFlags>>
  & Partial<FlagValues<typeof repaintFlags>>;

/** How an image is measured: y = A x + σ z. */
export interface MeasurementModel {
  readonly operator: LinearOperator;
  /** Standard deviation of the noise, in model units. */
  readonly noiseStd: number;
  /** The mask, and its basis, of an operator that only hides values; null for other operators. */
  readonly known: Pick<Known, "mask" | "basis"> | null;
}

/** The measurements of the inputs, [inputs, …operator.outputShape], owned by the caller. Input i has noise of its own. */
export function measureInputs({ images, count }: Inputs, sight: MeasurementModel, seed: number): tf.Tensor {
  const { operator, noiseStd } = sight;
  return tf.tidy(() => {
    const seen = operator.apply(tf.tensor(images, [count, ...operator.inputShape]));
    if (noiseStd === 0) return seen;
    return tf.add(seen, tf.mul(createRng(seed).fork("observation").normal(seen.shape), noiseStd));
  });
}

/**
 * The classes of {@linkcode PosteriorOptions} for `--label`.
 * @throws UsageError for inputs without a known class, or a network without labels
 */
export function readClasses(label: string, { labels, count }: Inputs, classes: number): number[] | null {
  if (label === "none") return null;
  if (classes === 0) {
    throw new UsageError(`--label is for networks with labels, got ${label} for one without`);
  }
  if (label !== "own") return new Array(count).fill(Number(label));
  if (labels === null) {
    throw new UsageError("--label own needs inputs whose class is known: digits, samples or mnist");
  }
  return Array.from(labels);
}

/** What to draw. */
interface PosteriorOptions extends SamplingConfig, BatchOptions {
  readonly method: Method;
  /** Class that every input's samples are drawn for, [inputs]; null for none. */
  readonly classes: readonly number[] | null;
  readonly iterations: number | undefined;
  readonly resamplings?: number;
}

/** Drawn samples. */
interface PosteriorSamples {
  /** [inputs, samples of each, …sampleShape] in model units, not clipped. */
  readonly values: Float32Array;
  /** Evaluations of the conditioned score in a batch, each of them several calls of the network. */
  readonly evaluations: number;
  readonly seconds: number;
}

/**
 * Draws samples for inputs, as many for each; sample j of input i is the run's sample i · (samples of each) + j.
 *
 * @param seen What {@linkcode measureInputs} measured.
 */
export async function drawPosterior(
  noisePredictor: NetworkPredictor,
  engine: Engine,
  inputs: Inputs,
  seen: tf.Tensor,
  measured: MeasurementModel,
  options: PosteriorOptions,
): Promise<PosteriorSamples> {
  const { count, rows, method, classes } = options;
  const { sde, sampler } = openSampling(options);
  const { sampleShape } = noisePredictor.network;
  const dataStd = noisePredictor.config.preconditioning?.sigmaData;
  const each = count / inputs.count;
  const values = new Float32Array(count * sizeOf(sampleShape));
  await noisePredictor.prepare(rows, { gradients: method === "mmps" || method === "pigdm" });
  const started = performance.now();
  let evaluations = 0;
  const part = shardBatches({ count, batch: rows, shard: { index: 1, shards: 1 } });
  const batches = runBatches(engine, sampleShape, part, options, async (first) => {
    const inputOf = (row: number) => Math.floor(Math.min(count - 1, first + row) / each);
    const places = Int32Array.from({ length: rows }, (_, row) => inputOf(row));
    const [known, y] = tf.tidy(() => {
      const at = tf.tensor1d(places, "int32");
      const images = tf.tensor(inputs.images, [inputs.count, ...sampleShape]);
      // Where nothing is seen, what is gathered has lost its shape.
      const seenOfRows = tf.reshape(tf.gather(seen, at), [rows, ...measured.operator.outputShape]);
      return [tf.gather(images, at), seenOfRows];
    });
    const observation = await linearObservation(measured.operator, y, measured.noiseStd);
    const labels = classes === null ? null : Array.from(places, (place) => classes[place]);
    const model = scoreModel(noisePredictor.withLabels(labels), sde);
    const all = { ...options, dataStd };
    const conditioned = condition(model, sampler, known, observation, measured, all);
    return { ...conditioned, dispose: () => tf.dispose([known, y]) };
  });
  for await (const batch of batches) {
    values.set(batch.values, batch.first * sizeOf(sampleShape));
    evaluations = batch.evaluations;
  }
  return { values, evaluations, seconds: (performance.now() - started) / 1000 };
}

/** The model and the sampler that a method makes of the unconditional ones. */
function condition(
  model: ScoreModel,
  sampler: Sampler,
  images: tf.Tensor,
  observation: LinearObservation,
  { known, noiseStd }: MeasurementModel,
  { method, iterations = method === "mmps" ? 3 : 20, resamplings, dataStd }:
    & PosteriorOptions
    & Pick<PosteriorScoreOptions, "dataStd">,
): { model: ScoreModel; sampler: Sampler } {
  const part = known === null ? null : { ...known, known: images };
  if (method === "mmps" || method === "pigdm") {
    const exact = part !== null && noiseStd === 0;
    return {
      model: posteriorScore(model, observation, { method, iterations, dataStd }),
      sampler: exact ? withExactKnownValues(sampler, part) : sampler,
    };
  }
  if (part === null || noiseStd > 0) {
    throw new RangeError(`${method} needs values that are known exactly; use mmps or pigdm`);
  }
  return {
    model,
    sampler: method === "replacement"
      ? replacementSampler(sampler, part)
      : repaintSampler(sampler, { ...part, resamplings }),
  };
}
