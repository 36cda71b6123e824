/**
 * Imputation: the known part of a sample replaces that part of the state after every step. Works with any sampler.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import type { Sampler, Stepper } from "../samplers/sampler.ts";
import { type Sde, transition } from "../diffusion/sde.ts";
import { checkMask } from "./masks.ts";
import type { OrthogonalBasis } from "./orthogonal_basis.ts";
import { requireMethods, requireOptions, requireWhole } from "../input/require.ts";
import { requireSampler } from "../input/require_parts.ts";
import { requireTensor } from "../compute/require_tensor.ts";

/** The known part of the samples. */
export interface Known {
  /** One number for each entry of a sample, in its order: 1 for known, 0 for hidden. */
  readonly mask: ArrayLike<number>;
  /** [B, …] or [1, …]: samples of which the entries with mask 1 are used. Must not be disposed during the runs. */
  readonly known: tf.Tensor;
  /** The basis whose coefficients the mask refers to; default the entries themselves. */
  readonly basis?: OrthogonalBasis;
}

/** The resampling schedule of {@linkcode repaintSampler}. */
export interface RepaintOptions extends Known {
  /** Steps of the grid that are repeated at a time, a positive integer; default 1. */
  readonly jump?: number;
  /** How often these steps are taken, a positive integer; default 10, and 1 is {@linkcode replacementSampler}. */
  readonly resamplings?: number;
}

/**
 * A sampler that replaces the known part of the state, after every step from t to s, by the known values diffused to
 * time s, α(s) known + σ(s) z with fresh noise z (Song et al. 2021, Appendix I.2). The starting state is treated
 * alike, and after the denoising at the end the known values are put in exactly.
 *
 * The hidden part depends on the known part only through the joint score at noisy known values, not through the
 * posterior's score: the distribution is biased (toward the unconditional one). {@linkcode repaintSampler} reduces
 * this bias. `posteriorScore` is exact for Gaussian data and otherwise has a different bias.
 *
 * @example Two samples whose first coordinate is 1.5
 * ```ts
 * import { useEngine } from "../compute/engine.ts";
 * import { createRng } from "../compute/rng.ts";
 * import * as tf from "../compute/tf.ts";
 * import { scoreModel } from "../diffusion/noise_predictor.ts";
 * import { Gaussian } from "../distributions/gaussian.ts";
 * import { ddim } from "../samplers/ddim.ts";
 * import { drawSamples } from "../samplers/sample.ts";
 * import { vpSde } from "../diffusion/sde.ts";
 * import { replacementSampler } from "./imputation.ts";
 * await useEngine("wasm");
 * const prior = new Gaussian({ mean: [0, 0], covariance: [[1, 0.8], [0.8, 1]] });
 * const sampler = replacementSampler(ddim({ eta: 1 }), { mask: [1, 0], known: tf.tensor2d([[1.5, 0]]) });
 * const run = { shape: [2, 2], grid: { kind: "log-snr", steps: 20 }, rng: createRng(1) } as const;
 * const x = await drawSamples(scoreModel(prior, vpSde()), sampler, run);
 * console.assert((await x.data())[0] === 1.5);
 * ```
 * @throws {RangeError} When the mask is not one number, 0 or 1, for each entry of a sample; when a run starts, if
 * known values are NaN or infinite, or samples have another shape.
 */
export function replacementSampler(sampler: Sampler, known: Known): Sampler {
  requireSampler("sampler", sampler);
  requireKnown(known);
  return {
    name: `imputed ${sampler.name}`,
    needs: sampler.needs,
    start: (model, rng, times) => {
      const inner = sampler.start(model, rng, times);
      // A random stream of its own, so that a sampler draws the same numbers with and without imputation; named after
      // the sampler, so that two samplers of one run differ.
      const part = new KnownPart(known, model.sde, rng.fork(`known part of ${sampler.name}`));
      return {
        begin: async (x, t) => {
          await part.check();
          return await then(await inner.begin?.(x, t) ?? x.clone(), (x) => part.replaced(x, t));
        },
        step: async (x, t, s) => await then(await inner.step(x, t, s), (x) => part.replaced(x, s)),
        finish: async (x) => await then(await inner.finish?.(x) ?? x.clone(), (x) => part.pasted(x)),
        dispose: () => inner.dispose(),
      };
    },
  };
}

/**
 * RePaint (Lugmayr et al. 2022, Alg. 1) around any sampler: {@linkcode replacementSampler}, and after every `jump`
 * steps the state is diffused back to their start by the forward kernel and the steps are repeated, `resamplings`
 * times in all, which makes the hidden part consistent with the known one. Steps at the grid's end that are fewer
 * than a jump are taken once.
 *
 * @throws {RangeError} As {@linkcode replacementSampler} does, and when jump or resamplings is not a positive
 * integer.
 */
export function repaintSampler(sampler: Sampler, options: RepaintOptions): Sampler {
  requireOptions("options", options);
  const { jump = 1, resamplings = 10 } = options;
  requireWhole("jump", jump, 1);
  requireWhole("resamplings", resamplings, 1, MOST_RESAMPLINGS);
  const once = replacementSampler(sampler, options);
  return {
    name: `repainted ${sampler.name}`,
    needs: sampler.needs,
    start: (model, rng, allTimes) => {
      const inner = once.start(model, rng, allTimes);
      const fresh = rng.fork("repaint");
      /** The times since the last jump. */
      let times: number[] = [];
      const step: Stepper["step"] = async (x, t, s) => {
        if (times[times.length - 1] !== t) times = [t];
        times.push(s);
        let state = await inner.step(x, t, s);
        if (times.length <= jump) return state;
        for (let again = 1; again < resamplings; again++) {
          state = await then(state, (x) => diffused(x, model.sde, s, times[0], fresh));
          for (let i = 0; i < jump; i++) {
            state = await then(state, (x) => inner.step(x, times[i], times[i + 1]));
          }
        }
        times = [s];
        return state;
      };
      return { ...inner, step };
    },
  };
}

/**
 * The given sampler with the known values put into its result exactly: for posterior scores, whose samples agree with
 * the known values up to the solver's error.
 *
 * @throws {RangeError} As {@linkcode replacementSampler} does.
 */
export function withExactKnownValues(sampler: Sampler, known: Known): Sampler {
  requireSampler("sampler", sampler);
  requireKnown(known);
  return {
    name: `pasted ${sampler.name}`,
    needs: sampler.needs,
    start: (model, rng, times) => {
      const inner = sampler.start(model, rng, times);
      const part = new KnownPart(known, model.sde, rng);
      return {
        begin: async (x, t) => {
          await part.check();
          return await inner.begin?.(x, t) ?? x.clone();
        },
        step: (x, t, s) => inner.step(x, t, s),
        finish: async (x) => await then(await inner.finish?.(x) ?? x.clone(), (x) => part.pasted(x)),
        dispose: () => inner.dispose(),
      };
    },
  };
}

/** Replaces the known part of a run's samples. */
class KnownPart {
  readonly #known: Known;
  readonly #sde: Sde;
  readonly #rng: Rng;

  constructor(known: Known, sde: Sde, rng: Rng) {
    this.#known = known;
    this.#sde = sde;
    this.#rng = rng;
  }

  /** Throws for known values that are not finite. */
  async check(): Promise<void> {
    const { known } = this.#known;
    const sum = tf.tidy(() => this.#pasted(tf.zerosLike(known), (values) => values).sum());
    const [value] = await sum.data();
    sum.dispose();
    if (!Number.isFinite(value)) {
      throw new RangeError(
        `known values must be finite numbers where the mask is 1, got ${value}`,
      );
    }
  }

  /** x with its known part replaced by the known values diffused to time t, [B, …]. */
  replaced(x: tf.Tensor, t: number): tf.Tensor {
    return tf.tidy(() =>
      this.#pasted(x, (known) => {
        const noise = this.#rng.normal(x.shape).mul(this.#sde.sigma(t));
        return known.mul(this.#sde.alpha(t)).add(noise);
      })
    );
  }

  /** x with its known part replaced by the known values. */
  pasted(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => this.#pasted(x, (known) => known));
  }

  #pasted(x: tf.Tensor, values: (known: tf.Tensor) => tf.Tensor): tf.Tensor {
    const { known, mask, basis } = this.#known;
    const rows = known.shape[0];
    if (String(x.shape.slice(1)) !== String(known.shape.slice(1)) || (rows !== 1 && rows !== x.shape[0])) {
      throw new RangeError(`known values of shape [${known.shape}] do not fit samples of shape [${x.shape}]`);
    }
    const isKnown = tf.broadcastTo(tf.tensor(Array.from(mask), [1, ...x.shape.slice(1)], "bool"), x.shape);
    const target = tf.broadcastTo(values(basis?.toBasis(known) ?? known), x.shape);
    const pasted = tf.where(isKnown, target, basis?.toBasis(x) ?? x);
    return basis?.fromBasis(pasted) ?? pasted;
  }
}

/** The state at a later time t, drawn from the forward kernel p(x_t | x_s) of x at time s. */
function diffused(x: tf.Tensor, sde: Sde, s: number, t: number, rng: Rng): tf.Tensor {
  const { scale, std } = transition(sde, s, t);
  return tf.tidy(() => x.mul(scale).add(rng.normal(x.shape).mul(std)));
}

/** Applies an action to x and disposes x. */
async function then(
  x: tf.Tensor,
  action: (x: tf.Tensor) => tf.Tensor | Promise<tf.Tensor>,
): Promise<tf.Tensor> {
  try {
    return await action(x);
  } finally {
    x.dispose();
  }
}

/** The largest number of resamplings: more would take days. */
const MOST_RESAMPLINGS = 1e6;

/** Throws unless the mask and the known values have the right types and shapes. */
function requireKnown(known: Known): void {
  requireOptions("known", known);
  requireTensor("known", known.known, { leastRank: 2 });
  checkMask(known.mask, known.known.shape.slice(1));
  if (known.basis !== undefined) {
    requireMethods(
      "basis",
      known.basis,
      ["toBasis", "fromBasis"],
      "a basis, as channelBasis(vectors) makes it",
    );
  }
}
