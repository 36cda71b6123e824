/**
 * Builds the playground: a folder that any static host can serve.
 * @module
 */
import { fileURLToPath } from "node:url";
import { bundleForBrowsers } from "../../scripts/build/bundle.ts";
import { registryFacts } from "./registry.ts";

/** Where the page's script finds what the library's registries hold. */
const REGISTRY = '<script type="application/json" id="registry"></script>';

/**
 * Writes the page, its style, its code and the networks into a folder, in the place of what an earlier build left there.
 *
 * @returns the names of the files
 * @throws {Error} when the code cannot be bundled
 */
export async function buildSite(folder: string): Promise<string[]> {
  const here = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
  const part = `${folder}.part`;
  await removed(part);
  const entries = { page: here("page/page.ts"), worker: here("worker/worker.ts") };
  const files = await bundleForBrowsers(entries, part);
  await Deno.writeTextFile(`${part}/index.html`, withRegistry(await Deno.readTextFile(here("index.html"))));
  await Deno.copyFile(here("style.css"), `${part}/style.css`);
  await removed(folder);
  await Deno.rename(part, folder);
  return [...files, "index.html", "style.css"].sort();
}

/** Removes a folder that may be there. */
async function removed(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** The page with the registries' facts in it. */
function withRegistry(html: string): string {
  if (!html.includes(REGISTRY)) throw new Error("site/index.html has no place for the registry");
  const facts = JSON.stringify(registryFacts()).replaceAll("<", "\\u003c");
  return html.replace(REGISTRY, () => REGISTRY.replace("></", `>${facts}</`));
}
