/**
 * Chooses among the models that a training run kept: `deno task select`.
 * @module
 */
import { createRng } from "../src/compute/rng.ts";
import { shuffledBatches } from "../src/data/batches.ts";
import { featureMoments, frechetDistance } from "../src/metrics/frechet.ts";
import { type ImageDataset, imageSize, modelToBytes } from "../src/data/dataset.ts";
import { patchStatistics } from "../src/metrics/pooled_features.ts";
import { readModel } from "../src/networks/model_file.ts";
import { columns } from "./cli/text_table.ts";
import { eitherFlags, forCheckpoint } from "./sampling/consistency_model.ts";
import { loadCheckpoint } from "./sampling/checkpoint.ts";
import { drawDigits } from "../src/runs/evaluation.ts";
import { networkFlags, readSampling, renamedOptions, samplingFlags, seedFlag } from "./sampling/flags.ts";
import { ProgressBar } from "./cli/terminal.ts";
import { openEngine } from "./cli/engine.ts";
import { atomicWrite, readWhole } from "./cli/files.ts";
import { integer, messageOf, parseFlags, runScript, text, toggle, UsageError } from "./cli/flags.ts";
import { sigmaFlag, withSigma } from "./sampling/sigma_flag.ts";
import { loadTrainingData, trainingDataFlags } from "./datasets/training_data.ts";

const usage = {
  name: "select",
  purpose:
    "Draws images from every model-STEP.safetensors of a run, measures them by the Fréchet distance to the data and copies the " +
    "best model to best.safetensors. The features are colours and contrast of 4×4 parts: they tell checkpoints of one run " +
    "apart, not papers.",
  examples: [
    "deno task select --checkpoints runs/unet-photos",
    "deno task select --checkpoints runs/unet-cifar10 --sde vp --sampler predictor-corrector --steps 1000",
  ],
  flags: {
    checkpoints: text({
      help: "folder of a run that deno task train --keep-models wrote",
      placeholder: "FOLDER",
    }),
    ...trainingDataFlags,
    count: integer({ help: "how many images of each model", default: 500, min: 100, max: 60_000 }),
    ...samplingFlags,
    ...eitherFlags,
    sigma: sigmaFlag,
    seed: seedFlag,
    batch: integer({ help: "images drawn at once", default: 50, min: 1, max: 4096 }),
    engine: networkFlags.engine,
    json: toggle({ help: "print the result as JSON" }),
  },
  renamed: renamedOptions,
} as const;

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  const { checkpoints: folder, count } = flags;
  if (folder === undefined) {
    throw new UsageError("--checkpoints FOLDER is needed: the folder of a training run");
  }
  const names = await keptModels(folder);
  const first = `${folder}/${names[0]}`;
  const { sampler } = await forCheckpoint({ checkpoint: first, sampler: flags.sampler });
  const sampling = readSampling({ ...flags, sampler });
  const { config, metadata } = readModel(await readWhole(first));
  const resumedShape = config.network.kind === "unet"
    ? [config.network.height, config.network.width]
    : undefined;
  const dataset = await loadTrainingData(flags.data ?? metadata.data ?? "mnist", { ...flags, resumedShape });
  const engine = await openEngine(flags.engine);
  const moments = (images: ImageDataset) => {
    const { features, dimension } = patchStatistics(images);
    return featureMoments(features, dimension);
  };
  const known = moments(dataset);
  const floor = frechetDistance(moments(some(dataset, count)), known);
  const measured: { name: string; frechet: number }[] = [];
  using progress = new ProgressBar({
    label: "drawing",
    total: names.length * Math.ceil(count / flags.batch) * sampling.grid.steps,
    unit: "steps",
  });
  for (const [at, name] of names.entries()) {
    const checkpoint = `${folder}/${name}`;
    const noisePredictor = await loadCheckpoint(checkpoint, "mnist", "either");
    if (String(noisePredictor.network.sampleShape) !== String(dataset.shape)) {
      throw new Error(
        `${checkpoint} is for images of shape [${noisePredictor.network.sampleShape}], the data have [${dataset.shape}]`,
      );
    }
    const before = at * Math.ceil(count / flags.batch) * sampling.grid.steps;
    const request = {
      ...await withSigma(sampling, { ...flags, checkpoint }),
      guidance: { scale: 1 },
      classifierScale: 0,
      count,
      batch: flags.batch,
      seed: flags.seed,
    };
    const onStep = (taken: number) => progress.update(before + taken);
    const { images } = await drawDigits(request, { noisePredictor, engine, onStep });
    noisePredictor.dispose();
    const drawn = { ...dataset, count, images: modelToBytes(images) };
    measured.push({ name, frechet: frechetDistance(moments(drawn), known) });
  }
  progress.finish();
  const best = measured.reduce((least, each) => each.frechet < least.frechet ? each : least);
  await atomicWrite(`${folder}/best.safetensors`, await readWhole(`${folder}/${best.name}`));
  if (flags.json) {
    console.log(JSON.stringify({ models: measured, best: best.name, floor, count, data: dataset.name }));
    return;
  }
  const rows = measured.map(({ name, frechet }) => [name, frechet.toFixed(4)]);
  console.log(
    columns([["model", `Fréchet, ${count} images`], ...rows, ["as many of the data", floor.toFixed(4)]]),
  );
  console.log(`best: ${best.name}, copied to ${folder}/best.safetensors`);
}

/** So many images, drawn at random without repetition, since files are in an order of their own; all when there are no more. */
function some(dataset: ImageDataset, count: number): ImageDataset {
  if (count >= dataset.count) return dataset;
  const size = imageSize(dataset);
  const images = new Uint8Array(count * size);
  const { indices } = shuffledBatches(dataset, count, createRng(0))(0);
  indices.forEach((from, to) =>
    images.set(dataset.images.subarray(from * size, (from + 1) * size), to * size)
  );
  return { ...dataset, count, images };
}

async function keptModels(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (/^model-\d+\.safetensors$/.test(name)) names.push(name);
    }
  } catch (error) {
    throw new Error(
      `could not read the folder "${folder}": ${messageOf(error)}`,
    );
  }
  if (names.length > 0) return names.sort();
  throw new Error(
    `there is no model-STEP.safetensors in "${folder}": deno task train --keep-models leaves them`,
  );
}

await runScript(main);
