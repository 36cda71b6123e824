/**
 * Random numbers that do not depend on the division into batches: every sample index has a stream of its own, and
 * draw k of sample i under a seed is the same number whatever the batch size, the engine, the shard or the order of
 * the others.
 *
 * The exact mapping, so that other implementations can reproduce it:
 * - Key (two 32-bit words) of a seed: (seed mod 2³², ⌊seed / 2³²⌋).
 * - Key of a fork: the label's UTF-8 bytes, zero-padded to a multiple of 8, are read as little-endian pairs of words
 *   (a, b), followed by the pair (byte length, 0xffffffff); the parent's key is replaced by Threefry(key, (a, b)) for
 *   each pair in turn.
 * - Block c of sample i: (w0, w1) = Threefry-2x32-20(key, counter = (c mod 2³², i)). The cursor c starts at 0, is
 *   shared by all rows, and a draw of n numbers a row uses ⌈n/2⌉ blocks (the last word of an odd row is dropped).
 *   Row r belongs to sample firstSample + r; number j of a row comes from block c + ⌊j/2⌋.
 * - uniform: u = (w + ½)·2⁻³² with w = w0 for even j, w1 for odd j.
 * - rademacher: +1 if the top bit of the same w is 0, −1 if it is 1.
 * - normal (Box & Muller 1958): ρ = √(−2 ln((w0 + ½)·2⁻³²)), θ = 2π(w1 + ½)·2⁻³²; ρ cos θ for even j, ρ sin θ for odd
 *   j; computed in float64, rounded to float32. The largest magnitude is √(66 ln 2) = 6.76.
 *
 * On a GPU the tensors are made there: uniforms and signs bit for bit the same, normal numbers to 17·2⁻²³ of
 * themselves.
 * @module
 */
import { sizeOf } from "../math/shape.ts";
import * as tf from "./tf.ts";
import { threefry2x32, threefryBlocks, type ThreefryKey } from "./threefry.ts";
import { isList, requireOptions, requireText, requireWhole } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";

/** The state of an Rng, which determines its future draws; plain JSON. */
export interface RngState {
  /** Threefry key, two unsigned 32-bit words. */
  readonly key: readonly [number, number];
  /** Blocks of two words that every sample's stream has used so far. */
  readonly cursor: number;
  /** Sample index of row 0. */
  readonly firstSample: number;
}

/**
 * Streams of random numbers, one for each sample index. A draw advances the streams of all rows equally; see the
 * module's doc.
 */
export interface Rng {
  /** Row r of any draw belongs to sample firstSample + r. */
  readonly firstSample: number;
  /** The state to save for an exact resume; a fresh object at each read. */
  readonly state: RngState;
  /** Standard normal float32 tensor; shape[0] counts the rows. RangeError for a shape without rows. */
  normal(shape: readonly number[]): tf.Tensor;
  /** Uniform float32 tensor, strictly inside (0, 1). */
  uniform(shape: readonly number[]): tf.Tensor;
  /** Tensor of ±1, each with probability ½. */
  rademacher(shape: readonly number[]): tf.Tensor;
  /** The values of the same draw by `normal`, on the host; equal to those of a GPU up to rounding. */
  normalValues(shape: readonly number[]): Float32Array;
  /** The values of the same draw by `uniform`, on the host, with all 32 bits. */
  uniformValues(shape: readonly number[]): Float64Array;
  /** Independent streams for another purpose: cursor 0, same firstSample; does not depend on the cursor here. */
  fork(label: string): Rng;
  /** The same streams from their beginning, for rows that start at another sample. */
  startingAt(firstSample: number): Rng;
}

/** Attributes of the kernel "ThreefryDraw", for engines that generate random numbers themselves. */
export interface DrawAttributes {
  readonly distribution: "normal" | "uniform" | "rademacher";
  readonly key0: number;
  readonly key1: number;
  /** First block of every row. */
  readonly cursor: number;
  /** Sample of the first row. */
  readonly firstSample: number;
  readonly rows: number;
  /** Numbers in a row. */
  readonly length: number;
  readonly shape: readonly number[];
}

const WORDS = 2 ** 32;
const LARGEST_BELOW_ONE = 1 - 2 ** -24;

/**
 * Random streams under a seed.
 *
 * @example The rows of a batch do not depend on how it is split
 * ```ts
 * import { createRng } from "./rng.ts";
 * const whole = createRng(1).normalValues([4, 3]);
 * const half = createRng(1).startingAt(2).normalValues([2, 3]);
 * console.assert(whole[6] === half[0]);
 * ```
 * @param seed integer in [0, 2⁵³)
 * @throws {RangeError} When the seed is not such an integer.
 */
export function createRng(seed: number): Rng {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`seed must be an integer from 0 to 2^53 - 1, got ${quoted(seed)}`);
  }
  return new ThreefryRng([seed % WORDS, Math.floor(seed / WORDS)], 0, 0);
}

/**
 * Makes a generator that continues from a saved state.
 * @throws {RangeError} When the state is not one of an Rng.
 */
export function rngFromState(state: RngState): Rng {
  requireOptions("state", state);
  const { key, cursor, firstSample } = state;
  for (
    const [name, value] of Object.entries({ "key[0]": key?.[0], "key[1]": key?.[1], cursor, firstSample })
  ) {
    checkWord(name, value);
  }
  return new ThreefryRng([key[0], key[1]], cursor, firstSample);
}

class ThreefryRng implements Rng {
  readonly #key: ThreefryKey;
  #cursor: number;
  readonly firstSample: number;

  constructor(key: ThreefryKey, cursor: number, firstSample: number) {
    this.#key = key;
    this.#cursor = cursor;
    this.firstSample = firstSample;
  }

  get state(): RngState {
    return { key: [this.#key[0], this.#key[1]], cursor: this.#cursor, firstSample: this.firstSample };
  }

  normal(shape: readonly number[]): tf.Tensor {
    return this.#tensor("normal", shape, () => this.normalValues(shape));
  }

  uniform(shape: readonly number[]): tf.Tensor {
    // Rounding to float32 must not reach 1.
    return this.#tensor("uniform", shape, () => {
      return Float32Array.from(this.uniformValues(shape), (u) => Math.min(u, LARGEST_BELOW_ONE));
    });
  }

  rademacher(shape: readonly number[]): tf.Tensor {
    return this.#tensor("rademacher", shape, () => {
      const values = new Float32Array(checkedSize(shape));
      this.#draw(shape, (words, start, length) => {
        for (let j = 0; j < length; j++) values[start + j] = words[j] >= WORDS / 2 ? -1 : 1;
      });
      return values;
    });
  }

  normalValues(shape: readonly number[]): Float32Array {
    const values = new Float32Array(checkedSize(shape));
    this.#draw(shape, (words, start, length) => {
      for (let j = 0; j < length; j += 2) {
        const radius = Math.sqrt(-2 * Math.log((words[j] + 0.5) / WORDS));
        const angle = 2 * Math.PI * ((words[j + 1] + 0.5) / WORDS);
        values[start + j] = radius * Math.cos(angle);
        if (j + 1 < length) values[start + j + 1] = radius * Math.sin(angle);
      }
    });
    return values;
  }

  uniformValues(shape: readonly number[]): Float64Array {
    const values = new Float64Array(checkedSize(shape));
    this.#draw(shape, (words, start, length) => {
      for (let j = 0; j < length; j++) values[start + j] = (words[j] + 0.5) / WORDS;
    });
    return values;
  }

  fork(label: string): Rng {
    requireText("label", label);
    const bytes = new TextEncoder().encode(label);
    const padded = new DataView(new ArrayBuffer(Math.ceil(bytes.length / 8) * 8));
    bytes.forEach((byte, i) => padded.setUint8(i, byte));
    let key = this.#key;
    for (let i = 0; i < padded.byteLength; i += 8) {
      key = threefry2x32(key, padded.getUint32(i, true), padded.getUint32(i + 4, true));
    }
    return new ThreefryRng(threefry2x32(key, bytes.length, WORDS - 1), 0, this.firstSample);
  }

  startingAt(firstSample: number): Rng {
    checkWord("firstSample", firstSample);
    return new ThreefryRng(this.#key, 0, firstSample);
  }

  /** A draw as a tensor: by the engine's own kernel where it has one, else from the host's values. */
  #tensor(
    distribution: DrawAttributes["distribution"],
    shape: readonly number[],
    values: () => Float32Array,
  ): tf.Tensor {
    if (tf.getKernel("ThreefryDraw", tf.getBackend()) == null) {
      return tf.tensor(values(), [...shape], "float32");
    }
    const draw: DrawAttributes = {
      distribution,
      key0: this.#key[0],
      key1: this.#key[1],
      firstSample: this.firstSample,
      shape,
      ...this.#advance(shape),
    };
    return tf.engine().runKernel("ThreefryDraw", {}, draw as unknown as tf.NamedAttrMap);
  }

  /** Calls `fill` with each row's next words. */
  #draw(shape: readonly number[], fill: (words: Uint32Array, start: number, length: number) => void): void {
    const { cursor, rows, length } = this.#advance(shape);
    const words = new Uint32Array(2 * Math.ceil(length / 2));
    for (let row = 0; row < rows; row++) {
      threefryBlocks(this.#key, cursor, this.firstSample + row, words);
      fill(words, row * length, length);
    }
  }

  /** Advances the cursor past a draw; returns its value before, and the draw's rows and numbers in a row. */
  #advance(shape: readonly number[]): { cursor: number; rows: number; length: number } {
    checkedSize(shape);
    const cursor = this.#cursor;
    const rows = shape[0];
    const length = sizeOf([1, ...shape.slice(1)]);
    const blocks = Math.ceil(length / 2);
    checkWord("the last sample index", this.firstSample + Math.max(rows - 1, 0));
    checkWord("the number of blocks drawn from a stream", cursor + blocks);
    this.#cursor += blocks;
    return { cursor, rows, length };
  }
}

/** The rows and the numbers per row of a shape; throws unless it is a shape with rows. */
function checkedSize(shape: readonly number[]): number {
  if (!isList(shape) || shape.length === 0 || !shape.every((size) => Number.isInteger(size) && size >= 0)) {
    throw new RangeError(`a draw's shape must be [rows, …] in whole numbers, got ${quoted(shape)}`);
  }
  const size = sizeOf(shape);
  requireWhole("the number of values of a draw", size);
  return size;
}

function checkWord(name: string, value: unknown): void {
  if (!Number.isInteger(value) || Number(value) < 0 || Number(value) >= WORDS) {
    throw new RangeError(`${name} must be an integer from 0 to 2^32 - 1, got ${quoted(value)}`);
  }
}
