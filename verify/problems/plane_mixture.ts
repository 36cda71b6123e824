/**
 * The data of the distribution claims: a mixture on one axis and a Gaussian on the other, turned by an angle, so that the axes'
 * distributions are known exactly and yet every coordinate that a sampler sees mixes them.
 * @module
 */
import { Gaussian } from "../../src/distributions/gaussian.ts";
import { GaussianMixture } from "../../src/distributions/gaussian_mixture.ts";

const weights = [0.25, 0.45, 0.3];
const modes = [[-1.2, 0.15], [0.1, 0.25], [1, 0.12]] as const;
const across = [0.3, 0.4] as const;
const angle = 0.6;

/** Three modes on a line. */
export const alongDistribution: GaussianMixture = new GaussianMixture(weights, modes.map(normal));

/** A Gaussian, as a mixture of one. */
export const acrossDistribution: GaussianMixture = new GaussianMixture([1], [normal(across)]);

/** Where a mode ends and the next begins. */
export const valleys: readonly number[] = [-0.65, 0.68];

/** The two distributions as one in the plane: x = (cos·u − sin·v, sin·u + cos·v), u from `alongDistribution` and v from `acrossDistribution`. */
export const planeDistribution: GaussianMixture = new GaussianMixture(
  weights,
  modes.map(([mean, std]) => {
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const [along, aside] = [std ** 2, across[1] ** 2];
    const cross = cos * sin * (along - aside);
    return new Gaussian({
      mean: [cos * mean - sin * across[0], sin * mean + cos * across[0]],
      covariance: [[cos ** 2 * along + sin ** 2 * aside, cross], [
        cross,
        sin ** 2 * along + cos ** 2 * aside,
      ]],
    });
  }),
);

/** The coordinate of each row of [N, 2] along a direction, turned from the axis of `alongDistribution` by `turn` radians. */
export function projected(rows: Float32Array, turn: number): Float64Array {
  const [cos, sin] = [Math.cos(angle + turn), Math.sin(angle + turn)];
  return Float64Array.from({ length: rows.length / 2 }, (_, i) => cos * rows[2 * i] + sin * rows[2 * i + 1]);
}

/** The distribution of `projected` data: again a mixture on a line. */
export function projectedDistribution(turn: number): GaussianMixture {
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  return new GaussianMixture(
    weights,
    modes.map(([mean, std]) =>
      normal([cos * mean + sin * across[0], Math.hypot(cos * std, sin * across[1])])
    ),
  );
}

function normal([mean, std]: readonly [number, number]): Gaussian {
  return new Gaussian({ mean: [mean], variances: [std ** 2] });
}
