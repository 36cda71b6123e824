/**
 * Where MNIST is on this machine: a folder, the cache, or a download from its public mirrors.
 * @module
 */
import type { ImageDataset } from "../src/data/dataset.ts";
import { gunzip } from "../src/data/gzip.ts";
import {
  idxDataset,
  MNIST_FILES,
  MNIST_MIRRORS,
  type MnistFile,
  type MnistSplit,
} from "../src/data/mnist.ts";
import { atomicWrite } from "./files.ts";
import { formatBytes, ProgressBar } from "./terminal.ts";

/** Where to look; every field has a default. */
export interface MnistPlaces {
  /** A folder given by the user: the files are in it or in its `mnist` folder. Default: `SCORE_SDE_DATA`. */
  readonly data?: string;
  /** The folder that downloads are kept in. Default: `mnist` in the platform's cache folder. */
  readonly cache?: string;
  /** Addresses to try in turn, ending in "/". */
  readonly mirrors?: readonly string[];
  /** Called with each line or partial line about a download; default: standard error. */
  readonly report?: (text: string) => void;
}

/**
 * Loads one split of MNIST.
 *
 * @throws {Error} When a given folder lacks the files, or they are nowhere and no mirror answers with the right bytes; the
 * message says how to get them.
 */
export async function loadMnist(split: MnistSplit, places: MnistPlaces = {}): Promise<ImageDataset> {
  const { images, labels } = MNIST_FILES[split];
  return await idxDataset(await findFile(images, places), await findFile(labels, places), `mnist ${split}`);
}

/** The uncompressed bytes of one file, from wherever it is; see {@linkcode loadMnist}. */
export async function findFile(file: MnistFile, places: MnistPlaces): Promise<Uint8Array> {
  const data = places.data ?? Deno.env.get("SCORE_SDE_DATA");
  if (data !== undefined && data !== "") {
    const found = await readFrom([`${data}/mnist`, data], file.name);
    if (found !== undefined) return found;
    if (places.data !== undefined) {
      throw new Error(`no ${file.name}.gz or ${file.name} in ${data} or ${data}/mnist`);
    }
  }
  const cache = places.cache ?? cacheFolder();
  const cached = await readFrom([cache], file.name);
  if (cached !== undefined && await sha256(cached) === file.sha256) return cached;
  return await download(file, cache, places);
}

async function readFrom(folders: readonly string[], name: string): Promise<Uint8Array | undefined> {
  for (const folder of folders) {
    for (const ending of [".gz", ""]) {
      const path = `${folder}/${name}${ending}`;
      try {
        return await gunzip(await Deno.readFile(path), path);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
          throw error;
        }
      }
    }
  }
}

async function download(file: MnistFile, cache: string, places: MnistPlaces): Promise<Uint8Array> {
  const report = places.report ?? ((text) => Deno.stderr.writeSync(new TextEncoder().encode(text)));
  const problems: string[] = [];
  for (const mirror of places.mirrors ?? MNIST_MIRRORS) {
    const url = `${mirror}${file.name}.gz`;
    try {
      const packed = await fetchBytes(url, report);
      const bytes = await gunzip(packed, url);
      const digest = await sha256(bytes);
      if (digest !== file.sha256) {
        throw new Error(`SHA-256 is ${digest.slice(0, 12)}…, expected ${file.sha256.slice(0, 12)}…`);
      }
      await Deno.mkdir(cache, { recursive: true });
      await atomicWrite(`${cache}/${file.name}.gz`, packed);
      return bytes;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      report(`${url}: ${reason}\n`);
      problems.push(`${url} (${reason})`);
    }
  }
  throw new Error(
    `MNIST is not on this machine and could not be downloaded: put ${file.name}.gz and its three sisters into a folder ` +
      `and pass --data FOLDER (or set SCORE_SDE_DATA); tried ${problems.join(", ")}`,
  );
}

async function fetchBytes(url: string, report: (text: string) => void): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new Error(`HTTP ${response.status}`);
  }
  const total = Number(response.headers.get("content-length") ?? 0);
  using progress = new ProgressBar({ label: `downloading ${url}`, total, unit: "bytes", write: report });
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let received = 0;
  for await (const chunk of response.body) {
    chunks.push(chunk);
    progress.update(received += chunk.length);
  }
  progress.print(`downloaded ${url}, ${formatBytes(received)}`);
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** The platform's folder for things that can be fetched again. */
function cacheFolder(): string {
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? ".";
  const base = Deno.env.get("XDG_CACHE_HOME") ??
    (Deno.build.os === "darwin"
      ? `${home}/Library/Caches`
      : Deno.build.os === "windows"
      ? Deno.env.get("LOCALAPPDATA") ?? home
      : `${home}/.cache`);
  return `${base}/score-sde/mnist`;
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
