/**
 * A sampler's exact distribution, without sampling. With the score of a Gaussian whose coordinates are independent, a sampler is an
 * affine function of its starting state and its draws, coordinate by coordinate: x = offset + gain·x_T + Σ_k noise_k z_k.
 * Rows of one batch, each with a single impulse, give the coefficients, through the real tensor code.
 *
 * A sampler whose step size depends on the state (Langevin's with `snr`) is not affine: fix its step size first.
 * @module
 */
import * as tf from "../../src/compute/tf.ts";
import type { ScoreModel } from "../../src/diffusion/noise_predictor.ts";
import { sample, type SampleOptions } from "../../src/samplers/sample.ts";
import type { Sampler } from "../../src/samplers/sampler.ts";
import { NormalRng } from "./scripted_rng.ts";

/** The affine function, coordinate by coordinate; draws in the order in which the sampler made them. */
export interface ImpulseResponse {
  /** Time reached. */
  readonly time: number;
  /** Network calls. */
  readonly evaluations: number;
  /** The output for x_T = 0 without noise, [d]. */
  readonly offset: Float64Array;
  /** What a unit of x_T adds, [d]. */
  readonly gain: Float64Array;
  /** What a unit of each draw adds, [draws][d]. */
  readonly noise: readonly Float64Array[];
}

/** What is probed. */
export interface ProbeOptions extends Pick<SampleOptions, "grid" | "denoise"> {
  /** Number of coordinates d; default 1. */
  readonly dimension?: number;
  /** Value of an impulse; large against the offset, so that taking it off costs no digits. Default 1024. */
  readonly impulse?: number;
}

/** The response at the last time of the grid. */
export async function impulseResponse(
  model: ScoreModel,
  sampler: Sampler,
  options: ProbeOptions,
): Promise<ImpulseResponse> {
  for await (const { last, response } of impulseResponses(model, sampler, options)) {
    if (last) return response();
  }
  throw new Error("the run ended without a last state");
}

/** The response after every step, for distributions at intermediate times and across two of them; computed when asked for. */
export async function* impulseResponses(
  model: ScoreModel,
  sampler: Sampler,
  options: ProbeOptions,
): AsyncGenerator<{ last: boolean; response: () => Promise<ImpulseResponse> }> {
  const { dimension = 1, impulse = 1024, grid, denoise } = options;
  const rows = 2 + await countDraws(model, sampler, options);
  const initial = tf.tidy(() => impulseAt(1, [rows, dimension], impulse));
  const run = { shape: [rows, dimension], grid, denoise, initial, rng: new ImpulseRng(impulse) };
  try {
    for await (const { x, time, evaluations, done } of sample(model, sampler, run)) {
      const response = async (): Promise<ImpulseResponse> => {
        const values = await x.data();
        const row = (i: number) => Float64Array.from(values.subarray(i * dimension, (i + 1) * dimension));
        const offset = row(0);
        const slope = (i: number) => row(i).map((value, j) => (value - offset[j]) / impulse);
        const noise = Array.from({ length: rows - 2 }, (_, k) => slope(k + 2));
        return { time, evaluations, offset, gain: slope(1), noise };
      };
      yield { last: done, response };
      if (done) x.dispose();
    }
  } finally {
    initial.dispose();
  }
}

/** Mean of a coordinate of the output, for a start of the given mean. */
export function outputMean(response: ImpulseResponse, startMean: number, coordinate = 0): number {
  return response.offset[coordinate] + response.gain[coordinate] * startMean;
}

/** Variance of a coordinate of the output, for a start of the given variance. */
export function outputVariance(response: ImpulseResponse, startVariance: number, coordinate = 0): number {
  return response.noise.reduce(
    (sum, coefficients) => sum + coefficients[coordinate] ** 2,
    response.gain[coordinate] ** 2 * startVariance,
  );
}

/** How many times the sampler draws noise for each sample. */
async function countDraws(
  model: ScoreModel,
  sampler: Sampler,
  { dimension = 1, grid }: ProbeOptions,
): Promise<number> {
  const rng = new ImpulseRng(0);
  const initial = tf.zeros([1, dimension]);
  const run = { shape: [1, dimension], grid, denoise: false, initial, rng };
  for await (const { x, done } of sample(model, sampler, run)) if (done) x.dispose();
  initial.dispose();
  return rng.draws;
}

/** Draw k is zero but for row k + 2. */
class ImpulseRng extends NormalRng {
  readonly #impulse: number;
  draws = 0;

  constructor(impulse: number) {
    super();
    this.#impulse = impulse;
  }

  override normal(shape: readonly number[]): tf.Tensor {
    return impulseAt(2 + this.draws++, shape, this.#impulse);
  }
  override normalValues(shape: readonly number[]): Float32Array {
    const draw = this.normal(shape);
    const values = draw.dataSync<"float32">();
    draw.dispose();
    return values;
  }
  /** Streams are distinguished by the order of their draws. */
  override fork(): this {
    return this;
  }
}

function impulseAt(row: number, shape: readonly number[], impulse: number): tf.Tensor {
  const width = shape.slice(1).reduce((product, size) => product * size, 1);
  const values = new Float32Array(shape[0] * width);
  values.fill(impulse, row * width, (row + 1) * width);
  return tf.tensor(values, [...shape]);
}
