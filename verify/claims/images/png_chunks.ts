/** Claims about PNG files with damaged ancillary chunks, and about how large a picture the tasks read. @module */
import { crc32, deflateSync } from "node:zlib";
import { loadTrainingData } from "../../../scripts/datasets/training_data.ts";
import { readInputs } from "../../../scripts/posterior/inputs.ts";
import { currentEngine } from "../../../src/compute/engine.ts";
import { decodePng } from "../../../src/images/png.ts";
import { concatenated } from "../../../src/images/png_chunks.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { run } from "../../instruments/run_task.ts";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** A chunk, with a wrong checksum if it is to be damaged. */
function chunk(type: string, data: Uint8Array, damaged = false): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)) ^ Number(damaged));
  return bytes;
}

/** The chunk IHDR of a picture of 8 bits a channel. */
function header(width: number, height: number, colourType: number): Uint8Array {
  const data = new Uint8Array(13);
  const view = new DataView(data.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  data.set([8, colourType], 8);
  return chunk("IHDR", data);
}

/** A colour profile that inflates to so many zeros. */
const profile = (length: number) =>
  concatenated([new TextEncoder().encode("p\0\0"), deflateSync(new Uint8Array(length))]);

claim("ancillary chunks, damaged ones too, leave a PNG file's pixels as they are", {
  engines: ["wasm"],
}, async (check) => {
  const pixels = chunk("IDAT", deflateSync(Uint8Array.of(0, 1, 2, 3, 4, 5, 6)));
  const end = chunk("IEND", new Uint8Array(0));
  const cases: [what: string, chunks: Uint8Array[]][] = [
    ["none", []],
    ["iCCP with a wrong checksum", [chunk("iCCP", profile(9), true)]],
    ["two of iCCP", [chunk("iCCP", profile(9)), chunk("iCCP", profile(9))]],
    ["iCCP that is not deflated", [chunk("iCCP", Uint8Array.of(112, 0, 0, 1, 2))]],
    ["iCCP that inflates to 64 MiB", [chunk("iCCP", profile(2 ** 26))]],
    ["pHYs of one byte", [chunk("pHYs", Uint8Array.of(1))]],
    ["two of pHYs", [chunk("pHYs", new Uint8Array(9)), chunk("pHYs", new Uint8Array(9))]],
    [
      "empty gAMA, cHRM, sRGB and sBIT",
      ["gAMA", "cHRM", "sRGB", "sBIT"].map((type) => chunk(type, new Uint8Array(0))),
    ],
    ["acTL of one byte", [chunk("acTL", Uint8Array.of(1))]],
    ["eXIf with a wrong checksum", [chunk("eXIf", Uint8Array.of(77, 77), true)]],
  ];
  const right = [1, 2, 3, 255, 4, 5, 6, 255];
  for (const [what, chunks] of cases) {
    const file = concatenated([SIGNATURE, header(2, 1, 2), ...chunks, pixels, end]);
    check.equal(
      what,
      [...(await decodePng(file)).data],
      right,
      "none of these chunks has to do with pixels as stored",
    );
  }
  const key = chunk("tRNS", Uint8Array.of(0, 4, 0, 5, 0, 6));
  const keyed = concatenated([SIGNATURE, header(2, 1, 2), cases[1][1][0], key, pixels, end]);
  check.equal(
    "tRNS",
    [...(await decodePng(keyed)).data],
    [...right.slice(0, 7), 0],
    "the second colour is the clear one",
  );
  for (const what of ["IHDR", "IDAT"]) {
    const damaged = concatenated([SIGNATURE, header(2, 1, 2), pixels, end]);
    damaged[what === "IHDR" ? 8 + 24 : 8 + 25 + pixels.length - 1] ^= 1;
    await check.throws(
      `${what} with a wrong checksum`,
      () => decodePng(damaged),
      /the checksum of a chunk is wrong/,
    );
  }
});

claim("colours beyond a palette of ten are refused, whatever the depth could name", {
  engines: ["wasm"],
}, async (check) => {
  const palette = chunk("PLTE", Uint8Array.from({ length: 30 }, (_, i) => 3 * i));
  const file = (...indices: number[]) =>
    concatenated([
      SIGNATURE,
      header(indices.length, 1, 3),
      palette,
      chunk("IDAT", deflateSync(Uint8Array.of(0, ...indices))),
      chunk("IEND", new Uint8Array(0)),
    ]);
  const [first, last] = [[0, 3, 6, 255], [81, 84, 87, 255]];
  check.equal(
    "the first and the last",
    [...(await decodePng(file(0, 9))).data],
    [...first, ...last],
    "the palette's",
  );
  for (const index of [10, 16, 255]) {
    await check.throws(
      `colour ${index}`,
      () => decodePng(file(0, index)),
      /a pixel's colour is not in its palette/,
    );
  }
});

claim(
  "tasks read pictures of up to 64 megapixels",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      // As long as so many pixels can be, and cut off: a reader that allows the size goes on to the chunks.
      const cut = (width: number, height: number) =>
        concatenated([
          SIGNATURE,
          header(width, height, 2),
          chunk("IDAT", new Uint8Array(10_000)).subarray(0, 9000),
        ]);
      const engine = currentEngine()!;
      const options = { shape: [28, 28, 1], resize: true, data: null, seed: 0, engine };
      for (
        const [width, height, words] of [
          [6000, 4000, /not a complete PNG file \(a chunk is cut off\)/],
          [8001, 8000, /8001×8000 pixels are more than the 64 megapixels allowed/],
        ] as const
      ) {
        const path = `${folder}/a.png`;
        await Deno.writeFile(path, cut(width, height));
        const what = `${width}×${height} pixels, cut off,`;
        await check.throws(
          `${what} in a folder`,
          () => loadTrainingData(folder, { size: 8 }),
          new RegExp(`${words.source}: remove it, or --skip-corrupt$`),
        );
        await check.throws(`${what} as --input`, () => readInputs({ kind: "picture", path }, options), words);
        const { code, stderr } = await run(
          "inpaint",
          "--engine",
          "wasm",
          "--mask",
          path,
          "--output",
          `${folder}/b.png`,
        );
        check.equal(`${what} as --mask`, [code, words.test(stderr)], [1, true], "the same limit");
      }
    }),
);
