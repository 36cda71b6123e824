/**
 * Files that are shipped beside this project's modules, and their digests, so that a host or a proxy cannot replace
 * them.
 * @module
 */
import { fetchAddress } from "./address.ts";
import { hexadecimal } from "./hexadecimal.ts";

/** A shipped file. */
interface ShippedFile {
  /** Its address. */
  readonly url: URL;
  /** Its length in bytes. */
  readonly bytes: number;
  /** SHA-256 in hexadecimal digits. */
  readonly sha256: string;
}

/**
 * The files below `fixtures/` that modules fetch, by their names there; addresses are written in full, so that
 * bundlers find them.
 */
export const SHIPPED_FILES = {
  "mnist.safetensors": {
    url: new URL("../../fixtures/models/mnist.safetensors", import.meta.url),
    bytes: 932576,
    sha256: "2b5b7fdcd1e789278f055a66964d22ab891818edfd310fdff69178aafe0f4621",
  },
  "mnist_likelihood.safetensors": {
    url: new URL("../../fixtures/models/mnist_likelihood.safetensors", import.meta.url),
    bytes: 959952,
    sha256: "f8abb06db6e092c7369bbf159f3031e2b8b06d2c64f4f78346a00aacfd99ffea",
  },
  "mnist_consistency.safetensors": {
    url: new URL("../../fixtures/models/mnist_consistency.safetensors", import.meta.url),
    bytes: 932936,
    sha256: "d5a27c71117529a7f3d9927ff1b32b8655dd73d6e8135acef2d9bcf58d1786d7",
  },
  "coloured_digits.safetensors": {
    url: new URL("../../fixtures/models/coloured_digits.safetensors", import.meta.url),
    bytes: 1042384,
    sha256: "bea922202820377d4c47086bdf416a1d1e9a17fa61642f51713d3d2137e572be",
  },
  "noisy_classifier.safetensors": {
    url: new URL("../../fixtures/models/noisy_classifier.safetensors", import.meta.url),
    bytes: 602380,
    sha256: "7454b9d1e97ebaec3baf63e82824b25a005cc8d842b87efa49e73ba2459327a3",
  },
  "plot_font.ttf": {
    url: new URL("../../fixtures/fonts/plot_font.ttf", import.meta.url),
    bytes: 28896,
    sha256: "5c5777c14c01b723fd45f849a31a6b5265fe17052db834cd742b0790e847a2a0",
  },
} as const satisfies Readonly<Record<string, ShippedFile>>;

/**
 * Fetches a shipped file, from a disk or over HTTP, and checks its digest.
 *
 * @param url Its address; by default beside this project's modules.
 * @throws {Error} When it cannot be fetched or is another file, or SHA-256 is not available: in pages served over
 * plain HTTP from another machine.
 */
export async function fetchShipped(
  name: keyof typeof SHIPPED_FILES,
  url: string | URL = SHIPPED_FILES[name].url,
): Promise<Uint8Array<ArrayBuffer>> {
  const { bytes: length, sha256 } = SHIPPED_FILES[name];
  const bytes = await readAtMost(await fetchAddress(url), length);
  if (bytes === null) {
    throw new Error(`${url} is not the file that belongs to this version: it has more than ${length} bytes`);
  }
  if (globalThis.crypto?.subtle === undefined) {
    throw new Error(`${url} cannot be checked: pages have SHA-256 only over HTTPS or from this machine`);
  }
  const digest = hexadecimal(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  if (digest !== sha256) {
    throw new Error(
      `${url} is not the file that belongs to this version: its SHA-256 is ${digest}, not ${sha256}`,
    );
  }
  return bytes;
}

/** All bytes of a response, or null as soon as there are more than `most`. */
async function readAtMost(response: Response, most: number): Promise<Uint8Array<ArrayBuffer> | null> {
  const bytes = new Uint8Array(most);
  let length = 0;
  // Not every browser can iterate over a stream with for await.
  const reader = response.body?.getReader();
  for (let read = await reader?.read(); read?.value !== undefined; read = await reader?.read()) {
    if (length + read.value.length > most) {
      await reader?.cancel();
      return null;
    }
    bytes.set(read.value, length);
    length += read.value.length;
  }
  return bytes.slice(0, length);
}
