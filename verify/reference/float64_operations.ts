/**
 * The operations that networks are made of, written down once more in float64 straight from their definitions, to
 * judge the engines by.
 * @module
 */

/** A tensor in float64, in C-order. */
export interface Array64 {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** Elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Fills a shape by a function of the indices. */
export function tabulate(shape: readonly number[], value: (...index: number[]) => number): Array64 {
  const index = shape.map(() => 0);
  const values = Float64Array.from({ length: sizeOf(shape) }, () => {
    const result = value(...index);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
    return result;
  });
  return { shape, values };
}

/** Reads an element; a size of 1 is broadcast. */
export function at({ shape, values }: Array64, ...index: number[]): number {
  return values[shape.reduce((offset, size, axis) => offset * size + (size === 1 ? 0 : index[axis]), 0)];
}

/** f of one array's elements. */
export function map(x: Array64, f: (value: number) => number): Array64 {
  return { shape: x.shape, values: x.values.map(f) };
}

/** f of two arrays' elements; the second is broadcast to the first's shape. */
export function zip(x: Array64, y: Array64, f: (a: number, b: number) => number): Array64 {
  return tabulate(x.shape, (...index) => f(at(x, ...index), at(y, ...index)));
}

/** Output size and zeros before the first input, as TensorFlow counts them. */
function axis(input: number, filter: number, stride: number, padding: "same" | "valid"): [number, number] {
  if (padding === "valid") return [Math.floor((input - filter) / stride) + 1, 0];
  const output = Math.ceil(input / stride);
  return [output, Math.floor(Math.max((output - 1) * stride + filter - input, 0) / 2)];
}

/** Calls `visit` with the offsets of every product x·filter that contributes to an output element. */
function visitTaps(
  input: readonly number[],
  filter: readonly number[],
  stride: number,
  padding: "same" | "valid",
  visit: (x: number, filter: number, y: number) => void,
): number[] {
  const [batch, height, width, from] = input;
  const [rows, columns, , to] = filter;
  const [outHeight, top] = axis(height, rows, stride, padding);
  const [outWidth, left] = axis(width, columns, stride, padding);
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        for (let r = 0; r < rows; r++) {
          const y = i * stride + r - top;
          if (y < 0 || y >= height) continue;
          for (let c = 0; c < columns; c++) {
            const x = j * stride + c - left;
            if (x < 0 || x >= width) continue;
            for (let k = 0; k < from; k++) {
              for (let o = 0; o < to; o++) {
                const source = ((b * height + y) * width + x) * from + k;
                visit(
                  source,
                  ((r * columns + c) * from + k) * to + o,
                  ((b * outHeight + i) * outWidth + j) * to + o,
                );
              }
            }
          }
        }
      }
    }
  }
  return [batch, outHeight, outWidth, to];
}

/** Cross-correlation of x [B, H, W, Ci] with a filter [h, w, Ci, Co]. */
export function convolve(x: Array64, filter: Array64, stride: number, padding: "same" | "valid"): Array64 {
  const shape = visitTaps(x.shape, filter.shape, stride, padding, () => {});
  const values = new Float64Array(sizeOf(shape));
  visitTaps(x.shape, filter.shape, stride, padding, (source, tap, target) => {
    values[target] += x.values[source] * filter.values[tap];
  });
  return { shape, values };
}

/** The adjoint of {@link convolve} with respect to its input of the given shape. */
export function convolveTransposed(
  y: Array64,
  filter: Array64,
  shape: readonly number[],
  stride: number,
  padding: "same" | "valid",
): Array64 {
  const values = new Float64Array(sizeOf(shape));
  visitTaps(shape, filter.shape, stride, padding, (source, tap, target) => {
    values[source] += y.values[target] * filter.values[tap];
  });
  return { shape, values };
}

/** The adjoint of {@link convolve} with respect to its filter of the given shape. */
export function convolveFilterGradient(
  x: Array64,
  dy: Array64,
  shape: readonly number[],
  stride: number,
  padding: "same" | "valid",
): Array64 {
  const values = new Float64Array(sizeOf(shape));
  visitTaps(x.shape, shape, stride, padding, (source, tap, target) => {
    values[tap] += x.values[source] * dy.values[target];
  });
  return { shape, values };
}

/** SiLU. */
export function silu(value: number): number {
  return value / (1 + Math.exp(-value));
}

/** Group normalization of x [B, H, W, C], with scale and offset [B or 1, C]. */
export function normalizeGroups(x: Array64, scale: Array64, offset: Array64, groups: number): Array64 {
  const [, height, width, channels] = x.shape;
  const size = channels / groups;
  const mean = (b: number, g: number, f: (value: number) => number) => {
    let sum = 0;
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        for (let c = 0; c < size; c++) sum += f(at(x, b, i, j, g * size + c));
      }
    }
    return sum / (height * width * size);
  };
  const means = tabulate([x.shape[0], groups], (b, g) => mean(b, g, (value) => value));
  const variances = tabulate(means.shape, (b, g) => mean(b, g, (value) => (value - at(means, b, g)) ** 2));
  return tabulate(x.shape, (b, i, j, c) => {
    const g = Math.floor(c / size);
    const normal = (at(x, b, i, j, c) - at(means, b, g)) / Math.sqrt(at(variances, b, g) + 1e-5);
    return normal * at(scale, b, c) + at(offset, b, c);
  });
}

/** x [B, n, k] times y [B, k, m], or y [B, m, k] transposed. */
export function multiply(x: Array64, y: Array64, transposed = false): Array64 {
  const [batch, rows, inner] = x.shape;
  return tabulate([batch, rows, y.shape[transposed ? 1 : 2]], (b, i, j) => {
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += at(x, b, i, k) * (transposed ? at(y, b, j, k) : at(y, b, k, j));
    return sum;
  });
}

/** Softmax over the last of three axes. */
export function softmax(x: Array64): Array64 {
  const sums = tabulate([x.shape[0], x.shape[1], 1], (b, i) => {
    let sum = 0;
    for (let j = 0; j < x.shape[2]; j++) sum += Math.exp(at(x, b, i, j));
    return sum;
  });
  return zip(x, sums, (value, sum) => Math.exp(value) / sum);
}

/** d(Σ weights · f(inputs))/d(inputs), each by central differences of step 1e-5 in float64. */
export function centralDifferences(
  f: (...inputs: Array64[]) => Array64,
  inputs: readonly Array64[],
  weights: Float64Array,
): Float64Array[] {
  const step = 1e-5;
  const objective = () => f(...inputs).values.reduce((sum, value, i) => sum + value * weights[i], 0);
  return inputs.map(({ values }) =>
    values.map((value, i) => {
      values[i] = value + step;
      const above = objective();
      values[i] = value - step;
      const below = objective();
      values[i] = value;
      return (above - below) / (2 * step);
    })
  );
}
