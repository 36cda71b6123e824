/**
 * Randomness that a check decides on.
 * @module
 */
import type { Rng, RngState } from "../../src/compute/rng.ts";
import type * as tf from "../../src/compute/tf.ts";

/** An Rng of which only `normal` is left to define; a sampler that asks for anything else fails. */
export abstract class NormalRng implements Rng {
  readonly firstSample = 0;

  /** The draw. */
  abstract normal(shape: readonly number[]): tf.Tensor;

  get state(): RngState {
    return refuse("state");
  }
  normalValues(_shape: readonly number[]): Float32Array {
    return refuse("normalValues");
  }
  uniform(): never {
    return refuse("uniform");
  }
  uniformValues(_shape: readonly number[]): Float64Array {
    return refuse("uniformValues");
  }
  rademacher(): never {
    return refuse("rademacher");
  }
  fork(_label: string): Rng {
    return refuse("fork");
  }
  startingAt(): never {
    return refuse("startingAt");
  }
}

/** An Rng whose uniform and normal numbers are listed, the same at each draw. */
export class ListedRng extends NormalRng {
  readonly #uniform: readonly number[];
  readonly #normal: readonly number[];

  constructor(uniform: readonly number[], normal: readonly number[]) {
    super();
    this.#uniform = uniform;
    this.#normal = normal;
  }

  normal(): never {
    return refuse("normal");
  }
  override normalValues(shape: readonly number[]): Float32Array {
    return Float32Array.from(first(this.#normal, shape));
  }
  override uniformValues(shape: readonly number[]): Float64Array {
    return Float64Array.from(first(this.#uniform, shape));
  }
}

/** As many numbers of a list as a shape has entries. */
function first(list: readonly number[], shape: readonly number[]): readonly number[] {
  const size = shape.reduce((product, length) => product * length, 1);
  if (size > list.length) {
    throw new Error(`the list has ${list.length} numbers, the sampler asked for ${size}`);
  }
  return list.slice(0, size);
}

function refuse(what: string): never {
  throw new Error(`this probe does not give it, the sampler asked for ${what}`);
}
