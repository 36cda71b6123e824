/**
 * Guidance on mixtures, whose class scores are known exactly.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import {
  classifierFreeGuided,
  classifierGuided,
  mixtureClassifier,
} from "../../../src/conditioning/guidance.ts";
import { diffusedPosterior } from "../../../src/distributions/distribution.ts";
import { type ScoreModel, scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { alongDistribution } from "../../problems/plane_mixture.ts";
import { distributionFunction, ownDistributions } from "../../instruments/sampler_distribution.ts";
import { samplerFacts } from "../../problems/sampler_facts.ts";
import { scoped } from "../../instruments/tensor_scope.ts";
import { checkUniform } from "../../instruments/statistics.ts";
import { mixture } from "../../problems/mixtures.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import { allSdes } from "../../problems/sdes.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const labels = [0, 1, 2, 1, 2, 0];
const times = [0.02, 0.2, 0.5, 0.9];

/** ε̂ of every row at a time under a model, beside −σ times a float64 score of each row. */
async function noiseError(
  model: ScoreModel,
  x: tf.Tensor2D,
  t: number,
  score: (state: number[], label: number) => Float64Array,
): Promise<number> {
  const noise = model.predictedNoise(x, t);
  const observed = await noise.data();
  noise.dispose();
  const states = await x.array();
  const { sigma } = model.sde;
  return Math.max(
    ...states.flatMap((state, row) =>
      Array.from(score(state, labels[row]), (value, i) => Math.abs(observed[3 * row + i] + sigma(t) * value))
    ),
  );
}

claim(
  "guidance by the exact classifier gives the class's score, and is linear in its scale",
  async (check) => {
    for (const sde of allSdes) {
      const model = scoreModel(mixture, sde);
      for (const t of times) {
        const spread = Math.hypot(sde.alpha(t), sde.sigma(t));
        const x = tf.tidy(() => createRng(check.seed).normal([6, 3]).mul(1.5 * spread)) as tf.Tensor2D;
        const line = (scale: number) => (state: number[], label: number) => {
          const all = diffusedPosterior(mixture, sde, state, t).score;
          const own = diffusedPosterior(mixture.components[label], sde, state, t).score;
          return all.map((value, i) => value + scale * (own[i] - value));
        };
        for (const scale of [1, 2.5, -0.5]) {
          const where = `${sde.config.kind}, t = ${t}, scale ${scale}`;
          const guided = {
            "the classifier": classifierGuided(model, mixtureClassifier(mixture), labels, scale),
            "two models": classifierFreeGuided(model, scoreModel(mixture.withLabels(labels), sde), scale),
          };
          // Responsibilities inherit the rounding of log densities of up to some hundred, 2⁻²⁴ of them.
          const bound = 5e-5 * (1 + Math.abs(scale));
          for (const [by, model] of Object.entries(guided)) {
            check.atMost(
              `${where}, by ${by}: largest error of ε̂`,
              await noiseError(model, x, t, line(scale)),
              bound,
              "∇ log p(c|x) = s_c − s in float64; float32",
              { detectable: "half a gradient, a wrong sign, a scale that is ignored" },
            );
          }
        }
        x.dispose();
      }
      const zero = classifierGuided(model, mixtureClassifier(mixture), labels, 0);
      check.holds(`${sde.config.kind}: scale 0 is the model itself`, zero === model, "nothing to add");
    }
  },
);

claim("samples guided by the exact classifier at scale 1 have the class's distribution", async (check) => {
  const count = 20_000;
  for (const [i, sde] of allSdes.entries()) {
    const facts = samplerFacts.filter(({ name }) =>
      ["euler-maruyama", "predictor-corrector", "ode-heun", "dpm++2m", "ddim"].includes(name)
    )[i % 5];
    const label = i % 3;
    const grid = timeGrid(sde, { kind: facts.grid, steps: facts.drawSteps });
    const sampler = facts.sampler(sde, facts.drawSteps);
    const guided = classifierGuided(
      scoreModel(alongDistribution, sde),
      mixtureClassifier(alongDistribution),
      label,
    );
    const rng = createRng(check.seed).fork(`guided ${sde.config.kind}`);
    const x = await drawSamples(guided, sampler, { shape: [count, 1], grid, rng });
    const values = Float64Array.from(await x.data());
    x.dispose();
    const alone = scoreModel(alongDistribution.components[label], sde);
    const { denoised } = await ownDistributions(alone, facts.stages(sde, facts.drawSteps), grid);
    checkUniform(
      check,
      `${sde.config.kind}, ${facts.name}, class ${label}: ranks`,
      values.map((value) =>
        distributionFunction(denoised, value)
      ),
      "the distribution of the sampler on the class alone, carried through its steps",
    );
  }
});

claim(
  "the exact classifier's probabilities are the mixture's, without NaN in the far tails",
  async (check) => {
    const classifier = mixtureClassifier(mixture);
    check.equal("classes", classifier.classes, 3, "one a component");
    for (const ratio of [0.05, 1, 30]) {
      for (const far of [1, 300]) {
        const state = [0.3 * far, -0.7 * far, 1.1 * far];
        const logs = await scoped(async () =>
          Array.from(
            await classifier.logProbability(tf.tensor2d([state, state, state]), ratio, [0, 1, 2]).data(),
          )
        );
        const where = `ν = ${ratio}, ${far} away`;
        check.holds(`${where}: no NaN`, !logs.some(Number.isNaN), "differences of finite numbers");
        if (far > 1) continue; // what is left there of the digits says little
        const { responsibilities } = mixture.posterior(state, ratio);
        const worst = Math.max(...logs.map((value, k) => Math.abs(Math.exp(value) - responsibilities[k])));
        check.atMost(
          `${where}: largest error`,
          worst,
          2e-6,
          "Bayes' rule in float64; log densities of order 10",
        );
      }
    }
    const rare = new GaussianMixture([1, 0], mixture.components.slice(0, 2));
    const [possible, impossible] = await scoped(() =>
      mixtureClassifier(rare).logProbability(tf.tensor2d([[0, 0, 0], [0, 0, 0]]), 1, [0, 1]).data()
    );
    check.within("the only class with weight", possible, 0, 1e-6, "certain");
    check.equal("a class without weight", impossible, -Infinity, "impossible, and no other row's business");
  },
);

claim("guidance refuses invalid labels and scales", async (check) => {
  const model = scoreModel(mixture, vpSde());
  const classifier = mixtureClassifier(mixture);
  const x = tf.zeros([2, 3]);
  await check.throws(
    "no mixture",
    () => mixtureClassifier([1] as unknown as GaussianMixture),
    /^mixture must be a GaussianMixture, got /,
  );
  await check.throws("label 3 of 3", () => classifierGuided(model, classifier, 3), /from 0 to 2, got 3$/);
  await check.throws(
    "label 0.5",
    () => classifierGuided(model, classifier, [0, 0.5]),
    /from 0 to 2, got 0\.5$/,
  );
  await check.throws(
    "scale NaN",
    () => classifierGuided(model, classifier, 0, NaN),
    /finite number, got NaN$/,
  );
  await check.throws(
    "scale ∞",
    () => classifierFreeGuided(model, model, Infinity),
    /finite number, got Infinity$/,
  );
  await check.throws(
    "three labels for two rows",
    () => classifierGuided(model, classifier, [0, 1, 2]).predictedNoise(x, 0.5),
    /one label per row, got 3 for 2 rows$/,
  );
  x.dispose();
});
