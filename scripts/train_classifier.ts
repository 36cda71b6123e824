/**
 * Trains the digit classifier that measures samples, and writes it to a file; the shipped one is
 * `fixtures/classifier.safetensors`.
 * @module
 */
import type { EngineName } from "../src/compute/engine.ts";
import { toModel } from "../src/data/dataset.ts";
import { classAccuracy, classify, writeClassifier } from "../src/metrics/classifier.ts";
import { CLASSIFIER_TRAINING, trainClassifier } from "../src/metrics/classifier_training.ts";
import type { Weights } from "../src/networks/network.ts";
import { openEngine } from "./engine.ts";
import { atomicWrite, ensureWritable } from "./files.ts";
import { choice, integer, parseFlags, runScript, text } from "./flags.ts";
import { loadMnist } from "./mnist_files.ts";
import { formatDuration, ProgressBar } from "./terminal.ts";

const usage = {
  name: "train:classifier",
  purpose:
    "Trains the digit classifier on MNIST's 60,000 training images and tries it on the 10,000 test images.",
  flags: {
    data: text({ help: "folder with MNIST's files; by default SCORE_SDE_DATA, the cache or a download" }),
    output: text({ help: "file to write", default: "classifier.safetensors" }),
    steps: integer({ help: "training steps", default: CLASSIFIER_TRAINING.steps, min: 1 }),
    seed: integer({ help: "seed of everything random", default: CLASSIFIER_TRAINING.seed, min: 0 }),
    engine: choice(["auto", "webgpu", "onnx", "wasm", "cpu"], { help: "what computes", default: "auto" }),
  },
};

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  await ensureWritable(flags.output);
  const engine = await openEngine(flags.engine as EngineName);
  const train = await loadMnist("train", { data: flags.data });
  const test = await loadMnist("test", { data: flags.data });
  const config = { ...CLASSIFIER_TRAINING, steps: flags.steps, seed: flags.seed };
  console.error(`training on ${engine.reason}`);
  const started = performance.now();
  let weights: Weights | null = null;
  {
    using progress = new ProgressBar({ label: "training", total: config.steps, unit: "steps" });
    for await (const { step, loss, weights: read } of trainClassifier(train, config)) {
      if (loss !== null) progress.update(step, `loss ${loss.toFixed(4)}`);
      if (step === config.steps) weights = await read();
    }
  }
  const seconds = (performance.now() - started) / 1000;
  const { labels } = await classify(weights!, toModel(test.images));
  const accuracy = classAccuracy(labels, test.labels);
  await atomicWrite(
    flags.output,
    writeClassifier(weights!, {
      training: JSON.stringify(config),
      data: train.name,
      testAccuracy: String(accuracy),
    }),
  );
  console.log(
    `test accuracy ${(100 * accuracy).toFixed(2)}% after ${config.steps} steps in ${
      formatDuration(seconds)
    } on ${engine.name}, written to ${flags.output}`,
  );
}

if (import.meta.main) await runScript(main);
