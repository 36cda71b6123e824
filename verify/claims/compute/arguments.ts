/** Claims about how tensors, labels and numbers by row are checked, and what is said of those that do not fit. @module */
import { checkLabels } from "../../../src/compute/labels.ts";
import { requireResult, requireTensor } from "../../../src/compute/require_tensor.ts";
import { column, mapPerRow, type PerRow, requireRatios } from "../../../src/compute/rows.ts";
import * as tf from "../../../src/compute/tf.ts";
import { claim } from "../../suite/claim.ts";
import { scoped } from "../../instruments/tensor_scope.ts";

const errorOf = (action: () => unknown): string => {
  try {
    action();
    return "none";
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
};

claim(
  "a tensor is taken or refused by its type, its axes and its entries, in words that name them",
  (check) => {
    const disposed = tf.zeros([2]);
    disposed.dispose();
    const rows: [
      what: string,
      value: unknown,
      limits: Parameters<typeof requireTensor>[2],
      expected: string,
    ][] = [
      ["a vector", tf.zeros([2]), undefined, "none"],
      ["a scalar", tf.scalar(1), undefined, "RangeError: x must have an axis and entries, got []"],
      ["a scalar where that is allowed", tf.scalar(1), { leastRank: 0 }, "none"],
      ["no entries", tf.zeros([0, 2]), undefined, "RangeError: x must have an axis and entries, got [0, 2]"],
      ["no entries where that is allowed", tf.zeros([0, 2]), { empty: true }, "none"],
      [
        "integers",
        tf.zeros([2], "int32"),
        undefined,
        "TypeError: x must be a float32 tensor, got int32 of shape [2]: cast it",
      ],
      ["a disposed tensor", disposed, undefined, "TypeError: x must be a tensor that is not disposed"],
      ["a list", [1], undefined, "TypeError: x must be a tensor, got [1]"],
      ["two axes of two", tf.zeros([2, 1]), { rank: 2 }, "none"],
      [
        "two axes of three",
        tf.zeros([2, 1]),
        { rank: 3 },
        "RangeError: x must have 3 axes and entries, got [2, 1]",
      ],
      ["two axes of at least two", tf.zeros([2, 1]), { leastRank: 2 }, "none"],
      [
        "one axis of at least two",
        tf.zeros([2]),
        { leastRank: 2 },
        "RangeError: x must have at least 2 axes and entries, got [2]",
      ],
      ["a shape", tf.zeros([2, 3]), { shape: [2, 3] }, "none"],
      ["any number of rows", tf.zeros([7, 3]), { shape: [null, 3] }, "none"],
      [
        "other columns",
        tf.zeros([7, 4]),
        { shape: [null, 3] },
        "RangeError: x must have the shape [any, 3] and entries, got [7, 4]",
      ],
      [
        "an axis more",
        tf.zeros([7, 3, 1]),
        { shape: [null, 3] },
        "RangeError: x must have the shape [any, 3] and entries, got [7, 3, 1]",
      ],
    ];
    for (const [what, value, limits, expected] of rows) {
      check.equal(what, errorOf(() => requireTensor("x", value, limits)), expected, "its documentation");
      if (value instanceof tf.Tensor && !value.isDisposed) value.dispose();
    }
  },
);

claim(
  "the result of a caller's function is refused unless it is float32 of the shape expected",
  async (check) => {
    const like = tf.zeros([2, 3]);
    const wanted = "y must be a float32 tensor of shape [2, 3]";
    const disposed = tf.zeros([2, 3]);
    disposed.dispose();
    const rows: [what: string, value: unknown, expected: string][] = [
      ["the same shape", tf.ones([2, 3]), "none"],
      ["itself", like, "none"],
      ["a number", 1, `TypeError: ${wanted}, got 1`],
      ["other columns", tf.zeros([2, 4]), `RangeError: ${wanted}, got float32 of shape [2, 4]`],
      ["an axis less", tf.zeros([2]), `RangeError: ${wanted}, got float32 of shape [2]`],
      ["integers", tf.zeros([2, 3], "int32"), `TypeError: ${wanted}, got int32 of shape [2, 3]`],
      ["one that was disposed", disposed, `TypeError: ${wanted}, got one that was disposed`],
    ];
    for (const [what, value, expected] of rows) {
      check.equal(what, errorOf(() => requireResult("y", value, like)), expected, "its documentation");
      if (value instanceof tf.Tensor && value !== like && !value.isDisposed) value.dispose();
    }
    const late = tf.ones([2]);
    const promise =
      `TypeError: ${wanted}, got a promise: return the tensor itself, from a function that is not async`;
    for (const brought of [late, like]) {
      check.equal(
        "a promise",
        errorOf(() => requireResult("y", Promise.resolve(brought), like)),
        promise,
        "it is not waited for",
      );
    }
    check.equal(
      "one that fails",
      errorOf(() => requireResult("y", Promise.reject(new Error("later")), like)),
      promise,
      "nobody else takes its error",
    );
    await Promise.resolve();
    await Promise.resolve();
    check.equal(
      "what the promises brought",
      [late.isDisposed, like.isDisposed],
      [true, false],
      "freed, but for the argument",
    );
    like.dispose();
  },
);

claim(
  "numbers by row become columns, and labels and noise ratios just outside their ranges are refused",
  async (check) => {
    await scoped(async () => {
      const like = tf.zeros([3, 2, 4]);
      const columns = column(Float64Array.of(0.5, 1, 2), like);
      check.equal(
        "by row",
        [columns.shape, [...await columns.data()]],
        [[3, 1, 1], [0.5, 1, 2]],
        "[B, 1, …] of its rank",
      );
      const one = column(0.25, like);
      check.equal("for all", [one.shape, [...await one.data()]], [[], [0.25]], "a scalar");
      check.equal(
        "two for three rows",
        errorOf(() => column(Float64Array.of(1, 2), like)),
        "RangeError: expected one value per row, got 2 for 3 rows",
        "one a row",
      );
    });
    const doubled = (values: PerRow) => mapPerRow(values, (value) => value === 7 ? 0 : 2 * value);
    check.equal("a function of a number", doubled(3), 6, "applied");
    check.equal(
      "of rows",
      doubled(Float64Array.of(1, NaN, 2)),
      Float64Array.of(2, NaN, 4),
      "to each, but for NaN",
    );
    check.equal(
      "of a list",
      errorOf(() => doubled([1] as never)),
      "TypeError: expected a number or a Float64Array of one number a row, got [1]",
      "not float64",
    );
    let seen = 0;
    mapPerRow(Float64Array.of(NaN), () => ++seen);
    check.equal("of a row that is not finite", seen, 0, "not called");
    const ratios: [PerRow, number | undefined, boolean][] = [
      [0, undefined, true],
      [5, undefined, true],
      [5, 5, true],
      [5.1, 5, false],
      [-0.1, undefined, false],
      [NaN, undefined, false],
      [Infinity, undefined, false],
      [Float64Array.of(0, NaN, 5), 5, true],
      [Float64Array.of(1, 5.1), 5, false],
      [Float64Array.of(1, -0.1), undefined, false],
      [Float64Array.of(1, Infinity), undefined, false],
    ];
    for (const [ratio, most, taken] of ratios) {
      const error = errorOf(() => requireRatios(ratio, most));
      check.equal(`ν = ${ratio} up to ${most}: ${error}`, error === "none", taken, "from 0 up to the limit");
      check.holds(
        `ν = ${ratio}: named`,
        taken || /^RangeError: noiseRatio must be /.test(error),
        "the argument",
      );
    }
    const labels = (values: number[], rows?: number) => errorOf(() => checkLabels(values, 3, rows));
    check.equal(
      "labels",
      [labels([0, 2]), labels([0, 2], 2), labels([])],
      ["none", "none", "none"],
      "below the classes",
    );
    check.equal(
      "a label of 3",
      labels([0, 3]),
      "RangeError: labels must be whole numbers from 0 to 2, got 3",
      "of three classes",
    );
    check.equal(
      "a label of −1",
      labels([-1]),
      "RangeError: labels must be whole numbers from 0 to 2, got -1",
      "of three classes",
    );
    check.equal(
      "half a label",
      labels([0.5]),
      "RangeError: labels must be whole numbers from 0 to 2, got 0.5",
      "of three classes",
    );
    check.equal(
      "two labels of three",
      labels([0, 1], 3),
      "RangeError: expected one label per row, got 2 for 3 rows",
      "one a row",
    );
  },
);
