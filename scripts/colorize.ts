/**
 * Draws colours for grey images: `deno task colorize`.
 * @module
 */
import type { FlagValues } from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import {
  methodNames,
  posteriorFlags,
  type PosteriorTaskRequest,
  readPosterior,
  replacementFlags,
} from "./posterior/flags.ts";
import { drawAndWrite, type PosteriorTaskResult, reportPosterior } from "./posterior/task.ts";
import { renamedOptions } from "./sampling/flags.ts";

const usage = {
  name: "colorize",
  purpose:
    "Takes the colours of digits away and draws colours that they could have had; the grey stays as it is. The picture has a " +
    "column for each digit, with the rows original, grey, samples, their mean and their standard deviation. The shipped " +
    "network was trained on digits of one random colour on a ground of another.",
  examples: [
    "deno task colorize",
    "deno task colorize --input mnist:0-9 --method repaint",
    "deno task colorize --input flower.png --resize",
  ],
  flags: {
    ...posteriorFlags({ methods: methodNames, method: "replacement", output: "colorize.png" }),
    ...replacementFlags,
  },
  renamed: renamedOptions,
} as const;

function report(
  request: PosteriorTaskRequest,
  result: PosteriorTaskResult,
  flags: FlagValues<typeof usage.flags>,
): void {
  const colours = result.colours!;
  const { greyError, lineError, colourStd } = colours;
  reportPosterior(request, result, {
    measured: colours,
    words: `grey kept to ${greyError.toExponential(1)}, ${lineError.toFixed(4)} off images of two colours, ` +
      `standard deviation of the colours ${colourStd === null ? "unknown" : colourStd.toFixed(3)}`,
  }, flags);
}

/** The task `colorize`. */
export const task: Task<typeof usage.flags, PosteriorTaskRequest, PosteriorTaskResult> = {
  usage,
  request: (flags) => readPosterior(flags, { measurement: { kind: "grey" }, noise: 0 }),
  carryOut: (request) => drawAndWrite(request, "colorizing", "coloured-digits"),
  report,
};

if (import.meta.main) await runTask(task);
