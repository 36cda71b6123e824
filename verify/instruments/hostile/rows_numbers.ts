/** Rows of functions of numbers: SDEs, grids, plans, metrics. @module */
import * as m from "./exported.ts";
import {
  between,
  callable,
  list,
  name,
  number,
  optional,
  options,
  positive,
  type Rows,
  thing,
  whole,
} from "./argument.ts";
import { dataset, distribution, gaussian, mixture, range, rng, sde, time } from "./parts.ts";

const times = { tMin: optional(positive(1e-3)), tMax: optional(positive(1)) };
const betaOptions = optional(
  options({ betaMin: optional(positive(0.1)), betaMax: optional(positive(20)), ...times }),
);
const dimension = whole(2, 1, 128);
const points = list(() => [0, 1, 2, 3, 1, 0, 2, 5]);
const moments = (): m.FeatureMoments => m.featureMoments([0, 1, 2, 3, 1, 0], 2);
const momentsArgument = options({
  mean: list(() => moments().mean),
  covariance: list(() => moments().covariance, number(1, (v) => v >= 0)),
});
const plainObject = (v: unknown) => typeof v === "object" && v !== null && !Array.isArray(v);
const methodsOf = (prefix: string, make: () => m.Sde): Rows => {
  const sde = make();
  return Object.fromEntries(
    (["alpha", "sigma", "driftCoefficient", "diffusionCoefficient"] as const).map((method) => [
      `${prefix}.${method}`,
      { call: (t: number) => sde[method](t), arguments: [time] },
    ]),
  );
};

const level = options({
  alpha: between(0.8, 0),
  sigma: between(0.6, 0),
  sigmaData: optional(positive(0.5)),
});

export const numberRows: Rows = {
  createRng: { arguments: [whole(3, 0, Number.MAX_SAFE_INTEGER)] },
  "createRng.normal": {
    call: (shape: number[]) => m.createRng(1).normal(shape),
    arguments: [list(() => [2, 3], whole(2, 0, 1e6))],
  },
  "createRng.uniformValues": {
    call: (shape: number[]) => m.createRng(1).uniformValues(shape),
    arguments: [list(() => [2, 3], whole(2, 0, 1e6))],
  },
  "createRng.fork": {
    call: (label: string) => m.createRng(1).fork(label),
    arguments: [{ make: () => "label", allows: (v) => typeof v === "string" }],
  },
  "createRng.startingAt": {
    call: (at: number) => m.createRng(1).startingAt(at),
    arguments: [whole(1, 0, 2 ** 32 - 1)],
  },
  rngFromState: {
    arguments: [options({
      key: list(() => [1, 2], whole(1, 0, 2 ** 32 - 1)),
      cursor: whole(0, 0, 2 ** 32 - 1),
      firstSample: whole(0, 0, 2 ** 32 - 1),
    })],
  },
  currentEngine: { arguments: [] },
  useEngine: {
    arguments: [
      { make: () => "wasm", allows: (v) => v === undefined },
      optional(options({
        wasmPath: optional({ make: () => undefined, allows: (v) => typeof v === "string" }),
        withoutGpu: optional(name("wasm")),
      })),
    ],
  },
  linearBetas: {
    arguments: [
      optional(whole(3, 1, 1e7)),
      optional(between(0.1, 1e-9, 0.9)),
      optional(between(0.2, 1e-9, 0.9)),
    ],
  },
  zeroTerminalSnrBetas: { arguments: [list(() => [0.1, 0.2, 0.3], number(0.1, (v) => v > 0 && v < 1))] },
  predictionTarget: { arguments: [name("velocity"), level] },
  predictionFactors: { arguments: [name("velocity"), name("data"), level] },
  scaledLinearBetas: {
    arguments: [
      optional(whole(3, 1, 1e7)),
      optional(between(0.1, 1e-9, 0.9)),
      optional(between(0.2, 1e-9, 0.9)),
    ],
  },
  sigmoidBetas: {
    arguments: [
      optional(whole(3, 1, 1e7)),
      optional(between(0.1, 0, 1)),
      optional(between(0.2, 0, 1)),
    ],
  },
  cosineBetas: { arguments: [optional(whole(3, 1, 1e7)), optional(between(0.008, 0, 1e3))] },
  veSde: {
    arguments: [optional(options({
      sigmaMin: optional(positive(0.01)),
      sigmaMax: optional(positive(50)),
      tMin: optional(between(1e-5, 0)),
      tMax: optional(positive(1)),
    }))],
  },
  ...methodsOf("veSde", m.veSde),
  vpSde: { arguments: [betaOptions] },
  ...methodsOf("vpSde", m.vpSde),
  subVpSde: { arguments: [betaOptions] },
  ...methodsOf("subVpSde", m.subVpSde),
  edmSde: {
    arguments: [optional(options({ tMin: optional(positive(0.01)), tMax: optional(positive(80)) }))],
  },
  ...methodsOf("edmSde", m.edmSde),
  sigmaPowerSde: { arguments: [optional(options({ sigma: optional(number(25, (v) => v > 1)), ...times }))] },
  ...methodsOf("sigmaPowerSde", m.sigmaPowerSde),
  flowSde: {
    arguments: [optional(options({
      tMin: optional(between(0.01, 1e-9, 0.8)),
      tMax: optional(between(0.9, 0.02, 0.999)),
    }))],
  },
  ...methodsOf("flowSde", m.flowSde),
  discreteDdpm: { arguments: [list(() => [0.1, 0.2, 0.3], number(0.1, (v) => v > 0 && v < 1))] },
  ...methodsOf("discreteDdpm", () => m.discreteDdpm([0.1, 0.2, 0.3])),
  customSde: {
    arguments: [options({
      alpha: thing(() => (t: number) => 1 - t),
      sigma: callable(() => (t: number) => t),
      tMin: optional(between(0.01, 1e-9, 0.8)),
      tMax: optional(between(0.9, 0.02, 0.999)),
      priorStd: optional(positive(1)),
    })],
  },
  "customSde of coefficients": {
    call: m.customSde as (...values: never[]) => unknown,
    arguments: [options({
      drift: callable(() => () => -0.5),
      diffusion: callable(() => () => 1),
      tMin: optional(between(0.01, 1e-9, 0.8)),
      tMax: optional(between(0.9, 0.02, 10)),
      priorStd: optional(positive(1)),
      initialStd: optional(between(0.1, 0, 1e6)),
    })],
  },
  ...methodsOf("customSde", () => m.customSde({ alpha: () => 1, sigma: (t: number) => 0.1 + t })),
  "vpSde.timeAtHalfLogSnr": { call: (l: number) => m.vpSde().timeAtHalfLogSnr(l), arguments: [number(1)] },
  sdeByName: { arguments: [name("ve")] },
  sdeInfo: { arguments: [name("vp")] },
  sdeFromConfig: {
    arguments: [options({ kind: name("ve"), sigmaMin: positive(0.1), sigmaMax: positive(5) })],
  },
  halfLogSnr: { arguments: [sde, time], infinite: "at time 0 there is no noise: λ = ∞" },
  noiseRatio: { arguments: [sde, time] },
  withMinimumNoise: { arguments: [sde, positive(0.05)] },
  timeGrid: {
    arguments: [
      sde,
      options({ kind: name("karras"), steps: whole(3, 1, 1e6), rho: optional(positive(7)) }),
    ],
  },
  "timeGrid of shifted times": {
    call: m.timeGrid as (...values: never[]) => unknown,
    arguments: [
      sde,
      options({ kind: name("shifted"), steps: whole(3, 1, 1e6), shift: optional(positive(3)) }),
    ],
  },
  "timeGrid of beta": {
    call: m.timeGrid as (...values: never[]) => unknown,
    arguments: [
      sde,
      options({ kind: name("beta"), steps: whole(3, 1, 1e4), shape: optional(between(0.6, 0.05, 50)) }),
    ],
  },
  "timeGrid of align-your-steps": {
    call: m.timeGrid as (...values: never[]) => unknown,
    arguments: [
      sde,
      options({
        kind: name("align-your-steps"),
        steps: whole(3, 1, 1e6),
        model: optional(name("stable-diffusion-xl")),
      }),
    ],
  },
  "timeGrid of levels": {
    call: m.timeGrid as (...values: never[]) => unknown,
    arguments: [
      sde,
      options({
        kind: name("levels"),
        steps: whole(3, 3, 3),
        ratios: optional(list(() => [5, 1] as number[], number(5, (v) => v > 1 && v < 200))),
      }),
    ],
  },
  "timeGrid of indices": {
    call: m.timeGrid as (...values: never[]) => unknown,
    arguments: [
      thing(() => m.discreteDdpm(m.linearBetas(10))),
      options({
        kind: name("indices"),
        steps: whole(2, 2, 2),
        indices: list(() => [9, 4, 0], number(9, (v) => v > 4 && v <= 9)),
      }),
    ],
  },
  drawNoiseLevels: {
    arguments: [
      options({ kind: name("edm"), mean: number(0), std: positive(1), sigmaData: positive(0.5) }),
      rng,
      whole(2, 1, 1e7),
    ],
  },
  "drawNoiseLevels of levels": {
    call: m.drawNoiseLevels as (...values: never[]) => unknown,
    arguments: [
      options({ kind: name("levels"), ratios: list(() => [0.1, 1], positive(1)) }),
      rng,
      whole(2, 1, 1e7),
    ],
  },
  consistencyDefaults: {
    arguments: [whole(4, 1), { make: () => null, allows: (v) => v === null || plainObject(v) }],
  },
  geometricLevels: { arguments: [positive(5), positive(0.1), whole(4, 2, 1e7)] },
  ncsnSchedule: {
    arguments: [options({
      largest: positive(5),
      smallest: optional(positive(0.1)),
      dimension: whole(100, 1, 2 ** 53),
      overlap: optional(number(0.4, (v) => v > 0 && v < 0.99)),
      stepsPerLevel: optional(whole(5, 1, 1e9)),
    })],
  },
  largestDistance: {
    arguments: [dataset, optional({ make: () => () => {}, allows: (v) => typeof v === "function" })],
  },
  bitsPerDimension: { arguments: [number(-10), whole(2, 1), optional(range)] },
  decoderNats: { arguments: [sde, optional(range)] },
  energyDistance: { arguments: [points, points, dimension] },
  slicedWasserstein: { arguments: [points, points, dimension, whole(4, 1, 1e7), rng] },
  featureMoments: { arguments: [points, dimension] },
  frechetDistance: { arguments: [momentsArgument, thing(moments)] },
  kernelMoments: {
    arguments: [list(() => [0, 1, 2, 3, 1, 0, 1, 1]), dimension, {
      ...whole(2, 2, 1e6),
      allows: (v) => v === 2,
    }],
  },
  kernelDistance: {
    arguments: [
      thing(() => m.kernelMoments([0, 1, 2, 3, 1, 0, 3, 3], 2, 2)),
      thing(() => m.kernelMoments([0, 1, 2, 4, 1, 1, 0, 2], 2, 2)),
    ],
  },
  colourDeviation: { arguments: [thing(() => m.colouredDigits(4, m.createRng(1)))] },
  penCoverage: { arguments: [thing(() => m.colouredDigits(4, m.createRng(1)))] },
  patchStatistics: { arguments: [dataset, optional(whole(2, 1, 28))] },
  nearestNeighbours: { arguments: [points, points, dimension] },
  manifold: { arguments: [points, dimension, optional(whole(2, 1, 3))] },
  manifoldFraction: {
    arguments: [
      points,
      options({
        points,
        dimension: whole(2, 2, 2),
        squaredRadii: list(() => new Float64Array([1, 1, 1, 1]), between(1, 0)),
      }),
    ],
  },
  wilsonInterval: { arguments: [whole(3, 0, 9), whole(9, 3, 2 ** 53), optional(positive(1.96))] },
  classAccuracy: {
    arguments: [
      list(() => [1, 2], number(1, Number.isInteger)),
      list(() => [1, 3], number(1, Number.isInteger)),
    ],
  },
  gaussianRing: {
    arguments: [optional(options({
      count: optional(whole(3, 1, 1e6)),
      radius: optional(between(2, 0)),
      std: optional(between(0.1, 0)),
    }))],
  },
  twoGaussians: {
    arguments: [optional(options({
      weight: optional(number(0.8, (v) => v >= 0 && v <= 1)),
      separation: optional(between(4, 0)),
      std: optional(between(0.5, 0)),
    }))],
  },
  twoMoons: { arguments: [optional(options({ noise: optional(between(0.1, 0)) }))] },
  rings: {
    arguments: [
      optional(
        options({ radii: optional(list(() => [1, 2], between(1, 0))), noise: optional(between(0.1, 0)) }),
      ),
    ],
  },
  checkerboard: { arguments: [] },
  swissRoll: { arguments: [optional(options({ noise: optional(between(0.1, 0)) }))] },
  "swissRoll.sample": {
    call: (rng: m.Rng, count: number) => m.swissRoll().sample(rng, count),
    arguments: [rng, whole(2, 0, 1e7)],
  },
  toyByName: { arguments: [name("moons")] },
  toyDistribution: { arguments: [name("banana")] },
  Banana: {
    call: (options: m.BananaOptions) => new m.Banana(options),
    arguments: [optional(options({
      width: optional(positive(1)),
      thickness: optional(positive(0.3)),
      bend: optional(number(0.7)),
    }))],
  },
  Gaussian: {
    call: (options: m.GaussianOptions) => new m.Gaussian(options),
    arguments: [options({
      mean: list(() => [0, 1]),
      covariance: list(() => [[1, 0], [0, 1]] as unknown as number[], thing(() => [1, 0])),
    })],
  },
  "Gaussian of variances": {
    call: (options: m.GaussianOptions) => new m.Gaussian(options),
    arguments: [options({ mean: list(() => [0, 1]), variances: list(() => [1, 2], between(1, 0)) })],
  },
  "Gaussian.sample": {
    call: (rng: m.Rng, count: number) => gaussian.sample(rng, count),
    arguments: [rng, whole(2, 0, 1e7)],
  },
  "Gaussian.posterior": {
    call: (y: number[], ratio: number) => gaussian.posterior(y, ratio),
    arguments: [list(() => [1, 2]), between(0.5, 0)],
  },
  "Gaussian.affine": {
    call: (operator: number[][], offset: number[]) => gaussian.affine(operator, offset),
    arguments: [
      list(() => [[1, 1]] as unknown as number[], thing(() => [1, 1])),
      optional(list(() => [1])),
    ],
  },
  "Gaussian.observing": {
    call: (operator: number[][], values: number[], variance: number) =>
      gaussian.observing(operator, values, variance),
    arguments: [
      list(() => [[1, 1]] as unknown as number[], thing(() => [1, 1])),
      list(() => [1]),
      optional(between(0.5, 0)),
    ],
  },
  GaussianMixture: {
    call: (weights: number[], components: m.Gaussian[]) => new m.GaussianMixture(weights, components),
    arguments: [
      list(() => [1, 2], between(1, 0)),
      list(() => [gaussian, gaussian] as unknown as number[], thing(() => gaussian)),
    ],
  },
  "GaussianMixture.from": {
    call: (config: m.GaussianMixtureConfig) => m.GaussianMixture.from(config),
    arguments: [options({
      weights: list(() => [1], positive(1)),
      means: list(() => [[0]] as unknown as number[], thing(() => [0])),
      covariances: list(() => [[[1]]] as unknown as number[], thing(() => [[1]])),
    })],
  },
  "GaussianMixture.sample": {
    call: (rng: m.Rng, count: number) => mixture.sample(rng, count),
    arguments: [rng, whole(2, 0, 1e7)],
  },
  "GaussianMixture.posterior": {
    call: (y: number[], ratio: number) => mixture.posterior(y, ratio),
    arguments: [list(() => [1, 2]), between(0.5, 0)],
  },
  "GaussianMixture.withLabels": {
    call: (labels: number[]) => mixture.withLabels(labels),
    arguments: [list(() => [0, 1], whole(0, 0, 1), true)],
  },
  "GaussianMixture.given": {
    call: (at: number[], values: number[]) => mixture.given(at, values),
    arguments: [list(() => [0], whole(0, 0, 1), true), list(() => [0.5])],
  },
  PointCloud: {
    call: (points: number[], dimension: number, std: number) => new m.PointCloud(points, dimension, std),
    arguments: [points, dimension, between(0.1, 0)],
  },
  DivergedError: {
    call: (step: number, value: number) => new m.DivergedError(step, value).step,
    arguments: [{ make: () => 3, allows: () => true }, { make: () => NaN, allows: () => true }],
    infinite: "the error carries the value that diverged",
  },
  diffusedPosterior: { arguments: [distribution, sde, list(() => [1, 2]), time] },
};
