/**
 * The variational bound of a chain in discrete time, term by term: `deno task elbo`.
 * @module
 */
import type { MnistSplit } from "../src/data/mnist.ts";
import { type ElboRequest, type ElboResult, runElbo } from "../src/runs/elbo.ts";
import { openEngine } from "./cli/engine.ts";
import { choice, deciding, type FlagValues, integer, toggle, UsageError } from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import { ProgressBar } from "./cli/terminal.ts";
import { loadMnist } from "./datasets/mnist.ts";
import { loadCheckpoint } from "./sampling/checkpoint.ts";
import { chainNames, chains } from "./sampling/ddpm_chains.ts";
import { dataFlag, type engineNames, networkFlags, seedFlag } from "./sampling/flags.ts";
import { sdeNameOf } from "./sampling/sampling.ts";

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
    json: deciding([], toggle({ help: "print every term as JSON" })),
  },
  renamed: { chain: "betas" },
} as const;

/** A run of `elbo`, as plain data. */
interface ElboTaskRequest extends ElboRequest {
  /** A file, the name of a network that comes with the project, or null for the one that is measured unasked. */
  readonly checkpoint: string | null;
  /** The folder with MNIST's files; null where they are found unasked. */
  readonly data: string | null;
  /** Which images. */
  readonly split: MnistSplit;
  /** What computes. */
  readonly engine: typeof engineNames[number];
}

/** What a run measured. */
interface ElboTaskResult extends ElboResult {
  /** The data set's name. */
  readonly dataset: string;
  /** What computed. */
  readonly engine: string;
}

function request(flags: FlagValues<typeof usage.flags>): ElboTaskRequest {
  const { checkpoint = null, data = null, split, variances, limit, batch, seed, engine } = flags;
  const chain = chains[flags.betas]().config;
  if (chain.kind !== "ddpm") throw new TypeError(`${flags.betas} must be a chain in discrete time`);
  return { checkpoint, data, split, betas: chain.betas, variances, limit, batch, seed, engine };
}

async function carryOut(request: ElboTaskRequest): Promise<ElboTaskResult> {
  const { checkpoint, split, betas, limit, batch } = request;
  const data = request.data ?? undefined;
  const engine = await openEngine(request.engine);
  const noisePredictor = await loadCheckpoint(checkpoint ?? undefined);
  const images = await loadMnist(split, { data });
  const { sampleShape } = noisePredictor.network;
  if (String(sampleShape) !== String(images.shape)) {
    throw new UsageError(
      `--checkpoint is of images of shape [${sampleShape}], those of ${images.name} have [${images.shape}]`,
    );
  }
  const training = request.variances === "learned" ? await loadMnist("train", { data }) : null;
  const batches = Math.ceil(Math.min(limit, images.count) / batch) + (training === null ? 0 : 1);
  using progress = new ProgressBar({ label: "bounding", total: batches * betas.length, unit: "steps" });
  const onStep = (steps: number) => progress.update(steps);
  const result = await runElbo(request, { noisePredictor, images, training, engine, onStep });
  noisePredictor.dispose();
  return { ...result, dataset: images.name, engine: engine.name };
}

/** The terms in a table, or all of them as JSON. */
function report(
  request: ElboTaskRequest,
  result: ElboTaskResult,
  { json }: { readonly json: boolean },
): void {
  const { variances, betas } = request;
  const { bits, bitsPerDimension, standardError, prior, reconstruction, steps, dataset, engine } = result;
  const chain = sdeNameOf({ kind: "ddpm", betas });
  if (json) {
    const terms = { bitsPerDimension, standardError, prior, reconstruction, steps };
    console.log(JSON.stringify({ ...terms, images: bits.length, chain, variances, engine }));
    return;
  }
  const whole = steps.reduce((sum, value) => sum + value, 0);
  console.log([
    `${bits.length} ${dataset} images under the chain ${chain} with ${variances} variances, engine ${engine}`,
    `L_T                ${prior.toFixed(5)} bits/dim`,
    `Σ L_1 … L_${steps.length}      ${whole.toFixed(5)}`,
    ...decades(steps).map(([name, value]) => `  ${name.padEnd(17)}${value.toFixed(5)}`),
    `L_0                ${reconstruction.toFixed(5)}`,
    `the bound          ${bitsPerDimension.toFixed(4)} ± ${standardError.toFixed(4)} bits/dim`,
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

/** The task `elbo`. */
export const task: Task<typeof usage.flags, ElboTaskRequest, ElboTaskResult> = {
  usage,
  request,
  carryOut,
  report,
};

if (import.meta.main) await runTask(task);
