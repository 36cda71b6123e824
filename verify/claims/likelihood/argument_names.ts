/** Wrong arguments of likelihoods, codes and bounds are refused by their names. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModelFromNoise } from "../../../src/diffusion/noise_predictor.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import { continuousElbo, type ContinuousElboOptions } from "../../../src/likelihood/continuous_bound.ts";
import {
  bitsPerDimension,
  decoderNats,
  dequantize,
  truncatedNormalDequantize,
  type ValueRange,
} from "../../../src/likelihood/dequantization.ts";
import {
  discreteElbo,
  type DiscreteElboOptions,
  learnVariances,
} from "../../../src/likelihood/discrete_bound.ts";
import { decodeLatent, encodeLatent, interpolateLatents } from "../../../src/likelihood/latents.ts";
import { type Hutchinson, logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import { claim } from "../../suite/claim.ts";

claim("a wrong argument of a likelihood, a code or a bound is refused by its name", async (check) => {
  const none = null as never;
  const sde = vpSde();
  const model = scoreModelFromNoise(sde, (x) => x.clone());
  const [x, rng] = [tf.ones([1, 2]), createRng(1)];
  const times = Float64Array.of(1, 0.5);
  const bound = (options: Record<string, unknown>) => () =>
    continuousElbo(model, x, { rng, ...options } as ContinuousElboOptions);
  const discrete = (options: Record<string, unknown>) => () =>
    discreteElbo(model, x, { times, rng, ...options } as DiscreteElboOptions);
  const probes = (trace: Record<string, unknown>) => () =>
    logLikelihood(model, x, { trace: { rng, ...trace } as Hutchinson });
  const bits = (range: Record<string, unknown>) => () =>
    bitsPerDimension(0, 1, { low: 0, high: 1, ...range } as ValueRange);
  const cases: [string, () => unknown][] = [
    ["bytes", () => dequantize([256], [1], rng)],
    ["bytes", () => dequantize([0.5], [1], rng)],
    ["bytes", () => dequantize([-1], [1], rng)],
    ["rng", () => dequantize([1], [1], none)],
    ["shape", () => dequantize([1], none, rng)],
    ["range", () => dequantize([1], [1], rng, none)],
    ["sde", () => truncatedNormalDequantize([1], [1], rng, none)],
    ["sde", () => decoderNats(none)],
    ["logDensity", () => bitsPerDimension(NaN, 1)],
    ["dimension", () => bitsPerDimension(0, 0)],
    ["low", bits({ low: NaN })],
    ["high", bits({ high: NaN })],
    ["levels", bits({ levels: 0 })],
    ["weights", () => interpolateLatents(x, x, none)],
    ["weights", () => interpolateLatents(x, x, [])],
    ["a", () => interpolateLatents(none, x, [0.5])],
    ["b", () => interpolateLatents(x, none, [0.5])],
    ["model", () => encodeLatent(none, x)],
    ["x", () => encodeLatent(model, none)],
    ["model", () => decodeLatent(none, x)],
    ["codes", () => decodeLatent(model, none)],
    ["method", () => encodeLatent(model, x, none)],
    ["the kind of a flow's method", () => encodeLatent(model, x, { kind: "euler" as "dopri5" })],
    ["model", () => continuousElbo(none, x, { rng })],
    ["x0", () => continuousElbo(model, none, { rng })],
    ["x0", () => tf.tidy(() => continuousElbo(model, tf.ones([2]), { rng }))],
    ["options", () => continuousElbo(model, x, none)],
    ["rng", bound({ rng: null })],
    ["draws", bound({ draws: 0 })],
    ["times", bound({ times: "late" })],
    ["model", () => logLikelihood(none, x)],
    ["x", () => logLikelihood(model, none)],
    ["options", () => logLikelihood(model, x, none)],
    ["trace", () => logLikelihood(model, x, { trace: "none" as "exact" })],
    ["trace", () => logLikelihood(model, x, { trace: none })],
    ["rng", probes({ rng: null })],
    ["probes", probes({ probes: 0 })],
    ["distribution", probes({ distribution: "uniform" })],
    ["model", () => discreteElbo(none, x, { times, rng })],
    ["data", () => discreteElbo(model, none, { times, rng })],
    ["options", () => learnVariances(model, x, none)],
    ["rng", discrete({ rng: null })],
    ["onStep", discrete({ onStep: 1 })],
    ["levels", discrete({ levels: 1 })],
    ["variances", discrete({ variances: "none" })],
    ["the times of a bound", discrete({ times: [1, 0.5] })],
  ];
  for (const [name, call] of cases) await check.throws(name, call, new RegExp(`^${name} must `));
  x.dispose();
});

claim("a bound and its learned variances say after each step how many there were", async (check) => {
  const model = scoreModelFromNoise(vpSde(), (x) => x.clone());
  const x = tf.zeros([2, 1]);
  const times = Float64Array.of(1, 0.6, 0.3);
  for (const run of [discreteElbo, learnVariances]) {
    const steps: number[] = [];
    await run(model, x, { times, rng: createRng(1), onStep: (step) => steps.push(step) });
    check.equal(run.name, steps, [1, 2, 3], "two down the grid and the one to the data");
  }
  const { prior, steps: [first, second], reconstruction, total } = await discreteElbo(model, x, {
    times,
    rng: createRng(1),
  });
  for (const row of [0, 1]) {
    const sum = prior[row] + first[row] + second[row] + reconstruction[row];
    check.within(`row ${row}: the bound`, total[row] / sum, 1, 1e-12, "L_T + L_1 + L_2 + L_0");
  }
  x.dispose();
});
