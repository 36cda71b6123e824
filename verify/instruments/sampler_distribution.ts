/**
 * The exact distribution of what a sampler draws from one-dimensional data of any shape: its distribution function is carried
 * through every step that the sampler really takes, without sampling. So samples can be compared with the sampler's own
 * distribution, without allowance for its discretization error, and that distribution with the true one, without allowance for chance.
 * @module
 */
import type { Rng, RngState } from "../../src/compute/rng.ts";
import * as tf from "../../src/compute/tf.ts";
import type { ScoreModel } from "../../src/diffusion/noise_predictor.ts";
import type { Sampler } from "../../src/samplers/sampler.ts";
import { bisect, standardNormalCdf, standardNormalQuantile } from "./statistics.ts";

/** A distribution on the real line by its distribution function at points in rising order. */
export interface RankedDistribution {
  readonly points: Float64Array<ArrayBuffer>;
  /** Φ⁻¹(P(X ≤ point)): what a standard normal number would be at the same quantile. */
  readonly scores: Float64Array;
}

/** Such a distribution whose points are particles. */
export interface ParticleDistribution extends RankedDistribution {
  /** Weights of E[h(X)] ≈ Σ w h(point), a trapezoidal sum that converges faster than any power of the spacing. */
  readonly weights: Float64Array;
}

/** The distributions of x at every time of the grid, and of its final denoising. */
export interface OwnDistributions {
  readonly states: readonly ParticleDistribution[];
  readonly denoised: ParticleDistribution;
}

/** All but 1e-8 of a distribution lies within. */
const reach = 5.6;

/** P(X ≤ x), linear between particles in their normal scores. */
export function distributionFunction(distribution: RankedDistribution, x: number): number {
  const { points } = distribution;
  let low = 0;
  let high = points.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle] <= x) low = middle;
    else high = middle;
  }
  return interpolated(distribution, low, x);
}

/** P(X ≤ x) by the line through the particles `low` and `low + 1`. */
function interpolated({ points, scores }: RankedDistribution, low: number, x: number): number {
  const slope = (scores[low + 1] - scores[low]) / (points[low + 1] - points[low]);
  return fastCdf(scores[low] + slope * (x - points[low]));
}

/** P(X ≤ x) of a distribution less `cdf(x)`, at its particles. */
export function differences(
  { points, scores }: RankedDistribution,
  cdf: (x: number) => number,
): Float64Array {
  return points.map((x, i) => standardNormalCdf(scores[i]) - cdf(x));
}

/** The distribution of a·X + b·Y for independent X and Y. */
export function distributionOfSum(
  a: number,
  x: ParticleDistribution,
  b: number,
  y: ParticleDistribution,
  count = 240,
): RankedDistribution {
  // The sum runs over the term of less weight, so that what is summed varies slowly.
  if (Math.abs(a) > Math.abs(b)) return distributionOfSum(b, y, a, x, count);
  const cdf = (value: number) => {
    let total = 0;
    let low = 0;
    for (let i = 0; i < x.points.length; i++) {
      const rest = (value - a * x.points[i]) / b;
      // The rest moves one way as i rises: the particles around it are near those found before.
      while (low > 0 && y.points[low] > rest) low--;
      while (low + 2 < y.points.length && y.points[low + 1] <= rest) low++;
      const below = interpolated(y, low, rest);
      total += x.weights[i] * (b > 0 ? below : 1 - below);
    }
    return total;
  };
  const ends = ({ points }: RankedDistribution, factor: number) =>
    [points[0], points[points.length - 1]].map((point) => factor * point).sort((p, q) => p - q);
  const [lowest, highest] = [0, 1].map((side) => ends(x, a)[side] + ends(y, b)[side]);
  return evenlyRanked(cdf, lowest, highest, count);
}

/** A distribution on evenly spaced points. */
function evenlyRanked(
  cdf: (x: number) => number,
  lowest: number,
  highest: number,
  count: number,
): RankedDistribution {
  const tail = standardNormalCdf(-reach);
  const start = bisect(highest, lowest, (x) => cdf(x) > tail, 16);
  const end = bisect(lowest, highest, (x) => cdf(x) < 1 - tail, 16);
  const points = Float64Array.from({ length: count }, (_, j) => start + (end - start) * j / (count - 1));
  return { points, scores: points.map((x) => standardNormalQuantile(cdf(x))) };
}

/** The distribution of m(X) for a rising map m, given at the particles. */
function moved(distribution: ParticleDistribution, points: Float64Array<ArrayBuffer>): ParticleDistribution {
  const wrong = points.findIndex((x, i) => i > 0 && !(x >= points[i - 1]));
  if (wrong > 0) {
    throw new Error(`a step does not keep the order of ${points[wrong - 1]} and ${points[wrong]}`);
  }
  return { ...distribution, points };
}

/**
 * Carries a distribution through a sampler's steps.
 *
 * @param model a score in one dimension
 * @param stages the sampler, or samplers that it applies one after the other in every step. Each either draws no noise
 * or, at each step, one normal number that it adds times a factor; one that draws must not remember earlier steps.
 * @param times the grid
 * @param start the quantile function of the distribution at times[0], by normal scores; by default the prior's
 * @param count number of particles
 */
export async function ownDistributions(
  model: ScoreModel,
  stages: readonly Sampler[],
  times: Float64Array,
  start: (score: number) => number = (score) => model.sde.priorStd * score,
  count = 240,
): Promise<OwnDistributions> {
  const spacing = 2 * reach / (count - 1);
  const scores = Float64Array.from({ length: count }, (_, i) => i * spacing - reach);
  const weights = normalized(scores.map((z) => Math.exp(-z * z / 2)));
  let distribution: ParticleDistribution = { points: scores.map(start), scores, weights };
  const states = [distribution];
  const runs = stages.map((stage) => new StageRun(model, stage));
  for (let k = 0; k + 1 < times.length; k++) {
    for (const run of runs) distribution = await run.advance(distribution, times[k], times[k + 1]);
    states.push(distribution);
  }
  runs.forEach((run) => run.dispose());
  const end = times[times.length - 1];
  const denoised = moved(
    distribution,
    await mapped(distribution.points, (x) => Promise.resolve(model.denoised(x, end))),
  );
  return { states, denoised };
}

/** One sampler's step, seen without noise and with noise 1: x' = m(x) + c(x) z. Both at once, as the two halves of a batch. */
class StageRun {
  readonly #stepper: ReturnType<Sampler["start"]>;
  readonly #rng = new HalvesRng();

  constructor(model: ScoreModel, sampler: Sampler) {
    this.#stepper = sampler.start(model, this.#rng);
  }

  async advance(distribution: ParticleDistribution, t: number, s: number): Promise<ParticleDistribution> {
    const drawn = this.#rng.draws;
    const count = distribution.points.length;
    const twice = new Float64Array(2 * count);
    twice.set(distribution.points);
    twice.set(distribution.points, count);
    const both = await mapped(twice, async (x) => await this.#stepper.step(x, t, s));
    const [means, pushed] = [both.slice(0, count), both.slice(count)];
    const draws = this.#rng.draws - drawn;
    if (draws === 0) return moved(distribution, means);
    if (draws > 1) throw new Error(`${draws} draws in one step; give the stages of the sampler one by one`);
    const stds = pushed.map((value, i) => Math.abs(value - means[i]));
    const spacing = Math.abs(means[means.length - 1] - means[0]) / (means.length - 1);
    return Math.max(...stds) < spacing
      ? slightlySmoothed(moved(distribution, means), stds)
      : smoothed(distribution.weights, means, stds);
  }

  dispose(): void {
    this.#stepper.dispose();
  }
}

/** The distribution of the mixture Σ weights[i] N(means[i], stds[i]²), on evenly spaced particles. */
function smoothed(weights: Float64Array, means: Float64Array, stds: Float64Array): ParticleDistribution {
  const count = means.length;
  const sum = (term: (i: number) => number) => {
    let total = 0;
    for (let i = 0; i < count; i++) total += weights[i] * term(i);
    return total;
  };
  const cdf = (y: number) => sum((i) => fastCdf((y - means[i]) / stds[i]));
  const density = (y: number) =>
    sum((i) => {
      const z = (y - means[i]) / stds[i];
      return z > -tableReach && z < tableReach ? Math.exp(-z * z / 2) / stds[i] : 0;
    });
  const lowest = Math.min(...means.map((mean, i) => mean - 9 * stds[i]));
  const highest = Math.max(...means.map((mean, i) => mean + 9 * stds[i]));
  const distribution = evenlyRanked(cdf, lowest, highest, count);
  return { ...distribution, weights: normalized(distribution.points.map(density)) };
}

/**
 * The distribution of X + c z for noise too small for the particles to resolve, to first order in c²: quantiles move by −½ c² times
 * the slope of the log density, which is −½ z² + ln z' in terms of the normal score z(x).
 */
function slightlySmoothed(distribution: ParticleDistribution, stds: Float64Array): ParticleDistribution {
  const { points, scores } = distribution;
  const slopes = points.map((_, i) => {
    const [a, b] = [Math.max(i - 1, 0), Math.min(i + 1, points.length - 1)];
    return (scores[b] - scores[a]) / (points[b] - points[a]);
  });
  const pushed = points.map((x, i) => {
    const [a, b] = [Math.max(i - 1, 0), Math.min(i + 1, points.length - 1)];
    const bend = (slopes[b] - slopes[a]) / (points[b] - points[a]);
    return x - 0.5 * stds[i] ** 2 * (bend / slopes[i] - scores[i] * slopes[i]);
  });
  return moved(distribution, pushed.sort());
}

function normalized(weights: Float64Array): Float64Array {
  const total = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / total);
}

const tableReach = 9;
const tableRate = 256;
const tableSize = 2 * tableReach * tableRate + 1;
const cdfTable = Float64Array.from(
  { length: tableSize },
  (_, i) => standardNormalCdf(i / tableRate - tableReach),
);
const slopeTable = Float64Array.from({ length: tableSize }, (_, i) => {
  const x = i / tableRate - tableReach;
  return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI) / tableRate;
});

/** Φ by Hermite's cubics on a table, to 1e-12. */
function fastCdf(x: number): number {
  if (x <= -tableReach) return 0;
  if (x >= tableReach) return 1;
  const place = (x + tableReach) * tableRate;
  const i = Math.floor(place);
  const u = place - i;
  const v = 1 - u;
  return cdfTable[i] * v * v * (1 + 2 * u) + cdfTable[i + 1] * u * u * (1 + 2 * v) +
    u * v * (slopeTable[i] * v - slopeTable[i + 1] * u);
}

async function mapped(
  values: Float64Array,
  action: (x: tf.Tensor) => Promise<tf.Tensor>,
): Promise<Float64Array<ArrayBuffer>> {
  const x = tf.tensor2d(Float32Array.from(values), [values.length, 1]);
  const y = await action(x);
  const result = Float64Array.from(await y.data());
  tf.dispose([x, y]);
  return result;
}

/** Every normal draw is 0 in the first half of the rows and 1 in the second; counts the draws. */
class HalvesRng implements Rng {
  readonly firstSample = 0;
  draws = 0;

  get state(): RngState {
    return { key: [0, 0], cursor: this.draws, firstSample: 0 };
  }
  normal(shape: readonly number[]): tf.Tensor {
    this.draws++;
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    return tf.tensor(values.fill(1, values.length / 2), [...shape]);
  }
  normalValues(): never {
    return refuse();
  }
  uniform(): never {
    return refuse();
  }
  rademacher(): never {
    return refuse();
  }
  uniformValues(): never {
    return refuse();
  }
  fork(): never {
    return refuse();
  }
  startingAt(): never {
    return refuse();
  }
}

function refuse(): never {
  throw new Error("a distribution is carried through normal draws only");
}
