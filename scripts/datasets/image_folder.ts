/**
 * Pictures in a folder on this machine.
 * @module
 */
import { compareNames, type ImageFile, isImagePath, isOtherImagePath } from "../../src/data/image_folder.ts";
import { readWhole } from "../cli/files.ts";

/**
 * The most pixels of a picture that a task reads, as data, as an input or as a mask: 8,000 × 8,000. On one x86-64 core a
 * JPEG of 24 megapixels (6,000 × 4,000) takes 1.9 s and 450 MB in a folder, a progressive one 2.2 s and 520 MB, a PNG 3.4 s
 * and 620 MB; of 64 megapixels the slowest takes 7 s and the largest 1.6 GB, of the whole process.
 */
export const MOST_PIXELS = 64_000_000;

/** What a folder holds. */
interface FolderPictures {
  /** Paths from the folder on, of all pictures that can be read: the folder's own first, then its folders', by name. */
  readonly paths: readonly string[];
  /** Paths of pictures in formats that are not read. */
  readonly others: readonly string[];
  /** Names that are not UTF-8, or links to what is not there. */
  readonly unreachable: readonly string[];
  /** Folders of training runs, which were left out. */
  readonly runs: readonly string[];
}

/** Names of folders that divide data into parts, not into classes. */
const SPLIT = /^(train|training|test|testing|val|valid|validation|dev)$/i;

/**
 * Finds the pictures below a folder. Links are followed, a folder that is met again is not entered again; what begins with a
 * dot is left out, and so are the folders that training runs write.
 * @throws {Error} with one sentence, when the folder's only folders are parts of data, such as train and test
 */
export async function findPictures(folder: string): Promise<FolderPictures> {
  const found = {
    paths: [] as string[],
    others: [] as string[],
    unreachable: [] as string[],
    runs: [] as string[],
  };
  await walk(folder, "", found, new Set());
  const classes = new Set(
    found.paths.map((path) => path.includes("/") ? path.slice(0, path.indexOf("/")) : ""),
  );
  if (classes.size > 0 && [...classes].every((name) => SPLIT.test(name))) {
    const [first] = classes;
    throw new Error(
      `"${folder}" is divided into ${
        [...classes].join(" and ")
      }, which are no classes: give one, such as "${folder}/${first}"`,
    );
  }
  return found;
}

async function walk(
  folder: string,
  within: string,
  found: { paths: string[]; others: string[]; unreachable: string[]; runs: string[] },
  entered: Set<string>,
): Promise<void> {
  const real = await Deno.realPath(`${folder}/${within}`);
  if (entered.has(real)) return;
  entered.add(real);
  const names = (await Array.fromAsync(Deno.readDir(`${folder}/${within}`), ({ name }) => name))
    .filter((name) => !name.startsWith("."))
    .sort(compareNames);
  if (names.includes("checkpoint.safetensors") || names.includes("metrics.jsonl")) {
    found.runs.push(within === "" ? folder : within.slice(0, -1));
    return;
  }
  const folders: string[] = [];
  for (const name of names) {
    const path = within + name;
    const info = await Deno.stat(`${folder}/${path}`).catch(() => null);
    if (info?.isDirectory) folders.push(path);
    else if (info === null) found.unreachable.push(path);
    else if (isImagePath(name)) found.paths.push(path);
    else if (isOtherImagePath(name)) found.others.push(path);
  }
  for (const path of folders) await walk(folder, `${path}/`, found, entered);
}

/** The pictures themselves, each read when its turn comes; those of names such as cat.0.jpg as in a folder of their class. */
export function imageFiles(folder: string, paths: readonly string[]): ImageFile[] {
  const classes = classesInNames(paths);
  return paths.map((path, at) => ({
    path: classes === null ? path : `${classes[at]}/${path}`,
    bytes: () => readWhole(`${folder}/${path}`),
  }));
}

/** The classes of files that are all called CLASS.NUMBER.ENDING in one folder, two classes or more, as Kaggle has them; else null. */
function classesInNames(paths: readonly string[]): readonly string[] | null {
  const classes = paths.map((path) => /^([\p{L}_-]+)\.\d+\.\w+$/u.exec(path)?.[1]);
  if (classes.includes(undefined) || new Set(classes).size < 2) return null;
  return classes as string[];
}

/** `3 pictures, cat/1.webp, cat/2.webp and 1 more`. */
export function abbreviateList(paths: readonly string[]): string {
  const named = paths.slice(0, 2).join(", ");
  return paths.length > 2 ? `${named} and ${paths.length - 2} more` : named;
}
