/**
 * Two-dimensional data sets, about two units to each side of the origin, to look at and to train small networks on.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { Banana } from "./banana.ts";
import type { DataDistribution } from "./distribution.ts";
import { Gaussian } from "./gaussian.ts";
import { GaussianMixture } from "./gaussian_mixture.ts";

/** A two-dimensional data set's name. */
export type ToyName = "banana" | "gaussians" | "moons" | "rings" | "checkerboard" | "swiss-roll";

const TOYS: Record<ToyName, () => DataDistribution> = {
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
 * @throws {RangeError} if no data set has the name
 */
export function toyByName(name: ToyName): DataDistribution {
  if (!Object.hasOwn(TOYS, name)) {
    throw new RangeError(`unknown 2-D data set ${JSON.stringify(name)}: use ${toyNames.join(", ")}`);
  }
  return TOYS[name]();
}

/** Equal Gaussians of one standard deviation, evenly on a circle; an exact denoiser. */
export function gaussianRing(
  { count = 8, radius = 2, std = 0.15 }: { count?: number; radius?: number; std?: number } = {},
): GaussianMixture {
  const components = Array.from({ length: count }, (_, k) => {
    const angle = 2 * Math.PI * k / count;
    return new Gaussian({
      mean: [radius * Math.cos(angle), radius * Math.sin(angle)],
      variances: [std ** 2, std ** 2],
    });
  });
  return new GaussianMixture(components.map(() => 1), components);
}

/** Two interlocking half circles of radius 1, as in scikit-learn's `make_moons`, centred, with Gaussian noise. */
export function twoMoons({ noise = 0.05 }: { noise?: number } = {}): DataDistribution {
  return planar(noise, (u, v) => {
    const angle = Math.PI * v;
    return u < 0.5
      ? [Math.cos(angle) - 0.5, Math.sin(angle) - 0.25]
      : [0.5 - Math.cos(angle), 0.25 - Math.sin(angle)];
  });
}

/** Concentric circles, equally likely, with Gaussian noise. */
export function rings(
  { radii = [0.5, 1, 1.5, 2], noise = 0.05 }: { radii?: readonly number[]; noise?: number } = {},
): DataDistribution {
  return planar(noise, (u, v) => {
    const radius = radii[Math.floor(u * radii.length)];
    return [radius * Math.cos(2 * Math.PI * v), radius * Math.sin(2 * Math.PI * v)];
  });
}

/** The uniform law on the dark squares of a 4 × 4 board over [−2, 2]². */
export function checkerboard(): DataDistribution {
  return planar(0, (u, v) => {
    const square = Math.floor(8 * u);
    const row = Math.floor(square / 2);
    const column = 2 * (square % 2) + row % 2;
    return [column + (8 * u - square) - 2, row + v - 2];
  });
}

/** One and a half turns of a spiral, as in scikit-learn's `make_swiss_roll` seen from its end, a seventh its size. */
export function swissRoll({ noise = 0.05 }: { noise?: number } = {}): DataDistribution {
  return planar(noise, (u) => {
    const angle = 1.5 * Math.PI * (1 + 2 * u);
    return [angle * Math.cos(angle) / 7, angle * Math.sin(angle) / 7];
  });
}

/** A law in the plane: a point from two uniform numbers, plus Gaussian noise of the given standard deviation. */
function planar(noise: number, place: (u: number, v: number) => [number, number]): DataDistribution {
  if (!(noise >= 0 && Number.isFinite(noise))) {
    throw new RangeError(`noise must be a number from 0, got ${noise}`);
  }
  return {
    dimension: 2,
    sample(rng: Rng, count: number): tf.Tensor2D {
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
