/**
 * An untrained network, small but with every layer at work, for claims about scripts.
 * @module
 */
import { createRng } from "../../src/compute/rng.ts";
import {
  COLOURED_DIGITS,
  NETWORK_PRESETS,
  type NetworkConfig,
  networkFromConfig,
} from "../../src/networks/registry.ts";
import { type Model, writeModel } from "../../src/networks/model_file.ts";
import { withFolder } from "./temporary_folder.ts";

const config: NetworkConfig = {
  ...NETWORK_PRESETS.digits,
  widths: [8, 8],
  blocks: 1,
  middleBlocks: 1,
  embedding: 16,
  noiseFeatures: 8,
};

/** A network for coloured pictures of 8×8. */
export const smallColoured: NetworkConfig = {
  ...COLOURED_DIGITS,
  height: 8,
  width: 8,
  widths: [8, 8],
  middleBlocks: 1,
  embedding: 16,
  noiseFeatures: 8,
};

/** The network; parameters that would start as zeros or ones are spread, so that each one matters. */
export function smallModel(network: NetworkConfig = config): Model {
  const { parameters, initialise } = networkFromConfig(network);
  const rng = createRng(7);
  const weights = initialise(rng);
  for (const { name, std, mean } of parameters) {
    if (std !== 0) continue;
    const size = weights.get(name)!.length;
    weights.set(name, rng.fork(name).normalValues([1, size]).map((z) => mean + 0.1 * z));
  }
  return { config: { network, preconditioning: { sigmaData: 0.6, centre: -0.7 } }, weights };
}

/** Gives an action a new folder with the network in model.safetensors, and removes it afterwards. */
export function withCheckpoint<T>(action: (folder: string) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/model.safetensors`, writeModel(smallModel()));
    return await action(folder);
  });
}

/** Flags of a run that depends on all that could go wrong: noise in every step, random labels, an incomplete last batch. */
export function flagsFor(folder: string, engine = "wasm"): string[] {
  const flags = `--checkpoint ${folder}/model.safetensors --engine ${engine} --sampler ancestral --steps 12`;
  return `${flags} --count 30 --batch 4 --guidance 1.5`.split(" ");
}
