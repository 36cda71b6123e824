/** Notebooks as programs: their cells in order, with what Deno's Jupyter kernel would show of each. @module */

/** A cell of a notebook file (nbformat 4). */
interface Cell {
  readonly cell_type: "markdown" | "code";
  readonly source: readonly string[];
  readonly outputs?: readonly unknown[];
}

/** A notebook file. */
export interface Notebook {
  readonly cells: readonly Cell[];
  readonly metadata: { readonly kernelspec: { readonly name: string; readonly language: string } };
  readonly nbformat: number;
}

/**
 * The cells' code as one module, which prints a line of JSON for each: the kinds of what the kernel shows and their sizes. A cell
 * shows its last expression, which begins at the start of a line and goes to the cell's end.
 * @param address Gives a module's address for the one that a cell imports.
 */
export function programOfNotebook({ cells }: Notebook, address: (path: string) => string): string {
  const code = cells.filter(({ cell_type: kind }) => kind === "code").map(({ source }) => source.join(""));
  const parts = code.map((text, at) => {
    const placed = text.replaceAll(/(from )"(\.[^"]*)"/g, (_, before, path) => `${before}"${address(path)}"`);
    const lines = placed.trimEnd().split("\n");
    const start = lines.findLastIndex((line) => /^[\w(]/.test(line));
    const shown = !/^(const|let|import|for|await scoreSde\.useEngine)\b/.test(lines[start]);
    const before = (shown ? lines.slice(0, start) : lines).join("\n");
    const last = shown ? lines.slice(start).join("\n").replace(/;$/, "") : "null";
    return `${before}\nshow(${at}, (${last}));`;
  });
  return `${parts.join("\n")}
async function show(cell: number, value: unknown): Promise<void> {
  const display = (value as Record<symbol, (() => unknown) | undefined> | null)?.[Symbol.for("Jupyter.display")];
  const bundle = (await display?.call(value) ?? {}) as Record<string, string>;
  console.log(JSON.stringify({ cell, bundle }));
}
`;
}
