/**
 * The claim files: where they are, how they are imported, and what their areas are called.
 * @module
 */
import type { Area } from "./claim.ts";

const folder = new URL("../claims/", import.meta.url);

/** The files below verify/claims, as paths in that folder such as "samplers/langevin.ts", in order. */
export function claimFiles(below: URL = folder): string[] {
  return [...Deno.readDirSync(below)]
    .filter(({ isDirectory }) => isDirectory)
    .flatMap((subject) =>
      [...Deno.readDirSync(new URL(`${subject.name}/`, below))].map(({ name }) => `${subject.name}/${name}`)
    )
    .filter((path) => path.endsWith(".ts"))
    .sort();
}

/** The area of a claim file: its path in verify/claims without its ending, such as "samplers/langevin". */
export function areaOf(file: string): string {
  return file.replace(/\.ts$/, "");
}

/** The address of a claim file. */
export function claimFileUrl(file: string): URL {
  return new URL(file, folder);
}

/** Imports a claim file, which registers its claims, and returns what it exports as `area`. */
export async function importClaims(file: string): Promise<Area> {
  const { area = {} } = await import(claimFileUrl(file).href);
  return area;
}
