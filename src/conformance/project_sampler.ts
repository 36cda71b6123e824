/**
 * This project's own samplers as samplers under test: tensors outside, the run's exact model and noise inside.
 * @module
 */
import type { Rng, RngState } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { type AnyScoreModel, scoreModelFromNoise } from "../diffusion/noise_predictor.ts";
import { sdeFromConfig } from "../diffusion/sde_registry.ts";
import { checkFields } from "../input/fields.ts";
import { requireBoolean, requireOptions } from "../input/require.ts";
import { requireSampler } from "../input/require_parts.ts";
import { sample } from "../samplers/sample.ts";
import type { Sampler } from "../samplers/sampler.ts";
import { checkDeclarations } from "./declarations.ts";
import type { Declarations, RunEnd, SamplerRun, SamplerUnderTest } from "./sampler_under_test.ts";

/** How a sampler of this project is measured. */
export interface ProjectSamplerOptions {
  /** What is declared of it. */
  readonly declares?: Declarations;
  /** Whether the last state is denoised, as `sample` does it by default. Default true. */
  readonly denoise?: boolean;
}

/**
 * A sampler of this project as a sampler under test, run by `sample` on the engine in use, with states in float32.
 *
 * It takes all its noise from the run, by `rng.normal` alone: a sampler that asks its generator for anything else
 * throws.
 *
 * @throws {TypeError | RangeError} When the sampler is none, needs a consistency function, or an option is invalid.
 */
export function projectSampler(sampler: Sampler, options: ProjectSamplerOptions = {}): SamplerUnderTest {
  requireSampler("sampler", sampler);
  if (sampler.needs !== undefined) {
    throw new RangeError(`${sampler.name} needs a consistency function, and the exact model is a score`);
  }
  requireOptions("options", options);
  checkFields("options", options as unknown, [], ["declares", "denoise"]);
  const { declares = {}, denoise = true } = options;
  checkDeclarations(declares);
  requireBoolean("denoise", denoise);
  return {
    description: {
      name: sampler.name,
      noise: "given",
      start: "given",
      grid: "given",
      precision: "float32",
      declares,
    },
    run: (run) => runProjectSampler(sampler, run, denoise),
  };
}

async function runProjectSampler(sampler: Sampler, run: SamplerRun, denoise: boolean): Promise<RunEnd> {
  const shape = [...run.shape];
  const initial = tf.tensor(Float32Array.from(run.start!), shape);
  try {
    const grid = run.grid.times;
    const rng = new RunNoise(run);
    for await (const { x, done } of sample(runModel(run), sampler, { shape, grid, rng, denoise, initial })) {
      if (!done) continue;
      const state = Float64Array.from(await x.data());
      x.dispose();
      return { state, level: { time: denoise ? 0 : grid[run.steps] } };
    }
  } finally {
    initial.dispose();
  }
  throw new Error("the run ended without a last state");
}

/** The run's exact model as a score model, which answers later. */
function runModel(run: SamplerRun): AnyScoreModel {
  return scoreModelFromNoise(sdeFromConfig(run.sde), async (x, t) => {
    const states = Float64Array.from(await x.data());
    const values = await run.model(states, typeof t === "number" ? { time: t } : { times: t }, "noise");
    return tf.tensor(Float32Array.from(values), x.shape);
  });
}

/** The run's noise as a generator. */
class RunNoise implements Rng {
  readonly #run: SamplerRun;
  readonly firstSample = 0;

  constructor(run: SamplerRun) {
    this.#run = run;
  }

  normal(shape: readonly number[]): tf.Tensor {
    return tf.tensor(this.normalValues(shape), [...shape]);
  }
  normalValues(_shape: readonly number[]): Float32Array {
    return Float32Array.from(this.#run.noiseNow());
  }
  /** The run tells noises apart by their order. */
  fork(): Rng {
    return this;
  }
  get state(): RngState {
    return refuse("its state");
  }
  uniform(): never {
    return refuse("uniform numbers");
  }
  uniformValues(): never {
    return refuse("uniform numbers");
  }
  rademacher(): never {
    return refuse("signs");
  }
  startingAt(): never {
    return refuse("the streams of other samples");
  }
}

function refuse(what: string): never {
  throw new Error(`a measured run gives normal numbers alone, and the sampler asks for ${what}`);
}
