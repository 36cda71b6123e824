/**
 * Builds the playground and serves it to this machine: `deno task site`.
 * @module
 */
import { fileURLToPath } from "node:url";
import { deciding, type FlagValues, integer, toggle, UsageError } from "../scripts/cli/flags.ts";
import { runTask, type Task } from "../scripts/cli/task.ts";
import { serveFolder } from "./build/server.ts";
import { buildSite } from "./build/site.ts";

const folder = fileURLToPath(new URL("../dist/site", import.meta.url));

/** Where the page is served unasked. */
const PORT = 8000;

const usage = {
  name: "site",
  purpose:
    "Builds the playground into dist/site, a folder that any static host can serve, and serves it at 127.0.0.1 until it is " +
    "interrupted. The page draws, completes and colours digits, follows particles in the plane, and counts bits, all in the browser.",
  examples: ["deno task site", "deno task site --port 8080", "deno task site --build-only"],
  flags: {
    port: integer({
      help: `where the page is served; 0 for a port that is free (default ${PORT})`,
      min: 0,
      max: 65535,
    }),
    buildOnly: deciding(["port"], toggle({ help: "build the folder and stop" })),
  },
} as const;

/** A page to build, as plain data. */
interface SiteRequest {
  /** Where it is served; null for a page that is only built. */
  readonly port: number | null;
}

/** What was built. */
interface SiteResult {
  /** Names of files. */
  readonly files: readonly string[];
}

function request({ port, buildOnly }: FlagValues<typeof usage.flags>): SiteRequest {
  if (buildOnly && port !== undefined) throw new UsageError("--build-only serves nothing: leave out --port");
  return { port: buildOnly ? null : port ?? PORT };
}

async function carryOut(): Promise<SiteResult> {
  return { files: await buildSite(folder) };
}

/** Says where the page is, and serves it. */
async function report({ port }: SiteRequest, { files }: SiteResult): Promise<void> {
  console.log(`dist/site: ${files.length} files`);
  if (port === null) return;
  const server = (() => {
    try {
      return serveFolder(folder, port);
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      throw new UsageError(`--port ${port} is in use: choose another one, or 0 for any`);
    }
  })();
  console.log(`The playground is at ${server.url} until you press Ctrl+C.`);
  await server.finished;
}

/** The task `site`. */
export const task: Task<typeof usage.flags, SiteRequest, SiteResult> = { usage, request, carryOut, report };

if (import.meta.main) await runTask(task);
