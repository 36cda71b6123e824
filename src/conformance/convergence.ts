/**
 * Where values of runs of N, 2N, 4N, … steps lead: the limit of short steps, and how surely it is known.
 * @module
 */

/** The limit of a sequence of values at N, 2N, 4N, … steps. */
export interface Limit {
  readonly value: number;
  /** How far the limit may be from it, judged by how two extrapolations differ. */
  readonly uncertainty: number;
  /** The order at which the values approach it; NaN where they hardly change. */
  readonly order: number;
  /** The size of the last change, from half as many steps. */
  readonly change: number;
  /** Whether the changes shrink as steps get shorter. */
  readonly converges: boolean;
}

/**
 * The limit by Richardson's extrapolation, once with the order that the last changes show and once more with the next.
 *
 * @param values at N, 2N, 4N, …, three at least
 * @param floor what rounding alone changes
 */
export function extrapolated(values: readonly number[], floor: number): Limit {
  const last = values.length - 1;
  const changes = values.slice(1).map((value, i) => value - values[i]);
  const change = changes[last - 1];
  if (changes.slice(-2).every((change) => Math.abs(change) <= 4 * floor)) {
    return {
      value: values[last],
      uncertainty: 4 * floor,
      order: NaN,
      change: Math.abs(change),
      converges: true,
    };
  }
  const shrink = changes[last - 2] / change;
  const order = Math.log2(Math.abs(shrink));
  if (!(Math.abs(shrink) > 1.15)) {
    // Changes may also grow while they are still small beside what comes, so that nothing is known of a limit.
    return { value: values[last], uncertainty: Infinity, order, change: Math.abs(change), converges: false };
  }
  const whole = Math.max(1, Math.round(order));
  const near = shrink > 0 && Math.abs(order - whole) < 0.35;
  const once = (at: number) => values[at] + changes[at - 1] / ((near ? 2 ** whole : shrink) - 1);
  const first = once(last);
  if (!near || last < 3) {
    return {
      value: first,
      // Where the changes have turned, what follows the turn is not seen yet: it may be as large as what came before it.
      uncertainty: Math.max(
        Math.abs(first - values[last]) * 0.4,
        0.6 * Math.abs(change),
        shrink < 0 ? Math.abs(changes[last - 2]) : 0,
      ) + 4 * floor,
      order,
      change: Math.abs(change),
      converges: true,
    };
  }
  const second = first + (first - once(last - 1)) / (2 ** (whole + 1) - 1);
  // Where orders wander, what the extrapolation rests on is not there yet.
  const before = Math.log2(Math.abs(changes[last - 3] / changes[last - 2]));
  const steady = Math.abs(order - whole) < 0.2 && Math.abs(before - whole) < 0.35;
  const uncertainty = Math.max(Math.abs(second - first), steady ? 0 : 0.6 * Math.abs(change)) + 4 * floor;
  return { value: second, uncertainty, order, change: Math.abs(change), converges: true };
}
