/**
 * What a multistep solver remembers: the model's predictions at the starts of its last steps.
 * @module
 */
import * as tf from "../compute/tf.ts";

/** A prediction of noise or data, and the time it belongs to. */
export interface PastPrediction {
  /** The prediction, of the states' shape. */
  readonly value: tf.Tensor;
  /** The time at which it was made. */
  readonly time: number;
}

/** The predictions at the starts of the last steps, each of which began where the one before ended. */
export class PredictionHistory {
  readonly #past: PastPrediction[] = [];
  #end = NaN;

  /** @param length How many predictions are kept. */
  constructor(readonly length: number) {}

  /** The predictions, the latest first, for a step from time t: none unless the last step ended there. */
  before(t: number): readonly PastPrediction[] {
    if (t !== this.#end) this.dispose();
    return this.#past;
  }

  /** Stores a prediction made at the start of a step that ends at time `end`, and owns it. */
  remember(now: PastPrediction, end: number): void {
    tf.keep(now.value);
    this.#past.unshift(now);
    this.#past.splice(this.length).forEach(({ value }) => value.dispose());
    this.#end = end;
  }

  /** Disposes the predictions. */
  dispose(): void {
    this.#past.splice(0).forEach(({ value }) => value.dispose());
  }
}

/** Σ_j w_j m_j of predictions m_j; all of one shape, and at least one. */
export function weightedSum(predictions: readonly PastPrediction[], weights: readonly number[]): tf.Tensor {
  return tf.addN(predictions.map(({ value }, j) => value.mul(weights[j])));
}
