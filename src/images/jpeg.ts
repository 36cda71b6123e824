/** Reads JPEG files. @module */
import decode, { init } from "npm:@jsquash/jpeg@1.6.0/decode.js";
import jpeg from "npm:jpeg-js@0.4.4";
import { packageFile } from "../input/address.ts";
import { checkPixels, MOST_PIXELS } from "./picture_size.ts";
import type { Picture } from "./png.ts";
import { requireBytes, requireText } from "../input/require.ts";

/** The codec's code; in browsers the package fetches it from beside itself. */
const CODE = () => import.meta.resolve("npm:@jsquash/jpeg@1.6.0/codec/dec/mozjpeg_dec.wasm");

/** The codec's messages about the file that it decodes. */
let printed: string[] = [];

/** Whether there is a codec instance that has not failed yet. */
let started = false;

/** Files are decoded one after the other, so that the codec's messages belong to one file. */
let queue: Promise<unknown> = Promise.resolve();

/** The largest number of scans of a file; a progressive one has about ten, and each takes a pass over all pixels. */
const MOST_SCANS = 96;

/**
 * Reads a JPEG file into 8-bit RGBA: baseline or progressive; grey, YCbCr, RGB, CMYK or YCCK; turned as its EXIF
 * orientation says.
 *
 * @param bytes The whole file, of at most 96 scans, fewer of a large picture.
 * @param name The file's name in errors.
 * @param most The largest number of pixels, by default 16 million; a quarter of that for a file of four inks.
 * @throws {RangeError} When the bytes are not a complete JPEG file, or its header states more pixels than the file
 * can hold.
 */
export async function decodeJpeg(
  bytes: Uint8Array,
  name = "JPEG data",
  most: number = MOST_PIXELS,
): Promise<Picture> {
  requireBytes("JPEG data", bytes);
  requireText("name", name);
  const broken = (reason: string) => new RangeError(`${name}: not a complete JPEG file (${reason})`);
  const frame = frameOf(bytes);
  if (frame === null) throw broken("it states no size");
  // A block of 16×16 pixels takes at least one bit.
  const inks = frame.components === 4;
  const pixels = inks ? most / 4 : most;
  checkPixels(frame.width, frame.height, { possible: 256 * 8 * bytes.length, most: pixels, name });
  const scans = scansOf(bytes);
  // Fewer scans for a large picture, as each takes a pass over all pixels.
  const fewest = Math.min(MOST_SCANS, Math.ceil(MOST_SCANS / 4 * pixels / (frame.width * frame.height)));
  if (scans > fewest) throw broken(`it has ${scans} scans, at most ${fewest} are read`);
  const turn = queue.then(() => inks ? decodeInks(bytes, most) : decodeColours(bytes));
  queue = turn.catch(() => {});
  try {
    return await turn;
  } catch (error) {
    throw broken(reasonOf(error instanceof Error ? error.message : String(error)));
  }
}

/** A codec's message about a file, reworded. */
function reasonOf(message: string): string {
  if (/premature|end of|unexpected eof/i.test(message)) return "it is cut off";
  return /unsupported|not supported/i.test(message)
    ? "it is of a kind that is not read"
    : "its data are damaged";
}

/**
 * How many scans a file has; scans' data contain no markers (0xff is followed by 0), so that 0xff 0xda begins a scan
 * or is in a header.
 */
function scansOf(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(0xff); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === 0xda) count++;
  }
  return count;
}

async function decodeColours(bytes: Uint8Array): Promise<Picture> {
  if (!started) {
    const print = (line: string) => printed.push(line);
    const code = await packageFile(CODE);
    const module = code && await WebAssembly.compile(code);
    // The package's declarations lack the second argument.
    await (init as (module: WebAssembly.Module | undefined, options: object) => Promise<void>)(module, {
      print,
      printErr: print,
    });
    started = true;
  }
  printed = [];
  const copy = new Uint8Array(bytes);
  let picture: { width: number; height: number; data: ArrayLike<number> };
  try {
    picture = await decode(copy.buffer, { preserveOrientation: true });
  } catch {
    // The failed instance keeps its memory, and after some hundred such files it would hang: the next file gets a new
    // one.
    started = false;
    throw new Error(printed[0] ?? "its data are damaged");
  }
  // The codec continues after damage, with grey in the place of the damaged part.
  const damage = printed.find((line) => /corrupt|premature|bogus|invalid|unsupported/i.test(line));
  if (damage !== undefined) throw new Error(damage);
  return { width: picture.width, height: picture.height, data: new Uint8Array(picture.data) };
}

/** Decodes files of four inks, which the first codec does not convert to RGB, by pureimage's codec. */
function decodeInks(bytes: Uint8Array, most: number): Picture {
  const { width, height, data } = jpeg.decode(bytes, {
    useTArray: true,
    tolerantDecoding: false,
    maxResolutionInMP: most / 1e6,
    maxMemoryUsageInMB: 2048,
  });
  return { width, height, data: new Uint8Array(data) };
}

/** The size and the number of components that the frame header states; null without a frame header. */
function frameOf(bytes: Uint8Array): { width: number; height: number; components: number } | null {
  const word = (at: number) => bytes[at] * 256 + bytes[at + 1];
  let at = 2;
  while (at + 9 < bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at++;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { width: word(at + 7), height: word(at + 5), components: bytes[at + 9] };
    at += 2 + word(at + 2);
  }
  return null;
}
