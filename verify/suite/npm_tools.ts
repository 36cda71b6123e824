/** Packages of npm with which claims use this project as others do. @module */
import { isCached } from "../../scripts/cli/native_engine.ts";

/** A bundler, a build tool, a runtime and what drives a browser, by their versions. */
export const NPM_TOOLS = {
  "bun": "1.4.5",
  "esbuild": "0.28.2",
  "playwright-core": "1.65.1",
  "vite": "8.3.8",
} as const;

/** Whether all are in Deno's cache. */
export async function hasNpmTools(): Promise<boolean> {
  const found = await Promise.all(
    Object.entries(NPM_TOOLS).map(([name, version]) => isCached(name, version)),
  );
  return found.every((cached) => cached);
}
