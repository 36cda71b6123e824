/**
 * The images whose posterior is drawn from: digits drawn by the shipped network or by strokes, MNIST's test digits, or a picture.
 * @module
 */
import type { Engine } from "../../src/compute/engine.ts";
import { createRng } from "../../src/compute/rng.ts";
import { colourDigits, digitColours } from "../../src/data/coloured_digits.ts";
import { type ImageDataset, modelToBytes, slice, toModel } from "../../src/data/dataset.ts";
import { isImagePath } from "../../src/data/image_folder.ts";
import { proceduralDigits } from "../../src/data/digits.ts";
import { loadPretrained } from "../../src/pretrained.ts";
import { decodePicture, luma } from "../../src/images/picture_file.ts";
import type { Picture } from "../../src/images/png.ts";
import { resizePicture } from "../../src/images/resize.ts";
import { DEFAULT_GUIDANCE, defaultSampling } from "../../src/runs/defaults.ts";
import { drawDigits } from "../../src/runs/evaluation.ts";
import type { PosteriorInputs } from "../../src/runs/posterior.ts";
import { readWhole } from "../cli/files.ts";
import { type Flag, type FlagValues, text, toggle, UsageError } from "../cli/flags.ts";
import { MOST_PIXELS } from "../datasets/image_folder.ts";
import { loadMnist } from "../datasets/mnist.ts";

/** Where digits come from. */
type Source = "samples" | "digits" | "mnist";

/** The images by `--input`: digits `from` to `to` of a source, both included, or a picture. */
export type InputChoice =
  | { readonly kind: Source; readonly from: number; readonly to: number }
  | { readonly kind: "picture"; readonly path: string };

/** The flag `--input`. */
export const inputFlag: Flag<InputChoice> = {
  help:
    "the images: samples (of the shipped digit network), digits (drawn by strokes) or mnist (test images), " +
    "each with :INDEX or :FROM-TO; or a picture, F.png or F.jpg, of up to 64 megapixels, on a white ground where it is transparent (default samples:0-9)",
  placeholder: "SOURCE|F.png",
  domain: { kind: "own", examples: ["samples:0-3", "digits:1"] },
  fallback: { kind: "samples", from: 0, to: 9 },
  parse(text, flag) {
    if (isImagePath(text)) return { kind: "picture", path: text };
    const [, kind, from, to] = /^(samples|digits|mnist)(?::(\d+)(?:-(\d+))?)?$/.exec(text) ?? [];
    if (kind === undefined) {
      throw new UsageError(
        `${flag} must be samples, digits or mnist, with :INDEX or :FROM-TO if wanted, or end in .png or .jpg, got "${text}"`,
      );
    }
    const first = Number(from ?? 0);
    const last = Number(to ?? from ?? 9);
    if (!(last >= first && last - first < 10_000 && last < 2 ** 31)) {
      throw new UsageError(`${flag} must name 1 to 10000 images, FROM up to TO, got "${text}"`);
    }
    if (kind === "samples" && last >= 10_000) {
      throw new UsageError(
        `${flag} must name samples below 10000, for all before them are drawn too, got "${text}"`,
      );
    }
    return { kind: kind as Source, from: first, to: last };
  },
};

/** The flags that choose the images. */
export const inputFlags = {
  input: inputFlag,
  resize: toggle({ help: "bring a picture of another size to the model's" }),
  data: text({
    help: "folder with MNIST's files for --input mnist; by default SCORE_SDE_DATA, the cache or a download",
  }),
};

/** Refuses flags that have no effect on the chosen images. */
export function checkInputFlags({ input, resize, data }: FlagValues<typeof inputFlags>): void {
  if (resize && input.kind !== "picture") {
    throw new UsageError(`--resize is for a picture as --input, got --input ${input.kind}`);
  }
  if (data !== undefined && input.kind !== "mnist") {
    throw new UsageError(`--data is for --input mnist, got --input ${input.kind}`);
  }
}

/** What reading inputs takes. */
interface InputOptions {
  /** [height, width, channels] that the model takes. */
  readonly shape: readonly number[];
  readonly resize: boolean;
  readonly data: string | null;
  readonly seed: number;
  readonly engine: Engine;
}

/**
 * Reads or draws the images. Digits are given random colours where the model takes three channels.
 *
 * @throws UsageError for MNIST's images that are not there, or a picture of another size
 */
export async function readInputs(choice: InputChoice, options: InputOptions): Promise<PosteriorInputs> {
  const { shape } = options;
  if (choice.kind === "picture") {
    const whole = await decodePicture(await readWhole(choice.path), choice.path, MOST_PIXELS);
    const picture = fitPicture(whole, choice.path, options);
    return { count: 1, images: toModel(readChannels(picture, shape[2])), labels: null };
  }
  const grey = await readDigits(choice.kind, choice.from, choice.to, options);
  const [height, width] = grey.shape;
  if (height !== shape[0] || width !== shape[1]) {
    throw new UsageError(
      `the digits of --input have ${width}×${height} pixels, but the model takes ${shape[1]}×${shape[0]}`,
    );
  }
  const rng = createRng(options.seed).fork("inputs").startingAt(choice.from);
  const digits = shape[2] === 1 ? grey : colourDigits(grey, digitColours(grey.count, rng));
  return { count: digits.count, images: toModel(digits.images), labels: digits.labels };
}

async function readDigits(
  kind: Source,
  from: number,
  to: number,
  { data, seed, engine }: InputOptions,
): Promise<ImageDataset> {
  const count = to - from + 1;
  if (kind === "digits") return proceduralDigits(count, createRng(seed).fork("inputs").startingAt(from));
  if (kind === "mnist") {
    const test = await loadMnist("test", { data: data ?? undefined });
    if (to >= test.count) {
      throw new UsageError(`MNIST's test images are 0 to ${test.count - 1}, got --input mnist with ${to}`);
    }
    return slice(test, from, to + 1);
  }
  const noisePredictor = await loadPretrained("mnist");
  const { sampleShape, classes } = noisePredictor.network;
  const request = {
    ...defaultSampling(),
    guidance: DEFAULT_GUIDANCE,
    classifierScale: 0,
    count: to + 1,
    batch: Math.min(64, to + 1),
    seed,
  };
  const { images, labels } = await drawDigits(request, { noisePredictor, engine });
  noisePredictor.dispose();
  return slice(
    {
      name: "samples",
      count: to + 1,
      classes,
      images: modelToBytes(images),
      labels: labels!,
      shape: [sampleShape[0], sampleShape[1], sampleShape[2]],
    },
    from,
    to + 1,
  );
}

/** The picture in the model's size. */
function fitPicture(picture: Picture, path: string, { shape, resize }: InputOptions): Picture {
  const [height, width] = shape;
  if (picture.width === width && picture.height === height) return picture;
  if (resize) return resizePicture(picture, width, height);
  throw new UsageError(
    `"${path}" has ${picture.width}×${picture.height} pixels, but the model takes ${width}×${height}: pass --resize`,
  );
}

/** Red, green and blue, or their luma; [height, width, channels]. */
function readChannels({ width, height, data }: Picture, channels: number): Uint8Array {
  return Uint8Array.from({ length: width * height * channels }, (_, at) => {
    const start = 4 * Math.floor(at / channels);
    if (channels === 3) return data[start + at % 3];
    return Math.round(luma(data[start], data[start + 1], data[start + 2]));
  });
}
