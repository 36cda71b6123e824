/** What an action prints, for claims about words made from results. @module */

/** The lines that an action prints on stdout, each without its end. */
export async function printed(action: () => void | Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (...values: unknown[]) => void lines.push(...values.join(" ").split("\n"));
  try {
    await action();
  } finally {
    console.log = log;
  }
  return lines;
}
