/**
 * A NaN or an infinity wherever it may enter a run: at the start, in any one call of the network, the last denoising
 * among them, or in any draw of noise. For every sampler, and for likelihoods and codes.
 * @module
 */
import { createRng, type Rng, type RngState } from "../../../src/compute/rng.ts";
import type { PerRow } from "../../../src/compute/rows.ts";
import * as tf from "../../../src/compute/tf.ts";
import { type ScoreModel, scoreModel, scoreModelFromNoise } from "../../../src/diffusion/noise_predictor.ts";
import { decodeLatent, encodeLatent } from "../../../src/likelihood/latents.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import { samplerByName, scoreSamplerNames } from "../../../src/samplers/registry.ts";
import { sample } from "../../../src/samplers/sample.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import { type Area, type Check, claim } from "../../suite/claim.ts";
import { gentleVp, mixture, settings, shape } from "../../problems/short_runs.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const broken = [NaN, Infinity, -Infinity] as const;
const source = "the first state after it must be an error that names its step";

/** One number of every row broken: rows that have arrived already wait for the others, and their states are not read. */
function withBroken(x: tf.Tensor, value: number): tf.Tensor {
  return tf.tidy(() => {
    const mask = Float32Array.from({ length: x.size }, (_, i) => i % x.shape[1]! === 1 ? value : 1);
    return x.mul(tf.tensor(mask, x.shape));
  });
}

/** The model whose `call`-th prediction is broken, and which counts its calls. */
function breaking(
  model: ScoreModel,
  call: number,
  value: number,
): { model: ScoreModel; calls: () => number } {
  let calls = 0;
  const noise = (x: tf.Tensor, t: PerRow) =>
    tf.tidy(() => {
      const whole = model.predictedNoise(x, t);
      return ++calls === call ? withBroken(whole, value) : whole;
    });
  return { model: scoreModelFromNoise(model.sde, noise), calls: () => calls };
}

/** Streams whose `draw`-th draw of normal numbers is broken; counts draws, those of forks too. */
class BreakingRng implements Rng {
  readonly #streams: Rng;
  readonly #seen: { draws: number };

  constructor(streams: Rng, readonly draw: number, readonly value: number, seen = { draws: 0 }) {
    this.#streams = streams;
    this.#seen = seen;
  }

  get draws(): number {
    return this.#seen.draws;
  }
  get firstSample(): number {
    return this.#streams.firstSample;
  }
  get state(): RngState {
    return this.#streams.state;
  }
  normal(shape: readonly number[]): tf.Tensor {
    return tf.tensor(this.normalValues(shape), [...shape]);
  }
  normalValues(shape: readonly number[]): Float32Array {
    const values = this.#streams.normalValues(shape);
    if (++this.#seen.draws !== this.draw) return values;
    return values.map((z, i) => i % shape[1] === 1 ? this.value : z);
  }
  uniform(shape: readonly number[]): tf.Tensor {
    return this.#streams.uniform(shape);
  }
  uniformValues(shape: readonly number[]): Float64Array {
    return this.#streams.uniformValues(shape);
  }
  rademacher(shape: readonly number[]): tf.Tensor {
    return this.#streams.rademacher(shape);
  }
  fork(label: string): Rng {
    return new BreakingRng(this.#streams.fork(label), this.draw, this.value, this.#seen);
  }
  startingAt(firstSample: number): Rng {
    return new BreakingRng(this.#streams.startingAt(firstSample), this.draw, this.value, this.#seen);
  }
}

interface Run {
  /** Draws and calls of the network up to each state, the start included. */
  readonly states: { readonly draws: number; readonly calls: number }[];
  /** What the run ended with; "" where it came to its end. */
  readonly error: string;
}

async function run(name: string, rng: BreakingRng, call = 0, value = NaN): Promise<Run> {
  const { grid, options } = settings(name);
  const { model, calls } = breaking(scoreModel(mixture, gentleVp), call, value);
  const states: Run["states"][number][] = [];
  try {
    for await (const { x, done } of sample(model, samplerByName(name, options), { shape, grid, rng })) {
      states.push({ draws: rng.draws, calls: calls() });
      if (done) x.dispose();
    }
  } catch (error) {
    return { states, error: (error as Error).message };
  }
  return { states, error: "" };
}

const clean = (name: string) => run(name, new BreakingRng(createRng(1), 0, NaN));

/** Up to `most` of the numbers 1 … count, the first and the last among them. */
function some(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i + 1);
  return Array.from({ length: most }, (_, i) => 1 + Math.round((count - 1) * i / (most - 1)));
}

/** The first state (0: the start) after the n-th draw or call. */
const stateAfter = (states: Run["states"], kind: "draws" | "calls", n: number) =>
  states.findIndex((state) => state[kind] >= n);

/** Compares all errors of one sampler at once. */
function compare(
  check: Check,
  what: string,
  found: readonly { readonly error: string; readonly expected: RegExp }[],
): void {
  check.atLeast(`${what}: places`, found.length, 1, "a case that never comes about shows nothing");
  const wrong = found.filter(({ error, expected }) => !expected.test(error));
  check.equal(
    `${what}, ${found.length} places: wrong or missing errors`,
    wrong.map(({ error, expected }) => `got "${error}" for ${expected}`),
    [],
    source,
  );
}

const where = (name: string, state: number, steps: number) =>
  `^${escaped(samplerByName(name, settings(name).options).name)}: ` +
  (state === 0
    ? "the starting state at time 1: "
    : `step ${state} of ${steps}, from time [\\d.]+ to [\\d.]+: `);

claim(
  "a NaN from any call of the network, the final denoising too, is an error that names its step",
  async (check) => {
    for (const name of scoreSamplerNames) {
      const { states } = await clean(name);
      const steps = states.length - 1;
      const { calls } = states[steps];
      const found = [];
      for (const [i, call] of some(calls, 12).entries()) {
        const { error } = await run(name, new BreakingRng(createRng(1), 0, NaN), call, broken[i % 3]);
        const place = call === calls
          ? `^${
            escaped(samplerByName(name, settings(name).options).name)
          }: denoising after step ${steps} of ${steps}, at time [\\d.]+: `
          : where(name, stateAfter(states, "calls", call), steps);
        found.push({ error, expected: new RegExp(`${place}.*(NaN|infinite)`) });
      }
      compare(check, name, found);
    }
  },
);

claim("a NaN in any draw of noise, the start too, is an error that names its step", async (check) => {
  for (const name of scoreSamplerNames) {
    const { states } = await clean(name);
    const steps = states.length - 1;
    const found = [];
    for (const [i, draw] of some(states[steps].draws, 6).entries()) {
      const { error } = await run(name, new BreakingRng(createRng(1), draw, broken[i % 3]));
      const place = where(name, stateAfter(states, "draws", draw), steps);
      found.push({ error, expected: new RegExp(`${place}.*(NaN|infinite)`) });
    }
    compare(check, name, found);
  }
});

claim("a NaN in a likelihood or a code is an error that names the time, not a number", async (check) => {
  const problem = scoreModel(mixture, vpSde());
  const methods = [
    { kind: "dopri5", rtol: 1e-2, atol: 1e-2, maxAttempts: 200 },
    { kind: "rk4", grid: { kind: "log-snr", steps: 3 } },
  ] as const;
  const x = createRng(4).normal([3, 3]);
  const starts = broken.map((value) => withBroken(x, value));
  for (const method of methods) {
    const actions = {
      "likelihood": (model: ScoreModel, x: tf.Tensor) => logLikelihood(model, x, { method }),
      "likelihood, estimated trace": (model: ScoreModel, x: tf.Tensor) =>
        logLikelihood(model, x, { method, trace: { rng: createRng(3) } }),
      "encode": (model: ScoreModel, x: tf.Tensor) => encodeLatent(model, x, method),
      "decode": (model: ScoreModel, x: tf.Tensor) => decodeLatent(model, x, method),
    };
    for (const [what, action] of Object.entries(actions)) {
      const counted = breaking(problem, 0, NaN);
      const outcome = await action(counted.model, x);
      if (outcome instanceof tf.Tensor) outcome.dispose();
      const found: { error: string; expected: RegExp }[] = [];
      const expected =
        /(from time [\d.e-]+: .*(NaN|Infinity|infinite))|(NaN or infinite after the step from [\d.]+ to [\d.]+)/;
      const before = tf.memory().numTensors;
      const attempt = async (model: ScoreModel, start: tf.Tensor) => {
        const error = await Promise.resolve(action(model, start)).then(() => "", (error) => error.message);
        found.push({ error, expected });
      };
      // Of the exact trace's three calls to an evaluation only the first gives the velocity.
      const each = what === "likelihood" ? 3 : 1;
      for (const [i, evaluation] of some(counted.calls() / each, 8).entries()) {
        await attempt(breaking(problem, 1 + (evaluation - 1) * each, broken[i % 3]).model, x);
      }
      for (const start of starts) await attempt(problem, start);
      compare(check, `${method.kind}, ${what}`, found);
      check.equal(
        `${method.kind}, ${what}: tensors left by errors`,
        tf.memory().numTensors - before,
        0,
        "everything is freed where a run breaks off",
      );
    }
  }
  tf.dispose([x, ...starts]);
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
