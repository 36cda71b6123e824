/**
 * Serves the files of one folder to this machine.
 * @module
 */

/** What browsers are told of each kind of file. */
const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  wasm: "application/wasm",
  safetensors: "application/octet-stream",
  ttf: "font/ttf",
};

/** A server that runs. */
export interface FolderServer {
  /** The address of the folder. */
  readonly url: string;
  /** Ends once the server has ended. */
  readonly finished: Promise<void>;
  /** Stops it. */
  stop(): Promise<void>;
}

/**
 * Serves a folder's own files, not those of folders in it, at 127.0.0.1, where other machines do not reach it.
 *
 * @param port 0 for any that is free
 * @throws {Deno.errors.AddrInUse} when another program has the port
 */
export function serveFolder(folder: string, port: number): FolderServer {
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async (request) => {
    const name = decodedName(new URL(request.url).pathname);
    const type = name === null ? undefined : TYPES[name.split(".").at(-1)!];
    if (name === null || type === undefined) return new Response("no such file\n", { status: 404 });
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("files are only read\n", { status: 405, headers: { allow: "GET, HEAD" } });
    }
    const headers = {
      "content-type": type,
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
    };
    try {
      return new Response(request.method === "HEAD" ? null : await Deno.readFile(`${folder}/${name}`), {
        headers,
      });
    } catch {
      return new Response("no such file\n", { status: 404 });
    }
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    finished: server.finished,
    stop: () => server.shutdown(),
  };
}

/** The file's name of a path; null for one that is in another folder. */
function decodedName(path: string): string | null {
  if (path === "/") return "index.html";
  const [, name] = /^\/([\w-]+(?:\.[\w-]+)+)$/.exec(path) ?? [];
  return name ?? null;
}
