/** Rows of functions of tensors: exact distributions, objectives, compilation. @module */
import * as m from "./exported.ts";
import * as tf from "../../../src/compute/tf.ts";
import { smallRuntime } from "../small_onnx_runtime.ts";
import {
  between,
  callable,
  list,
  name,
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
import { distribution, gaussian, mixture, range, rng, sde, time } from "./parts.ts";

const score = callable(() => (x: tf.Tensor) => tf.neg(x));
const points = tensor([[0.5, -1.5], [1, 2], [-2, 0.25]]);
const levels = () => ({ noiseRatio: new Float64Array([0.5, 1, 2]), weight: new Float64Array([1, 1, 1]) });
const cloud = new m.PointCloud([0, 1, 2, 3], 2, 0.1);
const banana = new m.Banana();

/** The methods of an exact distribution. */
const methodsOf = (prefix: string, distribution: m.ExactDistribution): Rows =>
  Object.fromEntries(
    (["predictNoise", "logDensity", "posteriorMean"] as const).map((method) => [
      `${prefix}.${method}`,
      {
        call: (y: tf.Tensor, ratio: number) => distribution[method](y, ratio),
        arguments: [points, between(0.5, 0)],
      },
    ]),
  );

export const tensorRows: Rows = {
  ...methodsOf("Gaussian", gaussian),
  ...methodsOf("GaussianMixture", mixture),
  ...methodsOf("PointCloud", cloud),
  ...methodsOf("Banana", banana),
  diffusedLogDensity: { arguments: [distribution, sde, points, time] },
  denoisingLossOf: {
    arguments: [
      distribution,
      points,
      points,
      options({
        noiseRatio: list(() => levels().noiseRatio, between(1, 0)),
        weight: list(() => levels().weight),
      }),
    ],
  },
  implicitScoreMatching: { arguments: [score, points] },
  denoisingScoreMatching: { arguments: [score, points, points, positive(0.5)] },
  explicitScoreMatching: { arguments: [score, points, points] },
  sliceDirections: { arguments: [rng, shape(2, 3), optional(name("normal"))] },
  slicedScoreMatching: {
    arguments: [score, points, points, optional(options({ reducedVariance: optional(truth(false)) }))],
  },
  dequantize: { arguments: [list(() => [0, 255], between(3, 0, 255)), shape(1, 2), rng, optional(range)] },
  truncatedNormalDequantize: {
    arguments: [list(() => [0, 255], between(3, 0, 255)), shape(1, 2), rng, sde, optional(range)],
  },
  checkPrediction: {
    arguments: [distribution, sde, options({ shape: shape(64, 2), rng })],
  },
  "checkPrediction by data": {
    call: (...[predictor, sde, options]: Parameters<typeof m.checkPrediction>) =>
      m.checkPrediction(predictor, sde, options),
    arguments: [
      distribution,
      sde,
      options({ data: tensor([[0.5, -1.5], [1, 2], [-2, 0.25], [1, -1]]), rng }),
    ],
  },
  externalModel: {
    arguments: [
      callable(() => (x: tf.Tensor) => x),
      options({
        sde,
        prediction: name("noise"),
        conditioning: name("time"),
        steps: optional(whole(10, 1)),
        sigmaData: optional(positive(0.5)),
        layout: optional(name("nhwc")),
        pullBack: optional(callable(() => () => tf.zeros([1]))),
      }),
    ],
  },
  "externalModel.pullBack": {
    call: (y: tf.Tensor, ratio: number, dy: tf.Tensor) =>
      m.externalModel((x) => x, {
        sde: m.vpSde(),
        prediction: "noise",
        conditioning: "time",
        pullBack: (_x, _time, dy) => dy,
      }).pullBack!(y, ratio, dy),
    arguments: [points, positive(0.5), points],
  },
  "externalModel.predictNoise": {
    call: (y: tf.Tensor, ratio: number) =>
      m.externalModel((x) => x, { sde: m.vpSde(), prediction: "noise", conditioning: "time" })
        .predictNoise(y, ratio),
    arguments: [points, positive(0.5)],
  },
  onnxModel: {
    // Without a runtime it loads onnxruntime-node, which may not be there.
    call: (bytes: Uint8Array, options: Parameters<typeof m.onnxModel>[1]) =>
      m.onnxModel(
        bytes,
        typeof options === "object" && options !== null && options.runtime === undefined
          ? { ...options, runtime: echoRuntime() }
          : options,
      ),
    arguments: [
      thing(() => new Uint8Array([1])),
      options({
        runtime: optional(thing(echoRuntime)),
        sde,
        prediction: name("noise"),
        conditioning: name("time"),
        steps: optional(whole(10, 1, 1e7)),
        sigmaData: optional(positive(0.5)),
        layout: optional(name("nhwc")),
        sessionOptions: optional({
          make: () => undefined,
          allows: (v) => v === undefined || (typeof v === "object" && v !== null && !Array.isArray(v)),
        }),
        inputs: optional(options({ x: optional(name("x")), condition: optional(name("t")) })),
        output: optional(name("out")),
      }),
    ],
  },
  ddimQuadraticIndices: { arguments: [whole(10, 2, 1e7), whole(3, 2, 10)] },
  readSchedulerConfig: { arguments: [thing(() => '{"_class_name": "DDIMScheduler"}')] },
  // Whatever is no promise is the result itself.
  awaited: {
    call: (x: number) => typeof m.tidied(m.awaited(x)),
    arguments: [{ make: () => 3, allows: () => true }],
  },
  tidied: { arguments: [thing(() => m.awaited(tf.scalar(1)))] },
  compile: {
    arguments: [
      callable(() => (x: tf.Tensor) => [x.add(1)]),
      list(
        () => [{ shape: [2], dtype: "float32" }] as unknown as number[],
        thing(() => ({ shape: [2], dtype: "float32" })),
        true,
      ),
      optional(
        options({
          profile: optional({
            make: () => undefined,
            allows: (v) => v === undefined || typeof v === "string",
          }),
        }),
      ),
    ],
  },
};

/** An ONNX runtime whose model gives back its states. */
function echoRuntime() {
  return smallRuntime({ inputNames: ["x", "t"], run: ({ x }) => ({ out: x }) }).runtime;
}
