/** Claims that `deno task evaluate` says what runEvaluation gives for its request, in which every field counts. @module */
import { loadNoisyClassifier } from "../../../src/classifiers/noisy_classifier.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import {
  type EvaluationRequest,
  type EvaluationResult,
  runEvaluation,
} from "../../../src/runs/evaluation.ts";
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { task } from "../../../scripts/evaluate.ts";
import { otherSampling } from "../../problems/other_sampling.ts";
import { claim } from "../../suite/claim.ts";
import { printed } from "../../instruments/printed.ts";
import { checkEveryField } from "../../instruments/request_fields.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { smallModel, withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { smallMnist, writeMnist } from "../../instruments/small_mnist.ts";
import { referencesOf } from "../../instruments/small_quality.ts";

/** What runEvaluation measures of the small network, against digits in the stead of MNIST's. */
async function measured(
  request: EvaluationRequest,
  referenceOf: ReturnType<typeof referencesOf>,
): Promise<EvaluationResult> {
  const { config, weights } = smallModel();
  const noisePredictor = networkPredictor(config, weights);
  const classifier = request.classifierScale === 0 ? null : await loadNoisyClassifier();
  const reference = await referenceOf(noisePredictor, request.count);
  const result = await runEvaluation(request, { noisePredictor, classifier, reference });
  classifier?.dispose();
  noisePredictor.dispose();
  return result;
}

/** A distance to the same digits that any change of theirs moves, and the floor's. */
function numbersOf({ quality, floor, evaluations }: EvaluationResult): number[] {
  return [quality.frechet, quality.kernelDistance, floor.frechet, evaluations];
}

/** Twelve digits in batches of eight. */
const request: EvaluationRequest = {
  sde: { kind: "vp", betaMin: 0.1, betaMax: 20, tMin: 0.01, tMax: 0.98 },
  sampler: { name: "ancestral", options: {} },
  grid: { kind: "uniform", steps: 3 },
  guidance: { scale: 1.5, from: 0.05, to: 40 },
  classifierScale: 0.7,
  count: 12,
  batch: 8,
  seed: 3,
};

claim(
  "every field of an evaluation's request changes what is measured",
  { engines: ["wasm"] },
  async (check) => {
    const referenceOf = referencesOf(smallMnist({ train: 20, test: 30 }));
    await checkEveryField(check, request, {
      ...otherSampling,
      "grid.steps": { value: 4 },
      "guidance.scale": { value: 2 },
      "guidance.from": { value: 10 },
      "guidance.to": { value: 1 },
      "classifierScale": { value: 3 },
      "count": { value: 13 },
      "batch": { value: 12, same: "a digit's random numbers are its own, whatever batch it is in" },
      "seed": { value: 4 },
    }, async (request) => numbersOf(await measured(request, referenceOf)));
  },
);

claim(
  "evaluate says what runEvaluation measures for the request of --dry-run, on its checkpoint and its data",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      const sets = smallMnist({ train: 120, test: 130 });
      await writeMnist(folder, sets);
      const flags =
        `--checkpoint ${folder}/model.safetensors --data ${folder} --engine wasm --count 100 --batch 64 ` +
        "--sde vp --sampler ancestral --steps 2 --seed 5 --classifier-scale 2 --guidance 1.5 --guidance-max-sigma 30";
      const { request, stdout, bar } = await runInside(task, `${flags} --json`);
      const { quality, floor, evaluations } = await measured(request, referencesOf(sets));
      const { seconds, ...said } = JSON.parse(stdout.join("\n"));
      check.holds(`seconds ${seconds}`, seconds > 0, "drawing takes time");
      check.equal("what is said", said, {
        count: 100,
        ...quality,
        floor,
        sde: "vp",
        sampler: "ancestral",
        grid: request.grid.kind,
        steps: 2,
        evaluations,
        guidance: { scale: 1.5, from: request.guidance.from, to: 30 },
        classifierScale: 2,
        seed: 5,
        engine: "wasm",
      }, "the flags, and runEvaluation of the same digits");
      const counts = [0, 1, 2, 3, 4].map((n) => `drawing ${n}/4 steps`);
      check.equal("counts of the bar", [...new Set(bar)], counts, "two steps of 64 digits and of 36");
    }),
);

claim("evaluate's words are those of its request and its result", async (check) => {
  const all = { ...request, checkpoint: null, external: null, data: null, engine: "wasm" } as const;
  const [quality, floor] = [0, 0.05].map((more) => ({
    frechet: 11.25 + more,
    kernelDistance: 0.125 + more,
    kernelError: 0.002,
    precision: 0.75 + more,
    recall: 0.5 + more,
    accuracy: 0.875 + more,
  }));
  const result = { quality, floor, colours: null, evaluations: 7, seconds: 12.5, engine: "onnx" };
  const words = (...line: string[]) => printed(() => task.report(all, result, parseFlags(task.usage, line)));
  check.equal("as a table", await words(), [
    "against test images      12 digits  12 training images",
    "Fréchet distance             11.25               11.30",
    "kernel distance      0.125 ± 0.002       0.175 ± 0.002",
    "precision                    75.0%               80.0%",
    "recall                       50.0%               55.0%",
    "label accuracy               87.5%               92.5%",
    "vp, ancestral on a uniform grid, 3 steps, 7 evaluations, guidance 1.5 from ν = 40 to 0.05, classifier scale 0.7, " +
    "drawn in 12.5 s on onnx",
  ], "written out");
  check.equal("as JSON", JSON.parse((await words("--json")).join("\n")), {
    count: 12,
    frechet: 11.25,
    kernelDistance: 0.125,
    kernelError: 0.002,
    precision: 0.75,
    recall: 0.5,
    accuracy: 0.875,
    floor,
    sde: "vp",
    sampler: "ancestral",
    grid: "uniform",
    steps: 3,
    evaluations: 7,
    guidance: { scale: 1.5, from: 0.05, to: 40 },
    classifierScale: 0.7,
    seed: 3,
    seconds: 12.5,
    engine: "onnx",
  }, "written out");
  const [measured, even] = [
    { frechet: 0.125, stroke: 0.0625, ground: 0.03, blank: 2 },
    { frechet: 0.0625, stroke: null, ground: 0, blank: 12 },
  ];
  const coloured = { ...result, colours: { quality: measured, floor: even } };
  const coloursOf = (...line: string[]) =>
    printed(() => task.report(all, coloured, parseFlags(task.usage, line)));
  const table = await coloursOf();
  check.equal("digits in colours, as a table", [table[0], ...table.slice(5, -1)], [
    "against new digits                 12 digits  12 other new digits",
    "label accuracy                         87.5%                92.5%",
    "Fréchet distance of colours           0.1250               0.0625",
    "colour's deviation in strokes         0.0625                    –",
    "colour's deviation in grounds         0.0300               0.0000",
    "without a stroke                           2                   12",
  ], "written out");
  check.equal(
    "as JSON",
    JSON.parse((await coloursOf("--json")).join("\n")).colours,
    { quality: measured, floor: even },
    "written out",
  );
});
