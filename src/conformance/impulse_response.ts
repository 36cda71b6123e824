/**
 * A sampler's exact distribution, without sampling. With the exact model of Gaussian data a sampler is an affine function of its
 * start and its noise, coordinate by coordinate: x = offset + gain·x_T + Σ_k noise_k z_k. Rows of one run, each with a
 * single impulse, give the coefficients, at each evaluation and at the end. All of them are of y = x/α, whose exact law at noise
 * ratio ν = σ/α has the data's mean m and variance s² + ν² whatever the SDE, and whether the sampler keeps x or x/α.
 * @module
 */
import { type KernelScales, noisyMoments, type ProductData } from "./exact_model.ts";
import { normalNumbers } from "./normal_numbers.ts";
import { type RecordedRun, recordRun, type RunRequest } from "./recorded_run.ts";
import type { SamplerUnderTest, States } from "./sampler_under_test.ts";

/** The coefficients of y = x/α, the states x at one place of a run in the data's units, each [d]. */
export interface AffineState {
  /** The noise ratio ν = σ/α of the states' level. */
  readonly ratio: number;
  readonly offset: Float64Array;
  /** What a unit of the start adds; of samplers that draw their own start, zeros. */
  readonly gain: Float64Array;
  /** What a unit of each noise adds, in the order of the requests. */
  readonly noise: readonly Float64Array[];
}

/** How far rows are from what the coefficients make of them. */
interface AffineDefect {
  /** Largest difference over the largest number in the row, at the end and at all evaluations. */
  readonly relative: number;
  /** The evaluation at which it is largest; −1 for the end. */
  readonly evaluation: number;
  /** Whether a start in coordinate 0 alone moves other coordinates. */
  readonly mixesCoordinates: boolean;
}

/** The response of one run. */
export interface ImpulseResponse {
  readonly run: RecordedRun;
  /**
   * For a sampler that draws its own start: the standard deviation of x at the first evaluation, [d], of which the response is told
   * as if that x had been given; null for one that begins at the given start.
   */
  readonly ownStart: Float64Array | null;
  readonly evaluations: readonly AffineState[];
  readonly end: AffineState;
  readonly defect: AffineDefect;
}

/** Rows beside those of single noises: no impulse, a start of 1, of 2, of 1 in coordinate 0 alone, random impulses. */
const EXTRA_ROWS = 5;

/** What a response is of. */
export interface ResponseRequest extends Omit<RunRequest, "rows" | "start" | "noise" | "keep"> {
  /** Whether only the first evaluation and the end are looked at; default false. */
  readonly ends?: boolean;
}

/** The response of a sampler whose noise is given. `draws` says how often it asks for noise in such a run. */
export async function impulseResponse(
  sampler: SamplerUnderTest,
  { ends = false, ...request }: ResponseRequest,
  draws: number,
  impulse: number,
): Promise<ImpulseResponse> {
  const d = request.data.length;
  const rows = draws + EXTRA_ROWS;
  const random = normalNumbers((draws + 1) * d, 77, 0).map((z) => z * impulse);
  const last = (rows - 1) * d;
  const own = sampler.description.start === "own";
  const start = own ? null : new Float64Array(rows * d);
  if (start !== null) {
    start.fill(impulse, d, 2 * d).fill(2 * impulse, 2 * d, 3 * d);
    start[3 * d] = impulse;
    start.set(random.subarray(0, d), last);
  }
  const noise = (request: number): States => {
    const values = new Float64Array(rows * d);
    if (request >= draws) return values;
    values.fill(impulse, (4 + request) * d, (5 + request) * d);
    values.set(random.subarray((request + 1) * d, (request + 2) * d), last);
    return values;
  };
  const run = await recordRun(sampler, { ...request, rows, start, noise, keep: ends ? 1 : true });
  const affine = (states: States, level: KernelScales): AffineState => {
    const offset = states.slice(0, d).map((value) => value / level.alpha);
    const slope = (row: number) =>
      Float64Array.from(
        { length: d },
        (_, j) => (states[row * d + j] - states[j]) / impulse / level.alpha,
      );
    const noise = Array.from({ length: draws }, (_, k) => slope(4 + k));
    return { ratio: level.sigma / level.alpha, offset, gain: slope(1), noise };
  };
  const kept = run.evaluations.filter(({ states }) => states !== null);
  const evaluations = kept.map(({ states, level }) => affine(states!, level));
  const end = affine(run.end, run.endLevel);
  const scaled = (states: States, { alpha }: KernelScales) => states.map((value) => value / alpha);
  const defect = largestDefect(
    [...evaluations, end],
    [...kept.map(({ states, level }) => scaled(states!, level)), scaled(run.end, run.endLevel)],
    random,
    impulse,
  );
  const response = { run, evaluations, end, defect, ownStart: null };
  return own ? withStartGiven(response) : response;
}

/** The response to the first state x itself in the place of the draw that made it. */
function withStartGiven(response: ImpulseResponse): ImpulseResponse {
  const { run, evaluations, end } = response;
  const first = evaluations[0];
  const draw = run.noiseAfter.findIndex((after, k) => after === 0 && first.noise[k]?.some((c) => c !== 0));
  const alpha = run.grid.alphas[0];
  if (draw < 0) return { ...response, ownStart: new Float64Array(end.offset.length) };
  const made = first.noise[draw];
  const given = ({ ratio, offset, noise }: AffineState): AffineState => {
    const share = noise[draw].map((c, j) => made[j] === 0 ? 0 : c / made[j]);
    return {
      ratio,
      offset: offset.map((value, j) => value - share[j] * first.offset[j]),
      gain: share.map((value) => value / alpha),
      noise: noise.filter((_, k) => k !== draw),
    };
  };
  return {
    ...response,
    run: { ...run, noiseAfter: run.noiseAfter.filter((_, k) => k !== draw) },
    evaluations: evaluations.map(given),
    end: given(end),
    ownStart: made.map((c) => Math.abs(c) * alpha),
  };
}

function largestDefect(
  affine: readonly AffineState[],
  states: readonly States[],
  random: Float64Array,
  impulse: number,
): AffineDefect {
  const d = affine[0].offset.length;
  const found = { relative: 0, evaluation: -1, mixesCoordinates: false };
  affine.forEach(({ offset, gain, noise }, at) => {
    const rows = states[at];
    const last = rows.length - d;
    for (let j = 0; j < d; j++) {
      let expected = offset[j] + gain[j] * random[j];
      let size = Math.abs(offset[j]) + Math.abs(gain[j] * random[j]);
      noise.forEach((coefficient, k) => {
        const part = coefficient[j] * random[(k + 1) * d + j];
        expected += part;
        size += Math.abs(part);
      });
      const doubled = offset[j] + 2 * impulse * gain[j];
      const alone = offset[j] + (j === 0 ? impulse * gain[j] : 0);
      const differences = [
        Math.abs(rows[last + j] - expected) / size,
        Math.abs(rows[2 * d + j] - doubled) / (Math.abs(offset[j]) + Math.abs(2 * impulse * gain[j])),
        Math.abs(rows[3 * d + j] - alone) / (Math.abs(offset[j]) + impulse * Math.abs(gain[j])),
      ];
      differences.forEach((difference, which) => {
        if (!(difference > 0)) return;
        if (difference > 1e-3 && which === 2 && j > 0) found.mixesCoordinates = true;
        if (difference > found.relative) {
          found.relative = difference;
          found.evaluation = at < states.length - 1 ? at : -1;
        }
      });
    }
  });
  return found;
}

/** Mean and variance of a random variable for each coordinate, [d]. */
export interface Moments {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** Mean and variance of y, for a start x_T of the given ones. */
export function stateMoments({ offset, gain, noise }: AffineState, start: Moments): Moments {
  return {
    mean: offset.map((value, j) => value + gain[j] * start.mean[j]),
    variance: gain.map((value, j) =>
      value ** 2 * start.variance[j] + noise.reduce((sum, coefficient) => sum + coefficient[j] ** 2, 0)
    ),
  };
}

/** Covariance of the states y at two places of a run, [d]. */
export function stateCovariance(a: AffineState, b: AffineState, start: Moments): Float64Array {
  return a.gain.map((value, j) =>
    value * b.gain[j] * start.variance[j] +
    a.noise.reduce((sum, coefficient, k) => sum + coefficient[j] * b.noise[k][j], 0)
  );
}

/** Mean and variance of x = α x₀ + σ ε. */
export function exactMoments(data: ProductData, level: KernelScales): Moments {
  const moments = data.map((line) => noisyMoments(line, level));
  return {
    mean: Float64Array.from(moments, ({ mean }) => mean),
    variance: Float64Array.from(moments, ({ variance }) => variance),
  };
}
