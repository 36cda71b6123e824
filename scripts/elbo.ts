/**
 * The variational bound of a chain in discrete time, term by term: `deno task elbo`.
 * @module
 */
import { createRng } from "../src/compute/rng.ts";
import * as tf from "../src/compute/tf.ts";
import { imageSize, slice, toModel } from "../src/data/dataset.ts";
import { scoreModel } from "../src/diffusion/noise_predictor.ts";
import { discreteElbo, learnVariances, type StepVariances } from "../src/likelihood/discrete_bound.ts";
import { chainNames, chains, chainTimes } from "./sampling/ddpm_chains.ts";
import { loadCheckpoint } from "./sampling/checkpoint.ts";
import { dataFlag, networkFlags, seedFlag } from "./sampling/flags.ts";
import { ProgressBar } from "./cli/terminal.ts";
import { openEngine } from "./cli/engine.ts";
import { choice, integer, parseFlags, runScript, toggle, UsageError } from "./cli/flags.ts";
import { loadMnist } from "./datasets/mnist.ts";

const usage = {
  name: "elbo",
  purpose:
    "Bounds the bits that MNIST's images take by DDPM's variational bound (Sohl-Dickstein et al. 2015; Ho et al. 2020), term by " +
    "term, in bits per dimension.",
  examples: [
    "deno task elbo --limit 16",
    "deno task elbo --betas ddpm-cosine --variances learned --limit 16",
  ],
  flags: {
    ...networkFlags,
    data: dataFlag,
    split: choice(["test", "train"], { help: "which images", default: "test" }),
    limit: integer({ help: "how many images, from the first on", default: 16, min: 2, max: 60_000 }),
    betas: choice(chainNames, { help: "the 1000 variances of the forward steps", default: "ddpm-linear" }),
    variances: choice(["posterior", "forward", "learned"], {
      help: "of the model's steps: β̃, β, or those that make the bound least on as many training images",
      default: "posterior",
    }),
    batch: integer({ help: "images at once", default: 16, min: 1, max: 4096 }),
    seed: seedFlag,
    json: toggle({ help: "print every term as JSON" }),
  },
  renamed: { chain: "betas" },
} as const;

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  const engine = await openEngine(flags.engine);
  const noisePredictor = await loadCheckpoint(flags.checkpoint);
  const dataset = await loadMnist(flags.split, { data: flags.data });
  const images = slice(dataset, 0, flags.limit);
  const dimension = imageSize(dataset);
  if (noisePredictor.network.sampleShape.join() !== dataset.shape.join()) {
    throw new UsageError(
      `--checkpoint is of images of shape [${noisePredictor.network.sampleShape}], those of ${dataset.name} have [${dataset.shape}]`,
    );
  }
  const rows = Math.min(flags.batch, images.count);
  await noisePredictor.prepare(rows);
  const model = scoreModel(noisePredictor, chains[flags.betas]());
  const times = chainTimes(model.sde);
  const rng = createRng(flags.seed);
  const learned = flags.variances === "learned";
  const batches = Math.ceil(images.count / rows);
  using bar = new ProgressBar({
    label: "bounding",
    total: (batches + (learned ? 1 : 0)) * times.length,
    unit: "steps",
  });
  let variances: StepVariances = "posterior";
  if (learned) {
    const known = slice(await loadMnist("train", { data: flags.data }), 0, rows);
    const x = tf.tensor(toModel(known.images), [rows, ...known.shape]);
    variances = await learnVariances(model, x, {
      times,
      rng: rng.fork("learning"),
      onStep: (step) => bar.update(step),
    });
    x.dispose();
  } else if (flags.variances === "forward") variances = "forward";
  const terms = { prior: [] as number[], steps: times.slice(1).map(() => 0), reconstruction: [] as number[] };
  const totals: number[] = [];
  for (let index = 0; index < batches; index++) {
    const first = index * rows;
    const own = slice(images, first, first + rows);
    const bytes = new Uint8Array(rows * dimension); // the last batch is filled up with black
    bytes.set(own.images);
    const x = tf.tensor(toModel(bytes), [rows, ...dataset.shape]);
    const bound = await discreteElbo(model, x, {
      times,
      variances,
      rng: rng.startingAt(first),
      onStep: (step) => bar.update((index + (learned ? 1 : 0)) * times.length + step),
    });
    x.dispose();
    engine.check();
    const bits = (nats: number) => nats / dimension / Math.LN2;
    for (let row = 0; row < own.count; row++) {
      totals.push(bits(bound.total[row]));
      terms.prior.push(bits(bound.prior[row]));
      terms.reconstruction.push(bits(bound.reconstruction[row]));
      bound.steps.forEach((step, i) => terms.steps[i] += bits(step[row]) / images.count);
    }
  }
  bar.finish();
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const total = mean(totals);
  const error = Math.sqrt(
    mean(totals.map((value) => (value - total) ** 2)) / Math.max(1, totals.length - 1),
  );
  const result = {
    bitsPerDimension: total,
    standardError: error,
    prior: mean(terms.prior),
    reconstruction: mean(terms.reconstruction),
    steps: Array.from(terms.steps),
    images: images.count,
    chain: flags.betas,
    variances: flags.variances,
    engine: engine.name,
  };
  if (flags.json) return console.log(JSON.stringify(result));
  const whole = result.steps.reduce((sum, value) => sum + value, 0);
  console.log([
    `${images.count} ${dataset.name} images under the chain ${flags.betas} with ${flags.variances} variances, engine ${engine.name}`,
    `L_T                ${result.prior.toFixed(5)} bits/dim`,
    `Σ L_1 … L_${times.length - 1}      ${whole.toFixed(5)}`,
    ...decades(result.steps).map(([name, value]) => `  ${name.padEnd(17)}${value.toFixed(5)}`),
    `L_0                ${result.reconstruction.toFixed(5)}`,
    `the bound          ${total.toFixed(4)} ± ${error.toFixed(4)} bits/dim`,
  ].join("\n"));
}

/** Sums of the terms L_n over ranges of n, from the data outwards; `steps` runs from the noise down. */
function decades(steps: readonly number[]): [string, number][] {
  const terms = [...steps].reverse();
  const borders = [0, 1, 9, 49, 199, 499, terms.length].filter((n) => n <= terms.length);
  return borders.slice(1).map((end, i) => [
    `L_${borders[i] + 1} … L_${end}`,
    terms.slice(borders[i], end).reduce((sum, value) => sum + value, 0),
  ]);
}

await runScript(main);
