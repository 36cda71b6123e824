/**
 * The twisted diffusion sampler: sequential Monte Carlo whose particles are drawn to an observation and weighted for it.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { awaited, type Pausing, tidied } from "../compute/tidied.ts";
import { type AnyScoreModel, requireScore } from "../diffusion/noise_predictor.ts";
import { pullBackNoise } from "../diffusion/pull_back.ts";
import { noiseRatio, requireNoise } from "../diffusion/sde.ts";
import { requireOptions, requirePositive, requireWhole } from "../input/require.ts";
import type { Sampler, Stepper } from "../samplers/sampler.ts";
import { checkObservation, checkStates, type LinearObservation, operatorMatrix } from "./observation.ts";
import { resampled, shuffled } from "./populations.ts";

/** Options of {@linkcode twistedSampler}. */
export interface TwistedOptions {
  /** K, the particles of a population, from 1 to 1e6; default 16. */
  readonly particles?: number;
  /** Standard deviation s_d of the data in r² = ν² s_d²/(ν² + s_d²); default 1. */
  readonly dataStd?: number;
}

/**
 * The twisted diffusion sampler (Wu et al. 2023, Alg. 1). A batch of B rows is B/K populations of K particles. With
 * D(x) = E[x_0 | x_t = x], the observation y = A x_0 + s η of x_t is taken to be the twisting function,
 *
 *   ψ_t(x) = N(y; A D(x), (s² + c r²) I),   c the mean of A Aᵀ's diagonal, r² the variance of x_0 that ΠGDM assumes.
 *
 * A step from t to s is ancestral, with ∇ log ψ_t added to the score, and a particle's weight is multiplied by
 *
 *   p(x_s | x_t) ψ_s(x_s)/(q(x_s | x_t) ψ_t(x_t)),
 *
 * p the ancestral kernel and q the one that it was drawn from. A population is resampled before a step if its effective
 * sample size is below K/2, and at the end, where the likelihood N(y; A x_0, s² I) of the denoised x_0 stands in ψ's
 * place. With ever more particles a population is distributed as the posterior of y when x_0 is drawn by ancestral
 * sampling on the same grid: exactly, whatever the data and ψ, which decide how many particles that takes. Errors of
 * averages fall as 1/√K. Few steps make rare weights large, so that it takes more particles. Without noise (s = 0), and where x_0 is not denoised, the last ψ stays: as if what is seen had
 * the variance c r² of the last time.
 *
 * Particles of one population descend from common ones; populations do not influence each other. It makes its own steps,
 * and is no wrapper of a sampler. A step takes one evaluation of the model and one vector-Jacobian product of it, by its
 * `pullBack` or by TensorFlow.js.
 *
 * @example A population of 64 particles on a mixture seen with noise
 * ```ts
 * import { useEngine } from "../compute/engine.ts";
 * import { createRng } from "../compute/rng.ts";
 * import * as tf from "../compute/tf.ts";
 * import { scoreModel } from "../diffusion/noise_predictor.ts";
 * import { vpSde } from "../diffusion/sde.ts";
 * import { Gaussian } from "../distributions/gaussian.ts";
 * import { GaussianMixture } from "../distributions/gaussian_mixture.ts";
 * import { drawSamples } from "../samplers/sample.ts";
 * import { linearObservation } from "./observation.ts";
 * import { maskOperator } from "./operators.ts";
 * import { twistedSampler } from "./twisted.ts";
 * await useEngine("wasm");
 * const modes = [-1, 1].map((mean) => new Gaussian({ mean: [mean], variances: [0.04] }));
 * const seen = await linearObservation(maskOperator([1], [1]), tf.tensor2d([[0.1]]), 0.5);
 * const model = scoreModel(new GaussianMixture([0.5, 0.5], modes), vpSde());
 * const run = { shape: [64, 1], grid: { kind: "log-snr", steps: 32 }, rng: createRng(1) } as const;
 * console.log(await (await drawSamples(model, twistedSampler(seen, { particles: 64 }), run)).data());
 * ```
 * @throws {RangeError} When the observation's shapes do not fit, its noise is negative, particles is not a whole number
 * from 1 to 1e6 or dataStd is not positive; in a run, if its rows are not a multiple of K, the states do not have the
 * operator's input shape, or the grid ends without noise.
 * @throws {TypeError} When a run starts, if the model is a consistency function; in a run, if it answers later, by a
 * promise, and has no `pullBack`.
 */
export function twistedSampler(observation: LinearObservation, options: TwistedOptions = {}): Sampler {
  checkObservation(observation);
  requireOptions("options", options);
  const { particles = 16, dataStd = 1 } = options;
  requireWhole("particles", particles, 1, 1e6);
  requirePositive("dataStd", dataStd);
  return {
    name: `twisted, ${particles} particles`,
    start: (model, rng) => {
      requireScore(model, "twisted sampling");
      return new TwistedStepper(model, observation, { particles, dataStd }, rng);
    },
  };
}

/** A batch at a time, and what its twisting function is there. */
interface Twist {
  /** The states. */
  readonly x: tf.Tensor;
  /** ε̂. */
  readonly noise: tf.Tensor;
  /** ∇ log ψ in y = x/α, of x's shape. */
  readonly gradient: tf.Tensor;
  /** log ψ up to a constant of the time, [B]. */
  readonly logTwist: tf.Tensor;
}

/** One run on one batch. */
class TwistedStepper implements Stepper {
  #twist: Twist | null = null;
  #logWeights = new Float64Array();
  /** The mean of A Aᵀ's diagonal. */
  #size = 0;
  readonly #model: AnyScoreModel;
  readonly #observation: LinearObservation;
  readonly #options: Required<TwistedOptions>;
  readonly #rng: Rng;
  readonly #choices: Rng;

  constructor(
    model: AnyScoreModel,
    observation: LinearObservation,
    options: Required<TwistedOptions>,
    rng: Rng,
  ) {
    this.#model = model;
    this.#observation = observation;
    this.#options = options;
    this.#rng = rng;
    this.#choices = rng.fork("resampling");
  }

  async begin(x: tf.Tensor, t: number): Promise<tf.Tensor> {
    const { particles } = this.#options;
    const rows = x.shape[0];
    if (rows % particles !== 0) {
      throw new RangeError(
        `rows must be a multiple of the ${particles} particles of a population, got ${rows}`,
      );
    }
    checkStates(x, this.#observation);
    const matrix = await operatorMatrix(this.#observation.operator);
    const squares = matrix.reduce((sum, row) => sum + row.reduce((sum, value) => sum + value ** 2, 0), 0);
    this.#size = matrix.length === 0 ? 0 : squares / matrix.length;
    await this.#moveTo(x, await tidied(this.#twisted(x, t)), (twist) => twist.logTwist);
    return x;
  }

  async step(x: tf.Tensor, t: number, s: number): Promise<tf.Tensor> {
    const { sde } = this.#model;
    requireNoise(sde, s);
    const [from, to] = [noiseRatio(sde, t), noiseRatio(sde, s)];
    const removed = (from - to) * (from + to);
    const fresh = to / from * Math.sqrt(removed);
    const chosen = this.#chosen(this.#options.particles / 2);
    const parts = await tidied(this.#kept(x, t, chosen));
    const { next, logRatio } = tf.tidy(() => {
      const { noise, gradient } = parts;
      const z = this.#rng.normal(x.shape);
      const moved = gradient.mul(removed).sub(noise.mul(removed / from)).add(z.mul(fresh));
      const shift = gradient.mul(removed / fresh);
      return {
        next: parts.x.mul(sde.alpha(s) / sde.alpha(t)).add(moved.mul(sde.alpha(s))),
        // ln p/q of next, which lies z from q's mean and z + shift from p's, in units of their standard deviation.
        logRatio: sumOfRow(shift.mul(z.add(shift.div(2)))).neg().sub(parts.logTwist),
      };
    });
    tf.dispose([parts.x, parts.noise, parts.gradient, parts.logTwist]);
    try {
      const twist = await tidied(this.#twisted(next, s));
      await this.#moveTo(next, twist, (twist) => twist.logTwist.add(logRatio));
    } finally {
      logRatio.dispose();
    }
    return next;
  }

  async finish(x: tf.Tensor): Promise<tf.Tensor> {
    const { operator, y, noiseStd } = this.#observation;
    if (x !== this.#twist!.x && noiseStd > 0 && !operator.outputShape.includes(0)) {
      const change = tf.tidy(() => {
        const misfit = tf.sub(y, operator.apply(x));
        return sumOfRow(misfit.square()).div(-2 * noiseStd ** 2).sub(this.#twist!.logTwist);
      });
      await this.#weigh(change);
    }
    const order = shuffled(this.#options.particles, this.#uniforms(x.shape[0]));
    const ancestors = this.#chosen(Infinity);
    const places = order.map((row) => ancestors[row]);
    return tf.tidy(() => tf.gather(x, tf.tensor1d(places, "int32")));
  }

  dispose(): void {
    if (this.#twist === null) return;
    const { noise, gradient, logTwist } = this.#twist;
    tf.dispose([noise, gradient, logTwist]);
    this.#twist = null;
  }

  /** Twisting function and noise at states, all but the states kept. */
  *#twisted(x: tf.Tensor, t: number): Pausing<Twist> {
    const { operator, y, noiseStd } = this.#observation;
    const { sde } = this.#model;
    const noise = yield* awaited<tf.Tensor>(this.#model.predictedNoise(x, t));
    if (operator.outputShape.includes(0)) {
      return {
        x,
        noise: tf.keep(noise),
        gradient: tf.keep(tf.zerosLike(x)),
        logTwist: tf.keep(tf.zeros([x.shape[0]])),
      };
    }
    const data = x.sub(noise.mul(sde.sigma(t))).div(sde.alpha(t));
    const misfit = tf.sub(y, operator.apply(data));
    const spread = 1 / (1 / noiseRatio(sde, t) ** 2 + 1 / this.#options.dataStd ** 2);
    const variance = noiseStd ** 2 + this.#size * spread;
    const direction = operator.adjoint(misfit.div(variance));
    const pulled = yield* pullBackNoise(this.#model, x, t, direction);
    return {
      x,
      noise: tf.keep(noise),
      gradient: tf.keep(direction.sub(pulled.mul(sde.sigma(t)))),
      logTwist: tf.keep(sumOfRow(misfit.square()).div(-2 * variance)),
    };
  }

  /** The chosen rows of a batch and of its twisting function. */
  *#kept(x: tf.Tensor, t: number, rows: Int32Array): Pausing<Twist> {
    if (this.#twist?.x !== x) {
      // A state from elsewhere, such as a wrapper's: it is weighed as if it had been there at once.
      this.dispose();
      this.#twist = yield* this.#twisted(x, t);
    }
    const { noise, gradient, logTwist } = this.#twist;
    const places = tf.tensor1d(rows, "int32");
    const of = (part: tf.Tensor) => tf.keep(tf.gather(part, places));
    return { x: of(x), noise: of(noise), gradient: of(gradient), logTwist: of(logTwist) };
  }

  /** Puts a twisting function in the place of the last one, and multiplies the weights. */
  async #moveTo(x: tf.Tensor, twist: Twist, change: (twist: Twist) => tf.Tensor): Promise<void> {
    this.dispose();
    this.#twist = twist;
    if (this.#logWeights.length === 0) this.#logWeights = new Float64Array(x.shape[0]);
    await this.#weigh(tf.tidy(() => change(twist).clone()));
  }

  /** Multiplies the weights by exp of [B], which is disposed. */
  async #weigh(change: tf.Tensor): Promise<void> {
    const values = await change.data();
    change.dispose();
    this.#logWeights = this.#logWeights.map((value, row) => value + values[row]);
  }

  /** The rows that a resampling chooses. */
  #chosen(least: number): Int32Array {
    const uniforms = this.#uniforms(this.#logWeights.length);
    const { ancestors, logWeights } = resampled(this.#logWeights, this.#options.particles, uniforms, least);
    this.#logWeights = logWeights;
    return ancestors;
  }

  #uniforms(rows: number): Float64Array {
    return this.#choices.uniformValues([rows, 1]);
  }
}

/** The sum of each row's entries, [B]. */
function sumOfRow(x: tf.Tensor): tf.Tensor {
  return x.sum(x.shape.slice(1).map((_, i) => i + 1));
}
