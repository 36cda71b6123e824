/** A multilayer perceptron for points. @module */
import * as tf from "../compute/tf.ts";
import { dense, smoothSilu } from "./layers.ts";
import { initialValues, type Network, requireSize } from "./network.ts";
import { checkFeatureCount, positionalFeatures } from "./noise_embedding.ts";
import { requireOptions } from "../input/require.ts";
import { checkName } from "../input/option_name.ts";

/** The config of a multilayer perceptron; plain JSON. */
export interface MlpConfig {
  /** The kind of network. */
  readonly kind: "mlp";
  /** Coordinates of a point. */
  readonly dimensions: number;
  /** Channels of the hidden layers. */
  readonly hidden: number;
  /** Hidden layers. */
  readonly layers: number;
  /** Positional features of ln ν. */
  readonly noiseFeatures: number;
  /** 0 for a network without labels. */
  readonly classes: number;
}

/**
 * The perceptron of a config: the point, the noise features and the class side by side, then dense layers with SiLU;
 * the last layer starts at zero. It can be differentiated twice, as implicit score matching does.
 *
 * @throws {RangeError} When a size is not a positive integer.
 */
export function mlp(config: MlpConfig): Network<MlpConfig> {
  requireOptions("config", config);
  checkName("kind", config.kind, ["mlp"]);
  const { dimensions, hidden, layers, classes } = config;
  requireSize("dimensions", dimensions, 1);
  requireSize("hidden", hidden, 1);
  requireSize("layers", layers, 1);
  requireSize("classes", classes, 0);
  checkFeatureCount(config.noiseFeatures);
  const inputs = dimensions + config.noiseFeatures + (classes > 0 ? classes + 1 : 0);
  const body = Array.from(
    { length: layers },
    (_, k) => dense(`layers.${k}`, { from: k === 0 ? inputs : hidden, to: hidden }),
  );
  const head = dense("head", { from: hidden, to: dimensions, zero: true });
  const parameters = [...body, head].flatMap((layer) => layer.parameters);
  return {
    config,
    sampleShape: [dimensions],
    classes,
    parameters,
    noiseFeatureCount: config.noiseFeatures,
    initialise: (rng) => initialValues(parameters, rng),
    noiseFeatures: (logNoiseRatio) => positionalFeatures(logNoiseRatio, config.noiseFeatures),
    forward(p, x, noiseFeatures, labels) {
      if (classes > 0 && labels === null) {
        throw new TypeError("this network has classes: pass one-hot rows, not null");
      }
      let h: tf.Tensor = tf.concat([x, noiseFeatures, ...(classes > 0 ? [labels!] : [])], 1);
      for (const layer of body) h = smoothSilu(layer.apply(p, h));
      return head.apply(p, h);
    },
  };
}
