/**
 * The loop over batches in which all runs draw samples.
 * @module
 */
import type { Engine } from "../compute/engine.ts";
import { createRng, type Rng } from "../compute/rng.ts";
import type { AnyScoreModel } from "../diffusion/noise_predictor.ts";
import type { GridConfig } from "../diffusion/time_grid.ts";
import { requireOptions, requireWhole } from "../input/require.ts";
import { sizeOf } from "../math/shape.ts";
import { sample, type SampleStep } from "../samplers/sample.ts";
import type { Sampler } from "../samplers/sampler.ts";

/** One of some parts of a run, its index from 1. */
export interface Shard {
  /** Which part, from 1. */
  readonly index: number;
  /** How many parts. */
  readonly shards: number;
}

/** The batches with index `first` up to `end` (excluded) of a run that draws `count` samples. */
export interface Part {
  /** Index of the first batch. */
  readonly first: number;
  /** Index after that of the last batch. */
  readonly end: number;
}

/**
 * The batches of a contiguous part of a run. Parts meet at borders between batches, so that every sample is
 * computed in the same batch whether the run is split or not, and its bytes are the same on one engine.
 *
 * @throws {RangeError | TypeError} When there are fewer batches than parts, or a number is not a whole one in its range.
 */
export function shardBatches(
  run: { readonly count: number; readonly batch: number; readonly shard: Shard },
): Part {
  requireOptions("a run", run);
  const { count, batch, shard } = run;
  requireOptions("shard", shard);
  const { index, shards } = shard;
  requireWhole("count", count, 1);
  requireWhole("batch", batch, 1);
  const batches = Math.ceil(count / batch);
  requireWhole("shard.shards", shards, 1, batches);
  requireWhole("shard.index", index, 1, shards);
  return {
    first: Math.floor((index - 1) * batches / shards),
    end: Math.floor(index * batches / shards),
  };
}

/** What batches have in common. */
interface BatchOptions {
  readonly grid: GridConfig;
  readonly seed: number;
  /** Samples of the whole run. */
  readonly count: number;
  /** Samples in a batch: every batch has as many, the last one too, and what is too many is dropped. */
  readonly rows: number;
  /** Called after every step with the number of steps so far, all batches together. */
  readonly onStep: (steps: number) => void;
  /** Ends the run once it is aborted. */
  readonly signal?: AbortSignal;
}

/** How one batch is drawn. */
interface BatchSampling {
  readonly model: AnyScoreModel;
  readonly sampler: Sampler;
  readonly denoise?: boolean;
  /** Called with every state before the last, which is still on the engine. */
  watch?(state: SampleStep): Promise<void>;
  /** Called after the last step, or before an error is passed on, to free what the batch alone uses. */
  dispose?(): void;
}

/** A finished batch. */
export interface SampleBatch {
  /** Index of its first sample in the run. */
  readonly first: number;
  /** Samples that count. */
  readonly samples: number;
  /** [samples, …sampleShape] in model units, not clipped. */
  readonly values: Float32Array;
  /** Evaluations of the model. */
  readonly evaluations: number;
}

/**
 * Draws the batches of a part, one after the other. A sample's random numbers are its own, whatever batch it is in.
 * @param prepare Gives the sampling of the batch whose first sample has an index, with the batch's random numbers.
 */
export async function* runBatches(
  engine: Engine | undefined,
  sampleShape: readonly number[],
  part: Part,
  { grid, seed, count, rows, onStep, signal }: BatchOptions,
  prepare: (first: number, rng: Rng) => Promise<BatchSampling>,
): AsyncGenerator<SampleBatch, void, void> {
  const shape = [rows, ...sampleShape];
  for (let index = part.first; index < part.end; index++) {
    const first = index * rows;
    const samples = Math.min(rows, count - first);
    const rng = createRng(seed).startingAt(first);
    const { model, sampler, denoise, watch, dispose } = await prepare(first, rng);
    let batch: SampleBatch | undefined;
    try {
      for await (const state of sample(model, sampler, { shape, grid, rng, denoise, signal })) {
        try {
          if (!state.done) await watch?.(state);
          onStep((index - part.first) * grid.steps + state.step);
          if (!state.done) continue;
          const values = (await state.x.data<"float32">()).slice(0, samples * sizeOf(sampleShape));
          batch = { first, samples, values, evaluations: state.evaluations };
        } finally {
          if (state.done) state.x.dispose();
        }
      }
    } finally {
      dispose?.();
    }
    engine?.check();
    yield batch!;
  }
}
