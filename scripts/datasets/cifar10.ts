/**
 * Where CIFAR-10 is on this machine: a folder, the cache, or a download of its public archive.
 * @module
 */
import { CIFAR10_ARCHIVE, CIFAR10_FILES, CIFAR10_MIRRORS, cifar10Dataset } from "../../src/data/cifar10.ts";
import type { ImageDataset } from "../../src/data/dataset.ts";
import { tarFiles } from "../../src/data/tar.ts";
import {
  dataCacheFolder,
  type DataPlaces,
  type PublishedFile,
  readFrom,
  readPublished,
} from "./published_files.ts";

/** The folder in the archive. */
const inArchive = "cifar-10-batches-bin";

type Files = { name: string; bytes: Uint8Array }[];

/**
 * Loads one split of CIFAR-10. Of a folder, as many of the split's files are taken as there are: one of the five training
 * files will do.
 *
 * @throws {Error} When a given folder has none of the files, one is damaged, or they are nowhere and no mirror answers with
 * the right bytes.
 */
export async function loadCifar10(
  split: keyof typeof CIFAR10_FILES,
  places: DataPlaces = {},
): Promise<ImageDataset> {
  const files = await filesIn(split, places) ?? await filesOfArchive(split, places);
  return await cifar10Dataset(files, `cifar10 ${split}`);
}

async function filesIn(split: keyof typeof CIFAR10_FILES, places: DataPlaces): Promise<Files | undefined> {
  const data = places.data ?? Deno.env.get("SCORE_SDE_DATA");
  if (data === undefined || data === "") return undefined;
  const folders = [data, `${data}/cifar10`, `${data}/${inArchive}`];
  const files: Files = [];
  for (const name of CIFAR10_FILES[split]) {
    const bytes = await readFrom(folders, name);
    if (bytes !== undefined) files.push({ name, bytes });
  }
  if (files.length > 0) return files;
  if (places.data === undefined) return undefined;
  const [first] = CIFAR10_FILES[split];
  throw new Error(`no ${first} or ${first}.gz in ${folders.join(" or ")}`);
}

async function filesOfArchive(split: keyof typeof CIFAR10_FILES, places: DataPlaces): Promise<Files> {
  const published: PublishedFile = {
    ...CIFAR10_ARCHIVE,
    digestOf: "packed",
    mirrors: CIFAR10_MIRRORS,
    advice: `CIFAR-10 is not on this machine and could not be downloaded: unpack ${CIFAR10_ARCHIVE.name} ` +
      "and pass --data FOLDER (or set SCORE_SDE_DATA)",
  };
  const archive = await readPublished(published, places.cache ?? dataCacheFolder("cifar10"), places);
  const files = tarFiles(archive, CIFAR10_ARCHIVE.name);
  return CIFAR10_FILES[split].map((name) => {
    const bytes = files.get(`${inArchive}/${name}`);
    if (bytes === undefined) throw new Error(`${CIFAR10_ARCHIVE.name} has no ${inArchive}/${name}`);
    return { name, bytes };
  });
}
