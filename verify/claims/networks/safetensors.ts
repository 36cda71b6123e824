/** Claims about what the reader of safetensors takes, up to its limits, and what it says of the rest. @module */
import { readSafetensors } from "../../../src/networks/safetensors.ts";
import { readWeights, type WeightsFormat, writeWeights } from "../../../src/networks/weights_file.ts";
import { claim } from "../../suite/claim.ts";

/** A file: the header's length, the header, the numbers. */
function file(header: string | Uint8Array, numbers: readonly number[] = [], padding = 0): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + padding + 4 * numbers.length).fill(
    32,
    8,
    8 + text.length + padding,
  );
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(text.length + padding), true);
  bytes.set(text, 8);
  numbers.forEach((value, i) => view.setFloat32(8 + text.length + padding + 4 * i, value, true));
  return bytes;
}

const entry = (change: object = {}) =>
  JSON.stringify({ a: { dtype: "F32", shape: [3], data_offsets: [0, 12], ...change } });
const numbers = [1.5, -2, 3];

claim("the reader of safetensors takes files up to its limits and names what is beyond", async (check) => {
  const read = (header: string | Uint8Array, most?: number) => readSafetensors(file(header, numbers), most);
  check.equal(
    "three numbers of three",
    [...read(entry(), 3).tensors.get("a")!.values],
    numbers,
    "at the limit",
  );
  check.equal(
    "a part of a larger buffer",
    [
      ...readSafetensors(Uint8Array.from([9, ...file(entry(), numbers)]).subarray(1)).tensors.get("a")!
        .values,
    ],
    numbers,
    "its own offset",
  );
  check.equal(
    "no tensors",
    readSafetensors(file("{}")),
    { tensors: new Map(), metadata: {} },
    "an empty file",
  );
  const longest = file(entry(), numbers, 2 ** 20 - entry().length);
  check.equal("a header of 1 MiB", readSafetensors(longest).tensors.size, 1, "the longest");
  const axes = [...Array<number>(31).fill(1), 3];
  check.equal("32 axes", read(entry({ shape: axes })).tensors.get("a")!.shape, axes, "the most");
  const fails = (what: string, bytes: Uint8Array | (() => unknown), message: string) =>
    check.throws(
      what,
      () => typeof bytes === "function" ? bytes() : readSafetensors(bytes),
      new RegExp(`^not a safetensors file that can be read: ${message}$`),
    );
  await fails(
    "one number more than allowed",
    () => read(entry(), 2),
    "it holds 3 numbers, at most 2 are read",
  );
  await fails("seven bytes", new Uint8Array(7), "7 bytes are too few");
  await fails(
    "a header beyond the file",
    file(entry()).subarray(0, 20),
    "a header of \\d+ bytes does not fit into 20",
  );
  await fails(
    "a header above 1 MiB",
    file(entry(), numbers, 2 ** 20 + 1 - entry().length),
    "its header has 1048577 bytes, at most 1048576 are read",
  );
  await fails(
    "a header that is no text",
    file(Uint8Array.of(0x7b, 0xff, 0x7d)),
    "its header is not text in UTF-8",
  );
  await fails("a header that is no JSON", file("{a"), "its header is not JSON.*");
  await fails("a list", file("[]"), "its header is no JSON object");
  await fails("metadata that are a list", file('{"__metadata__":[]}'), "its metadata are not pairs of text");
  await fails(
    "metadata with a number",
    file('{"__metadata__":{"a":1}}'),
    "its metadata are not pairs of text",
  );
  await fails("a tensor that is a number", file('{"a":1}'), 'the tensor "a" is described by 1');
  for (const name of ["dtype", "shape", "data_offsets"]) {
    await fails(
      `no ${name}`,
      () => read(entry({ [name]: undefined })),
      'the tensor "a" has no dtype, shape and data_offsets',
    );
  }
  await fails("a type that is a number", () => read(entry({ dtype: 1 })), 'the tensor "a" has the type 1');
  for (const shape of [[-3], [1.5], 3, [...axes, 1]]) {
    await fails(
      `shape ${JSON.stringify(shape)}`,
      () => read(entry({ shape })),
      'the tensor "a" has the shape .*',
    );
  }
  for (const offsets of [[0], [0, 12, 12], [12, 0], [0, 1.5], 12]) {
    await fails(
      `offsets ${JSON.stringify(offsets)}`,
      () => read(entry({ data_offsets: offsets })),
      'the tensor "a" has the offsets .*',
    );
  }
  for (const dtype of ["F32", "F16"]) {
    const bytes = dtype === "F32" ? 8 : 12;
    await fails(
      `${dtype} of ${bytes} bytes for three`,
      file(
        JSON.stringify({ a: { dtype, shape: [3], data_offsets: [0, bytes] } }),
        numbers.slice(0, bytes / 4),
      ),
      `the tensor "a" has ${bytes} bytes for 3 numbers of type ${dtype}`,
    );
  }
});

claim(
  "weights of a fixed network are half precision under its name, and files of others are refused",
  async (check) => {
    const format: WeightsFormat = {
      format: "a net 1",
      noun: "a net",
      parameters: [{ name: "w", shape: [2], mean: 0, std: 1 }, { name: "b", shape: [], mean: 0, std: 0 }],
    };
    const weights = new Map([["w", Float32Array.of(0.5, 1 / 3)], ["b", Float32Array.of(7)]]);
    const bytes = writeWeights(format, weights, { source: "here" });
    const half = new Map([["w", Float32Array.of(0.5, Math.f16round(1 / 3))], ["b", Float32Array.of(7)]]);
    check.equal("read", readWeights(format, bytes), half, "F16 by default");
    check.equal(
      "in full",
      readWeights(format, writeWeights(format, weights, {}, "F32")),
      weights,
      "F32 on request",
    );
    check.equal(
      "the header's texts",
      readSafetensors(bytes).metadata,
      { format: "a net 1", source: "here" },
      "its format, and those given",
    );
    const other = (change: Partial<WeightsFormat>) => () => readWeights({ ...format, ...change }, bytes);
    await check.throws(
      "another format",
      other({ format: "a net 2" }),
      /^not a net: the header does not say "a net 2"$/,
    );
    await check.throws(
      "another parameter",
      other({ parameters: [{ name: "v", shape: [2], mean: 0, std: 1 }] }),
      /^not a net: the parameter "v" is missing$/,
    );
    for (const [shape, words] of [[[1, 2], "\\[1, 2\\]"], [[3], "\\[3\\]"], [[], "\\[\\]"]] as const) {
      await check.throws(
        `shape ${words}`,
        other({ parameters: [{ name: "w", shape, mean: 0, std: 1 }] }),
        new RegExp(`^the parameter "w" has shape \\[2\\] instead of ${words}$`),
      );
    }
    const infinite = writeWeights(format, new Map([...weights, ["b", Float32Array.of(Infinity)]]));
    await check.throws(
      "infinity",
      () => readWeights(format, infinite),
      /^the parameter "b" holds Infinity, where numbers must be finite$/,
    );
    await check.throws(
      "a weight that is missing",
      () => writeWeights(format, new Map([["b", Float32Array.of(7)]])),
      /^the tensor "w" of shape \[2\] cannot hold 0 values$/,
    );
  },
);
