/**
 * Brownian motion for steps that may be taken back.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";

/** Part of a path that is known: how long it is and what it adds. */
interface Piece {
  readonly length: number;
  readonly increment: Float32Array;
}

/**
 * A Brownian path for each row, drawn as far as it is asked for. A step that is taken back has been seen, so a shorter one must
 * follow the same path: the piece is cut by a Brownian bridge (Rackauckas & Nie 2017). Fresh noise instead would favour
 * the noise that makes for small errors, and bias the distribution.
 */
export class BrownianPaths {
  readonly #rng: Rng;
  readonly #shape: readonly number[];
  /** Known pieces ahead of each row, the nearest last. */
  readonly #ahead: Piece[][];
  /** The pieces of the last increments, in order. */
  #taken: Piece[][] = [];

  /** @param shape of the states, [B, …] */
  constructor(rng: Rng, shape: readonly number[]) {
    this.#rng = rng;
    this.#shape = shape;
    this.#ahead = Array.from({ length: shape[0] }, () => []);
  }

  /** What the next `lengths[b]` of each path add, [B, …]; one draw of the rows' streams. */
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

  /** Puts back what `next` gave to a row, which then lies ahead again. */
  takeBack(row: number): void {
    this.#ahead[row].push(...this.#taken[row].reverse());
  }

  /** Removes `length` of what lies ahead; at its end a piece is cut or, where nothing is known, drawn. */
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
