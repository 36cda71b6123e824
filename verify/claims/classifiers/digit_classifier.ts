/** Claims about the digit classifier and the quality of digits that it measures. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { type ImageDataset, imageSize, slice, toModel } from "../../../src/data/dataset.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import {
  classAccuracy,
  classify,
  readClassifier,
  writeClassifier,
} from "../../../src/classifiers/digit_classifier.ts";
import { CLASSIFIER_TRAINING, trainClassifier } from "../../../src/classifiers/training.ts";
import { type DigitQuality, digitQuality, digitReference } from "../../../src/metrics/digit_quality.ts";
import type { Weights } from "../../../src/networks/network.ts";
import { writeSafetensors } from "../../../src/networks/safetensors.ts";
import { loadMnist } from "../../../scripts/datasets/mnist.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { checkMean } from "../../instruments/statistics.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const shipped = (): Promise<Uint8Array> =>
  Deno.readFile(new URL("../../../fixtures/models/classifier.safetensors", import.meta.url));

claim(
  "the shipped classifier classifies 99% of MNIST's test images correctly",
  { needs: ["mnist"] },
  async (check) => {
    const bytes = await shipped();
    check.atMost("bytes", bytes.length, 1e6, "small enough to come with the sources");
    const test = await loadMnist("test");
    const before = tf.memory().numTensors;
    const { labels } = await classify(readClassifier(bytes), toModel(test.images));
    check.equal(
      "tensors left behind",
      tf.memory().numTensors - before,
      0,
      "whoever makes a tensor disposes it",
    );
    check.atLeast(
      "share of 10,000",
      classAccuracy(labels, test.labels),
      .99,
      "so that label accuracies are good to a percent",
    );
  },
);

claim(
  "the shipped classifier recognizes the procedural digits, on which it was not trained",
  async (check) => {
    const digits = proceduralDigits(500, createRng(11));
    const { labels } = await classify(readClassifier(await shipped()), toModel(digits.images));
    check.atLeast(
      "share of 500",
      classAccuracy(labels, digits.labels),
      .9,
      "drawn digits look like written ones",
      {
        detectable: "one class drawn so that it is not recognized",
      },
    );
  },
);

claim("a classification does not depend on how images are batched", async (check) => {
  const images = toModel(proceduralDigits(7, createRng(1)).images);
  const weights = readClassifier(await shipped());
  const [one, seven, many] = [
    await classify(weights, images, 1),
    await classify(weights, images, 7),
    await classify(weights, images, 4),
  ];
  const apart = (a: Float32Array, b: Float32Array) =>
    a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
  const scale = one.features.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  // A dot product of up to 1,024 terms in float32, added in another order.
  const bound = 1024 * 2 ** -24 * scale;
  check.atMost(
    "features one by one and together",
    apart(one.features, seven.features),
    bound,
    "float32 sums of 1,024 terms",
  );
  check.atMost(
    "features in batches of 4, the last one not full",
    apart(one.features, many.features),
    bound,
    "float32 sums of 1,024 terms",
  );
  check.equal("labels", many.labels, one.labels, "the same");
  check.equal("rows", [many.features.length, many.logits.length], [7 * 64, 7 * 10], "no row for the filling");
  await check.throws(
    "half an image",
    () => classify(weights, images.subarray(0, 1000)),
    /1000 values are no whole/,
  );
});

claim("a classifier's file restores it exactly, and other files are refused", async (check) => {
  const weights = readClassifier(await shipped());
  check.equal(
    "written and read",
    readClassifier(writeClassifier(weights)),
    weights,
    "half precision holds half precision",
  );
  const other = writeSafetensors({ tensors: new Map(), metadata: {} });
  await check.throws("another file", () => readClassifier(other), /not a digit classifier/);
  const empty = writeSafetensors({
    tensors: new Map(),
    metadata: { format: "score-sde digit classifier 1" },
  });
  await check.throws(
    "no weights",
    () => readClassifier(empty),
    /^not a digit classifier: the parameter "conv0\.weight" is missing$/,
  );
  await check.throws(
    "labels of two lengths",
    () => classAccuracy([1], [1, 2]),
    /1 labels cannot be compared with 2/,
  );
  check.equal("accuracy", classAccuracy([1, 2, 3, 4], [1, 2, 0, 4]), .75, "3 of 4");
});

claim("training makes the classifier accurate, and repeats exactly", async (check) => {
  const digits = proceduralDigits(300, createRng(4));
  const config = {
    ...CLASSIFIER_TRAINING,
    steps: 40,
    batch: 16,
    optimizer: { ...CLASSIFIER_TRAINING.optimizer, warmup: 5 },
  };
  const before = tf.memory().numTensors;
  const runs: { loss: number; weights: Weights }[] = [];
  for (let run = 0; run < 2; run++) {
    for await (const { loss, weights } of trainClassifier(digits, config)) {
      if (loss !== null) runs.push({ loss, weights: await weights() });
    }
  }
  check.equal(
    "tensors left behind",
    tf.memory().numTensors - before,
    0,
    "whoever makes a tensor disposes it",
  );
  const others = proceduralDigits(200, createRng(4).startingAt(300));
  const { labels } = await classify(runs[0].weights, toModel(others.images));
  check.atLeast("share of 200 other digits", classAccuracy(labels, others.labels), .5, "chance is .1");
  check.equal("second run", runs[1], runs[0], "all randomness comes from the seed");
});

/** −log p(label) of each image, in float64 from the logits. */
async function crossEntropies(
  weights: Weights,
  images: Float32Array,
  labels: ArrayLike<number>,
): Promise<number[]> {
  const { logits } = await classify(weights, images);
  return Array.from(labels, (label, row) => {
    const own = logits.subarray(10 * row, 10 * row + 10);
    return Math.log(own.reduce((sum, logit) => sum + Math.exp(logit - own[label]), 0));
  });
}

claim("a classifier's first loss is the cross-entropy of images with their own labels, shifted evenly", {
  engines: ["wasm"],
}, async (check) => {
  // A rate of 1e-12 leaves the weights where they begin, in float32.
  const optimizer = { ...CLASSIFIER_TRAINING.optimizer, rate: 1e-12, warmup: 0, ema: 0 };
  const first = async (data: ImageDataset, shift: number) => {
    const config = { steps: 1, batch: data.count, seed: check.seed, shift, optimizer };
    for await (const { loss, weights } of trainClassifier(data, config)) {
      return { loss: loss!, weights: await weights() };
    }
    throw new Error("there is no first step");
  };
  const digits = proceduralDigits(60, createRng(check.seed));
  const whole = await first(digits, 0);
  const own = await crossEntropies(whole.weights, toModel(digits.images), digits.labels);
  check.within(
    "loss of 60 digits in place",
    whole.loss,
    own.reduce((sum, value) => sum + value) / 60,
    1e-5,
    "−Σ log softmax(logits)[label]/60 in float64, each image once in an epoch; float32 logits",
    { detectable: "labels of other images" },
  );
  // Copies of one digit under each of the nine shifts by −1, 0 and 1 pixel: it lies two pixels from the border at least.
  const count = 900;
  const one = digits.images.subarray(0, 784);
  const copies = Uint8Array.from({ length: 784 * count }, (_, at) => one[at % 784]);
  const label = digits.labels[0];
  const same = { ...digits, count, images: copies, labels: new Uint8Array(count).fill(label) };
  const shifted = await first(same, 1);
  const moved = new Float32Array(9 * 784).fill(-1);
  for (const [row, [dy, dx]] of [-1, 0, 1].flatMap((y) => [-1, 0, 1].map((x) => [y, x])).entries()) {
    for (let y = 1; y < 27; y++) {
      for (let x = 1; x < 27; x++) moved[784 * row + 28 * (y + dy) + x + dx] = one[28 * y + x] / 127.5 - 1;
    }
  }
  const each = await crossEntropies(shifted.weights, moved, new Uint8Array(9).fill(label));
  const mean = each.reduce((sum, value) => sum + value) / 9;
  const std = Math.sqrt(each.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 9);
  checkMean(check, `loss of ${count} copies`, shifted.loss, mean, std, count, "nine shifts, each as likely");
});

claim(
  "digit quality is at its floor for real digits, and worse for noise, a missing class or inverted images",
  {
    needs: ["mnist"],
  },
  async (check) => {
    const data = { train: await loadMnist("train"), test: await loadMnist("test") };
    const weights = readClassifier(await shipped());
    const real = slice(data.train, 30000, 32000);
    const images = toModel(real.images);
    const reference = await digitReference(weights, data, real.count);
    const noise = createRng(check.seed).normalValues([images.length]);
    const sets: [what: string, images: Float32Array][] = [
      ["other training images", images],
      ["with noise of .3", images.map((value, i) => Math.min(1, Math.max(-1, value + .3 * noise[i])))],
      ["without nines", without(real, 9)],
      ["black on white", images.map((value) => -value)],
    ];
    const found: DigitQuality[] = [];
    for (const [, set] of sets) found.push(await digitQuality(weights, set, real.labels, reference));
    const rows = sets.map((
      [what],
      i,
    ) => [what, found[i].frechet.toFixed(2), `${(100 * found[i].accuracy!).toFixed(1)}%`]);
    const floor = ["as many training images (the floor)", reference.floor.frechet.toFixed(2), ""];
    check.table("2,000 digits against MNIST's test images", ["digits", "Fréchet distance", "accuracy"], [
      floor,
      ...rows,
    ]);
    const ratios = found.map(({ frechet }) => frechet / reference.floor.frechet);
    check.within(
      "other training images over the floor",
      ratios[0],
      1,
      .5,
      "both are training images, apart by chance",
    );
    for (const i of [1, 2, 3]) {
      check.atLeast(
        `${sets[i][0]}, over the floor`,
        ratios[i],
        1.5,
        "beyond what chance does",
      );
    }
    check.atLeast("label accuracy of training images", found[0].accuracy!, .99, "the classifier's own");
    const gaps = found.map(({ precision, recall }) => precision - recall);
    check.within(
      "precision less recall, other training images",
      gaps[0],
      reference.floor.precision - reference.floor.recall,
      .05,
      "both are training images; shares of 2,000, each with a standard error of .01",
    );
    check.atLeast(
      "the same without nines, beyond that",
      gaps[2] - gaps[0],
      .04,
      "a tenth of the test images are nines, which fours and sevens hardly cover",
      { detectable: "recall measured as precision: 0" },
    );
    const wrong = real.labels.map((label) => (label + 1) % 10);
    const { accuracy } = await digitQuality(weights, images, wrong, reference);
    check.atMost("label accuracy for wrong labels", accuracy!, .01, "only the classifier's errors agree");
    const few = { ...data, train: slice(data.train, 0, 10) };
    await check.throws(
      "more digits than training images",
      () => digitReference(weights, few, 11),
      /at most 10 digits/,
    );
  },
);

/** The images with those of a class replaced by their neighbours. */
function without(dataset: ImageDataset, label: number): Float32Array {
  const size = imageSize(dataset);
  const images = dataset.images.slice();
  for (let i = 0; i < dataset.count; i++) {
    if (dataset.labels[i] !== label) continue;
    const other = dataset.labels.findIndex((candidate, at) =>
      at > (i * 7) % (dataset.count / 2) && candidate !== label
    );
    images.set(dataset.images.subarray(other * size, (other + 1) * size), i * size);
  }
  return toModel(images);
}
