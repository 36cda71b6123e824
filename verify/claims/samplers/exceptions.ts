/** Claims about exceptions of a model in the middle of a run: what had been allocated is freed. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { repaintSampler, replacementSampler } from "../../../src/conditioning/imputation.ts";
import { linearObservation } from "../../../src/conditioning/observation.ts";
import { maskOperator } from "../../../src/conditioning/operators.ts";
import { posteriorScore } from "../../../src/conditioning/posterior_score.ts";
import { type ScoreModel, scoreModel, scoreModelFromNoise } from "../../../src/diffusion/noise_predictor.ts";
import { decodeLatent, encodeLatent } from "../../../src/likelihood/latents.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import { samplerByName, scoreSamplerNames } from "../../../src/samplers/registry.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { type Area, type Check, claim } from "../../suite/claim.ts";
import { gentleVp, mixture, settings, shape } from "../../problems/short_runs.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const base = scoreModel(mixture, gentleVp);

/** The model that throws at its `call`-th prediction, and whether it did. */
function throwing(call: number): { model: ScoreModel; thrown: () => boolean } {
  let calls = 0;
  const model = scoreModelFromNoise(base.sde, (x, t) => {
    if (++calls === call) throw new Error("the model failed");
    return base.predictedNoise(x, t);
  });
  return { model, thrown: () => calls >= call };
}

/** Runs with models that throw at their 1st, 2nd, 3rd, 7th and 20th call, and compares the tensors before and after. */
async function examine(
  check: Check,
  name: string,
  run: (model: ScoreModel) => Promise<unknown>,
): Promise<void> {
  const left: string[] = [];
  let thrown = 0;
  for (const call of [1, 2, 3, 7, 20]) {
    const before = tf.memory().numTensors;
    const failing = throwing(call);
    let message = "no error";
    try {
      tf.dispose(await run(failing.model) as tf.Tensor);
    } catch (error) {
      message = (error as Error).message;
    }
    if (!failing.thrown()) break;
    thrown++;
    if (!message.includes("the model failed")) left.push(`call ${call}: ${message}`);
    const after = tf.memory().numTensors;
    if (after !== before) left.push(`call ${call}: ${after - before} tensors`);
  }
  check.equal(`${name}: left behind`, left, [], "what a run allocates is freed however it ends");
  check.atLeast(`${name}: runs in which the model failed`, thrown, 2, "the first calls are in every run");
}

claim(
  "tensors are freed when the model throws in any call, with every sampler",
  { engines: ["wasm"] },
  async (check) => {
    for (const name of scoreSamplerNames) {
      const { grid, options } = settings(name);
      await examine(
        check,
        name,
        (model) => drawSamples(model, samplerByName(name, options), { shape, grid, rng: createRng(1) }),
      );
    }
    const [name, known] = ["predictor-corrector", tf.tensor2d([[0.5, 0, 0]])];
    const mask = [1, 0, 0];
    const { grid, options } = settings(name);
    for (const [what, around] of [["imputation", replacementSampler], ["RePaint", repaintSampler]] as const) {
      await examine(check, what, (model) => {
        const sampler = around(samplerByName(name, options), { known, mask });
        return drawSamples(model, sampler, { shape, grid, rng: createRng(1) });
      });
    }
    const seen = await linearObservation(maskOperator([3], [1, 0, 0]), tf.tensor2d([[0.5]]), 0.1);
    await examine(check, "posterior score", (model) => {
      const run = { shape, grid, rng: createRng(1) };
      return drawSamples(posteriorScore(model, seen), samplerByName("ddim"), run);
    });
    known.dispose();
  },
);

claim(
  "tensors are freed when the model throws in a likelihood or a latent code",
  { engines: ["wasm"] },
  async (check) => {
    const x = tf.zeros([2, 3]);
    const methods = [{ kind: "dopri5", maxAttempts: 500 }, {
      kind: "rk4",
      grid: { kind: "log-snr", steps: 6 },
    }] as const;
    for (const method of methods) {
      await examine(
        check,
        `likelihood, exact trace, ${method.kind}`,
        (model) => logLikelihood(model, x, { method }),
      );
      await examine(
        check,
        `likelihood, estimated trace, ${method.kind}`,
        (model) => logLikelihood(model, x, { method, trace: { rng: createRng(2), probes: 2 } }),
      );
      await examine(check, `encoding, ${method.kind}`, (model) => encodeLatent(model, x, method));
      await examine(check, `decoding, ${method.kind}`, (model) => decodeLatent(model, x, method));
    }
    x.dispose();
  },
);
