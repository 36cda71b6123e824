/** What digits could have been, given a part of each: hidden pixels or hidden colours drawn, as a picture. @module */
import { createRng } from "../compute/rng.ts";
import { colourDigits, digitColours } from "../data/coloured_digits.ts";
import { fromModel, modelToBytes, toModel } from "../data/dataset.ts";
import { luma, onWhite } from "../images/picture_file.ts";
import type { Picture } from "../images/png.ts";
import { checkFields } from "../input/fields.ts";
import { quotedShape } from "../input/quoted.ts";
import { isList, requireOptions, requireWhole } from "../input/require.ts";
import { requirePicture } from "../input/require_parts.ts";
import { sizeOf } from "../math/shape.ts";
import { DEFAULT_ITERATIONS, DEFAULT_POSTERIOR_STEPS, DEFAULT_SAMPLER, defaultSampling } from "./defaults.ts";
import type { CallParts } from "./digit_pictures.ts";
import {
  type ColorizeOptions,
  type CompletionOptions,
  DrawnCompletions,
  followCall,
  type ImageValues,
  type InpaintOptions,
} from "./drawn_pictures.ts";
import { type Measurement, measurementWords } from "./measurement.ts";
import { runPosterior } from "./posterior.ts";
import type { PosteriorMethod } from "./posterior_method.ts";
import { posteriorPicture } from "./posterior_picture.ts";

/** Completions of images whose masked part is hidden. */
export async function drawInpainting(
  { mask = "left", ...options }: InpaintOptions,
  parts: CallParts & { readonly images: ImageValues | Picture },
): Promise<DrawnCompletions> {
  const named = typeof mask === "string";
  if (!named) requirePicture("mask", mask);
  const measurement = named
    ? { kind: "mask", mask } as const
    : { kind: "picture-mask", path: "mask" } as const;
  const picture = named ? undefined : mask;
  const method = { name: "pigdm", iterations: DEFAULT_ITERATIONS.pigdm } as const;
  return await complete(options, { ...parts, measurement, method, picture });
}

/** Colours of images whose grey is seen. */
export async function drawColours(
  options: ColorizeOptions,
  parts: CallParts & { readonly images: ImageValues | Picture },
): Promise<DrawnCompletions> {
  return await complete(options, {
    ...parts,
    measurement: { kind: "grey" },
    method: { name: "replacement" },
  });
}

async function complete(
  options: CompletionOptions,
  { images, measurement, method, picture, noisePredictor, engine }: CallParts & {
    readonly images: ImageValues | Picture;
    readonly measurement: Measurement;
    readonly method: PosteriorMethod;
    readonly picture?: Picture;
  },
): Promise<DrawnCompletions> {
  checkFields("options", options as unknown, [], ["images", "samples", "seed", "steps", "signal", "onStep"]);
  const { samples = 5, seed = 0, steps = DEFAULT_POSTERIOR_STEPS } = options;
  requireWhole("samples", samples, 1, 10_000);
  const { sampleShape } = noisePredictor.network;
  const { values: originals, labels, count } = readImages(images, sampleShape, seed);
  const batch = Math.min(50, count * samples);
  const onStep = followCall(options, { steps, batches: Math.ceil(count * samples / batch) });
  const request = {
    ...defaultSampling(steps),
    measurement,
    noise: 0,
    method,
    label: "none",
    count: samples,
    batch,
    seed,
  } as const;
  const inputs = { count, images: originals, labels: null };
  const drawn = await runPosterior(request, { noisePredictor, inputs, picture, engine, onStep });
  const shown = posteriorPicture(drawn, {
    title: `${
      measurementWords(measurement)
    }: ${method.name}, ${DEFAULT_SAMPLER}, ${steps} steps, seed ${seed}`,
    seen: measurement.kind === "grey" ? "grey" : "seen",
    columnNames: labels?.map(String) ?? [],
  });
  return new DrawnCompletions(shown, {
    values: fromModel(drawn.values),
    shape: [count, samples, ...sampleShape],
    originals: fromModel(originals),
    seen: fromModel(drawn.seen),
  });
}

/**
 * Images in model units of a network's shape. Grey ones are given random colours where it draws in colours; pictures are read as
 * grey or colours.
 * @throws {RangeError | TypeError} When they are no images, or of another size.
 */
function readImages(
  images: ImageValues | Picture,
  sampleShape: readonly number[],
  seed: number,
): { count: number; values: Float32Array; labels: readonly number[] | null } {
  requireOptions("images", images);
  const given = "values" in images ? images : valuesOf(images, sampleShape[2]);
  const { values, shape, labels = null } = given;
  const [count, height, width, channels] = isList(shape) ? shape : [];
  const fits = values instanceof Float32Array && isList(shape) && shape.length === 4 && count >= 1 &&
    height === sampleShape[0] && width === sampleShape[1] &&
    (channels === 1 || channels === sampleShape[2]) &&
    values.length === sizeOf(shape);
  if (!fits) {
    const [rows, columns, own] = sampleShape;
    const wanted = `[N, ${rows}, ${columns}, ${own === 1 ? 1 : `1 or ${own}`}]`;
    const got = `${quotedShape(shape)} of ${values?.length} values`;
    throw new RangeError(`images must be values of shape ${wanted}, or such a picture, got ${got}`);
  }
  const model = values.map((value) => 2 * value - 1);
  if (!model.every((value) => Math.abs(value) <= 1 + 1e-6)) {
    throw new RangeError(`the values of images must be from 0 to 1`);
  }
  if (channels === sampleShape[2]) return { count, values: model, labels };
  const dataset = {
    ...{ name: "images", count, classes: 10, shape: [height, width, 1] as const },
    ...{ images: modelToBytes(model), labels: new Uint8Array(count) },
  };
  const coloured = colourDigits(dataset, digitColours(count, createRng(seed).fork("inputs")));
  return { count, values: toModel(coloured.images), labels };
}

/** A picture's grey or colours as numbers. */
function valuesOf(picture: Picture, channels: number): ImageValues {
  requirePicture("images", picture);
  const { width, height, data } = onWhite(picture);
  const values = Float32Array.from({ length: width * height * channels }, (_, at) => {
    const from = 4 * Math.floor(at / channels);
    return (channels === 3 ? data[from + at % 3] : luma(data[from], data[from + 1], data[from + 2])) / 255;
  });
  return { values, shape: [1, height, width, channels] };
}
