/**
 * What `inpaint`, `colorize` and `restore` share: they read images, draw from the posterior, write the picture and print the
 * summary.
 * @module
 */
import { decodePng } from "../../src/images/png.ts";
import type { PretrainedName } from "../../src/pretrained.ts";
import { measurementWords, openMeasurement } from "../../src/runs/measurement.ts";
import type { PosteriorNames } from "../../src/runs/posterior_picture.ts";
import {
  type PosteriorInputs,
  type PosteriorRequest,
  type PosteriorResult,
  runPosterior,
} from "../../src/runs/posterior.ts";
import { openEngine } from "../cli/engine.ts";
import { ensureWritable, readWhole } from "../cli/files.ts";
import { UsageError } from "../cli/flags.ts";
import { formatDuration, ProgressBar } from "../cli/terminal.ts";
import { MOST_PIXELS } from "../datasets/image_folder.ts";
import { loadDigitClassifier } from "../evaluation/digit_quality.ts";
import { loadSampled } from "../sampling/checkpoint.ts";
import { asUsage } from "../sampling/flags.ts";
import { sdeNameOf } from "../sampling/sampling.ts";
import type { PosteriorTaskRequest } from "./flags.ts";
import { writeGallery } from "./gallery.ts";
import { readInputs } from "./inputs.ts";

/** What a run drew, and what computed. */
export interface PosteriorTaskResult extends PosteriorResult {
  readonly engine: string;
}

/**
 * Draws and writes the picture or the array.
 * @param label For the progress bar, such as "inpainting".
 * @param network The network that draws, if no checkpoint is given.
 */
export async function drawAndWrite(
  request: PosteriorTaskRequest,
  label: string,
  network: PretrainedName,
): Promise<PosteriorTaskResult> {
  const { measurement, noise, seed, output, input, count, grid } = request;
  await ensureWritable(output);
  const engine = await openEngine(request.engine);
  const noisePredictor = await loadSampled(request, network);
  const { sampleShape: shape, classes } = noisePredictor.network;
  const picture = measurement.kind === "picture-mask"
    ? await decodePng(await readWhole(measurement.path), measurement.path, MOST_PIXELS)
    : undefined;
  asUsage(() => openMeasurement(measurement, { shape, noise, seed, picture }));
  const inputs = await readInputs(input, { ...request, shape, engine });
  checkClasses(request.label, inputs, classes);
  const classifier = await loadDigitClassifier();
  const samples = inputs.count * count;
  const total = Math.ceil(samples / Math.min(request.batch, samples)) * grid.steps;
  using progress = new ProgressBar({ label, total, unit: "steps" });
  const onStep = (taken: number) => progress.update(taken);
  const parts = { noisePredictor, inputs, picture, classifier, engine, onStep };
  const result = await runPosterior(request, parts);
  progress.finish();
  await noisePredictor.dispose();
  await writeGallery(output, result, namesOf(request, inputs));
  return { ...result, engine: engine.name };
}

/** What is written in the picture: the measurement and how samples were drawn, the images' classes. */
function namesOf(request: PosteriorTaskRequest, { labels, count }: PosteriorInputs): PosteriorNames {
  const { measurement, noise, method, sampler, grid, sde, label, seed } = request;
  const noisy = noise === 0 ? "" : ` with noise ${noise}`;
  const parts = [
    `${measurementWords(measurement)}${noisy}: ${method.name}`,
    ...[sdeNameOf(sde), sampler.name, `${grid.steps} steps`],
    ...[label === "none" ? "no label" : `label ${label}`, `seed ${seed}`],
  ];
  return {
    title: parts.join(", "),
    seen: measurement.kind === "grey" ? "grey" : "measurement",
    columnNames: labels === null ? new Array(count).fill("picture") : Array.from(labels, String),
  };
}

/** @throws UsageError for inputs without a known class, or a network without labels */
function checkClasses(
  label: PosteriorRequest["label"],
  { labels }: PosteriorInputs,
  classes: number,
): void {
  if (label === "none") return;
  if (classes === 0) {
    throw new UsageError(`--label is for networks with labels, got ${label} for one without`);
  }
  if (label === "own" && labels === null) {
    throw new UsageError("--label own needs inputs whose class is known: digits, samples or mnist");
  }
}

/** What a task says of its result. */
interface Summary {
  /** The task's own numbers, for JSON. */
  readonly measured: object;
  /** These numbers as a sentence. */
  readonly words: string;
}

/** Prints the result as JSON or in words. */
export function reportPosterior(
  request: PosteriorTaskRequest,
  result: PosteriorTaskResult,
  { measured, words }: Summary,
  { json }: { readonly json: boolean },
): void {
  const { method: { name: method }, label, sampler: { name: sampler }, grid: { steps }, seed } = request;
  const { inputs, samples, evaluations, seconds, engine } = result;
  const { output: file } = request;
  const sde = sdeNameOf(request.sde);
  if (json) {
    const run = { method, label: String(label), sde, sampler, steps, seed, evaluations, seconds };
    console.log(JSON.stringify({ inputs, samples, ...measured, ...run, engine, file }));
    return;
  }
  const numberOf = (what: number, noun: string) => `${what} ${noun}${what === 1 ? "" : "s"}`;
  const inWords = `${numberOf(inputs, "image")}, ${numberOf(samples, "sample")} of each, ${words}`;
  const how = `${method}, ${sde}, ${sampler}, ${steps} steps, ${formatDuration(seconds)}`;
  console.log(`${inWords}; ${how} on ${engine}: ${file}`);
}
