/**
 * Undoes a linear map of images and noise: `deno task restore`.
 * @module
 */
import type { Measurement } from "../src/runs/measurement.ts";
import { choice, deciding, type FlagValues, integer, number, onlyWith } from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import {
  noisyMethodNames,
  posteriorFlags,
  type PosteriorTaskRequest,
  readPosterior,
} from "./posterior/flags.ts";
import { drawAndWrite, type PosteriorTaskResult, reportPosterior } from "./posterior/task.ts";
import { formatPercent } from "./cli/terminal.ts";
import { renamedOptions } from "./sampling/flags.ts";

const usage = {
  name: "restore",
  purpose:
    "Shows what could have been there before digits lost their detail: their resolution (pool2, pool4: means of blocks of " +
    "pixels), their sharpness (blur), or all but some random projections. The picture has a column for each digit, with the " +
    "rows original, measurement, samples, their mean and their standard deviation.",
  examples: [
    "deno task restore",
    "deno task restore --operator blur --blur 2 --noise 0.02",
    "deno task restore --operator projection --directions 80 --input mnist:0-9",
  ],
  flags: {
    operator: deciding(
      ["measurement"],
      choice(["pool2", "pool4", "blur", "projection"], { help: "what was done", default: "pool4" }),
    ),
    noise: number({
      help: "standard deviation of the noise on what is seen, in units of a pixel's range",
      default: 0.02,
      min: 0,
      max: 100,
    }),
    blur: deciding(
      ["measurement.std"],
      onlyWith(
        number({ help: "standard deviation of the blur, in pixels (default 1.5)", min: 0.1, max: 20 }),
        "operator",
        ["blur"],
      ),
    ),
    directions: deciding(
      ["measurement.directions"],
      onlyWith(
        integer({ help: "number of random projections (default 98)", min: 1, max: 10_000 }),
        "operator",
        ["projection"],
      ),
    ),
    ...posteriorFlags({ methods: noisyMethodNames, method: "pigdm", output: "restore.png" }),
  },
  renamed: renamedOptions,
} as const;

type Values = FlagValues<typeof usage.flags>;

function readMeasurement({ operator, blur: std = 1.5, directions = 98 }: Values): Measurement {
  switch (operator) {
    case "pool2":
      return { kind: "pooling", factor: 2 };
    case "pool4":
      return { kind: "pooling", factor: 4 };
    case "blur":
      return { kind: "blur", std };
    case "projection":
      return { kind: "projection", directions };
  }
}

/** The operator as the flag had it. */
function operatorOf(measurement: Measurement): string {
  return measurement.kind === "pooling" ? `pool${measurement.factor}` : measurement.kind;
}

function report(request: PosteriorTaskRequest, result: PosteriorTaskResult, flags: Values): void {
  const operator = operatorOf(request.measurement);
  const { noise } = request;
  const { classes } = result;
  const errors = result.errors!;
  reportPosterior(request, result, {
    measured: { operator, noise, ...errors, ...classes },
    words: `${operator} with noise ${noise} undone, error of the mean ${errors.meanError.toFixed(4)}, ` +
      `misfit to what was seen ${errors.residual.toFixed(4)}` +
      (classes === null ? "" : `, class kept in ${formatPercent(classes.kept)}`),
  }, flags);
}

/** The task `restore`. */
export const task: Task<typeof usage.flags, PosteriorTaskRequest, PosteriorTaskResult> = {
  usage,
  request: (flags) => readPosterior(flags, { measurement: readMeasurement(flags), noise: flags.noise }),
  carryOut: (request) => drawAndWrite(request, "restoring", "mnist"),
  report,
};

if (import.meta.main) await runTask(task);
