/**
 * Small trainings by `deno task train`: pictures in folders of classes, and checkpoints to begin from.
 * @module
 */
import { createRng } from "../../src/compute/rng.ts";
import { proceduralDigits } from "../../src/data/digits.ts";
import { encodePng } from "../../src/images/png.ts";
import type { Network } from "../../src/networks/network.ts";
import { networkFromConfig } from "../../src/networks/registry.ts";
import { writeCheckpoint } from "../../src/training/checkpoint.ts";
import { OPTIMIZER_DEFAULTS } from "../../src/training/optimizer.ts";
import { initialState } from "../../src/training/train.ts";
import { smallModel } from "./small_checkpoint.ts";

/** Writes digits as pictures into folders of their classes in `data`, three of each class named. */
export async function writeDigits(folder: string, classes: readonly string[]): Promise<void> {
  for (const name of classes) await writeClass(folder, name);
}

/** Writes three digits as pictures into the folder of one class. */
export async function writeClass(folder: string, name: string): Promise<void> {
  await Deno.mkdir(`${folder}/data/${name}`, { recursive: true });
  const { images } = proceduralDigits(3, createRng(name.length + name.charCodeAt(0)));
  for (let i = 0; i < 3; i++) {
    const data = new Uint8Array(28 * 28 * 4).fill(255);
    for (let pixel = 0; pixel < 28 * 28; pixel++) {
      data.fill(images[i * 784 + pixel], 4 * pixel, 4 * pixel + 3);
    }
    await Deno.writeFile(`${folder}/data/${name}/${i}.png`, encodePng({ width: 28, height: 28, data }));
  }
}

/** A checkpoint of step 0 of a small network for such data, from which runs begin in little time. */
export async function smallRun(folder: string, classes: number, steps: number, rate = 2e-3): Promise<string> {
  const { config: model } = smallModel();
  const network = { ...model.network, classes } as typeof model.network;
  const config = {
    model: { ...model, network },
    objective: { kind: "edm", mean: -1, std: 1.2, sigmaData: 0.6 } as const,
    optimizer: { ...OPTIMIZER_DEFAULTS, rate, warmup: 3, ema: 0.3 },
    steps,
    batch: 2,
    labelDropout: 0.1,
    seed: 4,
  };
  const state = initialState(networkFromConfig(network) as Network, 4);
  const path = `${folder}/begin.safetensors`;
  await Deno.writeFile(path, writeCheckpoint({ config, state, data: `${folder}/data` }));
  return path;
}
