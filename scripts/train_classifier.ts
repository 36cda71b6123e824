/**
 * Trains the digit classifier that measures samples, or with `--noisy` the one that guides samplers, and writes it to a
 * file; the shipped ones are `fixtures/models/classifier.safetensors` and `fixtures/models/noisy_classifier.safetensors`.
 * @module
 */
import { writeClassifier } from "../src/classifiers/digit_classifier.ts";
import { writeNoisyClassifier } from "../src/classifiers/noisy_classifier.ts";
import { CLASSIFIER_TRAINING, type ClassifierTraining } from "../src/classifiers/training.ts";
import {
  type ClassifierTrainingRequest,
  type ClassifierTrainingResult,
  runClassifierTraining,
} from "../src/runs/classifier_training.ts";
import { openEngine } from "./cli/engine.ts";
import { atomicWrite, ensureWritable } from "./cli/files.ts";
import { type FlagValues, integer, text, toggle } from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import { formatDuration, ProgressBar } from "./cli/terminal.ts";
import { loadMnist } from "./datasets/mnist.ts";
import { dataFlag, type engineNames, networkFlags } from "./sampling/flags.ts";

const usage = {
  name: "train:classifier",
  purpose:
    "Trains the digit classifier on MNIST's 60,000 training images and tries it on the 10,000 test images.",
  flags: {
    noisy: toggle({
      help: "the classifier of noisy digits that guides samplers, not the one that measures them",
    }),
    data: dataFlag,
    output: text({ help: "file to write", default: "classifier.safetensors" }),
    steps: integer({ help: "training steps", default: CLASSIFIER_TRAINING.steps, min: 1 }),
    seed: integer({ help: "seed of everything random", default: CLASSIFIER_TRAINING.seed, min: 0 }),
    engine: networkFlags.engine,
  },
} as const;

/** A run of `train:classifier`, as plain data. */
interface TrainClassifierRequest extends ClassifierTrainingRequest {
  /** The folder with MNIST's files; null where they are found unasked. */
  readonly data: string | null;
  /** The file to write. */
  readonly output: string;
  /** What computes. */
  readonly engine: typeof engineNames[number];
}

/** What came of a run, and what computed. */
interface TrainClassifierResult extends Omit<ClassifierTrainingResult, "weights"> {
  readonly engine: string;
}

function request(flags: FlagValues<typeof usage.flags>): TrainClassifierRequest {
  const { noisy, data = null, output, steps, seed, engine } = flags;
  return { noisy, ...CLASSIFIER_TRAINING, steps, seed, data, output, engine };
}

/** Trains, tries and writes the classifier. */
async function carryOut(request: TrainClassifierRequest): Promise<TrainClassifierResult> {
  const { noisy, output, steps } = request;
  await ensureWritable(output);
  const engine = await openEngine(request.engine);
  const places = { data: request.data ?? undefined };
  const [train, test] = [await loadMnist("train", places), await loadMnist("test", places)];
  console.error(`training on ${engine.reason}`);
  const { weights, ...result } = await underBar(
    steps,
    (onStep) => runClassifierTraining(request, { train, test, engine, onStep }),
  );
  const card = { training: JSON.stringify(recipeOf(request)), data: train.name };
  await atomicWrite(
    output,
    noisy
      ? writeNoisyClassifier(weights, { ...card, test: JSON.stringify(result.levels) })
      : writeClassifier(weights, { ...card, testAccuracy: String(result.accuracy) }),
  );
  return { ...result, engine: engine.name };
}

/** What an action gives that says how many steps are done. */
async function underBar<T>(
  total: number,
  action: (onStep: (step: number, loss: number | null) => void) => Promise<T>,
): Promise<T> {
  using progress = new ProgressBar({ label: "training", total, unit: "steps" });
  return await action((step, loss) => {
    if (loss !== null) progress.update(step, `loss ${loss.toFixed(4)}`);
  });
}

/** The recipe alone, as model cards have it. */
function recipeOf({ steps, batch, seed, shift, optimizer }: ClassifierTraining): ClassifierTraining {
  return { steps, batch, seed, shift, optimizer };
}

function report({ steps, output }: TrainClassifierRequest, result: TrainClassifierResult): void {
  const { accuracy: share, levels, seconds, engine } = result;
  for (const [noiseRatio, { accuracy, confidence, crossEntropy }] of levels) {
    console.log(
      `noise ratio ${noiseRatio}: accuracy ${(100 * accuracy).toFixed(2)}%, mean confidence ${
        (100 * confidence).toFixed(2)
      }%, cross-entropy ${crossEntropy.toFixed(4)} nats`,
    );
  }
  const run = `${steps} steps in ${formatDuration(seconds)} on ${engine}, written to ${output}`;
  console.log(share === null ? run : `test accuracy ${(100 * share).toFixed(2)}% after ${run}`);
}

/** The task `train:classifier`. */
export const task: Task<typeof usage.flags, TrainClassifierRequest, TrainClassifierResult> = {
  usage,
  request,
  carryOut,
  report,
};

if (import.meta.main) await runTask(task);
