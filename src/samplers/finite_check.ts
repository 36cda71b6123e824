/**
 * Detects states and scores that are not finite, with few reads from the device.
 * @module
 */
import * as tf from "../compute/tf.ts";
import type { PerRow } from "../compute/rows.ts";
import type { Awaitable } from "../compute/tidied.ts";
import { type AnyScoreModel, scoreModelFromNoise } from "../diffusion/noise_predictor.ts";

/**
 * A model that counts its evaluations and sums their results, to detect NaN and infinities. Its evaluations throw the
 * reason of a signal that is aborted.
 */
export class WatchedModel {
  readonly model: AnyScoreModel;
  evaluations = 0;
  #sum: tf.Scalar | null = null;

  constructor(model: AnyScoreModel, signal?: AbortSignal) {
    const watched = (x: tf.Tensor, t: PerRow): Awaitable<tf.Tensor> => {
      signal?.throwIfAborted();
      this.evaluations++;
      const noise = model.predictedNoise(x, t);
      if (!(noise instanceof Promise)) return this.#added(noise);
      return noise.then((noise) => this.#added(noise));
    };
    this.model = scoreModelFromNoise(model.sde, watched, { consistency: model.consistency });
  }

  /** A result, once it is in the sum. */
  #added(noise: tf.Tensor): tf.Tensor {
    const sum = tf.keep(tf.tidy(() => this.#sum === null ? noise.sum() : this.#sum.add(noise.sum())));
    this.#sum?.dispose();
    this.#sum = sum as tf.Scalar;
    return noise;
  }

  /** The sum of all results since the last call; the caller owns it, outside any `tf.tidy`. */
  takeSum(): tf.Scalar {
    const sum = this.#sum ?? tf.keep(tf.scalar(0));
    this.#sum = null;
    return sum;
  }

  dispose(): void {
    this.#sum?.dispose();
    this.#sum = null;
  }
}

/** The number of states that one read checks on a GPU, where a read waits for all work queued before it. */
const STATES_OF_A_READ = 16;

/** Detects NaN and infinities by one reduction per state: a sum is finite only if every term is. */
export class FiniteCheck {
  readonly #watched: WatchedModel;
  /** The steps of the states whose sums have not been read yet, in words. */
  #places: string[] = [];
  /** The sums of these states and of their scores, [states, 2]. */
  #sums: tf.Tensor = tf.zeros([0, 2]);

  /** @param statesOfARead how many states one read checks */
  constructor(
    watched: WatchedModel,
    readonly statesOfARead: number = tf.getBackend() === "webgpu" ? STATES_OF_A_READ : 1,
  ) {
    this.#watched = watched;
  }

  /** Adds a state, and the scores since the last one; on a GPU they may be checked with a later state. */
  async add(x: tf.Tensor, where: string): Promise<void> {
    const scoreSum = this.#watched.takeSum();
    const sums = tf.tidy(() => tf.concat([this.#sums, tf.stack([x.sum(), scoreSum]).reshape([1, 2])]));
    tf.dispose([scoreSum, this.#sums]);
    this.#sums = sums;
    this.#places.push(where);
    if (this.#places.length === this.statesOfARead) await this.settle();
  }

  /** Throws for the first state or score that is not finite, among those not read yet. */
  async settle(): Promise<void> {
    if (this.#places.length === 0) return;
    const [sums, places] = [this.#sums, this.#places];
    this.#sums = tf.zeros([0, 2]);
    this.#places = [];
    const values = await sums.data();
    sums.dispose();
    for (const [i, where] of places.entries()) {
      const [state, score] = [values[2 * i], values[2 * i + 1]];
      if (!Number.isFinite(score)) throw new Error(`${where}: the score is NaN or infinite`);
      if (!Number.isFinite(state)) throw new Error(`${where}: the state is NaN or infinite`);
    }
  }

  dispose(): void {
    this.#sums.dispose();
  }
}
