/**
 * Procedural digits: strokes of varied shape, slant, thickness, size and place, for training and tests without a
 * download. White on black, 28×28, one channel, like MNIST.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import type { ImageDataset } from "./dataset.ts";
import { requireWhole } from "../input/require.ts";
import { requireRng } from "../input/require_parts.ts";

const SIZE = 28;

/**
 * Points in the unit square (x to the right, y down) that a smooth pen line passes through; a doubled point is a
 * corner.
 */
type Stroke = readonly (readonly [number, number])[];

/**
 * The variants of each digit: a list of strokes for each, "x,y x,y …" as in SVG, or "ring x,y rx,ry" for a closed
 * ellipse. A digit's variant is drawn at random.
 */
const FORMS: readonly (readonly (readonly Stroke[])[])[] = [
  [
    ["ring .5,.5 .34,.5"],
  ],
  [
    [".5,0 .5,.5 .5,1"],
    [".3,.22 .52,0 .52,0 .52,.5 .52,1"],
  ],
  [
    [".14,.26 .28,.05 .56,0 .82,.14 .8,.42 .48,.72 .12,1 .12,1 .5,.99 .88,.98"],
    [".16,.2 .45,0 .8,.16 .72,.5 .4,.86 .18,.94 .14,.8 .34,.78 .6,.96 .9,.9"],
  ],
  [
    [".16,.12 .46,0 .78,.14 .72,.4 .42,.48 .42,.48 .76,.56 .84,.8 .5,1 .12,.88"],
    [".14,.02 .5,.02 .82,.02 .82,.02 .44,.42 .44,.42 .78,.54 .82,.8 .48,1 .12,.88"],
  ],
  [
    [".3,0 .22,.3 .12,.6 .12,.6 .5,.6 .9,.58", ".7,.22 .68,.6 .66,1"],
    [".66,1 .66,.5 .68,0 .68,0 .4,.36 .1,.68 .1,.68 .5,.68 .92,.66"],
  ],
  [
    [".28,.02 .24,.22 .2,.44 .2,.44 .5,.36 .8,.5 .84,.76 .56,.99 .14,.9", ".28,.02 .55,.02 .84,0"],
    [".84,.02 .55,.03 .28,.06 .28,.06 .2,.45 .2,.45 .52,.4 .8,.54 .78,.82 .5,1 .14,.92"],
  ],
  [
    [".7,.02 .4,.2 .2,.55 .22,.86 .5,1 .78,.86 .76,.62 .5,.52 .24,.7"],
    [".46,0 .24,.4 .2,.76 .42,1 .72,.92 .76,.66 .5,.54 .24,.74"],
  ],
  [
    [".12,.04 .5,.03 .86,.02 .86,.02 .6,.44 .42,1"],
    [".12,.04 .5,.03 .86,.02 .86,.02 .6,.44 .42,1", ".32,.5 .54,.49 .76,.48"],
    [".14,.2 .16,.06 .16,.06 .5,.05 .84,.04 .84,.04 .64,.44 .54,1"],
  ],
  [
    [".76,.14 .5,0 .24,.16 .36,.4 .66,.58 .78,.82 .5,1 .22,.84 .34,.6 .64,.4 .78,.16"],
    ["ring .5,.24 .24,.24", "ring .5,.74 .29,.26"],
  ],
  [
    [".78,.24 .56,.02 .26,.12 .24,.38 .5,.5 .74,.34 .79,.16 .74,.6 .68,1"],
    ["ring .48,.26 .26,.25", ".74,.22 .72,.6 .52,1"],
  ],
].map((forms) => forms.map((strokes) => strokes.map(parseStroke)));

/**
 * Draws `count` digits, each class equally likely. Digit i is the same whatever the count.
 *
 * @example
 * ```ts
 * import { createRng } from "../compute/rng.ts";
 * import { proceduralDigits } from "./digits.ts";
 * const digits = proceduralDigits(3, createRng(1));
 * console.assert(digits.images.length === 3 * 28 * 28);
 * ```
 * @param rng Digit i uses the stream of sample `rng.firstSample + i` in a fork of this generator, which does not
 * advance; `rng.startingAt(n)` continues after n digits.
 * @throws {RangeError} When the count is not a positive integer.
 */
export function proceduralDigits(count: number, rng: Rng): ImageDataset {
  requireWhole("the number of digits", count, 1, 1e7);
  requireRng("rng", rng);
  const images = new Uint8Array(count * SIZE * SIZE);
  const labels = new Uint8Array(count);
  const draws = rng.fork("procedural digits").uniformValues([count, DRAWS]);
  for (let digit = 0; digit < count; digit++) {
    const numbers = draws.subarray(digit * DRAWS, (digit + 1) * DRAWS);
    labels[digit] = Math.floor(numbers[0] * 10);
    drawDigit(labels[digit], numbers, images.subarray(digit * SIZE * SIZE, (digit + 1) * SIZE * SIZE));
  }
  return { name: "procedural digits", count, shape: [SIZE, SIZE, 1], classes: 10, images, labels };
}

/** Uniform numbers of one digit: label, form, seven of its pose, then two for the wobble of each pen point. */
const POSE = 9;
const WOBBLY_POINTS = 24;
const DRAWS = POSE + 2 * WOBBLY_POINTS;

function drawDigit(label: number, u: Float64Array, pixels: Uint8Array): void {
  const between = (low: number, high: number, draw: number): number => low + (high - low) * u[draw];
  const forms = FORMS[label];
  const form = forms[Math.floor(u[1] * forms.length)];
  const height = between(16.5, 20, 2);
  const width = height * between(.62, .9, 3);
  const slant = between(-.12, .38, 4);
  const turn = between(-.14, .14, 5);
  const halfPen = between(.8, 1.7, 6);
  const [cosine, sine] = [Math.cos(turn), Math.sin(turn)];
  const segments: number[] = [];
  let point = 0;
  for (const stroke of form) {
    const placed = stroke.map(([px, py], at) => {
      const corner = at > 0 && stroke[at - 1][0] === px && stroke[at - 1][1] === py;
      if (!corner) point = (point + 1) % WOBBLY_POINTS;
      const x = (px - .5 + .09 * (u[POSE + 2 * point] - .5)) * width;
      const y = (py - .5 + .09 * (u[POSE + 2 * point + 1] - .5)) * height;
      const sheared = x - slant * y;
      return [cosine * sheared - sine * y, sine * sheared + cosine * y] as const;
    });
    addCurve(placed, segments);
  }
  const left = place(segments, 0, halfPen, 2 * u[7] - 1);
  const top = place(segments, 1, halfPen, 2 * u[8] - 1);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const distance = distanceToSegments(x + .5 - left, y + .5 - top, segments);
      // Coverage of a pixel by the pen line, for a straight edge at this distance from the pixel's centre.
      pixels[y * SIZE + x] = Math.round(255 * Math.min(1, Math.max(0, halfPen - distance + .5)));
    }
  }
}

/**
 * The position of the segments' origin along an axis: the digit is centred, then shifted by up to 1.5 pixels, so that
 * a dark pixel remains on either side.
 */
function place(segments: readonly number[], axis: 0 | 1, halfPen: number, move: number): number {
  const values = segments.filter((_, at) => at % 2 === axis);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = (SIZE - (high - low)) / 2 - halfPen - 1.5;
  return SIZE / 2 - (low + high) / 2 + move * Math.min(1.5, Math.max(0, margin));
}

/** Catmull–Rom curve through the points, cut into straight segments (x0, y0, x1, y1); a doubled point is a corner. */
function addCurve(points: Stroke, segments: number[]): void {
  const pieces = 4;
  for (let i = 0; i + 1 < points.length; i++) {
    const [before, from, to, after] = [
      points[i - 1] ?? points[i],
      points[i],
      points[i + 1],
      points[i + 2] ?? points[i + 1],
    ];
    if (from[0] === to[0] && from[1] === to[1]) continue;
    let last = from;
    for (let piece = 1; piece <= pieces; piece++) {
      const t = piece / pieces;
      const at = (axis: 0 | 1): number =>
        from[axis] + .5 * t * (to[axis] - before[axis] +
            t * (2 * before[axis] - 5 * from[axis] + 4 * to[axis] - after[axis] +
                t * (3 * (from[axis] - to[axis]) + after[axis] - before[axis])));
      const next = [at(0), at(1)] as const;
      segments.push(last[0], last[1], next[0], next[1]);
      last = next;
    }
  }
}

function distanceToSegments(x: number, y: number, segments: readonly number[]): number {
  let nearest = Infinity;
  for (let at = 0; at < segments.length; at += 4) {
    const [x0, y0] = [segments[at], segments[at + 1]];
    const [dx, dy] = [segments[at + 2] - x0, segments[at + 3] - y0];
    const along = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy)));
    nearest = Math.min(nearest, (x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2);
  }
  return Math.sqrt(nearest);
}

function parseStroke(text: string): Stroke {
  const ring = text.startsWith("ring ");
  const points = text.replace("ring ", "").split(" ").map((pair) => {
    const [x, y] = pair.split(",").map(Number);
    return [x, y] as const;
  });
  if (!ring) return points;
  const [[centreX, centreY], [radiusX, radiusY]] = points;
  return Array.from({ length: 13 }, (_, i) => {
    const angle = -Math.PI / 2 - i * Math.PI / 6;
    return [centreX + radiusX * Math.cos(angle), centreY + radiusY * Math.sin(angle)] as const;
  });
}
