/**
 * Mixtures against Bayes' rule and their own symmetries, over random ones.
 * @module
 */
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";
import { mixture, points } from "../../problems/mixtures.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

type Rows = readonly (readonly number[])[];

/** Numbers that do not put a mixture out of float64's comfort. */
const real = fc.double({ min: -2, max: 2, noNaN: true });

/** Mixtures of one to four components in one to four dimensions, with a point and a noise ratio. */
const anyMixture: fc.Arbitrary<
  { weights: number[]; means: number[][]; roots: number[][][]; y: number[]; ratio: number }
> = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
  .chain(([K, d]) => {
    const vector = fc.array(real, { minLength: d, maxLength: d });
    const square = fc.array(vector, { minLength: d, maxLength: d });
    const each = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: K, maxLength: K });
    return fc.record({
      weights: each(fc.double({ min: 0.05, max: 1, noNaN: true })),
      means: each(vector),
      roots: each(square),
      y: vector,
      ratio: fc.double({ min: 0.3, max: 5, noNaN: true }),
    });
  });

/** A Aᵀ for each root A. */
function covariancesOf(roots: number[][][]): number[][][] {
  return roots.map((a) => a.map((row) => a.map((other) => dot(row, other))));
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0);
}

function times(a: Rows, v: ArrayLike<number>): number[] {
  return a.map((row) => dot(row, v));
}

/** Whether two lists agree to a relative (of the largest) and absolute tolerance. */
function close(a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number): boolean {
  const scale = 1 + Math.max(...Array.from(a, Math.abs));
  return Array.from(a).every((value, i) => Math.abs(value - b[i]) <= tolerance * scale);
}

claim(
  "noising and observing are the same: the posterior given y is the mixture observed through noise ν",
  async (check) => {
    await checkProperty(
      check,
      "weights, mean and covariance, any mixture",
      anyMixture,
      ({ weights, means, roots, y, ratio }) => {
        const mixture = GaussianMixture.from({ weights, means, covariances: covariancesOf(roots) });
        const posterior = mixture.posterior(y, ratio);
        const identity = y.map((_, i) => y.map((_, j) => i === j ? 1 : 0));
        const observed = mixture.observing(identity, y, ratio ** 2);
        const mean = y.map((_, i) =>
          observed.components.reduce((sum, c, k) => sum + observed.weights[k] * c.mean[i], 0)
        );
        const covariances = observed.components.map((component) => component.covariance());
        const covariance = y.flatMap((_, i) =>
          y.map((_, j) =>
            covariances.reduce((sum, c, k) =>
              sum +
              observed.weights[k] *
                (c[i][j] +
                  (observed.components[k].mean[i] - mean[i]) * (observed.components[k].mean[j] - mean[j])), 0)
          )
        );
        return close(posterior.responsibilities, observed.weights, 1e-9) &&
          close(posterior.mean, mean, 1e-9) &&
          close(posterior.covariance().flat(), covariance, 1e-9);
      },
      "Bayes' rule by two roads; rounding × condition (16/0.09)²",
    );
  },
);

claim("a conditional times its evidence is the joint density, whatever is observed", (check) => {
  const density = (distribution: GaussianMixture, x: readonly number[]) =>
    distribution.posterior(x, 0).logDensity;
  for (const seen of [[0], [2], [1, 2], [2, 0]]) {
    const hidden = [0, 1, 2].filter((i) => !seen.includes(i));
    const select = (chosen: readonly number[]) => chosen.map((c) => [0, 1, 2].map((i) => i === c ? 1 : 0));
    for (const x of points) {
      const values = seen.map((i) => x[i]);
      const joint = density(mixture.affine(select(seen)), values) +
        density(mixture.given(seen, values), hidden.map((i) => x[i]));
      const tolerance = 1e-10 * (1 + Math.abs(density(mixture, x)));
      check.within(
        `coordinates ${seen} at ${x}`,
        joint,
        density(mixture, x),
        tolerance,
        "p(x) = p(x_O) p(x_M | x_O); rounding",
        {
          detectable: `${tolerance.toExponential(0)} nats`,
        },
      );
    }
  }
  const operator = [[0.5, -1, 2]];
  for (const x of points) {
    const [value, variance] = [0.7, 0.3];
    const likelihood = -0.5 *
      ((value - dot(operator[0], x)) ** 2 / variance + Math.log(2 * Math.PI * variance));
    const evidence = mixture.affine(operator).posterior([value], Math.sqrt(variance)).logDensity;
    const expected = density(mixture, x) + likelihood - evidence;
    const tolerance = 1e-9 * (1 + Math.abs(expected));
    check.within(
      `noisy A x at ${x}`,
      density(mixture.observing(operator, [value], variance), x),
      expected,
      tolerance,
      "Bayes' rule; rounding",
      {
        detectable: `${tolerance.toExponential(0)} nats`,
      },
    );
  }
});

claim(
  "permuting components changes nothing, and rotating, scaling and shifting the data transforms the score alike",
  async (check) => {
    await checkProperty(
      check,
      "any mixture, and the same seen through x ↦ A x + b with A a scaled turn",
      fc.tuple(anyMixture, real, real, fc.double({ min: 0.2, max: 3, noNaN: true })),
      ([{ weights, means, roots, y, ratio }, angle, shift, scale]) => {
        const covariances = covariancesOf(roots);
        const original = GaussianMixture.from({ weights, means, covariances });
        const permuted = GaussianMixture.from({
          weights: [...weights].reverse(),
          means: [...means].reverse(),
          covariances: [...covariances].reverse(),
        });
        const turn = y.map((_, i) => y.map((_, j) => scale * givens(i, j, y.length, angle)));
        const offset = y.map((_, i) => shift * (i + 1));
        const moved = original.affine(turn, offset);
        const at = original.posterior(y, ratio);
        const back = permuted.posterior(y, ratio);
        const there = moved.posterior(times(turn, y).map((value, i) => value + offset[i]), scale * ratio);
        return close(at.noise, back.noise, 1e-10) && close([at.logDensity], [back.logDensity], 1e-10) &&
          close(at.responsibilities, [...back.responsibilities].reverse(), 1e-10) &&
          close(times(turn, at.noise).map((value) => value / scale), there.noise, 1e-8) &&
          close([at.logDensity - y.length * Math.log(scale)], [there.logDensity], 1e-8) &&
          close(times(turn, at.mean).map((value, i) => value + offset[i]), there.mean, 1e-8);
      },
      "the distribution's symmetries; rounding × condition 16·9/0.09",
    );
  },
);

/** Entry (i, j) of a turn in the plane of the first and the last coordinate. */
function givens(i: number, j: number, d: number, angle: number): number {
  if (d > 1 && (i === 0 || i === d - 1) && (j === 0 || j === d - 1)) {
    return i === j ? Math.cos(angle) : (i < j ? -1 : 1) * Math.sin(angle);
  }
  return i === j ? 1 : 0;
}
