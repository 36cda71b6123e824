/** What a finger does to levels and masks: draws with a pen as broad as MNIST's, wipes, erases and restores. @module */
import { BRIGHTEST } from "../settings/pixels.ts";
import { around } from "./pad.ts";

/** Pixels from the middle of a pen's stroke to where its ink ends, and where it begins to fade. */
const [INK_END, INK_FULL] = [1.9, 0.9];
/** Pixels from the middle of an eraser to its edge. */
const ERASER = 2.3;

/** A place on the board. */
type Place = Parameters<typeof around>[0];

/** Adds ink to levels. */
export function ink(levels: Uint8Array, place: Place): void {
  around(place, INK_END, (at, distance) => {
    const share = Math.min(1, (INK_END - distance) / (INK_END - INK_FULL));
    levels[at] = Math.max(levels[at], Math.round(BRIGHTEST * share));
  });
}

/** Sets what lies under an eraser to a value. */
export function wipe(values: Uint8Array, place: Place, value: 0 | 1): void {
  around(place, ERASER, (at) => values[at] = value);
}
