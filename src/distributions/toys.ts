/**
 * Two-dimensional data sets within about two units of the origin, for pictures and for training small networks.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { Banana } from "./banana.ts";
import type { DataDistribution, ExactDistribution } from "./distribution.ts";
import { Gaussian } from "./gaussian.ts";
import { GaussianMixture } from "./gaussian_mixture.ts";
import { PointCloud } from "./point_cloud.ts";
import { requireBetween, requireNumbers, requireOptions, requireWhole } from "../input/require.ts";
import { requireRng } from "../input/require_parts.ts";
import { quoted } from "../input/quoted.ts";

/** A two-dimensional data set's name. */
export type ToyName =
  | "mixture"
  | "banana"
  | "gaussians"
  | "moons"
  | "rings"
  | "checkerboard"
  | "swiss-roll";

const TOYS: Record<ToyName, () => DataDistribution> = {
  "mixture": () => twoGaussians(),
  "banana": () => new Banana(),
  "gaussians": () => gaussianRing(),
  "moons": () => twoMoons(),
  "rings": () => rings(),
  "checkerboard": () => checkerboard(),
  "swiss-roll": () => swissRoll(),
};

/** The names that {@linkcode toyByName} knows. */
export const toyNames: readonly ToyName[] = Object.keys(TOYS) as ToyName[];

/**
 * A two-dimensional data set by its name, with its default shape.
 *
 * @throws {RangeError} When no data set has the name.
 */
export function toyByName(name: ToyName): DataDistribution {
  requireToy(name);
  return TOYS[name]();
}

/**
 * The exact distribution of a two-dimensional data set, an exact noise predictor. Curves are sums over points along
 * them, at distances below the noise's standard deviation, which is exact to many digits; the checkerboard's squares
 * are points 1/16 apart with noise of standard deviation 0.04, so that its edges are not sharp and it has a score.
 *
 * @throws {RangeError} When no data set has the name.
 */
export function toyDistribution(name: ToyName): ExactDistribution {
  requireToy(name);
  switch (name) {
    case "mixture":
      return twoGaussians();
    case "banana":
      return new Banana();
    case "gaussians":
      return gaussianRing();
    case "moons":
      return cloud([[0.25, 0.75], midpoints(64)], moon, 0.05);
    case "rings":
      return cloud([RADII.map((_, i) => (i + 0.5) / RADII.length), midpoints(256)], ring(RADII), 0.05);
    case "checkerboard":
      return cloud([midpoints(8 * 16), midpoints(16)], darkSquare, 0.04);
    case "swiss-roll":
      return cloud([midpoints(512), [0.5]], spiral, 0.05);
  }
}

function requireToy(name: string): void {
  if (!Object.hasOwn(TOYS, name)) {
    throw new RangeError(`unknown 2-D data set ${quoted(name)}: use ${toyNames.join(", ")}`);
  }
}

/** A data set's point before noise, from two numbers that are uniform on [0, 1). */
type Place = (u: number, v: number) => [number, number];

const RADII = [0.5, 1, 1.5, 2];
const moon: Place = (u, v) => {
  const angle = Math.PI * v;
  return u < 0.5
    ? [Math.cos(angle) - 0.5, Math.sin(angle) - 0.25]
    : [0.5 - Math.cos(angle), 0.25 - Math.sin(angle)];
};
const ring = (radii: readonly number[]): Place => (u, v) => {
  const radius = radii[Math.floor(u * radii.length)];
  return [radius * Math.cos(2 * Math.PI * v), radius * Math.sin(2 * Math.PI * v)];
};
const darkSquare: Place = (u, v) => {
  const square = Math.floor(8 * u);
  const row = Math.floor(square / 2);
  const column = 2 * (square % 2) + row % 2;
  return [column + (8 * u - square) - 2, row + v - 2];
};
const spiral: Place = (u) => {
  const angle = 1.5 * Math.PI * (1 + 2 * u);
  return [angle * Math.cos(angle) / 7, angle * Math.sin(angle) / 7];
};

function midpoints(count: number): number[] {
  return Array.from({ length: count }, (_, i) => (i + 0.5) / count);
}

function cloud(
  [us, vs]: readonly [readonly number[], readonly number[]],
  place: Place,
  noise: number,
): PointCloud {
  return new PointCloud(us.flatMap((u) => vs.flatMap((v) => place(u, v))), 2, noise);
}

/** Equal Gaussians of one standard deviation, evenly on a circle; an exact noise predictor. */
export function gaussianRing(
  options: { count?: number; radius?: number; std?: number } = {},
): GaussianMixture {
  requireOptions("options", options);
  const { count = 8, radius = 2, std = 0.15 } = options;
  requireWhole("count", count, 1, 1e6);
  requireBetween("radius", radius, 0);
  requireBetween("std", std, 0);
  const components = Array.from({ length: count }, (_, k) => {
    const angle = 2 * Math.PI * k / count;
    return new Gaussian({
      mean: [radius * Math.cos(angle), radius * Math.sin(angle)],
      variances: [std ** 2, std ** 2],
    });
  });
  return new GaussianMixture(components.map(() => 1), components);
}

/**
 * Two round Gaussians at ±(1, 1)·separation/√8 of unequal weights, the heavier one to the upper right; an exact
 * noise predictor. By default their means are 4 standard deviations apart.
 *
 * @param options `weight` of the heavier one, `separation` of the means in units of `std`, and `std`.
 */
export function twoGaussians(
  options: { weight?: number; separation?: number; std?: number } = {},
): GaussianMixture {
  requireOptions("options", options);
  const { weight = 0.8, separation = 4, std = 0.5 } = options;
  requireBetween("weight", weight, 0, 1);
  requireBetween("separation", separation, 0);
  requireBetween("std", std, 0);
  const place = separation * std / Math.sqrt(8);
  const component = (at: number) => new Gaussian({ mean: [at, at], variances: [std ** 2, std ** 2] });
  return new GaussianMixture([1 - weight, weight], [component(-place), component(place)]);
}

/** Two interlocking half circles of radius 1, as in scikit-learn's `make_moons`, centred, with Gaussian noise. */
export function twoMoons(options: { noise?: number } = {}): DataDistribution {
  return planar(noiseOf(options), moon);
}

/** Concentric circles, equally likely, with Gaussian noise. */
export function rings(
  options: { radii?: readonly number[]; noise?: number } = {},
): DataDistribution {
  requireOptions("options", options);
  const { radii = RADII } = options;
  requireNumbers("radii", radii, (radius) => radius >= 0, "numbers from 0");
  if (radii.length === 0) throw new RangeError("radii must hold at least one number, got none");
  return planar(noiseOf(options), ring(radii));
}

/** The uniform distribution on the dark squares of a 4 × 4 board over [−2, 2]². */
export function checkerboard(): DataDistribution {
  return planar(0, darkSquare);
}

/** One and a half turns of a spiral, as in scikit-learn's `make_swiss_roll` seen from its end, a seventh its size. */
export function swissRoll(options: { noise?: number } = {}): DataDistribution {
  return planar(noiseOf(options), spiral);
}

/**
 * A distribution in the plane: a point from two uniform numbers, plus Gaussian noise of the given standard deviation.
 */
function planar(noise: number, place: Place): DataDistribution {
  requireBetween("noise", noise, 0);
  return {
    dimension: 2,
    sample(rng: Rng, count: number): tf.Tensor2D {
      requireRng("rng", rng);
      requireWhole("count", count);
      const uniform = rng.uniformValues([count, 2]);
      const values = rng.normalValues([count, 2]);
      for (let i = 0; i < values.length; i += 2) {
        const [x, y] = place(uniform[i], uniform[i + 1]);
        values[i] = x + noise * values[i];
        values[i + 1] = y + noise * values[i + 1];
      }
      return tf.tensor2d(values, [count, 2]);
    },
  };
}

/** The standard deviation of a toy's noise, by default 0.05. */
function noiseOf(options: { noise?: number }): number {
  requireOptions("options", options);
  const { noise = 0.05 } = options;
  return noise;
}
