/**
 * Posterior scores against posteriors in closed form: of Gaussians seen through every operator, and of a mixture.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import { Matrix, solve } from "../../../src/math/linear_algebra.ts";
import * as tf from "../../../src/compute/tf.ts";
import { repaintSampler, replacementSampler } from "../../../src/conditioning/imputation.ts";
import {
  exactPosterior,
  type LinearObservation,
  linearObservation,
  type LinearOperator,
  operatorMatrix,
} from "../../../src/conditioning/observation.ts";
import {
  blurOperator,
  gaussianKernel,
  maskOperator,
  poolingOperator,
  randomProjection,
} from "../../../src/conditioning/operators.ts";
import { posteriorScore } from "../../../src/conditioning/posterior_score.ts";
import { type ScoreModel, scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { histogram } from "../../../src/plots/marks.ts";
import { plot } from "../../../src/plots/plot.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import { noiseRatio, type Sde } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { type Area, type Check, claim } from "../../suite/claim.ts";
import { coupledDistribution } from "../../instruments/coupled_distribution.ts";
import { exactMoments, pair } from "../../reference/imputation_moments.ts";
import { planeDistribution } from "../../problems/plane_mixture.ts";
import { firstOf, scoped } from "../../instruments/tensor_scope.ts";
import {
  differences,
  distributionFunction,
  ownDistributions,
} from "../../instruments/sampler_distribution.ts";
import { samplerFacts, sdes } from "../../problems/sampler_facts.ts";
import { scalarDistribution } from "../../reference/scalar_mixture.ts";
import {
  alarmRate,
  checkProportion,
  checkUniform,
  detectableDistance,
  dkwDistance,
  uniformDistance,
} from "../../instruments/statistics.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const shape = [4, 4, 1];
const pixels = Array.from({ length: 16 }, (_, i) => [Math.floor(i / 4), i % 4]);

/** A picture whose pixels are correlated the more the nearer they are. */
const picture = new Gaussian({
  mean: pixels.map(([row, column]) => 0.3 * Math.sin(row + 2 * column)),
  covariance: pixels.map((a) => pixels.map((b) => 0.5 * Math.exp(-Math.hypot(a[0] - b[0], a[1] - b[1]) / 2))),
});
/** One whose pixels are independent, all of one variance. */
const isotropic = new Gaussian({ mean: picture.mean, variances: new Array(16).fill(0.36) });

const operators = (): Record<string, LinearOperator> => ({
  "the upper half": maskOperator(shape, pixels.map(([row]) => row < 2 ? 1 : 0)),
  "pooling": poolingOperator(shape, 2),
  "blur": blurOperator(shape, gaussianKernel(0.5)),
  "five random projections": randomProjection(createRng(9), shape, 5),
});

/** An observation of a picture drawn from the seed, through every operator, noisy and not. */
async function* observations(check: Check): AsyncGenerator<[string, LinearObservation]> {
  for (const [name, operator] of Object.entries(operators())) {
    for (const noiseStd of [0, 0.3]) {
      const y = tf.tidy(() =>
        operator.apply(picture.sample(createRng(check.seed), 1).reshape([1, ...shape]))
      );
      yield [`${name}, noise ${noiseStd}`, await linearObservation(operator, y, noiseStd)];
      y.dispose();
    }
  }
}

/** Largest difference of two predictions, over the largest that is expected. */
function relativeError(observed: tf.Tensor, expected: tf.Tensor): Promise<number> {
  return scoped(() => firstOf(observed.sub(expected).abs().max().div(expected.abs().max())));
}

/** States at a time, about as far out as the model's own. */
function states(check: Check, sde: Sde, t: number): tf.Tensor {
  const spread = Math.hypot(sde.alpha(t) * 0.7, sde.sigma(t));
  return tf.tidy(() => createRng(check.seed).fork("states").normal([3, ...shape]).mul(spread));
}

/** D = x/α − ν ε̂ loses what float32 rounds off x/α, which is of order ν: relative to the data, 2⁻²⁴ (1 + ν), some times over. */
const rounding = (sde: Sde, t: number) => 32 * 2 ** -24 * (1 + noiseRatio(sde, t));
const roundingSource = "the posterior in closed form; float32 rounds D by 2⁻²⁴ ν";

claim(
  "moment matching gives Gaussian data's exact posterior score, through every operator",
  async (check) => {
    for await (const [name, observation] of observations(check)) {
      const posterior = await exactPosterior(picture, observation);
      // Rounding costs the gradients their orthogonality: twice as many as an exact solution would take.
      const iterations = 2 * observation.y.size;
      for (const sde of sdes) {
        const model = posteriorScore(scoreModel(picture, sde), observation, { iterations });
        const exact = scoreModel(posterior, sde);
        for (const t of [0.003, 0.3, 0.95]) {
          const x = states(check, sde, t);
          const [observed, expected] = [model.predictedNoise(x, t), exact.predictedNoise(x, t)];
          const error = await relativeError(observed, expected);
          check.atMost(
            `${name}, ${sde.config.kind}, t = ${t}: relative error of ε̂`,
            error,
            rounding(sde, t),
            roundingSource,
            {
              detectable: "a wrong factor of the covariance, of the noise, of the gradient",
            },
          );
          tf.dispose([x, observed, expected]);
        }
      }
    }
  },
);

claim(
  "ΠGDM is exact for isotropic Gaussian data, and otherwise has the bias of its formula",
  async (check) => {
    for await (const [name, observation] of observations(check)) {
      const posterior = await exactPosterior(isotropic, observation);
      const matrix = new Matrix(await operatorMatrix(observation.operator));
      const y = Matrix.columnVector([...await observation.y.data()]);
      const iterations = 2 * observation.y.size;
      const sde = sdes[1];
      for (const t of [0.1, 0.5, 0.95]) {
        const x = states(check, sde, t);
        const options = { method: "pigdm", iterations, dataStd: 0.6 } as const;
        const exact = scoreModel(posterior, sde).predictedNoise(x, t);
        const even = posteriorScore(scoreModel(isotropic, sde), observation, options).predictedNoise(x, t);
        check.atMost(
          `${name}, t = ${t}: relative error with equal variances`,
          await relativeError(even, exact),
          rounding(sde, t),
          roundingSource,
        );
        const correlated = posteriorScore(scoreModel(picture, sde), observation, options).predictedNoise(
          x,
          t,
        );
        const values = await x.data<"float32">();
        const inRows = [0, 1, 2].map((row) => Array.from(values.subarray(16 * row, 16 * (row + 1))));
        const expected = tf.tensor(pigdmNoise(sde, t, inRows, matrix, y, observation.noiseStd));
        check.atMost(
          `${name}, t = ${t}: relative error with correlated pixels`,
          await relativeError(correlated.reshape([3, 16]), expected),
          rounding(sde, t),
          "Song et al. 2023, eq. 7, with r² = ν² s_d²/(ν² + s_d²), by matrices in float64",
        );
        tf.dispose([x, exact, even, correlated, expected]);
      }
    }
  },
);

/** ε̂ − (1/ν) C Aᵀ (r² A Aᵀ + s²)⁻¹ (y − A D), with C = ν² Σ (Σ + ν²)⁻¹ the covariance of x_0 given x_t. */
function pigdmNoise(
  sde: Sde,
  t: number,
  states: number[][],
  a: Matrix,
  y: Matrix,
  noiseStd: number,
): number[][] {
  const ratio = noiseRatio(sde, t);
  const r2 = 1 / (1 / ratio ** 2 + 1 / 0.36);
  const weights = Matrix.add(a.mmul(a.transpose()).mul(r2), Matrix.eye(a.rows).mul(noiseStd ** 2));
  return states.map((state) => {
    const posterior = picture.posterior(state.map((value) => value / sde.alpha(t)), ratio);
    const innovation = Matrix.sub(y, a.mmul(Matrix.columnVector([...posterior.mean])));
    const pull = new Matrix(posterior.covariance()).mmul(a.transpose()).mmul(solve(weights, innovation));
    return Array.from(posterior.noise, (value, i) => value - pull.get(i, 0) / ratio);
  });
}

claim("the posterior of a mixture observed through a mask follows Bayes' rule", async (check) => {
  const value = 0.3;
  const seen = tf.tensor2d([[value]]);
  const posterior = await exactPosterior(
    planeDistribution,
    await linearObservation(maskOperator([2], [1, 0]), seen),
  );
  const parts = planeDistribution.components.map((component, k) => {
    const { mean } = component;
    const [[oo, om], [, mm]] = component.covariance();
    const density = Math.exp(-0.5 * (Math.fround(value) - mean[0]) ** 2 / oo) / Math.sqrt(oo);
    return {
      weight: planeDistribution.weights[k] * density,
      mean: mean[1] + om / oo * (Math.fround(value) - mean[0]),
      variance: mm - om ** 2 / oo,
    };
  });
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  const source = "π̃ ∝ π N(y; μ_O, Σ_OO), μ_M + Σ_MO Σ_OO⁻¹ (y − μ_O), Σ_MM − Σ_MO Σ_OO⁻¹ Σ_OM";
  parts.forEach(({ weight, mean, variance }, k) => {
    const component = posterior.components[k];
    check.within(`component ${k + 1}: weight`, posterior.weights[k], weight / total, 1e-9, source);
    check.within(`component ${k + 1}: mean`, component.mean[1], mean, 1e-9, source);
    check.within(`component ${k + 1}: variance`, component.covariance()[1][1], variance, 1e-9, source);
    check.within(`component ${k + 1}: the seen entry`, component.mean[0], value, 1e-7, "it is seen; float32");
  });
  seen.dispose();
});

/** Draws of the hidden coordinate, given that the first is 0.3. */
async function hiddenDraws(
  check: Check,
  name: string,
  model: ScoreModel,
  sampler: Sampler,
  grid: Float64Array,
  count: number,
): Promise<Float64Array> {
  const rng = createRng(check.seed).fork(name);
  const x = await drawSamples(model, sampler, { shape: [count, 2], grid, rng });
  const values = await x.data();
  x.dispose();
  return Float64Array.from({ length: count }, (_, row) => values[2 * row + 1]);
}

const valley = 0.05;

claim(
  "the exact method draws the posterior of a correlated mixture; imputation and RePaint do not",
  async (check) => {
    const count = 20_000;
    const seen = tf.tensor2d([[0.3]]);
    const observation = await linearObservation(maskOperator([2], [1, 0]), seen);
    const posterior = await exactPosterior(planeDistribution, observation);
    const hidden = posterior.affine([[0, 1]]);
    const truth = scalarDistribution(hidden, 0);
    const names = ["ancestral", "predictor-corrector", "dpm++2m", "ode-heun"];
    for (const [i, sde] of sdes.entries()) {
      const facts = samplerFacts.find(({ name }) => name === names[i])!;
      const steps = 32;
      const grid = timeGrid(sde, { kind: facts.grid, steps });
      const where = `${sde.config.kind}, ${facts.name}`;
      const values = await hiddenDraws(
        check,
        where,
        scoreModel(posterior, sde),
        facts.sampler(sde, steps),
        grid,
        count,
      );
      const { denoised } = await ownDistributions(scoreModel(hidden, sde), facts.stages(sde, steps), grid);
      const ranks = values.map((value) => distributionFunction(denoised, value));
      checkUniform(
        check,
        `${where}: ranks in the sampler's own distribution`,
        ranks,
        "carried through its steps in one dimension",
      );
      const bias = Math.max(...differences(denoised, truth.cdf).map(Math.abs));
      const bound = dkwDistance(count) + bias;
      check.atMost(
        `${where}: distance from the posterior`,
        uniformDistance(values.map(truth.cdf)),
        bound,
        `Dvoretzky–Kiefer–Wolfowitz over ${count} values, and the ${
          bias.toExponential(1)
        } by which ${steps} steps miss it, computed`,
        {
          alarmRate,
          detectable: `distribution functions ${detectableDistance(bound, count).toFixed(3)} apart`,
        },
      );
      const above = values.reduce((n, value) => n + Number(value > valley), 0);
      const share = 1 - distributionFunction(denoised, valley);
      checkProportion(
        check,
        `${where}: weight above ${valley}`,
        above,
        count,
        share,
        "the sampler's own distribution",
      );
    }
    await compare(check, observation, posterior.affine([[0, 1]]));
    seen.dispose();
  },
);

/** Every method's draws beside the posterior's distribution, under the VP SDE. */
async function compare(
  check: Check,
  observation: LinearObservation,
  hidden: ReturnType<typeof planeDistribution.affine>,
): Promise<void> {
  const count = 3000;
  const sde = sdes[0];
  const model = scoreModel(planeDistribution, sde);
  const truth = scalarDistribution(hidden, 0);
  const grid = timeGrid(sde, { kind: "log-snr", steps: 25 });
  const ancestral = ddim({ eta: 1 });
  const known = { mask: [1, 0], known: tf.tensor2d([[0.3, 0]]) };
  const methods: Record<string, [ScoreModel, Sampler]> = {
    "imputation": [model, replacementSampler(ancestral, known)],
    "RePaint, 5 times": [model, repaintSampler(ancestral, { ...known, resamplings: 5 })],
    "ΠGDM": [posteriorScore(model, observation, { method: "pigdm" }), ancestral],
    "MMPS": [posteriorScore(model, observation, { iterations: 1 }), ancestral],
    "exact": [scoreModel(await exactPosterior(planeDistribution, observation), sde), ancestral],
  };
  const rows: string[][] = [];
  const distances: Record<string, number> = {};
  for (const [name, [model, sampler]] of Object.entries(methods)) {
    const values = await hiddenDraws(check, name, model, sampler, grid, count);
    const mean = values.reduce((sum, value) => sum + value) / count;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
    const above = values.reduce((n, value) => n + Number(value > valley), 0) / count;
    distances[name] = uniformDistance(values.map(truth.cdf));
    rows.push([name, ...[mean, variance, above, distances[name]].map((value) => value.toFixed(3))]);
    check.plot(`${name} on a mixture, first coordinate seen`, density(name, values, truth.cdf));
  }
  known.known.dispose();
  check.table(
    `Second coordinate of three modes in the plane, first seen as 0.3: ${count} draws by 25 ancestral steps under VP`,
    ["method", "mean", "variance", `weight above ${valley}`, "distance from the posterior"],
    rows,
  );
  const limit = dkwDistance(count);
  const source = `Dvoretzky–Kiefer–Wolfowitz over ${count} values`;
  check.atLeast(
    "imputation's distance from the posterior",
    distances["imputation"],
    limit,
    `biased; ${source}`,
  );
  check.atMost(
    "MMPS's, over imputation's",
    distances["MMPS"] / distances["imputation"],
    1,
    "the covariance used",
  );
}

function density(name: string, values: Float64Array, cdf: (x: number) => number): string {
  const range = [-1.4, 1.8] as const;
  const x = Float64Array.from({ length: 181 }, (_, i) => range[0] + (range[1] - range[0]) * i / 180);
  return plot([
    histogram(values, { bins: 80, range, label: "drawn" }),
    { kind: "line", x, y: x.map((at) => (cdf(at + 0.01) - cdf(at - 0.01)) / 0.02), label: "posterior" },
  ], { title: name, x: { label: "second coordinate" }, y: { label: "density" } });
}

claim(
  "on two correlated normals every method draws its own exact distribution, and MMPS the posterior",
  async (check) => {
    const prior = new Gaussian({ mean: [0, 0], covariance: [[1, pair.correlation], [pair.correlation, 1]] });
    const sde = sdes[0];
    const grid = timeGrid(sde, { kind: "log-snr", steps: 24 });
    const seen = tf.tensor2d([[pair.seen]]);
    const observation = await linearObservation(maskOperator([2], [1, 0]), seen);
    const model = scoreModel(prior, sde);
    const distribution = async (model: ScoreModel) => {
      const { mean, covariance } = await coupledDistribution(model, ddim({ eta: 1 }), 2, { grid });
      return { mean: mean[1], variance: covariance[1][1] };
    };
    const exact = await distribution(scoreModel(await exactPosterior(prior, observation), sde));
    const mmps = await distribution(posteriorScore(model, observation, { iterations: 2 }));
    const pigdm = await distribution(posteriorScore(model, observation, { method: "pigdm", iterations: 1 }));
    check.within(
      "MMPS: mean",
      mmps.mean,
      exact.mean,
      2e-6,
      "the distribution of the same steps with the exact score; float32",
    );
    check.within(
      "MMPS: variance",
      mmps.variance,
      exact.variance,
      2e-6,
      "the distribution of the same steps with the exact score; float32",
    );
    check.table(
      "The hidden one of a pair of unit normals, correlation 0.8, the other seen as 1.5: 24 ancestral steps",
      ["method", "mean", "variance"],
      [
        ...Object.entries({
          "ΠGDM": pigdm,
          "MMPS": mmps,
          "the exact score": exact,
          "the posterior": exactMoments,
        }).map(
          ([name, { mean, variance }]) => [name, mean.toFixed(4), variance.toFixed(4)],
        ),
      ],
    );
    seen.dispose();
  },
);
