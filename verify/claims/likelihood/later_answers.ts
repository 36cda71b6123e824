/**
 * Bounds on likelihoods need no gradient: those of a model that answers later are those of the same model at once.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { type AnyScoreModel, scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { continuousElbo } from "../../../src/likelihood/continuous_bound.ts";
import { discreteElbo, learnVariances } from "../../../src/likelihood/discrete_bound.ts";
import { answersLater } from "../../instruments/answers_later.ts";
import { gentleVp, mixture } from "../../problems/short_runs.ts";
import { claim } from "../../suite/claim.ts";

claim("a model that answers later has the bounds of the same model at once, bit for bit", async (check) => {
  const model = scoreModel(mixture, gentleVp);
  const data = tf.tidy(() => mixture.sample(createRng(7), 3).clipByValue(-1, 1));
  const times = Float64Array.of(1, 0.6, 0.2, 0.05).map((t) => t * gentleVp.tMax);
  const before = tf.memory().numTensors;
  const bounds = async (model: AnyScoreModel) => {
    const variances = await learnVariances(model, data, { times, rng: createRng(1) });
    return {
      continuous: await continuousElbo(model, data, { rng: createRng(2), draws: 2 }),
      variances,
      discrete: await discreteElbo(model, data, { times, rng: createRng(3), variances }),
      density: await discreteElbo(model, data, { times, rng: createRng(3), levels: null }),
    };
  };
  const atOnce = await bounds(model);
  check.holds(
    "the bound is a number",
    atOnce.discrete.total.every(Number.isFinite),
    `${atOnce.discrete.total}`,
  );
  check.equal("bounds", await bounds(answersLater(model)), atOnce, "the same arithmetic");
  check.equal("tensors left", tf.memory().numTensors - before, 0, "answers are disposed");
  data.dispose();
});
