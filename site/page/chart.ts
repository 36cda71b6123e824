/** The distances of the three ways to exact samples, by step. @module */
import type { Ways } from "../protocol.ts";
import { sharpContext } from "./sharp_canvas.ts";
import type { Theme } from "./theme.ts";

/** A measurement. */
export interface Measured {
  readonly step: number;
  readonly distances: Ways<number>;
}

/** What a chart shows. */
export interface ChartContent {
  readonly measured: readonly Measured[];
  /** Steps of the run. */
  readonly steps: number;
  /** The step that the views show. */
  readonly step: number;
  /** The distance of exact samples from each other, once it is known. */
  readonly floor: { readonly mean: number; readonly std: number } | null;
}

const [LEFT, BOTTOM, TOP] = [44, 22, 8];

/** Draws three lines, and a band where exact samples would be. */
export function drawChart(
  canvas: HTMLCanvasElement,
  { measured, steps, step, floor }: ChartContent,
  theme: Theme,
): void {
  const sharp = sharpContext(canvas);
  if (sharp === null) return;
  const { context, width, height } = sharp;
  const band = floor === null ? 0 : floor.mean + 2 * floor.std;
  const largest = measured.reduce(
    (most, { distances }) => Math.max(most, ...Object.values(distances).filter(Number.isFinite)),
    band,
  );
  const most = niceAbove(largest);
  const across = (step: number) => LEFT + (width - LEFT - 8) * step / steps;
  const up = (value: number) => TOP + (height - TOP - BOTTOM) * (1 - Math.min(1, Math.max(0, value) / most));
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = theme.quiet;
  context.strokeStyle = theme.line;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const value of [0, most / 2, most]) {
    context.beginPath();
    context.moveTo(LEFT, up(value));
    context.lineTo(width - 8, up(value));
    context.stroke();
    context.fillText(String(Number(value.toPrecision(2))), LEFT - 6, up(value));
  }
  context.textAlign = "left";
  context.fillText("step 0", LEFT, height - 8);
  context.textAlign = "right";
  context.fillText(String(steps), width - 8, height - 8);
  if (floor !== null) {
    context.globalAlpha = 0.25;
    context.fillRect(
      LEFT,
      up(band),
      width - LEFT - 8,
      up(Math.max(0, floor.mean - 2 * floor.std)) - up(band),
    );
    context.globalAlpha = 1;
  }
  for (const way of ["langevin", "reverse", "flow"] as const) {
    context.beginPath();
    for (const { step, distances } of measured) context.lineTo(across(step), up(distances[way]));
    context.strokeStyle = theme[way];
    context.lineWidth = 2;
    context.stroke();
  }
  context.beginPath();
  context.moveTo(across(step), TOP);
  context.lineTo(across(step), height - BOTTOM);
  context.strokeStyle = theme.quiet;
  context.lineWidth = 1;
  context.stroke();
}

/** The next number of one digit. */
function niceAbove(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 3, 4, 5, 6, 8, 10].find((factor) => factor * power >= value)!;
}
