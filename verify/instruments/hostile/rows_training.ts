/** Rows of networks, training, data sets and experiments. @module */
import * as m from "./exported.ts";
import * as tf from "../../../src/compute/tf.ts";
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
  tensor,
  text,
  thing,
  truth,
  whole,
} from "./argument.ts";
import {
  dataset,
  digits,
  distribution,
  mixture,
  mlpConfig,
  mlpWeights,
  modelConfig,
  network,
  optimizer,
  rng,
  sde,
} from "./parts.ts";
import { writeIdx } from "../file_writers.ts";

/** An even number of at least 4. */
const features = number(4, (v) => Number.isInteger(v) && v >= 4 && v % 2 === 0 && v <= 2 ** 20);
const weights = thing(mlpWeights);
const seed = whole(1, 0, Number.MAX_SAFE_INTEGER);
const plainOptimizer = { ...m.OPTIMIZER_DEFAULTS, warmup: 1 };
const training = {
  model: thing(() => modelConfig),
  objective: thing(() => ({ kind: "edm", mean: 0, std: 1, sigmaData: 0.5 })),
  optimizer,
  steps: whole(2, 1),
  batch: whole(2, 2, 2),
  labelDropout: between(0, 0, 1),
  seed,
  flip: optional(truth(false)),
};
const specs = () => m.mlp(network).parameters;
const flat = () =>
  new Float32Array(specs().reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0));
const model = { config: thing(() => modelConfig), weights };
const checkpoint = (): m.Checkpoint => ({
  config: {
    model: modelConfig,
    objective: { kind: "edm", mean: 0, std: 1, sigmaData: 0.5 },
    optimizer: plainOptimizer,
    steps: 2,
    batch: 2,
    labelDropout: 0,
    seed: 1,
  },
  state: m.initialState(m.mlp(network), 1),
  data: "points",
});
const identity = () => m.datasetIdentity(digits);
const runOptions = {
  count: whole(4, 2, 1e5),
  steps: whole(2, 1, 1e5),
  stepSize: positive(0.01),
  startStd: optional(positive(1)),
  rng,
  snapshots: optional(whole(1, 1, 1e5)),
  followed: optional(whole(1, 0, 1e5)),
};
/** Reports, stated by hand: to measure them takes longer than to draw them. */
const fieldsReport: m.FieldsReport = {
  sigma: 0.5,
  levels: [0.1, 1],
  share: [1],
  fields: [{
    method: "denoising",
    relative: 0.5,
    byLevel: [1, 2],
    map: new Float64Array([0, 1, 2, 3]),
    byDensity: [1, 2],
    vectors: new Float32Array([1, 0, 0, 1]),
  }],
  truth: new Float32Array([1, 0, 0, 1]),
  centres: new Float32Array([0, 0, 1, 1]),
};
const path = new Float32Array([0, 0, 1, 1]);
const animation: m.DensityAnimation = {
  times: new Float64Array([0.1, 1]),
  forward: [path, path],
  reverse: [path, path],
  flow: [path],
};
const distances = { energy: 0.1, sliced: 0.2 };
const langevinReport: m.LangevinReport = {
  curve: [{ step: 0, ...distances }, { step: 1, ...distances }],
  floor: { mean: distances, std: distances },
  modes: [],
  run: { steps: [0, 1], states: [path, path], paths: [path] },
  truth: path,
};
const modes: readonly m.ModesRow[] = [
  {
    sampler: "one",
    heavier: { share: 0.5, low: 0.4, high: 0.6 },
    evaluations: 2,
    samples: path,
    paths: [path],
  },
];
const animationOptions = { moments: whole(2, 2, 1e4), count: whole(2, 1, 1e5), rng, sde: optional(sde) };
const idx = {
  images: writeIdx({ shape: [1, 2, 2], values: new Uint8Array(4) }),
  labels: writeIdx({ shape: [1], values: new Uint8Array(1) }),
};
const record = new Uint8Array(3073);
const png = m.encodePng({ width: 2, height: 2, data: new Uint8Array(16).fill(255) });

export const trainingRows: Rows = {
  mlp: { arguments: [mlpConfig] },
  networkFromConfig: { arguments: [mlpConfig] },
  tutorialNetwork: {
    arguments: [optional(options({
      kind: name("tutorial"),
      widths: list(() => [32, 32, 32, 32], number(32, (v) => v > 0 && v % 32 === 0 && v < 1e5)),
      embedding: number(4, (v) => Number.isInteger(v) && v > 0 && v % 2 === 0 && v < 1e6),
      sigma: number(25, (v) => v > 1),
      frequencyScale: positive(30),
      frequencySeed: seed,
      frequencies: optional(list(() => [0.5, 30])),
      unitRange: optional(truth(true)),
    }))],
  },
  unet: {
    arguments: [options({
      kind: name("unet"),
      height: whole(4, 1, 1e5),
      width: whole(4, 1, 1e5),
      channels: whole(1, 1, 1e5),
      unshuffle: whole(1, 1, 1e5),
      widths: list(() => [8, 8], number(8, (v) => v === 8)),
      blocks: whole(1, 1, 1e4),
      middleBlocks: whole(1, 1, 1e4),
      groups: whole(4, 1, 1e5),
      embedding: whole(4, 1, 1e5),
      noiseFeatures: features,
      attention: list(() => [2], whole(2, 2, 4), true),
      classes: whole(0, 0, 1e5),
      noiseConditional: optional(truth(true)),
      wavePeriods: optional(list(() => [0.5], positive(1), true)),
    })],
  },
  unflatten: { arguments: [thing(specs), thing(flat)] },
  autoguided: {
    arguments: [thing(() => mixture), thing(() => mixture), number(2)],
  },
  "autoguided in an interval": {
    call: m.autoguided as (...values: never[]) => unknown,
    arguments: [
      thing(() => mixture),
      thing(() => mixture),
      {
        ...options({
          scale: number(1),
          from: optional(number(0, (v) => v >= 0 && v < 5)),
          to: optional({ make: () => 5, allows: (v) => typeof v === "number" && v > 0 }),
        }),
        allows: (v) => typeof v === "number" && Number.isFinite(v),
      },
    ],
  },
  "autoguided.predictNoise": {
    call: (y: tf.Tensor, ratio: number) => m.autoguided(mixture, mixture, 2).predictNoise(y, ratio),
    arguments: [tensor([[0.5, -1], [1, 2]]), between(0.5, 0)],
  },
  networkPredictor: { arguments: [thing(() => modelConfig), weights] },
  "networkPredictor.noise": {
    call: (y: tf.Tensor, ratio: number) => {
      const noisePredictor = m.networkPredictor(modelConfig, mlpWeights());
      try {
        return noisePredictor.predictNoise(y, ratio);
      } finally {
        noisePredictor.dispose();
      }
    },
    arguments: [
      { make: () => tf.tensor2d([[0.5, 1], [2, -1]]), allows: () => false, tensor: true },
      positive(0.5),
    ],
  },
  exportOnnx: { arguments: [options(model)] },
  stateDict: { arguments: [options(model), optional(name("own"))] },
  modelFromStateDict: {
    arguments: [
      thing(() => ({
        tensors: m.stateDict({ config: modelConfig, weights: mlpWeights() }),
        metadata: {},
      })),
      optional(options({
        config: thing(() => modelConfig),
        sigma: optional(number(25, (v) => v > 1)),
        unitRange: optional(truth(true)),
      })),
    ],
  },
  writeModel: {
    arguments: [
      options(model),
      optional(name("F32")),
      optional(options({ tensors: optional(thing(() => new Map())), metadata: optional(options({})) })),
    ],
  },
  averageModels: {
    arguments: [thing(() => [{ config: modelConfig, weights: mlpWeights() }])],
  },
  readModel: { arguments: [thing(() => m.writeModel({ config: modelConfig, weights: mlpWeights() }))] },
  writeSafetensors: {
    arguments: [
      options({
        tensors: thing(() => new Map([["x", { shape: [2], values: new Float32Array(2) }]])),
        metadata: options({}),
      }),
      optional(name("F16")),
    ],
  },
  readSafetensors: {
    arguments: [thing(() => m.writeSafetensors({ tensors: new Map(), metadata: {} }))],
  },
  NoisyDigitClassifier: {
    call: (weights: m.Weights) => new m.NoisyDigitClassifier(weights),
    arguments: [thing(noisyWeights)],
  },
  readNoisyClassifier: { arguments: [thing(() => fixture("noisy_classifier"))] },
  readClassifier: { arguments: [thing(() => fixture("classifier"))] },
  classify: {
    arguments: [thing(classifierWeights), thing(() => new Float32Array(784)), optional(whole(2, 1, 1e5))],
  },
  loadPretrained: {
    arguments: [
      { make: () => "mnist", allows: (v) => v === undefined },
      optional(options({ url: optional({ make: () => undefined, allows: (v) => v === undefined }) })),
    ],
  },
  loadNoisyClassifier: { arguments: [] },
  initialState: { arguments: [thing(() => m.mlp(network)), seed, optional(thing(() => new Map()))] },
  train: {
    fails: "DivergedError",
    arguments: [
      options(training),
      callable(() => () => ({ images: new Float32Array(4) })),
      optional(
        options({
          resume: optional(thing(() => undefined)),
          signal: optional(thing(() => new AbortController().signal)),
          reportEvery: optional({
            make: () => 1,
            allows: (v) =>
              typeof v === "function" ||
              (Number.isInteger(v) && (v as number) >= 1 && (v as number) < 2 ** 31),
          }),
        }),
      ),
    ],
  },
  scoreNetwork: { arguments: [mlpConfig, weights] },
  trainScore: {
    arguments: [
      options({
        network: thing(() => network),
        matching: name("sliced"),
        sigma: between(0.5, 0),
        optimizer: thing(() => plainOptimizer),
        steps: whole(2, 1, 2),
        batch: whole(2, 2, 2),
        seed,
      }),
      callable(() => () => tf.tensor2d([[1, 2], [0, 1]])),
      optional(callable(() => () => {})),
    ],
  },
  writeCheckpoint: { arguments: [thing(checkpoint)] },
  readCheckpoint: { arguments: [thing(() => m.writeCheckpoint(checkpoint()))] },
  shuffledBatches: { arguments: [dataset, whole(2, 1, 1e6), rng] },
  "shuffledBatches.batch": {
    call: (step: number) => m.shuffledBatches(digits, 2, m.createRng(1))(step),
    arguments: [whole(3)],
  },
  cifar10Dataset: {
    arguments: [
      list(
        () => [{ name: "batch", bytes: record }] as unknown as number[],
        thing(() => ({ name: "batch", bytes: record })),
      ),
      optional(text("data")),
    ],
  },
  idxDataset: {
    arguments: [
      thing(() => idx.images),
      thing(() => idx.labels),
      optional(text("data")),
      optional(whole(10, 1, 256)),
    ],
  },
  arrayDataset: {
    arguments: [
      options({ shape: list(() => [2, 1], whole(2, 2, 2)), values: thing(() => Float64Array.of(1, 2)) }),
      optional(options({
        name: optional(text("data")),
        columns: optional(thing(() => ["x"])),
        labels: optional(thing(() => [0, 1])),
      })),
    ],
  },
  readNumberTable: {
    arguments: [
      thing(() => "x,kind\n1,a\n"),
      optional(text("table")),
      optional(name("kind")),
    ],
  },
  holdOut: { arguments: [dataset, whole(0, 0, 0)] },
  toUnits: { arguments: [list(() => [1, 2], number(1), true), thing(() => ({ offset: [0], scale: [1] }))] },
  fromUnits: { arguments: [list(() => [1, 2], number(1), true), thing(() => ({ offset: [0], scale: [1] }))] },
  logVolume: { arguments: [thing(() => ({ offset: [0], scale: [1] })), whole(2, 1)] },
  imageFolderDataset: {
    arguments: [
      list(
        () => [{ path: "a/b.png", bytes: png }] as unknown as number[],
        thing(() => ({ path: "a/b.png", bytes: png })),
      ),
      optional(options({
        size: optional(whole(2, 1, 1e4)),
        most: optional(whole(100, 1, 2 ** 31)),
        onCorrupt: optional(callable(() => () => {})),
        onProgress: optional(callable(() => () => {})),
        name: optional(text("data")),
      })),
    ],
  },
  proceduralDigits: { arguments: [whole(2, 1, 1e5), rng] },
  colouredDigits: { arguments: [whole(2, 1, 1e5), rng] },
  datasetIdentity: { arguments: [dataset] },
  datasetChange: { arguments: [thing(identityOf), thing(identityOf)] },
  pixelMoments: { arguments: [dataset] },
  toModel: { arguments: [thing(() => new Uint8Array([0, 255]))] },
  fromModel: { arguments: [thing(() => new Float32Array([0, 1]))] },
  modelToBytes: { arguments: [thing(() => new Float32Array([0, 1]))] },
  densityAnimation: { arguments: [distribution, options(animationOptions)] },
  animationFrames: { arguments: [distribution, options({ sde: optional(sde) }), thing(() => animation)] },
  runLangevin: { arguments: [distribution, options(runOptions)] },
  measureLangevin: { arguments: [distribution, options(runOptions)] },
  langevinPicture: { arguments: [distribution, thing(() => langevinReport)] },
  learnFields: {
    arguments: [
      distribution,
      options({
        sigma: positive(0.5),
        steps: whole(1, 1, 1e4),
        batch: optional(whole(4, 1, 1 << 14)),
        hidden: optional(whole(2, 1, 1e4)),
        seed,
        methods: optional(list(() => ["denoising"] as unknown as number[], name("denoising"), true)),
        onStep: optional(callable(() => () => {})),
      }),
    ],
  },
  measureFields: {
    arguments: [
      distribution,
      thing(() => []),
      options({ sigma: positive(0.5), seed, count: optional(whole(8, 1, 1e5)) }),
    ].map((argument, at) => at === 1 ? { ...argument, allows: (v: unknown) => Array.isArray(v) } : argument),
  },
  fieldsPicture: { arguments: [distribution, thing(() => fieldsReport)] },
  errorsPicture: {
    arguments: [distribution, thing(() => fieldsReport), thing(() => new Float32Array([0, 1]))],
  },
  levelsPicture: { arguments: [thing(() => fieldsReport)] },
  measureModes: {
    arguments: [options({
      count: whole(4, 2, 1e5),
      steps: whole(4, 1, 1e5),
      weight: optional(between(0.8, 0, 1)),
      separation: optional(between(12, 0)),
      rng,
    })],
  },
  modesPicture: {
    arguments: [
      thing(() => modes),
      optional(options({ weight: optional(between(0.8, 0, 1)), separation: optional(between(12, 0)) })),
    ],
  },
};

function noisyWeights(): m.Weights {
  return m.readNoisyClassifier(fixture("noisy_classifier"));
}

function classifierWeights(): m.Weights {
  return m.readClassifier(fixture("classifier"));
}

const known = await identity();
const fixture = (name: string) =>
  Deno.readFileSync(new URL(`../../../fixtures/models/${name}.safetensors`, import.meta.url));

function identityOf(): m.DatasetIdentity {
  return known;
}
