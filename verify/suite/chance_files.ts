/**
 * Which claim files may compare random draws with distributions: those that state false-alarm rates, or load what does.
 * @module
 */
import { claimFiles, claimFileUrl } from "./claim_files.ts";

/** What states them for many claims. */
const statistics = new URL("../instruments/statistics.ts", import.meta.url).href;

/** The claim files, in order. A file may be among them of which no claim draws anything. */
export function filesWithChance(files: readonly string[] = claimFiles()): string[] {
  const known = new Map<string, boolean>();
  const loads = (url: string): boolean => {
    if (url === statistics) return true;
    const earlier = known.get(url);
    if (earlier !== undefined) return earlier;
    known.set(url, false);
    const text = Deno.readTextFileSync(new URL(url));
    const imports = [...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom\s+"(\.[^"]+)"/gm)]
      .map(([, path]) => new URL(path, url).href);
    const found = imports.some((next) =>
      /\/verify\/(instruments|problems|reference)\//.test(next) && loads(next)
    );
    known.set(url, found);
    return found;
  };
  return files.filter((file) => {
    const url = claimFileUrl(file);
    return /\balarmRate\b/.test(Deno.readTextFileSync(url)) || loads(url.href);
  });
}
