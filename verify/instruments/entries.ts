/** The entries of the package: what others import. @module */

const root = new URL("../../", import.meta.url);

/** A module that others import. */
export interface Entry {
  /** What it is about: "the core", or the name of its folder. */
  readonly name: string;
  /** Its path from the root. */
  readonly path: string;
  readonly url: URL;
}

/** All entries, as deno.json lists them. */
export const entries: readonly Entry[] = Object.entries(
  JSON.parse(Deno.readTextFileSync(new URL("deno.json", root))).exports as Record<string, string>,
).map(([name, path]) => ({
  name: name === "." ? "the core" : name.slice(2),
  path: path.slice(2),
  url: new URL(path, root),
}));
