/**
 * Models that answer later, as an inference session, a server or a worker does: samplers draw from them what they draw from
 * models that answer at once.
 * @module
 */
import { repaintSampler } from "../../../src/conditioning/imputation.ts";
import {
  classifierFreeGuided,
  classifierGuided,
  mixtureClassifier,
} from "../../../src/conditioning/guidance.ts";
import { linearObservation } from "../../../src/conditioning/observation.ts";
import { maskOperator } from "../../../src/conditioning/operators.ts";
import { posteriorScore } from "../../../src/conditioning/posterior_score.ts";
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { type AnyScoreModel, scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { drawSamples, sample } from "../../../src/samplers/sample.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import { samplerByName, scoreSamplerNames } from "../../../src/samplers/registry.ts";
import type { GridConfig } from "../../../src/diffusion/time_grid.ts";
import { answersLater } from "../../instruments/answers_later.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { failsFrom, gentleVp, mixture, settings, shape } from "../../problems/short_runs.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

/** What a run draws, and its evaluations; tensors that it leaves. */
async function drawn(model: AnyScoreModel, sampler: Sampler, grid: GridConfig) {
  const before = tf.memory().numTensors;
  let evaluations = 0, values: number[] = [];
  for await (const state of sample(model, sampler, { shape, grid, rng: createRng(3) })) {
    if (!state.done) continue;
    evaluations = state.evaluations;
    values = Array.from(await state.x.data());
    state.x.dispose();
  }
  return { evaluations, values, left: tf.memory().numTensors - before };
}

claim("every sampler draws the same from a model that answers later, and leaves no tensor", async (check) => {
  const model = scoreModel(mixture, gentleVp);
  for (const name of scoreSamplerNames) {
    const { grid, options } = settings(name);
    const atOnce = await drawn(model, samplerByName(name, options), grid);
    const later = await drawn(answersLater(model), samplerByName(name, options), grid);
    check.equal(name, later, { ...atOnce, left: 0 }, "the same arithmetic, bit for bit");

    const before = tf.memory().numTensors;
    const broken = failsFrom(model, 0.5, NaN);
    const failure = async (model: AnyScoreModel) => {
      const run = drawSamples(model, samplerByName(name, options), { shape, grid, rng: createRng(1) });
      return await run.then(() => "a result", ({ message }) => String(message));
    };
    const error = await failure(broken);
    check.holds(`${name}: an error`, /NaN or infinite/.test(error), error);
    const errorLater = await failure(answersLater(broken));
    check.equal(`${name}: an error later`, errorLater, error, "the same words");
    check.equal(`${name}: tensors after it`, tf.memory().numTensors - before, 0, "the run cleans up");
  }
});

claim("guidance and RePaint draw the same from a model that answers later", async (check) => {
  const model = scoreModel(mixture, gentleVp);
  const other = scoreModel(mixture.components[0], gentleVp);
  const sampler = samplerByName("ancestral");
  const grid = { kind: "log-snr", steps: 6 } as const;
  const known = tf.tensor([[0.5, 0, 0]]);
  const repainted = repaintSampler(sampler, { mask: [1, 0, 0], known, resamplings: 2 });
  const classifier = mixtureClassifier(mixture);
  const runs: Record<string, (model: AnyScoreModel) => [AnyScoreModel, Sampler]> = {
    "classifier-free": (model) => [
      classifierFreeGuided<tf.Tensor | Promise<tf.Tensor>>(other, model, 1.5),
      sampler,
    ],
    "classifier": (model) => [classifierGuided(model, classifier, 1, 1.5), sampler],
    "RePaint": (model) => [model, repainted],
  };
  for (const [label, of] of Object.entries(runs)) {
    const atOnce = await drawn(...of(model), grid);
    check.equal(label, await drawn(...of(answersLater(model)), grid), atOnce, "bit for bit");
  }
  known.dispose();
});

claim("what needs a gradient refuses a model that answers later, and leaves no tensor", async (check) => {
  const later = answersLater(scoreModel(mixture, gentleVp));
  const x = tf.tensor([[0.5, 0, 0]]);
  const observation = await linearObservation(maskOperator([3], [1, 0, 0]), tf.tensor2d([[0.5]]));
  const before = tf.memory().numTensors;
  const reason =
    /^(.*: )?the predicted noise has no gradient: its model answers later, by a promise, and TensorFlow.js differentiates only what is computed at once: give pullBack$/;
  await check.throws("a likelihood", () => logLikelihood(later, x), reason);
  const run = { shape, grid: { kind: "log-snr", steps: 4 }, rng: createRng(1) } as const;
  await check.throws(
    "a posterior's score",
    () => drawSamples(posteriorScore(later, observation), samplerByName("ddim"), run),
    reason,
  );
  await new Promise((resolve) => setTimeout(resolve));
  check.equal("tensors left", tf.memory().numTensors - before, 0, "refused answers are disposed");
  tf.dispose([x, observation.y]);
});
