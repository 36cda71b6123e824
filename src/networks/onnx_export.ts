/**
 * A trained noise predictor as an ONNX file, for other languages and runtimes.
 * @module
 */
import * as tf from "../compute/tf.ts";
import { traceFreeBatch } from "../compute/trace/free_batch.ts";
import { writeOnnx } from "../compute/onnx/writer.ts";
import { checkPreconditioning } from "../diffusion/preconditioning.ts";
import { type NetworkConfig, networkFromConfig } from "./registry.ts";
import { type Model, requireModelFile } from "./model_file.ts";
import { namedParameters, type Network } from "./network.ts";
import { positionalFrequencies } from "./noise_embedding.ts";
import { type PredictionInputs, predictNoise } from "./noise_prediction.ts";
import { inputScale, randomFrequencies } from "./tutorial.ts";

/** Names of the inputs in their order; `classes` is absent for a network without labels. */
const ONNX_INPUTS = ["y", "noise_ratio", "classes"] as const;

/** Names of the outputs in their order. */
const ONNX_OUTPUTS = ["noise", "denoised"] as const;

/**
 * The bytes of an .onnx file (standard operations of opset 18, float32) that computes the noise predictor for any
 * number of rows (the dimension `batch`). Call `useEngine` first; "cpu" suffices, as nothing is computed.
 *
 * Inputs: `y` [batch, …sampleShape] = x_0 + ν ε, in model units (images in [−1, 1]); `noise_ratio` [batch] = ν =
 * σ(t)/α(t) > 0; `classes` [batch, classes + 1], one-hot, the last column for "no label". Outputs, of y's shape:
 * `noise`, the predicted ε̂ = (y − E[x_0 | y])/ν, so that the score of x_t = α y is −noise/σ; `denoised`, E[x_0 | y]
 * = y − ν noise.
 */
export function exportOnnx(model: Model): Uint8Array {
  requireModelFile(model);
  const { config, weights } = model;
  if (config.preconditioning !== null) checkPreconditioning(config.preconditioning);
  const network = networkFromConfig(config.network);
  const { sampleShape, classes } = network;
  return tf.tidy(() => {
    const tensors = network.parameters.map(({ name, shape }) => tf.tensor(weights.get(name)!, [...shape]));
    const parameters = namedParameters(network.parameters, tensors);
    const noisePredictor = (y: tf.Tensor, ratio: tf.Tensor, labels?: tf.Tensor): tf.Tensor[] => {
      const columns = sampleShape.map(() => 1);
      const ratios = tf.reshape(ratio, [ratio.size, ...columns]);
      const noiseFeatures = noiseFeaturesOf(config.network, ratio as tf.Tensor1D);
      const coefficients = config.preconditioning === null
        ? { input: tf.onesLike(ratios), skip: tf.zerosLike(ratios), output: tf.onesLike(ratios) }
        : edm(ratios, config.preconditioning.sigmaData);
      const inputs = { ...coefficients, noiseFeatures, ...labels && { classes: labels as tf.Tensor2D } };
      const noise = predictNoise(network, config.preconditioning, parameters, y, inputs);
      return [noise, tf.sub(y, tf.mul(ratios, noise))];
    };
    const shapes = (rows: number) => [
      [rows, ...sampleShape],
      [rows],
      ...(classes > 0 ? [[rows, classes + 1]] : []),
    ];
    const traced = traceFreeBatch(
      (y, ratio, labels) => noisePredictor(y, ratio, labels),
      (rows) => shapes(rows).map((shape) => ({ shape, dtype: "float32" })),
      { standard: true, inputNames: ONNX_INPUTS, outputNames: ONNX_OUTPUTS },
    );
    return writeOnnx({ ...traced, documentation: documentation(network) });
  });
}

/** The factors that `predictionCoefficients` computes on the host. */
function edm(ratios: tf.Tensor, sigmaData: number): Pick<PredictionInputs, "input" | "skip" | "output"> {
  const input = tf.rsqrt(tf.add(tf.square(ratios), sigmaData ** 2));
  return { input, skip: tf.mul(ratios, tf.square(input)), output: tf.mul(input, -sigmaData) };
}

/**
 * The features that `Network.noiseFeatures` computes on the host: cosines and sines of ln ν, or of the tutorial's time.
 */
function noiseFeaturesOf(config: NetworkConfig, ratio: tf.Tensor1D): tf.Tensor2D {
  const angles = (values: tf.Tensor, frequencies: Float64Array) =>
    tf.mul(
      tf.reshape(values, [ratio.size, 1]),
      tf.tensor(Float32Array.from(frequencies), [1, frequencies.length]),
    );
  if (config.kind === "unet" && config.noiseConditional === false) {
    return tf.mul(tf.reshape(ratio, [ratio.size, 1]), tf.zeros([1, config.noiseFeatures]));
  }
  const growth = config.kind === "tutorial" ? 2 * Math.log(config.sigma) : 0;
  const phase = config.kind === "tutorial"
    ? angles(
      tf.div(tf.log1p(tf.mul(tf.square(ratio), growth * inputScale(config) ** 2)), growth),
      randomFrequencies(config),
    )
    : angles(tf.log(ratio), positionalFrequencies(config.noiseFeatures));
  return tf.concat([tf.cos(phase), tf.sin(phase)], 1) as tf.Tensor2D;
}

function documentation({ sampleShape, classes }: Network): string {
  const labels = classes === 0
    ? ""
    : ` classes [batch, ${classes + 1}]: one-hot, the last column for "no label".`;
  return `NoisePredictor of y = x0 + noise_ratio * N(0, I). y [batch, ${
    sampleShape.join(", ")
  }]: in model units, images in ` +
    `[-1, 1]. noise_ratio [batch]: sigma(t)/alpha(t) > 0.${labels} noise: (y - E[x0|y]) / noise_ratio; the score of ` +
    "x = alpha * y is -noise / sigma. denoised: E[x0|y].";
}
