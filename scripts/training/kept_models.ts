/** The models that a training run kept. @module */
import { messageOf } from "../cli/flags.ts";

/**
 * Names of the models in a folder, model-STEP.safetensors, in the order of their steps.
 * @throws {Error} When the folder cannot be read or holds none.
 */
export async function keptModels(folder: string): Promise<string[]> {
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
