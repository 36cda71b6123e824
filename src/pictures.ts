/**
 * From nothing to a picture in one call. The engine and the networks are loaded by the first call, and kept.
 * @module
 */
import { currentEngine, type Engine, useEngine } from "./compute/engine.ts";
import type { NetworkPredictor } from "./networks/network_predictor.ts";
import { requireOptions } from "./input/require.ts";
import { loadPretrained, type PretrainedName } from "./pretrained.ts";
import type {
  ColorizeOptions,
  DigitsOptions,
  DrawnCompletions,
  DrawnImages,
  InpaintOptions,
} from "./runs/drawn_pictures.ts";

/** The networks that calls have loaded, and the engine that holds them. */
let loaded:
  | { readonly engine: Engine; readonly networks: Map<PretrainedName, Promise<NetworkPredictor>> }
  | null = null;

/** The engine in use, or the best that there is, and a shipped network on it. */
async function open(name: PretrainedName): Promise<{ engine: Engine; noisePredictor: NetworkPredictor }> {
  const engine = currentEngine() ?? await useEngine();
  if (loaded?.engine !== engine) loaded = { engine, networks: new Map() };
  const { networks } = loaded;
  const network = networks.get(name) ?? loadPretrained(name);
  networks.set(name, network);
  try {
    return { engine, noisePredictor: await network };
  } catch (error) {
    networks.delete(name); // so that the next call tries again
    throw error;
  }
}

/**
 * Digits drawn as a picture that keeps its numbers, with the settings of `deno task sample`, on the engine in use or the best that
 * there is: by three evaluations of `mnist-consistency`, and with `guidance` or more than four steps from `mnist`.
 *
 * @example
 * ```ts
 * import { digits } from "./pictures.ts";
 * const picture = await digits({ labels: [3, 1, 4], seed: 1, steps: 5 });
 * console.assert(picture.toPng().length > 0 && picture.values.length === 3 * 28 * 28);
 * ```
 * @throws {RangeError | TypeError} In one sentence, for an option that is not known or out of its range, before anything is drawn.
 */
export async function digits(options: DigitsOptions = {}): Promise<DrawnImages> {
  requireOptions("options", options);
  const { drawDigitPicture, networkOfDigits } = await import("./runs/digit_pictures.ts");
  return await drawDigitPicture(options, await open(networkOfDigits(options)));
}

/**
 * What could have been in the hidden part of digits: five samples of each, their mean and their spread, by the posterior's score
 * (ΠGDM), with the settings of `deno task inpaint`.
 *
 * @example
 * ```ts
 * import { digits, inpaint } from "./pictures.ts";
 * const images = await digits({ labels: 7, steps: 5 });
 * const completed = await inpaint({ images, mask: "top", samples: 2, steps: 5 });
 * console.assert(completed.rowNames[2] === "sample 1");
 * ```
 * @throws {RangeError | TypeError} In one sentence, for an option that is not known or out of its range.
 */
export async function inpaint(options: InpaintOptions = {}): Promise<DrawnCompletions> {
  requireOptions("options", options);
  const { drawInpainting } = await import("./runs/completion_pictures.ts");
  const images = options.images === undefined ? await someDigits(options) : options.images;
  return await drawInpainting(options, { ...await open("mnist"), images });
}

/**
 * Colours that digits could have had, given their grey: five samples of each, their mean and their spread, with the settings of
 * `deno task colorize`. Grey images are first given random colours, which are then hidden.
 *
 * @example
 * ```ts
 * import { colorize, digits } from "./pictures.ts";
 * const images = await digits({ labels: [2, 7], steps: 5 });
 * const coloured = await colorize({ images, samples: 1, steps: 5 });
 * console.assert(String(coloured.shape) === "2,1,28,28,3");
 * ```
 * @throws {RangeError | TypeError} In one sentence, for an option that is not known or out of its range.
 */
export async function colorize(options: ColorizeOptions = {}): Promise<DrawnCompletions> {
  requireOptions("options", options);
  const { drawColours } = await import("./runs/completion_pictures.ts");
  const images = options.images === undefined ? await someDigits(options) : options.images;
  return await drawColours(options, { ...await open("coloured-digits"), images });
}

/** The digits that are completed unasked. */
async function someDigits({ seed, signal }: Pick<DigitsOptions, "seed" | "signal">): Promise<DrawnImages> {
  return await digits({ labels: [7, 2, 4, 8], seed, signal });
}
