/**
 * The linear operators against their definitions, and their adjoints against them.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import {
  linearObservation,
  type LinearOperator,
  operatorMatrix,
} from "../../../src/conditioning/observation.ts";
import {
  blurOperator,
  gaussianKernel,
  greyOperator,
  maskOperator,
  poolingOperator,
  projectionOperator,
  randomProjection,
} from "../../../src/conditioning/operators.ts";
import { channelBasis, greyBasis, greyMask } from "../../../src/conditioning/orthogonal_basis.ts";
import { type Area, type Check, claim } from "../../suite/claim.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";
import { firstOf, scoped } from "../../instruments/tensor_scope.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const side = fc.integer({ min: 1, max: 4 });
const seed = fc.integer({ min: 0, max: 1e6 });
const odd = fc.constantFrom(1, 3, 5);
const numbers = (seed: number, count: number) => Array.from(createRng(seed).normalValues([1, count]));

/** Operators of every kind, in random sizes. */
const operators = fc.oneof(
  fc.record({ kind: fc.constant("mask"), h: side, w: side, c: side, seed }),
  fc.record({ kind: fc.constant("pooling"), h: side, w: side, c: side, seed }),
  fc.record({ kind: fc.constant("blur"), h: side, w: side, c: side, seed, rows: odd, columns: odd }),
  fc.record({ kind: fc.constant("projection"), h: side, w: side, c: side, seed }),
  fc.record({ kind: fc.constant("grey"), h: side, w: side, c: side, seed }),
);

function built({ kind, h, w, c, seed, ...sizes }: {
  kind: string;
  h: number;
  w: number;
  c: number;
  seed: number;
  rows?: number;
  columns?: number;
}): LinearOperator {
  const shape = [h, w, c];
  switch (kind) {
    case "mask":
      return maskOperator(shape, numbers(seed, h * w * c).map((z) => z > 0 ? 1 : 0));
    case "pooling":
      return poolingOperator([2 * h, 2 * w, c], 2);
    case "blur": {
      const { rows = 1, columns = 1 } = sizes;
      const values = numbers(seed, rows * columns);
      return blurOperator(
        shape,
        Array.from({ length: rows }, (_, i) => values.slice(i * columns, (i + 1) * columns)),
      );
    }
    case "projection":
      return randomProjection(createRng(seed), shape, 1 + seed % 5);
    default:
      return greyOperator(shape);
  }
}

claim("every operator satisfies the definition of its adjoint: ⟨A x, y⟩ = ⟨x, Aᵀ y⟩", async (check) => {
  await checkProperty(
    check,
    "inner products of random samples, row by row",
    operators,
    (description) =>
      scoped(async () => {
        const operator = built(description);
        const rng = createRng(description.seed).fork("adjoint");
        const x = rng.normal([2, ...operator.inputShape]);
        if (operator.outputShape[0] === 0) {
          return await firstOf(tf.max(tf.abs(operator.adjoint(tf.zeros([2, 0]))))) === 0;
        }
        const y = rng.normal([2, ...operator.outputShape]);
        const inner = (a: tf.Tensor, b: tf.Tensor) => a.mul(b).reshape([2, -1]).sum(1).data();
        const size = (a: tf.Tensor) => a.square().reshape([2, -1]).sum(1).sqrt().data();
        const [seen, back] = [operator.apply(x), operator.adjoint(y)];
        const [left, right] = [await inner(seen, y), await inner(x, back)];
        const [ofSeen, ofY, ofX, ofBack] = await Promise.all([seen, y, x, back].map(size));
        const scale = [0, 1].map((row) => ofSeen[row] * ofY[row] + ofX[row] * ofBack[row]);
        // Sums of up to 128 products, each rounded.
        return [0, 1].every((row) => Math.abs(left[row] - right[row]) <= 128 * 2 ** -24 * scale[row]);
      }),
    "the definition of the adjoint; sums in float32",
  );
});

claim("masks, pooling, blur and grey operators have the matrices of their definitions", async (check) => {
  const equal = (what: string, rows: number[][], expected: number[][], source: string) => {
    const worst = Math.max(
      ...rows.flatMap((row, i) => row.map((value, j) => Math.abs(value - expected[i][j]))),
    );
    check.equal(
      `${what}: size`,
      [rows.length, rows[0].length],
      [expected.length, expected[0].length],
      source,
    );
    check.atMost(`${what}: largest error of an entry`, worst, 1e-6, source);
  };
  const unit = (i: number, size: number) => Array.from({ length: size }, (_, j) => i === j ? 1 : 0);
  equal(
    "mask [1, 0, 0, 1]",
    await operatorMatrix(maskOperator([2, 2, 1], [1, 0, 0, 1])),
    [unit(0, 4), unit(3, 4)],
    "1 is seen, 0 is hidden",
  );
  equal(
    "pooling of 2 × 4 by 2",
    await operatorMatrix(poolingOperator([2, 4, 1], 2)),
    [[1, 1, 0, 0, 1, 1, 0, 0], [0, 0, 1, 1, 0, 0, 1, 1]].map((row) => row.map((value) => value / 4)),
    "the mean of each block",
  );
  equal(
    "blur of a row of three by [1, 2, 4]",
    await operatorMatrix(blurOperator([1, 3, 1], [[1, 2, 4]])),
    [[2, 4, 0], [1, 2, 4], [0, 1, 2]],
    "Σ kernel[k] x[i + k − 1], zeros outside",
  );
  const matrix = [[1, -2, 3], [0, 5, 0.5]];
  equal("a projection", await operatorMatrix(projectionOperator([3], matrix)), matrix, "the matrix given");
  equal("grey of a pixel", await operatorMatrix(greyOperator([1, 1, 3])), [
    [1, 1, 1].map((v) => v / Math.sqrt(3)),
  ], "(r + g + b)/√3");
  const kernel = gaussianKernel(0.8);
  check.within("a Gaussian kernel's sum", kernel.flat().reduce((a, b) => a + b), 1, 1e-12, "keeps the mean");
  const middle = (kernel.length - 1) / 2;
  const spread = kernel.flatMap((row, i) => row.map((v) => v * (i - middle) ** 2)).reduce((a, b) => a + b);
  check.within("its variance along an axis", spread, 0.64, 0.02, "std², less what lies beyond 3 std");
});

claim(
  "the grey basis is orthonormal, and its first coefficient is the grey operator's observation",
  async (check) => {
    const basis = greyBasis();
    const tensors = tf.tidy(() => {
      const x = createRng(check.seed).normal([2, 3, 2, 3]);
      const c = basis.toBasis(x);
      const first = c.slice([0, 0, 0, 0], [2, 3, 2, 1]);
      return [x, c, first, greyOperator([3, 2, 3]).apply(x), basis.fromBasis(c)];
    });
    const [x, c, there, grey, back] = await Promise.all(
      tensors.map(async (x) => Array.from(await x.data())),
    );
    tf.dispose(tensors);
    const furthest = (a: number[], b: number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));
    const largest = Math.max(...x.map(Math.abs));
    check.atMost(
      "first coefficient against the operator",
      furthest(there, grey),
      8 * Math.sqrt(3) * 2 ** -24 * largest,
      "Song et al. 2021, Appendix I.2; two sums of three rounded products with rounded weights 1/√3, 4 · 2⁻²⁴ · √3 max|x| each",
    );
    check.atMost(
      "there and back",
      furthest(x, back),
      24 * 2 ** -24 * largest,
      "Q Qᵀ = I; the same rounding twice, with weights whose absolute values sum to √3 at most in a row and in a column",
    );
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
    check.atMost(
      "change of the squared length",
      Math.abs(sum(c.map((v) => v * v)) - sum(x.map((v) => v * v))),
      2 * sum(c.map(Math.abs)) * 4 * Math.sqrt(3) * 2 ** -24 * largest,
      "Q Qᵀ = I; every coefficient is rounded as the first is, summed in float64",
    );
    check.equal(
      "mask of the grey",
      Array.from(greyMask([1, 2, 3])),
      [1, 0, 0, 1, 0, 0],
      "channel 0 of each pixel",
    );
  },
);

claim("operators and observations refuse mismatched shapes and values in one sentence", async (check) => {
  const picture = [4, 4, 1];
  const nan = tf.tensor2d([[1, NaN]]);
  const two = projectionOperator([2], [[1, 0], [0, 1]]);
  const cases: [string, () => unknown, RegExp][] = [
    [
      "a mask of another size",
      () => maskOperator(picture, [1, 0]),
      /samples of shape \[4,4,1\] has 16 entries, got 2$/,
    ],
    ["a mask that is no mask", () => maskOperator([2], [1, 0.5]), /1 \(known\) and 0 \(hidden\), got 0\.5$/],
    ["blocks that do not fit", () => poolingOperator(picture, 3), /divides 4 × 4, got 3$/],
    [
      "pooling of what is no picture",
      () => poolingOperator([4], 2),
      /\[height, width, channels\], got \[4\]$/,
    ],
    ["an even kernel", () => blurOperator(picture, [[1, 1]]), /odd sides and rows of one length, got 1 × 2$/],
    ["a kernel with NaN", () => blurOperator(picture, [[NaN]]), /finite numbers, got NaN$/],
    ["a kernel without width", () => gaussianKernel(0), /positive number, got 0$/],
    ["a matrix of another width", () => projectionOperator([3], [[1, 2]]), /rows of 3 numbers, got 2$/],
    ["an empty matrix", () => projectionOperator([3], []), /finite numbers, got none$/],
    ["samples of another shape", () => two.apply(tf.zeros([1, 3])), /takes \[samples, 2\], got \[1,3\]$/],
    [
      "an observation of another shape",
      () => linearObservation(two, tf.zeros([1, 3])),
      /\[samples, 2\], got \[1,3\]$/,
    ],
    ["an observation with NaN", () => linearObservation(two, nan), /finite numbers, got NaN$/],
    ["negative noise", () => linearObservation(two, tf.zeros([1, 2]), -0.1), /at least 0, got -0\.1$/],
    [
      "a basis that is not orthonormal",
      () => channelBasis([[1, 0], [1, 0]]),
      /orthonormal, but the product of 0 and 1 is 1$/,
    ],
  ];
  await refused(check, cases);
});

async function refused(check: Check, cases: readonly [string, () => unknown, RegExp][]): Promise<void> {
  for (const [what, action, message] of cases) await check.throws(what, action, message);
}

claim("operators and bases take the shapes of their definitions, and no others", async (check) => {
  const shapes = (operator: LinearOperator) => [operator.inputShape, operator.outputShape];
  const definitions: [string, LinearOperator, number[][]][] = [
    ["mask", maskOperator([2, 2], [1, 0, 1, 1]), [[2, 2], [3]]],
    ["pooling", poolingOperator([4, 6, 3], 2), [[4, 6, 3], [2, 3, 3]]],
    ["blur", blurOperator([4, 6, 3], [[1, 2, 1]]), [[4, 6, 3], [4, 6, 3]]],
    ["projection", projectionOperator([2, 1], [[1, 2], [3, 4], [5, 6]]), [[2, 1], [3]]],
    ["random projection", randomProjection(createRng(1), [2, 1], 5), [[2, 1], [5]]],
    ["grey", greyOperator([4, 6, 3]), [[4, 6, 3], [4, 6, 1]]],
  ];
  for (const [what, operator, expected] of definitions) {
    check.equal(what, shapes(operator), expected, "written out");
  }
  const wide = await operatorMatrix(poolingOperator([2, 2, 2], 2));
  check.equal("pooling of two channels", wide, [[0.25, 0, 0.25, 0, 0.25, 0, 0.25, 0], [
    0,
    0.25,
    0,
    0.25,
    0,
    0.25,
    0,
    0.25,
  ]], "each by itself");
  const column = await operatorMatrix(blurOperator([2, 1, 1], [[1], [2], [4]]));
  check.equal("blur of a column", column, [[2, 4], [1, 2]], "Σ kernel[k] x[i + k − 1]");
  const pair = await operatorMatrix(blurOperator([1, 1, 2], [[3]]));
  check.equal("blur of two channels", pair, [[3, 0], [0, 3]], "each by itself");
  const z = createRng(7).normalValues([2, 4]);
  const random = (await operatorMatrix(randomProjection(createRng(7), [4], 2))).flat();
  check.atMost(
    "random directions",
    Math.max(...random.map((value, i) => Math.abs(value - z[i] / 2))),
    1e-7,
    "z/√4, row by row",
  );
  const kernel = gaussianKernel(0.5);
  check.equal("reach of a kernel", [kernel.length, kernel[0].length], [5, 5], "three deviations, rounded up");
  check.within(
    "its centre over its neighbour",
    kernel[2][2] / kernel[2][1],
    Math.exp(2),
    1e-9,
    "exp(−½ (1/σ)²)",
  );
  check.within("along the other axis", kernel[2][2] / kernel[0][2], Math.exp(8), 1e-6, "exp(−½ (2/σ)²)");
  check.equal("the widest kernel", gaussianKernel(1000).length, 6001, "1000 is allowed");
  const rows = [[0.6, 0.8], [-0.8, 0.6]];
  const turned = tf.tidy(() => {
    const x = tf.tensor2d([[1, 0], [0, 1]]);
    const basis = channelBasis(rows);
    return [basis.toBasis(x), basis.fromBasis(x)];
  });
  const [to, from] = await Promise.all(turned.map(async (tensor) => (await tensor.array()) as number[][]));
  tf.dispose(turned);
  const near = (a: number[][], b: number[][]) =>
    Math.max(...a.flatMap((row, i) => row.map((v, j) => Math.abs(v - b[i][j]))));
  check.atMost("to a basis", near(to, [[0.6, -0.8], [0.8, 0.6]]), 1e-7, "products with its vectors");
  check.atMost("from a basis", near(from, rows), 1e-7, "the sum of its vectors");
  check.equal(
    "grey mask",
    [...greyMask([2, 1, 3])],
    [1, 0, 0, 1, 0, 0],
    "the first coefficient of each pixel",
  );
  await refused(check, [
    ["wide kernels", () => gaussianKernel(1001), /^std must be at most 1000, got 1001$/],
    ["rows of two lengths", () => blurOperator([4, 4, 1], [[1], [1, 1, 1], [1]]), /odd sides .*, got 3 × 1$/],
    ["an even column", () => blurOperator([4, 4, 1], [[1], [1]]), /odd sides .*, got 2 × 1$/],
    ["no kernel", () => blurOperator([4, 4, 1], []), /odd sides .*, got 0 × 0$/],
    ["half a block", () => poolingOperator([4, 4, 1], 0.5), /divides 4 × 4, got 0\.5$/],
    ["a block of none", () => poolingOperator([4, 4, 1], 0), /divides 4 × 4, got 0$/],
    ["blocks that fit the height alone", () => poolingOperator([4, 3, 1], 2), /divides 4 × 3, got 2$/],
    ["blocks that fit the width alone", () => poolingOperator([3, 4, 1], 2), /divides 3 × 4, got 2$/],
    [
      "a matrix with 1e39",
      () => projectionOperator([1], [[1e39]]),
      /^the matrix must hold finite numbers, got Infinity$/,
    ],
    [
      "a sample without an axis",
      () => projectionOperator([], [[1]]),
      /^a sample's shape must have an axis, got \[\]$/,
    ],
    [
      "no directions",
      () => randomProjection(createRng(1), [2], 0),
      /^count must be a positive integer, got 0$/,
    ],
    ["no vectors", () => channelBasis([]), /^a basis needs at least one vector, got none$/],
    [
      "vectors that are too long",
      () => channelBasis([[1, 0, 0], [0, 1, 0]]),
      /orthonormal, but the product of 0 and 0 is 1$/,
    ],
    [
      "vectors of length two",
      () => channelBasis([[1, 0], [0, 2]]),
      /orthonormal, but the product of 1 and 1 is 4$/,
    ],
    [
      "a basis of other channels",
      () => channelBasis([[1]]).toBasis(tf.zeros([1, 2])),
      /^the basis is of 1 channels, got the shape \[1,2\]$/,
    ],
    [
      "grey of four channels",
      () => greyMask([1, 1, 4]),
      /^a grey mask is for shapes \[height, width, 3\], got \[1,1,4\]$/,
    ],
    ["grey of two axes", () => greyMask([3, 3]), /\[height, width, 3\], got \[3,3\]$/],
    [
      "an adjoint of another shape",
      () => maskOperator([2], [1, 0]).adjoint(tf.zeros([1, 2])),
      /takes \[samples, 1\], got \[1,2\]$/,
    ],
    [
      "infinite noise",
      () => linearObservation(maskOperator([1], [1]), tf.zeros([1, 1]), Infinity),
      /at least 0, got Infinity$/,
    ],
    [
      "an observation of one axis",
      () => linearObservation(maskOperator([1], [1]), tf.zeros([1])),
      /must be \[samples, 1\], got \[1\]$/,
    ],
  ]);
});
