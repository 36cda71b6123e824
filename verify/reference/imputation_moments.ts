/**
 * The distribution of imputation on a correlated pair of unit normals of which the first is seen, in float64 and on its own: moments
 * carried through steps that are affine in state and noise.
 * @module
 */
import { noiseRatio, type Sde, transition } from "../../src/diffusion/sde.ts";
import type { Moments } from "../instruments/coupled_distribution.ts";

/** The pair's correlation and the value seen. */
export const pair = { correlation: 0.8, seen: 1.5 } as const;

/** x ← state·x + noise·ε̂(x, time) + fresh·z. */
export interface Affine {
  readonly time: number;
  readonly state: number;
  readonly noise: number;
  readonly fresh: number;
}

/** A sampler's step from t to s as affine maps; the known part is put in at s after those with `replace`. */
export type AffineSteps = (
  sde: Sde,
  t: number,
  s: number,
) => readonly (Affine & { readonly replace: boolean })[];

/** Ancestral sampling (DDIM with η = 1) and DDIM (η = 0); Song, Meng & Ermon 2021, eq. 12. */
export const ddimSteps = (eta: number): AffineSteps => (sde, t, s) => {
  const [from, to] = [noiseRatio(sde, t), noiseRatio(sde, s)];
  const fresh = eta * (to / from) * Math.sqrt((from - to) * (from + to));
  const kept = Math.sqrt(to ** 2 - fresh ** 2);
  const alpha = sde.alpha(s);
  return [{
    time: t,
    state: alpha / sde.alpha(t),
    noise: alpha * (kept - from),
    fresh: alpha * fresh,
    replace: true,
  }];
};

/** Euler–Maruyama on the reverse SDE; Song et al. 2021, eq. 6, with score = −ε̂/σ. */
export const eulerMaruyamaSteps: AffineSteps = (sde, t, s) => {
  const h = t - s;
  const g = sde.diffusionCoefficient(t);
  return [{
    time: t,
    state: 1 - h * sde.driftCoefficient(t),
    noise: -h * g ** 2 / sde.sigma(t),
    fresh: g * Math.sqrt(h),
    replace: true,
  }];
};

/** Ancestral sampling, then one Langevin step of the given size at s; the known part after each, or after both. */
export const correctedSteps =
  (stepSize: (t: number) => number, afterEach: boolean): AffineSteps => (sde, t, s) => {
    const size = stepSize(s);
    return [
      ...ddimSteps(1)(sde, t, s).map((step) => ({ ...step, replace: afterEach })),
      {
        time: s,
        state: 1,
        noise: -size / sde.sigma(s),
        fresh: Math.sqrt(2 * size),
        replace: true,
      },
    ];
  };

/** The moments of imputation, of RePaint with `resamplings` of single steps, at the end of a grid. */
export function imputedMoments(
  sde: Sde,
  stepsOf: AffineSteps,
  times: Float64Array,
  { resamplings = 1, jump = 1, denoise = true } = {},
): Moments {
  let moments = replaced(sde, {
    mean: [0, 0],
    covariance: [[sde.priorStd ** 2, 0], [0, sde.priorStd ** 2]],
  }, times[0]);
  const advance = (k: number) => {
    for (const step of stepsOf(sde, times[k], times[k + 1])) {
      moments = moved(sde, moments, step);
      if (step.replace) moments = replaced(sde, moments, times[k + 1]);
    }
  };
  for (let k = 0; k + 1 < times.length; k++) {
    advance(k);
    if ((k + 1) % jump !== 0) continue;
    for (let again = 1; again < resamplings; again++) {
      const { scale, std } = transition(sde, times[k + 1], times[k + 1 - jump]);
      moments = through(moments, [[scale, 0], [0, scale]], std);
      for (let i = k + 1 - jump; i <= k; i++) advance(i);
    }
  }
  const end = times[times.length - 1];
  const data = { time: end, state: 1 / sde.alpha(end), noise: -noiseRatio(sde, end), fresh: 0 };
  const { mean, covariance } = denoise ? moved(sde, moments, data) : moments;
  return { mean: [pair.seen, mean[1]], covariance: [[0, 0], [0, covariance[1][1]]] };
}

/**
 * Where the hidden coordinate of imputation around the reverse SDE goes with ever more steps, at λ = 1 + ν². Fresh noise on the
 * seen coordinate averages out, so with ρ the correlation and o what is seen
 *
 *   dm/dλ = (λ m − ρ o)/(λ² − ρ²),   dv/dλ = 2λ v/(λ² − ρ²) − 1,
 *
 * and from λ = ∞: m = (o/ρ)(λ − √(λ² − ρ²)), v = (λ² − ρ²)/(2ρ) ln((λ + ρ)/(λ − ρ)). At ν = 0: 0.75 and 0.494.
 */
export function imputedLimit(ratio: number): { mean: number; variance: number } {
  const { correlation: rho, seen } = pair;
  const lambda = 1 + ratio ** 2;
  const gap = lambda ** 2 - rho ** 2;
  return {
    mean: seen / rho * (lambda - Math.sqrt(gap)),
    variance: gap / (2 * rho) * Math.log((lambda + rho) / (lambda - rho)),
  };
}

/** The posterior of the hidden coordinate: N(ρ o, 1 − ρ²). */
export const exactMoments = {
  mean: pair.correlation * pair.seen,
  variance: 1 - pair.correlation ** 2,
} as const;

function replaced(sde: Sde, { mean, covariance }: Moments, t: number): Moments {
  return {
    mean: [sde.alpha(t) * pair.seen, mean[1]],
    covariance: [[sde.sigma(t) ** 2, 0], [0, covariance[1][1]]],
  };
}

function moved(sde: Sde, moments: Moments, { time, state, noise, fresh }: Affine): Moments {
  // ε̂ = σ (α² Σ + σ²)⁻¹ x for centred data.
  const [alpha, sigma] = [sde.alpha(time), sde.sigma(time)];
  const own = alpha ** 2 + sigma ** 2;
  const cross = alpha ** 2 * pair.correlation;
  const scale = sigma / (own ** 2 - cross ** 2);
  const diagonal = state + noise * scale * own;
  const aside = -noise * scale * cross;
  return through(moments, [[diagonal, aside], [aside, diagonal]], fresh);
}

/** The moments of M x + std z. */
function through(
  { mean, covariance }: Moments,
  matrix: readonly (readonly number[])[],
  std: number,
): Moments {
  const two = [0, 1];
  return {
    mean: two.map((i) => matrix[i][0] * mean[0] + matrix[i][1] * mean[1]),
    covariance: two.map((i) =>
      two.map((j) => {
        let sum = i === j ? std ** 2 : 0;
        for (const a of two) for (const b of two) sum += matrix[i][a] * covariance[a][b] * matrix[j][b];
        return sum;
      })
    ),
  };
}
