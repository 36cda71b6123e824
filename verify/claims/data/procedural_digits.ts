/** Claims about the digits themselves: MNIST's and the procedural ones. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { type ImageDataset, pixelMoments, slice } from "../../../src/data/dataset.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { loadMnist } from "../../../scripts/datasets/mnist.ts";
import { type Check, claim } from "../../suite/claim.ts";

claim(
  "MNIST has the counts, moments and first labels that others publish",
  { needs: ["mnist"] },
  async (check) => {
    const train = await loadMnist("train");
    const test = await loadMnist("test");
    check.equal("training images", [train.count, ...train.shape], [60000, 28, 28, 1], "LeCun et al. 1998");
    check.equal("test images", [test.count, ...test.shape], [10000, 28, 28, 1], "LeCun et al. 1998");
    const { mean, std } = pixelMoments(train);
    const source = "torchvision's normalization constants .1307 and .3081, to their last digit, in [−1, 1]";
    check.within("mean pixel", mean, 2 * .1307 - 1, 1e-4, source, {
      detectable: "inverted polarity: mean +.74",
    });
    check.within("pixel std", std, 2 * .3081, 1e-4, source);
    check.equal(
      "first labels",
      [...train.labels.subarray(0, 10)],
      [5, 0, 4, 1, 9, 2, 1, 3, 1, 4],
      "the well-known first ten",
    );
    check.equal(
      "first test labels",
      [...test.labels.subarray(0, 5)],
      [7, 2, 1, 0, 4],
      "the well-known first five",
    );
    upright(check, train);
  },
);

claim(
  "procedural digits are white on black, of all classes, varied, and do not depend on the count",
  (check) => {
    const digits = proceduralDigits(400, createRng(2));
    const size = 28 * 28;
    const image = (i: number) => digits.images.subarray(i * size, (i + 1) * size);
    check.equal("shape", [digits.count, ...digits.shape], [400, 28, 28, 1], "as MNIST");
    check.equal(
      "classes",
      new Set(digits.labels).size,
      10,
      "a class is missing in (9/10)^400 < 1e-18 of the seeds",
    );
    const fewer = proceduralDigits(7, createRng(2));
    check.equal(
      "the first 7 of 400",
      fewer.images,
      digits.images.subarray(0, 7 * size),
      "digit i has its own stream",
    );
    check.equal("their labels", fewer.labels, digits.labels.subarray(0, 7), "digit i has its own stream");
    const later = proceduralDigits(3, createRng(2).startingAt(7));
    check.equal(
      "the next 3",
      later.images,
      digits.images.subarray(7 * size, 10 * size),
      "startingAt continues",
    );
    const edge = (at: number): boolean => at % 28 % 27 === 0 || at < 28 || at >= 27 * 28;
    const border = digits.images.filter((_, at) => edge(at % size)).reduce(
      (most, value) => Math.max(most, value),
      0,
    );
    check.equal("brightest pixel of any image's edge", border, 0, "digits stay inside, on black");
    const white = Array.from({ length: 400 }, (_, i) => image(i).filter((value) => value === 255).length);
    check.atLeast(
      "fully white pixels of the thinnest",
      Math.min(...white),
      5,
      "a pen of at least 1.6 pixels covers some whole",
    );
    check.atMost(
      "fully white pixels of the fattest",
      Math.max(...white),
      size / 3,
      "white on black, not black on white",
    );
    check.equal(
      "different images",
      new Set(digits.labels.keys().map((i) => String(image(i)))).size,
      400,
      "none twice",
    );
    const { mean, std } = pixelMoments(digits);
    check.within("mean pixel", mean, -.739, .05, "MNIST's, so that preconditioning is alike");
    check.within("pixel std", std, .616, .05, "MNIST's, so that preconditioning is alike");
    upright(check, proceduralDigits(2000, createRng(3)));
  },
);

/** Ones are taller than wide, which swapped axes or a transposed reader would turn around. */
function upright(check: Check, dataset: ImageDataset): void {
  const spread = { rows: 0, columns: 0 };
  for (let i = 0; i < 2000; i++) {
    if (dataset.labels[i] !== 1) continue;
    const pixels = slice(dataset, i, i + 1).images;
    const total = pixels.reduce((sum, value) => sum + value, 0);
    const variance = (position: (at: number) => number): number => {
      const mean = pixels.reduce((sum, value, at) => sum + value * position(at), 0) / total;
      return pixels.reduce((sum, value, at) => sum + value * (position(at) - mean) ** 2, 0) / total;
    };
    spread.rows += variance((at) => Math.floor(at / 28));
    spread.columns += variance((at) => at % 28);
  }
  check.atLeast(
    "vertical over horizontal spread of ones",
    spread.rows / spread.columns,
    2,
    "a one is a tall stroke",
    {
      detectable: "swapped axes give the inverse",
    },
  );
}
