/** Every reader of files, with small sound files to begin mutations from, and what a right value of it is. @module */
import { crc32 } from "node:zlib";
import { parsePlan } from "../../scripts/sampling/noise_plan_file.ts";
import { parseJournal, parseRecord } from "../../scripts/sampling/resumable_npy.ts";
import { createRng } from "../../src/compute/rng.ts";
import { cifar10Dataset } from "../../src/data/cifar10.ts";
import { gunzip } from "../../src/data/gzip.ts";
import { readIdx } from "../../src/data/idx.ts";
import { idxDataset } from "../../src/data/mnist.ts";
import { tarFiles } from "../../src/data/tar.ts";
import { parsedField } from "../../src/input/json.ts";
import { DIGITS, NETWORK_PRESETS, networkFromConfig } from "../../src/networks/registry.ts";
import { readModel, writeModel } from "../../src/networks/model_file.ts";
import { readSafetensors, writeSafetensors } from "../../src/networks/safetensors.ts";
import { readNpy, writeNpy } from "../../src/images/npy.ts";
import { decodePicture } from "../../src/images/picture_file.ts";
import { readCheckpoint, writeCheckpoint } from "../../src/training/checkpoint.ts";
import { checkRecipe } from "../../src/training/config_check.ts";
import { OPTIMIZER_DEFAULTS } from "../../src/training/optimizer.ts";
import { initialState, type TrainingConfig } from "../../src/training/train.ts";
import { type Draws, mutatedJson } from "../instruments/mutations.ts";
import { gzip, writeIdx } from "../instruments/file_writers.ts";

/** A reader. */
export interface Reader {
  /** What it reads. */
  readonly name: string;
  /** Sound files. */
  readonly seeds: () => Promise<readonly Uint8Array[]>;
  /** Reads a file and says whether the value is right as far as that can be seen; throws for what it refuses. */
  readonly read: (bytes: Uint8Array) => boolean | Promise<boolean>;
  /** Damage that checksums and lengths do not show: a header changed, its checksum right. */
  readonly deep?: (bytes: Uint8Array, draws: Draws) => Uint8Array;
}

const size = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const json = (bytes: Uint8Array, draws: Draws) => encode(mutatedJson(decode(bytes), draws));

const config: TrainingConfig = {
  model: {
    network: { kind: "mlp", dimensions: 2, hidden: 3, layers: 1, noiseFeatures: 4, classes: 0 },
    preconditioning: { sigmaData: 1, centre: 0 },
  },
  objective: { kind: "edm", mean: 0, std: 1, sigmaData: 1 },
  optimizer: OPTIMIZER_DEFAULTS,
  steps: 9,
  batch: 1,
  labelDropout: 0,
  seed: 0,
};
const { model: _, ...recipe } = config;
const plan = {
  format: "score-sde noise plan 2",
  data: "mnist",
  kind: "ncsn",
  largest: 1,
  smallest: 0.01,
  levels: 10,
  moves: 100,
  epsilon: 1e-5,
};

/** A safetensors file with another header, of the right length. */
function otherHeader(bytes: Uint8Array, draws: Draws): Uint8Array {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = encode(mutatedJson(decode(bytes.subarray(8, 8 + length)).trim(), draws));
  const all = new Uint8Array(bytes.length - length + header.length);
  new DataView(all.buffer).setBigUint64(0, BigInt(header.length), true);
  all.set(header, 8);
  all.set(bytes.subarray(8 + length), 8 + header.length);
  return all;
}

/** A PNG with a byte of one of its chunks changed, and its checksum right. */
function otherChunk(bytes: Uint8Array, draws: Draws): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const starts: number[] = [];
  for (let at = 8; at + 12 <= copy.length; at += 12 + view.getUint32(at)) starts.push(at);
  const at = draws.of(starts);
  const length = view.getUint32(at);
  if (length > 0) copy[at + 8 + draws.below(length)] = draws.of([0, 1, 2, 3, 16, 255, draws.below(256)]);
  view.setUint32(at + 8 + length, crc32(copy.subarray(at + 4, at + 8 + length)));
  return copy;
}

/** The sum that a tar header must state, put where it belongs. */
function sealed(tar: Uint8Array): Uint8Array {
  tar.fill(32, 148, 156);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.set(encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return tar;
}

function archive(): Uint8Array {
  const tar = new Uint8Array(2048);
  tar.set(encode("folder/name.bin"));
  tar.set(encode("00000000005\0"), 124);
  tar.set(encode("01234"), 512);
  return sealed(tar);
}

const corpus = (names: readonly string[]) => () =>
  Promise.all(
    names.map((name) =>
      Deno.readFile(new URL(`../../fixtures/files/images/corpus/${name}`, import.meta.url))
    ),
  );

const picture = async (bytes: Uint8Array) => {
  const { width, height, data } = await decodePicture(bytes, "a");
  return width > 0 && height > 0 && data.length === 4 * width * height &&
    data.every((value, i) => i % 4 < 3 || value === 255);
};

const plain = Uint8Array.from({ length: 3000 }, (_, i) => i * i % 251);

const isModel = ({ config, weights }: ReturnType<typeof readModel>) =>
  (config.preconditioning === null || config.preconditioning.sigmaData > 0) &&
  [...weights.values()].every((values) => values.every(Number.isFinite));

/** All readers. */
export const readers: readonly Reader[] = [
  {
    name: "safetensors",
    seeds: () =>
      Promise.resolve((["F32", "F16"] as const).map((type) =>
        writeSafetensors({
          tensors: new Map([["a", { shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) }], ["b", {
            shape: [],
            values: Float32Array.of(7),
          }]]),
          metadata: { step: "7" },
        }, type)
      )),
    read: (bytes) =>
      [...readSafetensors(bytes).tensors.values()].every(({ shape, values }) =>
        size(shape) === values.length
      ),
    deep: otherHeader,
  },
  {
    name: "model",
    seeds: () =>
      Promise.resolve([config.model.network, { ...DIGITS, widths: [8, 8], embedding: 4, noiseFeatures: 4 }, {
        ...NETWORK_PRESETS.tutorial,
        widths: [32, 32, 32, 32] as const,
        embedding: 2,
      }].map((network) =>
        writeModel({
          config: { network, preconditioning: null },
          weights: networkFromConfig(network).initialise(createRng(1)),
        })
      )),
    read: (bytes) => isModel(readModel(bytes)),
    deep: otherHeader,
  },
  {
    name: "checkpoint",
    seeds: () =>
      Promise.resolve([
        writeCheckpoint({
          config,
          state: initialState(networkFromConfig(config.model.network), 0),
          data: "points",
          dataset: { shape: [1, 1, 2], classes: ["a"], counts: [3], sha256: "ab" },
          changes: [{ step: 3, values: { rate: [1, 2] } }],
        }),
      ]),
    read(bytes) {
      const { config, state } = readCheckpoint(bytes);
      return config.objective.kind === "edm" && Number.isSafeInteger(config.steps) &&
        state.variance.every((v) => v >= 0) &&
        [state.weights, state.mean, state.ema].every((values) => values.every(Number.isFinite));
    },
    deep: otherHeader,
  },
  {
    name: "training config",
    seeds: () =>
      Promise.resolve([
        recipe,
        { ...recipe, objective: { kind: "levels", ratios: [1, 2] } },
        {
          ...recipe,
          flip: true,
          objective: {
            kind: "sde",
            sde: { kind: "ve", sigmaMin: 0.01, sigmaMax: 50 },
            weighting: "variance",
          },
        },
      ].map((value) => encode(JSON.stringify(value)))),
    read(bytes) {
      const value = parsedField("the training config", decode(bytes));
      checkRecipe(value);
      return Number.isSafeInteger(value.steps) && value.steps > 0 && value.optimizer.rate > 0;
    },
    deep: json,
  },
  {
    name: "npy",
    seeds: () =>
      Promise.resolve([
        writeNpy({ shape: [2, 3], values: new Float32Array(6) }),
        doubles(),
      ]),
    read(bytes) {
      const { shape, values } = readNpy(bytes);
      return size(shape) === values.length && shape.every((length) => Number.isSafeInteger(length));
    },
    deep(bytes, draws) {
      const text = String.fromCharCode(...bytes);
      const numbers = [...text.matchAll(/\d+|True|False|'<f\d'/g)];
      const { index, 0: word } = draws.of(numbers);
      const other = draws.of([
        "0",
        "-1",
        "1e9",
        "2 3",
        "99999999999999999999",
        "'>i8'",
        "'|u1'",
        "'<c8'",
        "None",
        "(1,",
      ]);
      // The header keeps its length: spaces before its end are taken for the longer word.
      const changed = (text.slice(0, index) + other + text.slice(index + word.length)).replace(
        / +\n/,
        (spaces) => `${" ".repeat(Math.max(0, spaces.length - 1 + word.length - other.length))}\n`,
      );
      return Uint8Array.from(changed, (letter) => letter.charCodeAt(0));
    },
  },
  {
    name: "PNG",
    seeds: corpus(["png_3_4.png", "png_2_8_i.png", "png_0_16.png", "png_3_8_trns.png", "png_iccp.png"]),
    read: picture,
    deep: otherChunk,
  },
  {
    name: "JPEG",
    seeds: corpus(["jpeg_ycc_0.jpg", "jpeg_ycc_2_p.jpg", "jpeg_cmyk.jpg", "jpeg_exif_6.jpg"]),
    read: picture,
  },
  {
    name: "IDX",
    seeds: () =>
      Promise.resolve([
        writeIdx({ shape: [2, 2, 3], values: new Uint8Array(12).fill(9) }),
        writeIdx({ shape: [2], values: Uint8Array.of(1, 9) }),
      ]),
    async read(bytes) {
      const { shape, values } = readIdx(bytes);
      if (shape.length !== 3) return size(shape) === values.length;
      const labels = writeIdx({ shape: [2], values: Uint8Array.of(1, 9) });
      const { count, images, shape: [height, width] } = await idxDataset(bytes, labels);
      return count === 2 && height > 0 && width > 0 && images.length === 2 * height * width;
    },
  },
  {
    name: "CIFAR-10",
    seeds: async () => [new Uint8Array(2 * 3073).fill(3), await gzip(new Uint8Array(3073).fill(9))],
    async read(bytes) {
      const { count, images, labels } = await cifar10Dataset([{ name: "a", bytes }]);
      return count > 0 && images.length === 3072 * count && labels.every((label) => label < 10);
    },
  },
  {
    name: "tar",
    seeds: () => Promise.resolve([archive()]),
    read: (bytes) => [...tarFiles(bytes).values()].every((file) => file.length <= bytes.length),
    deep(bytes, draws) {
      const copy = bytes.slice();
      const at = draws.of([0, 100, 124, 125, 130, 134, 135, 156, 157]);
      copy.set(encode(draws.of(["7", "-", " ", "\0", "77777777777", "x", "5"])), at);
      return sealed(copy);
    },
  },
  {
    name: "gzip",
    seeds: async () => [await gzip(plain)],
    async read(bytes) {
      const found = await gunzip(bytes);
      // The checksum is of the contents: what is accepted is what went in, or was no gzip.
      return found === bytes ||
        (found.length === plain.length && found.every((byte, i) => byte === plain[i]));
    },
  },
  {
    name: "noise plan",
    seeds: () =>
      Promise.resolve([
        encode(JSON.stringify(plan)),
        encode(JSON.stringify({ ...plan, format: "score-sde noise plan 1" })),
      ]),
    read(bytes) {
      const { largest, smallest, levels, moves, epsilon, data } = parsePlan(bytes, "a plan");
      return largest > smallest && smallest > 0 && levels <= 1e5 && moves <= 1e5 && epsilon > 0 &&
        typeof data === "string";
    },
    deep: json,
  },
  {
    name: "record of a run",
    seeds: () =>
      Promise.resolve([encode(JSON.stringify({ seed: 1, sampler: "ddim", label: "7", flip: true }))]),
    read: (bytes) =>
      Object.values(parseRecord(decode(bytes), "a record")).every((value) => typeof value !== "object"),
    deep: json,
  },
  {
    name: "record of batches",
    seeds: () =>
      Promise.resolve([encode(`{"seed":1}\n{"samples":4,"sha256":"ab"}\n{"samples":2,"sha256":"cd"}\n`)]),
    read(bytes) {
      const record = parseJournal(decode(bytes));
      return record === null ||
        record.batches.every(({ samples }) => Number.isSafeInteger(samples) && samples > 0);
    },
    deep: json,
  },
];

/** An npy file of float64. */
function doubles(): Uint8Array {
  const text = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }".padEnd(117) + "\n";
  const bytes = new Uint8Array(128 + 16);
  bytes.set([0x93, ...encode("NUMPY"), 1, 0, 118, 0]);
  bytes.set(encode(text), 10);
  return bytes;
}
