/**
 * Fills in hidden pixels: `deno task inpaint`.
 * @module
 */
import { type MaskName, maskNames } from "../src/conditioning/masks.ts";
import type { Measurement } from "../src/runs/measurement.ts";
import { deciding, type Flag, type FlagValues, number, onlyWith, UsageError } from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import {
  methodNames,
  posteriorFlags,
  type PosteriorTaskRequest,
  readPosterior,
  replacementFlags,
} from "./posterior/flags.ts";
import { drawAndWrite, type PosteriorTaskResult, reportPosterior } from "./posterior/task.ts";
import { formatPercent } from "./cli/terminal.ts";
import { renamedOptions } from "./sampling/flags.ts";

const mask: Flag<MaskName | "random" | { readonly path: string }> = {
  help: `what is hidden: ${
    maskNames.join(", ")
  }, random pixels (see --hidden-fraction), or where a PNG of the model's size, on a white ground, is dark`,
  placeholder: "NAME|F.png",
  domain: { kind: "own", examples: ["right", "random"] },
  fallback: "left",
  fields: ["measurement"],
  parse(text, flag) {
    if (text.toLowerCase().endsWith(".png")) return { path: text };
    const name = [...maskNames, "random" as const].find((candidate) => candidate === text);
    if (name === undefined) {
      throw new UsageError(
        `${flag} must be one of ${maskNames.join(", ")}, random, or end in .png, got "${text}"`,
      );
    }
    return name;
  },
};

const usage = {
  name: "inpaint",
  purpose:
    "Hides a part of digits and draws what could have been there. The picture has a column for each digit, with the rows " +
    "original, measurement, samples, their mean and their standard deviation; the result says what part of the samples " +
    "has the digit's class.",
  examples: [
    "deno task inpaint",
    "deno task inpaint --mask vertical-stripe --method repaint",
    "deno task inpaint --mask mask.png --input seven.png --resize --count 8",
    "deno task inpaint --mask left --input mnist:0-499 --count 1 --json",
  ],
  flags: {
    mask,
    hiddenFraction: deciding(
      ["measurement.hiddenFraction"],
      onlyWith(
        number({ help: "fraction of the pixels that --mask random hides (default 0.5)", min: 0, max: 1 }),
        "mask",
        ["random"],
      ),
    ),
    ...posteriorFlags({ methods: methodNames, method: "pigdm", output: "inpaint.png" }),
    ...replacementFlags,
  },
  renamed: { ...renamedOptions, hidden: "hiddenFraction" },
} as const;

type Values = FlagValues<typeof usage.flags>;

function readMeasurement({ mask, hiddenFraction = 0.5 }: Values): Measurement {
  if (typeof mask === "object") return { kind: "picture-mask", path: mask.path };
  return mask === "random" ? { kind: "random-mask", hiddenFraction } : { kind: "mask", mask };
}

/** The mask as the flag had it. */
function maskOf(measurement: Measurement): string {
  if (measurement.kind === "mask") return measurement.mask;
  return measurement.kind === "picture-mask" ? measurement.path : "random";
}

function report(request: PosteriorTaskRequest, result: PosteriorTaskResult, flags: Values): void {
  const mask = maskOf(request.measurement);
  const { hidden, knownError, hiddenStd } = result.hidden!;
  const { classes } = result;
  reportPosterior(request, result, {
    measured: { mask, hidden, knownError, hiddenStd, ...classes },
    words: `${mask} hidden${classes === null ? "" : `, class kept in ${formatPercent(classes.kept)}`}` +
      (hiddenStd === null ? "" : `, standard deviation of hidden pixels ${(hiddenStd / 2).toFixed(3)}`),
  }, flags);
}

/** The task `inpaint`. */
export const task: Task<typeof usage.flags, PosteriorTaskRequest, PosteriorTaskResult> = {
  usage,
  request: (flags) => readPosterior(flags, { measurement: readMeasurement(flags), noise: 0 }),
  carryOut: (request) => drawAndWrite(request, "inpainting", "mnist"),
  report,
};

if (import.meta.main) await runTask(task);
