/**
 * Pictures in a folder on this machine.
 * @module
 */
import { type ImageFile, isImagePath } from "../src/data/image_folder.ts";
import { readWhole } from "./files.ts";

/** Paths below a folder, from it on, of all pictures: the folder's own first, then its folders', in the order of names. */
export async function imagePaths(folder: string, within = ""): Promise<string[]> {
  const entries = (await Array.fromAsync(Deno.readDir(`${folder}/${within}`)))
    .filter(({ name }) => !name.startsWith("."))
    .sort((a, b) => a.name < b.name ? -1 : 1);
  const paths = entries.filter(({ name, isDirectory }) => !isDirectory && isImagePath(name))
    .map(({ name }) => within + name);
  for (const { name, isDirectory } of entries) {
    if (isDirectory) paths.push(...await imagePaths(folder, `${within}${name}/`));
  }
  return paths;
}

/** The pictures themselves. */
export async function readImages(folder: string, paths: readonly string[]): Promise<ImageFile[]> {
  return await Promise.all(
    paths.map(async (path) => ({ path, bytes: await readWhole(`${folder}/${path}`) })),
  );
}
