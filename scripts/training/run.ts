/**
 * The course of a training run: steps, metrics, checkpoints and sample grids, until the last step, a signal or an error.
 * @module
 */
import { createRng } from "../../src/compute/rng.ts";
import { shuffledBatches } from "../../src/data/batches.ts";
import type { Dataset } from "../../src/data/held_out.ts";
import type { Checkpoint } from "../../src/training/checkpoint.ts";
import { LossHistory } from "../../src/training/loss_history.ts";
import { DivergedError, train } from "../../src/training/train.ts";
import { atomicWrite } from "../cli/files.ts";
import { Interrupt } from "../cli/interrupt.ts";
import { ProgressBar } from "../cli/terminal.ts";
import type { TrainingFolder } from "./run_folder.ts";
import { previewPng } from "./preview.ts";
import { messageOf } from "../cli/flags.ts";

/** How a run is carried out; none of it changes the weights. */
interface RunOptions {
  /** Steps between checkpoints. */
  readonly checkpointEvery: number;
  /** Whether the model of every checkpoint is kept. */
  readonly keepModels: boolean;
  /** Steps between lines of metrics. */
  readonly logEvery: number;
}

/** What a run did. */
export interface TrainingCourse {
  /** Steps that it took. */
  readonly steps: number;
  /** What they took. */
  readonly seconds: number;
  /** The loss of the last; null for none. */
  readonly loss: number | null;
}

/**
 * Runs a training from a checkpoint, or from a state of step 0, to its last step. A signal stops it with a checkpoint and
 * ends the process.
 *
 * A checkpoint is written when it is due and the loss of the next step, the first that its weights have, has not blown up
 * (see {@linkcode LossHistory}); else it is left out, so that the last good one stays.
 * @throws {Error} with one sentence that says what happened and how to go on
 */
export async function runTraining(
  begin: Checkpoint,
  folder: TrainingFolder,
  dataset: Dataset,
  { checkpointEvery, keepModels, logEvery }: RunOptions,
): Promise<TrainingCourse> {
  const { config, state } = begin;
  const start = state.step;
  const history = new LossHistory();
  for (const { loss } of await folder.rewindMetrics(start)) history.add(loss);
  using interrupt = new Interrupt();
  using bar = new ProgressBar({ label: "training", total: config.steps, unit: "steps", initial: start });
  const batches = shuffledBatches(dataset, config.batch, createRng(config.seed).fork("batches"));
  const began = performance.now();
  // The first loss is what later ones are measured by; a checkpoint needs one to be judged by.
  const reportEvery = (step: number) =>
    step === 1 || step % logEvery === 0 || step % checkpointEvery === 0 || due !== null || interrupt.raised;
  let saved: number | null = start === 0 ? null : start;
  /** The checkpoint that is written once the next step has given the loss of its weights. */
  let due: Checkpoint | null = null;
  let note = "";
  let latest: number | null = null;
  try {
    const write = async (checkpoint: Checkpoint, last: boolean) => {
      await folder.save(checkpoint, keepModels);
      saved = checkpoint.state.step;
      if (interrupt.raised && !last) return;
      const picture = await preview(checkpoint, dataset, folder, () => interrupt.raised && !last);
      bar.print(`step ${saved}: ${[...note === "" ? [] : [note], picture].join(", ")}`);
    };
    const steps = train(config, batches, { resume: state, teacher: begin.teacher, reportEvery });
    for await (const { step, loss, gradientNorm, rate, snapshot } of steps) {
      const last = step === config.steps;
      if (loss !== null && gradientNorm !== null) {
        history.add(loss);
        const seconds = (performance.now() - began) / 1000;
        await folder.appendMetrics({ step, loss, gradientNorm, rate, seconds });
        if (history.diverged || (last && history.blownUp)) throw new DivergedError(step, loss);
        if (due !== null && history.blownUp) {
          bar.print(
            `step ${due.state.step}: no checkpoint, as the next loss is ${loss.toFixed(4)}, over ten times ` +
              history.largest.toFixed(4),
          );
        } else if (due !== null) await write(due, false);
        due = null;
        note = `loss ${loss.toFixed(4)}`;
        latest = loss;
      }
      bar.update(step, note);
      // Signals are delivered only when the event loop turns.
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (loss === null) continue;
      if (!history.blownUp) {
        if (last || interrupt.raised) await write({ ...begin, state: await snapshot() }, last);
        else if (step % checkpointEvery === 0) due = { ...begin, state: await snapshot() };
      }
      if (interrupt.raised && !last) {
        bar.print(`stopped after step ${step}; ${advice(folder, saved)}`);
        Deno.exit(interrupt.exitCode);
      }
    }
  } catch (cause) {
    const message = described(cause);
    if (!(cause instanceof DivergedError)) throw new Error(`${message}; ${advice(folder, saved)}`, { cause });
    const before = history.largest < Infinity ? `; before, it was at most ${history.largest.toFixed(4)}` : "";
    const slower = `--rate ${Number((config.optimizer.rate / 4).toPrecision(3))}`;
    throw new Error(`${message}${before}; ${advice(folder, saved, slower)}`, { cause });
  }
  bar.finish();
  return { steps: config.steps - start, seconds: (performance.now() - began) / 1000, loss: latest };
}

/** Draws a sample grid and returns its path, or a sentence on what failed: a picture is no reason to end a run. */
async function preview(
  checkpoint: Checkpoint,
  dataset: Dataset,
  folder: TrainingFolder,
  stopped: () => boolean,
): Promise<string> {
  try {
    const png = await previewPng(checkpoint, stopped, dataset);
    if (png === null) return "no sample grid: the run was asked to stop";
    if (typeof png === "string") return png;
    const path = folder.samples(checkpoint.state.step);
    await atomicWrite(path, png);
    return path;
  } catch (error) {
    return `no sample grid: ${messageOf(error)}`;
  }
}

/** The message of an error; an engine's lack of memory is explained. */
function described(cause: unknown): string {
  const message = messageOf(cause);
  const full = cause instanceof WebAssembly.RuntimeError ||
    /memory access out of bounds|allocation failed/i.test(message);
  return full ? "the engine has no memory for such batches: take a smaller --batch" : message;
}

/** How to go on with a run, and with which flag beside. */
function advice(folder: TrainingFolder, saved: number | null, flag = ""): string {
  return saved === null
    ? `there is no checkpoint yet: start again by the same command${flag && `, with ${flag}`}`
    : `go on from step ${saved} with --resume ${folder.checkpoint}${flag && ` ${flag}`}`;
}
