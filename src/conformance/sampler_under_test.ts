/**
 * What a sampler under test is, whatever it is written in: a function that is given a run, asks for answers of the
 * exact model and for noise, and ends with a state. docs/conformance.md has the same as messages of a program.
 * @module
 */
import type { SdeConfig } from "../diffusion/sde.ts";
import { checkFields } from "../input/fields.ts";
import { checkName } from "../input/option_name.ts";
import { quoted } from "../input/quoted.ts";
import { requireMethods } from "../input/require.ts";
import { checkDeclarations } from "./declarations.ts";

/** States of shape [rows, dimension] in float64, row after row. Rows are independent samples. */
export type States = Float64Array<ArrayBuffer>;

/**
 * What the sampler calls its model's answer, for x = α x₀ + σ ε: the predicted noise ε̂, the denoised E[x₀ | x], the score
 * ∇ log p(x) = −ε̂/σ, or the velocity α ε̂ − σ E[x₀ | x] of v-prediction (Salimans & Ho 2022).
 */
export type ModelAnswer = "noise" | "denoised" | "score" | "velocity";

/**
 * How noisy a state is: the time under the run's SDE; or, for a sampler that speaks of noise levels, α and σ of
 * x = α x₀ + σ ε, where α is 1 if left out, as in k-diffusion and EDM; or, for a sampler in this process whose rows take
 * steps of their own, the time of each row, [rows].
 */
export type NoiseLevel =
  | { readonly time: number }
  | { readonly sigma: number; readonly alpha?: number }
  | { readonly times: Float64Array };

/** What a sampler declares of itself, in its first message or by `--declare`; what is left out is measured and not judged. */
export interface Declarations {
  /** The order of its error in the step: weak for a stochastic sampler, of each path for another. */
  readonly order?: number;
  /** The process that it follows as steps get short: the reverse SDE, or the probability-flow ODE. */
  readonly process?: "sde" | "ode";
  /** Evaluations of the model in a run of `steps` steps: a number for each step, and those of the run beside them. */
  readonly evaluationsPerStep?: number;
  /** One of this project's samplers, of which it is said to be an implementation. */
  readonly sampler?: string;
}

/** What is known of a sampler before it runs. */
export interface SamplerDescription {
  /** Its name, for people. */
  readonly name: string;
  /** Whether it asks the run for every normal number, or draws them itself from the run's seed. */
  readonly noise: "given" | "own";
  /** Whether it begins at the run's start, or draws its own. */
  readonly start: "given" | "own";
  /** Whether it visits the run's grid, or chooses levels of its own for the run's number of steps. */
  readonly grid: "given" | "own";
  /** The precision of its states. */
  readonly precision: "float64" | "float32";
  /** What it declares of itself. */
  readonly declares: Declarations;
}

/** The levels that a run of N steps visits: N + 1 of each, from the noisiest down. */
export interface RunGrid {
  /** Times, strictly decreasing. */
  readonly times: Float64Array;
  /** α(t) of x = α x₀ + σ ε. */
  readonly alphas: Float64Array;
  /** σ(t) of x = α x₀ + σ ε; the σ of k-diffusion and EDM is σ(t)/α(t). */
  readonly sigmas: Float64Array;
  /** The drift's factor f(t) of dx = f(t) x dt + g(t) dw. */
  readonly drifts: Float64Array;
  /** The diffusion coefficient g(t), not squared. */
  readonly diffusions: Float64Array;
}

/** One run, as the sampler sees it. */
export interface SamplerRun {
  /** The SDE, as plain numbers. */
  readonly sde: SdeConfig;
  /** Number of steps N. */
  readonly steps: number;
  /** The levels to visit. */
  readonly grid: RunGrid;
  /** Rows and dimension of all states. */
  readonly shape: readonly [rows: number, dimension: number];
  /** The state at the grid's first level; null where the sampler draws its own start. */
  readonly start: States | null;
  /** Seed of whatever the sampler draws itself; the same seed asks for the same numbers. */
  readonly seed: number;
  /** The exact answer of the model for states at a noise level, [rows, dimension]. */
  model(x: States, level: NoiseLevel, answer: ModelAnswer): Promise<States>;
  /** Standard normal numbers, [rows, dimension]. */
  noise(): Promise<States>;
  /** The same at once, for a sampler in this process that cannot wait for its noise. */
  noiseNow(): States;
}

/** What a run ends with. */
export interface RunEnd {
  /** The last state, [rows, dimension]. */
  readonly state: States;
  /** The one noise level of that state; by default the grid's last. Time 0 or σ = 0 say that it is data. */
  readonly level?: NoiseLevel;
}

/** A sampler that is measured. */
export interface SamplerUnderTest {
  /** What is known of it before it runs. */
  readonly description: SamplerDescription;
  /** Runs it once, from the first level to the last. */
  run(run: SamplerRun): Promise<RunEnd>;
}

/** Throws unless a sampler under test has a description and a function that runs it. */
export function checkSampler(sampler: SamplerUnderTest): void {
  requireMethods("sampler", sampler, ["run"], "a sampler under test, with a description and run()");
  const { description } = sampler;
  checkFields("sampler.description", description as unknown, [
    "name",
    "noise",
    "start",
    "grid",
    "precision",
    "declares",
  ]);
  if (typeof description.name !== "string") {
    throw new TypeError(`sampler.description.name must be text, got ${quoted(description.name)}`);
  }
  for (const field of ["noise", "start", "grid"] as const) {
    checkName(`sampler.description.${field}`, description[field], ["given", "own"]);
  }
  checkName("sampler.description.precision", description.precision, ["float64", "float32"]);
  checkDeclarations(description.declares);
}
