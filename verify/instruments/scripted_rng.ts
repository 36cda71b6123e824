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
  uniformValues(): never {
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

function refuse(what: string): never {
  throw new Error(`this probe gives normal draws only, the sampler asked for ${what}`);
}
