/**
 * What others use of this project, as docs/everywhere.md has it: the built package among its dependencies, the page's
 * programs, and static hosting on loopback. Built once for all claims of a process.
 * @module
 */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleForBrowsers } from "../../scripts/build/bundle.ts";
import { browserEntries } from "../../scripts/build/distribution.ts";
import { writeNpmPackage } from "../../scripts/build/package.ts";
import { NPM_TOOLS } from "../suite/npm_tools.ts";
import { runProgram } from "../suite/program.ts";

const page = fileURLToPath(new URL("../../docs/everywhere.md", import.meta.url));

/** Files that the page shows, by name. */
export function documentedFiles(): Record<string, string> {
  const text = Deno.readTextFileSync(page);
  const shown = text.matchAll(/^\*\*`([\w.]+)`\*\*\n\n```\w+\n([^]*?)```$/gm);
  return Object.fromEntries([...shown].map(([, name, code]) => [name, code]));
}

/** The command lines that the page shows under a heading, without comments. */
export function documentedLines(heading: string): string[] {
  const text = Deno.readTextFileSync(page);
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  const blocks = [...section.matchAll(/^```sh\n([^]*?)```$/gm)].map(([, lines]) => lines);
  return blocks.join("").split("\n").map((line) => line.replace(/ # .*$/, "")).filter((line) => line !== "");
}

/** What is built: paths of folders. */
export interface Built {
  /** Holds all the others, and node_modules with the package, what it depends on, and the tools. */
  readonly folder: string;
  /** The bundle for browsers. */
  readonly browser: string;
  /** The npm package. */
  readonly npm: string;
}

let built: Promise<Built> | undefined;

/** Builds the package and the bundle, with the packages of npm that are in Deno's cache. */
export function build(): Promise<Built> {
  return built ??= buildAll();
}

async function buildAll(): Promise<Built> {
  const folder = await Deno.makeTempDir({ prefix: "score-sde-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  const [browser, npm] = [`${folder}/browser`, `${folder}/npm`];
  const packaged = (async () => {
    await writeNpmPackage(npm);
    const { dependencies } = JSON.parse(await Deno.readTextFile(`${npm}/package.json`));
    const manifest = { type: "module", dependencies: { ...dependencies, ...NPM_TOOLS } };
    await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify(manifest));
    await installCached(folder);
    await Deno.mkdir(`${folder}/node_modules/@score-sde`);
    await Deno.rename(npm, `${folder}/node_modules/@score-sde/score-sde`);
  })();
  await Promise.all([packaged, bundleForBrowsers(browserEntries(), browser)]);
  return { folder, browser, npm: `${folder}/node_modules/@score-sde/score-sde` };
}

/** Fills node_modules with what package.json names, without the network. */
async function installCached(folder: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("deno", {
    args: ["install", "--quiet", "--cached-only"],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) throw new Error(`deno install: ${new TextDecoder().decode(stderr)}`);
}

/** Runs command lines in a folder by a shell that finds the tools of node_modules. */
export async function runLines(lines: readonly string[], cwd: string): Promise<void> {
  const { folder } = await build();
  const path = `${await bunFolder(folder)}:${folder}/node_modules/.bin:${Deno.env.get("PATH")}`;
  await runProgram("sh", ["-e", "-c", lines.join("\n")], { cwd, env: { PATH: path } });
}

/** Where Bun's program is: its package's own script would put it in place, and scripts of packages are not run. */
async function bunFolder(folder: string): Promise<string> {
  const store = `${folder}/node_modules/.deno`;
  for await (const { name } of Deno.readDir(store)) {
    if (name.startsWith("@oven+bun-") && !name.includes("-musl")) {
      return `${store}/${name}/node_modules/${name.replace(/@[^@]+$/, "").replace("+", "/")}/bin`;
    }
  }
  throw new Error("Bun's package has no program for this machine");
}

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

/** Serves a folder on loopback as any static host would. */
export function serveFolder(folder: string): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const path = decodeURI(new URL(request.url).pathname);
    if (path === "/favicon.ico") return new Response(null, { status: 204 });
    try {
      const bytes = await Deno.readFile(`${folder}${path}`);
      return new Response(bytes, {
        headers: { "content-type": TYPES[extname(path)] ?? "application/octet-stream" },
      });
    } catch {
      return new Response(`no ${path}`, { status: 404 });
    }
  });
}
