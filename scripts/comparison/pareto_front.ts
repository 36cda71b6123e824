/**
 * The Pareto front of a comparison: the settings that no cheaper one equals.
 * @module
 */
import type { Row } from "../../src/runs/comparison.ts";

/** A row that was measured. */
type MeasuredRow = Row & {
  readonly evaluations: number;
  readonly quality: NonNullable<Row["quality"]>;
};

/** The rows of one SDE on one network that were measured, in the order of evaluations and, among equals, of distance. */
export function measuredRows(rows: readonly Row[], sde: string, network: string): MeasuredRow[] {
  return rows
    .filter((row): row is MeasuredRow => row.quality !== null && row.sde === sde && row.network === network)
    .toSorted((a, b) => a.evaluations - b.evaluations || a.quality.frechet - b.quality.frechet);
}

/**
 * The rows on the Pareto front of evaluations and Fréchet distance, from the fewest evaluations on: each has a smaller distance than
 * every row of as many or fewer evaluations.
 *
 * @param rows as {@linkcode measuredRows} orders them.
 */
export function paretoFront(rows: readonly MeasuredRow[]): MeasuredRow[] {
  let least = Infinity;
  return rows.filter(({ quality: { frechet } }) => {
    if (frechet >= least) return false;
    least = frechet;
    return true;
  });
}
