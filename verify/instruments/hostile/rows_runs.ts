/** Rows of runs: requests of plain data and what carries them out. @module */
import * as m from "./exported.ts";
import {
  type Argument,
  between,
  callable,
  list,
  name,
  number,
  optional,
  options,
  positive,
  type Rows,
  shape as shapeOf,
  text,
  thing,
  truth,
  whole,
} from "./argument.ts";
import { smallModel } from "../small_checkpoint.ts";
import { grid, noisePredictor, optimizer } from "./parts.ts";

const sampling = {
  sde: thing(() => ({ kind: "ve", sigmaMin: 0.01, sigmaMax: 10 })),
  sampler: options({
    name: thing(() => "ode-euler"),
    options: optional(options({})),
  }),
  grid,
};
const shard = options({ index: whole(1, 1, 1), shards: whole(1, 1, 1) });
const guidance = options({
  scale: number(1),
  from: optional(number(0, (v) => v >= 0)),
  to: optional({ make: () => 5, allows: (v) => typeof v === "number" && v > 0 }),
});
const numbers = {
  guidance,
  classifierScale: number(0, (v) => v === 0),
  count: whole(2, 1, 64),
  batch: whole(2, 1, 64),
  seed: whole(3, 0, Number.MAX_SAFE_INTEGER),
};
const request: Argument = options({
  ...sampling,
  label: thing(() => "none"),
  ...numbers,
  denoise: truth(true),
  shard,
  frames: truth(false),
});
const parts = options({ noisePredictor: thing(noisePredictor), onStep: optional(callable(() => () => {})) });

/** Three points in the plane. */
const plane = () => m.arrayDataset({ shape: [3, 2], values: Float64Array.of(1, 2, 3, 5, 4, 1) });

const digitsRequest = options({ ...sampling, ...numbers, count: whole(12, 10, 40), batch: whole(12, 1, 64) });
const smallPredictor = () => {
  const { config, weights } = smallModel();
  return m.networkPredictor(config, weights);
};
const classifier = () =>
  m.readClassifier(
    Deno.readFileSync(new URL("../../../fixtures/models/classifier.safetensors", import.meta.url)),
  );
const drawnSets = {
  train: m.proceduralDigits(40, m.createRng(2)),
  test: m.proceduralDigits(40, m.createRng(3)),
};
/** Copies: to draw the digits anew for each call takes longer than the calls. */
const sets = () => structuredClone(drawnSets);
const reference = await m.openQualityReference(smallPredictor(), classifier(), sets(), 12);

const classifierRequest = options({
  noisy: truth(false),
  steps: whole(1, 1, 1),
  batch: whole(2, 1, 64),
  seed: whole(3, 0, Number.MAX_SAFE_INTEGER),
  shift: whole(1, 0, 27),
  optimizer,
});

const shape = list(() => [28, 28, 1], whole(28, 1, 28));
const measurement = options({ kind: name("blur"), std: between(1, 0.1, 20) });
const pictureMask = options({ kind: name("picture-mask"), path: text("mask.png") });
const maskPicture = () => ({
  width: 28,
  height: 28,
  data: new Uint8Array(28 * 28 * 4).map((_, at) => at % 4 === 3 ? 255 : 0),
});
const measured = { noise: between(0.1, 0, 100), seed: whole(3, 0, Number.MAX_SAFE_INTEGER) };
const posteriorRequest = options({
  ...sampling,
  grid: options({ kind: name("uniform"), steps: whole(1, 1, 2) }),
  measurement,
  ...measured,
  method: options({ name: name("pigdm"), iterations: whole(1, 1, 1000) }),
  label: { make: () => "own", allows: (v) => v === 0 },
  count: whole(1, 1, 10_000),
  batch: whole(2, 1),
});
const inputs = options({
  count: whole(1, 1, 1),
  images: thing(() => new Float32Array(784)),
  labels: { make: () => new Uint8Array([3]), allows: () => false },
});
const posteriorParts = options({
  noisePredictor: thing(smallPredictor),
  inputs,
  onStep: optional(callable(() => () => {})),
});

const search = {
  ...sampling,
  grid: options({ kind: name("uniform") }),
  steps: list(() => [2], whole(2, 1, 1e6)),
  snr: list(() => [], number(0.1), true),
  gamma: list(() => [], number(0.1), true),
};
const tuning = options({
  ...search,
  metric: name("frechet"),
  repeats: whole(1, 1, 1),
  ...{ guidance, count: whole(12, 10, 40), batch: whole(12, 1, 64), seed: numbers.seed },
});

const compared = {
  sdes: options({ ve: sampling.sde }),
  samplers: thing(() => ["ddim"]),
  nfe: list(() => [3], whole(3, 1)),
  steps: list(() => [], whole(3, 1), true),
  grid: { make: () => "uniform", allows: (v: unknown) => v === null },
  options: options({}),
  baseline: { make: () => null, allows: (v: unknown) => v === null },
};

const planeParts = options({ onStep: optional(callable(() => () => {})) });

export const runRows: Rows = {
  runClassifierTraining: {
    arguments: [
      classifierRequest,
      options({
        train: thing(() => sets().train),
        test: thing(() => sets().test),
        onStep: optional(callable(() => () => {})),
      }),
    ],
  },
  shardBatches: { arguments: [options({ count: whole(2, 1), batch: whole(2, 1), shard })] },
  openSampling: { arguments: [options(sampling)] },
  sampledNetwork: {
    arguments: [thing(noisePredictor), shapeOf(2), optional(callable(() => () => {}))],
  },
  autoguidedNetwork: {
    arguments: [thing(smallPredictor), thing(smallPredictor)],
  },
  runSampling: {
    call: (request: m.SamplingRequest, parts: m.SamplingParts) =>
      Array.fromAsync(m.runSampling(request, parts)),
    arguments: [request, parts],
  },
  drawDigits: { arguments: [digitsRequest, parts] },
  openQualityReference: {
    arguments: [thing(smallPredictor), thing(classifier), thing(sets), whole(12, 10, 40)],
  },
  runDensity: {
    arguments: [
      options({
        sde: sampling.sde,
        minNoise: number(0.1, (v) => v > 0 && v < 10),
        method: options({ kind: thing(() => "rk4"), steps: whole(1, 1, 10_000) }),
        probes: whole(1, 0, 1000),
        limit: whole(2, 1),
        batch: whole(2, 1),
        seed: whole(3, 0, Number.MAX_SAFE_INTEGER),
      }),
      options({
        noisePredictor: thing(noisePredictor),
        samples: thing(plane),
        onBatch: optional(callable(() => () => {})),
      }),
    ],
  },
  runDataEvaluation: {
    arguments: [
      options({ ...sampling, ...numbers, count: whole(2, 2, 64) }),
      options({ noisePredictor: thing(noisePredictor), reference: thing(plane), others: thing(plane) }),
    ],
  },
  runEvaluation: {
    arguments: [
      options({
        ...sampling,
        ...numbers,
        count: whole(12, 10, 40),
        batch: whole(12, 1, 64),
        nearest: optional(whole(2, 0, 12)),
      }),
      options({ noisePredictor: thing(smallPredictor), reference: thing(() => reference) }),
    ],
  },
  openMeasurement: { arguments: [measurement, options({ shape, ...measured })] },
  "openMeasurement by a picture": {
    call: (...[measurement, options]: Parameters<typeof m.openMeasurement>) =>
      m.openMeasurement(measurement, options),
    arguments: [pictureMask, options({ shape, ...measured, picture: thing(maskPicture) })],
  },
  runPosterior: { arguments: [posteriorRequest, posteriorParts] },
  listCombinations: { arguments: [options(search)] },
  runTuning: {
    arguments: [
      tuning,
      options({
        noisePredictor: thing(smallPredictor),
        reference: thing(() => reference),
        onStep: optional(callable(() => () => {})),
        onTrial: optional(callable(() => () => {})),
      }),
    ],
  },
  runSelection: {
    arguments: [
      options({
        models: thing(() => [{ name: "a", sde: { kind: "ve", sigmaMin: 0.01, sigmaMax: 10 } }]),
        ...{ sampler: sampling.sampler, grid },
        ...{ count: whole(2, 2, 64), batch: whole(2, 1, 64), seed: numbers.seed },
      }),
      options({
        dataset: thing(() => drawnSets.train),
        load: thing(() => smallPredictor),
        onStep: optional(callable(() => () => {})),
      }),
    ],
  },
  runPlaneExperiment: {
    arguments: [
      options({
        experiment: thing(() => "langevin"),
        data: name("mixture"),
        ...{ count: whole(2, 2, 64), steps: whole(2, 1, 64), stepSize: positive(0.01), seed: numbers.seed },
      }),
      optional(planeParts),
    ],
  },
  "runPlaneExperiment of matchings": {
    call: (...[request, parts]: Parameters<typeof m.runPlaneExperiment>) =>
      m.runPlaneExperiment(request, parts),
    arguments: [
      options({
        experiment: thing(() => "matching"),
        data: name("mixture"),
        ...{ count: whole(2, 1, 64), steps: whole(1, 1, 4), sigma: positive(0.2), seed: numbers.seed },
        methods: thing(() => ["denoising"]),
      }),
      optional(planeParts),
    ],
  },
  "runPlaneExperiment of modes": {
    call: (request: m.PlaneExperimentRequest) => m.runPlaneExperiment(request),
    arguments: [
      options({
        experiment: thing(() => "modes"),
        ...{ count: whole(2, 2, 64), steps: whole(4, 1, 64), seed: numbers.seed },
        ...{ separation: between(12, 0), weight: between(0.8, 0, 1) },
      }),
    ],
  },
  "runPlaneExperiment of densities": {
    call: (...[request, parts]: Parameters<typeof m.runPlaneExperiment>) =>
      m.runPlaneExperiment(request, parts),
    arguments: [
      options({
        experiment: thing(() => "densities"),
        data: name("mixture"),
        ...{ count: whole(2, 1, 64), moments: whole(2, 2, 4), seed: numbers.seed },
      }),
      optional(planeParts),
    ],
  },
  planComparison: {
    arguments: [
      options(compared),
      options({ network: text("n"), calls: whole(1, 1, 2) }),
    ],
  },
  runComparison: {
    arguments: [
      options({
        ...compared,
        nfe: thing(() => [3]),
        ...{ guidance, count: whole(12, 10, 40), batch: whole(12, 1, 64), seed: numbers.seed },
        show: positive(20),
      }),
      options({
        network: options({ name: text("n"), noisePredictor: thing(smallPredictor) }),
        reference: thing(() => reference),
        onStep: optional(callable(() => () => {})),
        onRow: optional(callable(() => () => {})),
      }),
    ],
  },
};
