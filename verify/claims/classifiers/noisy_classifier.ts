/** Claims about the shipped classifier of noisy digits. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { mixtureClassifier } from "../../../src/conditioning/guidance.ts";
import { slice, toModel } from "../../../src/data/dataset.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { noisyAccuracy } from "../../../src/classifiers/noisy_accuracy.ts";
import {
  loadNoisyClassifier,
  NoisyDigitClassifier,
  readNoisyClassifier,
  writeNoisyClassifier,
} from "../../../src/classifiers/noisy_classifier.ts";
import { loadMnist } from "../../../scripts/datasets/mnist.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { largestDifference } from "../../instruments/request_fields.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const file = new URL("../../../fixtures/models/noisy_classifier.safetensors", import.meta.url);

/** A few digits with noise of ratio ν, [3, 28, 28, 1]. */
function noisyDigits(seed: number, ratio: number): tf.Tensor {
  const rng = createRng(seed);
  return tf.tidy(() => {
    const clean = tf.tensor(toModel(proceduralDigits(3, rng).images), [3, 28, 28, 1]);
    return clean.add(rng.fork("noise").normal([3, 28, 28, 1]).mul(ratio));
  });
}

claim(
  "the noisy classifier has the test accuracy that its card states, and is calibrated",
  { needs: ["mnist"], engines: ["wasm"] },
  async (check) => {
    const test = slice(await loadMnist("test"), 0, 1000);
    const classifier = await loadNoisyClassifier();
    // The card's accuracies on 10,000 images; 1,000 of them with other noise deviate by 4.5 binomial standard deviations once
    // in 1e5 seeds, beside what the first thousand images are harder than the rest (up to .01).
    for (const [ratio, accuracy] of [[0.1, 0.9927], [1, 0.9747], [3, 0.6368]]) {
      const { accuracy: found, confidence } = await noisyAccuracy(
        classifier,
        test,
        ratio,
        createRng(check.seed),
      );
      const deviation = Math.sqrt(accuracy * (1 - accuracy) / test.count);
      check.within(
        `ν = ${ratio}: share known`,
        found,
        accuracy,
        6.1 * deviation + 0.02,
        "fixtures/models/noisy_classifier.md",
        {
          alarmRate: 1e-9,
          detectable: "ν taken for 1.3 ν; inputs not brought to unit variance",
        },
      );
      check.within(
        `ν = ${ratio}: mean confidence less share known`,
        confidence - found,
        0,
        6.1 * deviation + 0.04,
        "calibrated",
        {
          alarmRate: 1e-9,
          detectable: "a classifier that is too sure by 5% and sampling's error",
        },
      );
    }
    const lost = await noisyAccuracy(classifier, test, 80, createRng(check.seed));
    check.within(
      "ν = 80: cross-entropy",
      lost.crossEntropy,
      Math.log(10),
      0.05,
      "noise hides the class: ln 10 nats",
      {
        detectable: "probabilities off by 30%",
      },
    );
    check.atMost(
      "ν = 80: mean confidence",
      lost.confidence,
      0.15,
      "the largest of ten probabilities near a tenth",
    );
    classifier.dispose();
  },
);

claim("the noisy classifier's gradient agrees with finite differences", async (check) => {
  const classifier = await loadNoisyClassifier();
  const labels = [3, 0, 8];
  for (const ratio of [0.05, 0.5, 5]) {
    const slopes = tf.tidy(() => {
      const y = noisyDigits(check.seed, ratio);
      const direction = createRng(check.seed).fork("direction").normal(y.shape);
      const gradient = tf.grad((y: tf.Tensor) => classifier.logProbability(y, ratio, labels).sum())(y);
      const analytic = gradient.mul(direction).sum([1, 2, 3]);
      const step = 2e-3 * Math.hypot(0.6, ratio);
      const at = (sign: number) =>
        classifier.logProbability(y.add(direction.mul(sign * step)), ratio, labels);
      const numeric = at(1).sub(at(-1)).div(2 * step);
      return tf.stack([analytic, numeric]);
    });
    const [analytic, numeric] = await slopes.array() as number[][];
    slopes.dispose();
    analytic.forEach((slope, row) => {
      // Third derivatives of the step's size, and float32 logits of size 20 over twice the step.
      const bound = 0.02 * Math.abs(slope) + 20 * 2 ** -23 / (2e-3 * Math.hypot(0.6, ratio)) + 0.01;
      check.within(
        `ν = ${ratio}, digit ${row}`,
        slope,
        numeric[row],
        bound,
        "central differences along a random line",
        {
          detectable: "a gradient by 5% too long",
        },
      );
    });
  }
  classifier.dispose();
});

claim(
  "the compiled noisy classifier and its gradient agree with the eager ones",
  { needs: ["onnx"], engines: ["onnx"] },
  async (check) => {
    const classifier = await loadNoisyClassifier();
    const before = tf.memory().numTensors;
    const evaluate = async () => {
      const y = noisyDigits(check.seed, 0.7);
      const found = tf.tidy(() => {
        const gradient = tf.grad((y: tf.Tensor) => classifier.logProbability(y, 0.7, [1, 2, 3]).sum())(y);
        return tf.concat([gradient.flatten(), classifier.logProbabilities(y, 0.7).flatten()]);
      });
      const values = Array.from(await found.data());
      tf.dispose([y, found]);
      return values;
    };
    const plain = await evaluate();
    await classifier.prepare(3);
    const compiled = await evaluate();
    const size = Math.max(...plain.map(Math.abs));
    check.atMost(
      "largest difference, of the largest number",
      Math.max(...plain.map((value, at) => Math.abs(value - compiled[at]))) / size,
      1e-4,
      "float32 sums of some thousand terms in another order",
    );
    check.equal("tensors left", tf.memory().numTensors - before, 0, "the caller owns what it gets");
    classifier.dispose();
  },
);

claim(
  "the noisy classifier's file restores it; other files and invalid noise ratios are refused",
  async (check) => {
    const bytes = await Deno.readFile(file);
    check.atMost("bytes", bytes.length, 1e6, "small enough to come with the sources");
    const weights = readNoisyClassifier(bytes);
    check.equal(
      "again",
      readNoisyClassifier(writeNoisyClassifier(weights)),
      weights,
      "float16 survives float16",
    );
    const clean = await Deno.readFile(
      new URL("../../../fixtures/models/classifier.safetensors", import.meta.url),
    );
    await check.throws(
      "the other classifier",
      () => readNoisyClassifier(clean),
      /not a classifier of noisy digits/,
    );
    const classifier = new NoisyDigitClassifier(weights);
    const y = noisyDigits(1, 1);
    for (const ratio of [0, -1, NaN, Infinity]) {
      await check.throws(
        `ν = ${ratio}`,
        () => classifier.logProbabilities(y, ratio),
        /noise ratios must be positive/,
      );
    }
    y.dispose();
    classifier.dispose();
  },
);

claim(
  "the noisy classifier refuses other shapes, labels outside its classes and use after dispose",
  { engines: ["wasm"] },
  async (check) => {
    const classifier = new NoisyDigitClassifier(readNoisyClassifier(await Deno.readFile(file)));
    const two = tf.zeros([2, 28, 28, 1]);
    for (const shape of [[2, 32, 32, 1], [2, 784], [2, 1, 28, 28], [2, 28, 28, 3]]) {
      const y = tf.zeros(shape);
      await check.throws(
        `[${shape}]`,
        () => classifier.logProbabilities(y, 1),
        new RegExp(
          `^the classifier takes images of shape \\[B, 28, 28, 1\\], got \\[${shape.join(", ")}\\]$`,
        ),
      );
      y.dispose();
    }
    for (const label of [10, -1, 1.5, NaN]) {
      await check.throws(
        `label ${label}`,
        () => classifier.logProbability(two, 1, [0, label]),
        new RegExp(`^labels must be whole numbers from 0 to 9, got ${label}$`),
      );
    }
    await check.throws(
      "one label for two rows",
      () => classifier.logProbability(two, 1, [3]),
      /^expected one label per row, got 1 for 2 rows$/,
    );
    await check.throws(
      "one noise ratio for two rows",
      () => classifier.logProbabilities(two, Float64Array.of(1)),
      /^expected one noise ratio per row, got 1 for 2 rows$/,
    );
    const exact = mixtureClassifier(
      new GaussianMixture(
        [0.5, 0.5],
        [-1, 1].map((mean) => new Gaussian({ mean: [mean], covariance: [[1]] })),
      ),
    );
    const points = tf.zeros([2, 1]);
    for (const label of [2, -1, 0.5, NaN]) {
      await check.throws(
        `a mixture's label ${label}`,
        () => exact.logProbability(points, 1, [0, label]),
        new RegExp(`^labels must be whole numbers from 0 to 1, got ${label}$`),
      );
    }
    classifier.dispose();
    const message = /^the classifier was disposed: load it again$/;
    await check.throws("after dispose", () => classifier.logProbability(two, 1, [0, 1]), message);
    await check.throws("prepare after dispose", () => classifier.prepare(2), message);
    tf.dispose([two, points]);
  },
);

claim("a noisy classifier's accuracy does not depend on how the digits are batched", {
  engines: ["wasm"],
}, async (check) => {
  const classifier = await loadNoisyClassifier();
  const digits = proceduralDigits(20, createRng(3));
  const inBatches = async (rows: number) =>
    Object.values(await noisyAccuracy(classifier, digits, 2, createRng(1), rows));
  check.atMost(
    "batches of 8 and of 20: largest difference",
    largestDifference(await inBatches(8), await inBatches(20)),
    1e-4,
    "digit i has the noise of sample i",
  );
  classifier.dispose();
});

claim("a noisy classifier takes noise beyond what it learned for the most that it knows", {
  engines: ["wasm"],
}, async (check) => {
  const classifier = await loadNoisyClassifier();
  const [sigmaData, centre] = [0.616, -0.7386];
  for (const [beyond, border] of [[160, 80], [0.0025, 0.005]]) {
    const y = tf.tidy(() => createRng(2).normal([3, 28, 28, 1]).mul(Math.hypot(sigmaData, beyond)));
    // The network sees (y − c)/√(σ_data² + ν²): as much of it at the border as beyond.
    const factor = Math.hypot(sigmaData, border) / Math.hypot(sigmaData, beyond);
    const scaled = tf.tidy(() => y.sub(centre).mul(factor).add(centre));
    const [there, here] = [
      classifier.logProbabilities(y, beyond),
      classifier.logProbabilities(scaled, border),
    ];
    const apart = largestDifference(await there.data(), await here.data());
    check.atMost(
      `noise ratios ${beyond} and ${border}: largest difference`,
      apart,
      1e-3,
      "the nearest it knows",
    );
    tf.dispose([there, here, scaled, y]);
  }
  classifier.dispose();
});
