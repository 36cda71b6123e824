/**
 * A trained network as a noise predictor, with or without labels and guidance, compiled for chosen batch sizes.
 * @module
 */
import { DifferentiableFunction } from "../compute/compile_record.ts";
import * as tf from "../compute/tf.ts";
import type { NoisePredictor } from "../diffusion/noise_predictor.ts";
import { checkPreconditioning } from "../diffusion/preconditioning.ts";
import { networkFromConfig } from "./registry.ts";
import { checkedGuidance, type Guidance, guidanceWeight } from "./guidance_interval.ts";
import { namedParameters, type Network, type Parameters, requireWeights, type Weights } from "./network.ts";
import {
  type ModelConfig,
  type PredictionInputs,
  predictionInputs,
  predictionShapes,
  predictNoise,
} from "./noise_prediction.ts";
import { quoted } from "../input/quoted.ts";
import { isList, requireOptions } from "../input/require.ts";
import { checkLabels } from "../compute/labels.ts";
import { requireTensor } from "../compute/require_tensor.ts";
import { requireRatios } from "../compute/rows.ts";

/** The label of a sample, or null for none; one for the batch or one per row, as in an array or a typed array. */
export type Labels = number | null | ArrayLike<number | null>;

/** Options of {@linkcode NetworkPredictor.prepare}. */
export interface PrepareOptions {
  /** Also the derivative with respect to the noisy input, for likelihoods and guidance; default false. */
  readonly gradients?: boolean;
}

/** A network's noise predictor. */
export interface NetworkPredictor extends NoisePredictor {
  /** Network and preconditioning. */
  readonly config: ModelConfig;
  /** The network of the config. */
  readonly network: Network;
  /** The parameter tensors, owned by the noise predictor. */
  readonly parameters: Parameters;
  /**
   * Compiles `predictNoise` for batches of `rows`; other sizes run uncompiled. It saves time from a few evaluations
   * on. Predictors with labels share the compiled functions, but guidance evaluates twice the rows (in an interval of
   * noise levels both sizes) and needs a `prepare` of its own. With `gradients`, derivatives with respect to y are
   * compiled too.
   */
  prepare(rows: number, options?: PrepareOptions): Promise<void>;
  /**
   * The same network conditional on one class, or one per row, with {@linkcode Guidance} or, for a number, with that
   * scale at all noise levels. Both passes of a guided evaluation run in one batch. Rows without label are not
   * guided.
   *
   * @throws {RangeError} When the network has no such label, the scale is not finite or the interval is invalid.
   */
  withLabels(labels: Labels, guidance?: number | Guidance): NetworkPredictor;
  /** Network evaluations of `predictNoise` at these noise ratios: two where any row is guided, else one. */
  calls(noiseRatio: number | Float64Array): 1 | 2;
  /** Disposes the weights and the compiled functions, for all noise predictors that share them. */
  dispose(): void;
}

/**
 * The noise predictor of a network.
 *
 * @example The noise that an untrained network predicts for the label 7, with guidance
 * ```ts
 * import { createRng } from "../compute/rng.ts";
 * import { useEngine } from "../compute/engine.ts";
 * import { DIGITS, networkFromConfig } from "./registry.ts";
 * import { networkPredictor } from "./network_predictor.ts";
 * await useEngine("wasm");
 * const rng = createRng(1);
 * const config = { network: DIGITS, preconditioning: { sigmaData: 0.616, centre: -0.7386 } };
 * const noisePredictor = networkPredictor(config, networkFromConfig(DIGITS).initialise(rng));
 * const noise = noisePredictor.withLabels(7, 1.5).predictNoise(rng.normal([2, 28, 28, 1]), 0.8);
 * console.assert(String(noise.shape) === "2,28,28,1");
 * ```
 *
 * @param weights Values by parameter name.
 * @throws {RangeError} When weights are missing or have the wrong size.
 */
export function networkPredictor(config: ModelConfig, weights: Weights): NetworkPredictor {
  requireOptions("config", config);
  if (config.preconditioning !== null) checkPreconditioning(config.preconditioning);
  const network = networkFromConfig(config.network);
  requireWeights("weights", weights, network.parameters);
  const tensors = network.parameters.map(({ name, shape }) => tf.tensor(weights.get(name)!, [...shape]));
  const evaluator = new Evaluator(config, network, namedParameters(network.parameters, tensors));
  return predictorWith(evaluator, null, checkedGuidance(1));
}

function predictorWith(evaluator: Evaluator, labels: Labels, guidance: Required<Guidance>): NetworkPredictor {
  const { config, network, parameters } = evaluator;
  const none = network.classes;
  /** The weight of the class in each row. */
  const weightsAt = (ratios: Float64Array) =>
    ratios.map((ratio) => labels === null ? 1 : guidanceWeight(guidance, ratio));
  const isGuided = (weights: Float64Array) => weights.some((weight) => weight !== 1);
  return {
    config,
    ...config.consistency && { consistency: config.consistency },
    network,
    parameters,
    calls: (noiseRatio) => {
      const ratios = typeof noiseRatio === "number" ? Float64Array.of(noiseRatio) : noiseRatio;
      return isGuided(weightsAt(ratios)) ? 2 : 1;
    },
    async prepare(rows, { gradients = false } = {}) {
      const guided = labels !== null && guidance.scale !== 1;
      const everywhere = guidance.from === 0 && guidance.to === Infinity;
      if (!guided || !everywhere) await evaluator.prepare(rows, gradients);
      if (guided) await evaluator.prepare(2 * rows, gradients);
    },
    predictNoise: (y, noiseRatio) =>
      tf.tidy(() => {
        evaluator.check(y);
        requireRatios(noiseRatio);
        const rows = y.shape[0];
        const rowLabels = spread(labels, rows, none);
        const ratios = typeof noiseRatio === "number" ? new Float64Array(rows).fill(noiseRatio) : noiseRatio;
        const weights = weightsAt(ratios);
        if (!isGuided(weights)) return evaluator.noise(y, ratios, rowLabels);
        const both = evaluator.noise(
          tf.concat([y, y], 0),
          Float64Array.from([...ratios, ...ratios]),
          [...rowLabels, ...rowLabels.map(() => none)],
        );
        const [conditional, unconditional] = tf.split(both, 2, 0);
        const weight = tf.tensor(Float32Array.from(weights), [rows, ...network.sampleShape.map(() => 1)]);
        return tf.add(unconditional, tf.mul(tf.sub(conditional, unconditional), weight));
      }),
    withLabels(newLabels, newGuidance = 1) {
      // A copy, so that later changes of the caller's array have no effect here.
      const copied = isList(newLabels) ? Array.from(newLabels as ArrayLike<number | null>) : newLabels;
      const known = (Array.isArray(copied) ? copied : [copied]).filter((label) => label !== null);
      if (network.classes === 0 && known.length > 0) {
        throw new RangeError(`this network has no labels, got ${quoted(known[0])}`);
      }
      checkLabels(known, network.classes);
      return predictorWith(evaluator, copied, checkedGuidance(newGuidance));
    },
    dispose: () => evaluator.dispose(),
  };
}

/** A noisy input with the coefficients and features of its noise ratio. */
interface Inputs extends PredictionInputs {
  readonly y: tf.Tensor;
}

/** The network with its weights, and its compiled forms by batch size. */
class Evaluator {
  #disposed = false;
  readonly #compiled = new Map<number, DifferentiableFunction<Inputs>>();

  constructor(readonly config: ModelConfig, readonly network: Network, readonly parameters: Parameters) {}

  async prepare(rows: number, gradients: boolean): Promise<void> {
    if (this.#disposed) throw new Error("the network's noise predictor was disposed: load it again");
    let compiled = this.#compiled.get(rows);
    if (compiled === undefined) {
      const y = [rows, ...this.network.sampleShape];
      const shapes = { y, ...predictionShapes(this.network, rows) };
      compiled = new DifferentiableFunction<Inputs>((inputs) => this.#predict(inputs), shapes, y);
      this.#compiled.set(rows, compiled);
    }
    await compiled.prepare(gradients);
  }

  /** Throws for samples of another shape than the network's, and after dispose. */
  check(y: tf.Tensor): void {
    if (this.#disposed) throw new Error("the network's noise predictor was disposed: load it again");
    requireTensor("y", y);
    const { sampleShape } = this.network;
    if (String(y.shape.slice(1)) !== String(sampleShape)) {
      throw new RangeError(
        `the network takes samples of shape [B, ${sampleShape.join(", ")}], got [${y.shape.join(", ")}]`,
      );
    }
  }

  noise(y: tf.Tensor, noiseRatio: Float64Array, labels: readonly number[]): tf.Tensor {
    const inputs = { y, ...predictionInputs(this.network, this.config.preconditioning, noiseRatio, labels) };
    return this.#compiled.get(noiseRatio.length)?.run(inputs) ?? this.#predict(inputs);
  }

  #predict({ y, ...inputs }: Inputs): tf.Tensor {
    return predictNoise(this.network, this.config.preconditioning, this.parameters, y, inputs);
  }

  dispose(): void {
    this.#disposed = true;
    for (const compiled of this.#compiled.values()) compiled.dispose();
    this.#compiled.clear();
    tf.dispose(this.parameters);
  }
}

/** One label per row, with the network's "no label" for null. */
function spread(labels: Labels, rows: number, none: number): number[] {
  if (labels === null || typeof labels === "number") return new Array(rows).fill(labels ?? none);
  if (labels.length !== rows) {
    throw new RangeError(`expected one label per row, got ${labels.length} labels for ${rows} rows`);
  }
  return Array.from(labels, (label) => label ?? none);
}
