/**
 * Signals that are aborted end runs with their reason, unchanged, at the model's next evaluation, and leave no tensor.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import {
  type AnyScoreModel,
  scoreModel,
  scoreModelFromNoise,
} from "../../../src/diffusion/noise_predictor.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import { samplerByName, scoreSamplerNames } from "../../../src/samplers/registry.ts";
import { drawSamples, sample } from "../../../src/samplers/sample.ts";
import { answersLater } from "../../instruments/answers_later.ts";
import { failsFrom, gentleVp, mixture, settings, shape } from "../../problems/short_runs.ts";
import { claim } from "../../suite/claim.ts";

/** The mixture's model, which aborts in its `call`-th evaluation, and the number of its evaluations. */
function aborting(call: number, controller: AbortController, reason?: unknown) {
  const base = scoreModel(mixture, gentleVp);
  let calls = 0;
  const model = scoreModelFromNoise(gentleVp, (x, t) => {
    if (++calls === call) controller.abort(reason);
    return base.predictedNoise(x, t);
  });
  return { model, calls: () => calls };
}

/** What a promise is rejected with. */
const thrownBy = (run: () => Promise<unknown>) => run().then(() => "no error", (error: unknown) => error);

claim(
  "an aborted run throws the reason at its next evaluation and leaves no tensor, with every sampler",
  async (check) => {
    for (const name of scoreSamplerNames) {
      const { grid, options } = settings(name);
      for (const [when, of] of [["at once", (m: AnyScoreModel) => m], ["later", answersLater]] as const) {
        for (const call of [1, 4]) {
          const before = tf.memory().numTensors;
          const controller = new AbortController();
          const reason = new Error("enough");
          const { model, calls } = aborting(call, controller, reason);
          const run = { shape, grid, rng: createRng(3), signal: controller.signal };
          const thrown = await thrownBy(() => drawSamples(of(model), samplerByName(name, options), run));
          const label = `${name}, ${when}, call ${call}`;
          check.equal(`${label}: the reason itself`, thrown === reason, true, String(thrown));
          check.equal(`${label}: its message`, reason.message, "enough", "a caller's error is not changed");
          check.equal(`${label}: evaluations`, calls(), call, "none after the abortion");
          check.equal(`${label}: tensors left`, tf.memory().numTensors - before, 0, "the run cleans up");
        }
      }
    }
  },
);

claim(
  "a run that is aborted between steps, or before it starts, throws a DOMException as it is",
  async (check) => {
    const before = tf.memory().numTensors;
    const run = { shape, grid: { kind: "log-snr", steps: 4 }, rng: createRng(3) } as const;
    const sampler = samplerByName("ddim");
    const early = new AbortController();
    early.abort();
    const { model, calls } = aborting(Infinity, early);
    const steps: number[] = [];
    const states = async (signal: AbortSignal, after?: () => void) => {
      for await (const { step } of sample(model, sampler, { ...run, signal })) {
        steps.push(step);
        if (step === 2) after?.();
      }
    };
    const first = await thrownBy(() => states(early.signal));
    check.equal("before the start", first === early.signal.reason, true, String(first));
    check.equal("its states and evaluations", [steps, calls()], [[], 0], "there is no run");
    const late = new AbortController();
    const second = await thrownBy(() => states(late.signal, () => late.abort()));
    check.equal("after two steps", second === late.signal.reason, true, String(second));
    check.equal("states", steps, [0, 1, 2], "the next step is not taken");
    const failure = new DOMException("no answer in time", "TimeoutError");
    const broken = scoreModelFromNoise<Promise<tf.Tensor>>(
      gentleVp,
      async () => await Promise.reject(failure),
    );
    const third = await thrownBy(() => drawSamples(broken, sampler, run));
    check.equal(
      "a model's own DOMException",
      third === failure,
      true,
      "as fetch throws it, whose message is fixed",
    );
    const nan = failsFrom(scoreModel(mixture, gentleVp), 0.5, NaN);
    const idle = await thrownBy(() =>
      drawSamples(nan, sampler, { ...run, signal: new AbortController().signal })
    );
    check.holds("a signal that is not aborted", /^Error: ddim: step .*NaN/.test(String(idle)), String(idle));
    check.equal("tensors left", tf.memory().numTensors - before, 0, "the runs clean up");
    await check.throws(
      "no signal",
      () => drawSamples(model, sampler, { ...run, signal: new AbortController() as never }),
      /^signal must be an AbortSignal, as new AbortController\(\)\.signal is, got /,
    );
  },
);

claim(
  "an aborted likelihood throws the reason at its next evaluation and leaves no tensor",
  async (check) => {
    const x = tf.tensor([[0.5, 0, 0]]);
    const before = tf.memory().numTensors;
    for (const call of [1, 10]) {
      const controller = new AbortController();
      const { model, calls } = aborting(call, controller, "enough");
      const thrown = await thrownBy(() => logLikelihood(model, x, { signal: controller.signal }));
      check.equal(`call ${call}: thrown`, thrown, "enough", "the reason");
      // The exact trace takes three products of one evaluation, which calls the model for each.
      check.equal(
        `call ${call}: calls`,
        calls(),
        3 * Math.ceil(call / 3),
        "no evaluation after the abortion",
      );
    }
    check.equal("tensors left", tf.memory().numTensors - before, 0, "the computation cleans up");
    x.dispose();
  },
);
