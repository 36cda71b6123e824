/** Claims that `deno task evaluate` says what runEvaluation gives for its request, in which every field counts. @module */
import { loadNoisyClassifier } from "../../../src/classifiers/noisy_classifier.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { decodePng } from "../../../src/images/png.ts";
import {
  drawDigits,
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
function numbersOf({ quality, floor, nearest, evaluations }: EvaluationResult): number[] {
  const distances = nearest === null ? [] : [...nearest.distances, ...nearest.testDistances];
  return [quality.frechet, quality.kernelDistance, floor.frechet, evaluations, ...distances];
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
  nearest: 3,
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
      "nearest": { value: 2 },
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

claim(
  "evaluate finds each digit's nearest training image, and shows digits of each class beside theirs",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      const sets = smallMnist({ train: 120, test: 130 });
      await writeMnist(folder, sets);
      const flags =
        `--checkpoint ${folder}/model.safetensors --data ${folder} --engine wasm --count 100 --sde vp ` +
        `--sampler ancestral --steps 2 --seed 5 --nearest ${folder}/nearest.png`;
      const { request } = await runInside(task, flags);
      const { nearest } = await measured(request, referencesOf(sets));
      const { digits, images, indices, distances, testDistances } = nearest!;
      const { config, weights } = smallModel();
      const noisePredictor = networkPredictor(config, weights);
      const drawn = (await drawDigits(request, { noisePredictor })).images;
      noisePredictor.dispose();
      const bytes = Uint8Array.from(drawn, (value) =>
        Math.round(Math.min(1, Math.max(-1, value)) * 127.5 + 127.5));
      check.equal("the digits", [...digits], [...bytes], "those that are drawn, as bytes");
      const row = (set: Uint8Array, i: number) =>
        set.subarray(784 * i, 784 * (i + 1));
      const squaresOf = (image: Uint8Array) =>
        Array.from({ length: 120 }, (_, j) =>
          row(sets.train.images, j).reduce((sum, value, at) =>
            sum + (value - image[at]) ** 2, 0));
      const expected = Array.from({ length: 100 }, (_, i) => {
        const squares = squaresOf(row(digits, i));
        const least = Math.min(...squares);
        return { at: squares.indexOf(least), distance: Math.sqrt(least) / 255 };
      });
      check.equal(
        "nearest",
        [...indices],
        expected.map(({ at }) =>
          at
        ),
        "by all distances",
      );
      check.equal("distances", [...distances], expected.map(({ distance }) => distance), "by all distances");
      const test = Array.from(
        { length: 100 },
        (_, i) => Math.sqrt(Math.min(...squaresOf(row(sets.test.images, Math.floor(1.3 * i))))) / 255,
      );
      check.equal("of test images", [...testDistances], test, "a hundred of 130, evenly spaced");
      check.equal(
        "their images",
        [...images],
        expected.flatMap(({ at }) => [...row(sets.train.images, at)]),
        "by index",
      );
      // Ten columns and four rows of 28 pixels, three times as large, on the right of their names.
      const { width, height, data } = await decodePng(
        await Deno.readFile(`${folder}/nearest.png`),
        "nearest.png",
      );
      const closest = Array.from({ length: 10 }, (_, c) =>
        Array.from({ length: 10 }, (_, k) =>
          c + 10 * k).reduce((a, b) =>
            distances[b] < distances[a] ? b : a
          ));
      const first = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
      const left = width - (10 * 86 + 2);
      check.equal(
        "height",
        height,
        4 * 86 + 2 + 2 * 17,
        "four rows with gaps, below a title and the classes",
      );
      const seen = (rowAt: number, columnAt: number) =>
        Array.from({ length: 784 }, (_, at) => {
          const x = left + 2 + 86 * columnAt + 3 * (at % 28) + 1;
          const y = 2 + 2 * 17 + 86 * rowAt + 3 * Math.floor(at / 28) + 1;
          return data[4 * (y * width + x)];
        });
      [[digits, first], [images, first], [digits, closest], [images, closest]].forEach(([from, chosen], r) =>
        check.equal(
          `row ${r}`,
          first.flatMap((c) =>
            seen(r, c)
          ),
          first.flatMap((c) => [...row(from as Uint8Array, (chosen as number[])[c])]),
          "digits above the images",
        )
      );
    }),
);

claim("evaluate's words are those of its request and its result", async (check) => {
  const all = {
    ...request,
    ...{ checkpoint: "mnist", external: null, guide: null, data: null, picture: null, own: false },
    engine: "wasm" as const,
  };
  const [quality, floor] = [0, 0.05].map((more) => ({
    frechet: 11.25 + more,
    kernelDistance: 0.125 + more,
    kernelError: 0.002,
    precision: 0.75 + more,
    recall: 0.5 + more,
    accuracy: 0.875 + more,
  }));
  const result = {
    quality,
    floor,
    colours: null,
    nearest: null,
    evaluations: 7,
    seconds: 12.5,
    engine: "onnx",
  };
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
  const nearest = {
    ...{ digits: new Uint8Array(), images: new Uint8Array(), indices: new Int32Array(4) },
    distances: new Float64Array([4, 1.5, 0.5, 3]),
    testDistances: new Float64Array([5, 2, 6]),
  };
  const beside = { ...result, nearest };
  const nearWords = (...line: string[]) =>
    printed(() => task.report(all, beside, parseFlags(task.usage, line)));
  check.equal(
    "nearest training images",
    (await nearWords()).at(-2),
    "the nearest training image is at 3.00 in the median of 4 digits, at 5.00 of 3 test images; 50.0% of the digits are " +
      "nearer than 99% of the test images",
    "written out: 3 is the third of four, 5 the second of three, and 1.5 and .5 are below 2",
  );
  check.equal(
    "as JSON",
    JSON.parse((await nearWords("--json")).join("\n")).nearest,
    { count: 4, median: 3, testMedian: 5, nearer: 0.5 },
    "written out",
  );
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
