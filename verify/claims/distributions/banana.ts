/**
 * The banana's exact distribution.
 * @module
 */
import * as tf from "../../../src/compute/tf.ts";
import { Banana } from "../../../src/distributions/banana.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

claim("the banana's density and score at ν = 0 are their closed forms", async (check) => {
  const distribution = new Banana({ width: 1.5, thickness: 0.4, bend: 0.6 });
  const points = [[0, -1.35], [1, -0.5], [-2, 1], [0.5, 2], [3, 4.4]];
  const { density, score } = await evaluate(distribution, points, 0);
  points.forEach(([x1, x2], i) => {
    const across = (x2 - 0.6 * (x1 ** 2 - 1.5 ** 2)) / 0.4 ** 2;
    const exact = -0.5 * ((x1 / 1.5) ** 2 + 0.4 ** 2 * across ** 2) - Math.log(2 * Math.PI * 1.5 * 0.4);
    const near = (what: string, observed: number, expected: number) =>
      check.within(
        `${what} at ${points[i]}`,
        observed,
        expected,
        3e-6 * (1 + Math.abs(expected) + Math.abs(across)),
        "closed form; float32 rounding of x2 − h",
        {
          detectable: "3e-6 relative",
        },
      );
    near("log density", density[i], exact);
    near("score₁", score[2 * i], -x1 / 1.5 ** 2 + 1.2 * x1 * across);
    near("score₂", score[2 * i + 1], -across);
  });
});

claim(
  "the noised banana's density is the integral over its first coordinate, and its score the gradient, its posterior mean the average",
  async (check) => {
    const distribution = new Banana();
    for (const ratio of [0.01, 0.1, 0.3, 1, 3, 30, 1000]) {
      const far = [0.8 * ratio, -0.6 * ratio];
      const points = [[0, -0.7], [1, 0.3], [2, 2], [-3, 5], [0, 2], [0.5, -2], far];
      const { density, score, derivative, mean } = await evaluate(distribution, points, ratio);
      const size = Math.max(...derivative.map(Math.abs));
      points.forEach((point, i) => {
        const exact = integrated(distribution, point, ratio);
        check.within(
          `log density at ${point}, ν = ${ratio}`,
          density[i],
          exact.logDensity,
          2e-6 * (2 + Math.abs(exact.logDensity)),
          "midpoint rule in float64, 20,000 nodes; float32 rounding",
          {
            detectable: "2e-6 relative",
          },
        );
        exact.mean.forEach((expected, j) =>
          check.within(
            `E[x0|y]${"₁₂"[j]} at ${point}, ν = ${ratio}`,
            mean[2 * i + j],
            expected,
            1e-5,
            "midpoint rule in float64; float32 rounding of numbers up to 5, at any ν",
            { detectable: "1e-5" },
          )
        );
      });
      const worst = Math.max(...score.map((value, i) => Math.abs(value - derivative[i]))) / size;
      check.atMost(
        `score at ν = ${ratio}`,
        worst,
        2e-6,
        "automatic derivative of the log density; float32 rounding: 1e-7",
        {
          detectable: "2e-6 of the largest",
        },
      );
    }
  },
);

/** Density, score and posterior mean of the tensor code, and the density's automatic derivative. */
async function evaluate(distribution: Banana, points: readonly number[][], ratio: number) {
  const tensors = tf.tidy(() => {
    const y = tf.tensor2d(points as number[][]);
    return [
      distribution.logDensity(y, ratio),
      distribution.score(y, ratio),
      tf.grad((y) => tf.sum(distribution.logDensity(y, ratio)))(y),
      distribution.posteriorMean(y, ratio),
    ];
  });
  const [density, score, derivative, mean] = await Promise.all(tensors.map((tensor) => tensor.data()));
  tf.dispose(tensors);
  return { density, score, derivative, mean };
}

/**
 * ln ∫ N(u; 0, w²) N(y₁; u, ν²) N(y₂; h(u), τ² + ν²) du and E[x_0 | y], by the midpoint rule where the first two
 * factors are not negligible.
 */
function integrated(distribution: Banana, [y1, y2]: readonly number[], ratio: number) {
  const normal = (x: number, variance: number) =>
    Math.exp(-0.5 * x * x / variance) / Math.sqrt(2 * Math.PI * variance);
  const { width, thickness, bend } = distribution;
  const centre = y1 * width ** 2 / (width ** 2 + ratio ** 2);
  const spread = width * ratio / Math.hypot(width, ratio);
  const across = thickness ** 2 + ratio ** 2;
  const nodes = 20_000;
  const h = 20 * spread / nodes;
  let [total, first, second] = [0, 0, 0];
  for (let i = 0; i < nodes; i++) {
    const u = centre + (i + 0.5 - nodes / 2) * h;
    const parabola = bend * (u ** 2 - width ** 2);
    const weight = h * normal(u, width ** 2) * normal(y1 - u, ratio ** 2) * normal(y2 - parabola, across);
    total += weight;
    first += weight * u;
    second += weight * (parabola + (y2 - parabola) * thickness ** 2 / across);
  }
  return { logDensity: Math.log(total), mean: [first / total, second / total] };
}

claim("the banana has a density at noise up to 10⁹ times its unit, and refuses more", async (check) => {
  const banana = new Banana();
  const y = tf.tensor2d([[1e9, -1e9]]);
  const density = banana.logDensity(y, 1e9);
  const expected = -1 - Math.log(2 * Math.PI) - 2 * Math.log(1e9);
  check.within("log density", (await density.data())[0], expected, 1e-4, "N(0, ν²) to 9 digits; float32");
  const message = /^noiseRatio must be a number from 0 to 1000000000, got 1100000000$/;
  for (const ratio of [1.1e9, Float64Array.of(1.1e9)]) {
    for (const name of ["logDensity", "predictNoise", "posteriorMean"] as const) {
      await check.throws(`${name} at ${ratio}`, () => banana[name](y, ratio), message);
    }
  }
  tf.dispose([y, density]);
});
