/**
 * The experiments in the plane as one call: what is measured where every score is known, and the pictures of it.
 * @module
 */
import { createRng } from "../compute/rng.ts";
import { toyDistribution, type ToyName } from "../distributions/toys.ts";
import { animationFrames, densityAnimation } from "../experiments/density_animation.ts";
import { langevinPicture, type LangevinReport, measureLangevin } from "../experiments/exact_langevin.ts";
import { errorsPicture, fieldsPicture, levelsPicture } from "../experiments/field_pictures.ts";
import {
  type FieldErrors,
  type FieldMethod,
  type FieldsReport,
  learnFields,
  measureFields,
} from "../experiments/learned_fields.ts";
import { measureModes, modesPicture } from "../experiments/mode_proportions.ts";
import { checkName } from "../input/option_name.ts";
import {
  requireArray,
  requireBetween,
  requireFunction,
  requireOptions,
  requireWhole,
} from "../input/require.ts";
import { requireSignal, requireSome } from "../input/require_parts.ts";
import type { BinomialEstimate } from "../metrics/wilson_interval.ts";

/** Langevin dynamics in the exact field against true samples. */
export interface LangevinRequest {
  /** The experiment. */
  readonly experiment: "langevin";
  /** The distribution. */
  readonly data: ToyName;
  /** Particles, 2 or more. */
  readonly count: number;
  /** Langevin steps, from 1 on. */
  readonly steps: number;
  /** Step size ε, positive: x ← x + ε ∇log p(x) + √(2ε) z. */
  readonly stepSize: number;
  /** The seed of all that is random. */
  readonly seed: number;
}

/** Score networks by each score matching beside the true field. */
export interface MatchingRequest {
  /** The experiment. */
  readonly experiment: "matching";
  /** The distribution. */
  readonly data: ToyName;
  /** Samples that errors are measured on, from 1 to 10000000. */
  readonly count: number;
  /** Training steps of each network, from 1 on. */
  readonly steps: number;
  /** Noise level at which networks are trained and compared, positive. */
  readonly sigma: number;
  /** How networks are trained, at least one way. */
  readonly methods: readonly FieldMethod[];
  /** The seed of all that is random. */
  readonly seed: number;
}

/** The proportions of two separate modes by three samplers. */
export interface ModesRequest {
  /** The experiment. */
  readonly experiment: "modes";
  /** Samples of each sampler, 2 or more. */
  readonly count: number;
  /** Steps of plain Langevin dynamics; annealed dynamics takes as many in all, the reverse SDE a quarter. */
  readonly steps: number;
  /** Standard deviations between the modes, 0 or more. */
  readonly separation: number;
  /** Probability of the heavier mode, from 0 to 1. */
  readonly weight: number;
  /** The seed of all that is random. */
  readonly seed: number;
}

/** An animation of a density to noise and back. */
export interface DensitiesRequest {
  /** The experiment. */
  readonly experiment: "densities";
  /** The distribution. */
  readonly data: ToyName;
  /** Particles, 1 or more. */
  readonly count: number;
  /** Times in each direction, 2 or more. */
  readonly moments: number;
  /** The seed of all that is random. */
  readonly seed: number;
}

/** An experiment, as plain data. */
export type PlaneExperimentRequest = LangevinRequest | MatchingRequest | ModesRequest | DensitiesRequest;

/** What an experiment needs beside the request. */
export interface PlaneExperimentParts {
  /** Called with the steps so far: of the dynamics or of training, all samplers or methods together, or frames of the animation. */
  readonly onStep?: (done: number, method?: FieldMethod) => void;
  /** Ends the run once it is aborted, at the next evaluation of the model: with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A picture of an experiment. */
export interface PlanePicture {
  /** What it shows, such as `levels`; empty for the only picture. */
  readonly name: string;
  /** SVG: one frame, or those of an animation in their order. */
  readonly frames: readonly string[];
}

/** What Langevin dynamics measured. */
export interface LangevinResult extends Pick<LangevinReport, "curve" | "floor" | "modes"> {
  /** The experiment. */
  readonly experiment: "langevin";
  /** Samples, the particles and the distances by steps. */
  readonly pictures: readonly PlanePicture[];
}

/** What score networks measured. */
export interface MatchingResult extends Pick<FieldsReport, "levels" | "share"> {
  /** The experiment. */
  readonly experiment: "matching";
  /** The errors of each method. */
  readonly fields: readonly Pick<FieldErrors, "method" | "relative" | "byLevel" | "byDensity">[];
  /** `fields`, `errors` and `levels`. */
  readonly pictures: readonly PlanePicture[];
}

/** What three samplers measured. */
export interface ModesResult {
  /** The experiment. */
  readonly experiment: "modes";
  /** Each sampler's share of samples in the heavier mode, and evaluations of the score for a sample. */
  readonly rows: readonly (BinomialEstimate & { readonly sampler: string; readonly evaluations: number })[];
  /** Samples and paths. */
  readonly pictures: readonly PlanePicture[];
}

/** The animation. */
export interface DensitiesResult {
  /** The experiment. */
  readonly experiment: "densities";
  /** The frames, forward then back. */
  readonly pictures: readonly PlanePicture[];
}

/** What an experiment measured, and its pictures. */
export type PlaneExperimentResult = LangevinResult | MatchingResult | ModesResult | DensitiesResult;

/** What the experiment of a request measured. */
export type PlaneExperimentResultOf<R extends PlaneExperimentRequest> = Extract<
  PlaneExperimentResult,
  { readonly experiment: R["experiment"] }
>;

/** What carries an experiment out with. */
type Watch = { readonly onStep: NonNullable<PlaneExperimentParts["onStep"]>; readonly signal?: AbortSignal };

const run: {
  readonly [R in PlaneExperimentRequest as R["experiment"]]: (
    request: R,
    watch: Watch,
  ) => Promise<PlaneExperimentResultOf<R>>;
} = { langevin, matching, modes, densities };

/**
 * Carries out an experiment.
 * @throws {RangeError | TypeError} When the request is not one that can be carried out.
 */
export async function runPlaneExperiment<R extends PlaneExperimentRequest>(
  request: R,
  parts: PlaneExperimentParts = {},
): Promise<PlaneExperimentResultOf<R>> {
  requireOptions("a request", request);
  requireOptions("parts", parts);
  const { onStep = () => {}, signal } = parts;
  requireFunction("onStep", onStep);
  requireSignal("signal", signal);
  checkName("experiment", request.experiment, Object.keys(run));
  requireWhole("seed", request.seed, 0, Number.MAX_SAFE_INTEGER);
  const carryOut = run[request.experiment] as unknown as (
    request: R,
    watch: Watch,
  ) => Promise<PlaneExperimentResultOf<R>>;
  return await carryOut(request, { onStep, signal });
}

async function langevin(
  { data, count, steps, stepSize, seed }: LangevinRequest,
  { onStep, signal }: Watch,
): Promise<LangevinResult> {
  const distribution = toyDistribution(data);
  const report = await measureLangevin(distribution, {
    ...{ count, steps, stepSize, signal },
    onStep: (taken) => onStep(taken),
    rng: createRng(seed),
  });
  const { curve, floor, modes } = report;
  const pictures = [{ name: "", frames: [await langevinPicture(distribution, report)] }];
  return { experiment: "langevin", curve, floor, modes, pictures };
}

async function matching(
  { data, count, steps, sigma, methods, seed }: MatchingRequest,
  { onStep, signal }: Watch,
): Promise<MatchingResult> {
  // Before networks are trained.
  requireWhole("count", count, 1, 1e7);
  requireArray("methods", methods);
  requireSome("methods", methods);
  const distribution = toyDistribution(data);
  const fields = await learnFields(distribution, {
    ...{ sigma, steps, seed, methods, signal },
    onStep: (method, done) => onStep(methods.indexOf(method) * steps + done, method),
  });
  const report = await measureFields(distribution, fields, { sigma, seed, count }).finally(() => {
    for (const field of fields) field.dispose();
  });
  const drawn = distribution.sample(createRng(seed).fork("picture"), 1000);
  const points = await drawn.data<"float32">();
  drawn.dispose();
  return {
    experiment: "matching",
    levels: report.levels,
    share: report.share,
    fields: report.fields.map(({ method, relative, byLevel, byDensity }) => ({
      ...{ method, relative, byLevel, byDensity },
    })),
    pictures: [
      { name: "fields", frames: [await fieldsPicture(distribution, report)] },
      { name: "errors", frames: [await errorsPicture(distribution, report, points)] },
      { name: "levels", frames: [levelsPicture(report)] },
    ],
  };
}

async function modes(
  { count, steps, separation, weight, seed }: ModesRequest,
  { onStep, signal }: Watch,
): Promise<ModesResult> {
  requireBetween("separation", separation, 0);
  requireBetween("weight", weight, 0, 1);
  const rows = await measureModes({
    ...{ count, steps, separation, weight, signal },
    onStep: (taken) => onStep(taken),
    rng: createRng(seed),
  });
  return {
    experiment: "modes",
    rows: rows.map(({ sampler, heavier, evaluations }) => ({ sampler, ...heavier, evaluations })),
    pictures: [{ name: "", frames: [await modesPicture(rows, { separation, weight })] }],
  };
}

async function densities(
  { data, count, moments, seed }: DensitiesRequest,
  { onStep, signal }: Watch,
): Promise<DensitiesResult> {
  const distribution = toyDistribution(data);
  const options = { moments, count, rng: createRng(seed), signal };
  const animation = await densityAnimation(distribution, options);
  const frames: string[] = [];
  for await (const frame of animationFrames(distribution, options, animation)) {
    frames.push(frame);
    onStep(frames.length);
    signal?.throwIfAborted();
  }
  return { experiment: "densities", pictures: [{ name: "", frames }] };
}
