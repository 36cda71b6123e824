/**
 * Draws colours for grey images: `deno task colorize`.
 * @module
 */
import { greyOperator } from "../src/conditioning/operators.ts";
import { greyBasis, greyMask } from "../src/conditioning/orthogonal_basis.ts";
import { colourErrors } from "../src/metrics/colorization_error.ts";
import { parseFlags, runScript, UsageError } from "./cli/flags.ts";
import { methodNames, posteriorFlags, repaintFlags } from "./posterior/draw.ts";
import { type PosteriorOutcome, runPosterior } from "./posterior/task.ts";
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
    ...repaintFlags,
  },
  renamed: renamedOptions,
} as const;

function greyImages({ inputs }: PosteriorOutcome): Float32Array {
  return inputs.images.map((_, at) => {
    const pixel = 3 * Math.floor(at / 3);
    return (inputs.images[pixel] + inputs.images[pixel + 1] + inputs.images[pixel + 2]) / 3;
  });
}

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  await runPosterior(flags, {
    label: "colorizing",
    network: "coloured-digits",
    measurementModel(shape) {
      if (shape[2] !== 3) {
        throw new UsageError(`colours need a checkpoint of three channels, this one has ${shape[2]}`);
      }
      return {
        operator: greyOperator(shape),
        noiseStd: 0,
        known: { mask: greyMask(shape), basis: greyBasis() },
      };
    },
    shown: greyImages,
    measure: ({ inputs, values, samples }) =>
      Promise.resolve(colourErrors(inputs.images, values, inputs.count, samples)),
    words: ({ greyError, lineError, colourStd }) =>
      `grey kept to ${greyError.toExponential(1)}, ${
        lineError.toFixed(4)
      } off images of two colours, standard ` +
      `deviation of the colours ${colourStd === null ? "unknown" : colourStd.toFixed(3)}`,
  });
}

if (import.meta.main) await runScript(main);
