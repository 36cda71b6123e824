/** Claims about pictures and files of numbers. @module */
import { encodeGif } from "../../../src/images/gif.ts";
import { imageGrid } from "../../../src/images/grid.ts";
import { npyHeader, readNpy, readNpyNumbers, writeNpy } from "../../../src/images/npy.ts";
import { decodePng, encodePng, type Picture } from "../../../src/images/png.ts";
import { GifReader } from "../../instruments/gif_reader.ts";
import { claim } from "../../suite/claim.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";

claim("a grid places every pixel of every image in reading order", (check) => {
  const shape = [3, 4, 2, 1];
  const values = Float32Array.from({ length: 24 }, (_, i) => (10 * i + 3) / 255);
  const grid = imageGrid(values, shape, { columns: 2, scale: 3, gap: 1 });
  check.equal(
    "size",
    [grid.width, grid.height],
    [2 * 7 + 1, 2 * 13 + 1],
    "2 columns of 2·3 + 1, 2 rows of 4·3 + 1, plus 1",
  );
  let wrong = 0;
  for (let image = 0; image < 3; image++) {
    for (let y = 0; y < 12; y++) {
      for (let x = 0; x < 6; x++) {
        const expected = 10 * (image * 8 + Math.floor(y / 3) * 2 + Math.floor(x / 3)) + 3;
        const [red, green, blue, alpha] = pixel(
          grid,
          1 + image % 2 * 7 + x,
          1 + Math.floor(image / 2) * 13 + y,
        );
        if (red !== expected || green !== expected || blue !== expected || alpha !== 255) wrong++;
      }
    }
  }
  check.equal("misplaced screen pixels", wrong, 0, "row-major order: images, rows, columns");
  const colours = imageGrid(new Float32Array([1, .5, 0]), [1, 1, 1, 3], { scale: 1, gap: 0 });
  check.equal("a colour", [...colours.data], [255, 128, 0, 255], "red, green, blue, opaque");
  const clamped = imageGrid(new Float32Array([-1, 2]), [2, 1, 1, 1], { scale: 1, gap: 0 });
  check.equal(
    "values beyond the range",
    [clamped.data[0], clamped.data[4]],
    [0, 255],
    "clamped, never wrapped around",
  );
});

claim("a grid of an impossible shape or layout is refused", async (check) => {
  const grid = (shape: number[], layout = {}) => () => imageGrid(new Float32Array(4), shape, layout);
  await check.throws("two channels", grid([1, 2, 1, 2]), /\[N, height, width, 1 or 3\], got \[1, 2, 1, 2\]/);
  await check.throws("too few values", grid([2, 2, 2, 1]), /does not fit 4 values/);
  await check.throws("no images", grid([0, 2, 2, 1]), /does not fit 4 values/);
  await check.throws(
    "half a column",
    grid([1, 2, 2, 1], { columns: .5 }),
    /columns must be an integer of at least 1/,
  );
});

claim("PNG keeps every byte of a picture, and other writers' PNG files are read", async (check) => {
  const pictures = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer());
  await checkProperty(
    check,
    "written and read",
    pictures,
    async ([width, height, seed]) => {
      const data = Uint8Array.from(
        { length: width * height * 4 },
        (_, i) => Math.imul(i + seed, 2654435761) >>> 24,
      );
      const back = await decodePng(encodePng({ width, height, data }));
      return back.width === width && back.height === height && String(back.data) === String(data);
    },
    "lossless",
  );
  const source = "made with Python's zlib and struct from the PNG specification (RFC 2083)";
  const read = async (hex: string) => [...(await decodePng(Uint8Array.fromHex(SIGNATURE + hex))).data];
  const grey = (...levels: number[]) => levels.flatMap((level) => [level, level, level, 255]);
  const bits = [255, 0, 255, 255, 0, 0, 255, 0, 0, 255];
  check.equal("1-bit grey, 5×2", await read(GREY_1), grey(...bits), source);
  const [black, red, green, blue] = [[0, 0, 0, 255], [255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255]];
  const painted = [black, red, green, blue, green, red].flat();
  check.equal("2-bit palette, 3×2", await read(PALETTE_2), painted, source);
  check.equal("16-bit grey, 2×1", await read(GREY_16), grey(0x12, 0xff), source);
  check.equal("8-bit RGB, 2×1", await read(RGB_8), [1, 2, 3, 255, 4, 5, 6, 255], source);
  check.equal("8-bit grey with alpha, 2×1", await read(GREY_ALPHA_8), [1, 1, 1, 2, 3, 3, 3, 4], source);
});

claim("a damaged PNG file is refused", async (check) => {
  const good = encodePng({ width: 3, height: 2, data: new Uint8Array(24).fill(7) });
  const isRefused = async (bytes: Uint8Array): Promise<boolean> => {
    try {
      const { width, height, data } = await decodePng(bytes, "file-name");
      return data.length === width * height * 4;
    } catch (error) {
      return error instanceof RangeError && error.message.startsWith("file-name: ");
    }
  };
  const source = "a picture or a RangeError that names the file";
  await checkProperty(check, "any bytes", fc.uint8Array({ maxLength: 80 }), isRefused, source);
  await checkProperty(
    check,
    "one byte changed",
    fc.tuple(fc.nat({ max: good.length - 1 }), fc.integer({ min: 1, max: 255 })),
    ([at, change]) => isRefused(good.map((byte, i) => i === at ? byte ^ change : byte)),
    source,
  );
  const broken = good.map((byte, i) => i === good.length - 13 ? byte ^ 1 : byte);
  await check.throws("a wrong checksum of the pixels", () => decodePng(broken, "a.png"), /^a\.png: not a/);
  for (const length of [0, 20, 45, good.length - 14]) {
    await check.throws(
      `cut to ${length} bytes`,
      () => decodePng(good.subarray(0, length), "a.png"),
      /^a\.png: not a/,
    );
  }
});

claim("a GIF has every frame with its greys and its delay, and repeats", (check) => {
  const [width, height] = [16, 17];
  const frames = [0, 1, 2].map((frame): Picture => ({
    width,
    height,
    data: Uint8Array.from(
      { length: width * height * 4 },
      (_, i) => i % 4 === 3 ? 255 : ((i >> 2) + 50 * frame) % 256,
    ),
  }));
  const reader = new GifReader(encodeGif(frames, { delay: 80, lastDelay: 1000 }));
  const source = "omggif 1.0.10, a reader independent of the writer";
  check.equal("size", [reader.width, reader.height], [width, height], source);
  check.equal("frames", reader.numFrames(), 3, source);
  check.equal("repeats", reader.loopCount(), 0, "0 is for ever");
  const delays = [0, 1, 2].map((frame) => reader.frameInfo(frame).delay);
  check.equal("hundredths of a second", delays, [8, 8, 100], source);
  frames.forEach((frame, at) => {
    const pixels = new Uint8Array(width * height * 4);
    reader.decodeAndBlitFrameRGBA(at, pixels);
    check.equal(`frame ${at}`, pixels, frame.data, "256 grey levels fit the palette");
  });
  const colours = { width: 2, height: 1, data: new Uint8Array([255, 0, 0, 255, 0, 0, 255, 255]) };
  const pixels = new Uint8Array(8);
  new GifReader(encodeGif([colours])).decodeAndBlitFrameRGBA(0, pixels);
  const worst = Math.max(...pixels.map((value, i) => Math.abs(value - colours.data[i])));
  check.atMost("two colours", worst, 8, "quantized in 5 bits a channel");
});

claim("an animation without frames, or with frames that differ in size, is refused", async (check) => {
  const frame = (width: number): Picture => ({ width, height: 1, data: new Uint8Array(4 * width) });
  await check.throws("no frames", () => encodeGif([]), /at least one frame, got 0/);
  await check.throws(
    "two sizes",
    () => encodeGif([frame(2), frame(3)]),
    /must be 2×1 like the first, frame 1 is 3×1/,
  );
});

claim(
  "npy files of other number types are read in both byte orders, and values beyond float32 are refused",
  async (check) => {
    const file = (type: string, bytes: readonly number[], shape = "(2,)", order = "False") => {
      const text = `{'descr': '${type}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;
      return Uint8Array.from([
        0x93,
        ...[..."NUMPY"].map((letter) => letter.charCodeAt(0)),
        1,
        0,
        text.length,
        0,
        ...[...text].map((letter) => letter.charCodeAt(0)),
        ...bytes,
      ]);
    };
    const one = [0x3f, 0xf0, 0, 0, 0, 0, 0, 0];
    const minusTwo = [0xc0, 0, 0, 0, 0, 0, 0, 0];
    const cases: [type: string, bytes: readonly number[], values: readonly number[]][] = [
      ["<f8", [...one.toReversed(), ...minusTwo.toReversed()], [1, -2]],
      [">f8", [...one, ...minusTwo], [1, -2]],
      [">f4", [0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0], [1, -2]],
      ["|u1", [7, 255], [7, 255]],
      ["|i1", [7, 255], [7, -1]],
      ["<u2", [1, 0, 0, 1], [1, 256]],
      [">u2", [1, 0, 0, 1], [256, 1]],
      ["<i2", [255, 255, 1, 0], [-1, 1]],
      [">i4", [255, 255, 255, 255, 0, 0, 1, 0], [-1, 256]],
      ["<u4", [0, 0, 0, 128, 1, 0, 0, 0], [2 ** 31, 1]],
      ["<i8", [255, 255, 255, 255, 255, 255, 255, 255, 5, 0, 0, 0, 0, 0, 0, 0], [-1, 5]],
      [">u8", [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 5], [256, 5]],
      ["<f2", [0, 0x3c, 0, 0xc0], [1, -2]],
      ["|b1", [1, 0], [1, 0]],
    ];
    for (const [type, bytes, values] of cases) {
      check.equal(
        type,
        readNpy(file(type, bytes)),
        { shape: [2], values: Float32Array.from(values) },
        "numpy.dtype",
      );
    }
    const refused = (what: string, bytes: Uint8Array, message: RegExp) =>
      check.throws(what, () => readNpy(bytes, "a.npy"), message);
    await refused(
      "2²⁴ + 1",
      file("<i4", [1, 0, 0, 1], "(1,)"),
      /^a\.npy: value 0 is 16777217, which float32 cannot hold$/,
    );
    await refused(
      "1e300",
      file(">f8", [0x7e, 0x37, 0xe4, 0x3c, 0x88, 0, 0x75, 0x9c], "()"),
      /which float32 cannot hold$/,
    );
    check.equal(
      "Fortran order",
      [...readNpy(file("|u1", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], "(3, 2, 2)", "True")).values],
      [1, 7, 4, 10, 2, 8, 5, 11, 3, 9, 6, 12],
      "numpy.arange(1, 13).reshape((3, 2, 2), order='F').ravel()",
    );
    check.equal(
      "Fortran order of one axis",
      [...readNpy(file("|u1", [7, 8], "(2,)", "True")).values],
      [7, 8],
      "the same in both orders",
    );
    check.equal(
      "float64 as stored",
      readNpyNumbers(file(">f8", [0x3f, 0xf0, 0, 0, 0, 0, 0, 1], "(1,)")),
      { shape: [1], type: "f8", values: Float64Array.of(1 + 2 ** -52) },
      "one unit in the last of 53 bits",
    );
    check.equal(
      "bytes as stored",
      readNpyNumbers(file("|u1", [7, 255])),
      { shape: [2], type: "u1", values: Uint8Array.of(7, 255) },
      "a byte each",
    );
    await refused(
      "objects",
      file("|O", [7, 8]),
      /"\|O" \(Python objects: convert with array\.astype\(float\)/,
    );
    await refused("complex", file("<c8", [7, 8]), /"<c8" \(complex numbers: store real and imaginary parts/);
    for (const type of ["<c8", "|S4", "|f8", "constructor"]) {
      await refused(type, file(type, [7, 8]), /^a\.npy: the values are "/);
    }
    for (
      const shape of ["(2 3,)", "(,)", "(-1,)", "(1e3,)", "(99999999999999999999,)", `(${"1,".repeat(40)})`]
    ) {
      await refused(`shape ${shape.slice(0, 40)}`, file("|u1", [7, 8], shape), /^a\.npy: the shape is "\(/);
    }
    await check.throws(
      "a limit of one's own",
      () => readNpy(file("|u1", [7, 8]), "a.npy", 1),
      /holds 2 values, at most 1 are read$/,
    );
  },
);

claim("npy files equal NumPy's byte for byte, and other files are refused", async (check) => {
  const numpy = await Deno.readFile(new URL("../../../fixtures/files/numpy_2x3.npy", import.meta.url));
  const values = Float32Array.from([0, 1, 2, 3, 4, 5], (i) => (i - 2.5) / 3);
  const source = "numpy.save((numpy.arange(6, dtype='<f4').reshape(2, 3) - 2.5) / 3), numpy 2.4.6";
  check.equal("read", readNpy(numpy), { shape: [2, 3], values }, source);
  check.equal("written", writeNpy({ shape: [2, 3], values }), new Uint8Array(numpy), source);
  const header = String.fromCharCode(...npyHeader([4])).slice(10);
  check.holds(
    "one dimension",
    header.startsWith("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }"),
    "a tuple in Python",
  );
  const array = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 });
  await checkProperty(check, "written and read", array, (shape) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const back = readNpy(writeNpy({ shape, values: new Float32Array(size).fill(NaN) }));
    return String(back.shape) === String(shape) && back.values.length === size &&
      back.values.every(Number.isNaN);
  }, "the inverse of each other");
  const text = String.fromCharCode(...numpy);
  const edited = (from: string, to: string): Uint8Array =>
    Uint8Array.from(text.replace(from, to), (letter) => letter.charCodeAt(0));
  const refused = (what: string, bytes: Uint8Array, message: RegExp) =>
    check.throws(what, () => readNpy(bytes, "a.npy"), message);
  await refused("float64", edited("<f4", "<f8"), /truncated: the shape \[2, 3\] needs 48 bytes/);
  check.equal(
    "Fortran order",
    [...readNpy(edited("False", "True "), "a.npy").values],
    [0, 2, 4, 1, 3, 5].map((at) => values[at]),
    "the first axis, of two, runs fastest",
  );
  await refused(
    "records",
    edited("'<f4'", "[('a', '<f4')]"),
    /^a\.npy: the values are records with fields: store one array of numbers$/,
  );
  await refused("a future version", edited("Y\x01", "Y\x09"), /version 9 is unknown/);
  await refused("no shape", edited("'shape'", "'shade'"), /no descr, fortran_order and shape/);
  await refused(
    "cut short",
    numpy.subarray(0, 150),
    /truncated: the shape \[2, 3\] needs 24 bytes .* found 22/,
  );
  await refused("a byte too many", new Uint8Array([...numpy, 0]), /trailing bytes: .* found 25/);
  await refused("a header beyond the file", numpy.subarray(0, 40), /truncated: the header ends at byte 128/);
  await check.throws(
    "a shape that does not fit",
    () => writeNpy({ shape: [2], values }),
    /needs 2 values, got 6/,
  );
  const survives = (bytes: Uint8Array): boolean => {
    try {
      return readNpy(bytes, "file-name") !== null;
    } catch (error) {
      return error instanceof RangeError && error.message.startsWith("file-name: ");
    }
  };
  const headed = fc.uint8Array({ maxLength: 40 }).map((rest) =>
    new Uint8Array([...numpy.subarray(0, 10), ...rest])
  );
  await checkProperty(
    check,
    "any bytes",
    fc.uint8Array({ maxLength: 40 }),
    survives,
    "a value or a RangeError",
  );
  await checkProperty(check, "a good start and any bytes", headed, survives, "a value or a RangeError");
});

function pixel(picture: Picture, x: number, y: number): number[] {
  return [...picture.data.subarray((y * picture.width + x) * 4, (y * picture.width + x) * 4 + 4)];
}

const SIGNATURE = "89504e470d0a1a0a0000000d49484452";
const GREY_1 =
  "00000005000000020100000000b8112bf00000000c4944415478da63d8c0e00100025c00f9a9919a0a0000000049454e44ae426082";
const PALETTE_2 =
  "00000003000000020203000000e01a8e890000000c504c5445000000ff000000ff000000ff9bc013dc0000000c4944415478da639060780200013000fd6830cfdf0000000049454e44ae426082";
const GREY_16 =
  "0000000200000001100000000081d9fc150000000d4944415478da631032f9ff1f0003e60245f11c84650000000049454e44ae426082";
const RGB_8 =
  "000000020000000108020000007b40e8dd0000000f4944415478da636064626661650300003f001698c168130000000049454e44ae426082";
const GREY_ALPHA_8 =
  "000000020000000108040000005e2bb7010000000d4944415478da636064626601000019000b380454b40000000049454e44ae426082";
