/**
 * Fills in hidden pixels: `deno task inpaint`.
 * @module
 */
import { createRng } from "../src/compute/rng.ts";
import {
  maskByName,
  maskFromPicture,
  type MaskName,
  maskNames,
  randomMask,
} from "../src/conditioning/masks.ts";
import { maskOperator } from "../src/conditioning/operators.ts";
import { posteriorMoments } from "../src/metrics/posterior_moments.ts";
import { decodePng } from "../src/images/png.ts";
import { readWhole } from "./cli/files.ts";
import { MOST_PIXELS } from "./datasets/image_folder.ts";
import { type Flag, number, onlyWith, parseFlags, runScript, UsageError } from "./cli/flags.ts";
import { methodNames, posteriorFlags, repaintFlags } from "./posterior/draw.ts";
import { measureClassPreservation, type PosteriorOutcome, runPosterior } from "./posterior/task.ts";
import { formatPercent } from "./cli/terminal.ts";
import { asUsage, renamedOptions } from "./sampling/flags.ts";

/** The grey of hidden pixels in a picture, in model units: between black and white. */
const HIDDEN = -0.3;

const mask: Flag<MaskName | "random" | { readonly path: string }> = {
  help: `what is hidden: ${
    maskNames.join(", ")
  }, random pixels (see --hidden-fraction), or where a PNG of the model's size, on a white ground, is dark`,
  placeholder: "NAME|F.png",
  domain: { kind: "own", examples: ["right", "random"] },
  fallback: "left",
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
    hiddenFraction: onlyWith(
      number({ help: "fraction of the pixels that --mask random hides (default 0.5)", min: 0, max: 1 }),
      "mask",
      ["random"],
    ),
    ...posteriorFlags({ methods: methodNames, method: "pigdm", output: "inpaint.png" }),
    ...repaintFlags,
  },
  renamed: { ...renamedOptions, hidden: "hiddenFraction" },
} as const;

type Flags = ReturnType<typeof parseFlags<typeof usage.flags>>;

/** The mask of `--mask`, [height · width · channels]. */
async function readMask(
  { mask, hiddenFraction = 0.5, seed }: Flags,
  shape: readonly number[],
): Promise<Float32Array> {
  if (typeof mask === "object") {
    const picture = await decodePng(await readWhole(mask.path), mask.path, MOST_PIXELS);
    return asUsage(() => maskFromPicture(picture, shape));
  }
  return mask === "random" ? randomMask(shape, hiddenFraction, createRng(seed)) : maskByName(mask, shape);
}

/** How far known values are from what they were, and how far hidden ones vary; in model units. */
function measureSpread(
  { inputs, samples, values, model }: PosteriorOutcome,
): { knownError: number; hiddenStd: number | null } {
  const mask = model.known!.mask;
  const size = mask.length;
  let knownError = 0;
  values.forEach((value, at) => {
    const original = inputs.images[Math.floor(at / (samples * size)) * size + at % size];
    if (mask[at % size] === 1) knownError = Math.max(knownError, Math.abs(value - original));
  });
  const { std } = posteriorMoments(values, inputs.count, samples);
  const hidden = std.filter((_, at) => mask[at % size] === 0);
  const squares = hidden.reduce((sum, value) => sum + value ** 2, 0);
  return {
    knownError,
    hiddenStd: samples > 1 && hidden.length > 0 ? Math.sqrt(squares / hidden.length) : null,
  };
}

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  await runPosterior(flags, {
    label: "inpainting",
    network: "mnist",
    async measurementModel(shape) {
      const mask = await readMask(flags, shape);
      return { operator: maskOperator(shape, mask), noiseStd: 0, known: { mask } };
    },
    shown: ({ inputs, model }) => {
      const mask = model.known!.mask;
      return inputs.images.map((value, at) => mask[at % mask.length] === 1 ? value : HIDDEN);
    },
    async measure(outcome) {
      const mask = Array.from(outcome.model.known!.mask);
      return {
        mask: typeof flags.mask === "string" ? flags.mask : flags.mask.path,
        hidden: mask.filter((known) => known === 0).length / mask.length,
        ...measureSpread(outcome),
        ...await measureClassPreservation(outcome),
      };
    },
    words: ({ mask, kept, hiddenStd }) =>
      `${mask} hidden${kept === undefined ? "" : `, class kept in ${formatPercent(kept)}`}` +
      (hiddenStd === null ? "" : `, standard deviation of hidden pixels ${(hiddenStd / 2).toFixed(3)}`),
  });
}

if (import.meta.main) await runScript(main);
