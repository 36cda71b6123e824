/** Claims about files of up to 10 MB that are made to cost time or memory: every reader answers them soon and in little. @module */
import process from "node:process";
import { promisify } from "node:util";
import { crc32, deflate } from "node:zlib";
import { parsePlan } from "../../../scripts/sampling/noise_plan_file.ts";
import { cifar10Dataset } from "../../../src/data/cifar10.ts";
import { gunzip } from "../../../src/data/gzip.ts";
import { readIdx } from "../../../src/data/idx.ts";
import { tarFiles } from "../../../src/data/tar.ts";
import { DIGITS } from "../../../src/networks/registry.ts";
import { readModel } from "../../../src/networks/model_file.ts";
import { readSafetensors } from "../../../src/networks/safetensors.ts";
import { readNpy } from "../../../src/images/npy.ts";
import { decodePicture } from "../../../src/images/picture_file.ts";
import { concatenated } from "../../../src/images/png_chunks.ts";
import { claim } from "../../suite/claim.ts";
import { gzip, writeIdx } from "../../instruments/file_writers.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** A safetensors file from a header's text. */
function safetensors(header: string, bytes = 0): Uint8Array {
  const text = encode(header);
  const all = new Uint8Array(8 + text.length + bytes);
  new DataView(all.buffer).setBigUint64(0, BigInt(text.length), true);
  all.set(text, 8);
  return all;
}

/** A text of about so many bytes, made of pieces. */
function filled(bytes: number, before: string, piece: (i: number) => string, after: string): string {
  const pieces: string[] = [];
  for (let length = 0, i = 0; length < bytes; i++) {
    pieces.push(piece(i));
    length += pieces[i].length + 1;
  }
  return before + pieces.join(",") + after;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** A PNG of one colour, with other chunks before its pixels. */
async function png(
  side: number,
  depth: number,
  colourType: number,
  others: Uint8Array[],
): Promise<Uint8Array> {
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, side);
  new DataView(header.buffer).setUint32(4, side);
  header.set([depth, colourType], 8);
  const channels = [1, 0, 3, 1, 2, 0, 4][colourType];
  const rows = new Uint8Array(side * (1 + Math.ceil(side * channels * depth / 8)));
  const pixels = new Uint8Array(await promisify(deflate)(rows));
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  return concatenated([
    signature,
    chunk("IHDR", header),
    ...others,
    chunk("IDAT", pixels),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/** What is read, as a file and its reader. */
type Case = readonly [
  what: string,
  make: () => Uint8Array | Promise<Uint8Array>,
  read: (bytes: Uint8Array) => unknown,
];

/** Files that a reader may take at most so many bytes of. */
function cases(most: number): readonly Case[] {
  const header = Math.min(most, 1_000_000);
  const tensor = `"dtype":"F32","shape":[0],"data_offsets":[0,0]`;
  const model = (network: object) => {
    const config = JSON.stringify(JSON.stringify({ network, preconditioning: null }));
    const free = `"__metadata__":{"format":"score-sde model 1","model":${config}}`;
    return safetensors(filled(header, `{${free},`, (i) => `"t${i}":{${tensor}}`, "}"));
  };
  const picture = (bytes: Uint8Array) => decodePicture(bytes, "a");
  const npy = () => {
    const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${most},), }\n`;
    const bytes = new Uint8Array(10 + text.length + most);
    bytes.set([0x93, ...encode("NUMPY"), 1, 0, text.length, 0, ...encode(text)]);
    return bytes;
  };
  const blank = new Uint8Array(Math.ceil(most / 512) * 512);
  return [
    [
      "tensors without numbers",
      () => safetensors(filled(header, "{", (i) => `"t${i}":{${tensor}}`, "}")),
      readSafetensors,
    ],
    [
      "empty lists in a header",
      () => safetensors(filled(header, `{"a":[`, () => "[]", "]}")),
      readSafetensors,
    ],
    [
      "empty objects in a header",
      () => safetensors(filled(header, `{"a":[`, () => "{}", "]}")),
      readSafetensors,
    ],
    [
      "names in a header",
      () => safetensors(filled(header, "{", (i) => `"${i.toString(36)}":0`, "}")),
      readSafetensors,
    ],
    ["a shape nested without end", () => safetensors(`{"a":${"[".repeat(most / 2)}`), readSafetensors],
    ["a long header", () => safetensors(" ".repeat(most)), readSafetensors],
    ["a long name", () => safetensors(`{"${"\\u001b".repeat(header / 7)}":0}`), readSafetensors],
    ["blocks as many as tensors", () => model({ ...DIGITS, blocks: Math.floor(header / 140) }), readModel],
    [
      "layers as many as tensors",
      () =>
        model({
          kind: "mlp",
          dimensions: 1,
          hidden: 1,
          layers: Math.floor(header / 80),
          noiseFeatures: 4,
          classes: 0,
        }),
      readModel,
    ],
    ["half-precision numbers", () => {
      const count = most / 2;
      return safetensors(`{"a":{"dtype":"F16","shape":[${count}],"data_offsets":[0,${most}]}}`, most);
    }, readSafetensors],
    ["bytes as npy", npy, readNpy],
    ["an IDX file", () => writeIdx({ shape: [most], values: new Uint8Array(most) }), readIdx],
    ["zeros in gzip", () => gzip(new Uint8Array(12 * most)), gunzip],
    [
      "CIFAR-10's records in gzip",
      () => gzip(new Uint8Array(3073 * Math.floor(6 * most / 3073))),
      (bytes: Uint8Array) => cifar10Dataset([{ name: "a", bytes }]),
    ],
    ["blocks of an archive", () => blank.map((_, at) => at % 512 === 0 ? 65 : 0), tarFiles],
    ["a plan of spaces", () => encode(" ".repeat(most)), (bytes: Uint8Array) => parsePlan(bytes, "a plan")],
    ["a PNG of 16 megapixels of 16 bits", () => png(most > 5e6 ? 4000 : 1000, 16, 6, []), picture],
    [
      "a PNG of 16 megapixels and a palette",
      () => png(most > 5e6 ? 4000 : 1000, 8, 3, [chunk("PLTE", new Uint8Array(30))]),
      picture,
    ],
    ["a PNG with a text that unpacks without end", async () => {
      const packed = await promisify(deflate)(new Uint8Array(30 * most));
      return await png(10, 8, 0, [chunk("zTXt", concatenated([encode("a\0\0"), packed]))]);
    }, picture],
    ["a PNG with a profile that unpacks without end", async () => {
      const packed = await promisify(deflate)(new Uint8Array(30 * most));
      return await png(10, 8, 0, [chunk("iCCP", concatenated([encode("a\0\0"), packed]))]);
    }, picture],
    [
      "a PNG of ten million chunks",
      () => png(10, 8, 0, new Array(Math.floor(most / 13)).fill(chunk("teSt", new Uint8Array(1)))),
      picture,
    ],
    ["a JPEG's marker without end", () => new Uint8Array(most).fill(0xff).with(1, 0xd8), picture],
  ];
}

claim("files crafted to exhaust time or memory are answered quickly and in little memory", async (check) => {
  const most = check.thorough ? 10_000_000 : 500_000;
  const rows: string[][] = [];
  for (const [what, make, read] of cases(most)) {
    const bytes = await make();
    const [started, memory] = [process.cpuUsage(), Deno.memoryUsage().rss];
    let answer = "read";
    try {
      await read(bytes);
    } catch (error) {
      answer = (error as Error).message;
    }
    const { user, system } = process.cpuUsage(started);
    // Of the processor: a machine that does other things as well takes longer.
    const seconds = (user + system) / 1e6;
    const grown = Math.max(0, Deno.memoryUsage().rss - memory);
    rows.push([
      what,
      String(bytes.length),
      answer.slice(0, 120),
      `${Math.round(1000 * seconds)} ms`,
      `${Math.round(grown / 1e6)} MB`,
    ]);
    check.atMost(
      `${what}, ${bytes.length} bytes (${answer.slice(0, 60)}): seconds`,
      seconds,
      2,
      "any file of up to 10 MB",
    );
    check.atMost(`${what}: bytes that memory grew`, grown, 5e8, "any file of up to 10 MB");
    check.atMost(`${what}: letters of the answer`, answer.length, 600, "one sentence");
  }
  check.table("files made to cost", ["file", "bytes", "answer", "time", "memory"], rows);
});
