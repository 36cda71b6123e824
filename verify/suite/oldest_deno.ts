/**
 * The oldest Deno on which everything runs, from its npm package in Deno's cache.
 * @module
 */
import { denoCacheFolder, isCached } from "../../scripts/cli/native_engine.ts";
import { OLDEST_DENO } from "../../scripts/cli/flags.ts";

/** Its program for Linux on x86-64, and the types that it takes for Node's modules. */
export const OLDEST_DENO_PACKAGES = [
  { name: "@deno/linux-x64-glibc", version: OLDEST_DENO },
  { name: "@types/node", version: "24.2.0" },
  { name: "undici-types", version: "7.10.0" },
];

const cache = () => denoCacheFolder(Deno.build.os, (variable) => Deno.env.get(variable));

/** Whether it is in the cache, for a machine of this kind. */
export async function hasOldestDeno(): Promise<boolean> {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") return false;
  const found = await Promise.all(OLDEST_DENO_PACKAGES.map(({ name, version }) => isCached(name, version)));
  return found.every((cached) => cached);
}

/**
 * Runs it in a folder, with the packages of this Deno's cache and versions of verify/deno.lock; its exit code and what it
 * printed. What it keeps for itself goes into `scratch`, an empty folder.
 */
export async function runOldestDeno(
  args: readonly string[],
  options: { readonly cwd: string; readonly scratch: string },
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const { cwd, scratch } = options;
  const [{ name, version }] = OLDEST_DENO_PACKAGES;
  const npm = `${cache()}/npm`;
  const [program] = [...Deno.readDirSync(npm)].map((entry) => `${npm}/${entry.name}/${name}/${version}/deno`)
    .filter((path) => isFile(path));
  await Deno.symlink(npm, `${scratch}/npm`).catch(() => {});
  await Deno.copyFile(new URL("../deno.lock", import.meta.url), `${scratch}/deno.lock`);
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [args[0], `--lock=${scratch}/deno.lock`, ...args.slice(1)],
    cwd,
    env: { DENO_DIR: scratch, NO_COLOR: "1", RUST_BACKTRACE: "0" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
