/**
 * Brownian paths for adaptive solvers, whose steps may be rejected.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";

/** A known piece of a path: its length and its increment. */
interface Piece {
  readonly length: number;
  readonly increment: Float32Array;
}

/**
 * A Brownian path for each row, drawn on demand. The shorter step after a rejected one must follow the same path, so
 * the known piece is divided by a Brownian bridge (Rackauckas & Nie 2017). Fresh noise instead would favour noise
 * with small errors, and bias the distribution.
 */
export class BrownianPaths {
  readonly #rng: Rng;
  readonly #shape: readonly number[];
  /** Known pieces of each row's path that have not been used yet, the next one last. */
  readonly #ahead: Piece[][];
  /** The pieces of the last increments, in order. */
  #taken: Piece[][] = [];

  /** @param shape of the states, [B, …] */
  constructor(rng: Rng, shape: readonly number[]) {
    this.#rng = rng;
    this.#shape = shape;
    this.#ahead = Array.from({ length: shape[0] }, () => []);
  }

  /** Increments of each path over its next `lengths[b]`, [B, …]; one draw of the rows' streams. */
  next(lengths: Float64Array): tf.Tensor {
    const draws = this.#rng.normalValues(this.#shape);
    const size = draws.length / lengths.length;
    const values = new Float32Array(draws.length);
    this.#taken = Array.from(lengths, (length, row): Piece[] => {
      const [start, end] = [row * size, (row + 1) * size];
      if (this.#ahead[row].length === 0) {
        const std = Math.sqrt(length);
        for (let i = start; i < end; i++) values[i] = std * draws[i];
        return [{ length, increment: values.subarray(start, end) }];
      }
      const pieces = this.#known(this.#ahead[row], length, draws.subarray(start, end));
      for (const { increment } of pieces) increment.forEach((value, i) => values[start + i] += value);
      return pieces;
    });
    return tf.tensor(values, [...this.#shape]);
  }

  /** Puts a row's last increment from `next` back, to be used again. */
  takeBack(row: number): void {
    this.#ahead[row].push(...this.#taken[row].reverse());
  }

  /** Takes `length` off the unused path: a known piece is divided at its end, or a new one is drawn. */
  #known(ahead: Piece[], length: number, draws: Float32Array): Piece[] {
    const pieces: Piece[] = [];
    let left = length;
    while (left > 0) {
      const piece = ahead.pop();
      if (piece === undefined) {
        pieces.push({ length: left, increment: draws.map((z) => Math.sqrt(left) * z) });
        left = 0;
      } else if (piece.length <= left) {
        pieces.push(piece);
        left -= piece.length;
      } else {
        const part = left / piece.length;
        const std = Math.sqrt(left * (1 - part));
        const increment = piece.increment.map((whole, i) => part * whole + std * draws[i]);
        const rest = piece.increment.map((whole, i) => whole - increment[i]);
        ahead.push({ length: piece.length - left, increment: rest });
        pieces.push({ length: left, increment });
        left = 0;
      }
    }
    return pieces;
  }
}
