/** The pixels of a stroke and of its ground in an image of two colours, without knowing what is drawn. @module */

/** How much nearer to the ground's colour than a neighbour a pixel of the stroke may be, as a share of the distance. */
const TOLERANCE = 0.1;

/** Pixels of an RGB image, by their index in rows; those on the edge between stroke and ground are in neither. */
interface ColourRegions {
  /** Pixels that the pen covers; none where the image has one colour. */
  readonly stroke: readonly number[];
  /** Pixels around which the pen covers none; never empty. */
  readonly ground: readonly number[];
}

/**
 * Divides an image into two groups by the two-means of its colours. The larger group is the ground; a pixel of it
 * counts if all its neighbours, of which there are eight, belong to it, too, or all of it where there is no such pixel.
 * A pixel of the stroke counts if no neighbour's colour is more than a tenth farther from that of the ground: strokes
 * are one to four pixels wide, so that their pixels have the ground beside them, but a pixel that the pen covers in
 * part has a neighbour that it covers whole. Colours that change along a stroke, slowly enough, leave no pixel out.
 *
 * @param image [height, width, 3], of any scale.
 */
export function colourRegions(image: ArrayLike<number>, height: number, width: number): ColourRegions {
  const pixels = height * width;
  const all = Array.from({ length: pixels }, (_, pixel) => pixel);
  const groups = twoMeans(image, pixels);
  if (groups === null) return { stroke: [], ground: all };
  const inFirst = groups.reduce((sum, group) => sum + (group === 0 ? 1 : 0), 0);
  const larger = 2 * inFirst >= pixels ? 0 : 1;
  const ground = all.filter((pixel) => groups[pixel] === larger);
  const inner = ground.filter((pixel) =>
    everyNeighbour(pixel, height, width, (other) => groups[other] === larger)
  );
  const core = inner.length > 0 ? inner : ground;
  const colour = meanColour(image, core);
  const far = all.map((pixel) => Math.sqrt(squaredDistance(image, pixel, colour)));
  const stroke = all.filter((pixel) =>
    groups[pixel] !== larger &&
    everyNeighbour(pixel, height, width, (other) => far[pixel] >= (1 - TOLERANCE) * far[other])
  );
  return { stroke, ground: core };
}

/** The mean colour of some pixels of an RGB image. */
export function meanColour(image: ArrayLike<number>, pixels: readonly number[]): number[] {
  const mean = [0, 0, 0];
  for (const pixel of pixels) {
    for (let c = 0; c < 3; c++) mean[c] += image[3 * pixel + c];
  }
  // Sums of bytes are exact, so that the mean of equal ones is their value.
  return mean.map((sum) => sum / pixels.length);
}

/**
 * The group of each pixel, 0 or 1, by Lloyd's iteration from two extreme colours: the one farthest from the mean, and the
 * one farthest from that. Null for one colour.
 */
function twoMeans(image: ArrayLike<number>, pixels: number): Uint8Array | null {
  const all = Array.from({ length: pixels }, (_, pixel) => pixel);
  const farthest = (colour: readonly number[]) => {
    let [found, most] = [0, -1];
    for (const pixel of all) {
      const distance = squaredDistance(image, pixel, colour);
      if (distance > most) [found, most] = [pixel, distance];
    }
    return [0, 1, 2].map((c) => image[3 * found + c]);
  };
  let first = farthest(meanColour(image, all));
  let second = farthest(first);
  if (first.every((value, c) => value === second[c])) return null;
  const groups = new Uint8Array(pixels);
  for (;;) {
    let changed = false;
    for (const pixel of all) {
      const group = squaredDistance(image, pixel, second) < squaredDistance(image, pixel, first) ? 1 : 0;
      changed ||= groups[pixel] !== group;
      groups[pixel] = group;
    }
    // The sum of squares falls with every change, so that groups cannot come again and the loop ends.
    if (!changed) return groups;
    first = meanColour(image, all.filter((pixel) => groups[pixel] === 0));
    second = meanColour(image, all.filter((pixel) => groups[pixel] === 1));
  }
}

/** Whether a condition holds for all pixels around one, within the image. */
function everyNeighbour(
  pixel: number,
  height: number,
  width: number,
  holds: (other: number) => boolean,
): boolean {
  const [row, column] = [Math.floor(pixel / width), pixel % width];
  for (let y = Math.max(0, row - 1); y <= Math.min(height - 1, row + 1); y++) {
    for (let x = Math.max(0, column - 1); x <= Math.min(width - 1, column + 1); x++) {
      if ((y !== row || x !== column) && !holds(y * width + x)) return false;
    }
  }
  return true;
}

function squaredDistance(image: ArrayLike<number>, pixel: number, colour: readonly number[]): number {
  const at = 3 * pixel;
  return (image[at] - colour[0]) ** 2 + (image[at + 1] - colour[1]) ** 2 + (image[at + 2] - colour[2]) ** 2;
}
