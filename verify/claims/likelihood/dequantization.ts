/**
 * Bytes under diffusions: the noise that spreads them over their bins, and what decoding them costs.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import {
  bitsPerDimension,
  decoderNats,
  truncatedNormalDequantize,
  unitWidthBin,
} from "../../../src/likelihood/dequantization.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { encodeLatent } from "../../../src/likelihood/latents.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import { continuousElbo } from "../../../src/likelihood/continuous_bound.ts";
import { noiseRatio, veSde, vpSde } from "../../../src/diffusion/sde.ts";
import { withMinimumNoise } from "../../../src/diffusion/sde_registry.ts";
import { normalMass, truncatedNormal } from "../../../src/math/normal_distribution.ts";
import { type Area, claim } from "../../suite/claim.ts";
import {
  alarmRate,
  checkUniform,
  standardNormalCdf,
  standardNormalQuantile,
} from "../../instruments/statistics.ts";
import { allSdes } from "../../problems/sdes.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

claim("truncated normal noise has its distribution and its normalizing mass", (check) => {
  let [mass, inverse] = [0, 0];
  for (const bound of [1e-3, 0.3, 0.78, 2, 3, 5.5, 8.9, 12]) {
    const expected = 2 * standardNormalCdf(bound) - 1;
    mass = Math.max(mass, Math.abs(normalMass(bound) / expected - 1));
    for (const u of [1e-9, 0.01, 0.3, 0.5, 0.77, 1 - 1e-9]) {
      const z = truncatedNormal(u, bound);
      const share = (standardNormalCdf(z) - standardNormalCdf(-bound)) / expected;
      inverse = Math.max(inverse, Math.abs(share - u), Math.abs(z) > bound ? Infinity : 0);
    }
  }
  check.atMost("P(|Z| ≤ bound), worst relative error", mass, 1e-12, "2Φ(bound) − 1 of another library");
  check.atMost("Φ at the value of a share, worst error", inverse, 1e-11, "(Φ(z) − Φ(−b))/(2Φ(b) − 1) = u");
  for (const sde of allSdes.map((sde) => withMinimumNoise(sde, 0.002))) {
    const bytes = Float64Array.from({ length: 4000 }, (_, i) => i % 256);
    const { x, logDensity } = truncatedNormalDequantize(bytes, [2, 2000], createRng(check.seed), sde);
    const [alpha, sigma] = [sde.alpha(sde.tMin), sde.sigma(sde.tMin)];
    const z = Float64Array.from(x.dataSync(), (x, i) => (x - alpha * (bytes[i] / 127.5 - 1)) / sigma);
    x.dispose();
    const bound = 1 / 255 / 0.002;
    const shares = z.map((z) =>
      (standardNormalCdf(z) - standardNormalCdf(-bound)) / (2 * standardNormalCdf(bound) - 1)
    );
    checkUniform(check, `${sde.config.kind}: noise over σ`, shares, "normal, cut off at half a bin over ν");
    const expected = [0, 1].map((row) =>
      z.subarray(row * 2000, (row + 1) * 2000).reduce(
        (total, z) =>
          total - z * z / 2 - Math.log(Math.sqrt(2 * Math.PI) * sigma * (2 * standardNormalCdf(bound) - 1)),
        0,
      )
    );
    check.atMost(
      `${sde.config.kind}: log density of 2,000 values, worst error`,
      Math.max(...expected.map((value, row) => Math.abs(value - logDensity[row]))),
      0.05,
      "−z²/2 − ln(√2π σ P); float32 rounds each x by 6e-8, some 3e-5 of σ, with either sign",
      { detectable: "2.5e-5 nats a value" },
    );
  }
});

/** Bytes of three values with known probabilities. */
const levels = [0, 1, 254];
const probabilities = [0.6, 0.3, 0.1];
const entropy = probabilities.reduce((total, p) => total - p * Math.log(p), 0);
const bytesProblem = GaussianMixture.from({
  weights: probabilities,
  means: levels.map((level) => [level / 127.5 - 1]),
  covariances: levels.map(() => [[0]]),
});

claim("truncated normal dequantization gives the bits of bytes with known probabilities", async (check) => {
  // A step of 1e-5 is a hundredth of the smallest noise: at this tolerance one start in 300 was wrong by up to 0.03 bits.
  const method = { kind: "dopri5", rtol: 1e-7, atol: 1e-7, maxAttempts: 1500 } as const;
  for (const sde of [veSde(), vpSde()].map((sde) => withMinimumNoise(sde, 0.001))) {
    const model = scoreModel(bytesProblem, sde);
    const { x, logDensity: noise } = truncatedNormalDequantize(levels, [3, 1], createRng(check.seed), sde);
    const { logDensity } = await logLikelihood(model, x, { method });
    const codes = await encodeLatent(model, x, method);
    const last = tf.tidy(() => {
      return bytesProblem.logDensity(codes.div(sde.alpha(sde.tMax)), noiseRatio(sde, sde.tMax));
    });
    const [ends, late, starts] = [await codes.data(), await last.data(), await x.data()];
    tf.dispose([x, codes, last]);
    const [alpha, ratio] = [sde.alpha(sde.tMin), noiseRatio(sde, sde.tMin)];
    for (const [row, p] of probabilities.entries()) {
      // The prior's mismatch, log N(x_T) − log p_T(x_T), is the model's own.
      const prior = -((ends[row] / sde.priorStd) ** 2 + Math.log(2 * Math.PI * sde.priorStd ** 2)) / 2;
      const mismatch = prior - late[row] + Math.log(sde.alpha(sde.tMax));
      // Near the edge of its bin a byte's density has a share of its neighbour's: 0.01 bits at z = 3.2, one draw in 1,500.
      const kernels = levels.map((level, j) =>
        probabilities[j] * Math.exp(-(((starts[row] / alpha - level / 127.5 + 1) / ratio) ** 2) / 2)
      );
      const own = kernels[row] / kernels.reduce((sum, value) => sum + value);
      check.within(
        `${sde.config.kind}, byte ${levels[row]}: bits`,
        bitsPerDimension(logDensity[row] - mismatch - noise[row], 1, unitWidthBin),
        -Math.log2(p) - Math.log2(normalMass(1 / 255 / 0.001)) + Math.log2(own),
        2e-3,
        "−log₂ P − log₂ P(|Z| ≤ 3.9), less what its neighbours add to the density at x; steps at 1e-7, a ten-thousandth of the " +
          "smallest noise: 6.5e-4 at most over 76 seeds",
        { detectable: "0.002 bits; noise that is left out of the account costs its entropy, 6.9 bits" },
      );
    }
  }
});

claim("the decoder's cost makes the bound one on the entropy of bytes", async (check) => {
  const rows = 2000;
  const z = standardNormalQuantile(1 - alarmRate / 2);
  for (const [smallest, slack] of [[0.0008, 2e-3], [0.004, 0.6]]) {
    const sde = withMinimumNoise(vpSde(), smallest);
    const which = createRng(check.seed).fork("bytes").uniformValues([rows]);
    const drawn = Float32Array.from(which, (u) => levels[u < 0.6 ? 0 : u < 0.9 ? 1 : 2] / 127.5 - 1);
    const x0 = tf.tensor2d(drawn, [rows, 1]);
    const rng = createRng(check.seed).fork("noise");
    const { bound } = await continuousElbo(scoreModel(bytesProblem, sde), x0, { rng, draws: 16 });
    x0.dispose();
    const mean = bound.reduce((a, b) => a + b) / rows;
    const error = Math.sqrt(bound.reduce((total, v) => total + (v - mean) ** 2, 0) / rows / (rows - 1));
    check.within(
      `noise ratio ${smallest}: bound in nats`,
      mean + decoderNats(sde),
      entropy + slack / 2,
      slack / 2 + z * error,
      smallest < 0.001
        ? "H(bytes), which noise of a tenth of a bin leaves as it is"
        : "H(bytes) and, at half a bin of noise, up to 0.6 nats for levels that no byte has",
      { alarmRate, detectable: `${(slack + 2 * z * error).toPrecision(2)} nats` },
    );
  }
  const wide = decoderNats(withMinimumNoise(vpSde(), 0.5));
  const alpha = vpSde().alpha(vpSde().timeAtHalfLogSnr(Math.log(2)));
  check.within(
    "much noise: cost of a value, nats",
    wide,
    -Math.log(2 / 255 * alpha),
    1e-6,
    "the decoder's guess is spread over h(q)/bins: h(q) − ln(α · bin) less h(q)",
  );
});
