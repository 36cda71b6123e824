/** The terms of DDPM's variational bound against their closed forms. @module */
import { linearBetas } from "../../../src/diffusion/beta_schedule.ts";
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel, scoreModelFromNoise } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { logNormalProbability, normalCdf } from "../../../src/math/normal_distribution.ts";
import { discreteElbo, learnVariances, posteriorStep } from "../../../src/likelihood/discrete_bound.ts";
import { discreteDdpm, type Sde } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { claim } from "../../suite/claim.ts";
import { checkVariance, standardNormalCdf } from "../../instruments/statistics.ts";

/** The times n/N of a discrete-time DDPM, down to 1/N. */
const timesOf = (sde: Sde, steps: number) => timeGrid(sde, { kind: "uniform", steps: steps - 1 });

claim("each term of the variational bound is its closed form on Gaussian data", async (check) => {
  const betas = linearBetas(12, 0.01, 0.6);
  const sde = discreteDdpm(betas);
  const times = timesOf(sde, 12);
  const [mean, spread, rows] = [0.4, 0.3, 100_000];
  const problem = new Gaussian({ mean: [mean], variances: [spread ** 2] });
  const model = scoreModel(problem, sde);
  const data = problem.sample(createRng(check.seed).fork("data"), rows);
  /** Var(x_0 | x_t). */
  const posterior = (t: number) => 1 / (1 / spread ** 2 + (sde.alpha(t) / sde.sigma(t)) ** 2);
  const best = Float64Array.from(times, (t, i) => {
    if (i === times.length - 1) return posterior(t);
    const { fromData, variance } = posteriorStep(sde, t, times[i + 1]);
    return variance + fromData ** 2 * posterior(t);
  });
  for (const variances of ["posterior", "forward", best] as const) {
    const name = typeof variances === "string" ? variances : "best";
    const bound = await discreteElbo(model, data, {
      times,
      variances,
      levels: null,
      rng: createRng(check.seed).fork(name),
    });
    for (const [i, terms] of [...bound.steps, bound.reconstruction].entries()) {
      const last = i === times.length - 1;
      const step = last
        ? { fromData: 1, variance: 0, forward: sde.sigma(times[i]) ** 2 }
        : posteriorStep(sde, times[i], times[i + 1]);
      const v = typeof variances !== "string"
        ? variances[i]
        : last || variances === "forward"
        ? step.forward
        : step.variance;
      // Each term is a constant and a multiple of (x_0 − x̂_0)², Gaussian with the posterior's variance.
      const constant = last
        ? 0.5 * Math.log(2 * Math.PI * v)
        : 0.5 * (step.variance / v - 1 - Math.log(step.variance / v));
      const squares = terms.reduce((sum, term) => sum + (term - constant) * 2 * v / step.fromData ** 2, 0) /
        rows;
      checkVariance(
        check,
        `${name}: ${last ? "L_0" : `L_${11 - i}`}, (x_0 − x̂_0)²`,
        squares,
        posterior(times[i]),
        rows,
        "Ho et al. 2020, eq. 5, 7 and 8, solved for the only random part",
      );
    }
    const prior = bound.prior.reduce((sum, value) => sum + value, 0) / rows;
    const [a, s] = [sde.alpha(1), sde.sigma(1)];
    const second = (await tf.mean(tf.square(data)).data())[0];
    check.within(
      `${name}: L_T`,
      prior,
      0.5 * (s ** 2 - 1 - 2 * Math.log(s) + a ** 2 * second),
      1e-6,
      "KL of N(√ᾱ x_0, 1 − ᾱ) from N(0, 1); float32 squares",
    );
  }
  // With the best variances the DDPM is exactly reversible, so the bound's mean is the entropy and the prior's mismatch.
  const [a, s] = [sde.alpha(1), sde.sigma(1)];
  const marginal = a ** 2 * spread ** 2 + s ** 2;
  const expected = 0.5 * Math.log(2 * Math.PI * Math.E * spread ** 2) +
    0.5 * (marginal + (a * mean) ** 2 - 1 - Math.log(marginal));
  let sum = 0.5 * (s ** 2 - 1 - Math.log(s ** 2) + a ** 2 * (spread ** 2 + mean ** 2));
  for (const [i, t] of times.entries()) {
    if (i === times.length - 1) sum += 0.5 * Math.log(2 * Math.PI * best[i]) + 0.5;
    else sum += 0.5 * Math.log(best[i] / posteriorStep(sde, t, times[i + 1]).variance);
  }
  check.within(
    "the best bound's mean",
    sum,
    expected,
    1e-12,
    "entropy of the data plus KL of q(x_T) from the prior: a bound that nothing is lost in",
  );
  const learned = await learnVariances(model, data, { times, rng: createRng(check.seed).fork("learning") });
  for (const [i, t] of times.entries()) {
    const step = i === times.length - 1 ? { fromData: 1, variance: 0 } : posteriorStep(sde, t, times[i + 1]);
    checkVariance(
      check,
      `learned variance of step ${i + 1}, its random part`,
      (learned[i] - step.variance) / step.fromData ** 2,
      posterior(t),
      rows,
      "Bao et al. 2022, theorem 1: ṽ + b² Var(x_0 | x_t)",
    );
  }
  data.dispose();
});

claim("L_0 is the log of a probability over the levels of a pixel", async (check) => {
  const sde = discreteDdpm(linearBetas(10, 0.001, 0.2));
  for (const centre of [-1.4, -0.2, 0.998]) {
    // A model that says x̂_0 = centre whatever it sees: the 256 levels' probabilities are one distribution.
    const model = scoreModelFromNoise(
      sde,
      (x, t) => tf.div(tf.sub(x, sde.alpha(t as number) * centre), sde.sigma(t as number)),
    );
    const data = tf.tensor2d(Float32Array.from({ length: 256 }, (_, byte) => byte / 127.5 - 1), [256, 1]);
    const times = Float64Array.of(1, 0.1);
    const { reconstruction } = await discreteElbo(model, data, { times, rng: createRng(1) });
    data.dispose();
    const sum = reconstruction.reduce((total, value) => total + Math.exp(-value), 0);
    check.within(
      `x̂_0 = ${centre}: probabilities of all levels`,
      sum,
      1,
      2e-5,
      "Ho et al. 2020, eq. 13: intervals that cover the line; float32 states",
    );
    const deviation = sde.sigma(0.1);
    const at = Math.max(1, Math.min(254, Math.round((centre + 1) * 127.5)));
    const level = at / 127.5 - 1;
    const expected = standardNormalCdf((level + 1 / 255 - centre) / deviation) -
      standardNormalCdf((level - 1 / 255 - centre) / deviation);
    check.within(
      `x̂_0 = ${centre}: level ${at}`,
      Math.exp(-reconstruction[at]),
      expected,
      1e-3 * expected + 1e-9,
      "Φ of another library, σ_1² = β_1; float32 states of size 1/σ",
    );
  }
  for (const x of [-7, -1.5, -1e-3, 0, 0.4, 3]) {
    check.within(`Φ(${x})`, normalCdf(x), standardNormalCdf(x), 2e-16 + 1e-15, "another library");
  }
  // Mills' ratio brackets the tail: φ(x)(1/x − 1/x³) < 1 − Φ(x) < φ(x)/x.
  for (const x of [5, 12, 40]) {
    const density = -x * x / 2 - 0.5 * Math.log(2 * Math.PI);
    const value = logNormalProbability(x, Infinity);
    check.holds(
      `ln P(Z > ${x}) = ${value}`,
      value < density - Math.log(x) && value > density + Math.log(1 / x - x ** -3),
      "Mills' ratio",
    );
  }
});

claim("every term is its closed form where a network's error is 1 and the grid ends late", async (check) => {
  // Three steps with β = 0.3, 0.4, 0.5: ᾱ_1 = 0.7, ᾱ_2 = 0.42, ᾱ_3 = 0.21. Data at 0 are √(1 − ᾱ) ε.
  const sde = discreteDdpm([0.3, 0.4, 0.5]);
  const deviation = (t: number) => Math.sqrt(1 - [0.7, 0.42, 0.21][Math.round(3 * t) - 1]);
  const model = scoreModelFromNoise(sde, (x, t) => x.div(deviation(t as number)).add(1));
  const data = tf.zeros([4, 2]);
  const times = Float64Array.of(1, 2 / 3, 1 / 3);
  for (const variances of ["posterior", "forward"] as const) {
    const { prior, steps, reconstruction } = await discreteElbo(model, data, {
      times,
      rng: createRng(check.seed),
      levels: null,
      variances,
    });
    // Ho et al. 2020, eq. 8 and 12: β_n²/(2 v α_n (1 − ᾱ_n)) ‖ε̂ − ε‖² with ‖ε̂ − ε‖² = 2, and the variances' ratio.
    const step = (beta: number, product: number, before: number) => {
      const least = (1 - before) / (1 - product) * beta;
      const v = variances === "posterior" ? least : beta;
      return beta ** 2 / (v * (1 - beta) * (1 - product)) + least / v - 1 - Math.log(least / v);
    };
    // p(x_0 | x_1) = N(x̂_0, β_1), and x̂_0 is off by √((1 − ᾱ_1)/ᾱ_1) in each of two coordinates.
    const last = Math.log(2 * Math.PI * 0.3) + 0.3 / 0.7 / 0.3;
    const expected = [0.79 - 1 - Math.log(0.79), step(0.5, 0.21, 0.42), step(0.4, 0.42, 0.7), last];
    for (const [i, terms] of [prior, ...steps, reconstruction].entries()) {
      for (const [row, term] of terms.entries()) {
        check.within(
          `${variances}: ${["L_T", "L_2", "L_1", "L_0"][i]} of sample ${row}`,
          term,
          expected[i],
          1e-5,
          "Ho et al. 2020, eq. 5, 7, 8 and 12, without a random part; float32 states",
          { detectable: "σ/α for σ, 0.36 in L_0" },
        );
      }
    }
  }
  data.dispose();
});

claim("invalid times and variances of a bound are refused", async (check) => {
  const model = scoreModel(
    new Gaussian({ mean: [0], variances: [1] }),
    discreteDdpm(linearBetas(4, 0.1, 0.4)),
  );
  const data = tf.zeros([2, 1]);
  const rng = createRng(1);
  await check.throws(
    "a late start",
    () => discreteElbo(model, data, { times: Float64Array.of(0.5, 0.25), rng }),
    /begin with tMax = 1, got 0\.5/,
  );
  await check.throws(
    "times that rise",
    () => discreteElbo(model, data, { times: Float64Array.of(1, 0.25, 0.5), rng }),
    /decrease and be positive, got 0\.5 after 0\.25/,
  );
  await check.throws(
    "too few variances",
    () => discreteElbo(model, data, { times: Float64Array.of(1, 0.5), rng, variances: Float64Array.of(1) }),
    /2 times need 2 variances, .*: got 1/,
  );
  await check.throws(
    "no variance",
    () =>
      discreteElbo(model, data, {
        times: Float64Array.of(1, 0.5),
        rng,
        variances: Float64Array.of(0, 1),
      }),
    /variance of step 1 must be a positive number, got 0/,
  );
  data.dispose();
});
