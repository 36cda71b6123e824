/**
 * Tables as lines of text.
 * @module
 */

/**
 * Rows with aligned cells.
 * @param left Which columns stand to the left: the first so many, or a truth for each. Default the first alone.
 */
export function columns(
  rows: readonly (readonly string[])[],
  left: number | readonly boolean[] = 1,
): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const isLeft = (column: number) => typeof left === "number" ? column < left : left[column];
  const aligned = (cell: string, column: number) =>
    isLeft(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
  return rows.map((row) => row.map(aligned).join("  ").trimEnd()).join("\n");
}
