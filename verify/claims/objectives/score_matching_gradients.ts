/** Claims about the gradients and identities of implicit and sliced score matching. @module */
import { Matrix, solve } from "../../../src/math/linear_algebra.ts";
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { mlp } from "../../../src/networks/mlp.ts";
import { flatten, parameterCount, type Parameters } from "../../../src/networks/network.ts";
import { implicitScoreMatching } from "../../../src/objectives/implicit.ts";
import { explicitScoreMatching, type ScoreFunction } from "../../../src/objectives/score_matching.ts";
import { sliceDirections, slicedScoreMatching } from "../../../src/objectives/sliced.ts";
import { parameterGradient } from "../../../src/training/step.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { checkMean } from "../../instruments/statistics.ts";
import { losses, numbers, signs } from "../../problems/score_matching_losses.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

/** A perceptron's s(x) = W₂ silu(W₁ x + b₁) + b₂ with random weights. */
const config = { kind: "mlp", dimensions: 2, hidden: 4, layers: 1, noiseFeatures: 4, classes: 0 } as const;

function randomWeights(seed: number): Map<string, Float32Array> {
  return new Map(
    mlp(config).parameters.map(({ name, shape }) => {
      const size = shape.reduce((product, n) => product * n, 1);
      return [
        name,
        createRng(seed).fork(name).normalValues([1, size]).map((z) => 0.6 * Math.max(-2.5, Math.min(2.5, z))),
      ];
    }),
  );
}

function perceptron(p: Parameters): ScoreFunction {
  const network = mlp(config);
  return (x) => network.forward(p, x, tf.zeros([x.shape[0], 4]), null);
}

/** s and ∇s [output][input] of the same perceptron in float64, from its parameters end to end. */
function perceptron64(theta: Float64Array, x: readonly number[]): { s: number[]; jacobian: number[][] } {
  // layers.0.weight [6, 4] (two rows for the point, four for features that are 0), bias [4]; head.weight [4, 2], bias [2].
  const first = (i: number, k: number) => theta[4 * i + k];
  const [bias, head, offset] = [24, 28, 36];
  const s = [theta[offset], theta[offset + 1]];
  const jacobian = [[0, 0], [0, 0]];
  for (let k = 0; k < 4; k++) {
    const a = x[0] * first(0, k) + x[1] * first(1, k) + theta[bias + k];
    const gate = 1 / (1 + Math.exp(-a));
    const slope = gate * (1 + a * (1 - gate));
    for (let o = 0; o < 2; o++) {
      s[o] += theta[head + 2 * k + o] * a * gate;
      for (let i = 0; i < 2; i++) jacobian[o][i] += theta[head + 2 * k + o] * slope * first(i, k);
    }
  }
  return { s, jacobian };
}

claim("gradients of the implicit and sliced losses are those of float64 differences", async (check) => {
  const points = Array.from({ length: 5 }, (_, i) => [Math.sin(3 * i), 1.5 * Math.cos(2 * i)]);
  const directions = points.map((_, i) => [Math.cos(i), 1.3 * Math.sin(i + 1)]);
  const terms: Record<string, (s: number[], j: number[][], v: number[]) => number> = {
    "implicit": (s, j) => j[0][0] + j[1][1] + (s[0] ** 2 + s[1] ** 2) / 2,
    "sliced": (s, j, v) => form(j, v) + (s[0] * v[0] + s[1] * v[1]) ** 2 / 2,
    "sliced, reduced variance": (s, j, v) => form(j, v) + (s[0] ** 2 + s[1] ** 2) / 2,
  };
  const network = mlp(config);
  const flat = flatten(network.parameters, randomWeights(check.seed));
  for (const [name, term] of Object.entries(terms)) {
    const loss64 = (theta: Float64Array) =>
      points.reduce((sum, x, i) => {
        const { s, jacobian } = perceptron64(theta, x);
        return sum + term(s, jacobian, directions[i]) / points.length;
      }, 0);
    const theta = Float64Array.from(flat);
    const expected = theta.map((_, i) => {
      const at = (step: number) => loss64(theta.map((value, j) => i === j ? value + step : value));
      return (at(1e-5) - at(-1e-5)) / 2e-5;
    });
    const [value, ...gradient] = await numbers(() => {
      const [x, v] = [tf.tensor2d(points), tf.tensor2d(directions)];
      const { loss, gradient } = parameterGradient(
        network.parameters,
        tf.tensor1d(flat),
        (p) => losses[name].loss(perceptron(p), x, v),
      );
      return tf.concat([tf.reshape(loss, [1]), gradient]);
    });
    check.within(`${name}: the loss`, value, loss64(theta), 1e-5, "float64, by hand; float32 rounding");
    const worst = Math.max(...gradient.map((g, i) => Math.abs(g - expected[i])));
    check.equal(`${name}: parameters`, gradient.length, parameterCount(network), "one derivative each");
    check.atMost(
      `${name}: largest error of ${gradient.length} derivatives`,
      worst,
      2e-5,
      "central differences in float64, error 1e-10; float32 rounding of sums of tens of terms of size 1",
    );
  }
});

function form(j: number[][], v: number[]): number {
  return v.reduce((sum, a, o) => sum + a * (j[o][0] * v[0] + j[o][1] * v[1]), 0);
}

claim("Hyvärinen's identity: implicit is explicit score matching less a constant, on a mixture", {
  slow: "on webgpu",
}, async (check) => {
  const mixture = GaussianMixture.from({
    weights: [0.3, 0.7],
    means: [[-1, 0.5], [1, -0.3]],
    covariances: [[[0.6, 0.1], [0.1, 0.5]], [[0.5, -0.2], [-0.2, 0.7]]],
  });
  // The trapezoidal rule at distance h errs by exp(−2π² 0.376/h²) along the narrowest direction of the data, and by exp(−2π a/h)
  // for a tanh(w x), whose poles are a = π/(2|w|) away: 7e-9 at h = 0.35 for |w| = 1.5; a second tanh brings poles nearer.
  const axis = Array.from({ length: 29 }, (_, i) => 0.35 * (i - 14));
  const exact = axis.flatMap((a) => axis.map((b) => [a, b])).map((x) => ({
    x,
    ...mixture.posterior(x, 1e-4),
  }))
    .map(({ x, logDensity, noise }) => ({
      x,
      weight: 0.35 ** 2 * Math.exp(logDensity),
      score: Array.from(noise, (value) => -value / 1e-4),
    }))
    .filter(({ weight }) => weight > 1e-11);
  const grid = exact.map(({ x }) => x);
  const weights = exact.map(({ weight }) => weight);
  check.within(
    "the weights add up to 1",
    weights.reduce((a, b) => a + b, 0),
    1,
    2e-7,
    "it is a density; 7e-9 a direction, and what lies outside",
  );
  const constant = exact.reduce((sum, { weight, score: [a, b] }) => sum + weight * (a * a + b * b) / 2, 0);
  const values = randomWeights(check.seed);
  const p = Object.fromEntries(
    mlp(config).parameters.map(({ name, shape }) => [name, tf.tensor(values.get(name)!, [...shape])]),
  );
  const score = perceptron(p);
  /** The mean over the grid of a loss at single points. */
  const mean = async (loss: (x: tf.Tensor2D, i: number) => tf.Scalar) => {
    const terms = await numbers(() => tf.stack(grid.map((x, i) => tf.tidy(() => loss(tf.tensor2d([x]), i)))));
    return terms.reduce((sum, term, i) => sum + weights[i] * term, 0);
  };
  const implicit = await mean((x) => implicitScoreMatching(score, x));
  const explicit = await mean((x, i) => explicitScoreMatching(score, x, tf.tensor2d([exact[i].score])));
  const sliced = await mean((x) => slicedScoreMatching(score, tf.tile(x, [4, 1]), tf.tensor2d(signs(2))));
  tf.dispose(p);
  const source = "Hyvärinen 2005, Theorem 1; quadrature and float32: 1.3e-6 at most over 100 seeds";
  check.within("J_ISM + ½E‖∇log p‖² against ½E‖s − ∇log p‖²", implicit + constant, explicit, 1e-5, source, {
    detectable: `1e-5 of ${explicit.toPrecision(3)}`,
  });
  check.within(
    "sliced, the mean over all signs",
    sliced,
    implicit,
    2e-6,
    "E v vᵀ = I: Song et al. 2019, eq. 6",
  );
});

claim("directions have E v vᵀ = I, and sliced score matching is unbiased over them", async (check) => {
  const rows = 40_000;
  for (const distribution of ["rademacher", "normal"] as const) {
    const directions = sliceDirections(createRng(check.seed).fork(distribution), [rows, 2], distribution);
    const v = await directions.data();
    const products = (i: number, j: number) =>
      Array.from({ length: rows }, (_, row) => v[2 * row + i] * v[2 * row + j])
        .reduce((a, b) => a + b, 0) / rows;
    const source = "independent of variance 1";
    checkMean(check, `${distribution}: E v₁v₂`, products(0, 1), 0, 1, rows, source);
    if (distribution === "rademacher") check.equal("rademacher: E v₁²", products(0, 0), 1, "signs");
    else checkMean(check, "normal: E v₁²", products(0, 0), 1, Math.SQRT2, rows, source);
    // s(x) = x A at one point: vᵀAv + ½(vᵀs)² in closed form.
    const [a, s] = [[[0.5, -1], [2, 0.25]], [1, -0.5]];
    const [estimate] = await numbers(() => {
      const x = tf.tile(tf.tensor2d([solve(new Matrix(a).transpose(), Matrix.columnVector(s)).to1DArray()]), [
        rows,
        1,
      ]) as tf.Tensor2D;
      const score: ScoreFunction = (x) => tf.matMul(x, tf.tensor2d(a));
      return slicedScoreMatching(score, x, directions, { reducedVariance: false });
    });
    directions.dispose();
    // vᵀ B v with B = (A + Aᵀ)/2 + s sᵀ/2: mean tr B; variance 2‖B‖² for normal v, less 2 Σ B_ii² for signs.
    const b = a.map((row, i) => row.map((_, j) => (a[i][j] + a[j][i] + s[i] * s[j]) / 2));
    const squares = b.flat().reduce((sum, value) => sum + value ** 2, 0);
    const diagonal = distribution === "normal" ? 0 : b[0][0] ** 2 + b[1][1] ** 2;
    const std = Math.sqrt(2 * (squares - diagonal));
    checkMean(
      check,
      `${distribution}: the estimate`,
      estimate,
      b[0][0] + b[1][1],
      std,
      rows,
      "tr B, by hand",
    );
  }
});
