/**
 * The Pareto front of a comparison: the settings that no cheaper one equals.
 * @module
 */

/** What is asked of a row of a comparison. */
interface ComparedRow {
  readonly sde: string;
  readonly network: string;
  /** Null for what failed. */
  readonly evaluations: number | null;
  /** Null for what failed. */
  readonly quality: { readonly frechet: number } | null;
}

/** A row that was measured. */
type Measured<Row extends ComparedRow> = Row & {
  readonly evaluations: number;
  readonly quality: NonNullable<Row["quality"]>;
};

/** The rows of one SDE on one network that were measured, in the order of evaluations and, among equals, of distance. */
export function measuredRows<Row extends ComparedRow>(
  rows: readonly Row[],
  sde: string,
  network: string,
): Measured<Row>[] {
  return rows
    .filter((row): row is Measured<Row> => row.quality !== null && row.sde === sde && row.network === network)
    .toSorted((a, b) => a.evaluations - b.evaluations || a.quality.frechet - b.quality.frechet);
}

/**
 * The rows on the Pareto front of evaluations and Fréchet distance, from the fewest evaluations on: each has a smaller distance than
 * every row of as many or fewer evaluations.
 *
 * @param rows as {@linkcode measuredRows} orders them.
 */
export function paretoFront<Row extends { readonly quality: { readonly frechet: number } }>(
  rows: readonly Row[],
): Row[] {
  let least = Infinity;
  return rows.filter(({ quality: { frechet } }) => {
    if (frechet >= least) return false;
    least = frechet;
    return true;
  });
}
