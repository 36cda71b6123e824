/**
 * The course of a task that draws what could have been, given what was seen: from its flags to a picture and a line.
 * @module
 */
import type * as tf from "../../src/compute/tf.ts";
import { readClassifier } from "../../src/classifiers/digit_classifier.ts";
import { type ClassPreservation, classPreservation } from "../../src/metrics/class_preservation.ts";
import type { PretrainedName } from "../../src/pretrained.ts";
import { DEFAULT_SAMPLER, loadCheckpoint } from "../sampling/draw_batches.ts";
import { openEngine } from "../cli/engine.ts";
import { readWhole } from "../cli/files.ts";
import { checkInputFlags, type Inputs, readInputs } from "./inputs.ts";
import {
  DEFAULT_STEPS,
  drawPosterior,
  measureInputs,
  type MeasurementModel,
  type PosteriorValues,
  readClasses,
} from "./draw.ts";
import { checkOutput, writeGallery } from "./gallery.ts";
import { readSampling } from "../sampling/flags.ts";
import { formatDuration, ProgressBar } from "../cli/terminal.ts";

/** What was drawn. */
export interface PosteriorOutcome {
  readonly inputs: Inputs;
  /** Samples of each input. */
  readonly samples: number;
  /** [inputs, samples, …shape] in model units, not clipped. */
  readonly values: Float32Array;
  /** [height, width, channels]. */
  readonly shape: readonly number[];
  readonly sight: MeasurementModel;
  /** [inputs, …sight.operator.outputShape]. */
  readonly seen: tf.Tensor;
}

/** What is particular to a task. */
interface PosteriorTask {
  /** For the progress bar, such as "inpainting". */
  readonly label: string;
  /** The network that draws, if no checkpoint is given. */
  readonly network: PretrainedName;
  /** What is seen of images [height, width, channels]; bad values are a UsageError. */
  measurementModel(shape: readonly number[]): MeasurementModel | Promise<MeasurementModel>;
  /** What was seen as images in model units, [inputs, …shape]. */
  shown(outcome: PosteriorOutcome): Float32Array | Promise<Float32Array>;
  /** Numbers about the samples, for JSON. */
  measure(outcome: PosteriorOutcome): Promise<Record<string, unknown>>;
  /** The same in words. */
  words(measured: Record<string, unknown>): string;
}

/** Runs a task and prints its result. */
export async function runPosterior(flags: PosteriorValues, task: PosteriorTask): Promise<void> {
  checkInputFlags(flags);
  const steps = flags.steps ?? (flags.sampler === DEFAULT_SAMPLER ? DEFAULT_STEPS : undefined);
  const sampling = readSampling({ ...flags, steps });
  await checkOutput(flags.output);
  const engine = await openEngine(flags.engine);
  const noisePredictor = await loadCheckpoint(flags.checkpoint, task.network);
  const shape = noisePredictor.network.sampleShape;
  const sight = await task.measurementModel(shape);
  const inputs = await readInputs(flags.input, { ...flags, shape, engine });
  const seen = measureInputs(inputs, sight, flags.seed);
  const samples = flags.count;
  const batch = Math.min(flags.batch, inputs.count * samples);
  const total = Math.ceil(inputs.count * samples / batch) * sampling.grid.steps;
  using progress = new ProgressBar({ label: task.label, total, unit: "steps" });
  const { values, evaluations, seconds } = await drawPosterior(noisePredictor, engine, inputs, seen, sight, {
    ...flags,
    ...sampling,
    batch,
    classes: readClasses(flags.label, inputs, noisePredictor.network.classes),
    onStep: (taken) => progress.update(taken),
  });
  progress.finish();
  noisePredictor.dispose();
  const outcome = { inputs, samples, values, shape, sight, seen };
  const images = await task.shown(outcome);
  await writeGallery(flags.output, {
    ...{ shape, inputs: inputs.count, samples, values },
    ...{ originals: inputs.images, seen: images },
  });
  const measured = await task.measure(outcome);
  seen.dispose();
  const { method, label, sde, sampler, seed, output: file } = flags;
  if (flags.json) {
    const run = { method, label, sde, sampler, steps: sampling.grid.steps, seed, evaluations, seconds };
    console.log(
      JSON.stringify({ inputs: inputs.count, samples, ...measured, ...run, engine: engine.name, file }),
    );
    return;
  }
  console.log(
    `${inputs.count} image${inputs.count === 1 ? "" : "s"}, ${samples} sample${
      samples === 1 ? "" : "s"
    } of each, ${task.words(measured)}; ${method}, ${sde}, ${sampler}, ${sampling.grid.steps} steps, ${
      formatDuration(seconds)
    } on ${engine.name}: ${file}`,
  );
}

/** How often the digit classifier finds an input's class in its samples; null of what are no grey digits with classes. */
export async function measureClassPreservation(
  { inputs, values, shape }: PosteriorOutcome,
): Promise<ClassPreservation | null> {
  if (inputs.labels === null || String(shape) !== "28,28,1") return null;
  const file = new URL("../../fixtures/models/classifier.safetensors", import.meta.url);
  return await classPreservation(readClassifier(await readWhole(file)), values, inputs.labels);
}

/** A share in [0, 1] in words. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
