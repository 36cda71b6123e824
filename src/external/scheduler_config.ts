/**
 * Reads diffusers' scheduler_config.json: how a model's states, x = √ᾱ_n x_0 + √(1 − ᾱ_n) ε or those of flow matching, were
 * made, and what it predicts.
 * @module
 */
import {
  cosineBetas,
  linearBetas,
  scaledLinearBetas,
  sigmoidBetas,
  zeroTerminalSnrBetas,
} from "../diffusion/beta_schedule.ts";
import { flowSde } from "../diffusion/flow_sde.ts";
import { discreteDdpm, hasZeroTerminalSnr, type Sde } from "../diffusion/sde.ts";
import { checkNumber, checkNumbers } from "../input/fields.ts";
import { isObject, parsedField } from "../input/json.ts";
import { checkName } from "../input/option_name.ts";
import { quoted } from "../input/quoted.ts";
import { requireText, requireWhole } from "../input/require.ts";
import type { GridConfig } from "../diffusion/time_grid.ts";
import type { Prediction } from "../diffusion/prediction.ts";
import { timestepsOf, type TimestepSpacing, timestepSpacings } from "./timesteps.ts";

/** What a scheduler's file says of the models that it goes with; `externalModel` takes it as options. */
export interface SchedulerConfig {
  /**
   * The discrete-time DDPM with the file's betas; of flow matching `flowSde`, which ends where diffusers' steps end: at 1/N,
   * shifted twice.
   */
  readonly sde: Sde;
  /** What the model's output is: `noise` for epsilon, `data` for sample, `velocity` for v_prediction, `flow` for flow matching. */
  readonly prediction: Prediction;
  /** The model is told the index n − 1 of a step, 0 … N − 1; of flow matching N t. */
  readonly conditioning: "index" | "scaled-time";
  /** N, num_train_timesteps. */
  readonly steps: number;
  /** How diffusers chooses the indices at which it samples; null for flow matching. */
  readonly spacing: TimestepSpacing | null;
  /**
   * The grid of as many steps as diffusers visits with `num_inference_steps = steps + 1`, whose last is the denoising of the last
   * time: by the file's `timestep_spacing` and `steps_offset`, or `use_karras_sigmas`, `use_exponential_sigmas`, `use_lu_lambdas`;
   * of flow matching by its `shift`. Where diffusers begins with noise alone, at index N − 1 of zero terminal SNR and at time 1
   * of flow matching, the grid begins next to it, at N − 2 and 0.999.
   *
   * @throws {RangeError} When the scheduler has no such steps: more than it was trained on, or chosen by a rule that is not read.
   */
  grid(steps: number): GridConfig;
}

/** Whose rule chooses the indices: DDPM's, that of the solvers of Lu et al., or Euler's; null for rules that are not read. */
type StepRule = "ddpm" | "solver" | "euler" | null;

/** What a kind of scheduler takes where its file says nothing. */
interface Defaults {
  readonly beta_start: number;
  readonly beta_end: number;
  readonly beta_schedule: string;
  readonly timestep_spacing: TimestepSpacing;
  readonly rule: StepRule;
}

const ddpm: Defaults = {
  beta_start: 1e-4,
  beta_end: 0.02,
  beta_schedule: "linear",
  timestep_spacing: "leading",
  rule: "ddpm",
};
const solver: Defaults = { ...ddpm, timestep_spacing: "linspace", rule: "solver" };
const euler: Defaults = { ...solver, rule: "euler" };
const stableDiffusion: Defaults = { ...euler, beta_start: 0.00085, beta_end: 0.012 };
const distilled: Defaults = {
  ...stableDiffusion,
  beta_schedule: "scaled_linear",
  timestep_spacing: "leading",
  rule: null,
};

/** The kinds that are read, with the defaults of their constructors in diffusers 0.40. */
const kinds: Readonly<Record<string, Defaults>> = {
  DDPMScheduler: ddpm,
  DDPMParallelScheduler: ddpm,
  DDIMScheduler: ddpm,
  DDIMParallelScheduler: ddpm,
  PNDMScheduler: { ...ddpm, rule: null },
  DEISMultistepScheduler: solver,
  DPMSolverMultistepScheduler: solver,
  DPMSolverSinglestepScheduler: solver,
  EulerDiscreteScheduler: euler,
  EulerAncestralDiscreteScheduler: euler,
  LMSDiscreteScheduler: euler,
  SASolverScheduler: solver,
  UniPCMultistepScheduler: solver,
  DPMSolverSDEScheduler: stableDiffusion,
  HeunDiscreteScheduler: stableDiffusion,
  KDPM2DiscreteScheduler: stableDiffusion,
  KDPM2AncestralDiscreteScheduler: stableDiffusion,
  LCMScheduler: distilled,
  TCDScheduler: distilled,
};

const betaSchedules = ["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"] as const;

const predictionTypes = { epsilon: "noise", sample: "data", v_prediction: "velocity" } as const;

/** The kinds of flow matching that are read, whose files say the same. */
const flowKinds: readonly string[] = ["FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler"];

/** What to do about kinds that have no betas, by the beginnings of their names. */
const advice: readonly (readonly [start: RegExp, words: string])[] = [
  [
    /^EDM|^CosineDPM/,
    'has no betas: give externalModel veSde(), prediction "edm", conditioning "log-sigma-quarter" and sigmaData',
  ],
  [
    /^ScoreSdeVe/,
    'has no betas: give externalModel veSde(), prediction "score" or "noise" and conditioning "sigma"',
  ],
  [
    /^Flow|^LTXEuler|^Helios/,
    `chooses its states by a rule that is not read; of flow matching ${flowKinds.join(" and ")} are`,
  ],
];

/**
 * Reads the text of a scheduler_config.json. What concerns only how diffusers samples, such as `clip_sample`, is left out.
 *
 * @example A model of a public checkpoint: its options
 * ```ts
 * import { readSchedulerConfig } from "./scheduler_config.ts";
 * const text = '{"_class_name": "DDIMScheduler", "beta_schedule": "scaled_linear", "prediction_type": "v_prediction"}';
 * const { prediction, steps } = readSchedulerConfig(text);
 * console.assert(prediction === "velocity" && steps === 1000);
 * ```
 * @example Stable Diffusion 3's
 * ```ts
 * import { readSchedulerConfig } from "./scheduler_config.ts";
 * const { sde, prediction } = readSchedulerConfig('{"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3}');
 * console.assert(sde.config.kind === "flow" && prediction === "flow");
 * ```
 * @throws {TypeError | RangeError} When it is no JSON of a known kind of scheduler, or its states are not those of a DDPM or of
 * flow matching: other schedules of betas, shifts that depend on a picture's size, EDM; each by its name.
 */
export function readSchedulerConfig(text: string): SchedulerConfig {
  requireText("the scheduler's file", text);
  const file = parsedField("the scheduler's file", text);
  if (!isObject(file)) throw new TypeError(`the scheduler's file must be an object, got ${quoted(file)}`);
  /** A field, or what stands for one that is missing or null, as Python's None is written. */
  const field = (name: string, fallback: unknown) => file[name] ?? fallback;
  if (flowKinds.some((kind) => kind === file._class_name)) return flowMatching(field);
  const defaults = defaultsOf(file._class_name);
  refuseOtherStates(field);
  const type = field("prediction_type", "epsilon");
  checkName("prediction_type", type, Object.keys(predictionTypes) as (keyof typeof predictionTypes)[]);
  const spacing = field("timestep_spacing", defaults.timestep_spacing);
  checkName("timestep_spacing", spacing, timestepSpacings);
  const rescaled = field("rescale_betas_zero_snr", false) !== false;
  if (rescaled && type === "epsilon") {
    throw new RangeError(
      'rescale_betas_zero_snr makes the last ᾱ 0, where noise says nothing of the data: prediction_type must be "sample" or ' +
        '"v_prediction", got "epsilon"',
    );
  }
  const betas = betasOf(field, defaults);
  const sde = discreteDdpm(rescaled ? zeroTerminalSnrBetas(betas) : betas);
  const count = betas.length;
  const offset = field("steps_offset", 0);
  checkNumber("steps_offset", offset, { least: 0, whole: true });
  return {
    sde,
    prediction: predictionTypes[type],
    conditioning: "index",
    steps: count,
    spacing,
    grid(steps) {
      requireWhole("steps", steps, 1, 1e7);
      const curve = curveOf(field);
      if (curve !== null) return { kind: curve, steps };
      if (defaults.rule === null) {
        throw new RangeError(
          `the scheduler ${
            quoted(file._class_name)
          } chooses its steps by a rule that is not read: give a grid`,
        );
      }
      const indices = timestepsOf({ rule: defaults.rule, spacing, count, evaluations: steps + 1, offset });
      return {
        kind: "indices",
        steps,
        indices: hasZeroTerminalSnr(sde.config) ? withNoise(indices) : indices,
      };
    },
  };
}

/** Indices that begin at N − 2 in the place of N − 1, where there is noise alone. */
function withNoise(indices: readonly number[]): number[] {
  const [first, second, ...others] = indices;
  if (second >= first - 1) {
    throw new RangeError(
      `a scheduler of zero terminal SNR steps from noise alone past the next step: ${
        indices.length - 1
      } are too many`,
    );
  }
  return [first - 1, second, ...others];
}

/** What a file of FlowMatchEulerDiscreteScheduler or FlowMatchHeunDiscreteScheduler says. */
function flowMatching(field: Field): SchedulerConfig {
  const refused = ["use_dynamic_shifting", "invert_sigmas", "shift_terminal"].find((name) =>
    field(name, false) !== false
  );
  if (refused !== undefined) {
    throw new RangeError(
      `${refused} chooses the states of flow matching by a rule that is not read: give externalModel flowSde(), prediction ` +
        '"flow" and conditioning "scaled-time"',
    );
  }
  const count = field("num_train_timesteps", 1000);
  checkNumber("num_train_timesteps", count, { least: 2, most: 1e7, whole: true });
  const shift = field("shift", 1);
  checkNumber("shift", shift, { above: 0 });
  const shifted = (t: number) => shift * t / (1 + (shift - 1) * t);
  // diffusers shifts its ends when it is made, and all times when the steps are chosen.
  const least = shifted(1 / count);
  const sde = flowSde({ tMin: shifted(least) });
  return {
    sde,
    prediction: "flow",
    conditioning: "scaled-time",
    steps: count,
    spacing: null,
    grid(steps) {
      requireWhole("steps", steps, 1, 1e7);
      const curve = ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"].find((name) =>
        field(name, false) !== false
      );
      if (curve !== undefined) {
        throw new RangeError(
          `${curve} chooses times of flow matching by a rule that is not read: give a grid`,
        );
      }
      const times = Array.from({ length: steps - 1 }, (_, i) => shifted(1 - (i + 1) / steps * (1 - least)));
      if (times.length > 0 && times[0] >= sde.tMax) {
        throw new RangeError(
          `the second of ${steps} steps with shift ${shift} is at time ${
            times[0]
          }, where models are not asked beyond ${sde.tMax}: ` +
            "give fewer steps, or a grid",
        );
      }
      return { kind: "levels", steps, ratios: times.map((t) => t / (1 - t)) };
    },
  };
}

/** The grid of noise ratios that takes the place of timesteps, or null. */
function curveOf(field: Field): "karras" | "log-snr" | null {
  if (field("use_beta_sigmas", false) !== false) {
    throw new RangeError("use_beta_sigmas chooses steps by a rule that is not read: give a grid");
  }
  if (field("use_karras_sigmas", false) !== false) return "karras";
  const logarithmic = ["use_exponential_sigmas", "use_lu_lambdas"].some((name) =>
    field(name, false) !== false
  );
  return logarithmic ? "log-snr" : null;
}

/** What a kind takes unasked; refuses unknown kinds. */
function defaultsOf(kind: unknown): Defaults {
  if (typeof kind !== "string") {
    throw new TypeError(`the scheduler's file must name its kind as _class_name, got ${quoted(kind)}`);
  }
  if (Object.hasOwn(kinds, kind)) return kinds[kind];
  const words = advice.find(([start]) => start.test(kind))?.[1];
  throw new RangeError(
    words === undefined
      ? `the scheduler ${quoted(kind)} is not known; those that are read are ${
        [...Object.keys(kinds), ...flowKinds].join(", ")
      }`
      : `the scheduler ${quoted(kind)} ${words}`,
  );
}

type Field = (name: string, fallback: unknown) => unknown;

/** Refuses fields by which states or conditions are others than those of the file's betas. */
function refuseOtherStates(field: Field): void {
  if (field("use_flow_sigmas", false) !== false) {
    throw new RangeError(
      `use_flow_sigmas chooses the states of flow matching by a rule that is not read; ${
        flowKinds.join(" and ")
      } are`,
    );
  }
  const type = field("timestep_type", "discrete");
  if (type !== "discrete") {
    throw new RangeError(
      `timestep_type must be "discrete", an index, got ${
        quoted(type)
      }: give externalModel veSde() and the conditioning ` +
        `"log-sigma-quarter"`,
    );
  }
}

/** β_1 … β_N. */
function betasOf(field: Field, defaults: Defaults): readonly number[] {
  const steps = field("num_train_timesteps", 1000);
  checkNumber("num_train_timesteps", steps, { least: 2, most: 1e7, whole: true });
  const trained = field("trained_betas", undefined);
  if (trained !== undefined) {
    checkNumbers("trained_betas", trained, { above: 0, below: 1 });
    if (trained.length < 2) {
      throw new RangeError(`trained_betas must hold at least two betas, got ${trained.length}`);
    }
    return trained;
  }
  const schedule = field("beta_schedule", defaults.beta_schedule);
  checkName("beta_schedule", schedule, betaSchedules);
  if (schedule === "squaredcos_cap_v2") return cosineBetas(steps);
  const [first, last] = (["beta_start", "beta_end"] as const).map((name) => {
    const beta = field(name, defaults[name]);
    checkNumber(name, beta, { above: 0, below: 1 });
    return beta;
  });
  const between = { linear: linearBetas, scaled_linear: scaledLinearBetas, sigmoid: sigmoidBetas };
  return between[schedule](steps, first, last);
}
