/**
 * Populations of weighted particles: rows of a batch of which each run of K is one population, resampled by itself.
 * @module
 */

/** Where particles come from and what they weigh after a resampling. */
interface Resampling {
  /** The row that each row's particle is taken from, of the same population. */
  readonly ancestors: Int32Array;
  /** ln of the weights, each population's up to a constant. */
  readonly logWeights: Float64Array<ArrayBuffer>;
}

/**
 * Systematic resampling (Kitagawa 1996) of the populations whose effective sample size (Σ w)²/Σ w² is below `least`: of
 * weights w that sum to 1, particle i has ⌊K w_i⌋ or ⌈K w_i⌉ offspring, K w_i on average. Its weights are 1 afterwards.
 *
 * @param logWeights ln w, up to a constant of each population, [B]
 * @param particles K, which divides B
 * @param uniforms [B] numbers from 0 to 1, of which the first of each population is used
 */
export function resampled(
  logWeights: Float64Array<ArrayBuffer>,
  particles: number,
  uniforms: Float64Array,
  least: number,
): Resampling {
  const ancestors = Int32Array.from(logWeights, (_, row) => row);
  const after = logWeights.slice();
  for (let first = 0; first < logWeights.length; first += particles) {
    const largest = Math.max(...logWeights.subarray(first, first + particles));
    const weights = logWeights.subarray(first, first + particles).map((w) => Math.exp(w - largest));
    const total = weights.reduce((sum, w) => sum + w);
    // A weight is NaN where a state is NaN, which the run itself reports.
    if (!(total ** 2 / weights.reduce((sum, w) => sum + w * w, 0) < least)) continue;
    let place = 0;
    let below = weights[0];
    for (let i = 0; i < particles; i++) {
      const target = total * (i + uniforms[first]) / particles;
      while (below < target && place + 1 < particles) below += weights[++place];
      ancestors[first + i] = first + place;
      after[first + i] = 0;
    }
  }
  return { ancestors, logWeights: after };
}

/**
 * A random order of each population's rows.
 *
 * @param uniforms [B] numbers, by which the rows are sorted
 */
export function shuffled(particles: number, uniforms: Float64Array): Int32Array {
  const order = Int32Array.from(uniforms, (_, row) => row);
  for (let first = 0; first < order.length; first += particles) {
    order.subarray(first, first + particles).sort((a, b) => uniforms[a] - uniforms[b]);
  }
  return order;
}
