/**
 * The recipe of a training run in files, for pytorch/score_sde_torch: all that its weights depend on.
 * @module
 */
import { basename } from "node:path";
import type { Dataset } from "../../src/data/held_out.ts";
import { networkFromConfig } from "../../src/networks/registry.ts";
import { type Checkpoint, writeCheckpoint } from "../../src/training/checkpoint.ts";
import { initialState } from "../../src/training/train.ts";
import { atomicWrite } from "../cli/files.ts";

/** The value of a recipe's `format`. */
const FORMAT = "score-sde recipe 1";

/** Data that PyTorch's side reads from the files in which they are published, and the height of their images there. */
const PUBLISHED: Readonly<Record<string, number>> = { mnist: 28, cifar10: 32 };

/**
 * Writes the recipe of the run that goes on from a checkpoint, or begins with one of step 0: a JSON file and, beside it under its
 * name, the data unless they are published, and the checkpoint unless it is what the seed draws.
 *
 * @param path Of the JSON file, such as recipe.json; then the others are recipe.data and recipe.start.safetensors.
 * @returns the paths that were written
 */
export async function writeRecipe(
  path: string,
  begin: Checkpoint,
  dataset: Dataset,
): Promise<readonly string[]> {
  const { config, state, data, dataset: identity, source, plan, changes } = begin;
  const stem = path.replace(/\.json$/, "");
  const drawn = initialState(networkFromConfig(config.model.network), config.seed);
  const asDrawn = state.step === 0 && begin.teacher === undefined &&
    state.weights.every((value, at) => value === drawn.weights[at]);
  const published = Object.hasOwn(PUBLISHED, data) && PUBLISHED[data] === dataset.shape[0];
  const written: string[] = [];
  const write = async (file: string, bytes: Uint8Array) => {
    await atomicWrite(file, bytes);
    written.push(file);
  };
  if (!published) await write(`${stem}.data`, contentsOf(dataset));
  if (!asDrawn) await write(`${stem}.start.safetensors`, writeCheckpoint(begin));
  const type = "values" in dataset ? "float32" : "uint8";
  const recipe = {
    format: FORMAT,
    config,
    data,
    files: published ? data : { path: basename(`${stem}.data`), type },
    dataset: identity,
    ...source && { source },
    ...plan && { plan },
    ...changes && { changes },
    start: asDrawn ? null : basename(`${stem}.start.safetensors`),
  };
  await write(path, new TextEncoder().encode(`${JSON.stringify(recipe, null, 2)}\n`));
  return written.reverse();
}

/** All samples, as bytes of images or float32 model values, then a byte for each label. */
function contentsOf(dataset: Dataset): Uint8Array {
  const samples = "values" in dataset
    ? new Uint8Array(dataset.values.buffer, dataset.values.byteOffset, dataset.values.byteLength)
    : dataset.images;
  const contents = new Uint8Array(samples.length + dataset.count);
  contents.set(samples);
  contents.set(dataset.labels, samples.length);
  return contents;
}
