/** A GIF reader independent of the project's writer; typed here, because the package is not. @module */
import * as omggif from "npm:omggif@1.0.10";

/** The part of omggif's reader that is used. */
interface Reader {
  readonly width: number;
  readonly height: number;
  numFrames(): number;
  /** 0 means for ever. */
  loopCount(): number | null;
  /** The delay is in hundredths of a second. */
  frameInfo(frame: number): { readonly delay: number };
  decodeAndBlitFrameRGBA(frame: number, pixels: Uint8Array): void;
}

/** Opens the bytes of a GIF file. */
export const GifReader = omggif.GifReader as new (bytes: Uint8Array) => Reader;
