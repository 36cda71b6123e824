/** Claims about data sets from arrays of numbers: their scaling, their classes, and what is refused. @module */
import { type ArrayDataset, arrayDataset } from "../../../src/data/array_dataset.ts";
import type { ImageDataset } from "../../../src/data/dataset.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { shuffledBatches } from "../../../src/data/batches.ts";
import { pixelMoments } from "../../../src/data/dataset.ts";
import { datasetChange, datasetIdentity } from "../../../src/data/identity.ts";
import {
  checkUnits,
  describeUnits,
  fromUnits,
  logVolume,
  rangeUnits,
  toUnits,
} from "../../../src/data/units.ts";
import { claim } from "../../suite/claim.ts";

/** An array of float64. */
const array = (shape: readonly number[], ...values: number[]) => ({
  shape,
  values: Float64Array.from(values),
});

claim(
  "each coordinate of points is scaled to mean 0 and standard deviation ½, and back without loss",
  (check) => {
    // Mean 2 and standard deviation √(8/3); mean 10⁹ + 2 and standard deviation √(8/3), where float32 steps by 64.
    const points = array([3, 2], 0, 1e9, 2, 1e9 + 2, 4, 1e9 + 4);
    const dataset = arrayDataset(points, { columns: ["x", "seconds"] }) as ArrayDataset;
    const std = Math.sqrt(8 / 3);
    const source = "by hand";
    check.equal("shape", [dataset.count, ...dataset.shape], [3, 2], source);
    check.equal("offset", dataset.units.offset, [2, 1e9 + 2], source);
    check.within("scale of x", dataset.units.scale[0], 2 * std, 1e-14, source);
    check.within("scale of seconds", dataset.units.scale[1], 2 * std, 1e-14, source);
    const v = Math.fround(1 / std);
    check.equal("model values", [...dataset.values], [-v, -v, 0, 0, v, v], "(x − mean) / (2 · std)");
    const back = fromUnits(dataset.values, dataset.units);
    const error = Math.max(...back.map((x, i) => Math.abs(x - points.values[i])));
    check.atMost(
      "back in the units of the data",
      error,
      4e-7,
      "a unit in the last place of a float32 of ½, times 2·std",
    );
    check.equal(
      "in words",
      describeUnits(dataset.units),
      "mean 0 and standard deviation 0.5, from x (mean 2, standard deviation 1.633), " +
        "seconds (mean 1000000000, standard deviation 1.633)",
      source,
    );
    check.within(
      "log volume",
      logVolume(dataset.units, 2),
      2 * Math.log(2 * std),
      1e-14,
      "ln of the product of scales",
    );
  },
);

claim("images are scaled to [−1, 1] by their own range, by 0 and 1, or as bytes by 0 and 255", (check) => {
  const wide = arrayDataset(array([2, 1, 1, 1], -3, 5)) as ArrayDataset;
  check.equal(
    "a range of its own",
    [wide.units, [...wide.values]],
    [{ offset: [1], scale: [4] }, [-1, 1]],
    "by hand",
  );
  const unit = arrayDataset(array([2, 1, 1], 0.25, 0.5)) as ArrayDataset;
  check.equal(
    "within 0 and 1",
    [unit.units, [...unit.values]],
    [{ offset: [0.5], scale: [0.5] }, [-0.5, 0]],
    "by hand",
  );
  check.equal("without channels", unit.shape, [1, 1, 1], "one channel");
  const bytes = arrayDataset({ shape: [2, 1, 1], values: Uint8Array.of(0, 200) }) as ImageDataset;
  check.equal("bytes", [bytes.images, bytes.units], [Uint8Array.of(0, 200), {
    offset: [127.5],
    scale: [127.5],
  }], "v = b/127.5 − 1");
  const mask = arrayDataset({ shape: [2, 1, 1], values: Uint8Array.of(0, 1) }) as ArrayDataset;
  check.equal("bytes of a mask", [...mask.values], [-1, 1], "not pixels from 0 to 255");
  check.within("log volume", logVolume(rangeUnits(-3, 5), 6), 6 * Math.log(4), 1e-14, "of each of 6 values");
});

claim("classes of arrays are whole numbers or text, in the order of their values", async (check) => {
  const points = array([4, 1], 1, 2, 3, 4);
  const numbers = arrayDataset(points, { labels: [10, 9, 10, 2] });
  check.equal(
    "numbers",
    [numbers.classNames, [...numbers.labels]],
    [["2", "9", "10"], [2, 1, 2, 0]],
    "by value",
  );
  const words = arrayDataset(points, { labels: ["b", "a", "b", "a"] });
  check.equal(
    "words",
    [words.classNames, [...words.labels], words.classes],
    [["a", "b"], [1, 0, 1, 0], 2],
    "by name",
  );
  check.equal(
    "none",
    [arrayDataset(points).classes, [...arrayDataset(points).labels]],
    [1, [0, 0, 0, 0]],
    "one class",
  );
  const refused = (what: string, labels: number[], message: RegExp) =>
    check.throws(what, () => arrayDataset(points, { name: "p", labels }), message);
  await refused("too few", [1, 2], /^p: there are 2 labels for 4 samples$/);
  await refused("negative", [0, 1, -1, 0], /^p: label 2 is -1, where whole numbers from 0 are allowed$/);
  await refused("fractions", [0, 1.5, 1, 0], /^p: label 1 is 1\.5, where whole numbers from 0 are allowed$/);
  const many = Float64Array.from({ length: 257 }, (_, i) => i);
  await check.throws(
    "257 classes",
    () => arrayDataset({ shape: [257, 1], values: many }, { labels: many }),
    /^data: at most 256 classes can be told apart, the labels have 257$/,
  );
});

claim("arrays that are no data are refused in a sentence that says what is wrong", async (check) => {
  const cases: [what: string, shape: readonly number[], values: readonly number[], message: RegExp][] = [
    ["one axis", [4], [1, 2, 3, 4], /^a: the shape \[4\] is neither \[N, D\].*by array\.reshape\(-1, 1\)$/],
    [
      "five axes",
      [2, 1, 1, 1, 1],
      [1, 2],
      /^a: the shape \[2, 1, 1, 1, 1\] is neither \[N, D\] of points nor/,
    ],
    ["one sample", [1, 2], [1, 2], /^a: at least two samples are needed, got 1$/],
    ["none", [0, 2], [], /^a: at least two samples are needed, got 0$/],
    ["no coordinates", [4, 0], [], /^a: the shape \[4, 0\] has no values$/],
    ["NaN", [2, 2], [1, 2, NaN, 3], /^a: the value at \[1, 0\] is NaN, not a finite number$/],
    [
      "infinity",
      [2, 1, 2],
      [1, 2, 3, -Infinity],
      /^a: the value at \[1, 0, 1\] is -Infinity, not a finite number$/,
    ],
    [
      "a constant column",
      [2, 2],
      [1, 7, 2, 7],
      /^a: column 2 is 7 in every row: leave it out, there is nothing/,
    ],
    [
      "flat images",
      [2, 1, 2],
      [3, 3, 3, 3],
      /^a: all values of all images are 3: there is nothing to learn$/,
    ],
    [
      "channels first",
      [1, 3, 8, 8],
      Array(192).fill(0),
      /\[N, channels, height, width\]: array\.transpose\(0, 2, 3, 1\)/,
    ],
    ["many coordinates", [2, 5000], [], /^a: points may have up to 4096 coordinates, got 5000$/],
    ["values of another shape", [2, 2], [1, 2, 3], /^a: the shape \[2, 2\] needs 4 values, got 3$/],
    [
      "beyond float64",
      [2, 1],
      [1e308, -1e308],
      /^a: column 1 spreads beyond the largest number: scale it down$/,
    ],
  ];
  for (const [what, shape, values, message] of cases) {
    await check.throws(what, () => arrayDataset(array(shape, ...values), { name: "a" }), message);
  }
});

claim("units from a file are refused unless they are positive scales with as many offsets", async (check) => {
  const cases: [what: string, units: unknown, message: RegExp][] = [
    ["no object", 3, /units/],
    ["no scale", { offset: [0] }, /^the units has no scale$/],
    ["an unknown field", { offset: [0], scale: [1], mean: 0 }, /^the units has an unknown field "mean"/],
    ["a scale of 0", { offset: [0], scale: [0] }, /^each of the units' scale must be .* got 0$/],
    [
      "unequal lengths",
      { offset: [0, 1], scale: [1] },
      /as many scales as offsets, at least one, got 1 and 2$/,
    ],
    ["empty", { offset: [], scale: [] }, /at least one, got 0 and 0$/],
    [
      "too few names",
      { offset: [0, 1], scale: [1, 1], columns: ["x"] },
      /a name for each of 2 columns, got 1$/,
    ],
    ["a number for a name", { offset: [0], scale: [1], columns: [3] }, /each of the units' columns/],
  ];
  for (const [what, units, message] of cases) await check.throws(what, () => checkUnits(units), message);
  check.equal("float64 until the last rounding", [...toUnits([1e9 + 1], { offset: [1e9], scale: [4] })], [
    0.25,
  ], "by hand");
  await check.throws(
    "a size that does not fit",
    () => logVolume({ offset: [0, 0], scale: [1, 1] }, 3),
    /multiple of the 2 scales, got 3$/,
  );
});

claim("batches and the identity of arrays are of their model values and units", async (check) => {
  const points = (labels: number[], ...values: number[]) =>
    arrayDataset(array([3, 2], ...values), { labels }) as ArrayDataset;
  const dataset = points([0, 1, 1], 0, 5, 1, 7, 5, 6);
  const batch = shuffledBatches(dataset, 3, createRng(1))(0);
  check.equal("shape", batch.shape, [3, 2], "three points of two coordinates");
  const rows = Array.from(batch.indices, (index, row) => [
    [...batch.images.subarray(2 * row, 2 * row + 2)],
    [...dataset.values.subarray(2 * index, 2 * index + 2)],
    batch.labels[row],
    dataset.labels[index],
  ]);
  check.holds(
    "rows",
    rows.every(([a, b, c, d]) => String(a) === String(b) && c === d),
    "those of the data set",
  );
  check.equal("all of them", [...batch.indices].sort(), [0, 1, 2], "one epoch");
  const { mean, std } = pixelMoments(dataset);
  check.within("mean", mean, 0, 1e-7, "scaled so");
  check.within("standard deviation", std, 0.5, 1e-7, "scaled so");
  const identity = await datasetIdentity(dataset);
  check.equal("shape of the identity", [identity.shape, identity.counts], [[2], [1, 2]], "by hand");
  const scaled = await datasetIdentity(points([0, 1, 1], 0, 10, 2, 14, 10, 12));
  check.holds(
    "twice the numbers, with the same model values",
    identity.sha256 !== scaled.sha256,
    "other units",
  );
  check.equal(
    "in words",
    datasetChange(identity, await datasetIdentity(arrayDataset(array([3, 1], 1, 2, 3)))),
    "it has points of 1 coordinate, and had points of 2 coordinates",
    "both shapes",
  );
});
