/**
 * Networks from checkpoint files, or by the names of those that come with the project.
 * @module
 */
import { readModel } from "../../src/networks/model_file.ts";
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

/** SHA-256 of a network's config and weights, in hexadecimal digits. */
export async function fingerprint({ config, parameters }: NetworkPredictor): Promise<string> {
  const pieces: Uint8Array<ArrayBuffer>[] = [new TextEncoder().encode(JSON.stringify(config))];
  for (const tensor of Object.values(parameters)) {
    pieces.push(new Uint8Array(Float32Array.from(await tensor.data<"float32">()).buffer));
  }
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
