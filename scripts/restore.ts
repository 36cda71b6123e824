/**
 * Undoes a linear map of images and noise: `deno task restore`.
 * @module
 */
import { createRng } from "../src/compute/rng.ts";
import * as tf from "../src/compute/tf.ts";
import type { LinearOperator } from "../src/conditioning/observation.ts";
import {
  blurOperator,
  gaussianKernel,
  poolingOperator,
  randomProjection,
} from "../src/conditioning/operators.ts";
import { posteriorMoments } from "../src/metrics/posterior_moments.ts";
import { choice, integer, number, onlyWith, parseFlags, runScript } from "./cli/flags.ts";
import { posteriorFlags } from "./posterior/draw.ts";
import { measureClassPreservation, type PosteriorOutcome, runPosterior } from "./posterior/task.ts";
import { formatPercent } from "./cli/terminal.ts";
import { asUsage, renamedOptions } from "./sampling/flags.ts";

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
    operator: choice(["pool2", "pool4", "blur", "projection"], { help: "what was done", default: "pool4" }),
    noise: number({
      help: "standard deviation of the noise on what is seen, in units of a pixel's range",
      default: 0.02,
      min: 0,
      max: 100,
    }),
    blur: onlyWith(
      number({ help: "standard deviation of the blur, in pixels (default 1.5)", min: 0.1, max: 20 }),
      "operator",
      ["blur"],
    ),
    directions: onlyWith(
      integer({ help: "number of random projections (default 98)", min: 1, max: 10_000 }),
      "operator",
      ["projection"],
    ),
    ...posteriorFlags({ methods: ["mmps", "pigdm"], method: "pigdm", output: "restore.png" }),
  },
  renamed: renamedOptions,
} as const;

type Flags = ReturnType<typeof parseFlags<typeof usage.flags>>;

function createOperator(
  { operator, blur, directions, seed }: Flags,
  shape: readonly number[],
): LinearOperator {
  switch (operator) {
    case "pool2":
      return poolingOperator(shape, 2);
    case "pool4":
      return poolingOperator(shape, 4);
    case "blur":
      return blurOperator(shape, gaussianKernel(blur ?? 1.5));
    case "projection":
      return randomProjection(createRng(seed).fork("projection"), shape, directions ?? 98);
  }
}

/** What was seen, as images: Aᵀ y, made as bright as it would be of a white image. */
async function showMeasurements({ model, seen, shape }: PosteriorOutcome): Promise<Float32Array> {
  const { operator } = model;
  const images = tf.tidy(() => {
    const white = operator.adjoint(operator.apply(tf.ones([1, ...shape])));
    // A random projection turns white into noise: there the typical length of Aᵀ A x is right.
    const gain = operator.outputShape.length === 1 ? tf.scalar(1) : tf.div(1, tf.maximum(white, 1e-3));
    return tf.mul(operator.adjoint(seen), gain);
  });
  const values = await images.data<"float32">();
  images.dispose();
  return Float32Array.from(values);
}

/** Root mean square errors of samples and of their means, and the misfit of their measurements; in units of a pixel's range. */
async function measureErrors({ inputs, samples, values, shape, model, seen }: PosteriorOutcome) {
  const { mean } = posteriorMoments(values, inputs.count, samples);
  const size = values.length / (inputs.count * samples);
  const rms = (differences: Float32Array) =>
    Math.sqrt(differences.reduce((sum, value) => sum + value ** 2, 0) / differences.length) / 2;
  const residual = tf.tidy(() => {
    const x = tf.tensor(values, [inputs.count * samples, ...shape]);
    const again = tf.reshape(model.operator.apply(x), [inputs.count, samples, ...model.operator.outputShape]);
    return tf.sub(again, tf.expandDims(seen, 1));
  });
  const differences = await residual.data<"float32">();
  residual.dispose();
  return {
    meanError: rms(mean.map((value, at) => value - inputs.images[at])),
    sampleError: rms(
      values.map((value, at) => value - inputs.images[Math.floor(at / (samples * size)) * size + at % size]),
    ),
    residual: rms(differences),
  };
}

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  await runPosterior(flags, {
    label: "restoring",
    network: "mnist",
    // Model units have a range of 2.
    measurementModel: (shape) => ({
      operator: asUsage(() => createOperator(flags, shape)),
      noiseStd: 2 * flags.noise,
      known: null,
    }),
    shown: showMeasurements,
    async measure(outcome) {
      return {
        operator: flags.operator,
        noise: flags.noise,
        ...await measureErrors(outcome),
        ...await measureClassPreservation(outcome),
      };
    },
    words: ({ operator, noise, meanError, residual, kept }) =>
      `${operator} with noise ${noise} undone, error of the mean ${
        meanError.toFixed(4)
      }, misfit to what was ` +
      `seen ${residual.toFixed(4)}` +
      (kept === undefined ? "" : `, class kept in ${formatPercent(kept)}`),
  });
}

if (import.meta.main) await runScript(main);
