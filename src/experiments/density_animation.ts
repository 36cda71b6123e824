/**
 * Animations of a density diffused to noise and back, with particles and trajectories of the probability flow.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { type ScoreModel, scoreModel } from "../diffusion/noise_predictor.ts";
import type { ExactDistribution } from "../distributions/distribution.ts";
import { panels } from "../plots/panels.ts";
import { plot } from "../plots/plot.ts";
import { eulerMaruyama } from "../samplers/euler_maruyama.ts";
import { odeRk4 } from "../samplers/ode_rk4.ts";
import { sample } from "../samplers/sample.ts";
import type { Sampler } from "../samplers/sampler.ts";
import { noiseRatio, type Sde, transition, vpSde } from "../diffusion/sde.ts";
import { timeGrid } from "../diffusion/time_grid.ts";
import { densityMark, dotsMark, pathMark, squarePlot } from "./plane.ts";
import { requireArray, requireNumbers, requireOptions, requireWhole } from "../input/require.ts";
import { requirePlaneDistribution, requireRng, requireSde, requireSignal } from "../input/require_parts.ts";

/** Options of an animation. */
export interface DensityAnimationOptions {
  /** Times in each direction, at least 2; the animation has twice as many frames. */
  readonly moments: number;
  /** Particles, positive. */
  readonly count: number;
  /** Source of all randomness. */
  readonly rng: Rng;
  /** The SDE; default VP, which stays within the picture. */
  readonly sde?: Sde;
  /** Ends the run once it is aborted, at the next evaluation of the score: with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The states of particles at each time of an animation. */
export interface DensityAnimation {
  /** Times from tMin to tMax, [moments]. */
  readonly times: Float64Array;
  /** Data diffused by the forward SDE, [count, 2] at each time. */
  readonly forward: readonly Float32Array[];
  /** The reverse SDE's particles, from noise to data, at each time in the same order. */
  readonly reverse: readonly Float32Array[];
  /** Trajectories of the probability flow, [moments, 2] each, in the same order. */
  readonly flow: readonly Float32Array[];
}

/** Steps between two times. */
const SUBSTEPS = 8;

/**
 * Simulates the forward SDE from data, the reverse SDE from noise, and the probability flow; the same generator gives
 * the same animation.
 *
 * @throws {RangeError} If a number of the options is out of range.
 */
export async function densityAnimation(
  distribution: ExactDistribution,
  options: DensityAnimationOptions,
): Promise<DensityAnimation> {
  requirePlaneDistribution("distribution", distribution);
  requireOptions("options", options);
  const { moments, count, rng, sde = vpSde(), signal } = options;
  requireRng("rng", rng);
  requireSde("sde", sde);
  requireSignal("signal", signal);
  for (const [name, value, least] of [["moments", moments, 2], ["count", count, 1]] as const) {
    requireWhole(name, value, least, 1e7);
  }
  const model = scoreModel(distribution, sde);
  const fine = timeGrid(sde, { kind: "quadratic", steps: (moments - 1) * SUBSTEPS });
  const times = fine.filter((_, i) => i % SUBSTEPS === 0).reverse();
  const reverse = await states(model, eulerMaruyama(), fine, count, rng.fork("reverse"), signal);
  const lines = await states(model, odeRk4(), fine, 40, rng.fork("flow"), signal);
  return {
    times,
    forward: await diffused(distribution, sde, times, count, rng.fork("forward")),
    reverse,
    flow: Array.from(
      { length: lines[0].length / 2 },
      (_, i) => Float32Array.from(lines.flatMap((state) => [state[2 * i], state[2 * i + 1]])),
    ),
  };
}

/** States at the animation's times, in increasing time. */
async function states(
  model: ScoreModel,
  sampler: Sampler,
  grid: Float64Array,
  count: number,
  rng: Rng,
  signal: AbortSignal | undefined,
): Promise<Float32Array[]> {
  const kept: Float32Array[] = [];
  for await (
    const { step, x, done } of sample(model, sampler, {
      shape: [count, 2],
      grid,
      rng,
      denoise: false,
      signal,
    })
  ) {
    if (step % SUBSTEPS === 0) kept.unshift((await x.data<"float32">()).slice());
    if (done) x.dispose();
  }
  return kept;
}

/** Data diffused by the exact transitions of the forward SDE. */
async function diffused(
  distribution: ExactDistribution,
  sde: Sde,
  times: Float64Array,
  count: number,
  rng: Rng,
): Promise<Float32Array[]> {
  const kept: Float32Array[] = [];
  let [x, before]: [tf.Tensor, number | null] = [distribution.sample(rng.fork("data"), count), null];
  const noise = rng.fork("noise");
  for (const time of times) {
    const { scale, std }: { scale: number; std: number } = before === null
      ? { scale: sde.alpha(time), std: sde.sigma(time) }
      : transition(sde, before, time);
    const next: tf.Tensor = tf.tidy(() => tf.add(tf.mul(x, scale), tf.mul(noise.normal([count, 2]), std)));
    x.dispose();
    [x, before] = [next, time];
    kept.push((await x.data<"float32">()).slice());
  }
  x.dispose();
  return kept;
}

/**
 * The frames as SVG, forward then back: particles on the exact density, and the flow's trajectories up to that time.
 */
export async function* animationFrames(
  distribution: ExactDistribution,
  options: DensityAnimationOptions,
  animation: DensityAnimation,
): AsyncGenerator<string> {
  requirePlaneDistribution("distribution", distribution);
  requireOptions("options", options);
  const { sde = vpSde() } = options;
  requireSde("sde", sde);
  requireOptions("animation", animation);
  requireNumbers("the times of an animation", animation.times);
  for (const name of ["forward", "reverse", "flow"] as const) {
    requireArray(`${name} of an animation`, animation[name]);
  }
  const last = animation.times.length - 1;
  const shades = [];
  for (const time of animation.times) {
    shades.push(
      await densityMark(distribution, noiseRatio(sde, time), { scale: sde.alpha(time), shades: 8 }),
    );
  }
  for (
    const [direction, particles] of [["forward", animation.forward], ["reverse", animation.reverse]] as const
  ) {
    for (let frame = 0; frame <= last; frame++) {
      const at = direction === "forward" ? frame : last - frame;
      const lines = animation.flow.map((path) =>
        pathMark(direction === "forward" ? path.subarray(0, 2 * at + 2) : path.subarray(2 * at), {
          colour: "#d55e00",
        })
      );
      const title = `t = ${animation.times[at].toFixed(2)}`;
      yield panels([
        plot(
          [shades[at], dotsMark(particles[at], "#222222", 1.2, 1)],
          squarePlot(`${direction} SDE, ${title}`),
        ),
        plot([shades[at], ...lines], squarePlot(`probability flow, ${title}`)),
      ]);
    }
  }
}
