/**
 * One run of a sampler under test, with everything that it asked for written down: each evaluation with its noise level and
 * state, each request for noise, the end.
 * @module
 */
import { halfLogSnr, type Sde } from "../diffusion/sde.ts";
import { exactAnswer, type KernelScales, type ProductData, scalesAt } from "./exact_model.ts";
import type {
  ModelAnswer,
  NoiseLevel,
  RunEnd,
  RunGrid,
  SamplerRun,
  SamplerUnderTest,
  States,
} from "./sampler_under_test.ts";

/** A sampler broke the rules of a run; the message is one sentence that says how. */
export class ConformanceError extends Error {
  /** For those who cannot use instanceof. */
  override readonly name = "ConformanceError";
}

/** One evaluation of the model. */
interface Evaluation {
  /** α and σ that were asked for; of rows at times of their own, those of the noisiest. */
  readonly level: KernelScales;
  /** ν = σ/α. */
  readonly ratio: number;
  readonly answer: ModelAnswer;
  /** The states [rows, d], unless they were not to be kept. */
  readonly states: States | null;
}

/** A run that ended. */
export interface RecordedRun {
  readonly grid: RunGrid;
  readonly evaluations: readonly Evaluation[];
  /** For each request of noise, how many evaluations came before it. */
  readonly noiseAfter: readonly number[];
  readonly end: States;
  /** α and σ that the end is said to have. */
  readonly endLevel: KernelScales;
  /** Seconds in all, and those of them that the exact model took. */
  readonly seconds: number;
  readonly modelSeconds: number;
}

/** What is run. */
export interface RunRequest {
  readonly sde: Sde;
  readonly times: Float64Array;
  readonly data: ProductData;
  readonly rows: number;
  /** State at the first level; left out for a sampler that draws its own. */
  readonly start: States | null;
  /** Request k of noise, [rows, d]; by default zeros. */
  readonly noise?: (request: number) => States;
  readonly seed?: number;
  /** Whether evaluations keep their states, or how many of the first do; default true. */
  readonly keep?: boolean | number;
}

/** Runs a sampler and records it. */
export async function recordRun(sampler: SamplerUnderTest, request: RunRequest): Promise<RecordedRun> {
  const { sde, times, data, rows, start, noise, seed = 0, keep = true } = request;
  const steps = times.length - 1;
  const d = data.length;
  const size = rows * d;
  const evaluations: Evaluation[] = [];
  const noiseAfter: number[] = [];
  const most = mostEvaluations(steps);
  const keptStates = keep === true ? Infinity : Number(keep);
  let modelSeconds = 0;
  const answered = (x: States, level: NoiseLevel, answer: ModelAnswer): States => {
    if (evaluations.length >= most) {
      throw new ConformanceError(
        `the sampler asks for more than ${most} evaluations in a run of ${steps} steps`,
      );
    }
    const where = `evaluation ${evaluations.length + 1}`;
    checkStates(`${where}: the state`, x, size, [rows, d]);
    const scales = "times" in level
      ? checkedTimes(where, sde, level.times, rows)
      : [checkedLevel(where, sde, level)];
    checkAnswer(where, answer);
    const began = performance.now();
    const values = exactAnswer(data, x, scales, answer);
    modelSeconds += (performance.now() - began) / 1000;
    const noisiest = scales.reduce((most, one) =>
      one.sigma * most.alpha > most.sigma * one.alpha ? one : most
    );
    const ratio = noisiest.sigma / noisiest.alpha;
    evaluations.push({
      level: noisiest,
      ratio,
      answer,
      states: evaluations.length < keptStates ? x.slice() : null,
    });
    return values;
  };
  const run: SamplerRun = {
    sde: sde.config,
    steps,
    grid: runGrid(sde, times),
    shape: [rows, d],
    start: start?.slice() ?? null,
    seed,
    // An error of a call is a rejected promise, not an exception that only some callers would see.
    model: (x, level, answer) => new Promise((resolve) => resolve(answered(x, level, answer))),
    noise: () => new Promise((resolve) => resolve(run.noiseNow())),
    noiseNow() {
      if (noiseAfter.length >= most) {
        throw new ConformanceError(
          `the sampler asks for noise more than ${most} times in a run of ${steps} steps`,
        );
      }
      noiseAfter.push(evaluations.length);
      return noise?.(noiseAfter.length - 1) ?? new Float64Array(size);
    },
  };
  const began = performance.now();
  const end: RunEnd = await sampler.run(run);
  const seconds = (performance.now() - began) / 1000;
  if (typeof end !== "object" || end === null) throw new ConformanceError("the run ended without a state");
  checkStates("the last state", end.state, size, [rows, d]);
  const endLevel = end.level === undefined
    ? scalesAt(sde, { time: times[steps] })
    : checkedLevel("the end", sde, end.level);
  return { grid: run.grid, evaluations, noiseAfter, end: end.state.slice(), endLevel, seconds, modelSeconds };
}

/** How many evaluations a run may take: samplers with correctors or small steps of their own take hundreds a step. */
function mostEvaluations(steps: number): number {
  return 20_000 + 200 * steps;
}

/** α, σ, f and g at times. */
function runGrid(sde: Sde, times: Float64Array): RunGrid {
  return {
    times,
    alphas: times.map((t) => sde.alpha(t)),
    sigmas: times.map((t) => sde.sigma(t)),
    drifts: times.map((t) => sde.driftCoefficient(t)),
    diffusions: times.map((t) => sde.diffusionCoefficient(t)),
  };
}

function checkStates(what: string, x: unknown, size: number, shape: readonly [number, number]): void {
  if (!(x instanceof Float64Array)) {
    throw new ConformanceError(`${what} must be a Float64Array, got ${typeof x}`);
  }
  if (x.length !== size) {
    throw new ConformanceError(
      `${what} must have ${size} numbers, the shape [${shape.join(", ")}], got ${x.length}`,
    );
  }
  const bad = x.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new ConformanceError(
      `${what} must be finite, got ${x[bad]} in row ${Math.floor(bad / shape[1])}, coordinate ${
        bad % shape[1]
      }`,
    );
  }
}

/** α and σ of each row's time; throws unless there is one for each row, at which the model can answer. */
function checkedTimes(where: string, sde: Sde, times: Float64Array, rows: number): KernelScales[] {
  if (!(times instanceof Float64Array) || times.length !== rows) {
    throw new ConformanceError(
      `${where}: times must be a Float64Array with one time for each of ${rows} rows`,
    );
  }
  return Array.from(times, (time) => checkedLevel(where, sde, { time }));
}

/** α and σ of a level that a sampler asks for; throws unless they are a level at which the model can answer. */
function checkedLevel(where: string, sde: Sde, level: NoiseLevel): KernelScales {
  if (typeof level !== "object" || level === null) {
    throw new ConformanceError(`${where}: the noise level must be a time or a sigma, got ${typeof level}`);
  }
  if ("time" in level) {
    const { time } = level;
    if (!(typeof time === "number" && time >= 0 && time <= sde.tMax * (1 + 1e-6))) {
      throw new ConformanceError(`${where}: the time must be from 0 to ${sde.tMax}, got ${time}`);
    }
    return scalesAt(sde, { time: Math.min(time, sde.tMax) });
  }
  if ("times" in level) {
    throw new ConformanceError(`${where}: the noise level must be one time or sigma, got times of rows`);
  }
  const { sigma, alpha = 1 } = level;
  if (!(typeof sigma === "number" && sigma >= 0 && Number.isFinite(sigma))) {
    throw new ConformanceError(`${where}: sigma must be finite and not negative, got ${sigma}`);
  }
  if (!(typeof alpha === "number" && alpha > 0 && Number.isFinite(alpha))) {
    throw new ConformanceError(`${where}: alpha must be finite and positive, got ${alpha}`);
  }
  const largest = Math.exp(-halfLogSnr(sde, sde.tMax));
  if (sigma / alpha > 1000 * largest) {
    throw new ConformanceError(
      `${where}: the noise level sigma/alpha must be at most a thousand times the largest, ${largest}, got ${
        sigma / alpha
      }`,
    );
  }
  return { alpha, sigma };
}

const answers: readonly string[] = ["noise", "denoised", "score", "velocity"] satisfies ModelAnswer[];

function checkAnswer(where: string, answer: string): void {
  if (answers.includes(answer)) return;
  throw new ConformanceError(
    `${where}: the answer asked for must be one of ${answers.join(", ")}, got ${answer}`,
  );
}
