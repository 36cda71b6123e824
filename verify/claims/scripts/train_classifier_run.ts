/** Claims that `deno task train:classifier` writes and says what runClassifierTraining gives for its request. @module */
import { readClassifier } from "../../../src/classifiers/digit_classifier.ts";
import { readNoisyClassifier } from "../../../src/classifiers/noisy_classifier.ts";
import type { Weights } from "../../../src/networks/network.ts";
import { readSafetensors } from "../../../src/networks/safetensors.ts";
import {
  type ClassifierTrainingRequest,
  type ClassifierTrainingResult,
  runClassifierTraining,
} from "../../../src/runs/classifier_training.ts";
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { task } from "../../../scripts/train_classifier.ts";
import { claim } from "../../suite/claim.ts";
import { printed } from "../../instruments/printed.ts";
import { checkEveryField, largestDifference } from "../../instruments/request_fields.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { smallMnist, writeMnist } from "../../instruments/small_mnist.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";

const sets = smallMnist({ train: 20, test: 30 });

/** Three steps of four digits. */
const request: ClassifierTrainingRequest = {
  noisy: false,
  steps: 3,
  batch: 4,
  seed: 5,
  shift: 2,
  optimizer: {
    rate: 0.1,
    warmup: 2,
    decay: "cosine",
    betas: [0.9, 0.99],
    epsilon: 1e-8,
    clip: 5,
    ema: 0.2,
  },
};

function numbersOf(weights: Weights): number[] {
  return [...weights.values()].flatMap((values) => [...values]);
}

claim(
  "every field of a request to train a classifier changes its weights",
  { engines: ["wasm"] },
  (check) =>
    checkEveryField(check, request, {
      "noisy": { value: true },
      "steps": { value: 4 },
      "batch": { value: 5 },
      "seed": { value: 6 },
      "shift": { value: 0 },
      "optimizer.rate": { value: 0.05 },
      "optimizer.warmup": { value: 0 },
      "optimizer.decay": { value: "constant" },
      "optimizer.betas.0": { value: 0.5 },
      "optimizer.betas.1": { value: 0.5 },
      "optimizer.epsilon": { value: 0.1 },
      "optimizer.clip": { value: 0.01 },
      "optimizer.ema": { value: 0.1 },
    }, async (request) => numbersOf((await runClassifierTraining(request, sets)).weights)),
);

claim("a trained classifier has the moving average of the weights, not the last ones", {
  engines: ["wasm"],
}, async (check) => {
  const weightsWith = async (rate: number, ema: number) => {
    const optimizer = { ...request.optimizer, rate, warmup: 0, decay: "constant", ema } as const;
    return numbersOf((await runClassifierTraining({ ...request, steps: 1, optimizer }, sets)).weights);
  };
  const [initial, last, average] = [
    await weightsWith(1e-12, 0),
    await weightsWith(0.1, 0),
    await weightsWith(0.1, 0.9),
  ];
  check.atLeast(
    "what the step moves",
    largestDifference(initial, last),
    0.05,
    "Adam's first step is the rate long",
  );
  const expected = initial.map((value, at) => value * 2 / 11 + last[at] * 9 / 11);
  const source = "θ₀·2/11 + θ₁·9/11 after one step: the decay is (1 + step)/(10 + step) at first";
  check.atMost("largest difference", largestDifference(average, expected), 1e-5, source, {
    detectable: "0.01: the last weights",
  });
});

claim("train:classifier writes and says what runClassifierTraining gives for the request of --dry-run", {
  engines: ["wasm"],
}, (check) =>
  withFolder(async (folder) => {
    await writeMnist(folder, sets);
    for (const kind of ["clean", "noisy"] as const) {
      const output = `${folder}/${kind}.safetensors`;
      const line = `--data ${folder} --engine wasm --steps 2 --seed 7 --output ${output}`;
      const { request, stdout, bar } = await runInside(task, kind === "noisy" ? `${line} --noisy` : line);
      check.equal(
        `${kind}: last count of the bar`,
        bar.at(-1)?.replace(/[\d.]+$/, "…"),
        "training 2/2 steps, loss …",
        "--steps",
      );
      const { weights, accuracy, levels } = await runClassifierTraining(request, sets);
      const bytes = await Deno.readFile(output);
      const written = kind === "clean" ? readClassifier(bytes) : readNoisyClassifier(bytes);
      const halved = [...weights].map(([name, values]) => [name, values.map(Math.f16round)] as const);
      check.equal(`${kind}: weights`, [...written], halved, "in half precision");
      const { training, data, test, testAccuracy } = readSafetensors(bytes).metadata;
      const { steps, batch, seed, shift, optimizer } = request;
      check.equal(
        `${kind}: recipe`,
        [JSON.parse(training), data],
        [{ steps, batch, seed, shift, optimizer }, "mnist train"],
        "the request",
      );
      check.equal(
        `${kind}: steps, batch, seed`,
        [steps, batch, seed, shift],
        [2, 128, 7, 2],
        "the flags, and the recipe of the shipped ones",
      );
      const tested = kind === "clean" ? [undefined, String(accuracy)] : [JSON.stringify(levels), undefined];
      check.equal(`${kind}: what the card says of the test`, [test, testAccuracy], tested, "the result");
      const first = stdout[0].split(" after ")[0].split(",")[0];
      const said = kind === "clean"
        ? `test accuracy ${(100 * accuracy!).toFixed(2)}%`
        : `noise ratio 0.01: accuracy ${(100 * levels[0][1].accuracy).toFixed(2)}%`;
      check.equal(`${kind}: first words`, first, said, "the result");
    }
  }));

claim("train:classifier's words are those of its request and its result", async (check) => {
  const all = { ...request, data: null, output: "c.safetensors", engine: "wasm" } as const;
  const said = (result: Omit<ClassifierTrainingResult, "weights" | "seconds">) =>
    printed(() => task.report(all, { ...result, seconds: 12.5, engine: "onnx" }, parseFlags(task.usage, [])));
  check.equal("clean", await said({ accuracy: 0.98765, levels: [] }), [
    "test accuracy 98.77% after 3 steps in 12.5 s on onnx, written to c.safetensors",
  ], "written out");
  const levels = [
    [0.5, { accuracy: 0.75, confidence: 0.5, crossEntropy: 1.25 }],
    [2, { accuracy: 0.25, confidence: 0.125, crossEntropy: 2.5 }],
  ] as const;
  check.equal("noisy", await said({ accuracy: null, levels }), [
    "noise ratio 0.5: accuracy 75.00%, mean confidence 50.00%, cross-entropy 1.2500 nats",
    "noise ratio 2: accuracy 25.00%, mean confidence 12.50%, cross-entropy 2.5000 nats",
    "3 steps in 12.5 s on onnx, written to c.safetensors",
  ], "written out");
});
