/**
 * The bound on likelihoods by the weighted denoising loss.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { type NoisePredictor, scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { continuousElbo } from "../../../src/likelihood/continuous_bound.ts";
import {
  discreteDdpm,
  noiseRatio,
  type Sde,
  sigmaPowerSde,
  subVpSde,
  veSde,
  vpSde,
} from "../../../src/diffusion/sde.ts";
import { withMinimumNoise } from "../../../src/diffusion/sde_registry.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { alarmRate, standardNormalQuantile } from "../../instruments/statistics.ts";
import { mixture } from "../../problems/mixtures.ts";
import { allSdes } from "../../problems/sdes.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const variances = [1.5, 0.4, 0.05];
const dimension = variances.length;
const problem = new Gaussian({ mean: [0, 0, 0], variances });

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
  return Array.from(
    { length: STEPS + 1 },
    (_, k) => sde.timeAtHalfLogSnr(first + (last - first) * k / STEPS),
  );
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
    const g2 = sde.diffusionCoefficient(t) ** 2;
    return 2 * (sde.driftCoefficient(t) + factor * g2 / spread(sde, i, t)) * v - g2;
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
  "the likelihood-weighted loss bounds the likelihood of the reverse SDE, and is tight up to the prior for the exact score",
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
        1e-7,
        "H(p_tMin) + KL(p_tMax ‖ prior), what the probability flow gives too; Song et al. 2021, Theorem 2",
        { detectable: "1e-7 nats" },
      );
      const zero = scoreModel({ predictNoise: (y) => tf.zerosLike(y) }, sde);
      const at = async (x: number[]) => {
        const x0 = tf.tensor2d([x]);
        const { bound } = await continuousElbo(zero, x0, { rng: createRng(check.seed) });
        x0.dispose();
        return bound[0];
      };
      check.within(
        `${kind}: what data 5 away from 0 cost more under a network with output 0, relative`,
        (await at([3, 4, 0]) - await at([0, 0, 0])) / (12.5 * (sde.alpha(sde.tMax) / sde.priorStd) ** 2),
        1,
        1e-10,
        "‖α x_0‖²/(2 priorStd²) at tMax, the loss being ‖ε‖² for both",
      );
      for (const factor of [1, 0.8, 1.2]) {
        const exact = sum((i) => crossEntropy(spread(sde, i, sde.tMin), reverseVariance(sde, i, factor)));
        const bound = boundOf(sde, factor);
        check.atLeast(
          `${kind}, noise × ${factor}: bound less −E log p of the reverse SDE, nats`,
          bound - exact,
          -1e-5,
          "Song et al. 2021, Theorem 3; the SDE's distribution by its moment equation",
        );
        const scaled: NoisePredictor = {
          predictNoise: (y, ratio) => tf.tidy(() => problem.predictNoise(y, ratio).mul(factor)),
        };
        const rng = createRng(check.seed).fork(`${kind} ${factor}`);
        const data = problem.sample(rng.fork("data"), rows);
        const estimate = await continuousElbo(scoreModel(scaled, sde), data, { rng, draws });
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

claim(
  "the bound of a network whose error is 1 everywhere is its closed form, wherever time begins",
  async (check) => {
    // Data at 0 are ν ε, so y/ν + 1 is the noise plus 1.
    const wrong: NoisePredictor = {
      predictNoise: (y, ratio) =>
        tf.tidy(() => y.div(tf.tensor(Float32Array.from(ratio as Float64Array), [6, 1])).add(1)),
    };
    for (const range of [{ tMin: 0.01, tMax: 0.98 }, { tMin: 0.4, tMax: 0.9 }]) {
      for (const make of [vpSde, subVpSde, veSde, sigmaPowerSde]) {
        const sde = make(range);
        const x0 = tf.zeros([6, 3]);
        const { bound, variance } = await continuousElbo(scoreModel(wrong, sde), x0, {
          rng: createRng(check.seed),
        });
        x0.dispose();
        const [first, last] = [sde.tMin, sde.tMax].map((t) => noiseRatio(sde, t));
        const late = (sde.sigma(sde.tMax) / sde.priorStd) ** 2;
        const rest = 1.5 * Math.log(2 * Math.PI * Math.E * sde.sigma(sde.tMin) ** 2) +
          1.5 * (late - 1 - Math.log(late));
        const what = `${sde.config.kind} from ${sde.tMin} to ${sde.tMax}`;
        for (const [row, value] of bound.entries()) {
          check.within(
            `${what}, sample ${row}: the loss over 3 ln(ν(tMax)/ν(tMin))`,
            (value - rest) / (3 * Math.log(last / first)),
            1,
            1e-4,
            "½ ∫ g²/σ² dt = ln ν(tMax) − ln ν(tMin), and ‖ε̂ − ε‖² = 3; float32 states",
            { detectable: "a loss over tMax for tMax − tMin" },
          );
        }
        check.atMost(
          `${what}: variance between draws`,
          Math.max(...variance),
          1e-4 * rest ** 2,
          "none but rounding",
        );
      }
    }
  },
);

claim("a sample's bound does not depend on the rest of its batch, and leaks no tensors", async (check) => {
  const model = scoreModel(mixture, vpSde());
  const points = [[0.1, 0.4, 0.2], [-1.5, 0.6, 0.1], [3, -2, 1]];
  const run = async (first: number, rows: number[][]) => {
    const x = tf.tensor2d(rows);
    const before = tf.memory().numTensors;
    const { bound } = await continuousElbo(model, x, { rng: createRng(5).startingAt(first), draws: 3 });
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
    ["draws", () => continuousElbo(model, x, { rng: createRng(1), draws: 0 }), /draws .* got 0/],
    ["a shape", () => continuousElbo(model, tf.scalar(1), { rng: createRng(1) }), /x0 must be .* got \[\]/],
    ["no noise", () => withMinimumNoise(vpSde(), 0), /minimum noise ratio must be positive .* got 0/],
    [
      "a discrete-time DDPM",
      () => withMinimumNoise(discreteDdpm([0.1, 0.2]), 0.01),
      /discrete-time DDPM starts at its first β/,
    ],
    ["too much noise", () => withMinimumNoise(vpSde(), 1e3), /below 152, got 1000/],
  ];
  for (const [what, action, message] of bad) await check.throws(what, action, message);
  x.dispose();
});

claim("an SDE with another smallest noise ratio starts there, and ends where it did", (check) => {
  for (const sde of allSdes) {
    for (const smallest of [0.0013, 0.3]) {
      const cut = withMinimumNoise(sde, smallest);
      const { kind } = sde.config;
      const [first, last] = [
        noiseRatio(cut, cut.tMin) / smallest,
        noiseRatio(cut, cut.tMax) / noiseRatio(sde, sde.tMax),
      ];
      check.within(`${kind} from ${smallest}: first noise ratio, relative`, first, 1, 1e-13, "as asked");
      check.within(`${kind} from ${smallest}: last noise ratio, relative`, last, 1, 1e-12, "unchanged");
    }
  }
});

claim("the bound's variance is that of its draws, and unknown for one", async (check) => {
  const model = scoreModel(new Gaussian({ mean: [1, 0], variances: [1, 0.2] }), vpSde());
  const x0 = createRng(check.seed).normal([3, 2]);
  const drawn = (draws: number) => continuousElbo(model, x0, { rng: createRng(check.seed), draws });
  const [one, two, three] = [await drawn(1), await drawn(2), await drawn(3)];
  check.holds("of one draw", one.variance.every(Number.isNaN), "one value has no spread");
  for (let row = 0; row < 3; row++) {
    // The loss of each draw, less the same constant; the bound is their mean.
    const losses = [one, two, three].map(({ bound }, i, all) =>
      (i + 1) * bound[row] - i * (i === 0 ? 0 : all[i - 1].bound[row])
    );
    const mean = losses.reduce((sum, loss) => sum + loss) / 3;
    const expected = losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0) / 2;
    check.within(
      `row ${row}`,
      three.variance[row] / expected,
      1,
      1e-9,
      "Σ (loss − mean)²/2 of draws one after another",
    );
  }
  x0.dispose();
});
