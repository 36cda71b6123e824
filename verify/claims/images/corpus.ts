/**
 * Pictures as programs write them, in every kind that their formats have, against pixels known by construction or decoded
 * by another library: fixtures/files/images/make_corpus.py.
 * @module
 */
import { crc32 } from "node:zlib";
import { maskFromPicture } from "../../../src/conditioning/masks.ts";
import { decodeJpeg } from "../../../src/images/jpeg.ts";
import { decodePicture } from "../../../src/images/picture_file.ts";
import { decodePng, encodePng } from "../../../src/images/png.ts";
import { concatenated } from "../../../src/images/png_chunks.ts";
import { claim } from "../../suite/claim.ts";

const folder = new URL("../../../fixtures/files/images/", import.meta.url);

/** Right pixels, by file name. */
interface Pixels {
  readonly width: number;
  readonly height: number;
  /** [height, width, 4] in base64. */
  readonly rgba: string;
}

async function corpus(): Promise<[name: string, bytes: Uint8Array, right: Pixels][]> {
  const pixels: Record<string, Pixels> = JSON.parse(await Deno.readTextFile(new URL("pixels.json", folder)));
  return await Promise.all(
    Object.entries(pixels).map(async ([name, right]): Promise<[string, Uint8Array, Pixels]> => [
      name,
      await Deno.readFile(new URL(`corpus/${name}`, folder)),
      right,
    ]),
  );
}

claim(
  "PNG and JPEG files of every kind are read as other decoders read them",
  { engines: ["wasm"] },
  async (check) => {
    const files = await corpus();
    check.equal(
      "files",
      [files.length, [...Deno.readDirSync(new URL("corpus", folder))].length],
      [72, 72],
      "five colour types at each depth, plain and interlaced, with transparency and other chunks; JPEG in every kind of colour, " +
        "subsampling, progression, restart interval and orientation",
    );
    for (const [name, bytes, { width, height, rgba }] of files) {
      const picture = await (name.endsWith(".png") ? decodePng(bytes, name) : decodeJpeg(bytes, name));
      const right = Uint8Array.fromBase64(rgba);
      check.equal(`${name}: size`, [picture.width, picture.height], [width, height], "as written");
      const inks = /cmyk|ycck/.test(name);
      check.atMost(
        `${name}: largest error of a level`,
        right.reduce((worst, value, i) => Math.max(worst, Math.abs(value - picture.data[i])), 0),
        inks ? 2 : 0,
        inks
          ? "libjpeg-turbo through Pillow; four inks become three colours with one more rounding, of luma and of chroma"
          : name.endsWith(".png")
          ? "known by construction"
          : "libjpeg-turbo through Pillow: decoders' sums of integers are the same",
      );
    }
  },
);

claim("a thousand damaged pictures leave the next one as readable as the first", async (check) => {
  const right = { width: 3, height: 2, data: new Uint8Array(24).fill(200) };
  const png = encodePng(right);
  const photo = await Deno.readFile(new URL("blocks.jpg", folder));
  const tables = photo.slice();
  const table = tables.findIndex((byte, at) => byte === 0xff && tables[at + 1] === 0xc4);
  tables.set([255, 255], table + 6);
  const kinds: [string, (bytes: Uint8Array) => Promise<unknown>, Uint8Array, Uint8Array][] = [
    ["PNG that is cut off", decodePng, png, png.subarray(0, 40)],
    ["JPEG without its end", decodeJpeg, photo, photo.subarray(0, photo.length - 2)],
    ["JPEG with too many codes", decodeJpeg, photo, tables],
  ];
  for (const [kind, decode, good, damaged] of kinds) {
    const first = await decode(good);
    let refused = 0;
    for (let i = 0; i < 1000; i++) await decode(damaged).catch(() => refused++);
    check.equal(`${kind}: refused`, refused, 1000, "each of them is damaged");
    check.equal(
      `${kind}: a whole file after them`,
      await decode(good),
      first,
      "files have nothing to do with each other",
    );
  }
});

claim("the size that a picture's header states is checked before anything is allocated", async (check) => {
  const good = encodePng({ width: 3, height: 2, data: new Uint8Array(24).fill(7) });
  const stated = (width: number, height: number) => {
    const bytes = good.slice();
    const view = new DataView(bytes.buffer);
    view.setUint32(16, width);
    view.setUint32(20, height);
    return bytes;
  };
  await check.throws(
    "a PNG of 10,001² pixels",
    () => decodePng(stated(10_001, 10_001), "a.png"),
    /^a\.png: 10001×10001 pixels are more than the 16 megapixels allowed$/,
  );
  await check.throws(
    "a short PNG of 4,000² pixels",
    () => decodePng(stated(4000, 4000), "a.png"),
    /^a\.png: its header states 4000×4000 pixels, more than its length can hold$/,
  );
  await check.throws(
    "a PNG without rows",
    () => decodePng(stated(3, 0), "a.png"),
    /^a\.png: a picture of 3×0 has no pixels$/,
  );
  const jpeg = await Deno.readFile(new URL("corpus/jpeg_grey.jpg", folder));
  const frame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0);
  const large = jpeg.slice();
  new DataView(large.buffer).setUint16(frame + 5, 4000);
  new DataView(large.buffer).setUint16(frame + 7, 4000);
  await check.throws(
    "a short JPEG of 4,000² pixels",
    () => decodeJpeg(large, "a.jpg"),
    /^a\.jpg: its header states 4000×4000 pixels, more than its length can hold$/,
  );
  const scans = concatenated([jpeg, ...new Array(200).fill(Uint8Array.of(0xff, 0xda, 0, 2))]);
  await check.throws(
    "a JPEG of 201 scans",
    () => decodeJpeg(scans, "a.jpg"),
    /^a\.jpg: not a complete JPEG file \(it has 201 scans, at most 96 are read\)$/,
  );
  await check.throws(
    "a limit of one's own",
    () => decodePicture(good, "a.png", 5),
    /^a\.png: 3×2 pixels are more than the 0\.000005 megapixels allowed$/,
  );
});

claim("a pixel whose colour is not in its file's palette is refused", async (check) => {
  for (const kind of ["3_2", "3_4", "3_8", "3_8_i", "3_8_trns"]) {
    const bytes = await Deno.readFile(new URL(`corpus/png_${kind}.png`, folder));
    const at = String.fromCharCode(...bytes).indexOf("PLTE") - 4;
    const after = at + 12 + new DataView(bytes.buffer).getUint32(at);
    const palette = new Uint8Array(15);
    palette.set(bytes.subarray(at, at + 11));
    const view = new DataView(palette.buffer);
    view.setUint32(0, 3);
    view.setUint32(11, crc32(palette.subarray(4, 11)));
    const one = concatenated([bytes.subarray(0, at), palette, bytes.subarray(after)]);
    await check.throws(
      `${kind} with a palette of one colour`,
      () => decodePng(one, "a.png"),
      /^a\.png: not a complete PNG file \(a pixel's colour is not in its palette\)$/,
    );
  }
});

claim("a transparent picture is composited on white, as data, as an input and as a mask", async (check) => {
  const [width, height] = [4, 2];
  /** The left half black and opaque, the right half black and clear. */
  const data = Uint8Array.from(
    { length: 4 * width * height },
    (_, at) => at % 4 === 3 && (at >> 2) % width < 2 ? 255 : 0,
  );
  const bytes = encodePng({ width, height, data });
  const seen = await decodePicture(bytes, "a.png");
  const [black, white] = [[0, 0, 0, 255], [255, 255, 255, 255]];
  const row = [black, black, white, white].flat();
  check.equal("the picture", [...seen.data], [...row, ...row], "hidden colours are not seen");
  const raw = await decodePng(bytes);
  check.equal(
    "the mask",
    [...maskFromPicture(raw, [height, width, 1])],
    [0, 0, 1, 1, 0, 0, 1, 1],
    "black hides, white and clear are known",
  );
  const erased = { width, height, data: data.map((value, at) => at % 4 === 3 ? 255 - value : 255) };
  await check.throws(
    "a white picture with an erased part",
    () => maskFromPicture(erased, [height, width, 1]),
    /^the mask hides nothing: paint black what is to be hidden; transparent pixels count as white/,
  );
});
