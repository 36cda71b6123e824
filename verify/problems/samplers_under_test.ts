/** Samplers for the measuring of samplers: Euler–Maruyama in float64, and what can be wrong with it. @module */
import type {
  Declarations,
  RunEnd,
  SamplerDescription,
  SamplerRun,
  SamplerUnderTest,
  States,
} from "../../src/conformance/sampler_under_test.ts";

/** What is changed in Euler–Maruyama. */
export interface Tampering {
  /** A factor on the score. */
  readonly score?: number;
  /** The noise's factor in a step of length h; √h is right. */
  readonly noise?: (h: number) => number;
  /** A factor on the drift f x. */
  readonly drift?: number;
  /** How many levels later the score is asked for. */
  readonly later?: number;
  /** Steps that are left out at the end. */
  readonly missing?: number;
  /** A factor on the start. */
  readonly start?: number;
  /** Whether one noise serves all steps. */
  readonly reuse?: boolean;
  /** Whether all rows get the noise of row 0. */
  readonly shared?: boolean;
  /** Whether the batch's mean enters a step. */
  readonly batch?: boolean;
  /** Whether states are rounded to eleven bits. */
  readonly coarse?: boolean;
  /** Whether the last state of a run enters the next. */
  readonly history?: boolean;
  /** Whether the end is said to be data. */
  readonly saysData?: boolean;
  /** A step whose score is taken threefold. */
  readonly oddStep?: number;
}

/** Euler–Maruyama as its equation has it, tampered with. */
export function eulerMaruyamaUnderTest(
  tampering: Tampering = {},
  description: Partial<SamplerDescription> = {},
): SamplerUnderTest {
  const declares: Declarations = { order: 1, process: "sde", evaluationsPerStep: 1 };
  let before: States | null = null;
  return {
    description: {
      name: "Euler–Maruyama",
      noise: "given",
      start: "given",
      grid: "given",
      precision: "float64",
      declares,
      ...description,
    },
    run: async (run) => {
      const end = await eulerMaruyama(run, tampering, before);
      if (tampering.history) before = end.state;
      return end;
    },
  };
}

async function eulerMaruyama(run: SamplerRun, how: Tampering, before: States | null): Promise<RunEnd> {
  const { grid: { times, drifts, diffusions }, steps, shape: [, d] } = run;
  const { score: weight = 1, noise: size = Math.sqrt, drift = 1, later = 0, missing = 0, start = 1 } = how;
  let x = run.start!.map((value) => start * value);
  if (before !== null && before.length === x.length) x = x.map((value, i) => value + 0.1 * before[i]);
  let kept: States | null = null;
  for (let i = 0; i < steps - missing; i++) {
    const [h, f, g] = [times[i] - times[i + 1], drifts[i], diffusions[i]];
    const at = Math.min(steps, Math.max(0, i + later));
    const score = await run.model(x, { time: times[at] }, "score");
    let z: States = how.reuse ? kept ??= await run.noise() : await run.noise();
    if (how.shared) z = z.map((_, k) => z[k % d]);
    const w = how.oddStep === i ? 3 * weight : weight;
    x = x.map((value, k) => value - h * (drift * f * value - w * g * g * score[k]) + g * size(h) * z[k]);
    if (how.batch) {
      const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
      x = x.map((value) => value - 0.05 * mean);
    }
    if (how.coarse) x = x.map(rounded);
  }
  return { state: x, ...how.saysData && { level: { time: 0 } } };
}

/** A number to eleven bits, as float16 keeps it. */
function rounded(value: number): number {
  if (value === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10);
  return Math.round(value / unit) * unit;
}

/** DDIM in x/α at σ/α alone, as k-diffusion's samplers speak, down to σ = 0. */
export function ddimUnderTest(): SamplerUnderTest {
  return {
    description: {
      name: "DDIM",
      noise: "given",
      start: "given",
      grid: "given",
      precision: "float64",
      declares: { order: 1, process: "ode" },
    },
    run: async ({ grid: { alphas, sigmas }, start, model }) => {
      const ratios = [...sigmas.map((sigma, i) => sigma / alphas[i]), 0];
      let y = start!.map((value) => value / alphas[0]);
      for (let i = 0; i + 1 < ratios.length; i++) {
        const noise = await model(y, { sigma: ratios[i] }, "noise");
        y = y.map((value, k) => value + (ratios[i + 1] - ratios[i]) * noise[k]);
      }
      return { state: y, level: { sigma: 0 } };
    },
  };
}
