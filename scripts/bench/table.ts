/**
 * Measurements as lines of text.
 * @module
 */
import { columns } from "../../src/plots/text_table.ts";
import { formatBytes } from "../cli/terminal.ts";
import type { Action } from "./contender.ts";

/** Smallest, middle and largest of some numbers. */
export function spread(values: readonly number[]): { min: number; median: number; max: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const median = (sorted[Math.floor(half)] + sorted[Math.ceil(half) - 1]) / 2;
  return { min: sorted[0], median, max: sorted[sorted.length - 1] };
}

/** A contender's milliseconds for one action, round by round. */
interface Times {
  readonly name: string;
  /** Whether it is PyTorch, which this project is compared with. */
  readonly rival: boolean;
  readonly milliseconds: readonly number[];
}

/** One action of all contenders; this project's speed is divided by that of each rival. */
export function actionTable(title: string, images: number, times: readonly Times[]): string {
  const compared = times.filter(({ rival }) => rival);
  const width = Math.max(title.length, ...times.map(({ name }) => name.length)) + 2;
  const head = ["min ms", "median", "max", "images/s"].map((word) => word.padStart(9));
  const lines = times.map(({ name, rival, milliseconds }) => {
    const { min, median, max } = spread(milliseconds);
    const cells = [min, median, max, 1000 * images / median].map((value) => short(value).padStart(9));
    const ratios = rival ? [] : compared.map((other) => {
      // Round by round: what else the machine did then hit both.
      const { min, median, max } = spread(milliseconds.map((t, k) => other.milliseconds[k] / t));
      const [product] = other.name.split(" ");
      return `${median.toFixed(2)} × ${product}'s speed (${min.toFixed(2)} to ${max.toFixed(2)})`;
    });
    return name.padEnd(width) + cells.join("") + (ratios.length === 0 ? "" : `   ${ratios.join(", ")}`);
  });
  return [title.padEnd(width) + head.join(""), ...lines].join("\n");
}

/** What an action is called. */
export const titles: Readonly<Record<Action, string>> = {
  forward: "forward pass",
  step: "training step",
  digits: "64 finished digits",
};

/** One size in a fresh process. */
export interface Size {
  readonly engine: string;
  readonly batch: number;
  readonly side: number;
  readonly forward: number;
  readonly step: number;
  readonly memory: number;
}

/** How time and memory grow with the batch and the images. */
export function growthTable(sizes: readonly Size[]): string {
  const head = ["engine", "batch", "image", "forward ms", "per image", "step ms", "per image", "peak memory"];
  const rows = sizes.map(({ engine, batch, side, forward, step, memory }) => [
    ...[engine, String(batch), `${side}×${side}`],
    ...[short(forward), short(forward / batch), short(step), short(step / batch), formatBytes(memory)],
  ]);
  return columns([head, ...rows]);
}

/** Where the time of an action went. */
export interface Share {
  readonly operation: string;
  readonly calls: number;
  readonly milliseconds: number;
}

/** The operations that take longest, and the rest in one line. */
export function profileTable(shares: readonly Share[], most = 12): string {
  const total = shares.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const sorted = shares.toSorted((a, b) => b.milliseconds - a.milliseconds);
  const rest = sorted.slice(most);
  const others = {
    operation: `${rest.length} others`,
    calls: rest.reduce((sum, { calls }) => sum + calls, 0),
    milliseconds: rest.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
  };
  const rows = [...sorted.slice(0, most), ...(rest.length > 0 ? [others] : [])].map((share) => [
    share.operation,
    short(share.calls),
    short(share.milliseconds),
    `${(100 * share.milliseconds / total).toFixed(1)}%`,
  ]);
  return columns([["operation", "calls", "ms", "share"], ...rows]);
}

function short(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
}
