/**
 * Orthogonal changes of basis. White noise is white in every orthonormal basis, so known coefficients can be imputed
 * in it.
 * @module
 */
import * as tf from "../compute/tf.ts";
import { requireArray, requireNumbers, requireShape } from "../input/require.ts";
import { requireTensor } from "../compute/require_tensor.ts";

/** An orthogonal map of samples [B, …], of the same shape, with its inverse. */
export interface OrthogonalBasis {
  /** The coefficients of x; the caller owns them. */
  toBasis(x: tf.Tensor): tf.Tensor;
  /** The sample with the given coefficients; the caller owns it. */
  fromBasis(coefficients: tf.Tensor): tf.Tensor;
}

/**
 * A basis for the channels, the last axis, of every pixel.
 *
 * @param vectors the basis vectors, [channels][channels], orthonormal to 1e-6
 * @throws {RangeError} When the vectors are not orthonormal.
 */
export function channelBasis(vectors: readonly (readonly number[])[]): OrthogonalBasis {
  requireArray("vectors", vectors);
  if (vectors.length === 0) throw new RangeError("a basis needs at least one vector, got none");
  for (const vector of vectors) requireNumbers("a basis vector", vector);
  const channels = vectors.length;
  vectors.forEach((a, i) =>
    vectors.forEach((b, j) => {
      const product = a.reduce((sum, value, k) => sum + value * b[k], 0);
      if (a.length !== channels || !(Math.abs(product - (i === j ? 1 : 0)) <= 1e-6)) {
        throw new RangeError(
          `basis vectors must be orthonormal, but the product of ${i} and ${j} is ${product}`,
        );
      }
    })
  );
  const turned = (x: tf.Tensor, transposed: boolean) =>
    tf.tidy(() => {
      requireTensor("x", x);
      if (x.shape[x.rank - 1] !== channels) {
        throw new RangeError(`the basis is of ${channels} channels, got the shape [${x.shape}]`);
      }
      const rows: tf.Tensor2D = tf.reshape(x, [-1, channels]);
      return tf.reshape(
        tf.matMul(rows, tf.tensor2d(vectors.map((row) => [...row])), false, transposed),
        x.shape,
      );
    });
  return { toBasis: (x) => turned(x, true), fromBasis: (c) => turned(c, false) };
}

/**
 * The change of basis for colorization: grey, (r + g + b)/√3, and two coordinates of colour, in the place of red,
 * green and blue (Song et al. 2021, Appendix I.2).
 */
export function greyBasis(): OrthogonalBasis {
  const [three, two, six] = [Math.sqrt(3), Math.sqrt(2), Math.sqrt(6)];
  return channelBasis([
    [1 / three, 1 / three, 1 / three],
    [1 / two, -1 / two, 0],
    [1 / six, 1 / six, -2 / six],
  ]);
}

/** The mask for {@linkcode greyBasis} that knows the grey of every pixel; inputShape [height, width, 3]. */
export function greyMask(inputShape: readonly number[]): Float32Array {
  requireShape("a picture's shape", inputShape);
  if (inputShape.length !== 3 || inputShape[2] !== 3) {
    throw new RangeError(`a grey mask is for shapes [height, width, 3], got [${inputShape}]`);
  }
  const [height, width, channels] = inputShape;
  return Float32Array.from({ length: height * width * channels }, (_, i) => i % channels === 0 ? 1 : 0);
}
