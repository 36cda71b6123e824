/**
 * What DPS around ancestral sampling draws on a normal number that is seen itself: its density, carried through the steps by
 * quadrature in float64.
 * @module
 */
import { noiseRatio, type Sde } from "../../src/diffusion/sde.ts";

/** Data N(mean, std²), the number seen, DPS's ζ, and the times of the steps. */
export interface DpsProblem {
  readonly sde: Sde;
  readonly times: Float64Array;
  readonly mean: number;
  readonly std: number;
  readonly seen: number;
  readonly scale: number;
}

/** Points of the quadrature: eight standard deviations to both sides. */
const POINTS = 801;

/**
 * In y = x/α and ν = σ/α, with D = (std² y + ν² mean)/(std² + ν²) and J = std²/(std² + ν²), a step from ν to μ is
 *
 *   y ← (μ/ν)² y + (1 − (μ/ν)²) D + ζ √(1 + μ²) √(1 + ν²) J sign(seen − D) + μ √(1 − (μ/ν)²) z;
 *
 * at the end D(y) is drawn. The density after the step is the normal density of z, averaged over y.
 */
export function dpsLaw({ sde, times, mean, std, seen, scale }: DpsProblem) {
  const ratios = Array.from(times, (time) => noiseRatio(sde, time));
  const gain = (ratio: number) => std ** 2 / (std ** 2 + ratio ** 2);
  const denoised = (y: number, ratio: number) => mean + gain(ratio) * (y - mean);
  const start = sde.priorStd / sde.alpha(times[0]);
  let points = grid(0, start);
  let masses = normalized(points.map((y) => Math.exp(-0.5 * (y / start) ** 2)));
  for (let k = 0; k + 1 < ratios.length; k++) {
    const [from, to] = [ratios[k], ratios[k + 1]];
    const kept = (to / from) ** 2;
    const fresh = to * Math.sqrt(1 - kept);
    const pull = scale * Math.hypot(1, to) * Math.hypot(1, from) * gain(from);
    const centres = points.map((y) => {
      const data = denoised(y, from);
      return kept * y + (1 - kept) * data + pull * Math.sign(seen - data);
    });
    const moments = momentsOf(centres, masses);
    const next = grid(moments.mean, Math.sqrt(moments.variance + fresh ** 2));
    const density = next.map((z) => {
      let sum = 0;
      for (let i = 0; i < centres.length; i++) {
        sum += masses[i] * Math.exp(-0.5 * ((z - centres[i]) / fresh) ** 2);
      }
      return sum;
    });
    [points, masses] = [next, normalized(density)];
  }
  const last = ratios[ratios.length - 1];
  const values = points.map((y) => denoised(y, last));
  const moments = momentsOf(values, masses);
  let sum = 0;
  const below = masses.map((mass) => (sum += mass) - mass / 2);
  const cdf = (x: number) => {
    const at = (x - values[0]) / (values[1] - values[0]);
    const i = Math.floor(at);
    if (i < 0) return 0;
    return i + 1 >= POINTS ? 1 : below[i] + (at - i) * (below[i + 1] - below[i]);
  };
  return { cdf, ...moments };
}

function grid(mean: number, std: number): Float64Array {
  return Float64Array.from({ length: POINTS }, (_, i) => mean + 8 * std * (2 * i / (POINTS - 1) - 1));
}

function normalized(weights: Float64Array): Float64Array {
  const total = weights.reduce((sum, weight) => sum + weight);
  return weights.map((weight) => weight / total);
}

function momentsOf(values: Float64Array, masses: Float64Array): { mean: number; variance: number } {
  const mean = values.reduce((sum, value, i) => sum + masses[i] * value, 0);
  return { mean, variance: values.reduce((sum, value, i) => sum + masses[i] * (value - mean) ** 2, 0) };
}
