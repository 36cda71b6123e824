/**
 * Tables as lines of text.
 * @module
 */

/** Rows with aligned cells: the first to the left, the others to the right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column] + 2))
      .join("").trimEnd()
  ).join("\n");
}
