/** Resizes pictures. @module */
import type { Picture } from "./png.ts";

/**
 * Resizes a picture: every new pixel is the mean of the old ones that it covers, weighted by area.
 *
 * @throws {RangeError} When a side is not a positive integer.
 */
export function resizePicture(picture: Picture, width: number, height: number): Picture {
  for (const side of [width, height]) {
    if (!(Number.isInteger(side) && side > 0)) {
      throw new RangeError(`a picture's sides must be positive integers, got ${width}×${height}`);
    }
  }
  const across = coverage(picture.width, width);
  const down = coverage(picture.height, height);
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 4; channel++) {
        let sum = 0;
        for (const [row, rowShare] of down[y]) {
          for (const [column, columnShare] of across[x]) {
            sum += rowShare * columnShare * picture.data[(row * picture.width + column) * 4 + channel];
          }
        }
        data[(y * width + x) * 4 + channel] = Math.round(sum);
      }
    }
  }
  return { width, height, data };
}

/**
 * For each of `to` equal parts of a line, the indices of the `from` equal parts that it overlaps, with their weights.
 */
function coverage(from: number, to: number): (readonly [part: number, share: number])[][] {
  const length = from / to;
  return Array.from({ length: to }, (_, part) => {
    const [start, end] = [part * length, (part + 1) * length];
    const first = Math.floor(start);
    const last = Math.min(from, Math.ceil(end));
    return Array.from({ length: last - first }, (_, i) => {
      const overlap = Math.min(end, first + i + 1) - Math.max(start, first + i);
      return [first + i, overlap / length] as const;
    });
  });
}
