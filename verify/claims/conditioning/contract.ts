/**
 * What conditioning promises around every sampler of the catalogue, whatever it computes.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { type Known, repaintSampler, replacementSampler } from "../../../src/conditioning/imputation.ts";
import { exactPosterior, linearObservation } from "../../../src/conditioning/observation.ts";
import { maskOperator, projectionOperator } from "../../../src/conditioning/operators.ts";
import { channelBasis } from "../../../src/conditioning/orthogonal_basis.ts";
import { posteriorScore } from "../../../src/conditioning/posterior_score.ts";
import { type ScoreModel, scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { adaptiveSde } from "../../../src/samplers/adaptive_sde.ts";
import { samplerByName, scoreSamplerNames } from "../../../src/samplers/registry.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { drawSamples, sample } from "../../../src/samplers/sample.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { checkVariance } from "../../instruments/statistics.ts";
import { gentleVp, mixture, settings } from "../../problems/short_runs.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const model = scoreModel(mixture, gentleVp);
const plain = (name: string) => samplerByName(name, settings(name).options);
const gridOf = (name: string) => settings(name).grid;
const seen = [-0.7, 0.2, 0.4];

/** Draws of samples first … first + count − 1. */
async function draw(
  name: string,
  sampler: Sampler,
  { of = model, first = 0, count = 3 } = {},
): Promise<number[]> {
  const rng = createRng(17).startingAt(first);
  const x = await drawSamples(of, sampler, { shape: [count, 3], grid: gridOf(name), rng });
  const values = Array.from(await x.data());
  x.dispose();
  return values;
}

claim(
  "with every sampler, imputation keeps known values exactly, couples no samples and leaks no tensors",
  async (check) => {
    const known: Known = { mask: [1, 0, 1], known: tf.tensor2d([seen]) };
    for (const name of scoreSamplerNames) {
      const before = tf.memory().numTensors;
      const together = await draw(name, replacementSampler(plain(name), known));
      check.equal(
        `${name}: tensors after the run`,
        tf.memory().numTensors - before,
        0,
        "the caller owned the last state only",
      );
      const entry = (i: number) => together.filter((_, at) => at % 3 === i);
      check.equal(
        `${name}: first entry`,
        entry(0),
        new Array(3).fill(Math.fround(seen[0])),
        "pasted after the denoising",
      );
      check.equal(
        `${name}: last entry`,
        entry(2),
        new Array(3).fill(Math.fround(seen[2])),
        "pasted after the denoising",
      );
      check.holds(`${name}: hidden entries differ`, new Set(entry(1)).size === 3, "drawn by the sampler");
      const split = [
        ...await draw(name, replacementSampler(plain(name), known), { count: 1 }),
        ...await draw(name, replacementSampler(plain(name), known), { first: 1, count: 2 }),
      ];
      check.equal(`${name}: 3 = 1 + 2`, split, together, "bit for bit: a row's arithmetic is its own");
    }
    tf.dispose(known.known);
  },
);

claim(
  "with every sampler, a mask that hides all changes nothing, and one that hides nothing returns the input",
  async (check) => {
    const values = tf.tensor2d([seen]);
    for (const name of scoreSamplerNames) {
      const hidden = await draw(name, replacementSampler(plain(name), { mask: [0, 0, 0], known: values }));
      check.equal(
        `${name}: all hidden`,
        hidden,
        await draw(name, plain(name)),
        "bit for bit the unconditional draws",
      );
      const shown = await draw(name, replacementSampler(plain(name), { mask: [1, 1, 1], known: values }));
      const input = [...seen, ...seen, ...seen].map(Math.fround);
      check.equal(`${name}: all known`, shown, input, "the input, bit for bit");
    }
    values.dispose();
  },
);

claim(
  "with every sampler, RePaint keeps known values exactly, and with one resampling is imputation",
  async (check) => {
    const known: Known = { mask: [1, 0, 0], known: tf.tensor2d([seen]) };
    for (const name of scoreSamplerNames) {
      const before = tf.memory().numTensors;
      const twice = await draw(name, repaintSampler(plain(name), { ...known, jump: 2, resamplings: 2 }));
      check.equal(`${name}: tensors after the run`, tf.memory().numTensors - before, 0, "none is left");
      const kept = [0, 3, 6].every((at) => twice[at] === Math.fround(seen[0]));
      check.holds(`${name}: first entry`, kept, "pasted after the denoising");
      const once = await draw(name, repaintSampler(plain(name), { ...known, resamplings: 1 }));
      check.equal(
        `${name}: once`,
        once,
        await draw(name, replacementSampler(plain(name), known)),
        "bit for bit imputation",
      );
      check.holds(
        `${name}: twice is another run`,
        twice.every(Number.isFinite) && twice[1] !== once[1],
        "steps are done again",
      );
    }
    tf.dispose(known.known);
  },
);

claim(
  "with every sampler, samples by the posterior score of Gaussian data equal those by the exact posterior",
  async (check) => {
    const prior = mixture.components[0];
    const observation = await linearObservation(
      projectionOperator([3], [[1, 1, 0], [0, 1, -1]]),
      tf.tensor2d([[0.4, -0.3]]),
      0.2,
    );
    const approximate = posteriorScore(scoreModel(prior, gentleVp), observation, { iterations: 3 });
    const exact = scoreModel(await exactPosterior(prior, observation), gentleVp);
    for (const name of scoreSamplerNames) {
      // Steps that adapt answer to rounding: here any tolerance is met, and they are the grid's.
      const sampler = name === "adaptive-sde"
        ? adaptiveSde({ rtol: 1e9, firstStep: 10, maxAttempts: 2 })
        : name === "dpm-solver-adaptive"
        ? samplerByName(name, { rtol: 1e9, atol: 1e9 })
        // Extrapolation by three values over few steps multiplies rounding.
        : name === "sa-solver"
        ? samplerByName(name, { predictorOrder: 2, correctorOrder: 2 })
        : plain(name);
      const before = tf.memory().numTensors;
      const together = await draw(name, sampler, { of: approximate });
      check.equal(`${name}: tensors after the run`, tf.memory().numTensors - before, 0, "none is left");
      const expected = await draw(name, sampler, { of: exact });
      const worst = Math.max(...together.map((value, i) => Math.abs(value - expected[i])));
      check.atMost(
        `${name}: largest difference`,
        worst,
        5e-6,
        "MMPS is exact on Gaussians; the same noise, float32: 5.2e-7",
        {
          detectable: "an error of 5e-6 in any step",
        },
      );
      const others = await draw(name, sampler, { of: approximate, first: 1, count: 2 });
      check.equal(
        `${name}: the last two alone`,
        others,
        together.slice(3),
        "bit for bit: a row's arithmetic is its own",
      );
    }
    observation.y.dispose();
  },
);

claim("imputation in another basis is imputation of the rotated data", async (check) => {
  const [c, s] = [Math.cos(0.6), Math.sin(0.6)];
  const vectors = [[c, s, 0], [-s, c, 0], [0, 0, 1]];
  const basis = channelBasis(vectors);
  const turnedSeen = vectors.map((vector) => vector.reduce((sum, value, i) => sum + value * seen[i], 0));
  const values = tf.tensor2d([seen]);
  const turnedValues = tf.tensor2d([turnedSeen]);
  const mask = [1, 0, 0];
  const turned = scoreModel(mixture.affine(vectors), gentleVp);
  const noise = createRng(23).normal([4, 3]);
  const initial = noise.matMul(tf.tensor2d(vectors)); // coefficients `noise` in the basis
  const run = (of: ScoreModel, sampler: Sampler, initial: tf.Tensor) =>
    drawSamples(of, sampler, { shape: [4, 3], grid: gridOf("ddim"), rng: createRng(3), initial });
  const inBasis = await run(model, replacementSampler(ddim(), { mask, known: values, basis }), initial);
  const inTurned = await run(turned, replacementSampler(ddim(), { mask, known: turnedValues }), noise);
  const [difference, kept] = await tf.tidy(() => {
    const coefficients = basis.toBasis(inBasis);
    const first = coefficients.slice([0, 0], [4, 1]).sub(turnedSeen[0]).abs().max();
    return tf.stack([coefficients.sub(inTurned).abs().max(), first]);
  }).data();
  check.atMost(
    "largest difference of the coefficients",
    difference,
    2e-6,
    "white noise is white in every basis; float32: 3.6e-7",
  );
  check.atMost("the known coefficient", kept, 2 ** -22, "pasted at the end; one product with the basis");
  tf.dispose([values, turnedValues, noise, initial, inBasis, inTurned]);
});

claim("the known part of every state of an imputed run has the noise of the state's time", async (check) => {
  const count = 4000;
  const known: Known = { mask: [1, 0, 0], known: tf.tensor2d([seen]) };
  const options = {
    shape: [count, 3],
    grid: { kind: "uniform", steps: 4 },
    rng: createRng(check.seed),
  } as const;
  for await (const { x, time, done } of sample(model, replacementSampler(ddim(), known), options)) {
    const values = await x.data();
    if (done) x.dispose();
    const [alpha, sigma] = done ? [1, 0] : [gentleVp.alpha(time), gentleVp.sigma(time)];
    let sum = 0;
    for (let row = 0; row < count; row++) sum += (values[3 * row] - alpha * Math.fround(seen[0])) ** 2;
    const where = `mean square about α known at time ${time}`;
    if (done) check.equal(`${where}, denoised`, sum, 0, "pasted exactly");
    else checkVariance(check, where, sum / count, sigma ** 2, count, "N(α known, σ²)");
  }
  tf.dispose(known.known);
});

claim("conditioning refuses mismatched shapes and values in one sentence", async (check) => {
  const values = tf.tensor2d([seen]);
  const holes = tf.tensor2d([[NaN, 0, 0]]);
  const operator = maskOperator([3], [1, 0, 0]);
  const observation = await linearObservation(operator, tf.tensor2d([[0.5]]));
  const two = await linearObservation(operator, tf.tensor2d([[0.5], [0.6]]));
  const wrong = { ...observation, noiseStd: -1 };
  const run = (sampler: Sampler, of = model, width = 3) =>
    drawSamples(of, sampler, { shape: [2, width], grid: gridOf("ddim"), rng: createRng(1) });
  const known = { mask: [1, 0, 0], known: values };
  const cases: [string, () => unknown, RegExp][] = [
    [
      "a mask of another size",
      () => replacementSampler(ddim(), { mask: [1, 0], known: values }),
      /samples of shape \[3\] has 3 entries, got 2$/,
    ],
    [
      "a mask that is no mask",
      () => replacementSampler(ddim(), { mask: [1, 0, 2], known: values }),
      /\(known\) and 0 \(hidden\), got 2$/,
    ],
    [
      "NaN where known",
      () => run(replacementSampler(ddim(), { ...known, known: holes })),
      /known values must be finite.* got NaN$/,
    ],
    [
      "samples of another shape",
      () => run(replacementSampler(ddim(), known), model, 4),
      /shape \[1,3\] do not fit samples of shape \[2,4\]$/,
    ],
    [
      "no resampling",
      () => repaintSampler(ddim(), { ...known, resamplings: 0 }),
      /resamplings must be a positive integer, got 0$/,
    ],
    [
      "negative resamplings",
      () => repaintSampler(ddim(), { ...known, resamplings: -2 }),
      /resamplings must be a positive integer, got -2$/,
    ],
    [
      "half a jump",
      () => repaintSampler(ddim(), { ...known, jump: 0.5 }),
      /jump must be a positive integer, got 0\.5$/,
    ],
    [
      "negative noise",
      () => posteriorScore(model, wrong),
      /noiseStd must be a finite number of at least 0, got -1$/,
    ],
    [
      "no iterations",
      () => posteriorScore(model, observation, { iterations: 0 }),
      /iterations must be a positive integer, got 0$/,
    ],
    [
      "data without spread",
      () => posteriorScore(model, observation, { dataStd: 0 }),
      /dataStd must be a positive number, got 0$/,
    ],
    [
      "an unknown method",
      () => posteriorScore(model, observation, { method: "dps" as "mmps" }),
      /"mmps", "tmpd" or "pigdm", got "dps"$/,
    ],
    [
      "states that the operator does not take",
      () => posteriorScore(model, observation).predictedNoise(tf.zeros([2, 4]), 0.5),
      /takes samples of shape \[3\], got \[2,4\]$/,
    ],
    [
      "two observations for three samples",
      () => posteriorScore(model, two).predictedNoise(tf.zeros([3, 3]), 0.5),
      /one observation, or one a sample, got 2 for 3$/,
    ],
    [
      "two observations for an exact posterior",
      () => exactPosterior(mixture, two),
      /takes one observation, got 2$/,
    ],
  ];
  for (const [what, action, message] of cases) await check.throws(what, action, message);
  const hidden = await linearObservation(maskOperator([3], [0, 0, 0]), tf.zeros([1, 0]));
  check.holds("nothing seen: the model itself", posteriorScore(model, hidden) === model, "no condition");
  check.holds(
    "nothing seen: the distribution itself",
    await exactPosterior(mixture, hidden) === mixture,
    "no condition",
  );
  tf.dispose([values, holes, observation.y, two.y, hidden.y]);
});
