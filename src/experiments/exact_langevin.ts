/**
 * Langevin dynamics with the exact score of a 2-D distribution, compared with exact samples of it.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import type { ExactDistribution } from "../distributions/distribution.ts";
import { GaussianMixture } from "../distributions/gaussian_mixture.ts";
import { energyDistance } from "../metrics/energy_distance.ts";
import { type BinomialEstimate, wilsonInterval } from "../metrics/wilson_interval.ts";
import { slicedWasserstein } from "../metrics/sliced_wasserstein.ts";
import type { Mark } from "../plots/marks.ts";
import { panels } from "../plots/panels.ts";
import { plot } from "../plots/plot.ts";
import { langevinUpdate } from "../samplers/langevin.ts";
import { densityMark, dotsMark, exactScore, PANEL, pathMark, squarePlot } from "./plane.ts";
import {
  requireFloats,
  requireFunction,
  requireNumbers,
  requireOptions,
  requirePositive,
  requireWhole,
} from "../input/require.ts";
import {
  requireDistribution,
  requirePlaneDistribution,
  requireRng,
  requireSignal,
  requireSome,
} from "../input/require_parts.ts";
import { quoted } from "../input/quoted.ts";

/** Noise ratio at which scores are taken, as some distributions have none without noise; far below every width here. */
export const LOWEST_NOISE = 0.01;

/** Options of Langevin dynamics. */
export interface LangevinRunOptions {
  /** Particles, at least 2. */
  readonly count: number;
  /** Langevin steps, positive. */
  readonly steps: number;
  /** Step size ε, positive: x ← x + ε ∇log p(x) + √(2ε) z. */
  readonly stepSize: number;
  /** Standard deviation of the normal distribution that particles start from; default 1.5. */
  readonly startStd?: number;
  /** Source of the start and of all noise. */
  readonly rng: Rng;
  /** How many states of the particles are kept, evenly spaced, after the start's; default 10. */
  readonly snapshots?: number;
  /** Particles whose whole path is kept; default 0. */
  readonly followed?: number;
  /** Called after every step with the number of steps so far. */
  readonly onStep?: (steps: number) => void;
  /** Ends the run once it is aborted: the next step throws the signal's reason in its place. */
  readonly signal?: AbortSignal;
}

/** The particles' states and paths. */
export interface LangevinRun {
  /** Steps taken at each snapshot, from 0. */
  readonly steps: readonly number[];
  /** Particles at each snapshot, [count, 2]. */
  readonly states: readonly Float32Array[];
  /** Paths of the followed particles: [steps + 1, 2] each. */
  readonly paths: readonly Float32Array[];
}

/**
 * Unadjusted Langevin dynamics with an exact score. The same generator gives the same particles.
 *
 * @throws {RangeError} If a number of the options is out of range.
 */
export async function runLangevin(
  distribution: ExactDistribution,
  options: LangevinRunOptions,
): Promise<LangevinRun> {
  requireDistribution("distribution", distribution);
  requireOptions("options", options);
  const { count, steps, stepSize, startStd = 1.5, rng, snapshots = 10, followed = 0 } = options;
  const { onStep = () => {}, signal } = options;
  requireFunction("onStep", onStep);
  requireSignal("signal", signal);
  requireRng("rng", rng);
  requireWhole("followed", followed);
  for (
    const [name, value, least] of [["count", count, 2], ["steps", steps, 1], [
      "snapshots",
      snapshots,
      1,
    ]] as const
  ) {
    requireWhole(name, value, least, 1e8);
  }
  requirePositive("stepSize", stepSize);
  requirePositive("startStd", startStd);
  const [start, noise] = [rng.fork("start"), rng.fork("noise")];
  const shape = [count, distribution.dimension];
  const paths = Array.from({ length: Math.min(followed, count) }, () => new Float32Array(2 * (steps + 1)));
  const result = { steps: [] as number[], states: [] as Float32Array[], paths };
  let x = tf.tidy(() => tf.mul(start.normal(shape), startStd));
  try {
    for (let done = 0;; done++) {
      const taken = Math.floor(done * snapshots / steps) > Math.floor((done - 1) * snapshots / steps);
      if (taken || followed > 0) {
        const state = (await x.data<"float32">()).slice();
        paths.forEach((path, i) => path.set(state.subarray(2 * i, 2 * i + 2), 2 * done));
        if (taken) {
          result.steps.push(done);
          result.states.push(state);
        }
      }
      if (done === steps) return result;
      signal?.throwIfAborted();
      const next = tf.tidy(() =>
        langevinUpdate(x, exactScore(distribution, x, LOWEST_NOISE), noise.normal(shape), tf.scalar(stepSize))
      );
      x.dispose();
      x = next;
      onStep(done + 1);
    }
  } finally {
    x.dispose();
  }
}

/** Distances between two samples. */
export interface Distances {
  /** Energy distance, unbiased: around 0, and so perhaps negative, where the distributions are equal. */
  readonly energy: number;
  /** Sliced Wasserstein distance over 64 directions. */
  readonly sliced: number;
}

/** Both distances of samples [N, 2] and [M, 2]. */
function distances(a: ArrayLike<number>, b: ArrayLike<number>, rng: Rng): Distances {
  return { energy: energyDistance(a, b, 2), sliced: slicedWasserstein(a, b, 2, 64, rng) };
}

/** The result of {@linkcode measureLangevin}. */
export interface LangevinReport {
  /** Distances to exact samples by steps. */
  readonly curve: readonly (Distances & { readonly step: number })[];
  /** Distances between two sets of as many exact samples: mean and standard deviation over independent pairs. */
  readonly floor: { readonly mean: Distances; readonly std: Distances };
  /** For a mixture, each mode's share among the particles at the end, and its weight. */
  readonly modes: readonly (BinomialEstimate & { readonly weight: number })[];
  /** The run itself. */
  readonly run: LangevinRun;
  /** Exact samples, [count, 2]. */
  readonly truth: Float32Array;
}

/** Runs Langevin dynamics and compares its particles with exact samples at every snapshot. */
export async function measureLangevin(
  distribution: ExactDistribution,
  options: LangevinRunOptions,
): Promise<LangevinReport> {
  requirePlaneDistribution("distribution", distribution);
  requireOptions("options", options);
  const { count, rng } = options;
  const run = await runLangevin(distribution, { followed: 5, ...options });
  const samples = async (label: string) => {
    const x = distribution.sample(rng.fork(label), count);
    const values = (await x.data<"float32">()).slice();
    x.dispose();
    return values;
  };
  const truth = await samples("truth");
  const pairs: Distances[] = [];
  for (let i = 0; i < 6; i++) {
    pairs.push(distances(await samples(`floor a ${i}`), await samples(`floor b ${i}`), rng));
  }
  const last = run.states[run.states.length - 1];
  return {
    curve: run.states.map((state, i) => ({ step: run.steps[i], ...distances(state, truth, rng) })),
    floor: momentsOf(pairs),
    modes: distribution instanceof GaussianMixture ? modeShares(distribution, last) : [],
    run,
    truth,
  };
}

/** Each component's share among points [N, 2], by the most responsible one, with Wilson's interval. */
export function modeShares(
  mixture: GaussianMixture,
  points: Float32Array,
): (BinomialEstimate & { readonly weight: number })[] {
  if (!(mixture instanceof GaussianMixture)) {
    throw new TypeError(`mixture must be a GaussianMixture, got ${quoted(mixture)}`);
  }
  requireFloats("points", points);
  const counts = new Array<number>(mixture.weights.length).fill(0);
  const count = points.length / 2;
  for (let i = 0; i < count; i++) {
    const { responsibilities } = mixture.posterior(points.subarray(2 * i, 2 * i + 2), LOWEST_NOISE);
    counts[responsibilities.indexOf(Math.max(...responsibilities))]++;
  }
  return counts.map((successes, k) => ({ ...wilsonInterval(successes, count), weight: mixture.weights[k] }));
}

function momentsOf(pairs: readonly Distances[]): { mean: Distances; std: Distances } {
  const mean = (f: (d: Distances) => number) => pairs.reduce((sum, d) => sum + f(d), 0) / pairs.length;
  const std = (f: (d: Distances) => number) => {
    const centre = mean(f);
    return Math.sqrt(pairs.reduce((sum, d) => sum + (f(d) - centre) ** 2, 0) / (pairs.length - 1));
  };
  return {
    mean: { energy: mean((d) => d.energy), sliced: mean((d) => d.sliced) },
    std: { energy: std((d) => d.energy), sliced: std((d) => d.sliced) },
  };
}

const FIRST_STEPS = 150;

/** Exact samples, the dynamics' particles and a few paths, and the distance by steps, as an SVG. */
export async function langevinPicture(
  distribution: ExactDistribution,
  report: LangevinReport,
): Promise<string> {
  requirePlaneDistribution("distribution", distribution);
  requireOptions("report", report);
  const { curve, floor, run, truth } = report;
  requireSome("the curve of a report", curve);
  requireOptions("the floor of a report", floor);
  requireOptions("the run of a report", run);
  requireNumbers("the truth of a report", truth);
  const shade = await densityMark(distribution, LOWEST_NOISE);
  const last = run.states[run.states.length - 1];
  const paths = run.paths.slice(0, 5).map((path) => pathMark(path.subarray(0, 2 * FIRST_STEPS)));
  const step = curve.map((point) => point.step);
  const level = (value: number, label?: string): Mark => ({
    kind: "line",
    x: [step[0], step[step.length - 1]],
    y: [value, value],
    colour: "#7f7f7f",
    dashed: true,
    label,
  });
  const curves: Mark[] = [
    {
      kind: "line",
      x: step,
      y: curve.map(({ sliced }) => sliced),
      dots: true,
      label: "Langevin",
      colour: "#d55e00",
    },
    level(floor.mean.sliced, "true samples"),
  ];
  return panels([
    plot([shade, dotsMark(truth, "#222222", 1, 0.4)], squarePlot("True samples")),
    plot([shade, dotsMark(last, "#222222", 1, 0.4)], squarePlot(`Langevin, ${step[step.length - 1]} steps`)),
    plot(
      [shade, ...paths],
      squarePlot(`Five paths, first ${Math.min(FIRST_STEPS, step[step.length - 1])} steps`),
    ),
    plot(curves, {
      ...PANEL,
      width: 460,
      title: "Sliced Wasserstein distance to true samples",
      x: { label: "steps" },
      y: { min: 0 },
    }),
  ]);
}
