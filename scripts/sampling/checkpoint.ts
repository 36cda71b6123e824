/**
 * Networks from checkpoint files, or by the names of those that come with the project.
 * @module
 */
import { type Model, readModel } from "../../src/networks/model_file.ts";
import { networkFromConfig } from "../../src/networks/registry.ts";
import type { Safetensors } from "../../src/networks/safetensors.ts";
import {
  loadNoisyClassifier,
  NOISY_CLASSIFIER_SHAPE,
  type NoisyDigitClassifier,
} from "../../src/classifiers/noisy_classifier.ts";
import { type NetworkPredictor, networkPredictor } from "../../src/networks/network_predictor.ts";
import { loadPretrained, type PretrainedName, pretrainedNames } from "../../src/pretrained.ts";
import { readWhole } from "../cli/files.ts";
import { messageOf, UsageError } from "../cli/flags.ts";

/**
 * The network in a checkpoint, or one that comes with the project: the one of this name unless the checkpoint names another.
 * @param kind What the task can use: a score network, or a consistency function as well.
 * @throws UsageError for a consistency function where a score is needed
 */
export async function loadCheckpoint(
  checkpoint: string | undefined,
  name: PretrainedName = "mnist",
  kind: "score" | "either" = "score",
): Promise<NetworkPredictor> {
  const noisePredictor = await loadAny(checkpoint, name);
  if (kind === "either" || !noisePredictor.consistency) return noisePredictor;
  noisePredictor.dispose();
  throw new UsageError(
    `"${checkpoint}" is a consistency function, which has no score: deno task sample and deno task evaluate draw from it`,
  );
}

async function loadAny(checkpoint: string | undefined, name: PretrainedName): Promise<NetworkPredictor> {
  if (checkpoint === undefined) return await loadPretrained(name);
  const shipped = pretrainedNames.find((name) => name === checkpoint);
  if (shipped !== undefined) return await loadPretrained(shipped);
  const bytes = await readWhole(checkpoint);
  try {
    const { config, weights } = readModel(bytes);
    return networkPredictor(config, weights);
  } catch (error) {
    throw new Error(`"${checkpoint}" cannot be used: ${messageOf(error)}`);
  }
}

/**
 * What a checkpoint's file says: its config and metadata; undefined where it cannot be read, which is an error where its network
 * is loaded.
 * @param checkpoint A file, or the name of a network that comes with the project.
 */
export async function describeCheckpoint(checkpoint: string): Promise<Model & Safetensors | undefined> {
  try {
    // A name without an ending is of a network that comes with the project.
    const path = checkpoint.includes(".")
      ? checkpoint
      : new URL(`../../fixtures/models/${checkpoint.replaceAll("-", "_")}.safetensors`, import.meta.url);
    return readModel(await readWhole(path));
  } catch {
    return undefined;
  }
}

/** Whether a checkpoint's network has labels; true where its file cannot be read. The shipped network of digits has. */
export async function hasLabels(checkpoint: string | undefined): Promise<boolean> {
  if (checkpoint === undefined) return true;
  const model = await describeCheckpoint(checkpoint);
  return model === undefined || networkFromConfig(model.config.network).classes > 0;
}

/** SHA-256 of a network's config and weights, in hexadecimal digits. */
export async function fingerprint({ config, parameters }: NetworkPredictor): Promise<string> {
  const pieces: Uint8Array<ArrayBuffer>[] = [new TextEncoder().encode(JSON.stringify(config))];
  for (const tensor of Object.values(parameters)) {
    pieces.push(new Uint8Array(Float32Array.from(await tensor.data<"float32">()).buffer));
  }
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/**
 * Refuses a class that a network does not have, before anything is drawn.
 * @param label A class by its number, "random" for one drawn for each sample, or "none".
 * @throws UsageError naming the label and the network's labels
 */
export function checkLabel(label: number | string, { network: { classes } }: NetworkPredictor): void {
  if (label === "none" || (classes > 0 && (label === "random" || Number(label) < classes))) return;
  const has = classes === 0 ? "the network has no labels" : `the network's labels are 0 to ${classes - 1}`;
  throw new UsageError(`--label ${label}: ${has}`);
}

/**
 * The classifier that comes with the project, to be disposed; null for scale 0.
 * @throws UsageError when the network's samples are not of the shape that it knows
 */
export async function openClassifier(
  { network }: NetworkPredictor,
  scale: number,
): Promise<NoisyDigitClassifier | null> {
  if (scale === 0) return null;
  if (String(network.sampleShape) !== String(NOISY_CLASSIFIER_SHAPE)) {
    throw new UsageError(
      `--classifier-scale is for digits of shape [${NOISY_CLASSIFIER_SHAPE}], the checkpoint has [${network.sampleShape}]`,
    );
  }
  return await loadNoisyClassifier();
}
