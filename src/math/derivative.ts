/**
 * Derivatives and integrals of smooth functions of one number, to nearly the precision of the function itself.
 * @module
 */
import { integrate } from "./gauss_legendre.ts";

/** A derivative, and an estimate of its error. */
interface Derivative {
  readonly value: number;
  readonly error: number;
}

/** Values of the function in a window. */
const POINTS = 16;

/** cos(k θ_j) at Chebyshev's points of the first kind, cos θ_j, which leave out the ends: [k][j]. */
const cosines = Array.from(
  { length: POINTS },
  (_, k) => Array.from({ length: POINTS }, (_, j) => Math.cos(k * (2 * j + 1) * Math.PI / (2 * POINTS))),
);

/**
 * f'(x) by the Chebyshev interpolation of f in a window within [low, high] around x, ever smaller until the last coefficients,
 * which say what is left out, no longer fall as fast as rounding grows.
 *
 * @param x From low to high; f is evaluated within them and not at either.
 */
export function derivative(f: (x: number) => number, x: number, low: number, high: number): Derivative {
  let best = { value: NaN, error: Infinity, resolved: false };
  let worse = 0;
  for (let width = (high - low) / 2, i = 0; i < 40 && worse < 2; i++, width /= 2) {
    const next = inWindow(f, x, Math.max(low, x - width), Math.min(high, x + width));
    if (next.error < best.error) [best, worse] = [next, 0];
    else if (best.resolved) worse++;
  }
  return best;
}

function inWindow(f: (x: number) => number, x: number, from: number, to: number) {
  const [middle, half] = [(from + to) / 2, (to - from) / 2];
  const values = cosines[1].map((point) => f(middle + half * point));
  const coefficients = cosines.map((row) =>
    2 / POINTS * values.reduce((sum, value, j) => sum + value * row[j], 0)
  );
  // T_k' = k U_{k−1}, with U_k by its recurrence.
  const s = (x - middle) / half;
  let [before, now, slope] = [0, 1, 0];
  for (let k = 1; k < POINTS; k++) {
    slope += k * coefficients[k] * now;
    [before, now] = [now, 2 * s * now - before];
  }
  const rounding = 4 * Number.EPSILON * Math.max(...values.map(Math.abs));
  const left = Math.max(rounding, ...coefficients.slice(-3).map(Math.abs));
  const error = left * POINTS ** 2 / half;
  const resolved = left <= 1e-9 * Math.max(...coefficients.map(Math.abs));
  return { value: slope / half, error: Number.isFinite(error) ? error : Infinity, resolved };
}

/**
 * ∫_low^x f as a function of x in [low, high], by the Gauss–Legendre rule on panels so small that halving them changes no more
 * than rounding.
 *
 * @throws {RangeError} When f is not finite, or no panels are small enough.
 */
export function antiderivative(f: (x: number) => number, low: number, high: number): (x: number) => number {
  const ends: number[] = [low];
  const sums: number[] = [0];
  const add = (from: number, to: number, depth: number): void => {
    const whole = integrate(from, to, f);
    const middle = (from + to) / 2;
    const halves = integrate(from, middle, f) + integrate(middle, to, f);
    if (!Number.isFinite(halves)) throw new RangeError(`the integral from ${from} to ${to} is not finite`);
    const difference = Math.abs(whole - halves);
    if (difference <= Math.max(1e-13 * Math.abs(halves), 2e-15 * Math.abs(sums.at(-1)!))) {
      ends.push(to);
      sums.push(sums.at(-1)! + halves);
      return;
    }
    if (depth === 0) {
      throw new RangeError(`the integral from ${from} to ${to} cannot be computed: it is not smooth`);
    }
    add(from, middle, depth - 1);
    add(middle, to, depth - 1);
  };
  for (let i = 0; i < 16; i++) add(low + (high - low) * i / 16, low + (high - low) * (i + 1) / 16, 50);
  return (x) => {
    let [first, last] = [0, ends.length - 1];
    while (last - first > 1) {
      const middle = (first + last) >> 1;
      if (ends[middle] <= x) first = middle;
      else last = middle;
    }
    return sums[first] + integrate(ends[first], x, f);
  };
}
