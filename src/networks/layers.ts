/**
 * The layers of networks. A layer states the names and shapes of its parameters and is a pure function of them;
 * images are [B, H, W, C].
 * @module
 */
import { groupNorm } from "../compute/group_norm.ts";
import * as tf from "../compute/tf.ts";
import type { Parameters, ParameterSpec } from "./network.ts";

/** A named, parametrized function of tensors. */
export interface Layer<Inputs extends readonly unknown[] = [x: tf.Tensor]> {
  /** Its parameters. */
  readonly parameters: readonly ParameterSpec[];
  /** The output for given parameters and inputs. */
  apply(p: Parameters, ...inputs: Inputs): tf.Tensor;
}

/** Per-sample affine modulation of normalized channels (Perez et al. 2018), both [B, C]. */
interface FilmParameters {
  /** Added to 1 and multiplied with the normalized channels. */
  readonly scale: tf.Tensor2D;
  /** Added after that. */
  readonly shift: tf.Tensor2D;
}

/** x·sigmoid(x). */
export function silu(x: tf.Tensor): tf.Tensor {
  return tf.mul(x, tf.sigmoid(x));
}

/**
 * x·sigmoid(x) with derivatives of every order, at the price of a second sigmoid in the gradient. TensorFlow.js'
 * sigmoid keeps its output for its gradient, and a derivative of that gradient silently omits the dependence through
 * that output.
 */
export function smoothSilu(x: tf.Tensor): tf.Tensor {
  return tf.mul(x, smoothSigmoid(x));
}

function smoothSigmoid(x: tf.Tensor): tf.Tensor {
  return tf.customGrad((x, save) => {
    save([x]);
    return {
      value: tf.sigmoid(x),
      gradFunc: (dy, [x]) => {
        const y = smoothSigmoid(x);
        return tf.mul(dy, tf.mul(y, tf.sub(1, y)));
      },
    };
  })(x);
}

/** x W + b: [B, from] → [B, to]; weight [from, to], bias [to]. */
export function dense(
  name: string,
  { from, to, bias = true, zero = false }: { from: number; to: number; bias?: boolean; zero?: boolean },
): Layer<[x: tf.Tensor]> {
  const weight = { name: `${name}.weight`, shape: [from, to], mean: 0, std: zero ? 0 : 1 / Math.sqrt(from) };
  const offset = { name: `${name}.bias`, shape: [to], mean: 0, std: 0 };
  return {
    parameters: bias ? [weight, offset] : [weight],
    apply(p, x) {
      const product = tf.matMul(x, p[weight.name]);
      return bias ? tf.add(product, p[offset.name]) : product;
    },
  };
}

/** Sizes and options of a convolution. */
interface ConvolutionOptions {
  /** Channels of the input. */
  readonly from: number;
  /** Channels of the output. */
  readonly to: number;
  /** Height and width of the filter; default 3. */
  readonly size?: number;
  /** Default 1. */
  readonly stride?: 1 | 2;
  /** "same" pads as TensorFlow does: at stride 2 with even sizes one row below and one column to the right. */
  readonly padding?: "same" | "valid";
  /** Default false: a normalization follows almost every convolution. */
  readonly bias?: boolean;
  /** Weights start at zero, so that a residual branch starts as 0. */
  readonly zero?: boolean;
}

/** Cross-correlation; weight [size, size, from, to], bias [to]. */
export function convolution(name: string, options: ConvolutionOptions): Layer {
  const { from, to, size = 3, stride = 1, padding = "same", bias = false, zero = false } = options;
  const std = zero ? 0 : 1 / Math.sqrt(size * size * from);
  const weight = { name: `${name}.weight`, shape: [size, size, from, to], mean: 0, std };
  const offset = { name: `${name}.bias`, shape: [to], mean: 0, std: 0 };
  return {
    parameters: bias ? [weight, offset] : [weight],
    apply(p, x) {
      const y = tf.conv2d(x as tf.Tensor4D, p[weight.name] as tf.Tensor4D, stride, padding);
      return bias ? tf.add(y, p[offset.name]) : y;
    },
  };
}

/**
 * Group normalization (Wu & He 2018), then FiLM, then the activation, all in one pass; weight [C], bias [C]:
 * activation((1 + scale)·(γ x̂ + β) + shift).
 */
export function normalization(
  name: string,
  channels: number,
  groups: number,
  activation: "silu" | "none" = "silu",
): Layer<[x: tf.Tensor, film?: FilmParameters]> {
  const weight = { name: `${name}.weight`, shape: [channels], mean: 1, std: 0 };
  const bias = { name: `${name}.bias`, shape: [channels], mean: 0, std: 0 };
  return {
    parameters: [weight, bias],
    apply(p, x, film) {
      let gain: tf.Tensor2D = tf.reshape(p[weight.name], [1, channels]);
      let offset: tf.Tensor2D = tf.reshape(p[bias.name], [1, channels]);
      if (film !== undefined) {
        const factor = tf.add(film.scale, 1);
        offset = tf.add(tf.mul(factor, offset), film.shift);
        gain = tf.mul(factor, gain);
      }
      return groupNorm(x as tf.Tensor4D, gain, offset, groups, activation);
    },
  };
}

/**
 * Residual block: x + conv2(silu(FiLM(norm2(conv1(silu(norm1(x))))))), with a 1×1 convolution on x where the number of
 * channels changes. conv2 and the FiLM start at zero.
 */
export function residualBlock(
  name: string,
  { from, to, embedding, groups }: { from: number; to: number; embedding: number; groups: number },
): Layer<[x: tf.Tensor, embedding: tf.Tensor]> {
  const norm1 = normalization(`${name}.norm1`, from, Math.min(groups, from));
  const conv1 = convolution(`${name}.conv1`, { from, to });
  const film = dense(`${name}.film`, { from: embedding, to: 2 * to, zero: true });
  const norm2 = normalization(`${name}.norm2`, to, Math.min(groups, to));
  const conv2 = convolution(`${name}.conv2`, { from: to, to, zero: true });
  const skip = from === to ? null : convolution(`${name}.skip`, { from, to, size: 1 });
  return {
    parameters: [norm1, conv1, film, norm2, conv2, ...(skip ? [skip] : [])].flatMap((l) => l.parameters),
    apply(p, x, embedding) {
      const [scale, shift] = tf.split(film.apply(p, embedding), 2, 1) as tf.Tensor2D[];
      const h = norm2.apply(p, conv1.apply(p, norm1.apply(p, x)), { scale, shift });
      return tf.add(skip === null ? x : skip.apply(p, x), conv2.apply(p, h));
    },
  };
}

/** Residual single-head self-attention over the positions of an image; its last layer starts at zero. */
export function selfAttention(name: string, channels: number, groups: number): Layer {
  const norm = normalization(`${name}.norm`, channels, Math.min(groups, channels), "none");
  const qkv = convolution(`${name}.qkv`, { from: channels, to: 3 * channels, size: 1 });
  const project = convolution(`${name}.project`, { from: channels, to: channels, size: 1, zero: true });
  return {
    parameters: [norm, qkv, project].flatMap((layer) => layer.parameters),
    apply(p, x) {
      const [batch, height, width] = x.shape;
      const rows = tf.reshape(qkv.apply(p, norm.apply(p, x)), [batch, height * width, 3 * channels]);
      const [query, key, value] = tf.split(rows, 3, 2);
      const weights = tf.softmax(tf.matMul(tf.mul(query, 1 / Math.sqrt(channels)), key, false, true));
      const mixed = tf.reshape(tf.matMul(weights, value), [batch, height, width, channels]);
      return tf.add(x, project.apply(p, mixed));
    },
  };
}

/**
 * Folds blocks of factor × factor pixels into channels: [B, H, W, C] → [B, H/f, W/f, f·f·C]; (row, column, channel).
 */
export function pixelUnshuffle(x: tf.Tensor, factor: number): tf.Tensor {
  if (factor === 1) return x;
  const [batch, height, width, channels] = x.shape;
  const [h, w] = [height / factor, width / factor];
  const blocks = tf.transpose(tf.reshape(x, [batch, h, factor, w, factor, channels]), [0, 1, 3, 2, 4, 5]);
  return tf.reshape(blocks, [batch, h, w, factor * factor * channels]);
}

/** The inverse of {@linkcode pixelUnshuffle}. */
export function pixelShuffle(x: tf.Tensor, factor: number): tf.Tensor {
  if (factor === 1) return x;
  const [batch, h, w, depth] = x.shape;
  const channels = depth / (factor * factor);
  const blocks = tf.transpose(tf.reshape(x, [batch, h, w, factor, factor, channels]), [0, 1, 3, 2, 4, 5]);
  return tf.reshape(blocks, [batch, h * factor, w * factor, channels]);
}

/** Doubles height and width by repeating each pixel. */
export function upsample(x: tf.Tensor): tf.Tensor {
  const [, height, width] = x.shape;
  return tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [2 * height, 2 * width]);
}
