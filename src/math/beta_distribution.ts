/**
 * Quantiles of symmetric beta distributions.
 * @module
 */

/**
 * The quantile function of Beta(a, a), whose density is proportional to (x (1 − x))^{a−1} on [0, 1].
 *
 * Below ½ the incomplete beta function is x^a (1 − x)^a/a · Σ_n (2a)_n/(a + 1)_n x^n (DLMF 8.17.8), and its slope in w = x^a
 * is (1 − x)^{a−1}/a, which changes slowly: Newton's rule in w needs few steps, and comes from one side. Above ½ it is one
 * less the quantile of 1 − q.
 *
 * @param a From 0.05 to 50.
 */
export function symmetricBetaQuantile(a: number): (q: number) => number {
  /** a times the incomplete beta function at x = w^{1/a} ≤ ½, and x. */
  const incomplete = (w: number) => {
    const x = w ** (1 / a);
    let [sum, term] = [0, 1];
    for (let n = 0; term > 1e-17 * sum; n++) {
      sum += term;
      term *= (2 * a + n) / (a + 1 + n) * x;
    }
    return { value: w * (1 - x) ** a * sum, x };
  };
  const half = incomplete(0.5 ** a).value;
  const lower = (q: number) => {
    const target = 2 * q * half;
    let w = Math.min(target, 0.5 ** a);
    for (let k = 0; k < 60; k++) {
      const { value, x } = incomplete(w);
      const step = (value - target) / (1 - x) ** (a - 1);
      w = Math.min(Math.max(w - step, 0), 0.5 ** a);
      if (Math.abs(step) <= 1e-16 * w) break;
    }
    return w ** (1 / a);
  };
  return (q) => q <= 0.5 ? lower(q) : 1 - lower(1 - q);
}
