/**
 * Linear operators of observations: masks, pooling, blur, projections and the grey of a picture.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import type { LinearOperator } from "./observation.ts";
import { checkMask } from "./masks.ts";
import {
  requireArray,
  requireNumbers,
  requirePositive,
  requireShape,
  requireWhole,
} from "../input/require.ts";
import { requireRng } from "../input/require_parts.ts";
import { requireTensor } from "../compute/require_tensor.ts";
import { quoted, quotedShape } from "../input/quoted.ts";
import { sizeOf } from "../math/shape.ts";

/**
 * The entries of a sample where the mask is 1, in their order: [B, entries]. A Aᵀ = I. `apply` takes the values out
 * of a whole picture; `adjoint` puts them back, with 0 where the mask is 0.
 *
 * @param inputShape shape of one sample
 * @param mask one number an entry: 1 for observed, 0 for hidden
 * @throws {RangeError} When the mask has another size or holds anything else.
 */
export function maskOperator(inputShape: readonly number[], mask: ArrayLike<number>): LinearOperator {
  checkMask(mask, inputShape);
  const size = mask.length;
  const seen: number[] = [];
  /** The index of an entry's value among the observed ones; hidden entries take the 0 after the last. */
  const places = new Int32Array(size);
  for (let i = 0; i < size; i++) if (mask[i] === 1) places[i] = seen.push(i) - 1;
  const count = seen.length;
  for (let i = 0; i < size; i++) if (mask[i] === 0) places[i] = count;
  return operator(inputShape, [count], {
    apply: (x) =>
      count === 0
        ? tf.zeros([x.shape[0], 0])
        : tf.gather(tf.reshape(x, [x.shape[0], size]), tf.tensor1d(seen, "int32"), 1),
    adjoint: (y) => {
      const rows = y.shape[0];
      if (count === 0) return tf.zeros([rows, ...inputShape]);
      const padded = tf.concat([y, tf.zeros([rows, 1])], 1);
      return tf.reshape(tf.gather(padded, tf.tensor1d(places, "int32"), 1), [rows, ...inputShape]);
    },
  });
}

/**
 * The means of square blocks of pixels, for super-resolution. A Aᵀ = I/factor².
 *
 * @param inputShape [height, width, channels]
 * @param factor side of a block; must divide height and width
 * @throws {RangeError} When the factor does not divide the sides, or the shape is not a picture's.
 */
export function poolingOperator(inputShape: readonly number[], factor: number): LinearOperator {
  const [height, width, channels] = pictureShape(inputShape);
  if (!(Number.isInteger(factor) && factor >= 1) || height % factor !== 0 || width % factor !== 0) {
    throw new RangeError(
      `the factor must be a whole number that divides ${height} × ${width}, got ${quoted(factor)}`,
    );
  }
  return operator(inputShape, [height / factor, width / factor, channels], {
    apply: (x) => tf.avgPool(x as tf.Tensor4D, factor, factor, "valid"),
    adjoint: (y) => tf.image.resizeNearestNeighbor(y as tf.Tensor4D, [height, width]).div(factor ** 2),
  });
}

/**
 * Convolution of every channel with one kernel, with zeros beyond the border, for deblurring.
 *
 * @param inputShape [height, width, channels]
 * @param kernel rows of equal, odd length, an odd number of them
 * @throws {RangeError} When the kernel is of another form, or the shape is not a picture's.
 */
export function blurOperator(
  inputShape: readonly number[],
  kernel: readonly (readonly number[])[],
): LinearOperator {
  const [, , channels] = pictureShape(inputShape);
  requireArray("kernel", kernel);
  for (const row of kernel) requireNumbers("a kernel", row);
  const [rows, columns] = [kernel.length, kernel[0]?.length ?? 0];
  if (rows % 2 === 0 || columns % 2 === 0 || kernel.some((row) => row.length !== columns)) {
    throw new RangeError(`a kernel must have odd sides and rows of one length, got ${rows} × ${columns}`);
  }
  const convolved = (x: tf.Tensor, values: readonly number[]) => {
    const filter = tf.tensor4d(values.flatMap((value) => new Array<number>(channels).fill(value)), [
      rows,
      columns,
      channels,
      1,
    ]);
    return tf.depthwiseConv2d(x as tf.Tensor4D, filter, 1, "same");
  };
  return operator(inputShape, inputShape, {
    apply: (x) => convolved(x, kernel.flat()),
    adjoint: (y) => convolved(y, kernel.flat().reverse()),
  });
}

/**
 * A Gaussian kernel for {@linkcode blurOperator}, cut off at three standard deviations; its sum is 1.
 *
 * @param std in pixels
 * @throws {RangeError} When std is not positive, or above 1000.
 */
export function gaussianKernel(std: number): number[][] {
  requirePositive("std", std);
  if (std > 1e3) throw new RangeError(`std must be at most 1000, got ${std}`);
  const reach = Math.ceil(3 * std);
  const side = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-0.5 * ((i - reach) / std) ** 2));
  const total = side.reduce((sum, value) => sum + value);
  return side.map((a) => side.map((b) => a * b / total ** 2));
}

/**
 * A matrix applied to the entries of a sample, in their order.
 *
 * @param inputShape shape of one sample, d numbers
 * @param matrix [m, d]
 * @throws {RangeError} When its rows have another length or hold numbers that are not finite.
 */
export function projectionOperator(
  inputShape: readonly number[],
  matrix: readonly ArrayLike<number>[],
): LinearOperator {
  requireSampleShape(inputShape);
  requireArray("matrix", matrix);
  for (const row of matrix) requireNumbers("the matrix", row);
  const size = sizeOf(inputShape);
  const outputs = matrix.length;
  const values = new Float32Array(outputs * size);
  matrix.forEach((row, i) => {
    if (row.length !== size) {
      throw new RangeError(`the matrix must have rows of ${size} numbers, got ${row.length}`);
    }
    values.set(Array.from(row), i * size);
  });
  const wrong = values.find((value) => !Number.isFinite(value));
  if (wrong !== undefined || outputs === 0) {
    throw new RangeError(`the matrix must hold finite numbers, got ${wrong ?? "none"}`);
  }
  const product = (x: tf.Tensor, size: number, transposed: boolean) =>
    tf.matMul(
      x.reshape([x.shape[0], size]),
      tf.tensor2d(values, [outputs, sizeOf(inputShape)]),
      false,
      transposed,
    );
  return operator(inputShape, [outputs], {
    apply: (x) => product(x, size, true),
    adjoint: (y) => product(y, outputs, false).reshape([y.shape[0], ...inputShape]),
  });
}

/**
 * A projection on random directions, with independent entries of variance 1/d.
 *
 * @param inputShape shape of one sample, d numbers
 * @param count number of directions
 */
export function randomProjection(rng: Rng, inputShape: readonly number[], count: number): LinearOperator {
  requireRng("rng", rng);
  requireSampleShape(inputShape);
  requireWhole("count", count, 1);
  const size = sizeOf(inputShape);
  const values = rng.normalValues([count, size]);
  return projectionOperator(
    inputShape,
    Array.from(
      { length: count },
      (_, i) => values.slice(i * size, (i + 1) * size).map((z) => z / Math.sqrt(size)),
    ),
  );
}

/**
 * The grey of a picture: the channels' sum over √channels, so that A Aᵀ = I. [height, width, 1].
 *
 * @param inputShape [height, width, channels]
 * @throws {RangeError} When the shape is not a picture's.
 */
export function greyOperator(inputShape: readonly number[]): LinearOperator {
  const [height, width, channels] = pictureShape(inputShape);
  return operator(inputShape, [height, width, 1], {
    apply: (x) => x.sum(3, true).div(Math.sqrt(channels)),
    adjoint: (y) => y.div(Math.sqrt(channels)).tile([1, 1, 1, channels]),
  });
}

function pictureShape(shape: readonly number[]): readonly number[] {
  requireShape("a picture's shape", shape);
  if (shape.length !== 3) {
    throw new RangeError(`expected [height, width, channels], got ${quotedShape(shape)}`);
  }
  return shape;
}

/** The operator with checks of its arguments' shapes, in `tf.tidy`. */
function operator(
  inputShape: readonly number[],
  outputShape: readonly number[],
  { apply, adjoint }: Pick<LinearOperator, "apply" | "adjoint">,
): LinearOperator {
  const checked = (f: (x: tf.Tensor) => tf.Tensor, shape: readonly number[]) => (x: tf.Tensor) => {
    requireTensor("x", x, { empty: shape.includes(0) });
    if (String(x.shape.slice(1)) !== String(shape)) {
      throw new RangeError(`the operator takes [samples, ${shape}], got [${x.shape}]`);
    }
    return tf.tidy(() => f(x));
  };
  return {
    inputShape: [...inputShape],
    outputShape: [...outputShape],
    apply: checked(apply, inputShape),
    adjoint: checked(adjoint, outputShape),
  };
}

/** Throws unless the value is a shape of a sample, with one axis or more. */
function requireSampleShape(shape: readonly number[]): void {
  requireShape("a sample's shape", shape);
  if (shape.length === 0) throw new RangeError("a sample's shape must have an axis, got []");
}
