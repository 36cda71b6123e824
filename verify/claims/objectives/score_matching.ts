/**
 * Claims about the score matchings: their common optimum, the identities that tie them together, their gradients.
 * @module
 */
import { Matrix, solve } from "../../../src/math/linear_algebra.ts";
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { mlp } from "../../../src/networks/mlp.ts";
import { flatten, parameterCount, type Parameters } from "../../../src/networks/network.ts";
import { implicitScoreMatching } from "../../../src/objectives/implicit.ts";
import {
  denoisingScoreMatching,
  explicitScoreMatching,
  type ScoreFunction,
} from "../../../src/objectives/score_matching.ts";
import { sliceDirections, slicedScoreMatching } from "../../../src/objectives/sliced.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { parameterGradient } from "../../../src/training/step.ts";
import { drawsOf, type ScoreTrainingConfig, trainScore } from "../../../src/training/train_score.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { checkMean } from "../../instruments/statistics.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

const dimension = 3;
const mean = [0.5, -1, 2];
const covariance = [[1, 0.4, 0.1], [0.4, 0.8, -0.2], [0.1, -0.2, 0.5]];
const sigma = 0.7;

/** The numbers of a tensor that is computed and freed. */
async function numbers(compute: () => tf.Tensor): Promise<number[]> {
  const tensor = tf.tidy(compute);
  try {
    return Array.from(await tensor.data());
  } finally {
    tensor.dispose();
  }
}

/** All vectors of d signs: their mean is 0, the mean of v vᵀ is I. */
function signs(d: number): number[][] {
  return Array.from({ length: 2 ** d }, (_, k) => Array.from({ length: d }, (_, i) => (k >> i) % 2 ? -1 : 1));
}

/** Every sign vector beside every sign vector: independent pairs. */
function crossed(): { data: tf.Tensor2D; other: tf.Tensor2D } {
  // Σ = L Lᵀ (Cholesky): μ + L v has the mean and the covariance of the Gaussian, and that is all a quadratic sees.
  const l = [[0, 0, 0], [0, 0, 0], [0, 0, 0]];
  for (let i = 0; i < dimension; i++) {
    for (let j = 0; j <= i; j++) {
      const rest = covariance[i][j] - l[i].slice(0, j).reduce((sum, a, k) => sum + a * l[j][k], 0);
      l[i][j] = i === j ? Math.sqrt(rest) : rest / l[j][j];
    }
  }
  const pairs = signs(dimension).flatMap((v) => signs(dimension).map((e) => [v, e]));
  return {
    data: tf.tensor2d(
      pairs.map(([v]) => mean.map((m, i) => m + l[i].reduce((sum, a, k) => sum + a * v[k], 0))),
    ),
    other: tf.tensor2d(pairs.map(([, e]) => e)),
  };
}

type Loss = (score: ScoreFunction, data: tf.Tensor2D, other: tf.Tensor2D) => tf.Scalar;

const losses: Record<string, { readonly noise: number; readonly loss: Loss }> = {
  "implicit": { noise: 0, loss: (score, x) => implicitScoreMatching(score, x) },
  "sliced": {
    noise: 0,
    loss: (score, x, v) => slicedScoreMatching(score, x, v, { reducedVariance: false }),
  },
  "sliced, reduced variance": { noise: 0, loss: (score, x, v) => slicedScoreMatching(score, x, v) },
  "denoising": { noise: sigma, loss: (score, x, e) => denoisingScoreMatching(score, x, e, sigma) },
};

/** s(x) = x A + b of θ = (A row-major, b). */
function linear(theta: tf.Tensor1D): ScoreFunction {
  const [a, b] = tf.split(theta, [dimension ** 2, dimension]);
  return (x) => tf.add(tf.matMul(x, tf.reshape(a, [dimension, dimension]) as tf.Tensor2D), b);
}

/** −(Σ + ν²)⁻¹, and b = (Σ + ν²)⁻¹ μ: the score of the noised Gaussian. */
function exactTheta(noise: number): number[] {
  const total = new Matrix(covariance.map((row, i) => row.map((c, j) => c + (i === j ? noise ** 2 : 0))));
  const precision = solve(total, Matrix.eye(dimension));
  return [
    ...Matrix.mul(precision, -1).to1DArray(),
    ...precision.mmul(Matrix.columnVector(mean)).to1DArray(),
  ];
}

claim(
  "all score matching objectives have the same optimum on a Gaussian: its score, or the noised one's",
  async (check) => {
    const size = dimension ** 2 + dimension;
    for (const [name, { noise, loss }] of Object.entries(losses)) {
      const gradientAt = (theta: readonly number[]) =>
        numbers(() => {
          const { data, other } = crossed();
          const slope = tf.grad((theta: tf.Tensor) => loss(linear(theta as tf.Tensor1D), data, other));
          return slope(tf.tensor1d([...theta]));
        });
      // A quadratic's gradient is linear: its matrix, column by column, and its zero.
      const zero = await gradientAt(new Array(size).fill(0));
      const columns: number[][] = [];
      for (let i = 0; i < size; i++) {
        const unit = await gradientAt(zero.map((_, j) => i === j ? 1 : 0));
        columns.push(unit.map((g, j) => g - zero[j]));
      }
      const optimum = solve(new Matrix(columns).transpose(), Matrix.columnVector(zero.map((g) => -g)));
      const expected = exactTheta(noise);
      const worst = Math.max(...optimum.to1DArray().map((value, i) => Math.abs(value - expected[i])));
      check.atMost(
        `${name}: largest error of A and b`,
        worst,
        1e-4,
        `−(Σ + σ²)⁻¹(x − μ) with σ = ${noise}: the data and directions have the exact moments; ` +
          "float32 times the condition number, 200",
        {
          detectable: `a factor of 1.0001; without the half it is ${Math.max(...expected.map(Math.abs)) / 2}`,
        },
      );
    }
  },
);

claim(
  "denoising differs from explicit score matching by a constant, whatever the parameters",
  async (check) => {
    const precision = exactTheta(sigma);
    const trace = -[0, 4, 8].reduce((sum, i) => sum + precision[i], 0);
    const expected = (dimension / sigma ** 2 - trace) / 2;
    for (let trial = 0; trial < 4; trial++) {
      const [difference] = await numbers(() => {
        const { data, other } = crossed();
        const theta = createRng(check.seed).fork(`θ ${trial}`).normal([1, 12]).reshape([12]) as tf.Tensor1D;
        const noisy = tf.add(data, tf.mul(other, sigma)) as tf.Tensor2D;
        const exact = linear(tf.tensor1d(precision))(noisy) as tf.Tensor2D;
        const denoising = denoisingScoreMatching(linear(theta), data, other, sigma);
        return denoising.sub(explicitScoreMatching(linear(theta), noisy, exact));
      });
      check.within(
        `J_DSM − J_ESM, parameters ${trial}`,
        difference,
        expected,
        2e-5,
        "½(d/σ² − tr(Σ + σ²)⁻¹): Vincent 2011, eq. 11, on a Gaussian; float32 of losses of tens: 4.3e-6 over 300 seeds",
      );
    }
  },
);

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

const training: ScoreTrainingConfig = {
  network: config,
  matching: "sliced",
  sigma: 0,
  optimizer: { ...OPTIMIZER_DEFAULTS, rate: 1e-2, warmup: 0 },
  steps: 6,
  batch: 8,
  seed: 4,
};
const samePoints = () => createRng(3).normal([8, 2]) as tf.Tensor2D;

claim(
  "training draws new noise and directions at each step, repeats itself and leaves no tensor",
  async (check) => {
    const before = tf.memory().numTensors;
    const first = await trainScore(training, samePoints);
    const again = await trainScore(training, samePoints);
    check.equal("losses of the same seed", again.losses, first.losses, "all randomness is the seed's");
    check.equal("weights of the same seed", [...again.weights], [...first.weights], "bit for bit");
    const other = await trainScore({ ...training, seed: 5 }, samePoints);
    check.holds(
      "another seed trains otherwise",
      String(other.losses) !== String(first.losses),
      "another start",
    );
    for (const [matching, what] of [["sliced", ["noise", "directions"]], ["denoising", ["noise"]]] as const) {
      const draws = Object.entries(
        drawsOf({ ...training, matching, sigma: 1 }, createRng(check.seed), [8, 2]),
      );
      check.equal(`${matching}: what is drawn`, draws.map(([name]) => name), what, "by the matching");
      const seen = await Promise.all(
        draws.flatMap(([, draw]) => [0, 1].map(async (step) => String(await numbers(() => draw(step))))),
      );
      check.equal(
        `${matching}: different draws of two steps`,
        new Set(seen).size,
        seen.length,
        "none is kept",
      );
    }
    check.equal("tensors left", tf.memory().numTensors - before, 0, "whoever gets a tensor owns it");
  },
);

claim("score matching refuses mismatched shapes and invalid numbers", async (check) => {
  const x = tf.zeros<tf.Rank.R2>([3, 2]);
  const wrong = tf.zeros<tf.Rank.R2>([2, 2]);
  const zero: ScoreFunction = (x) => tf.zerosLike(x);
  await check.throws(
    "noise",
    () => denoisingScoreMatching(zero, x, wrong, 1),
    /noise must .* got \[2,2\] for \[3,2\]/,
  );
  await check.throws(
    "σ",
    () => denoisingScoreMatching(zero, x, x, 0),
    /sigma must be a positive number, got 0/,
  );
  await check.throws(
    "directions",
    () => slicedScoreMatching(zero, x, wrong),
    /directions must have the shape/,
  );
  await check.throws(
    "scores",
    () => explicitScoreMatching(zero, x, wrong),
    /exact score must have the shape/,
  );
  tf.dispose([x, wrong]);
  const train = (change: Partial<ScoreTrainingConfig>) => () =>
    trainScore({ ...training, ...change }, samePoints);
  await check.throws("no noise", train({ matching: "denoising" }), /sigma must be a positive number, got 0/);
  await check.throws("steps", train({ steps: 0 }), /steps must be a positive integer, got 0/);
  await check.throws("batch", train({ batch: 1.5 }), /batch must be a positive integer, got 1.5/);
});
