/** Claims about the measures of samples that were drawn for observations. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { toModel } from "../../../src/data/dataset.ts";
import { colouredDigits } from "../../../src/data/coloured_digits.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { classify, readClassifier } from "../../../src/classifiers/digit_classifier.ts";
import { colourErrors } from "../../../src/metrics/colorization_error.ts";
import { classPreservation } from "../../../src/metrics/class_preservation.ts";
import { posteriorMoments } from "../../../src/metrics/posterior_moments.ts";
import { resizePicture } from "../../../src/images/resize.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

claim("posterior means and deviations are taken over the samples of one observation", async (check) => {
  // Two observations, three samples, two coordinates.
  const values = Float32Array.of(1, 10, 2, 10, 6, 10, 0, -1, 0, 1, 0, 3);
  const { mean, std } = posteriorMoments(values, 2, 3);
  check.equal("means", Array.from(mean), [3, 10, 0, 1], "by hand");
  check.equal("deviations", Array.from(std), [Math.sqrt(7), 0, 0, 2].map(Math.fround), "by hand, over n − 1");
  check.equal(
    "of one sample",
    Array.from(posteriorMoments(values, 6, 1).std),
    new Array(12).fill(0),
    "no spread",
  );
  await check.throws("torn", () => posteriorMoments(values, 5, 1), /12 values are not 5 × 1 samples/);
});

claim("class preservation is counted by sample, by vote and by class", async (check) => {
  const classifier = readClassifier(
    await Deno.readFile(new URL("../../../fixtures/models/classifier.safetensors", import.meta.url)),
  );
  const digits = proceduralDigits(40, createRng(check.seed));
  const images = toModel(digits.images);
  const found = (await classify(classifier, images)).labels;
  // The first of each class that the classifier finds, by its own verdict: sure answers.
  const [a, b] = [found[0], found.find((label) => label !== found[0])!];
  const image = (label: number) =>
    images.subarray(784 * found.indexOf(label), 784 * (found.indexOf(label) + 1));
  const values = new Float32Array([a, a, b, b, b, b].flatMap((label) => Array.from(image(label))));
  const kept = await classPreservation(classifier, values, Uint8Array.of(a, a));
  check.within("samples of their class", kept.kept, 2 / 6, 1e-12, "two of six by hand");
  check.equal("by vote", kept.keptByVote, 0.5, "the first of two digits has two of three");
  check.equal("classes a digit", kept.classes, 1.5, "two, then one");
  const expected = Array.from({ length: 10 }, (_, label) => label === a ? 2 / 6 : null);
  check.equal("by class", kept.perClass, expected, "one class was there");
});

claim(
  "true colours have no colorization error, and errors of line, grey and original are measured",
  async (check) => {
    const digits = colouredDigits(30, createRng(check.seed));
    const images = toModel(digits.images);
    const truth = colourErrors(images, images, 30, 1);
    check.equal("grey of the truth", truth.greyError, 0, "it is itself");
    check.atMost(
      "distance of the truth from two colours",
      truth.lineError,
      0.5 / 255,
      "bytes are rounded by half a level",
    );
    check.equal("spread of one sample", truth.colourStd, null, "there is none");
    check.within("saturation", truth.saturation, truth.originalSaturation, 1e-12, "the same images");
    const swapped = images.map((_, at) => images[at - at % 3 + (at + 1) % 3]);
    const pairs = new Float32Array(2 * images.length);
    for (let i = 0; i < 30; i++) {
      pairs.set(images.subarray(i * 2352, (i + 1) * 2352), 2 * i * 2352);
      pairs.set(swapped.subarray(i * 2352, (i + 1) * 2352), (2 * i + 1) * 2352);
    }
    const both = colourErrors(images, pairs, 30, 2);
    check.atMost("grey after channels were exchanged", both.greyError, 1e-6, "a sum in another order");
    check.atMost("exchanged channels on a line", both.lineError, 0.5 / 255, "still two colours");
    const squares = images.reduce((sum, value, at) => sum + (value - swapped[at]) ** 2 / 2, 0);
    const deviation = Math.sqrt(squares / images.length) / 2;
    check.within("spread over both", both.colourStd!, deviation, 1e-7, "|a − b|/√2 of two samples");
    const noisy = createRng(check.seed).fork("noise").normalValues([1, images.length]).map((z, at) =>
      images[at] + 0.2 * z
    );
    const off = colourErrors(images, noisy, 30, 1);
    // Of three independent errors, what is along the grey is in the line itself.
    check.within(
      "noise of .1 a channel",
      off.lineError,
      0.1 * Math.sqrt(2 / 3),
      0.03,
      "two of three directions; grey's noise adds along the line, which makes it .093, and .099 at most over 50 seeds",
      {
        detectable: "residuals over the wrong count",
      },
    );
    check.atLeast(
      "grey under noise",
      off.greyError,
      0.35,
      "thousands of pixels, deviation .115: .43 at least over 50 seeds",
    );
    await check.throws("torn", () => colourErrors(images, images, 30, 2), /30 images and 2 samples of each/);
  },
);

claim("a resized picture's pixels are the means of the areas that they cover", async (check) => {
  const grey = (values: number[]) => Uint8Array.from(values.flatMap((value) => [value, value, value, 255]));
  const picture = { width: 4, height: 2, data: grey([0, 100, 200, 40, 50, 50, 0, 240]) };
  const half = resizePicture(picture, 2, 1);
  check.equal("half", Array.from(half.data), Array.from(grey([50, 120])), "means of blocks of 2×2");
  const third = resizePicture({ width: 3, height: 1, data: grey([0, 90, 240]) }, 2, 1);
  check.equal(
    "three to two",
    Array.from(third.data),
    Array.from(grey([30, 190])),
    "(0 + ½·90)/1.5, (½·90 + 240)/1.5",
  );
  const twice = resizePicture({ width: 1, height: 1, data: grey([7]) }, 2, 2);
  check.equal("twice", Array.from(twice.data), Array.from(grey([7, 7, 7, 7])), "repeated");
  check.equal("the same size", resizePicture(picture, 4, 2), picture, "nothing to do");
  await check.throws("no width", () => resizePicture(picture, 0, 2), /positive integers, got 0×2/);
});

claim("class preservation counts each digit's samples for its own class", async (check) => {
  const file = new URL("../../../fixtures/models/classifier.safetensors", import.meta.url);
  const classifier = readClassifier(await Deno.readFile(file));
  const images = toModel(proceduralDigits(40, createRng(check.seed)).images);
  const found = (await classify(classifier, images)).labels;
  const [a, b, c] = [...new Set(found)].sort((x, y) => y - x);
  const rows = [a, a, b, /**/ b, b, b, /**/ b, b, a].map((label) => {
    const at = 784 * found.indexOf(label);
    return Array.from(images.subarray(at, at + 784));
  });
  const kept = await classPreservation(classifier, Float32Array.from(rows.flat()), Uint8Array.of(a, b, c));
  const perClass = Array.from(
    { length: 10 },
    (_, label) => label === a ? 2 / 3 : label === b ? 1 : label === c ? 0 : null,
  );
  check.equal("by class", kept.perClass, perClass, "two of three, three of three, none of three");
  check.within("samples of their class", kept.kept, 5 / 9, 1e-12, "five of nine");
  check.within("by vote", kept.keptByVote, 2 / 3, 1e-12, "two digits of three");
  check.within("classes a digit", kept.classes, 5 / 3, 1e-12, "2, 1 and 2");
});

claim("colorization errors are those of two images of two pixels by hand", async (check) => {
  const [first, second] = [[0, 0.25, 0.5, 0.25, 0.25, 0.25], [1, 1, 1, 0, 0.5, 1]];
  const originals = Float32Array.from([...first, ...second]);
  const bluer = [[0, 0.25, 1.25, 0.25, 0.25, 0.25], [1, 1, 1, 0, 0.5, -1.25]];
  const values = Float32Array.from([...first, ...bluer[0], ...second, ...bluer[1]]);
  const errors = colourErrors(originals, values, 2, 2);
  // Of two pixels of different greys any colours are on a line; of equal greys, their deviations are left.
  const expected: [keyof typeof errors, number, string][] = [
    ["greyError", 0.75, "1.5/3 became −.75/3"],
    [
      "lineError",
      Math.sqrt(4 * 0.125 ** 2 / 24) / 2,
      "two channels of the first sample, .125 off their means",
    ],
    ["colourStd", Math.sqrt((0.75 ** 2 + 2.25 ** 2) / 2 / 12) / 2, "|a − b|/√2 of two of twelve values"],
    [
      "saturation",
      Math.sqrt((0.125 + 0.875 + 0.5 + 1.625) / 24) / 2,
      "squares off the greys, sample by sample",
    ],
    ["originalSaturation", Math.sqrt((0.125 + 0.5) / 12) / 2, "squares off the greys, image by image"],
  ];
  for (const [key, value, source] of expected) {
    check.within(key, errors[key]!, value, 1e-7, `${source}; float32`);
  }
  const torn: [string, number, number, number, number][] = [
    ["images of one pixel and a half", 9, 9, 2, 1],
    ["images of four values", 8, 8, 2, 1],
    ["a sample too few", 6, 6, 1, 2],
    ["an image too few", 6, 12, 1, 1],
  ];
  for (const [what, size, all, images, samples] of torn) {
    await check.throws(
      what,
      () => colourErrors(new Float32Array(size), new Float32Array(all), images, samples),
      new RegExp(`^${size} and ${all} values are not ${images} images and ${samples} samples of each$`),
    );
  }
});
