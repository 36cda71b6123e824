/** Claims that `deno task tune` says what runTuning gives for its request, in which every field counts. @module */
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { runEvaluation } from "../../../src/runs/evaluation.ts";
import {
  compareTrials,
  listCombinations,
  runTuning,
  type TuningRequest,
  type TuningResult,
} from "../../../src/runs/tuning.ts";
import type { SamplerOptions } from "../../../src/samplers/sampler_info.ts";
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { task } from "../../../scripts/tune.ts";
import { otherSampling } from "../../problems/other_sampling.ts";
import { claim } from "../../suite/claim.ts";
import { printed } from "../../instruments/printed.ts";
import { checkEveryField } from "../../instruments/request_fields.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { smallModel, withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { smallMnist, writeMnist } from "../../instruments/small_mnist.ts";
import { referencesOf } from "../../instruments/small_quality.ts";

const sets = smallMnist({ train: 40, test: 40 });
const referenceOf = referencesOf(sets);

/** The small network, and what its digits are compared with. */
async function openParts(count: number) {
  const { config, weights } = smallModel();
  const noisePredictor = networkPredictor(config, weights);
  return { noisePredictor, reference: await referenceOf(noisePredictor, count) };
}

async function searched(request: TuningRequest): Promise<TuningResult> {
  const parts = await openParts(request.count);
  const result = await runTuning(request, parts);
  parts.noisePredictor.dispose();
  return result;
}

/** Two combinations with two seeds each, twelve digits in batches of eight. */
const request: TuningRequest = {
  sde: { kind: "vp", betaMin: 0.1, betaMax: 20, tMin: 0.01, tMax: 0.98 },
  sampler: { name: "predictor-corrector", options: { correctorSteps: 1 } },
  grid: { kind: "uniform" },
  steps: [2],
  snr: [0.1, 0.2],
  gamma: [],
  metric: "frechet",
  repeats: 2,
  guidance: { scale: 1.5, from: 0.05, to: 40 },
  count: 12,
  batch: 8,
  seed: 3,
};

/** One combination of a sampler that has no options, with one seed. */
const plain: TuningRequest = {
  ...request,
  sampler: { name: "euler-maruyama", options: {} },
  snr: [],
  repeats: 1,
};

claim("a search crosses steps, ratios and γ with the options that all combinations have", (check) => {
  const sde = { kind: "ve", sigmaMin: 0.01, sigmaMax: 10 } as const;
  const crossed = (name: string, options: SamplerOptions, lists: Partial<TuningRequest>) =>
    listCombinations({ ...request, sde, snr: [], sampler: { name, options }, ...lists });
  check.equal(
    "ratios",
    crossed("predictor-corrector", { correctorSteps: 2 }, { steps: [9, 2], snr: [0.3, 0.1] }),
    [
      { steps: 9, options: { snr: 0.3, correctorSteps: 2 } },
      { steps: 9, options: { snr: 0.1, correctorSteps: 2 } },
      { steps: 2, options: { snr: 0.3, correctorSteps: 2 } },
      { steps: 2, options: { snr: 0.1, correctorSteps: 2 } },
    ],
    "the request",
  );
  check.equal("γ", crossed("edm-stochastic", { sTmax: 2 }, { gamma: [0.2, 0] }), [
    { steps: 2, options: { gamma: 0.2, sTmax: 2 } },
    { steps: 2, options: { gamma: 0, sTmax: 2 } },
  ], "the request");
  check.equal(
    "neither",
    crossed("ddim", { eta: 0.5 }, {}),
    [{ steps: 2, options: { eta: 0.5 } }],
    "the request",
  );
});

claim(
  "every field of a search's request changes what it finds",
  { engines: ["wasm"] },
  (check) =>
    checkEveryField(check, plain, {
      ...otherSampling,
      "steps.0": { value: 3 },
      "metric": { value: "kernel" },
      "repeats": { value: 2 },
      "guidance.scale": { value: 2 },
      "guidance.from": { value: 5 },
      "guidance.to": { value: 1 },
      "count": { value: 13 },
      "batch": { value: 12, same: "a digit's random numbers are its own, whatever batch it is in" },
      "seed": { value: 4 },
    }, async (request) => {
      const { trials, floor } = await searched(request);
      return [...trials.flatMap(({ values }) => values), floor];
    }),
);

claim(
  "a search measures each combination as runEvaluation does, by steps, ratio and γ, with the seeds that follow",
  { engines: ["wasm"] },
  async (check) => {
    const search: TuningRequest = {
      ...request,
      sde: { kind: "ve", sigmaMin: 0.01, sigmaMax: 10 },
      sampler: { name: "edm-stochastic", options: { sTmin: 0.02 } },
      snr: [],
      steps: [2, 3],
      gamma: [0, 0.3],
      metric: "kernel",
    };
    const { trials, floor, best } = await searched(search);
    const parts = await openParts(12);
    const expected: unknown[] = [];
    const { sde, guidance, count, batch } = search;
    for (const [steps, gamma] of [[2, 0], [2, 0.3], [3, 0], [3, 0.3]]) {
      const values: number[] = [];
      for (const seed of [3, 4]) {
        const { quality, evaluations } = await runEvaluation({
          ...{ sde, guidance, count, batch, seed, classifierScale: 0 },
          sampler: { name: "edm-stochastic", options: { sTmin: 0.02, gamma } },
          grid: { kind: "uniform", steps },
        }, parts);
        values.push(quality.kernelDistance, evaluations);
      }
      expected.push([steps, gamma, 0.02, values[0], values[2], values[1]]);
    }
    parts.noisePredictor.dispose();
    check.equal(
      "steps, γ, another option, the values of both seeds, evaluations",
      trials.map(({ steps, options: { gamma, sTmin }, values, evaluations }) => [
        ...[steps, gamma, sTmin, ...values, evaluations],
      ]),
      expected,
      "runEvaluation",
    );
    const means = expected.map((row) => ((row as number[])[3] + (row as number[])[4]) / 2);
    check.equal("the best", best, means.indexOf(Math.min(...means)), "the least mean");
    check.equal("the floor", floor, parts.reference.reference.floor.kernelDistance, "the training images'");
  },
);

claim(
  "trials cannot be told from the best within two standard errors of their paired differences",
  (check) => {
    // Differences from the second, seed by seed: 1 ± 1, so that 2/√3 of them is a mean of 1 within 1.15, and so on.
    const best = [10, 14, 12];
    const add = (...differences: number[]) => best.map((value, seed) => value + differences[seed]);
    const values = [add(0, 1, 2), best, add(1, 2, 3), add(5, 5, 5.3), add(2, 0, 4)];
    check.equal(
      "best and undecided",
      compareTrials(values),
      { best: 1, undecided: [0, 4] },
      "means 1, 2, 5.1 and 2 against twice √(1/3), √(1/3), 0.1 and √(4/3): 1.15, 1.15, 0.2 and 2.31",
    );
    check.equal("one seed", compareTrials([[2], [1], [3]]), { best: 1, undecided: null }, "no errors");
  },
);

claim(
  "tune says what runTuning finds for the request of --dry-run, on its checkpoint and its data",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      await writeMnist(folder, sets);
      const flags =
        `--checkpoint ${folder}/model.safetensors --data ${folder} --engine wasm --count 20 --batch 12 --sde vp --steps 2 ` +
        "--sampler edm-stochastic --grid uniform --gamma 0.1,0.2 --s-noise 1.05 --repeats 2 --guidance 2 --seed 5 --metric kernel";
      const { request: asked, stdout, bar } = await runInside(task, `${flags} --json`);
      const { trials, best, floor } = await searched(asked);
      const { seconds, ...said } = JSON.parse(stdout.join("\n"));
      check.holds(`seconds ${seconds}`, seconds > 0, "drawing takes time");
      const { steps, options } = trials[best];
      check.equal("what is said", said, {
        sde: "vp",
        sampler: "edm-stochastic",
        metric: "kernel",
        count: 20,
        repeats: 2,
        guidance: 2,
        seed: 5,
        engine: "wasm",
        floor,
        trials,
        best: { steps, options },
      }, "the flags, and runTuning of the same digits");
      const words = (gamma: number) => `2 steps, gamma ${gamma}, sNoise 1.05`;
      check.equal("counts and notes of the bar", [...new Set(bar)], [
        ...[0, 1, 2, 3, 4, 5, 6, 7, 8].map((n) => `tuning ${n}/16 steps, ${words(0.1)}`),
        `${words(0.1)}: ${trials[0].mean.toFixed(2)} ± ${trials[0].error!.toFixed(2)}`,
        ...[8, 9, 10, 11, 12, 13, 14, 15, 16].map((n) => `tuning ${n}/16 steps, ${words(0.2)}`),
        `${words(0.2)}: ${trials[1].mean.toFixed(2)} ± ${trials[1].error!.toFixed(2)}`,
      ], "two steps of two batches with two seeds for each γ");
    }),
);

claim("tune's words are those of its request and its result", async (check) => {
  const all = { ...request, checkpoint: null, data: null, engine: "wasm" } as const;
  const trials = [0.1, 0.2].map((snr, i) => ({
    steps: 2,
    options: { snr },
    values: [3 - i, 5 - i],
    evaluations: 7 + i,
    mean: 4 - i,
    error: 1 + i,
  }));
  const result = { trials, best: 1, undecided: [0], floor: 0.5, seconds: 12.5, engine: "onnx" };
  const words = (request: TuningRequest, changed: Partial<TuningResult>) =>
    printed(() => task.report({ ...all, ...request }, { ...result, ...changed }, parseFlags(task.usage, [])));
  check.equal("two seeds", await words(request, {}), [
    "vp, predictor-corrector  evaluations  Fréchet distance",
    "2 steps, snr 0.1                   7       4.00 ± 1.00",
    "2 steps, snr 0.2                   8       3.00 ± 2.00  best",
    "best: 2 steps, snr 0.2: 3.00 ± 2.00; 1 of 1 others cannot be told from it by these seeds (12 training images read " +
    "0.50); 2 × 12 digits each, 12.5 s on onnx",
  ], "written out");
  const once = trials.map((trial) => ({ ...trial, error: null }));
  const changed = { trials: once, undecided: null, best: 0 };
  check.equal("one seed", await words({ ...request, metric: "kernel", repeats: 1 }, changed), [
    "vp, predictor-corrector  evaluations  kernel distance",
    "2 steps, snr 0.1                   7             4.00  best",
    "2 steps, snr 0.2                   8             3.00",
    "best: 2 steps, snr 0.1: 4.00, by one seed: --repeats tells how sure that is (12 training images read 0.50); " +
    "1 × 12 digits each, 12.5 s on onnx",
  ], "written out");
});
