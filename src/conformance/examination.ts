/**
 * What the properties of one sampler are measured from: its runs, each made once and shared by all that look at it.
 * @module
 */
import { noiseRatio, type Sde } from "../diffusion/sde.ts";
import { sdeFromConfig } from "../diffusion/sde_registry.ts";
import { type GridKind, timeGrid } from "../diffusion/time_grid.ts";
import { gaussianOnLine, type ProductData } from "./exact_model.ts";
import {
  exactMoments,
  type ImpulseResponse,
  impulseResponse,
  type Moments,
  type ResponseRequest,
} from "./impulse_response.ts";
import { normalNumbers } from "./normal_numbers.ts";
import { ConformanceError, type RecordedRun, recordRun, type RunRequest } from "./recorded_run.ts";
import type { Declarations, SamplerDescription, SamplerUnderTest, States } from "./sampler_under_test.ts";

/** The data: one Gaussian a coordinate, broad and narrow ones, one of them next to a point. */
export const gaussianData: ProductData = [
  gaussianOnLine(0.7, 0.5),
  gaussianOnLine(0, 1),
  gaussianOnLine(0, 0.1),
  gaussianOnLine(-1, 0.25),
  gaussianOnLine(0.7, 0.01),
  gaussianOnLine(0.5, 2),
];

/** The coordinate whose data are next to a point, where noise that is left shows. */
export const POINT_COORDINATE = 4;

/** The coordinates whose data are so broad that runs of a hundred steps resolve them. */
export const BROAD_COORDINATES: readonly number[] = [0, 1, 3, 5];

/** Numbers of steps of the runs; a sampler that draws much noise a step, or refuses some, has fewer. */
const COUNTS = [16, 32, 64, 128, 256];

/** Rows of a run that shows what a sampler does. */
export const PLAIN_ROWS = 4;

/** The most draws of a run whose noises are told apart by a row each. */
const MOST_DRAWS = 300;

/** How far states may be from an affine function, relative to their size, so that its coefficients still mean something. */
const MOST_DEFECT = 0.02;

/** The noise ratio at which the part with much noise ends. */
export const NOISY_RATIO = 0.3;

/** The whole SDE, or its part with much noise. */
export type Part = "whole" | "noisy part";

/** Runs of one sampler on one SDE and kind of grid. */
export class Examination {
  readonly sampler: SamplerUnderTest;
  readonly description: SamplerDescription;
  readonly declares: Declarations;
  readonly sde: Sde;
  readonly gridKind: GridKind;
  readonly thorough: boolean;
  readonly seed: number;
  /** Numbers of steps that the sampler refused, with its words. */
  readonly refusals = new Map<number, string>();
  /** Seconds that the sampler itself took, by evaluations, over all runs. */
  readonly cost = { seconds: 0, evaluations: 0 };
  readonly #kept = new Map<string, Promise<unknown>>();

  constructor(
    sampler: SamplerUnderTest,
    { sde, gridKind, declares, thorough, seed }: {
      sde: Sde;
      gridKind: GridKind;
      declares: Declarations;
      thorough: boolean;
      seed: number;
    },
  ) {
    this.sampler = sampler;
    this.description = sampler.description;
    this.sde = sde;
    this.gridKind = gridKind;
    this.declares = declares;
    this.thorough = thorough;
    this.seed = seed;
  }

  /** The value of `make`, computed once for each name. */
  once<Value>(name: string, make: () => Promise<Value>): Promise<Value> {
    const kept = this.#kept.get(name) as Promise<Value> | undefined;
    if (kept !== undefined) return kept;
    const made = make();
    this.#kept.set(name, made);
    return made;
  }

  /** The times of a run of N steps, of the whole SDE or of its part with much noise. */
  times(steps: number, part: Part = "whole"): Float64Array {
    return timeGrid(part === "whole" ? this.sde : this.noisyPart ?? this.sde, { kind: this.gridKind, steps });
  }

  /** Mean and variance of x at the first level. */
  get startMoments(): Moments {
    const { tMax } = this.sde;
    return exactMoments(gaussianData, { alpha: this.sde.alpha(tMax), sigma: this.sde.sigma(tMax) });
  }

  /** Normal starts from the exact law at the first level, [rows, d]; null where the sampler draws its own. */
  startStates(data: ProductData, rows: number, stream: number): States | null {
    if (this.description.start === "own") return null;
    const { tMax } = this.sde;
    const { mean, variance } = exactMoments(data, {
      alpha: this.sde.alpha(tMax),
      sigma: this.sde.sigma(tMax),
    });
    const d = data.length;
    return normalNumbers(rows * d, this.seed, stream).map((z, i) =>
      mean[i % d] + Math.sqrt(variance[i % d]) * z
    );
  }

  /** A run, its cost noted. */
  async run(request: Omit<RunRequest, "sde"> & { readonly sde?: Sde }): Promise<RecordedRun> {
    const run = await recordRun(this.sampler, { sde: this.sde, ...request });
    this.cost.seconds += run.seconds - run.modelSeconds;
    this.cost.evaluations += run.evaluations.length;
    return run;
  }

  /** A run of a few rows with random starts and noise: what the sampler does, in which order. */
  plainRun(steps: number): Promise<RecordedRun> {
    return this.once(`plain ${steps}`, () => {
      const rows = PLAIN_ROWS;
      return this.run({
        times: this.times(steps),
        data: gaussianData,
        rows,
        start: this.startStates(gaussianData, rows, 1),
        noise: (request) => normalNumbers(rows * gaussianData.length, this.seed, 1000 + request),
        seed: this.seed,
      });
    });
  }

  /** Whether the output is a function of what the run gives: start and noise. */
  repeats(): Promise<boolean> {
    if (this.description.noise === "given") return Promise.resolve(true);
    if (this.description.start === "own") return Promise.resolve(false);
    return this.once("repeats", async () => {
      const steps = await this.baseSteps();
      const rows = PLAIN_ROWS;
      const start = this.startStates(gaussianData, rows, 1);
      const runs: RecordedRun[] = [];
      for (const seed of [1, 2]) {
        runs.push(await this.run({ times: this.times(steps), data: gaussianData, rows, start, seed }));
      }
      return runs[0].end.every((value, i) => value === runs[1].end[i]);
    });
  }

  /** Whether impulses show the sampler's law: it can be given its noise, and its steps do not depend on the state. */
  async showsImpulses(): Promise<boolean> {
    if (!await this.repeats()) return false;
    return (await this.response(await this.baseSteps())).defect.relative <= MOST_DEFECT;
  }

  /** Whether a run of more steps asks the model more often; a solver that goes by its tolerance alone does not. */
  async refines(): Promise<boolean> {
    const base = await this.baseSteps();
    const [few, many] = [await this.plainRun(base), await this.plainRun(2 * base)];
    return many.evaluations.length > few.evaluations.length;
  }

  /** The number of steps of the runs that are looked at closely: 32, or the first larger one that the sampler takes. */
  baseSteps(): Promise<number> {
    return this.once("base", async () => {
      for (const steps of [32, 64, 128]) {
        try {
          await this.plainRun(steps);
          return steps;
        } catch (error) {
          if (steps === 128 || error instanceof ConformanceError) throw error;
          this.refusals.set(steps, wordsOf(error));
        }
      }
      throw new Error("no number of steps is left");
    });
  }

  /**
   * The SDE ended where σ/α is 0.3, where all of the grid's steps are short against what happens in them, so that a hundred of them
   * show an order; null where it cannot be ended there or the sampler chooses its levels.
   */
  get noisyPart(): Sde | null {
    const { config } = this.sde;
    const enough = noiseRatio(this.sde, this.sde.tMin) >= NOISY_RATIO ||
      noiseRatio(this.sde, this.sde.tMax) < 3 * NOISY_RATIO;
    if (config.kind === "ddpm" || config.kind === "custom" || enough || this.description.grid === "own") {
      return null;
    }
    return sdeFromConfig({ ...config, tMin: this.sde.timeAtHalfLogSnr(-Math.log(NOISY_RATIO)) });
  }

  /** The impulse response of a run of N steps; rejects where the sampler cannot be given its noise. */
  response(steps: number, part: Part = "whole"): Promise<ImpulseResponse> {
    return this.once(`response ${part} ${steps}`, async () => {
      if (!await this.repeats()) throw new Error("the sampler draws its own noise");
      const times = this.times(steps, part);
      const sde = part === "whole" ? this.sde : this.noisyPart ?? this.sde;
      let draws = await this.#expectedDraws(steps);
      for (;;) {
        const response = await this.responseOn({ times, data: gaussianData, seed: this.seed, sde }, draws);
        const found = response.run.noiseAfter.length;
        if (found <= draws) return response;
        draws = found;
      }
    });
  }

  /** The impulse response of any run, for a number of draws that is known. */
  async responseOn(
    request: Omit<ResponseRequest, "sde"> & { readonly sde?: Sde },
    draws: number,
  ): Promise<ImpulseResponse> {
    if (draws > 5000) throw new ConformanceError(`the sampler asks for noise ${draws} times in one run`);
    const impulse = this.description.precision === "float64" ? 16 : 1024;
    const response = await impulseResponse(this.sampler, { sde: this.sde, ...request }, draws, impulse);
    this.cost.seconds += response.run.seconds - response.run.modelSeconds;
    this.cost.evaluations += response.run.evaluations.length;
    return response;
  }

  /** How often noise is asked for in N steps, guessed from two short runs; the response corrects it. */
  async #expectedDraws(steps: number): Promise<number> {
    const base = await this.baseSteps();
    const [few, many] = [await this.plainRun(base), await this.plainRun(2 * base)];
    const a = few.noiseAfter.length;
    const b = many.noiseAfter.length;
    return Math.max(0, Math.round(a + (b - a) * (steps - base) / base));
  }

  /** The numbers of steps whose runs show where short steps lead, each twice the one before. */
  counts(): Promise<readonly number[]> {
    return this.once("counts", async () => {
      const base = await this.baseSteps();
      const perStep = Math.max(1, (await this.plainRun(base)).noiseAfter.length / base);
      const wanted = [...COUNTS, ...this.thorough ? [512] : []];
      const counts = wanted.filter((steps) => steps * perStep <= MOST_DRAWS);
      while (counts.length < 3 && (counts[0] ?? 8) > 1) counts.unshift(Math.floor((counts[0] ?? 8) / 2));
      return counts;
    });
  }

  /** The responses at {@linkcode counts}; without those that the sampler refuses. */
  responses(part: Part = "whole"): Promise<readonly (readonly [steps: number, response: ImpulseResponse])[]> {
    return this.once(`responses ${part}`, async () => {
      if (!await this.showsImpulses()) {
        throw new Error("the steps' coefficients depend on the state, so that impulses do not show the law");
      }
      const found: (readonly [number, ImpulseResponse])[] = [];
      for (const steps of await this.counts()) {
        try {
          found.push([steps, await this.response(steps, part)]);
        } catch (error) {
          if (error instanceof ConformanceError || found.length > 0) throw error;
          this.refusals.set(steps, wordsOf(error));
        }
      }
      return found;
    });
  }
}

/** The message of what was thrown. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
