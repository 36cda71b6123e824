/**
 * The bound on likelihoods by the weighted denoising loss, and bytes under diffusions: noise that spreads them, what
 * decoding them costs.
 * @module
 */
import { createRng } from "../src/compute/rng.ts";
import * as tf from "../src/compute/tf.ts";
import { type Denoiser, scoreModel } from "../src/denoiser.ts";
import { bitsPerDimension, decodingCost, dequantizeByNoise, unitBin } from "../src/dequantization.ts";
import { Gaussian } from "../src/distributions/gaussian.ts";
import { GaussianMixture } from "../src/distributions/gaussian_mixture.ts";
import { encode } from "../src/latent_codes.ts";
import { logLikelihood } from "../src/likelihood.ts";
import { likelihoodBound } from "../src/likelihood_bound.ts";
import { noiseRatio, type Sde, veSde, vpSde } from "../src/sde.ts";
import { withSmallestNoise } from "../src/smallest_noise.ts";
import { normalMass, truncatedNormal } from "../src/truncated_normal.ts";
import { claim } from "./claim.ts";
import { alarmRate, checkUniform, standardNormalCdf, standardNormalQuantile } from "./statistics.ts";
import { allSdes, mixture } from "./worlds.ts";

const variances = [1.5, 0.4, 0.05];
const dimension = variances.length;
const world = new Gaussian({ mean: [0, 0, 0], variances });

/** Variance of coordinate i of x(t). */
const spread = (sde: Sde, i: number, t: number) => sde.alpha(t) ** 2 * variances[i] + sde.sigma(t) ** 2;

/** −E log q(X) for X ~ N(0, variance) and q = N(0, model). */
const crossEntropy = (variance: number, model: number) =>
  (Math.log(2 * Math.PI * model) + variance / model) / 2;

const sum = (f: (i: number) => number) => variances.reduce((total, _, i) => total + f(i), 0);

/** Steps of the trapezoidal rule over ln ν, and of the moments' equation. */
const STEPS = 4000;

/** Times from tMin to tMax that are even in ln ν. */
function evenTimes(sde: Sde): number[] {
  const [first, last] = [sde.tMin, sde.tMax].map((t) => -Math.log(noiseRatio(sde, t)));
  return Array.from({ length: STEPS + 1 }, (_, k) => sde.timeOfLogSnr(first + (last - first) * k / STEPS));
}

/**
 * The bound's mean over data where the predicted noise is `factor` times the exact one:
 * E‖a ε̂* − ε‖² = Σ [v + (1 − a)² (1 − v)], v = λ/(λ + ν²), and ½ ∫ g²/σ² … dt = ∫ … d ln ν.
 */
function boundOf(sde: Sde, factor: number): number {
  const [first, last] = [sde.tMin, sde.tMax].map((t) => Math.log(noiseRatio(sde, t)));
  const error = (ratio: number) =>
    sum((i) => {
      const v = variances[i] / (variances[i] + ratio ** 2);
      return v + (1 - factor) ** 2 * (1 - v);
    });
  let loss = 0;
  for (let k = 0; k <= STEPS; k++) {
    const ratio = Math.exp(first + (last - first) * k / STEPS);
    loss += (k === 0 || k === STEPS ? 0.5 : 1) * error(ratio) * (last - first) / STEPS;
  }
  const [early, late] = [sde.sigma(sde.tMin) ** 2, sde.sigma(sde.tMax) ** 2 / sde.priorStd ** 2];
  const prior = sum((i) =>
    ((sde.alpha(sde.tMax) / sde.priorStd) ** 2 * variances[i] + late - 1 - Math.log(late)) / 2
  );
  return dimension * crossEntropy(early, early) + prior + loss;
}

/**
 * Variance at tMin of coordinate i of the model's reverse SDE, started from the prior: with the score −a x/C(t) it obeys
 * dV/dt = 2 (f + a g²/C) V − g², backwards in time; Runge–Kutta 4 on times even in ln ν.
 */
function reverseVariance(sde: Sde, i: number, factor: number): number {
  const slope = (t: number, v: number) => {
    const g2 = sde.diffusion(t) ** 2;
    return 2 * (sde.drift(t) + factor * g2 / spread(sde, i, t)) * v - g2;
  };
  const times = evenTimes(sde).reverse();
  let v = sde.priorStd ** 2;
  for (let k = 0; k < STEPS; k++) {
    const [t, h] = [times[k], times[k + 1] - times[k]];
    const k1 = slope(t, v);
    const k2 = slope(t + h / 2, v + h / 2 * k1);
    const k3 = slope(t + h / 2, v + h / 2 * k2);
    const k4 = slope(t + h, v + h * k3);
    v += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
  }
  return v;
}

claim(
  "the likelihood-weighted loss bounds the likelihood of the reverse SDE, and is exact but for the prior where the score is",
  async (check) => {
    const [rows, draws] = [2048, 4];
    const z = standardNormalQuantile(1 - alarmRate / 2);
    const table: string[][] = [];
    for (const sde of allSdes) {
      const { kind } = sde.config;
      const entropy = sum((i) => crossEntropy(spread(sde, i, sde.tMin), spread(sde, i, sde.tMin)));
      const mismatch = sum((i) => {
        const late = spread(sde, i, sde.tMax);
        return crossEntropy(late, sde.priorStd ** 2) - crossEntropy(late, late);
      });
      check.within(
        `${kind}: mean of the bound where the score is exact`,
        boundOf(sde, 1),
        entropy + mismatch,
        1e-5,
        "H(p_tMin) + KL(p_tMax ‖ prior), what the probability flow gives too; Song et al. 2021, Theorem 2",
        { detectable: "1e-5 nats" },
      );
      const silent = scoreModel({ noise: (y) => tf.zerosLike(y) }, sde);
      const at = async (x: number[]) => {
        const x0 = tf.tensor2d([x]);
        const { bound } = await likelihoodBound(silent, x0, { rng: createRng(check.seed) });
        x0.dispose();
        return bound[0];
      };
      check.within(
        `${kind}: what data 5 away from 0 cost more under a silent network, relative`,
        (await at([3, 4, 0]) - await at([0, 0, 0])) / (12.5 * (sde.alpha(sde.tMax) / sde.priorStd) ** 2),
        1,
        1e-9,
        "‖α x_0‖²/(2 priorStd²) at tMax, the loss being ‖ε‖² for both",
      );
      for (const factor of [1, 0.8, 1.2]) {
        const exact = sum((i) => crossEntropy(spread(sde, i, sde.tMin), reverseVariance(sde, i, factor)));
        const bound = boundOf(sde, factor);
        check.atLeast(
          `${kind}, noise × ${factor}: bound less −E log p of the reverse SDE, nats`,
          bound - exact,
          -1e-5,
          "Song et al. 2021, Theorem 3; the SDE's law by its moment equation",
        );
        const scaled: Denoiser = { noise: (y, ratio) => tf.tidy(() => world.noise(y, ratio).mul(factor)) };
        const rng = createRng(check.seed).fork(`${kind} ${factor}`);
        const data = world.sample(rng.fork("data"), rows);
        const estimate = await likelihoodBound(scoreModel(scaled, sde), data, { rng, draws });
        data.dispose();
        const mean = estimate.bound.reduce((a, b) => a + b) / rows;
        const squares = estimate.bound.reduce((total, value) => total + (value - mean) ** 2, 0);
        const tolerance = z * Math.sqrt(squares / (rows - 1) / rows) + 1e-4;
        check.within(
          `${kind}, noise × ${factor}: mean of the estimate over ${rows} points`,
          mean,
          bound,
          tolerance,
          "E‖a ε̂* − ε‖² in closed form, integrated over ln ν",
          { alarmRate, detectable: `${(2 * tolerance).toPrecision(2)} nats` },
        );
        table.push([kind, String(factor), ...[exact, bound, mean].map((value) => value.toFixed(3))]);
      }
    }
    check.table(
      "−E log p(x(tMin)) of N(0, diag(1.5, .4, .05)), nats",
      ["SDE", "noise ×", "reverse SDE", "bound", "estimate"],
      table,
    );
  },
);

claim("a sample's bound does not depend on its batch-mates, and leaves no tensors", async (check) => {
  const model = scoreModel(mixture, vpSde());
  const points = [[0.1, 0.4, 0.2], [-1.5, 0.6, 0.1], [3, -2, 1]];
  const run = async (first: number, rows: number[][]) => {
    const x = tf.tensor2d(rows);
    const before = tf.memory().numTensors;
    const { bound } = await likelihoodBound(model, x, { rng: createRng(5).startingAt(first), draws: 3 });
    check.equal("tensors left", tf.memory().numTensors - before, 0, "none");
    x.dispose();
    return Array.from(bound);
  };
  const whole = await run(0, points);
  check.equal(
    "split",
    [...await run(0, points.slice(0, 1)), ...await run(1, points.slice(1))],
    whole,
    "streams",
  );
  const x = tf.tensor2d(points);
  const bad: [string, () => unknown, RegExp][] = [
    ["draws", () => likelihoodBound(model, x, { rng: createRng(1), draws: 0 }), /draws .* got 0/],
    ["a shape", () => likelihoodBound(model, tf.scalar(1), { rng: createRng(1) }), /x0 must be .* got \[\]/],
    ["no noise", () => withSmallestNoise(vpSde(), 0), /smallest noise ratio must be positive .* got 0/],
    ["too much noise", () => withSmallestNoise(vpSde(), 1e3), /below 152, got 1000/],
  ];
  for (const [what, action, message] of bad) await check.throws(what, action, message);
  x.dispose();
});

claim("an SDE begins at the noise that it is asked to begin at, and ends where it did", (check) => {
  for (const sde of allSdes) {
    for (const smallest of [0.0013, 0.3]) {
      const cut = withSmallestNoise(sde, smallest);
      const { kind } = sde.config;
      const [first, last] = [
        noiseRatio(cut, cut.tMin) / smallest,
        noiseRatio(cut, cut.tMax) / noiseRatio(sde, sde.tMax),
      ];
      check.within(`${kind} from ${smallest}: first noise ratio, relative`, first, 1, 1e-9, "as asked");
      check.within(`${kind} from ${smallest}: last noise ratio, relative`, last, 1, 1e-12, "unchanged");
    }
  }
});

claim("cut-off normal noise has its law, and its mass is the normal distribution's", (check) => {
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
  for (const sde of allSdes.map((sde) => withSmallestNoise(sde, 0.002))) {
    const bytes = Float64Array.from({ length: 4000 }, (_, i) => i % 256);
    const { x, logDensity } = dequantizeByNoise(bytes, [2, 2000], createRng(check.seed), sde);
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
const bytesWorld = GaussianMixture.from({
  weights: probabilities,
  means: levels.map((level) => [level / 127.5 - 1]),
  covariances: levels.map(() => [[0]]),
});

claim("of bytes whose probabilities are known, noise that is cut off tells the bits", async (check) => {
  const method = { kind: "dopri5", rtol: 1e-5, atol: 1e-5 } as const;
  for (const sde of [veSde(), vpSde()].map((sde) => withSmallestNoise(sde, 0.001))) {
    const model = scoreModel(bytesWorld, sde);
    const { x, logDensity: noise } = dequantizeByNoise(levels, [3, 1], createRng(check.seed), sde);
    const { logDensity } = await logLikelihood(model, x, { method });
    const codes = await encode(model, x, method);
    const last = tf.tidy(() => {
      return bytesWorld.logDensity(codes.div(sde.alpha(sde.tMax)), noiseRatio(sde, sde.tMax));
    });
    const [ends, late] = [await codes.data(), await last.data()];
    tf.dispose([x, codes, last]);
    for (const [row, p] of probabilities.entries()) {
      // The prior's mismatch, log N(x_T) − log p_T(x_T), is the model's own.
      const prior = -((ends[row] / sde.priorStd) ** 2 + Math.log(2 * Math.PI * sde.priorStd ** 2)) / 2;
      const mismatch = prior - late[row] + Math.log(sde.alpha(sde.tMax));
      check.within(
        `${sde.config.kind}, byte ${levels[row]}: bits`,
        bitsPerDimension(logDensity[row] - mismatch - noise[row], 1, unitBin),
        -Math.log2(p) - Math.log2(normalMass(1 / 255 / 0.001)),
        1e-2,
        "−log₂ P − log₂ P(|Z| ≤ 3.9), the neighbours' share being below 1e-6; some 60 steps at 1e-5 of integrals up to 12",
        { detectable: "0.01 bits; noise that is left out of the account costs its entropy, 6.9 bits" },
      );
    }
  }
});

claim("what decoding costs makes the bound one on the entropy of bytes", async (check) => {
  const rows = 2000;
  const z = standardNormalQuantile(1 - alarmRate / 2);
  for (const [smallest, slack] of [[0.0008, 2e-3], [0.004, 0.6]]) {
    const sde = withSmallestNoise(vpSde(), smallest);
    const which = createRng(check.seed).fork("bytes").uniformValues([rows]);
    const drawn = Float32Array.from(which, (u) => levels[u < 0.6 ? 0 : u < 0.9 ? 1 : 2] / 127.5 - 1);
    const x0 = tf.tensor2d(drawn, [rows, 1]);
    const rng = createRng(check.seed).fork("noise");
    const { bound } = await likelihoodBound(scoreModel(bytesWorld, sde), x0, { rng, draws: 16 });
    x0.dispose();
    const mean = bound.reduce((a, b) => a + b) / rows;
    const error = Math.sqrt(bound.reduce((total, v) => total + (v - mean) ** 2, 0) / rows / (rows - 1));
    check.within(
      `noise ratio ${smallest}: bound in nats`,
      mean + decodingCost(sde),
      entropy + slack / 2,
      slack / 2 + z * error,
      smallest < 0.001
        ? "H(bytes), which noise of a tenth of a bin leaves as it is"
        : "H(bytes) and, at half a bin of noise, up to 0.6 nats for levels that no byte has",
      { alarmRate, detectable: `${(slack + 2 * z * error).toPrecision(2)} nats` },
    );
  }
  const wide = decodingCost(withSmallestNoise(vpSde(), 0.5));
  const alpha = vpSde().alpha(vpSde().timeOfLogSnr(Math.log(2)));
  check.within(
    "much noise: cost of a value, nats",
    wide,
    -Math.log(2 / 255 * alpha),
    1e-6,
    "the decoder's guess is spread over h(q)/bins: h(q) − ln(α · bin) less h(q)",
  );
});
