/** Claims about DPS: its step in closed form on Gaussian data, what it draws, and its place around every sampler. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { dpsSampler } from "../../../src/conditioning/dps.ts";
import {
  type LinearObservation,
  linearObservation,
  type LinearOperator,
  operatorMatrix,
} from "../../../src/conditioning/observation.ts";
import { maskOperator, poolingOperator, projectionOperator } from "../../../src/conditioning/operators.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { noiseRatio, type Sde, vpSde } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { Matrix } from "../../../src/math/linear_algebra.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { samplerByName, scoreSamplerNames } from "../../../src/samplers/registry.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import { alarmRate, detectableDistance, dkwDistance, uniformDistance } from "../../instruments/statistics.ts";
import { allSdes } from "../../problems/sdes.ts";
import { gentleVp, mixture, settings } from "../../problems/short_runs.ts";
import { dpsLaw } from "../../reference/dps_law.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const shape = [2, 2, 1];
const picture = new Gaussian({
  mean: [0.2, -0.3, 0.1, 0.4],
  covariance: [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => 0.5 * Math.exp(-Math.abs(i - j) / 2))),
});

claim(
  "a step of DPS is the sampler's and ζ along the gradient of the misfit's norm, under every SDE",
  async (check) => {
    const operators: Record<string, LinearOperator> = {
      "three pixels": maskOperator(shape, [1, 0, 1, 1]),
      "pooling": poolingOperator(shape, 2),
    };
    const scale = 0.7;
    for (const [name, operator] of Object.entries(operators)) {
      const matrix = new Matrix(await operatorMatrix(operator));
      const y = tf.tidy(() => createRng(check.seed).fork("seen").normal([1, ...operator.outputShape]));
      const observation = await linearObservation(operator, y, 0.1);
      const seen = Array.from(await y.data());
      for (const sde of allSdes) {
        const model = scoreModel(picture, sde);
        for (const [t, s] of [[0.9, 0.7], [0.3, 0.2], [0.05, 0.03]]) {
          const x = tf.tidy(() =>
            createRng(check.seed).fork("states").normal([3, ...shape]).mul(
              Math.hypot(sde.alpha(t), sde.sigma(t)),
            )
          );
          const plain = ddim().start(model, createRng(1));
          const dps = dpsSampler(ddim(), observation, { scale }).start(model, createRng(1));
          const [before, after] = [await plain.step(x, t, s), await dps.step(x, t, s)];
          const values = Array.from(await x.data());
          const expected = [0, 1, 2].flatMap((row) => {
            const state = values.slice(4 * row, 4 * row + 4).map((value) => value / sde.alpha(t));
            return gradientStep(sde, state, matrix, seen, t, s).map((value) => scale * value);
          });
          const moved = tf.tidy(() => after.sub(before));
          const differences = Array.from(await moved.data(), (value, i) => Math.abs(value - expected[i]));
          const size = Math.max(...Array.from(await after.data(), Math.abs));
          check.atMost(
            `${name}, ${sde.config.kind}, from ${t} to ${s}: error of the added step`,
            Math.max(...differences),
            16 * 2 ** -24 * (size + 1 + noiseRatio(sde, t)),
            "Chung et al. 2023, Alg. 1, by matrices in float64; float32 rounds states and D by 2⁻²⁴ of them",
            {
              detectable: "a factor of 2, of α or of the SDE's scale; a gradient that is not taken through D",
            },
          );
          plain.dispose();
          dps.dispose();
          tf.dispose([x, before, after, moved]);
        }
      }
      y.dispose();
    }
  },
);

/** α_s √(1 + ν_s²) √(1 + ν_t²) J Aᵀ r/‖r‖ with J = Σ (Σ + ν²)⁻¹. */
function gradientStep(sde: Sde, state: number[], a: Matrix, y: number[], t: number, s: number): number[] {
  const [from, to] = [noiseRatio(sde, t), noiseRatio(sde, s)];
  const posterior = picture.posterior(state, from);
  const jacobian = new Matrix(posterior.covariance()).mul(1 / from ** 2);
  const misfit = Matrix.sub(Matrix.columnVector(y), a.mmul(Matrix.columnVector([...posterior.mean])));
  const pull = jacobian.mmul(a.transpose()).mmul(misfit.mul(1 / misfit.norm()));
  const factor = sde.alpha(s) * Math.hypot(1, from) * Math.hypot(1, to);
  return pull.to1DArray().map((value) => factor * value);
}

claim(
  "on a normal number seen, DPS draws its own distribution, which is not the posterior",
  async (check) => {
    const [mean, std, seen, noiseStd, count] = [0.2, 0.8, 1, 0.3, 20_000];
    const sde = vpSde({ tMin: 0.02 });
    const y = tf.tensor2d([[seen]]);
    const observation = await linearObservation(maskOperator([1], [1]), y, noiseStd);
    const model = scoreModel(new Gaussian({ mean: [mean], variances: [std ** 2] }), sde);
    const precision = 1 / std ** 2 + 1 / noiseStd ** 2;
    const posterior = { mean: (mean / std ** 2 + seen / noiseStd ** 2) / precision, variance: 1 / precision };
    const laws: { mean: number }[] = [];
    const rows: string[][] = [[
      "the posterior",
      "",
      posterior.mean.toFixed(3),
      posterior.variance.toFixed(3),
    ]];
    for (const [steps, scale] of [[12, 0.1], [12, 0.4], [36, 0.1]]) {
      const times = timeGrid(sde, { kind: "log-snr", steps });
      const law = dpsLaw({ sde, times, mean, std, seen, scale });
      const rng = createRng(check.seed).fork(`${steps} ${scale}`);
      const sampler = dpsSampler(ddim({ eta: 1 }), observation, { scale });
      const x = await drawSamples(model, sampler, { shape: [count, 1], grid: times, rng });
      const values = Float64Array.from(await x.data());
      x.dispose();
      const bound = dkwDistance(count) + 2e-3;
      check.atMost(
        `${steps} steps, ζ = ${scale}: distance from the law carried through the steps`,
        uniformDistance(values.map(law.cdf)),
        bound,
        `Dvoretzky–Kiefer–Wolfowitz over ${count} values, and 2e-3 of quadrature`,
        {
          alarmRate,
          detectable: `distribution functions ${detectableDistance(bound, count).toFixed(3)} apart`,
        },
      );
      rows.push([`${steps} steps`, String(scale), law.mean.toFixed(3), law.variance.toFixed(3)]);
      laws.push(law);
    }
    const source =
      "computed: each step moves by ζ toward what was seen, whatever its noise and however many steps";
    check.atLeast(
      "ζ = .1, 12 steps: the mean's distance from the posterior's",
      Math.abs(laws[0].mean - posterior.mean),
      0.1,
      source,
    );
    check.atLeast("ζ = .1: the mean of 36 steps beyond that of 12", laws[2].mean - laws[0].mean, 0.1, source);
    check.table("A normal number N(.2, .64) seen as 1 with noise .3", ["", "ζ", "mean", "variance"], rows);
    y.dispose();
  },
);

claim(
  "with every sampler, DPS couples no samples, leaks no tensors, and without outputs changes nothing",
  async (check) => {
    const model = scoreModel(mixture, gentleVp);
    const draw = async (name: string, sampler: Sampler, first = 0, count = 3) => {
      const rng = createRng(17).startingAt(first);
      const x = await drawSamples(model, sampler, { shape: [count, 3], grid: settings(name).grid, rng });
      const values = Array.from(await x.data());
      x.dispose();
      return values;
    };
    const values = tf.tensor2d([[0.4, -0.3]]);
    const seen = await linearObservation(projectionOperator([3], [[1, 1, 0], [0, 1, -1]]), values, 0.2);
    const nothing = await linearObservation(maskOperator([3], [0, 0, 0]), tf.zeros([1, 0]));
    for (const name of scoreSamplerNames) {
      const plain = () => samplerByName(name, settings(name).options);
      const before = tf.memory().numTensors;
      const together = await draw(name, dpsSampler(plain(), seen, { scale: 0.2 }));
      check.equal(`${name}: tensors left`, tf.memory().numTensors - before, 0, "none is the run's");
      const others = await draw(name, dpsSampler(plain(), seen, { scale: 0.2 }), 1, 2);
      check.equal(
        `${name}: the last two alone`,
        others,
        together.slice(3),
        "bit for bit: a row's arithmetic is its own",
      );
      const unseen = await draw(name, dpsSampler(plain(), nothing));
      const furthest = Math.max(
        ...(await draw(name, plain())).map((value, i) => Math.abs(value - unseen[i])),
      );
      check.atMost(
        `${name}: nothing seen`,
        furthest,
        2e-5,
        "the unconditional draws, whose last step may be another",
      );
    }
    tf.dispose([values, nothing.y]);
  },
);

claim("DPS refuses scales, observations and states that it cannot have", async (check) => {
  const y = tf.tensor2d([[0.5]]);
  const observation = await linearObservation(maskOperator([3], [1, 0, 0]), y);
  const run = (observation: LinearObservation, width: number) =>
    drawSamples(scoreModel(mixture, gentleVp), dpsSampler(ddim(), observation), {
      ...{ shape: [2, width], grid: settings("ddim").grid, rng: createRng(1) },
    });
  const scaled = (scale: number) => () => dpsSampler(ddim(), observation, { scale });
  await check.throws("no scale", scaled(0), /^scale must be a positive number, got 0$/);
  await check.throws("NaN", scaled(NaN), /^scale must be a positive number, got NaN$/);
  await check.throws(
    "negative noise",
    () => dpsSampler(ddim(), { ...observation, noiseStd: -1 }),
    /noiseStd must be .*got -1$/,
  );
  await check.throws("wide states", () => run(observation, 4), /takes samples of shape \[3\], got \[2,4\]$/);
  y.dispose();
});
