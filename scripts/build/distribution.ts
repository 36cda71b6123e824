/**
 * Writes what others use into dist/: `deno task build`.
 * @module
 */
import { fileURLToPath } from "node:url";
import { parseFlags, runScript } from "../cli/flags.ts";
import { bundleForBrowsers } from "./bundle.ts";
import { writeNpmPackage } from "./package.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The entries of deno.json by the names of their files in the bundle, and TensorFlow.js as this project uses it. */
export function browserEntries(): Record<string, string> {
  const { exports } = JSON.parse(Deno.readTextFileSync(`${root}deno.json`)) as {
    exports: Record<string, string>;
  };
  const named = Object.entries(exports).map(([name, path]) => [
    name === "." ? "score-sde" : name.slice(2),
    `${root}${path.slice(2)}`,
  ]);
  return { ...Object.fromEntries(named), tf: `${root}src/compute/tf.ts` };
}

const usage = {
  name: "build",
  purpose:
    "Writes dist/browser, a bundle of all entries with their files, and dist/npm, a package for Node, Bun and bundlers.",
  flags: {},
};

async function main(): Promise<void> {
  parseFlags(usage, Deno.args);
  const page = await bundleForBrowsers(browserEntries(), `${root}dist/browser`);
  console.log(`dist/browser: ${page.length} files`);
  const npm = await writeNpmPackage(`${root}dist/npm`);
  console.log(`dist/npm: ${npm.length} files`);
}

if (import.meta.main) await runScript(main);
