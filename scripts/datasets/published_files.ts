/**
 * Where published data are on this machine: a folder, the cache, or a download that is checked.
 * @module
 */
import { gunzip } from "../../src/data/gzip.ts";
import { download, type DownloadOptions } from "../../src/input/download.ts";
import { atomicWrite } from "../cli/files.ts";
import { formatBytes, ProgressBar } from "../cli/terminal.ts";
import { messageOf } from "../cli/flags.ts";

/** Where data may be; every field has a default. */
export interface DataPlaces {
  /** A folder given by the user: the files are in it or in its folder of the data's name. Default: `SCORE_SDE_DATA`. */
  readonly data?: string;
  /** The folder that downloads are kept in. Default: the data's name in the platform's cache folder. */
  readonly cache?: string;
  /** Addresses to try in turn, ending in "/". Default: the data's own. */
  readonly mirrors?: readonly string[];
  /** Limits of a download; by default 256 MiB, and 60 seconds in which nothing comes. */
  readonly limits?: Pick<DownloadOptions, "most" | "patience">;
  /** Called with each line or partial line about a download; default: standard error. */
  readonly report?: (text: string) => void;
}

/** A gzipped file that is published. */
export interface PublishedFile {
  /** With its ending. */
  readonly name: string;
  /** SHA-256 in hexadecimal: of the bytes as they are published, or of what they hold. */
  readonly sha256: string;
  /** Which of the two. */
  readonly digestOf: "packed" | "unpacked";
  /** Folders that it is in, ending in "/". */
  readonly mirrors: readonly string[];
  /** The sentence's beginning when it cannot be had: what is missing and what to do. */
  readonly advice: string;
}

/** The first of the files called `name` or `name.gz` in the folders, uncompressed. */
export async function readFrom(folders: readonly string[], name: string): Promise<Uint8Array | undefined> {
  for (const folder of folders) {
    for (const ending of [".gz", ""]) {
      const path = `${folder}/${name}${ending}`;
      const bytes = await readIfThere(path);
      if (bytes !== undefined) return await gunzip(bytes, path);
    }
  }
}

/**
 * The file's uncompressed bytes, from the cache or else from the first mirror that has the right ones, which are kept.
 * @throws {Error} when no mirror has them
 */
export async function readPublished(
  file: PublishedFile,
  cache: string,
  places: DataPlaces,
): Promise<Uint8Array> {
  const path = `${cache}/${file.name}`;
  const kept = await readIfThere(path);
  if (kept !== undefined) {
    const bytes = await checked(file, kept, path).catch(() => undefined);
    if (bytes !== undefined) return bytes;
  }
  const report = places.report ?? ((text) => Deno.stderr.writeSync(new TextEncoder().encode(text)));
  const problems: string[] = [];
  for (const mirror of places.mirrors ?? file.mirrors) {
    const url = `${mirror}${file.name}`;
    try {
      const packed = await fetchBytes(url, report, places.limits ?? {});
      const bytes = await checked(file, packed, url);
      await Deno.mkdir(cache, { recursive: true });
      await atomicWrite(path, packed);
      return bytes;
    } catch (error) {
      const reason = messageOf(error);
      problems.push(`${url} (${reason})`);
    }
  }
  throw new Error(`${file.advice}; tried ${problems.join(", ")}`);
}

/** The platform's folder for things that can be fetched again. */
export function dataCacheFolder(name: string): string {
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? ".";
  const base = Deno.env.get("XDG_CACHE_HOME") ??
    (Deno.build.os === "darwin"
      ? `${home}/Library/Caches`
      : Deno.build.os === "windows"
      ? Deno.env.get("LOCALAPPDATA") ?? home
      : `${home}/.cache`);
  return `${base}/score-sde/${name}`;
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) throw error;
  }
}

/** The file's uncompressed bytes; nothing is unpacked before its digest is right, where that is of the packed bytes. */
async function checked(file: PublishedFile, packed: Uint8Array, place: string): Promise<Uint8Array> {
  if (file.digestOf === "packed") await checkDigest(file, packed);
  const bytes = await gunzip(packed, place);
  if (file.digestOf === "unpacked") await checkDigest(file, bytes);
  return bytes;
}

async function checkDigest({ sha256: expected }: PublishedFile, bytes: Uint8Array): Promise<void> {
  const digest = await sha256(bytes);
  if (digest === expected) return;
  throw new Error(`SHA-256 is ${digest.slice(0, 12)}…, expected ${expected.slice(0, 12)}…`);
}

async function fetchBytes(
  url: string,
  report: (text: string) => void,
  limits: DownloadOptions,
): Promise<Uint8Array> {
  let progress: ProgressBar | undefined;
  const bar = (total: number) =>
    progress ??= new ProgressBar({ label: `downloading ${url}`, total, unit: "bytes", write: report });
  try {
    const bytes = await download(url, {
      ...limits,
      onProgress: (received, total) => bar(total).update(received),
    });
    bar(bytes.length).print(`downloaded ${url}, ${formatBytes(bytes.length)}`);
    return bytes;
  } finally {
    progress?.[Symbol.dispose]();
  }
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
