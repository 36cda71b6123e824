/**
 * The modes of a mixture in an address: "x,y,weight" for each, with semicolons between.
 * @module
 */
import { type Field, quoted, real } from "./field.ts";

/** One mode of a mixture in the plane. */
export interface Mode {
  /** Its centre. */
  readonly x: number;
  /** Its centre. */
  readonly y: number;
  /** In proportion to its probability. */
  readonly weight: number;
}

/** The most modes. */
export const MOST_MODES = 6;
/** Half the side of the square that is shown. */
export const HALF_SIDE = 3;

const coordinate = real(-HALF_SIDE, HALF_SIDE, 0);
const weight = real(0.05, 1, 0.5);

/** From one mode to six. */
export function modesField(standard: readonly Mode[]): Field<readonly Mode[]> {
  return {
    default: standard,
    read(text) {
      const parts = text.split(";");
      if (parts.length > MOST_MODES) {
        throw new RangeError(`must be at most ${MOST_MODES} modes, got ${parts.length}`);
      }
      return parts.map((part) => {
        const numbers = part.split(",");
        if (numbers.length !== 3) {
          throw new RangeError(`must be modes as x,y,weight with semicolons between, got ${quoted(text)}`);
        }
        return {
          x: coordinate.read(numbers[0]),
          y: coordinate.read(numbers[1]),
          weight: weight.read(numbers[2]),
        };
      });
    },
    write: (modes) =>
      modes.map((mode) => [mode.x, mode.y, mode.weight].map(coordinate.write).join(",")).join(";"),
  };
}

/** A mode moved to a place, kept within the square. */
export function movedMode(mode: Mode, x: number, y: number): Mode {
  const kept = (value: number) =>
    Math.min(HALF_SIDE, Math.max(-HALF_SIDE, Math.round(value * 100) / 100)) + 0;
  return { ...mode, x: kept(x), y: kept(y) };
}
