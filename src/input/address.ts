/** Reads what lies at an address: over HTTP, or from the disk where the runtime has one. @module */

/** The part of Node's file system that is used here; Deno and Bun have it, too. */
interface FileSystem {
  readonly promises: { readFile(path: URL): Promise<Uint8Array<ArrayBuffer>> };
}

/** The runtime's file system; undefined in browsers, and in Node before 20.16. */
function fileSystem(): FileSystem | undefined {
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => unknown };
  };
  return process?.getBuiltinModule?.("node:fs") as FileSystem | undefined;
}

/** Whether the runtime reads files: Deno, Node and Bun do, browsers do not. */
export function readsFiles(): boolean {
  return fileSystem() !== undefined;
}

/**
 * The response of an address. Files are read from the disk where the runtime has one, as Node fetches none.
 * @throws {Error} When there is no response, or it is not a successful one.
 */
export async function fetchAddress(url: string | URL): Promise<Response> {
  const files = /^file:/i.test(String(url)) ? fileSystem() : undefined;
  if (files !== undefined) {
    try {
      return new Response(await files.promises.readFile(new URL(url)));
    } catch (cause) {
      throw new Error(`could not read ${url}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`could not fetch ${url}: ${response.status} ${response.statusText}`);
  return response;
}

/** All bytes of {@linkcode fetchAddress}'s response. */
export async function fetchBytes(url: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await fetchAddress(url)).arrayBuffer());
}

/**
 * The bytes of a file of a package, read from the disk; undefined where the runtime has none, as in browsers, where a
 * package fetches the file itself from beside its code.
 *
 * @param address Gives the file's URL; it is called only where there is a disk.
 */
export async function packageFile(address: () => string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return !readsFiles() ? undefined : await fetchBytes(address());
}
