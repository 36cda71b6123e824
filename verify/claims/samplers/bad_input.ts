/**
 * Bad input to samplers: a NaN or an infinity anywhere, and options that make no sense, are errors that say so.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { type ScoreModel, scoreModel, scoreModelFromNoise } from "../../../src/diffusion/noise_predictor.ts";
import { FiniteCheck, WatchedModel } from "../../../src/samplers/finite_check.ts";
import { adaptiveSde } from "../../../src/samplers/adaptive_sde.ts";
import { deis } from "../../../src/samplers/deis.ts";
import { edmStochastic } from "../../../src/samplers/edm_stochastic.ts";
import { lms } from "../../../src/samplers/lms.ts";
import { unipc } from "../../../src/samplers/unipc.ts";
import { annealedLangevin } from "../../../src/samplers/annealed_langevin.ts";
import { samplerByName, scoreSamplerNames } from "../../../src/samplers/registry.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { odeDormandPrince } from "../../../src/samplers/ode_dopri5.ts";
import { langevin } from "../../../src/samplers/langevin.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { failsFrom, mixture, settings, shape } from "../../problems/short_runs.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

claim("a NaN or an infinity is an error that names sampler, step and time", async (check) => {
  const model = scoreModel(mixture, vpSde());
  const grid = Float64Array.from({ length: 41 }, (_, i) => 1 - 0.02 * i);
  for (const name of scoreSamplerNames) {
    const sampler = samplerByName(name, settings(name).options);
    // Some samplers evaluate the end of a step in the step: 0.52 → 0.5 is step 25, 0.5 → 0.48 is step 26.
    const where = new RegExp(
      `^${
        escaped(sampler.name)
      }: step 2[56] of 40, from time 0.5[02]?\\d* to (0.5|0.48)\\d*: .*(NaN|infinite)`,
    );
    for (const value of [NaN, Infinity, -Infinity]) {
      await check.throws(
        `${name}: a score of ${value}`,
        () => drawSamples(failsFrom(model, 0.5001, value), sampler, { shape, grid, rng: createRng(1) }),
        where,
      );
    }
  }
});

claim(
  "a NaN at the start, at the last denoising or in a score alone is an error that says where",
  async (check) => {
    const model = scoreModel(mixture, vpSde());
    const grid = Float64Array.from({ length: 41 }, (_, i) => 1 - 0.02 * i);
    const rng = createRng(1);
    const broken = tf.tensor2d([[0, NaN, 0]]);
    const sampler = samplerByName("euler-maruyama");
    await check.throws(
      "a NaN to start from",
      () => drawSamples(model, sampler, { shape: [1, 3], grid, rng, initial: broken }),
      /^euler-maruyama: the starting state at time 1: the state is NaN or infinite/,
    );
    broken.dispose();
    await check.throws(
      "a NaN in the last denoise",
      () =>
        drawSamples(failsFrom(model, 0.2, NaN), sampler, { shape, grid: Float64Array.of(1, 0.4, 0.2), rng }),
      /^euler-maruyama: denoising after step 2 of 2, at time 0.2: the score/,
    );
    const hidden = scoreModelFromNoise(model.sde, (x) => x.mul(NaN));
    const deaf = {
      name: "deaf",
      start: (m: ScoreModel) => ({
        step: (x: tf.Tensor, t: number) =>
          tf.tidy(() => {
            m.predictedNoise(x, t);
            return x.clone();
          }),
        dispose: () => {},
      }),
    };
    await check.throws(
      "a NaN in a score that the state does not show",
      () => drawSamples(hidden, deaf, { shape, grid, rng, denoise: false }),
      /^deaf: step 1 of 40.*the score is NaN/,
    );
  },
);

claim("of several states that one read checks, the first that is not finite is named", async (check) => {
  const model = scoreModelFromNoise(vpSde(), (x) => x.clone());
  const cases: [string, number[], number[], RegExp | null][] = [
    ["a state", [1, NaN, Infinity, 1], [], /^state 1: the state is NaN or infinite$/],
    ["a score", [1, 1, NaN, 1], [2], /^state 2: the score is NaN or infinite$/],
    ["a score before a state", [1, 1, NaN, 1], [1], /^state 1: the score is NaN or infinite$/],
    ["the last state", [1, 1, 1, -Infinity], [], /^state 3: the state is NaN or infinite$/],
    ["none", [1, 1, 1, 1], [], null],
  ];
  const usual = new FiniteCheck(new WatchedModel(model));
  const expected = tf.getBackend() === "webgpu" ? 16 : 1;
  check.equal(
    "states of a read",
    usual.statesOfARead,
    expected,
    "a read of a GPU waits for all work before it",
  );
  usual.dispose();
  for (const [what, states, scores, message] of cases) {
    for (const many of [1, 3, 9]) {
      const before = tf.memory().numTensors;
      const watched = new WatchedModel(model);
      const finite = new FiniteCheck(watched, many);
      const run = async () => {
        for (const [i, value] of states.entries()) {
          const x = tf.tensor2d([[0, value]]);
          const at = tf.tensor2d([[scores.includes(i) ? NaN : 1]]);
          tf.dispose([watched.model.predictedNoise(at, 0.5), watched.model.predictedNoise(at, 0.5)]);
          await finite.add(x, `state ${i}`).finally(() => tf.dispose([x, at]));
        }
        await finite.settle();
      };
      await check.throws(`${what}, ${many} a read`, run, message ?? /^no error$/);
      if (message === null) {
        check.equal(`${many} a read: evaluations`, watched.evaluations, 8, "two before each state");
      }
      finite.dispose();
      watched.dispose();
      check.equal(
        `${what}, ${many} a read: tensors left`,
        tf.memory().numTensors - before,
        0,
        "all are freed",
      );
    }
  }
});

claim("invalid options are errors that name the value", async (check) => {
  const model = scoreModel(mixture, vpSde());
  const sampler = samplerByName("ddim");
  const rng = createRng(1);
  const grid = { kind: "uniform", steps: 3 } as const;
  const bad: [string, () => unknown, RegExp][] = [
    [
      "a name that is not there",
      () => samplerByName("eulr"),
      /sampler must be one of euler-maruyama.*got "eulr"/,
    ],
    ["a name of Object's", () => samplerByName("toString"), /got "toString"/],
    [
      "an option not accepted",
      () => samplerByName("ode-euler", { snr: 0.1 }),
      /ode-euler has no option snr; it has none/,
    ],
    ["snr", () => langevin({ snr: 0 }), /snr must be a positive number, got 0/],
    ["steps", () => langevin({ steps: 1.5 }), /steps must be a positive integer, got 1.5/],
    [
      "langevinStep",
      () => annealedLangevin({ langevinStep: -1 }),
      /langevinStep must be a positive number, got -1/,
    ],
    ["eta", () => ddim({ eta: 1.1 }), /eta must lie in \[0, 1\], got 1.1/],
    ["rtol", () => odeDormandPrince({ rtol: 0 }), /rtol must be a positive number, got 0/],
    [
      "shape",
      () => drawSamples(model, sampler, { shape: [0, 3], grid, rng }),
      /shape must be .* got \[0, 3\]/,
    ],
    ["shape without samples", () => drawSamples(model, sampler, { shape: [3], grid, rng }), /got \[3\]/],
    [
      "initial",
      () =>
        drawSamples(model, sampler, { shape, grid, rng, initial: tf.tidy(() => tf.keep(tf.zeros([2, 3]))) }),
      /initial has shape \[2, 3\]/,
    ],
    [
      "a grid that rises",
      () => drawSamples(model, sampler, { shape, grid: Float64Array.of(0.1, 0.2), rng }),
      /strictly decreasing/,
    ],
    [
      "a grid of one point",
      () => drawSamples(model, sampler, { shape, grid: Float64Array.of(0.1), rng }),
      /at least two/,
    ],
    [
      "a grid with NaN",
      () => drawSamples(model, sampler, { shape, grid: Float64Array.of(1, NaN), rng }),
      /got \[1, NaN\]/,
    ],
    [
      "steps too long for DDPM",
      () => drawSamples(model, samplerByName("reverse-diffusion"), { shape, grid, rng }),
      /reverse-diffusion: step 1 of 3.*β\(t\)·h/,
    ],
  ];
  for (const [what, action, message] of bad) await check.throws(what, action, message);
  const impatient = odeDormandPrince({ maxAttempts: 3 });
  await check.throws(
    "a solution given up",
    () => drawSamples(model, impatient, { shape, grid, rng }),
    /did not reach time .* in 3 attempts/,
  );
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

claim(
  "invalid options of multistep and singlestep samplers are errors that name the value",
  async (check) => {
    const bad: [string, () => unknown, RegExp][] = [
      ["gamma", () => edmStochastic({ gamma: 0.5 }), /gamma must lie in \[0, √2 − 1\], got 0.5/],
      ["range", () => edmStochastic({ sTmin: 2, sTmax: 1 }), /got 2 and 1/],
      ["S_noise", () => edmStochastic({ sNoise: 0 }), /sNoise must be a positive number, got 0/],
      ["rtol", () => adaptiveSde({ rtol: -1 }), /rtol must be a positive number, got -1/],
      ["firstStep", () => adaptiveSde({ firstStep: 0 }), /firstStep must be a positive number, got 0/],
      ["order of UniPC", () => unipc({ solverOrder: 0 }), /^solverOrder must be a positive integer, got 0$/],
      ["order of LMS", () => lms({ solverOrder: 5 }), /^solverOrder must be at most 4, got 5$/],
      ["order of DEIS", () => deis({ solverOrder: 4 }), /^solverOrder must be at most 3, got 4$/],
      [
        "B(h)",
        () => unipc({ bFunction: "bh3" as "bh1" }),
        /^bFunction must be "varying" or "bh1" or "bh2", got "bh3"$/,
      ],
      [
        "a solution given up",
        () =>
          drawSamples(scoreModel(mixture, vpSde()), adaptiveSde({ maxAttempts: 3 }), {
            shape,
            grid: { kind: "uniform", steps: 1 },
            rng: createRng(1),
          }),
        /adaptive-sde: step 1 of 1.* did not reach time 0.001 in 3 attempts/,
      ],
    ];
    for (const [what, action, message] of bad) await check.throws(what, action, message);
  },
);
