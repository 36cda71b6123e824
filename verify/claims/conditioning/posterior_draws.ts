/** Claims about the distributions that posterior samplers draw, on data of two correlated coordinates. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { repaintSampler, replacementSampler } from "../../../src/conditioning/imputation.ts";
import {
  exactPosterior,
  type LinearObservation,
  linearObservation,
} from "../../../src/conditioning/observation.ts";
import { maskOperator } from "../../../src/conditioning/operators.ts";
import { posteriorScore } from "../../../src/conditioning/posterior_score.ts";
import { type ScoreModel, scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { histogram } from "../../../src/plots/marks.ts";
import { plot } from "../../../src/plots/plot.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { type Area, type Check, claim } from "../../suite/claim.ts";
import { coupledDistribution } from "../../instruments/coupled_distribution.ts";
import { exactMoments, pair } from "../../reference/imputation_moments.ts";
import { planeDistribution } from "../../problems/plane_mixture.ts";
import {
  differences,
  distributionFunction,
  ownDistributions,
} from "../../instruments/sampler_distribution.ts";
import { samplerFacts } from "../../problems/sampler_facts.ts";
import { allSdes } from "../../problems/sdes.ts";
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
    const names = ["ancestral", "predictor-corrector", "dpm++2m", "ode-heun", "dpm-solver-2"];
    for (const [i, sde] of allSdes.entries()) {
      const facts = samplerFacts.find(({ name }) => name === names[i % names.length])!;
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
  const sde = allSdes[0];
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
    const sde = allSdes[0];
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
