/**
 * Langevin dynamics at a fixed noise level: the corrector of predictor-corrector samplers.
 * @module
 */
import * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, type Pausing, tidied } from "../compute/tidied.ts";
import type { Sampler } from "./sampler.ts";
import { requireFunction, requireOptions, requirePositive, requireWhole } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";

/** The rules by which Langevin's step size follows from a signal-to-noise ratio. */
export const langevinRules = ["langevin", "ald"] as const;

/** The name of such a rule. */
export type LangevinRule = typeof langevinRules[number];

/**
 * The dimension d from which on the rule `langevin` is the default. Where the score is that of a Gaussian, ‖z‖²/‖g‖²
 * is C times an F(d, d) variable, whose standard deviation is near 2/√d: a quarter here, while for d ≤ 4 it is
 * infinite.
 */
export const LANGEVIN_DIMENSIONS = 64;

/** Options of {@linkcode langevin}. */
export interface LangevinOptions {
  /** Target ratio r of the norms of the score's term and of the noise's; default 0.16, Song et al.'s for VE. */
  readonly snr?: number;
  /**
   * How r gives the step size, by the names of the papers' code: `langevin` from the norms of noise and score, `ald`
   * from the noise level alone. Default `langevin` for samples of 64 numbers and more, else `ald`.
   */
  readonly rule?: LangevinRule;
  /** Langevin steps at each noise level; default 1. */
  readonly steps?: number;
  /** A step size ε(t) instead of the rule with `snr`. */
  readonly stepSize?: (t: number) => number;
}

/**
 * Langevin dynamics at time s (Song et al. 2021, Alg. 4 and 5); a sampling step from t to s is `steps` Langevin
 * steps:
 *
 *   x ← x + ε g + √(2ε) z,   g = score(x, s),   ε = 2 a (r ‖z‖/‖g‖)² or, by the rule `ald`, ε = 2 a (r σ_s)².
 *
 * Both norms are each sample's own, so that no sample depends on its batch (the papers' code takes batch means). The
 * factor a = (α_s/α_{s−h})², h = t − s, is 1 for VE and Alg. 5's α_i = 1 − β_i for the DDPM whose state i is at time
 * s.
 *
 * The rule `langevin` is made for many dimensions, where the norms hardly fluctuate; there a variance C settles at C
 * (1 + r²). In a few dimensions ‖g‖ can be near zero and the step size very large, so that `ald` (annealed Langevin
 * dynamics' step size) is the default there: a variance C settles at C/(1 − ε/2C).
 * @throws {RangeError} When snr is not positive, steps is not a positive integer, or rule is unknown.
 */
export function langevin(options: LangevinOptions = {}): Sampler {
  requireOptions("options", options);
  const { snr = 0.16, steps = 1, stepSize, rule } = options;
  requirePositive("snr", snr);
  requireWhole("steps", steps, 1);
  if (stepSize !== undefined) requireFunction("stepSize", stepSize);
  if (rule !== undefined && !langevinRules.includes(rule)) {
    throw new RangeError(`rule must be one of ${langevinRules.join(", ")}, got ${quoted(rule)}`);
  }
  return {
    name: "langevin",
    start: (model, rng) => ({
      step: (x, t, s) => {
        const { sde } = model;
        if (sde.sigma(s) === 0) return x.clone(); // no score there
        // s − h is cut off at 0, where DDPM has its data: rounding, or the last time's step, may lead below.
        const damping = (sde.alpha(s) / sde.alpha(Math.max(0, s - (t - s)))) ** 2;
        const fixed = stepSize?.(s) ??
          (ruleFor(x, rule) === "ald" ? 2 * damping * (snr * sde.sigma(s)) ** 2 : null);
        return repeated(x, steps, function* (x) {
          const score = yield* awaited(model.score(x, s));
          const z = rng.normal(x.shape);
          const stepSize = fixed === null ? stepSizeAtSnr(score, z, snr, damping) : tf.scalar(fixed);
          return langevinUpdate(x, score, z, stepSize);
        });
      },
      dispose: () => {},
    }),
  };
}

/** x + ε g + √(2ε) z, with ε a scalar or one per row. */
export function langevinUpdate(x: tf.Tensor, score: tf.Tensor, z: tf.Tensor, stepSize: tf.Tensor): tf.Tensor {
  return x.add(score.mul(stepSize)).add(z.mul(stepSize.mul(2).sqrt()));
}

/** Applies a step `count` times, disposing the states between; x is not disposed. */
export function repeated(
  x: tf.Tensor,
  count: number,
  step: (x: tf.Tensor) => Pausing<tf.Tensor>,
): Awaitable<tf.Tensor> {
  return tidied((function* () {
    let current = x;
    for (let i = 0; i < count; i++) {
      const next = yield* awaited(tidied(step(current)));
      if (current !== x) current.dispose();
      current = next;
    }
    return current;
  })());
}

function ruleFor(x: tf.Tensor, rule: LangevinRule | undefined): LangevinRule {
  return rule ?? (x.size / x.shape[0] >= LANGEVIN_DIMENSIONS ? "langevin" : "ald");
}

/** ε = 2 a (r ‖z‖/‖g‖)² of each row, [B, 1, …, 1]. */
function stepSizeAtSnr(score: tf.Tensor, z: tf.Tensor, snr: number, damping: number): tf.Tensor {
  return squaredNorm(z).div(squaredNorm(score)).mul(2 * damping * snr ** 2);
}

/** ‖row‖² of each row, [B, 1, …, 1]. */
function squaredNorm(x: tf.Tensor): tf.Tensor {
  return x.square().sum(x.shape.slice(1).map((_, i) => i + 1), true);
}
