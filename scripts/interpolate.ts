/**
 * Walks between digits along their latent codes: `deno task interpolate`.
 * @module
 */

import * as tf from "../src/compute/tf.ts";
import { fromModel, toModel } from "../src/data/dataset.ts";
import { scoreModel } from "../src/diffusion/noise_predictor.ts";
import { decodeLatent, encodeLatent, interpolateLatents } from "../src/likelihood/latents.ts";
import { imageGrid } from "../src/images/grid.ts";
import { encodePng } from "../src/images/png.ts";
import type { FlowMethod } from "../src/likelihood/probability_flow.ts";
import { withMinimumNoise } from "../src/diffusion/sde_registry.ts";
import { sizeOf } from "../src/math/shape.ts";
import { atomicWrite, ensureWritable } from "./cli/files.ts";
import {
  choice,
  integer,
  list,
  number,
  parseFlags,
  runScript,
  text,
  toggle,
  UsageError,
} from "./cli/flags.ts";
import { loadMnist } from "./datasets/mnist.ts";
import { loadCheckpoint } from "./sampling/checkpoint.ts";
import { sdes } from "./sampling/sampling.ts";
import { formatDuration } from "./cli/terminal.ts";
import { openEngine } from "./cli/engine.ts";
import { sdeNames } from "../src/diffusion/sde_registry.ts";
import { dataFlag, networkFlags } from "./sampling/flags.ts";

const usage = {
  name: "interpolate",
  purpose:
    "Encodes test images by the probability flow, goes from each to the next on the sphere between their codes and " +
    "decodes what lies there: one row of the picture for each pair. Says how well decoding undoes encoding.",
  examples: ["deno task interpolate", "deno task interpolate --images 7,3,1 --between 9 --output walk.png"],
  flags: {
    checkpoint: networkFlags.checkpoint,
    data: dataFlag,
    images: list(
      integer({
        help: "places of test images in their file, from 0 on, two or more; not the digits they show",
        min: 0,
      }),
      [0, 1, 2, 3],
    ),
    between: integer({ help: "pictures between two images", default: 6, min: 1, max: 64 }),
    sde: choice(sdeNames, {
      help: "the equation whose flow is followed",
      default: "ve",
    }),
    minNoise: number({
      help: "noise ratio at which codes begin, no smaller than training saw",
      default: 0.005,
      min: 1e-6,
      max: 1,
    }),
    tolerance: number({
      help: "relative and absolute tolerance of the solver's steps",
      default: 3e-7,
      min: 1e-9,
      max: 1,
    }),
    engine: networkFlags.engine,
    output: text({ help: "the picture, .png", placeholder: "FILE", default: "interpolation.png" }),
    json: toggle({ help: "print the last line as JSON" }),
  },
  renamed: { smallestNoise: "minNoise" },
} as const;

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  const { images, between, tolerance, output } = flags;
  if (images.length < 2) throw new UsageError(`--images needs at least two indices, got ${images.length}`);
  if (new Set(images).size < images.length) throw new UsageError(`--images must differ, got ${images}`);
  if (!output.endsWith(".png")) throw new UsageError(`--output must end in .png, got "${output}"`);
  await ensureWritable(output);
  const data = await loadMnist("test", { data: flags.data });
  const beyond = images.find((index) => index >= data.count);
  if (beyond !== undefined) {
    throw new UsageError(`--images must be below ${data.count}, the number of images, got ${beyond}`);
  }
  const started = performance.now();
  const engine = await openEngine(flags.engine);
  const noisePredictor = await loadCheckpoint(flags.checkpoint);
  const { sampleShape } = noisePredictor.network;
  const size = sizeOf(sampleShape);
  if (size * data.count !== data.images.length) {
    throw new RangeError(
      `the checkpoint is for samples of shape [${sampleShape}], MNIST's have [${data.shape}]`,
    );
  }
  const model = scoreModel(noisePredictor, withMinimumNoise(sdes[flags.sde](), flags.minNoise));
  const method: FlowMethod = { kind: "dopri5", rtol: tolerance, atol: tolerance };

  const originals = tf.tensor(
    toModel(
      Uint8Array.from(images.flatMap((i) => Array.from(data.images.subarray(i * size, (i + 1) * size)))),
    ),
    [images.length, ...sampleShape],
  );
  await noisePredictor.prepare(images.length);
  const codes = await encodeLatent(model, originals, method);
  const returned = await decodeLatent(model, codes, method);
  const [worst, squares] = await tf.tidy(() => {
    const difference = returned.sub(originals).div(2); // pictures are half as wide as the models' [−1, 1]
    return tf.stack([difference.abs().max(), difference.square().mean()]);
  }).data();

  const weights = Array.from({ length: between }, (_, i) => (i + 1) / (between + 1));
  await noisePredictor.prepare(between);
  const values: number[] = [];
  for (let pair = 0; pair + 1 < images.length; pair++) {
    const [first, second] = [pair, pair + 1].map((i) => codes.slice([i, 0, 0, 0], [1, ...sampleShape]));
    const walk = await interpolateLatents(first, second, weights);
    const noisy = await decodeLatent(model, walk, method);
    const clean = tf.tidy(() => model.denoised(noisy, model.sde.tMin));
    const ends = [pair, pair + 1].map((i) =>
      toModel(data.images.subarray(images[i] * size, (images[i] + 1) * size))
    );
    values.push(...ends[0], ...await clean.data(), ...ends[1]);
    tf.dispose([first, second, walk, noisy, clean]);
    engine.check();
  }
  const columns = between + 2;
  const shape = [(images.length - 1) * columns, ...sampleShape];
  await atomicWrite(output, encodePng(imageGrid(fromModel(Float32Array.from(values)), shape, { columns })));
  const seconds = (performance.now() - started) / 1000;
  const result = { largestError: worst, rootMeanSquareError: Math.sqrt(squares) };
  if (flags.json) {
    console.log(
      JSON.stringify({
        ...result,
        images,
        labels: images.map((i) => data.labels[i]),
        sde: flags.sde,
        tolerance,
        seconds,
        engine: engine.name,
        file: output,
      }),
    );
    return;
  }
  console.log(
    `${images.length - 1} walks of ${between} digits between images that show ${
      images.map((i) => data.labels[i]).join(", ")
    }, ${flags.sde}; decoding undoes encoding to ${worst.toExponential(1)} of ` +
      `a pixel's range at most, ${result.rootMeanSquareError.toExponential(1)} root mean square; ${
        formatDuration(seconds)
      } ` +
      `on ${engine.name}: ${output}`,
  );
}

if (import.meta.main) await runScript(main);
