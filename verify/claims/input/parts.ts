/** Claims about the checks of arguments that are objects: models, SDEs, samplers, data. @module */
import {
  requireDataset,
  requireDistribution,
  requireLabels,
  requireModel,
  requireNetworkPredictor,
  requireNoisePredictor,
  requirePicture,
  requirePlaneDistribution,
  requireRng,
  requireSampler,
  requireSde,
  requireSome,
} from "../../../src/input/require_parts.ts";
import { checkRefusals, type RefusalCase } from "../../instruments/refusals.ts";
import { claim } from "../../suite/claim.ts";

const type = (words: string) => `TypeError: n must be ${words}`;

claim("an argument that is made of parts must have each of them", (check) => {
  /** The requirement holds for an object with these methods, and for none that lacks one of them. */
  const parts: readonly [
    what: string,
    require: (name: string, value: unknown) => void,
    methods: readonly string[],
    words: string,
  ][] = [
    [
      "an SDE",
      requireSde,
      ["alpha", "sigma", "driftCoefficient", "diffusionCoefficient"],
      "an SDE, as vpSde() makes it",
    ],
    [
      "a noise predictor",
      requireNoisePredictor,
      ["predictNoise"],
      "a noise predictor, with a method predictNoise(y, noiseRatio)",
    ],
    [
      "a network's predictor",
      requireNetworkPredictor,
      ["predictNoise", "withLabels", "prepare", "calls"],
      "a network's noise predictor, as networkPredictor() makes it",
    ],
    [
      "a distribution",
      requireDistribution,
      ["sample", "predictNoise", "logDensity"],
      "an exact distribution, such as a GaussianMixture",
    ],
    ["a generator", requireRng, ["normal", "fork"], "a generator, as createRng(seed) makes it"],
    ["a sampler", requireSampler, ["start"], "a sampler, as dpmSolver2M() makes it"],
  ];
  const having = (methods: readonly string[]) =>
    Object.fromEntries(methods.map((method) => [method, () => {}]));
  const cases: RefusalCase[] = [];
  for (const [what, require, methods, words] of parts) {
    cases.push([what, () => require("n", having(methods)), ""]);
    for (const lacking of methods) {
      const rest = methods.filter((method) => method !== lacking);
      cases.push([
        `${what} without ${lacking}`,
        () => require("n", having(rest)),
        type(`${words}, got an object`),
      ]);
    }
  }
  const model = "a score model, as scoreModel(noisePredictor, sde) makes it, got ";
  const [score, sde] = [having(["predictedNoise", "score"]), having(["alpha", "sigma"])];
  const plane = having(["sample", "predictNoise", "logDensity"]);
  const set = (change: object) => ({
    count: 2,
    shape: [1, 2, 1],
    images: new Uint8Array(4),
    labels: new Uint8Array(2),
    ...change,
  });
  const noSet = "a data set of images, as idxDataset() makes it, got an object";
  const sized = (bytes: number, got: number) =>
    `RangeError: n must have [height, width, channels] and ${bytes} bytes for each of 2 images, got ${got}`;
  const picture = { width: 2, height: 3, data: new Uint8Array(24) };
  checkRefusals(check, [
    ...cases,
    ["a model", () => requireModel("n", { ...score, sde }), ""],
    [
      "a model without score",
      () => requireModel("n", { ...score, score: 0, sde }),
      type(`${model}an object`),
    ],
    [
      "a model without noise",
      () => requireModel("n", { score: score.score, sde }),
      type(`${model}an object`),
    ],
    ["a model without SDE", () => requireModel("n", score), type(`${model}undefined`)],
    [
      "a model of half an SDE",
      () => requireModel("n", { ...score, sde: { alpha() {} } }),
      type(`${model}an object`),
    ],
    [
      "a model of the other half",
      () => requireModel("n", { ...score, sde: { sigma() {} } }),
      type(`${model}an object`),
    ],
    ["in the plane", () => requirePlaneDistribution("n", { ...plane, dimension: 2 }), ""],
    [
      "in space",
      () => requirePlaneDistribution("n", { ...plane, dimension: 3 }),
      "RangeError: the dimension of n must be at most 2, got 3",
    ],
    [
      "on a line",
      () => requirePlaneDistribution("n", { ...plane, dimension: 1 }),
      "RangeError: the dimension of n must be a whole number from 2 to 2, got 1",
    ],
    [
      "nowhere",
      () => requirePlaneDistribution("n", { dimension: 2 }),
      type("an exact distribution, such as a GaussianMixture, got an object"),
    ],
    ["a data set", () => requireDataset("n", set({})), ""],
    ["a data set with bytes to spare", () => requireDataset("n", set({ images: new Uint8Array(5) })), ""],
    ["a data set of none", () => requireDataset("n", set({ count: 0, images: new Uint8Array(0) })), ""],
    ["a byte too few", () => requireDataset("n", set({ images: new Uint8Array(3) })), sized(2, 3)],
    ["two axes", () => requireDataset("n", set({ shape: [1, 2] })), sized(2, 4)],
    ["images as a list", () => requireDataset("n", set({ images: [1, 2, 3, 4] })), type(noSet)],
    ["labels as a list", () => requireDataset("n", set({ labels: [1, 2] })), type(noSet)],
    ["no data set", () => requireDataset("n", null), type(noSet.replace("an object", "null"))],
    [
      "half an image",
      () => requireDataset("n", set({ count: 1.5 })),
      "RangeError: the count of n must be a whole number from 0, got 1.5",
    ],
    [
      "no width",
      () => requireDataset("n", set({ shape: [1, 0, 1] })),
      "RangeError: the shape of n must hold whole numbers from 1, got [1, 0, 1]",
    ],
    ["a label each", () => requireLabels("n", { count: 2, labels: new Uint8Array(2) }), ""],
    [
      "a label too few",
      () => requireLabels("n", { count: 2, labels: new Uint8Array(1) }),
      "RangeError: n must have a label for each of 2 images, got 1",
    ],
    ["a picture", () => requirePicture("n", picture), ""],
    [
      "a picture without data",
      () => requirePicture("n", { width: 1, height: 2, data: [0] }),
      type("a picture of width, height and data, got an object"),
    ],
    ["no picture", () => requirePicture("n", null), type("a picture of width, height and data, got null")],
    [
      "a picture of no width",
      () => requirePicture("n", { ...picture, width: 0 }),
      "RangeError: the width of n must be a positive integer, got 0",
    ],
    [
      "a picture of no height",
      () => requirePicture("n", { ...picture, height: 0 }),
      "RangeError: the height of n must be a positive integer, got 0",
    ],
    [
      "a picture with a byte too many",
      () => requirePicture("n", { ...picture, data: new Uint8Array(25) }),
      "RangeError: n of 2×3 must have 24 bytes, got 25",
    ],
    ["some", () => requireSome("n", [0]), ""],
    ["none", () => requireSome("n", []), "RangeError: n must hold at least one entry, got none"],
    ["no list", () => requireSome("n", "a"), type('a list, got "a"')],
  ]);
});
