/**
 * Networks from checkpoint files, or by the names of those that come with the project.
 * @module
 */
import { type Model, readModel } from "../../src/networks/model_file.ts";
import { describeSamples } from "../../src/data/identity.ts";
import { networkFromConfig } from "../../src/networks/registry.ts";
import type { Safetensors } from "../../src/networks/safetensors.ts";
import {
  loadNoisyClassifier,
  NOISY_CLASSIFIER_SHAPE,
  type NoisyDigitClassifier,
} from "../../src/classifiers/noisy_classifier.ts";
import { type NetworkPredictor, networkPredictor } from "../../src/networks/network_predictor.ts";
import { loadPretrained, type PretrainedName, pretrainedNames } from "../../src/pretrained.ts";
import { ONNX_RUNTIME } from "../../src/compute/onnx/runtime.ts";
import type { SdeConfig } from "../../src/diffusion/sde.ts";
import { sdeFromConfig } from "../../src/diffusion/sde_registry.ts";
import { createRng } from "../../src/compute/rng.ts";
import { checkPrediction } from "../../src/external/check_prediction.ts";
import { onnxModel } from "../../src/external/onnx_model.ts";
import { autoguidedNetwork } from "../../src/runs/autoguided_network.ts";
import { type SampledNetwork, sampledNetwork } from "../../src/runs/sampled_network.ts";
import { readWhole } from "../cli/files.ts";
import { isCached } from "../cli/native_engine.ts";
import { type ExternalConfig, isOnnxFile } from "./external_flags.ts";
import { messageOf, UsageError } from "../cli/flags.ts";

/**
 * The network in a checkpoint, or one that comes with the project: the one of this name unless the checkpoint names another.
 * @param kind What the task can use: a score network, or a consistency function as well.
 * @param samples What the task can use: images, or points as well.
 * @throws UsageError for a consistency function where a score is needed, or for points where images are
 */
export async function loadCheckpoint(
  checkpoint: string | undefined,
  name: PretrainedName = "mnist",
  kind: "score" | "either" = "score",
  samples: "images" | "any" = "images",
): Promise<NetworkPredictor> {
  const noisePredictor = await loadAny(checkpoint, name);
  const { sampleShape } = noisePredictor.network;
  if (samples === "images" && sampleShape.length !== 3) {
    noisePredictor.dispose();
    throw new UsageError(
      `"${checkpoint}" draws ${
        describeSamples(sampleShape)
      }, and this task is for images: deno task sample, evaluate and ` +
        "likelihood take points",
    );
  }
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

/** What a request says of the network that it draws from. */
interface NetworkChoice {
  /** A file, the name of a network that comes with the project, or null for the task's own. */
  readonly checkpoint: string | null;
  /** How an ONNX file is to be understood; null for others. */
  readonly external: ExternalConfig | null;
  /** The SDE that is reversed. */
  readonly sde: SdeConfig;
  /** A worse network that guides, as `checkpoint` has it; absent or null for none. */
  readonly guide?: string | null;
}

/**
 * The network of a request, or the model in its ONNX file, which {@linkcode loadCheckpoint} does not read. A warning on stderr says
 * if the model does not seem to predict what is said of it. The engine must be open.
 */
export async function loadSampled(
  choice: NetworkChoice,
  name: PretrainedName = "mnist",
  kind: "score" | "either" = "score",
  samples: "images" | "any" = "images",
): Promise<SampledNetwork> {
  const { guide } = choice;
  if (guide === undefined || guide === null) return await loadOne(choice, name, kind, samples);
  const network = await loadOne(choice, name, "score", samples);
  // An ONNX file is understood as the checkpoint's; a guide's gradient is not asked for.
  const { pullBack: _, ...meaning } = choice.external ?? {};
  const external = isOnnxFile(guide) ? meaning as ExternalConfig : null;
  const worse = await loadOne({ ...choice, checkpoint: guide, external }, name, "score", "any");
  try {
    const both = autoguidedNetwork(network, worse);
    const names = await Promise.all([network, worse].map(fingerprint));
    hashes.set(both, await sha256(new TextEncoder().encode(names.join(" guided by "))));
    return both;
  } catch (error) {
    await network.dispose();
    await worse.dispose();
    throw new UsageError(`--guide-checkpoint "${guide}" cannot guide: ${messageOf(error)}`);
  }
}

async function loadOne(
  { checkpoint, external, sde }: NetworkChoice,
  name: PretrainedName,
  kind: "score" | "either",
  samples: "images" | "any",
): Promise<SampledNetwork> {
  if (external === null) return await loadCheckpoint(checkpoint ?? undefined, name, kind, samples);
  const path = checkpoint!;
  const bytes = await readWhole(path);
  if (!await isCached(ONNX_RUNTIME.name, ONNX_RUNTIME.version)) {
    throw new Error(
      `"${path}" needs onnxruntime-node, which is not on this machine: fetch it with deno task onnx (290 MB)`,
    );
  }
  try {
    const equation = sdeFromConfig(sde);
    const { pullBack, ...meaning } = external;
    const gradient = pullBack === undefined ? {} : { pullBack: await readWhole(pullBack) };
    const model = await onnxModel(bytes, { ...meaning, ...gradient, sde: equation });
    const shape = model.sampleShape ?? [];
    if (shape.length !== 3 || shape.some((size) => size === null)) {
      await model.dispose();
      throw new RangeError(
        `its states must be images of a fixed height, width and channels, got [${
          shape.map((n) => n ?? "any")
        }]`,
      );
    }
    const [height, width, channels] = shape as number[];
    if (channels > 4 && Math.min(height, width) <= 4) {
      await model.dispose();
      const other = external.layout === "nchw" ? "nhwc" : "nchw";
      throw new RangeError(
        `images of ${height}×${width} pixels and ${channels} channels look like another order of axes: give --layout ${other}`,
      );
    }
    const options = { shape: [8, height, width, channels] as number[], rng: createRng(0) };
    await checkPrediction(model, equation, options).catch((error) => {
      // What is no number or of another shape is an error; that a prediction looks wrong is a guess.
      if (error instanceof RangeError || error instanceof TypeError) throw error;
      console.error(`warning: "${path}": ${messageOf(error)}`);
    });
    const network = sampledNetwork(model, [height, width, channels], () => model.dispose());
    const words = new TextEncoder().encode(JSON.stringify({ external: meaning, sde }));
    hashes.set(network, await sha256(new Uint8Array(await new Blob([words, bytes]).arrayBuffer())));
    return network;
  } catch (error) {
    throw new Error(`"${path}" cannot be used: ${messageOf(error)}`);
  }
}

/** SHA-256 of ONNX files and how they are understood. */
const hashes = new WeakMap<SampledNetwork, string>();

/**
 * What a checkpoint's file says: its config and metadata; undefined where it cannot be read, which is an error where its network
 * is loaded.
 * @param checkpoint A file, or the name of a network that comes with the project.
 */
export function describeCheckpoint(checkpoint: string): Promise<Description | undefined> {
  // A name without an ending is of a network that comes with the project, whose file does not change.
  if (checkpoint.includes(".")) return describe(checkpoint);
  const known = shippedDescriptions.get(checkpoint) ?? describe(
    new URL(`../../fixtures/models/${checkpoint.replaceAll("-", "_")}.safetensors`, import.meta.url),
  );
  shippedDescriptions.set(checkpoint, known);
  return known;
}

/** What a file says. */
type Description = Model & Safetensors;

const shippedDescriptions = new Map<string, Promise<Description | undefined>>();

async function describe(path: string | URL): Promise<Description | undefined> {
  try {
    return readModel(await readWhole(path));
  } catch {
    return undefined;
  }
}

/** Whether a checkpoint's network has labels; true where its file cannot be read. The shipped network of digits has. */
export async function hasLabels(checkpoint: string | undefined): Promise<boolean> {
  if (checkpoint === undefined) return true;
  if (isOnnxFile(checkpoint)) return false;
  const model = await describeCheckpoint(checkpoint);
  return model === undefined || networkFromConfig(model.config.network).classes > 0;
}

/** SHA-256 of a network's config and weights, or of an ONNX file and how it is understood, in hexadecimal digits. */
export async function fingerprint(network: NetworkPredictor | SampledNetwork): Promise<string> {
  const known = hashes.get(network);
  if (known !== undefined) return known;
  const { config, parameters } = network as NetworkPredictor;
  const pieces: Uint8Array<ArrayBuffer>[] = [new TextEncoder().encode(JSON.stringify(config))];
  for (const tensor of Object.values(parameters)) {
    pieces.push(new Uint8Array(Float32Array.from(await tensor.data<"float32">()).buffer));
  }
  return await sha256(new Uint8Array(await new Blob(pieces).arrayBuffer()));
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/**
 * Refuses a class that a network does not have, before anything is drawn.
 * @param label A class by its number, "random" for one drawn for each sample, or "none".
 * @throws UsageError naming the label and the network's labels
 */
export function checkLabel(label: number | string, { network: { classes } }: SampledNetwork): void {
  if (label === "none" || (classes > 0 && (label === "random" || Number(label) < classes))) return;
  const has = classes === 0 ? "the network has no labels" : `the network's labels are 0 to ${classes - 1}`;
  throw new UsageError(`--label ${label}: ${has}`);
}

/**
 * The classifier that comes with the project, to be disposed; null for scale 0.
 * @throws UsageError when the network's samples are not of the shape that it knows
 */
export async function openClassifier(
  { network }: SampledNetwork,
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
