/** The documents for people, by their paths: pages, model cards and job files. @module */
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Paths from the root, in order, of every Markdown file of the project and of the job files in examples. */
export async function documents(): Promise<string[]> {
  const found: string[] = [];
  const search = async (folder: string, endings: RegExp, deep: boolean): Promise<void> => {
    for await (const entry of Deno.readDir(`${root}${folder}`)) {
      const path = `${folder}${entry.name}`;
      if (entry.isDirectory && deep) await search(`${path}/`, endings, deep);
      else if (entry.isFile && endings.test(entry.name)) found.push(path);
    }
  };
  await search("", /\.md$/, false);
  for (const folder of ["docs/", "fixtures/"]) await search(folder, /\.md$/, true);
  await search("examples/", /\.(md|sh|yaml)$/, false);
  return found.sort();
}
