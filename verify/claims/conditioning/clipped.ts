/**
 * Predicted data that are cut off at their range: what is cut, and the bias of samples that follows.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { clippedModel } from "../../../src/conditioning/clipped.ts";
import { scoreModel, scoreModelFromNoise } from "../../../src/diffusion/noise_predictor.ts";
import { veSde, vpSde } from "../../../src/diffusion/sde.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { normalCdf } from "../../../src/math/normal_distribution.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

/** E[clip(X, low, high)] of X ~ N(mean, std²): mean + ∫_{−∞}^{low} Φ − ∫_{high}^∞ (1 − Φ), in closed form. */
function clippedMean(mean: number, std: number, low: number, high: number): number {
  const [a, b] = [(low - mean) / std, (high - mean) / std];
  const density = (z: number) => Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
  return low * normalCdf(a) + high * (1 - normalCdf(b)) + mean * (normalCdf(b) - normalCdf(a)) +
    std * (density(a) - density(b));
}

/** The middles of equal parts of a normal distribution, found by bisection. */
function normalQuantiles(count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    const share = (i + 0.5) / count;
    let [low, high] = [-9, 9];
    for (let k = 0; k < 60; k++) {
      const middle = (low + high) / 2;
      if (normalCdf(middle) < share) low = middle;
      else high = middle;
    }
    return low;
  });
}

claim(
  "clipped data of a Gaussian have the mean of a clipped Gaussian, and the next state its bias",
  async (check) => {
    const [mean, std] = [0.7, 0.8];
    const sde = vpSde();
    const exact = scoreModel(new Gaussian({ mean: [mean], variances: [std ** 2] }), sde);
    const quantiles = normalQuantiles(4000);
    for (const [low, high] of [[-1, 1], [-0.2, 0.9]]) {
      for (const t of [0.05, 0.2, 0.5]) {
        const s = t / 2;
        const [alpha, sigma] = [sde.alpha(t), sde.sigma(t)];
        const marginal = Math.hypot(alpha * std, sigma);
        // D is a regression on x: its deviation is α s0²/√C.
        const spread = alpha * std ** 2 / marginal;
        const x = tf.tensor2d(Float32Array.from(quantiles, (z) => alpha * mean + marginal * z), [4000, 1]);
        const model = clippedModel(exact, { low, high });
        const average = (values: ArrayLike<number>) =>
          Array.from(values).reduce((sum, value) => sum + value / values.length, 0);
        const data = model.denoised(x, t);
        const [next, plain] = [
          await ddim().start(model, createRng(0)).step(x, t, s),
          await ddim().start(exact, createRng(0)).step(x, t, s),
        ];
        const seen = average(await data.data());
        const moved = average(await next.data()) - average(await plain.data());
        tf.dispose([x, data, next, plain]);
        const expected = clippedMean(mean, spread, low, high);
        const where = `[${low}, ${high}], t = ${t}`;
        check.within(
          `${where}: mean of D'`,
          seen,
          expected,
          2e-4,
          "E clip(N(m, α² s0⁴/C)); 4,000 quantiles",
          {
            detectable: "a limit wrong by 1e-3",
          },
        );
        check.atLeast(`${where}: bias of D'`, mean - expected, 0.003, "it can be seen");
        const factor = sde.alpha(s) - sde.sigma(s) * alpha / sigma;
        check.within(
          `${where}: bias of the state`,
          moved,
          factor * (expected - mean),
          2e-4,
          "x_s = (α_s − σ_s α_t/σ_t) D + (σ_s/σ_t) x_t",
        );
      }
    }
  },
);

claim("data within the range are the model's own, bit for bit, and NaN stays NaN", async (check) => {
  const sde = veSde();
  const model = scoreModelFromNoise(sde, (x) => x.mul(0.1));
  for (const percentile of [undefined, 0.9]) {
    const clipped = clippedModel(model, { percentile });
    const x = tf.tensor2d([[0.3, -0.7], [0.95, 0.1]]);
    const [own, kept] = [model.predictedNoise(x, 0.2), clipped.predictedNoise(x, 0.2)];
    const name = percentile === undefined ? "static" : "dynamic";
    check.equal(name, [...await kept.data()], [...await own.data()], "nothing is cut off");
    const broken = scoreModelFromNoise(sde, (x) => x.mul(NaN));
    const noise = clippedModel(broken, { percentile }).predictedNoise(x, 0.2);
    check.holds(`${name}: NaN`, (await noise.data()).every(Number.isNaN), "a broken model is seen");
    tf.dispose([x, own, kept, noise]);
  }
});

claim(
  "dynamic thresholding is Imagen's: each sample's percentile, at least the range, becomes the range",
  async (check) => {
    const sde = veSde();
    const rows = 5;
    const count = 40;
    const model = scoreModelFromNoise(sde, (x) => x.mul(0.02));
    const values = Float32Array.from(
      createRng(check.seed).normalValues([rows, count]),
      (z, i) => z * [0.2, 0.9, 1.5, 3, 8][Math.floor(i / count)] + 0.5,
    );
    for (const [low, high, percentile] of [[-1, 1, 0.995], [-1, 1, 0.8], [0, 1, 0.5], [-1, 1, 1]]) {
      const t = 0.4;
      const x = tf.tensor(values, [rows, 2, count / 2, 1]);
      const clipped = clippedModel(model, { low, high, percentile }).denoised(x, t);
      const seen = await clipped.data();
      tf.dispose([x, clipped]);
      const [centre, half] = [(low + high) / 2, (high - low) / 2];
      let worst = 0;
      for (let row = 0; row < rows; row++) {
        const offsets = [...values.subarray(row * count, (row + 1) * count)]
          .map((value) => value * (1 - 0.02 * sde.sigma(t)) - centre);
        const sorted = offsets.map(Math.abs).sort((a, b) => a - b);
        const place = percentile * (count - 1);
        const [below, above] = [Math.floor(place), Math.ceil(place)];
        const quantile = sorted[below] + (place - below) * (sorted[above] - sorted[below]);
        const scale = Math.max(1, quantile / half);
        for (const [i, offset] of offsets.entries()) {
          const expected = centre + Math.min(half, Math.max(-half, offset / scale));
          worst = Math.max(worst, Math.abs(seen[row * count + i] - expected));
        }
      }
      check.atMost(
        `[${low}, ${high}], percentile ${percentile}`,
        worst,
        2e-5,
        "Saharia et al. 2022, Section 2.3; float32 of numbers up to 30",
        { detectable: "another sample's percentile, the next value" },
      );
    }
  },
);

claim("a clipped model asks for a range and a share", async (check) => {
  const model = scoreModelFromNoise(vpSde(), (x) => x);
  const cases = [
    [{ low: 1, high: 1 }, /^low must be below high, got 1 ≥ 1$/],
    [{ low: NaN }, /^low must be a finite number, got NaN$/],
    [{ percentile: 0 }, /^percentile must be above 0 and at most 1, got 0$/],
    [{ percentile: 1.1 }, /^percentile must be above 0 and at most 1, got 1.1$/],
  ] as const;
  for (const [options, message] of cases) {
    await check.throws(JSON.stringify(options), () => clippedModel(model, options), message);
  }
});
