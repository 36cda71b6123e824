/** Claims about `deno task evaluate` and runEvaluation on networks of digits in colours. @module */
import { readClassifier } from "../../../src/classifiers/digit_classifier.ts";
import { classAccuracy, CLASSIFIER_FEATURES, classify } from "../../../src/classifiers/digit_classifier.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { colouredDigits } from "../../../src/data/coloured_digits.ts";
import { type ImageDataset, modelToBytes, toModel } from "../../../src/data/dataset.ts";
import { colourDeviation } from "../../../src/metrics/colour_deviation.ts";
import { featureMoments, frechetDistance } from "../../../src/metrics/frechet.ts";
import { penCoverage } from "../../../src/metrics/pen_coverage.ts";
import { patchStatistics } from "../../../src/metrics/pooled_features.ts";
import { writeModel } from "../../../src/networks/model_file.ts";
import type { Weights } from "../../../src/networks/network.ts";
import { type NetworkPredictor, networkPredictor } from "../../../src/networks/network_predictor.ts";
import { COLOURED_DIGITS } from "../../../src/networks/registry.ts";
import {
  drawDigits,
  type EvaluationRequest,
  openQualityReference,
  runEvaluation,
} from "../../../src/runs/evaluation.ts";
import { run } from "../../instruments/run_task.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { claim } from "../../suite/claim.ts";

/** A small untrained network of digits in colours, with labels. */
const model = smallModel({
  ...COLOURED_DIGITS,
  widths: [8, 8],
  middleBlocks: 1,
  embedding: 16,
  noiseFeatures: 8,
  classes: 10,
});

/** What an action gives for that network. */
async function withNetwork<T>(action: (noisePredictor: NetworkPredictor) => Promise<T>): Promise<T> {
  const noisePredictor = networkPredictor(model.config, model.weights);
  try {
    return await action(noisePredictor);
  } finally {
    noisePredictor.dispose();
  }
}

/** The digits of a request, as bytes. */
async function drawn(request: EvaluationRequest): Promise<ImageDataset> {
  const { images, labels } = await withNetwork((noisePredictor) => drawDigits(request, { noisePredictor }));
  const { count } = request;
  return {
    name: "drawn",
    count,
    shape: [28, 28, 3],
    classes: 10,
    images: modelToBytes(images),
    labels: labels!,
  };
}

claim(
  "digits in colours are measured by what the pen covers and by their colours",
  { engines: ["wasm"] },
  async (check) => {
    const request: EvaluationRequest = {
      sde: { kind: "ve", sigmaMin: 0.01, sigmaMax: 10 },
      sampler: { name: "ode-euler", options: {} },
      grid: { kind: "karras", steps: 2 },
      guidance: { scale: 1 },
      classifierScale: 0,
      count: 12,
      batch: 8,
      seed: 3,
    };
    const file = new URL("../../../fixtures/models/classifier.safetensors", import.meta.url);
    const classifier: Weights = readClassifier(await Deno.readFile(file));
    const [train, test] = [colouredDigits(20, createRng(1)), colouredDigits(30, createRng(2))];
    const { quality, floor, colours } = await withNetwork(async (noisePredictor) => {
      const reference = await openQualityReference(noisePredictor, classifier, { train, test }, 12);
      return await runEvaluation(request, { noisePredictor, reference });
    });
    const shapes = async (digits: ImageDataset) => {
      const { features, labels } = await classify(classifier, toModel(penCoverage(digits).images));
      return { moments: featureMoments(features, CLASSIFIER_FEATURES), labels };
    };
    const pooled = (digits: ImageDataset) => {
      const { features, dimension } = patchStatistics(digits);
      return featureMoments(features, dimension);
    };
    const first = {
      ...train,
      count: 12,
      images: train.images.slice(0, 12 * 2352),
      labels: train.labels.slice(0, 12),
    };
    const known = await shapes(test);
    for (
      const [what, digits, shape, colour] of [
        ["drawn", await drawn(request), quality, colours!.quality],
        ["the data's", first, floor, colours!.floor],
      ] as const
    ) {
      const { moments, labels } = await shapes(digits);
      check.equal(
        `${what}: accuracy`,
        shape.accuracy,
        classAccuracy(labels, digits.labels),
        "of what the pen covers",
      );
      check.equal(
        `${what}: shapes`,
        shape.frechet,
        frechetDistance(moments, known.moments),
        "of what the pen covers",
      );
      check.equal(
        `${what}: colours`,
        colour,
        { frechet: frechetDistance(pooled(digits), pooled(test)), ...colourDeviation(digits) },
        "pooled features, and deviations",
      );
    }
  },
);

claim(
  "evaluate measures digits in colours beside new ones, and takes no other data",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const checkpoint = `${folder}/model.safetensors`;
      await Deno.writeFile(checkpoint, writeModel(model));
      const flags = `--checkpoint ${checkpoint} --engine wasm --count 100 --batch 50 --steps 2 --seed 5`
        .split(" ");
      const dry = await run("evaluate", ...flags, "--dry-run");
      const { code, stdout, stderr } = await run("evaluate", ...flags, "--json");
      check.equal("exit code", code, 0, stderr);
      const { quality, floor } = JSON.parse(stdout).colours;
      const deviations = ({ stroke, ground, blank }: typeof quality) => ({ stroke, ground, blank });
      const own = await drawn(JSON.parse(dry.stdout));
      check.equal("drawn", deviations(quality), colourDeviation(own), "the library's, of the same digits");
      const other = colouredDigits(100, createRng(1));
      check.equal(
        "new",
        deviations(floor),
        colourDeviation(other),
        "digits of seed 1; training's have seed 0",
      );
      check.atLeast(
        "Fréchet distance over the floor's",
        quality.frechet / floor.frechet,
        3,
        "blurs are no digits",
      );
      const refused = await run("evaluate", ...flags, "--data", folder);
      check.equal("exit code with --data", refused.code, 2, "bad usage");
      check.equal(
        "one sentence",
        refused.stderr,
        `error: --data "${folder}" has MNIST's grey digits, and the checkpoint's are in colours, measured against drawn ones: leave it out\n`,
        "what is allowed",
      );
    }),
);
