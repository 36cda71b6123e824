/** Claims about model files and archives that are made to do harm: sizes are checked before anything is allocated. @module */
import { gunzip } from "../../../src/data/gzip.ts";
import { DIGITS } from "../../../src/networks/registry.ts";
import { readModel } from "../../../src/networks/model_file.ts";
import { readSafetensors, writeSafetensors } from "../../../src/networks/safetensors.ts";
import { claim } from "../../suite/claim.ts";
import { gzip } from "../../instruments/file_writers.ts";

/** A safetensors file from any header, as text or as an object, and any number of bytes after it. */
function file(header: unknown, bytes = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const all = new Uint8Array(8 + text.length + bytes);
  new DataView(all.buffer).setBigUint64(0, BigInt(text.length), true);
  all.set(text, 8);
  return all;
}

const tensor = (start: number, end: number) => ({
  dtype: "F32",
  shape: [(end - start) / 4],
  data_offsets: [start, end],
});

claim("tensors that overlap, leave holes or end before the file are refused by name", async (check) => {
  const cases: [what: string, header: Record<string, unknown>, bytes: number, message: RegExp][] = [
    [
      "two on one region",
      { a: tensor(0, 8), b: tensor(0, 8) },
      8,
      /the tensor "b" lies on bytes of another one$/,
    ],
    ["an overlap", { a: tensor(0, 8), b: tensor(4, 12) }, 12, /the tensor "b" lies on bytes of another one$/],
    ["a hole", { a: tensor(0, 8), b: tensor(12, 16) }, 16, /there are 4 bytes of no tensor before "b"$/],
    ["bytes at the end", { a: tensor(0, 8) }, 12, /there are 4 bytes after the last tensor$/],
    [
      "another number of bytes",
      { a: tensor(0, 8), b: { ...tensor(8, 16), shape: [3] } },
      16,
      /the tensor "b" has 8 bytes for 3 numbers of type F32$/,
    ],
    ["an end beyond the file", { a: tensor(0, 8) }, 4, /the last tensor ends beyond the file$/],
  ];
  for (const [what, header, bytes, message] of cases) {
    await check.throws(what, () => readSafetensors(file(header, bytes)), message);
  }
  const twice = `{"a":${JSON.stringify(tensor(0, 4))},"a":${JSON.stringify(tensor(4, 8))}}`;
  await check.throws(
    "one name twice",
    () => readSafetensors(file(twice, 8)),
    /its header has the name "a" twice$/,
  );
  const name = "\u001b[2J" + "x".repeat(500);
  await check.throws(
    "a name that clears the terminal",
    () => readSafetensors(file({ [name]: { ...tensor(0, 4), shape: [2] } }, 4)),
    /^not a safetensors file that can be read: the tensor "\\u001b\[2Jx{1,75}…" has 4 bytes for 2 numbers of type F32$/,
  );
});

claim("tensors that a safetensors file cannot hold are refused, not omitted", async (check) => {
  const write = (contents: unknown) => () =>
    writeSafetensors(contents as Parameters<typeof writeSafetensors>[0]);
  const one = (shape: unknown, values: unknown) => new Map([["a", { shape, values }]]);
  const cases: readonly (readonly [what: string, contents: unknown, message: RegExp])[] = [
    [
      "metadata in a Map",
      { tensors: new Map(), metadata: new Map([["a", "b"]]) },
      /^metadata must be an object of texts/,
    ],
    [
      "metadata of a number",
      { tensors: new Map(), metadata: { a: 5 } },
      /^the metadata "a" must be text, got 5$/,
    ],
    [
      "a tensor that is a number",
      { tensors: new Map([["a", 1]]), metadata: {} },
      /^the shape of the tensor "a" must be/,
    ],
    [
      "a shape of text",
      { tensors: one("x", [1]), metadata: {} },
      /^the shape of the tensor "a" must be a list/,
    ],
    [
      "no values",
      { tensors: one([1], undefined), metadata: {} },
      /^the tensor "a" must hold a list of numbers/,
    ],
  ];
  for (const [what, contents, message] of cases) await check.throws(what, write(contents), message);
});

claim("hostile sizes are refused at once and in little memory", async (check) => {
  const config = (network: object) =>
    file({
      __metadata__: {
        format: "score-sde model 1",
        model: JSON.stringify({ network, preconditioning: null }),
      },
    });
  const mlp = { kind: "mlp", dimensions: 2, hidden: 8, layers: 1, noiseFeatures: 4, classes: 0 };
  const cases: [what: string, network: object, message: RegExp][] = [
    [
      "a million layers",
      { ...mlp, layers: 1e6 },
      /layers is 1000000, more than the tensors in the file allow, 0$/,
    ],
    ["a billion layers", { ...mlp, layers: 1e9 }, /layers is 1000000000, more than/],
    [
      "a billion features",
      { ...mlp, layers: 0, noiseFeatures: 1e9 },
      /noiseFeatures is 1000000000, more than the numbers in the file/,
    ],
    [
      "three million blocks",
      { ...DIGITS, blocks: 3e6 },
      /blocks is 3000000, more than the tensors in the file allow, 0$/,
    ],
  ];
  const before = performance.now();
  for (const [what, network, message] of cases) {
    await check.throws(what, () => readModel(config(network)), message);
  }
  const deep = "[".repeat(1e5) + "]".repeat(1e5);
  await check.throws(
    "a shape nested a hundred thousand deep",
    () => readSafetensors(file(`{"a":{"dtype":"F32","shape":${deep},"data_offsets":[0,0]}}`)),
    /^not a safetensors file that can be read: .{1,200}$/,
  );
  const bomb = await gzip(new Uint8Array(70 * 2 ** 20));
  await check.throws(
    "70 MiB of zeros in gzip",
    () => gunzip(bomb, "a.gz"),
    /^a\.gz: it holds more than 67108864 bytes, which are not unpacked$/,
  );
  check.equal(
    "as many as asked for",
    (await gunzip(bomb, "a.gz", 70 * 2 ** 20)).length,
    70 * 2 ** 20,
    "a limit of one's own",
  );
  check.atMost(
    "seconds for all",
    (performance.now() - before) / 1000,
    20,
    "each of them took 8 s or more; refused by its header none takes one",
  );
});
