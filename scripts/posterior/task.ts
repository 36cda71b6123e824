/**
 * The main function that `inpaint`, `colorize` and `restore` share: reads flags, draws from the posterior, writes the picture
 * and prints the summary.
 * @module
 */
import type * as tf from "../../src/compute/tf.ts";
import { type ClassPreservation, classPreservation } from "../../src/metrics/class_preservation.ts";
import type { PretrainedName } from "../../src/pretrained.ts";
import { openEngine } from "../cli/engine.ts";
import { formatDuration, ProgressBar } from "../cli/terminal.ts";
import { loadDigitClassifier } from "../evaluation/digit_quality.ts";
import { loadCheckpoint } from "../sampling/checkpoint.ts";
import { readSampling } from "../sampling/flags.ts";
import { DEFAULT_SAMPLER } from "../sampling/sampling.ts";
import {
  DEFAULT_STEPS,
  drawPosterior,
  measureInputs,
  type MeasurementModel,
  type PosteriorValues,
  readClasses,
} from "./draw.ts";
import { checkOutput, writeGallery } from "./gallery.ts";
import { checkInputFlags, type Inputs, readInputs } from "./inputs.ts";

/** What was drawn. */
export interface PosteriorOutcome {
  readonly inputs: Inputs;
  /** Samples of each input. */
  readonly samples: number;
  /** [inputs, samples, …shape] in model units, not clipped. */
  readonly values: Float32Array;
  /** [height, width, channels]. */
  readonly shape: readonly number[];
  readonly model: MeasurementModel;
  /** The measurements, [inputs, …model.operator.outputShape]. */
  readonly seen: tf.Tensor;
}

/** What is particular to a task, with the numbers M that it measures of its samples. */
interface PosteriorTask<M extends object> {
  /** For the progress bar, such as "inpainting". */
  readonly label: string;
  /** The network that draws, if no checkpoint is given. */
  readonly network: PretrainedName;
  /** How images [height, width, channels] are measured; bad values are a UsageError. */
  measurementModel(shape: readonly number[]): MeasurementModel | Promise<MeasurementModel>;
  /** The measurements as images in model units, [inputs, …shape]. */
  shown(outcome: PosteriorOutcome): Float32Array | Promise<Float32Array>;
  /** Numbers about the samples, for JSON. */
  measure(outcome: PosteriorOutcome): Promise<M>;
  /** These numbers as a sentence. */
  words(measured: M): string;
}

/** Runs a task and prints its result. */
export async function runPosterior<M extends object>(
  flags: PosteriorValues,
  task: PosteriorTask<M>,
): Promise<void> {
  checkInputFlags(flags);
  const steps = flags.steps ?? (flags.sampler === DEFAULT_SAMPLER ? DEFAULT_STEPS : undefined);
  const sampling = readSampling({ ...flags, steps });
  await checkOutput(flags.output);
  const engine = await openEngine(flags.engine);
  const noisePredictor = await loadCheckpoint(flags.checkpoint, task.network);
  const shape = noisePredictor.network.sampleShape;
  const model = await task.measurementModel(shape);
  const inputs = await readInputs(flags.input, { ...flags, shape, engine });
  const seen = measureInputs(inputs, model, flags.seed);
  const samples = flags.count;
  const count = inputs.count * samples;
  const rows = Math.min(flags.batch, count);
  const total = Math.ceil(count / rows) * sampling.grid.steps;
  using progress = new ProgressBar({ label: task.label, total, unit: "steps" });
  const { values, evaluations, seconds } = await drawPosterior(noisePredictor, engine, inputs, seen, model, {
    ...flags,
    ...sampling,
    count,
    rows,
    classes: readClasses(flags.label, inputs, noisePredictor.network.classes),
    onStep: (taken) => progress.update(taken),
  });
  progress.finish();
  noisePredictor.dispose();
  const outcome = { inputs, samples, values, shape, model, seen };
  const images = await task.shown(outcome);
  await writeGallery(flags.output, {
    shape,
    inputs: inputs.count,
    samples,
    values,
    originals: inputs.images,
    seen: images,
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
  const numberOf = (what: number, noun: string) => `${what} ${noun}${what === 1 ? "" : "s"}`;
  const inWords = `${numberOf(inputs.count, "image")}, ${numberOf(samples, "sample")} of each, ${
    task.words(measured)
  }`;
  const how = `${method}, ${sde}, ${sampler}, ${sampling.grid.steps} steps, ${formatDuration(seconds)}`;
  console.log(`${inWords}; ${how} on ${engine.name}: ${file}`);
}

/** How often the digit classifier finds an input's class in its samples; empty unless inputs are grey digits with classes. */
export async function measureClassPreservation(
  { inputs, values, shape }: PosteriorOutcome,
): Promise<Partial<ClassPreservation>> {
  if (inputs.labels === null || String(shape) !== "28,28,1") return {};
  return await classPreservation(await loadDigitClassifier(), values, inputs.labels);
}
