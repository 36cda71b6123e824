/**
 * Numbers read from any engine: a GPU gives them only later, which `tf.tidy` cannot wait for.
 * @module
 */
import * as tf from "../../src/compute/tf.ts";

/** Runs an action and frees the tensors that it made, but for those kept. Nothing else may make tensors meanwhile. */
export async function scoped<T>(action: () => Promise<T>): Promise<T> {
  tf.engine().startScope();
  try {
    return await action();
  } finally {
    tf.engine().endScope();
  }
}

/** The first number in a tensor, which is not disposed. */
export async function firstOf(x: tf.Tensor): Promise<number> {
  return (await x.data())[0];
}
