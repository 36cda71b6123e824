/** Runs of samplers on images under a condition, whose states go to the page. @module */
import { type AnyScoreModel, createRng, noiseRatio, sample, type Sampler } from "../../mod.ts";
import type { ImagesStep } from "../protocol.ts";
import { noisyBytes, toBytes } from "./bytes.ts";
import type { JobContext } from "./job.ts";

/** What is drawn, and how many of it. */
interface ImagesRun {
  readonly model: AnyScoreModel;
  readonly sampler: Sampler;
  /** [height, width, channels]. */
  readonly shape: readonly number[];
  /** How many are shown. */
  readonly count: number;
  /** How many are drawn for each that is shown, the first of them; default 1. */
  readonly each?: number;
  readonly steps: number;
  readonly seed: number;
  /** The spread of the data. */
  readonly spread: { readonly sigmaData: number; readonly centre: number };
}

/** Draws images on the Karras grid that suits DPM-Solver++(2M). */
export async function drawImages(
  run: ImagesRun,
  { step: tell, signal }: JobContext<ImagesStep>,
): Promise<null> {
  const { model, sampler, shape, count, each = 1, seed, spread } = run;
  const options = {
    shape: [count * each, ...shape],
    grid: { kind: "karras", steps: run.steps, rho: 5 },
    rng: createRng(seed),
    signal,
  } as const;
  const channels = shape[2] === 3 ? 3 : 1;
  let before = performance.now();
  for await (const { step, steps, time, x, done } of sample(model, sampler, options)) {
    const all = await x.data<"float32">();
    const values = firstOfEach(all, count, each);
    if (done) x.dispose();
    const { sde } = model;
    const images = done
      ? toBytes(values)
      : noisyBytes(values, sde.alpha(time), noiseRatio(sde, time), spread);
    await tell({ step, steps, images, channels, milliseconds: performance.now() - before });
    before = performance.now();
  }
  return null;
}

/** The first of every `each` images in a row. */
function firstOfEach(values: Float32Array, count: number, each: number): Float32Array {
  const size = values.length / (count * each);
  const first = new Float32Array(count * size);
  for (let i = 0; i < count; i++) {
    first.set(values.subarray(i * each * size, (i * each + 1) * size), i * size);
  }
  return first;
}
