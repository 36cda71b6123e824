/**
 * How likely MNIST's images are under a checkpoint: `deno task likelihood`.
 * @module
 */

import { createRng } from "../src/compute/rng.ts";
import { slice } from "../src/data/dataset.ts";
import { scoreModel } from "../src/denoiser.ts";
import { bitsPerDimension, dequantize, logLikelihood } from "../src/likelihood.ts";
import { sizeOf } from "../src/networks/network.ts";
import type { FlowMethod } from "../src/probability_flow.ts";
import { choice, integer, number, parseFlags, runScript, text, toggle } from "./flags.ts";
import { loadMnist } from "./mnist_files.ts";
import { load, sdes } from "./drawing.ts";
import { openEngine } from "./engine.ts";
import { formatDuration, ProgressBar } from "./terminal.ts";

const usage = {
  name: "likelihood",
  purpose:
    "Computes log likelihoods of MNIST's images, dequantized uniformly, by the probability flow with Hutchinson's " +
    "trace estimate, and prints their mean in bits per dimension, an upper bound on what the images take.",
  examples: ["deno task likelihood --limit 256", "deno task likelihood --split train --limit 64 --steps 100"],
  flags: {
    checkpoint: text({
      help: "trained weights; by default those that come with the project",
      placeholder: "FILE",
    }),
    data: text({ help: "folder with MNIST's files; by default SCORE_SDE_DATA, the cache or a download" }),
    split: choice(["test", "train"], { help: "which images", default: "test" }),
    limit: integer({ help: "how many images, from the first on", default: 256, min: 1, max: 60_000 }),
    sde: choice(["ve", "vp", "subvp", "sigma-power"], {
      help: "the equation whose flow is followed",
      default: "ve",
    }),
    steps: integer({
      help: "steps of Runge-Kutta 4 on a log-SNR grid; without it steps are adaptive",
      min: 1,
    }),
    rtol: number({ help: "relative tolerance of adaptive steps", default: 1e-4, min: 1e-9, max: 1 }),
    atol: number({ help: "absolute tolerance of adaptive steps", default: 1e-4, min: 1e-9, max: 1 }),
    probes: integer({ help: "random vectors for the trace of each image", default: 1, min: 1, max: 1000 }),
    seed: integer({ help: "the same seed gives the same numbers", default: 0, min: 0 }),
    batch: integer({ help: "images at once", default: 32, min: 1, max: 4096 }),
    engine: choice(["auto", "webgpu", "onnx", "wasm", "cpu"], { help: "what computes", default: "auto" }),
    json: toggle({ help: "print the result as JSON" }),
  },
} as const;

/** Mean and its standard error. */
function summary(values: readonly number[]): { mean: number; error: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  const { split, limit, sde, steps, rtol, atol, probes, seed, batch } = flags;
  const images = slice(await loadMnist(split, { data: flags.data }), 0, limit);
  const engine = await openEngine(flags.engine);
  const denoiser = await load(flags.checkpoint);
  const { sampleShape } = denoiser.network;
  const dimension = sizeOf(sampleShape);
  if (dimension * images.count !== images.images.length) {
    throw new RangeError(
      `the checkpoint is for samples of shape [${sampleShape}], MNIST's have [${images.shape}]`,
    );
  }
  const method: FlowMethod = steps === undefined
    ? { kind: "dopri5", rtol, atol }
    : { kind: "rk4", grid: { kind: "log-snr", steps } };
  const bits: number[] = [];
  const probeErrors: number[] = [];
  let evaluations = 0;
  const started = performance.now();
  using progress = new ProgressBar({ label: "likelihood", total: images.count, unit: "images" });
  progress.update(0);
  for (let first = 0; first < images.count; first += batch) {
    const rows = Math.min(batch, images.count - first);
    await denoiser.prepare(rows, { gradients: true });
    const rng = createRng(seed).startingAt(first);
    const bytes = images.images.subarray(first * dimension, (first + rows) * dimension);
    const x = dequantize(bytes, [rows, ...sampleShape], rng.fork("dequantization"));
    const trace = { rng: rng.fork("probes"), probes };
    const likelihood = await logLikelihood(scoreModel(denoiser, sdes[sde]()), x, { trace, method });
    x.dispose();
    engine.check();
    for (const [row, value] of likelihood.logDensity.entries()) {
      bits.push(bitsPerDimension(value, dimension));
      probeErrors.push(likelihood.standardError[row] / dimension / Math.LN2);
    }
    evaluations = Math.max(evaluations, likelihood.evaluations);
    progress.update(first + rows, `${summary(bits).mean.toFixed(3)} bits/dim`);
  }
  denoiser.dispose();
  const seconds = (performance.now() - started) / 1000;
  const { mean, error } = summary(bits);
  const probeError = probes === 1 ? null : Math.hypot(...probeErrors) / bits.length;
  if (flags.json) {
    const result = { bitsPerDimension: mean, standardError: bits.length === 1 ? null : error, probeError };
    const settings = { split, count: bits.length, sde, ...method, probes, seed };
    console.log(JSON.stringify({ ...result, ...settings, evaluations, seconds, engine: engine.name }));
    return;
  }
  const spread = bits.length === 1 ? "" : ` ± ${error.toFixed(3)}`;
  const ofProbes = probeError === null ? "" : ` (${probeError.toFixed(4)} of it by the trace estimate)`;
  console.log(
    `${mean.toFixed(3)}${spread} bits per dimension${ofProbes}; ${bits.length} ${split} images, ${sde}, ` +
      `${
        steps === undefined ? `adaptive steps at ${rtol}` : `${steps} steps of Runge-Kutta 4`
      }, at most ${evaluations} ` +
      `evaluations, ${formatDuration(seconds)} on ${engine.name}`,
  );
}

if (import.meta.main) await runScript(main);
