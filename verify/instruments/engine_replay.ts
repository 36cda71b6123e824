/**
 * A sampler's run on one engine, repeated on another step by step, each step from the first run's state. Engines that
 * round differently part ways over many steps, the further the more a step stretches small differences, and for good
 * where one of them accepts a step that the other takes back; over one step from one state they differ by rounding alone.
 * @module
 */
import { limited } from "./limited_predictor.ts";
import { createRng } from "../../src/compute/rng.ts";
import * as tf from "../../src/compute/tf.ts";
import { scoreModel, scoreModelFromNoise } from "../../src/diffusion/noise_predictor.ts";
import { GaussianMixture } from "../../src/distributions/gaussian_mixture.ts";
import { samplerByName } from "../../src/samplers/registry.ts";
import type { SamplerOptions } from "../../src/samplers/sampler_info.ts";
import { type GridConfig, timeGrid } from "../../src/diffusion/time_grid.ts";
import { gentleVp, settings } from "../problems/short_runs.ts";

/** In so many dimensions scores and noise have lengths far from zero, by which Langevin samplers divide. */
const dimension = 12;
const rows = 6;

/** Two Gaussians whose neighbouring coordinates are coupled. */
const coupled = GaussianMixture.from({
  weights: [0.4, 0.6],
  means: [-1, 1].map((side) => Array.from({ length: dimension }, (_, i) => side * (i % 3) / 4)),
  covariances: [0.1, -0.05].map((coupling) =>
    Array.from(
      { length: dimension },
      (_, i) =>
        Array.from({ length: dimension }, (_, j) =>
          i === j ? 0.2 + i / 40 : Math.abs(i - j) === 1 ? coupling : 0),
    )
  ),
});

/**
 * Adaptive samplers go in steps so short that a few attempts are enough for one, a third of them taken back; with tolerances
 * that are far above what rounding does to an error estimate, so that engines rarely differ on whether to accept.
 */
function replaySettings(name: string): { grid: GridConfig; options: SamplerOptions } {
  if (name === "adaptive-sde") return { grid: { kind: "uniform", steps: 20 }, options: {} };
  if (name === "ode-dopri5") {
    return { grid: { kind: "uniform", steps: 6 }, options: { rtol: 1e-3, atol: 1e-3 } };
  }
  if (name === "dpm-solver-adaptive") {
    return { grid: { kind: "uniform", steps: 20 }, options: { rtol: 1e-3, atol: 1e-3 } };
  }
  return settings(name);
}

/** One step of a run: the state [rows, dimension] after it, and where each row evaluated the score on the way. */
export interface ReplayedStep {
  readonly state: Float32Array;
  /** [evaluations][rows], in time. */
  readonly times: readonly Float64Array[];
}

/** The steps of a run on the engine of now, its start first, its denoising last; each from the states of `before`, if given. */
export async function replay(
  name: string,
  seed: number,
  before?: readonly ReplayedStep[],
): Promise<ReplayedStep[]> {
  const base = scoreModel(limited(coupled, 2000), gentleVp);
  let times: Float64Array[] = [];
  const model = scoreModelFromNoise(base.sde, (x, t) => {
    times.push(typeof t === "number" ? new Float64Array(rows).fill(t) : Float64Array.from(t));
    return base.predictedNoise(x, t);
  });
  const { grid, options } = replaySettings(name);
  const points = timeGrid(gentleVp, grid);
  const rng = createRng(seed).fork(name);
  const steps: ReplayedStep[] = [];
  const shape = [rows, dimension];
  const run = async (action: (x: tf.Tensor) => tf.Tensor | Promise<tf.Tensor>) => {
    const from = steps.length === 0
      ? rng.normal(shape)
      : tf.tensor((before ?? steps)[steps.length - 1].state, shape);
    times = [];
    const to = await action(from);
    steps.push({ state: await to.data<"float32">(), times });
    if (to !== from) to.dispose();
    from.dispose();
  };
  const stepper = samplerByName(name, options).start(model, rng);
  await run((x) => stepper.begin?.(x, points[0]) ?? x);
  for (let k = 1; k < points.length; k++) await run((x) => stepper.step(x, points[k - 1], points[k]));
  await run((x) => tf.tidy(() => model.denoised(x, points[points.length - 1])));
  stepper.dispose();
  return steps;
}

/** How two replays differ, row by row. */
export interface ReplayDifference {
  /** For each step and each row that took the same decisions so far: the largest difference, in units of 2⁻²³ of the row. */
  readonly units: number[];
  /** How far apart its evaluations were in time, likewise. */
  readonly shifts: number[];
  /** How many rows came to a step of which one engine kept what the other took back. */
  readonly parted: number;
}

/** Compares two replays; a row is left out from the step on in which it parted. */
export function compareReplays(a: readonly ReplayedStep[], b: readonly ReplayedStep[]): ReplayDifference {
  const [units, shifts]: number[][] = [[], []];
  let parted = 0;
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < a.length; k++) {
      const shift = furthestTimes(a[k].times, b[k].times, row);
      if (shift > 1e-3) {
        parted++;
        break;
      }
      let [difference, size] = [0, 1];
      for (let i = row * dimension; i < (row + 1) * dimension; i++) {
        // Math.max keeps a NaN.
        difference = Math.max(difference, Math.abs(a[k].state[i] - b[k].state[i]));
        size = Math.max(size, Math.abs(a[k].state[i]), Math.abs(a[Math.max(k - 1, 0)].state[i]));
      }
      units.push(difference / size * 2 ** 23);
      shifts.push(shift);
    }
  }
  return { units, shifts, parted };
}

/** How far the evaluations of a row are apart in time; one that has arrived waits there for the others. */
function furthestTimes(a: readonly Float64Array[], b: readonly Float64Array[], row: number): number {
  let furthest = 0;
  for (let call = 0; call < Math.max(a.length, b.length); call++) {
    const [here, there] = [a, b].map((times) => times[Math.min(call, times.length - 1)][row]);
    furthest = Math.max(furthest, Math.abs(here - there));
  }
  return furthest;
}
