/** Claims about the experiments in the plane: their distributions, the dynamics in them, proportions of modes, films. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { PointCloud } from "../../../src/distributions/point_cloud.ts";
import { toyByName, toyDistribution } from "../../../src/distributions/toys.ts";
import { densityAnimation } from "../../../src/experiments/density_animation.ts";
import {
  LOWEST_NOISE,
  measureLangevin,
  modeShares,
  runLangevin,
} from "../../../src/experiments/exact_langevin.ts";
import { type LearnedField, learnFields, measureFields } from "../../../src/experiments/learned_fields.ts";
import { measureModes, separatedModes } from "../../../src/experiments/mode_proportions.ts";
import { annealedLangevin } from "../../../src/samplers/annealed_langevin.ts";
import { eulerMaruyama } from "../../../src/samplers/euler_maruyama.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { distributionFunction, ownDistributions } from "../../instruments/sampler_distribution.ts";
import { exactScore } from "../../../src/experiments/plane.ts";
import { wilsonInterval } from "../../../src/metrics/wilson_interval.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { veSde, vpSde } from "../../../src/diffusion/sde.ts";
import { claim } from "../../suite/claim.ts";
import {
  alarmRate,
  binomialInterval,
  checkMean,
  checkProportion,
  checkUniform,
  checkVariance,
  standardNormalCdf,
} from "../../instruments/statistics.ts";

claim("a point cloud's density is the mixture of Gaussians around its points", (check) => {
  const points = [[-1, 0.5], [0.2, 1], [0.3, 0.9], [2, -1]];
  const covariances = points.map(() => [[0.09, 0], [0, 0.09]]);
  const mixture = GaussianMixture.from({ weights: points.map(() => 1), means: points, covariances });
  const cloud = new PointCloud(points.flat(), 2, 0.3);
  const y = [[0, 0], [0.25, 0.95], [-3, 2], [6, 6], [1, -0.2]];
  const ratios = Float64Array.from([0.01, 0.1, 0.5, 2, 40]);
  const worst = tf.tidy(() => {
    const rows = tf.tensor2d(y);
    const apart = (a: tf.Tensor, b: tf.Tensor) =>
      tf.max(tf.div(tf.abs(tf.sub(a, b)), tf.add(tf.abs(b), 1))).dataSync()[0];
    return {
      noise: apart(cloud.predictNoise(rows, ratios), mixture.predictNoise(rows, ratios)),
      mean: apart(cloud.posteriorMean(rows, ratios), mixture.posteriorMean(rows, ratios)),
      density: apart(cloud.logDensity(rows, ratios), mixture.logDensity(rows, ratios)),
    };
  });
  for (const [what, error] of Object.entries(worst)) {
    check.atMost(
      what,
      error,
      2e-5,
      "GaussianMixture, written apart from it; float32 at exponents of hundreds",
    );
  }
});

claim(
  "the exact distributions of curves and boards are those that their data sets draw from",
  async (check) => {
    const count = 1500;
    for (const name of ["moons", "rings", "checkerboard", "swiss-roll"] as const) {
      const distribution = toyDistribution(name);
      if (!(distribution instanceof PointCloud)) throw new TypeError(`${name} is no cloud`);
      const drawn = toyByName(name).sample(createRng(check.seed).fork(name), count);
      const x = await drawn.data();
      drawn.dispose();
      const [cos, sin] = [Math.cos(0.7), Math.sin(0.7)];
      const places = Float64Array.from(
        { length: distribution.points.length / 2 },
        (_, k) => cos * distribution.points[2 * k] + sin * distribution.points[2 * k + 1],
      );
      const values = Float64Array.from({ length: count }, (_, i) => {
        const at = cos * x[2 * i] + sin * x[2 * i + 1];
        return places.reduce((sum, place) => sum + standardNormalCdf((at - place) / distribution.std), 0) /
          places.length;
      });
      checkUniform(
        check,
        `${name} along (cos 0.7, sin 0.7)`,
        values,
        "the projection is a mixture of normals",
      );
    }
  },
);

claim("Wilson's interval is the set of probabilities that a score test keeps", async (check) => {
  for (const [successes, n] of [[0, 10], [7, 10], [800, 1000], [1000, 1000]]) {
    const { share, low, high } = wilsonInterval(successes, n, 2);
    check.equal(`${successes} of ${n}: share`, share, successes / n, "by hand");
    for (const end of [low, high].filter((end) => end > 0 && end < 1)) {
      const score = Math.abs(share - end) / Math.sqrt(end * (1 - end) / n);
      check.within(`${successes} of ${n}: score at ${end.toFixed(3)}`, score, 2, 1e-9, "Wilson 1927");
    }
  }
  await check.throws(
    "too many",
    () => wilsonInterval(3, 2),
    /successes must be a whole number from 0 to 2, got 3/,
  );
  await check.throws("of none", () => wilsonInterval(0, 0), /n must be a positive integer, got 0/);
});

claim(
  "Langevin dynamics in an exact field draws the distribution that its step size gives",
  async (check) => {
    const gaussian = new Gaussian({ mean: [0.5, -1], variances: [0.25, 0.25] });
    const [count, stepSize] = [4000, 0.05];
    // A move multiplies the offset by a = 1 − ε/C and adds 2ε: after many, 2ε/(1 − a²) = C/(1 − ε/2C).
    const variance = 0.25 + LOWEST_NOISE ** 2;
    const rng = createRng(check.seed);
    const run = await runLangevin(gaussian, { count, steps: 60, stepSize, rng, looks: 3, followed: 2 });
    check.equal("looks", run.steps, [0, 20, 40, 60], "evenly");
    const x = run.states[3];
    for (const i of [0, 1]) {
      const values = Float64Array.from({ length: count }, (_, k) => x[2 * k + i]);
      const expected = variance / (1 - stepSize / (2 * variance));
      const squares = values.reduce((sum, value) => sum + (value - gaussian.mean[i]) ** 2, 0) / count;
      checkVariance(check, `coordinate ${i}`, squares, expected, count, "C/(1 − ε/2C), exact");
      const mean = values.reduce((sum, value) => sum + value, 0) / count;
      checkMean(
        check,
        `coordinate ${i}: mean`,
        mean,
        gaussian.mean[i],
        Math.sqrt(expected),
        count,
        "N(μ, ·)",
      );
    }
    check.equal(
      "a path ends at its particle",
      [...run.paths[1].slice(-2)],
      [...x.slice(2, 4)],
      "the same state",
    );
    const again = await runLangevin(gaussian, { count: 10, steps: 60, stepSize, rng, looks: 3 });
    check.equal(
      "fewer particles, the same ones",
      [...again.states[3]],
      [...x.slice(0, 20)],
      "rows are apart",
    );
  },
);

claim("distances to true samples fall to those between two sets of true samples", async (check) => {
  const mixture = toyDistribution("mixture") as GaussianMixture;
  const options = { count: 500, steps: 300, stepSize: 0.0125, rng: createRng(check.seed), looks: 3 };
  const { curve, modes, truth, run } = await measureLangevin(mixture, options);
  const [start, end] = [curve[0], curve[curve.length - 1]];
  // Most of what chance does is to the share of a mode: Δp of two samples, six standard deviations, moved by the modes' distance.
  const share = 6.1 ** 2 * 2 * 0.2 * 0.8 / options.count;
  const bound = 1.1 * 2 * share * Math.hypot(2, 2);
  const source =
    "2 Δp² |μ_1 − μ_2| for two shares that differ by six standard deviations, and a tenth for what else differs, which is of order 1/n";
  check.atMost("energy at the end", end.energy, bound, source, { alarmRate });
  check.atLeast("energy at the start", start.energy, bound, "a distribution of another shape");
  check.within("shares of modes", modes.reduce((sum, { share }) => sum + share, 0), 1, 1e-12, "each has one");
  check.equal("weights", modes.map(({ weight }) => weight.toFixed(3)), ["0.200", "0.800"], "the mixture's");
  check.equal("sizes", [truth.length, run.states[3].length], [1000, 1000], "[count, 2]");
  const shares = modeShares(mixture, Float32Array.from([-1, -1, 1, 1, 0.9, 1.1]));
  check.equal("two of three", shares.map(({ share }) => share.toFixed(2)), ["0.33", "0.67"], "by eye");
});

claim(
  "plain Langevin dynamics gets the proportions of modes wrong; annealed and the reverse SDE get them right",
  async (check) => {
    const [count, weight] = [1000, 0.8];
    const rows = await measureModes({
      count,
      steps: 400,
      weight,
      separation: 12,
      rng: createRng(check.seed),
    });
    const [plain, annealed, reverse] = rows.map(({ heavier }) => Math.round(heavier.share * count));
    const { least } = binomialInterval(count, weight, alarmRate);
    check.atMost(
      "plain Langevin: samples in the heavier mode",
      plain,
      least - 1,
      `below what 0.8 of ${count} gives but for ${alarmRate}: it keeps its start's half`,
      { alarmRate, detectable: "a sampler that crosses between the modes" },
    );
    // Both modes lie on the diagonal and are round: along it the score is that of a mixture on a line.
    const line = scoreModel(
      GaussianMixture.from({
        weights: [1 - weight, weight],
        means: [[-1.8], [1.8]],
        covariances: [[[0.09]], [[0.09]]],
      }),
      veSde({ sigmaMin: 0.05, sigmaMax: 10 }),
    );
    const own = async (stages: Sampler[], steps: number) => {
      const { denoised } = await ownDistributions(
        line,
        stages,
        timeGrid(line.sde, { kind: "uniform", steps }),
        undefined,
        120,
      );
      return 1 - distributionFunction(denoised, 0);
    };
    const moves = Array.from({ length: 40 }, () => annealedLangevin({ steps: 1 }));
    const distributions = [["annealed Langevin", annealed, await own(moves, 10)], [
      "reverse SDE",
      reverse,
      await own([eulerMaruyama()], 100),
    ]] as const;
    for (const [name, drawn, share] of distributions) {
      checkProportion(
        check,
        name,
        drawn,
        count,
        share,
        "the sampler's own distribution, carried through its steps on a line",
      );
      check.within(
        `${name}: the weight in its own distribution`,
        share,
        weight,
        (weight - 0.5) / 8,
        "an eighth of what plain Langevin is wrong by; Song & Ermon 2019, Section 4.2; no chance in it",
      );
    }
    for (const { sampler, samples, paths, heavier } of rows) {
      check.equal(`${sampler}: samples`, samples.length, 2 * count, "[count, 2]");
      const end = paths[0].slice(-2);
      check.equal(
        `${sampler}: a path ends at its sample`,
        [...end],
        [...samples.slice(0, 2)],
        "the same point",
      );
      const far = samples.filter((x, i) => i % 2 === 0 && Math.abs(Math.abs(x) - 1.27) > 1.5).length;
      check.atMost(
        `${sampler}: samples more than five deviations from both modes`,
        far,
        3,
        "it converged in each mode; a normal variable is there with probability 5.7e-7, one a tenth wider with 5.4e-6, so four " +
          "of a thousand are with (5.4e-3)⁴/4! at most",
        { alarmRate: 4e-11, detectable: "two in a hundred between or beyond the modes" },
      );
      check.holds(
        `${sampler}: interval`,
        heavier.low < heavier.share && heavier.share < heavier.high,
        "Wilson",
      );
    }
    check.equal(
      "weights",
      [...separatedModes().weights].map((w) => w.toFixed(2)),
      ["0.20", "0.80"],
      "defaults",
    );
  },
);

claim(
  "a density animation shows the forward distribution, the prior and the flow of a Gaussian",
  async (check) => {
    const distribution = GaussianMixture.from({
      weights: [1],
      means: [[0.5, -0.5]],
      covariances: [[[0.5, 0], [0, 0.5]]],
    });
    const [sde, moments, count] = [vpSde(), 5, 2000];
    const options = { moments, count, rng: createRng(check.seed) };
    const { times, forward, reverse, flow } = await densityAnimation(distribution, options);
    check.equal(
      "times",
      [times.length, times[0], times[moments - 1]],
      [moments, sde.tMin, sde.tMax],
      "increasing",
    );
    const moment = (state: Float32Array, centre: number) =>
      state.reduce((sum, value, i) => sum + (i % 2 === 0 ? (value - centre) ** 2 : 0), 0) / count;
    times.forEach((t, k) => {
      const expected = sde.alpha(t) ** 2 * 0.5 + sde.sigma(t) ** 2;
      checkVariance(
        check,
        `forward at ${t.toFixed(3)}`,
        moment(forward[k], 0.5 * sde.alpha(t)),
        expected,
        count,
        "α²C + σ²",
      );
    });
    checkVariance(check, "reverse at the prior", moment(reverse[moments - 1], 0), 1, count, "N(0, 1)");
    // Euler–Maruyama on a Gaussian: x_s = x − h (f x + g² (x − α m)/C) + g √h z, whose moments follow step by step.
    let [mean, variance] = [0, 1];
    const fine = timeGrid(sde, { kind: "quadratic", steps: 32 });
    for (let k = 0; k < 32; k++) {
      const [t, h] = [fine[k], fine[k] - fine[k + 1]];
      const pull = h * sde.diffusionCoefficient(t) ** 2 / (sde.alpha(t) ** 2 * 0.5 + sde.sigma(t) ** 2);
      const gain = 1 - h * sde.driftCoefficient(t) - pull;
      mean = gain * mean + pull * sde.alpha(t) * 0.5;
      variance = gain ** 2 * variance + h * sde.diffusionCoefficient(t) ** 2;
    }
    const source = "Euler–Maruyama's moments on a Gaussian, 32 steps in float64";
    checkVariance(check, "reverse at the data: variance", moment(reverse[0], mean), variance, count, source);
    const first = reverse[0].reduce((sum, value, i) => sum + (i % 2 === 0 ? value : 0), 0) / count;
    checkMean(check, "reverse at the data: mean", first, mean, Math.sqrt(variance), count, source);
    const spread = (t: number) => Math.sqrt(sde.alpha(t) ** 2 * 0.5 + sde.sigma(t) ** 2);
    const worst = Math.max(...flow.map((path) => {
      const [start, end] = [path[2 * moments - 2], path[0]];
      const expected = 0.5 * sde.alpha(times[0]) +
        spread(times[0]) / spread(1) * (start - 0.5 * sde.alpha(1));
      return Math.abs(end - expected);
    }));
    check.atMost(
      "flow from noise to data",
      worst,
      2e-3,
      "x_s = μ_s + √(C_s/C_t)(x_t − μ_t); RK4 at 32 steps",
    );
    const again = await densityAnimation(distribution, options);
    check.equal("again", String(again.reverse[0]) === String(reverse[0]), true, "the same generator");
  },
);

claim("the true field has relative error 0, and the zero field has 1", async (check) => {
  const distribution = toyDistribution("banana");
  const field = (method: LearnedField["method"], score: LearnedField["score"]): LearnedField => ({
    method,
    score,
    dispose: () => {},
  });
  const fields = [
    field("noise-conditional", (x, ratio) => exactScore(distribution, x, ratio)),
    field("implicit", (x) => tf.zerosLike(x)),
  ];
  const before = tf.memory().numTensors;
  const { levels, share, fields: [exact, silent], truth } = await measureFields(distribution, fields, {
    sigma: 0.3,
    seed: check.seed,
    count: 1000,
  });
  check.equal("tensors left", tf.memory().numTensors - before, 0, "whoever gets a tensor owns it");
  check.equal(
    "exact",
    [exact.relative, ...exact.byLevel, ...exact.byDensity].filter((e) => e !== 0),
    [],
    "0",
  );
  check.equal("exact: its arrows", String(exact.vectors), String(truth), "the same field");
  check.equal("silent: relative", silent.relative, 1, "E‖s*‖²/E‖s*‖²");
  // ν²E‖s*‖²/2 is the noise that a noise predictor can predict: 1 less the posterior variance of the noise.
  check.holds(
    "silent: by level",
    silent.byLevel.every((e, i) => e > (silent.byLevel[i - 1] ?? 0)),
    "it grows",
  );
  check.within(
    "silent: at the highest level",
    silent.byLevel[levels.length - 1],
    0.92,
    0.12,
    "ν²/(C + ν²), C ≈ 1",
  );
  check.holds("share", share.every((s, i) => i === 0 || s <= share[i - 1]), "densest first");
  check.within("shares", share.reduce((a, b) => a + b, 0), 1, 1e-12, "of one");
});

claim("learned fields are accurate where data are dense, and wrong where they are sparse", {
  slow: {
    files: ["src/distributions", "src/experiments", "src/objectives", "verify/claims/experiments/plane.ts"],
  },
}, async (check) => {
  const distribution = toyDistribution("mixture");
  const sigma = 0.2;
  const fields = await learnFields(distribution, { sigma, steps: 1000, seed: 1 });
  const report = await measureFields(distribution, fields, { sigma, seed: 2 });
  for (const field of fields) field.dispose();
  for (const { method, relative, byDensity } of report.fields) {
    check.atMost(`${method}: E‖s − s*‖²/E‖s*‖²`, relative, 0.1, "a network that says nothing has 1");
    check.atLeast(
      `${method}: sparsest over densest tenth`,
      byDensity[9] / byDensity[0],
      2,
      "no data say what the field is there: Song & Ermon 2019, Section 3.2.1",
    );
  }
  const rows = report.fields.map(({ method, relative, byDensity }) => [
    method,
    relative.toPrecision(2),
    byDensity[0].toPrecision(2),
    byDensity[9].toPrecision(2),
  ]);
  check.table("Learned fields", ["method", "relative error", "densest tenth", "sparsest tenth"], rows);
});

claim("experiments refuse invalid numbers", async (check) => {
  const distribution = toyDistribution("mixture");
  const rng = createRng(0);
  const run = { count: 10, steps: 5, stepSize: 0.1, rng };
  await check.throws(
    "count",
    () => runLangevin(distribution, { ...run, count: 1 }),
    /count must be a whole number from 2, got 1/,
  );
  await check.throws(
    "steps",
    () => runLangevin(distribution, { ...run, steps: 0 }),
    /steps must be a positive integer, got 0/,
  );
  await check.throws(
    "ε",
    () => runLangevin(distribution, { ...run, stepSize: -1 }),
    /stepSize must be a positive number, got -1/,
  );
  await check.throws(
    "moments",
    () => densityAnimation(distribution, { moments: 1, count: 1, rng }),
    /moments must be .* from 2, got 1/,
  );
  await check.throws(
    "points",
    () => new PointCloud([1, 2, 3], 2, 1),
    /3 numbers are no positive number of 2-dim/,
  );
  await check.throws("std", () => new PointCloud([1, 2], 2, -1), /std must be a number from 0, got -1/);
  await check.throws(
    "a distribution",
    () => toyDistribution("spiral" as "moons"),
    /unknown 2-D data set "spiral"/,
  );
});
