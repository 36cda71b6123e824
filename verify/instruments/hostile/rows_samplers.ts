/** Rows of samplers, conditioning and likelihoods. @module */
import * as m from "./exported.ts";
import * as tf from "../../../src/compute/tf.ts";
import { samplerInfo, samplerNames } from "../../../src/samplers/registry.ts";
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
  shape,
  tensor,
  thing,
  truth,
  whole,
} from "./argument.ts";
import { distribution, grid, mixture, model, rng, sampler, sde } from "./parts.ts";

const none = { arguments: [] };

/** The functions of the samplers that take no options. */
const withoutOptions = new Set<unknown>(
  samplerNames.map(samplerInfo).filter(({ options }) => Object.keys(options).length === 0).map(({ create }) =>
    create
  ),
);
const tolerances = { rtol: optional(positive(0.01)), atol: optional(positive(0.01)) };
const solverType = { solverType: optional(name("heun")) };
const addedNoise = { eta: optional(between(0.5, 0, 1)), sNoise: optional(positive(1)) };
const image = shape(4, 4, 1);
const run = { shape: list(() => [3, 2], whole(3, 1, 4)), grid, rng };
const known = {
  mask: list(() => [1, 0], whole(1, 0, 1)),
  known: tensor([[1.5, 0.25]]),
  basis: optional(thing(() => undefined)),
};
/** What a sampler draws with what is known. */
const drawnWith = (make: (known: m.Known) => m.Sampler) => (known: m.Known) =>
  m.drawSamples(m.scoreModel(mixture, m.vpSde()), make(known), {
    shape: [2, 2],
    grid: { kind: "uniform", steps: 2 },
    rng: m.createRng(1),
  });
const flowMethod = optional(
  options({ kind: name("rk4"), grid: options({ kind: name("uniform"), steps: whole(2, 1, 1e6) }) }),
);
/** A signal that is not aborted. */
const signal = optional(thing(() => new AbortController().signal));
const codes = tensor([[0.5, -1], [1, 2]]);
const observed = () => m.linearObservation(m.maskOperator([2], [1, 0]), tf.tensor2d([[0.5]]), 0.1);
const observation = options({
  operator: thing(() => m.maskOperator([2], [1, 0])),
  y: tensor([[0.5]]),
  noiseStd: between(0.1, 0),
});
const times = () => m.timeGrid(m.vpSde(), { kind: "uniform", steps: 3 });
const bound = {
  times: thing(times),
  rng,
  onStep: optional(callable(() => () => {})),
};

export const samplerRows: Rows = {
  ...Object.fromEntries(
    Object.entries(m).filter(([, value]) => withoutOptions.has(value)).map(([name]) => [name, none]),
  ),
  adaptiveSde: {
    arguments: [optional(options({
      ...tolerances,
      firstStep: optional(positive(0.01)),
      maxAttempts: optional(whole(100, 1)),
    }))],
  },
  dpmSolverAdaptive: {
    arguments: [optional(options({
      ...tolerances,
      ...addedNoise,
      solverOrder: optional(whole(2, 2, 3)),
      firstStep: optional(positive(0.01)),
      maxAttempts: optional(whole(100, 1)),
    }))],
  },
  dpmSolverFast: {
    arguments: [optional(options({
      lastOrders: optional(name("2")),
      ...addedNoise,
    }))],
  },
  dpmSolver2M: {
    arguments: [optional(options({ lastStep: optional(name("ddim")), ...solverType }))],
  },
  dpmSolver2: { arguments: [optional(options(solverType))] },
  dpmSolver3: { arguments: [optional(options(solverType))] },
  dpmSolver2S: { arguments: [optional(options(solverType))] },
  sdeDpmSolver2M: {
    arguments: [optional(options({ ...solverType, ...addedNoise }))],
  },
  sdeDpmSolver3M: { arguments: [optional(options(addedNoise))] },
  sdeDpmSolver2S: { arguments: [optional(options(addedNoise))] },
  saSolver: {
    arguments: [optional(options({
      predictorOrder: optional(whole(2, 1, 4)),
      correctorOrder: optional(whole(2, 0, 4)),
      tau: optional({
        make: () => 0.5,
        allows: (v) => typeof v === "function" || Number.isFinite(v) && v as number >= 0,
      }),
    }))],
  },
  dpmSolver2Ancestral: { arguments: [optional(options(addedNoise))] },
  dpmSolver2SAncestral: { arguments: [optional(options(addedNoise))] },
  lms: { arguments: [optional(options({ solverOrder: optional(whole(2, 1, 4)) }))] },
  deis: { arguments: [optional(options({ solverOrder: optional(whole(2, 1, 3)) }))] },
  ipndm: { arguments: [optional(options({ solverOrder: optional(whole(2, 1, 4)) }))] },
  unipc: {
    arguments: [optional(options({
      lastStep: optional(name("ddim")),
      solverOrder: optional(whole(1, 1, 3)),
      bFunction: optional(name("bh1")),
      solverPrediction: optional(name("data")),
    }))],
  },
  annealedLangevin: {
    arguments: [optional(options({ langevinStep: optional(positive(0.1)), steps: optional(whole(2, 1)) }))],
  },
  samplerByName: {
    arguments: [name("ddim"), optional(options({ eta: optional(between(0.5, 0, 1)) }))],
  },
  samplerInfo: { arguments: [name("ddim")] },
  nfeOfSteps: { arguments: [name("ddim"), whole(3, 1), optional(options({}))] },
  nfePerStep: { arguments: [name("ddim"), optional(options({}))] },
  "nfePerStep of a corrector": {
    call: m.nfePerStep as (...values: never[]) => unknown,
    arguments: [name("predictor-corrector"), optional(options({ correctorSteps: optional(whole(1, 1)) }))],
  },
  stepsForNfe: {
    arguments: [name("ode-heun"), whole(20, 3), optional(options({}))],
  },
  "stepsForNfe of a corrector": {
    call: m.stepsForNfe as (...values: never[]) => unknown,
    arguments: [
      name("predictor-corrector"),
      whole(20, 3),
      optional(options({ correctorSteps: optional(whole(1, 1, 18)) })),
    ],
  },
  ddim: { arguments: [optional(options({ eta: optional(between(0.5, 0, 1)) }))] },
  odeDormandPrince: { arguments: [optional(options(tolerances))] },
  edmStochastic: {
    arguments: [optional(options({
      gamma: optional(between(0.1, 0, Math.SQRT2 - 1)),
      sTmin: optional(between(0.1, 0)),
      sTmax: optional({ make: () => 10, allows: (v) => typeof v === "number" && v >= 0.1 }),
      sNoise: optional(positive(1)),
    }))],
  },
  langevin: {
    arguments: [optional(options({
      snr: optional(positive(0.1)),
      steps: optional(whole(1, 1)),
      rule: optional(name("ald")),
      stepSize: optional(callable(() => () => 0.1)),
    }))],
  },
  predictorCorrector: { arguments: [options({ predictor: sampler, corrector: thing(() => m.langevin()) })] },
  statelessStepper: {
    arguments: [callable(() => (x: tf.Tensor) => m.awaited(x.clone()))],
  },
  sample: { arguments: [model, sampler, options({ ...run, denoise: optional(truth(true)) })] },
  drawSamples: {
    arguments: [
      model,
      sampler,
      options({ ...run, initial: optional(tensor([[1, 2], [0.5, 1], [0, 1]])), signal }),
    ],
  },
  scoreModel: { arguments: [distribution, sde] },
  "scoreModel.score": {
    call: (x: tf.Tensor, t: number) => m.scoreModel(mixture, m.vpSde()).score(x, t),
    arguments: [tensor([[0.5, -1], [1, 2]]), between(0.5, 0, 1)],
    infinite: "at time 0 there is no noise, and the score is infinite",
  },
  "scoreModel.noise": {
    call: (x: tf.Tensor, t: number) => m.scoreModel(mixture, m.vpSde()).predictedNoise(x, t),
    arguments: [tensor([[0.5, -1], [1, 2]]), between(0.5, 0, 1)],
  },
  "scoreModel.data": {
    call: (x: tf.Tensor, t: number) => m.scoreModel(mixture, m.vpSde()).denoised(x, t),
    arguments: [tensor([[0.5, -1], [1, 2]]), between(0.5, 0, 1)],
  },
  "scoreModel.velocity": {
    call: (x: tf.Tensor, t: number) => m.scoreModel(mixture, m.vpSde()).odeDrift(x, t),
    arguments: [tensor([[0.5, -1], [1, 2]]), between(0.5, 0, 1)],
    infinite: "at time 0 there is no noise, and the score is infinite",
  },
  scoreModelFromNoise: { arguments: [sde, callable(() => (x: tf.Tensor) => x)] },
  classifierFreeGuided: { arguments: [model, model, number(1.5)] },
  classifierGuided: {
    arguments: [
      model,
      thing(() => m.mixtureClassifier(mixture)),
      { ...whole(1, 0, 1), entries: undefined },
      optional(number(1)),
    ],
  },
  clippedModel: {
    arguments: [
      model,
      optional(options({
        low: optional(number(-1, (v) => v < 1)),
        high: optional(number(1, (v) => v > -1)),
        percentile: optional(between(0.9, 1e-9, 1)),
      })),
    ],
  },
  mixtureClassifier: { arguments: [distribution] },
  replacementSampler: {
    call: drawnWith((known) => m.replacementSampler(m.ddim(), known)),
    arguments: [options(known)],
  },
  "replacementSampler around a sampler": {
    call: m.replacementSampler as (...values: never[]) => unknown,
    arguments: [sampler, thing(() => ({ mask: [1, 0], known: tf.tensor2d([[1, 2]]) }))],
  },
  withExactKnownValues: {
    call: drawnWith((known) => m.withExactKnownValues(m.ddim(), known)),
    arguments: [options(known)],
  },
  "withExactKnownValues around a sampler": {
    call: m.withExactKnownValues as (...values: never[]) => unknown,
    arguments: [sampler, thing(() => ({ mask: [1, 0], known: tf.tensor2d([[1, 2]]) }))],
  },
  dpsSampler: {
    call: async (scale: number | undefined) => {
      const seen = await observed();
      try {
        const sampler = m.dpsSampler(m.ddim(), seen, { scale });
        const run = { shape: [2, 2], grid: { kind: "uniform", steps: 2 }, rng: m.createRng(1) } as const;
        return await m.drawSamples(m.scoreModel(mixture, m.vpSde()), sampler, run);
      } finally {
        seen.y.dispose();
      }
    },
    arguments: [optional(positive(1))],
  },
  "dpsSampler around a sampler": {
    call: m.dpsSampler as (...values: never[]) => unknown,
    arguments: [sampler, observation, optional(options({ scale: optional(positive(1)) }))],
  },
  diffpirModel: {
    arguments: [
      model,
      observation,
      optional(options({ lambda: optional(positive(2)), iterations: optional(whole(2, 1)) })),
    ],
  },
  twistedSampler: {
    arguments: [
      observation,
      optional(options({ particles: optional(whole(4, 1, 1e6)), dataStd: optional(positive(1)) })),
    ],
  },
  repaintSampler: {
    call: drawnWith((known) => m.repaintSampler(m.ddim(), known)),
    arguments: [
      options({ ...known, jump: optional(whole(1, 1, 1e4)), resamplings: optional(whole(2, 1, 1e3)) }),
    ],
  },
  "repaintSampler around a sampler": {
    call: m.repaintSampler as (...values: never[]) => unknown,
    arguments: [sampler, thing(() => ({ mask: [1, 0], known: tf.tensor2d([[1, 2]]) }))],
  },
  exactPosterior: { arguments: [distribution, observation] },
  linearObservation: {
    arguments: [thing(() => m.maskOperator([2], [1, 0])), tensor([[0.5]]), optional(between(0.1, 0))],
  },
  posteriorScore: {
    arguments: [
      model,
      observation,
      optional(options({
        method: optional(name("mmps")),
        iterations: optional(whole(2, 1)),
        dataStd: optional(positive(1)),
      })),
    ],
  },
  "posteriorScore by row sums": {
    call: (of: m.ScoreModel, seen: m.LinearObservation, dataStd: number | undefined) =>
      m.posteriorScore(of, seen, { method: "tmpd", dataStd }),
    arguments: [model, observation, optional(positive(1))],
  },
  "posteriorScore.score": {
    call: async (x: tf.Tensor, t: number) => {
      const seen = await observed();
      try {
        return m.posteriorScore(m.scoreModel(mixture, m.vpSde()), seen).score(x, t);
      } finally {
        seen.y.dispose();
      }
    },
    arguments: [tensor([[0.5, -1], [1, 2]]), between(0.5, 0, 1)],
    infinite: "at time 0 there is no noise, and the score is infinite",
  },
  blurOperator: {
    arguments: [image, list(() => [[1]] as unknown as number[], thing(() => [1]))],
  },
  gaussianKernel: { arguments: [number(0.7, (v) => v > 0 && v < 1e3)] },
  greyOperator: { arguments: [shape(2, 2, 3)] },
  "greyOperator.apply": {
    call: (x: tf.Tensor) => m.greyOperator([1, 2, 3]).apply(x),
    arguments: [tensor([[[[1, 2, 3], [0.5, 1, 2]]]])],
  },
  maskOperator: { arguments: [list(() => [2], whole(2, 2, 2)), list(() => [1, 0], whole(1, 0, 1))] },
  "maskOperator.apply": {
    call: (x: tf.Tensor) => m.maskOperator([2], [1, 0]).apply(x),
    arguments: [tensor([[1, 2.5]])],
  },
  poolingOperator: { arguments: [image, whole(2, 1, 4)] },
  projectionOperator: {
    arguments: [
      list(() => [2], whole(2, 2, 2)),
      list(() => [[1, 2]] as unknown as number[], thing(() => [1, 2])),
    ],
  },
  randomProjection: { arguments: [rng, list(() => [2], whole(2, 1, 1e6)), whole(2, 1, 1e6)] },
  channelBasis: { arguments: [list(() => [[1, 0], [0, 1]] as unknown as number[], thing(() => [1, 0]))] },
  "channelBasis.toBasis": {
    call: (x: tf.Tensor) => m.channelBasis([[1, 0], [0, 1]]).toBasis(x),
    arguments: [tensor([[1, 2.5]])],
  },
  greyBasis: none,
  greyMask: { arguments: [shape(2, 2, 3)] },
  maskByName: { arguments: [name("left"), image] },
  maskFromPicture: {
    arguments: [
      options({
        width: whole(2, 2, 2),
        height: whole(2, 2, 2),
        data: thing(() => new Uint8Array(16).fill(255).fill(0, 0, 3)),
      }),
      list(() => [2, 2, 1], whole(2, 2, 2)),
    ],
  },
  randomMask: { arguments: [image, between(0.5, 0, 1), rng] },
  logLikelihood: {
    arguments: [
      model,
      tensor([[0.5, -1], [1, 2]]),
      optional(options({ trace: optional(name("exact")), method: flowMethod, signal })),
    ],
  },
  "logLikelihood by probes": {
    call: (trace: m.Hutchinson) => {
      const x = tf.tensor2d([[0.5, -1]]);
      const method = { kind: "rk4", grid: { kind: "uniform", steps: 2 } } as const;
      return m.logLikelihood(m.scoreModel(mixture, m.vpSde()), x, { trace, method }).finally(() =>
        x.dispose()
      );
    },
    arguments: [options({
      rng,
      probes: optional(whole(2, 1, 1e4)),
      distribution: optional(name("gaussian")),
    })].map((argument) => ({ ...argument, allows: (v) => v === undefined })),
    infinite: "one probe, which is the default, has no standard error: NaN",
  },
  continuousElbo: {
    arguments: [
      model,
      tensor([[0.5, -1], [1, 2]]),
      options({ rng, draws: optional(whole(3, 1, 1e5)), times: optional(name("uniform")) }),
    ],
    infinite: "of one draw there is no variance: NaN",
  },
  encodeLatent: { arguments: [model, codes, flowMethod] },
  decodeLatent: { arguments: [model, codes, flowMethod] },
  interpolateLatents: { arguments: [tensor([[1, 2]]), tensor([[2, -1]]), list(() => [0.25, 0.5])] },
  discreteElbo: {
    arguments: [
      model,
      tensor([[0.5, -1], [1, 0]]),
      options({
        ...bound,
        variances: optional(name("forward")),
        levels: optional({
          make: () => 256,
          allows: (v) => v === null || (Number.isInteger(v) && (v as number) >= 2 && (v as number) < 2 ** 31),
        }),
      }),
    ],
  },
  learnVariances: { arguments: [model, tensor([[0.5, -1], [1, 0]]), options(bound)] },
};
