/**
 * Checks of arguments that are objects: models, SDEs, samplers, generators and data. For callers without type checks,
 * an argument of another kind is an error by its name, before anything else fails.
 * @module
 */
import { quoted } from "./quoted.ts";
import { requireArray, requireMethods, requireShape, requireWhole } from "./require.ts";

/** @throws {TypeError} When the value is not an SDE. */
export function requireSde(name: string, value: unknown): void {
  requireMethods(
    name,
    value,
    ["alpha", "sigma", "driftCoefficient", "diffusionCoefficient"],
    "an SDE, as vpSde() makes it",
  );
}

/** @throws {TypeError} When the value is not a score model. */
export function requireModel(name: string, value: unknown): void {
  const what = "a score model, as scoreModel(noisePredictor, sde) makes it";
  requireMethods(name, value, ["predictedNoise", "score"], what);
  requireMethods(name, (value as { sde?: unknown }).sde, ["alpha", "sigma"], what);
}

/** @throws {TypeError} When the value is not a noise predictor. */
export function requireNoisePredictor(name: string, value: unknown): void {
  requireMethods(
    name,
    value,
    ["predictNoise"],
    "a noise predictor, with a method predictNoise(y, noiseRatio)",
  );
}

/** @throws {TypeError} When the value is not the noise predictor of a network. */
export function requireNetworkPredictor(name: string, value: unknown): void {
  const what = "a network's noise predictor, as networkPredictor() makes it";
  requireMethods(name, value, ["predictNoise", "withLabels", "prepare", "calls"], what);
}

/** @throws {TypeError} When the value is not an exact distribution. */
export function requireDistribution(name: string, value: unknown): void {
  requireMethods(
    name,
    value,
    ["sample", "predictNoise", "logDensity"],
    "an exact distribution, such as a GaussianMixture",
  );
}

/** @throws {TypeError} When the value is not an exact distribution in the plane. */
export function requirePlaneDistribution(name: string, value: unknown): void {
  requireDistribution(name, value);
  requireWhole(`the dimension of ${name}`, (value as { dimension?: unknown }).dimension, 2, 2);
}

/** @throws {TypeError} When the value is not a generator of random numbers. */
export function requireRng(name: string, value: unknown): void {
  requireMethods(name, value, ["normal", "fork"], "a generator, as createRng(seed) makes it");
}

/** @throws {TypeError} When the value is not a sampler. */
export function requireSampler(name: string, value: unknown): void {
  requireMethods(name, value, ["start"], "a sampler, as dpmSolver2M() makes it");
}

/** @throws {TypeError} When the value is there and not an AbortSignal. */
export function requireSignal(name: string, value: unknown): void {
  if (value === undefined) return;
  requireMethods(name, value, ["throwIfAborted"], "an AbortSignal, as new AbortController().signal is");
}

/**
 * @throws {TypeError} When the value is not a data set of images, and {RangeError} if its arrays do not fit its shape.
 */
export function requireDataset(name: string, value: unknown): void {
  const dataset = value as Record<string, unknown> | null | undefined;
  if (
    typeof dataset !== "object" || dataset === null || !(dataset.images instanceof Uint8Array) ||
    !(dataset.labels instanceof Uint8Array)
  ) {
    throw new TypeError(
      `${name} must be a data set of images, as idxDataset() makes it, got ${quoted(value)}`,
    );
  }
  const { count, images, shape } = dataset as { count: unknown; images: Uint8Array; shape: unknown };
  requireWhole(`the count of ${name}`, count);
  requireShape(`the shape of ${name}`, shape);
  const size = (shape as number[]).reduce((product, n) => product * n, 1);
  if ((shape as number[]).length !== 3 || images.length < count * size) {
    throw new RangeError(
      `${name} must have [height, width, channels] and ${size} bytes for each of ${count} images, got ${images.length}`,
    );
  }
}

/**
 * @throws {TypeError} When the value is a data set neither of images nor of model values, and {RangeError} if its arrays do
 * not fit its shape.
 */
export function requireSamples(name: string, value: unknown): void {
  const dataset = value as Record<string, unknown> | null | undefined;
  if (typeof dataset !== "object" || dataset === null || !(dataset.values instanceof Float32Array)) {
    return requireDataset(name, value);
  }
  const { count, values, shape, labels } = dataset as Record<string, unknown> & { values: Float32Array };
  requireWhole(`the count of ${name}`, count);
  requireShape(`the shape of ${name}`, shape);
  const size = (shape as number[]).reduce((product, n) => product * n, 1);
  if (!(labels instanceof Uint8Array) || values.length < count * size) {
    throw new RangeError(
      `${name} must have labels and ${size} values for each of ${count} samples, got ${values.length}`,
    );
  }
}

/** @throws {RangeError} When a data set does not have a label for each image. */
export function requireLabels(name: string, { count, labels }: { count: number; labels: Uint8Array }): void {
  if (labels.length < count) {
    throw new RangeError(`${name} must have a label for each of ${count} images, got ${labels.length}`);
  }
}

/** @throws {TypeError} When the value is not a picture, and {RangeError} unless its bytes fit its size. */
export function requirePicture(name: string, value: unknown): void {
  const picture = value as Record<string, unknown> | null | undefined;
  if (typeof picture !== "object" || picture === null || !(ArrayBuffer.isView(picture.data))) {
    throw new TypeError(`${name} must be a picture of width, height and data, got ${quoted(value)}`);
  }
  const { width, height, data } = picture as { width: unknown; height: unknown; data: Uint8Array };
  requireWhole(`the width of ${name}`, width, 1);
  requireWhole(`the height of ${name}`, height, 1);
  if (data.length !== 4 * width * height) {
    throw new RangeError(
      `${name} of ${width}×${height} must have ${4 * width * height} bytes, got ${data.length}`,
    );
  }
}

/** @throws {TypeError} When the value is not a list, and {RangeError} if it is empty. */
export function requireSome(name: string, value: unknown): void {
  requireArray(name, value);
  if ((value as unknown[]).length === 0) {
    throw new RangeError(`${name} must hold at least one entry, got none`);
  }
}
