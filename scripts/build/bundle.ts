/**
 * Bundles modules for browsers, with the files that they read beside them: `deno bundle` splits the code, and here addresses
 * of weights, fonts and WebAssembly binaries become addresses beside the bundle.
 * @module
 */
import { basename } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = new URL("../../", import.meta.url);

/** An address relative to a module, as minifiers leave it. */
const BESIDE = /new URL\((["'`])([^"'`]+)\1,\s*import\.meta\.url\)/g;
/** The address of a file of a package. */
const OF_PACKAGE = /import\.meta\.resolve\((["'`])(npm:[^"'`]+)\1\)/g;

/**
 * Writes one ES module for each entry into a folder, the chunks that they share, and the files that they read when they
 * run. All lie in the folder itself and name each other by relative addresses, so that any static host can serve them
 * below any path. An entry runs in pages and, with `{ type: "module" }`, in workers.
 *
 * TensorFlow.js' layers, converter and WebGL backend are left out.
 *
 * @param entries Paths or URLs of modules, by the names of the files to be written, without ".js".
 * @param folder Its path; it is made where it is missing. What it holds already stays, unless it has the same name.
 * @param options.minify Whether names and spaces are shortened; default true.
 * @returns The names of the files, sorted.
 * @throws {Error} When an entry cannot be bundled, or a file that it names is missing.
 */
export async function bundleForBrowsers(
  entries: Readonly<Record<string, string | URL>>,
  folder: string,
  { minify = true }: { readonly minify?: boolean } = {},
): Promise<string[]> {
  const scratch = await Deno.makeTempDir({ prefix: "score-sde-" });
  try {
    const [sources, output] = [`${scratch}/entries`, `${scratch}/output`];
    await Deno.mkdir(sources);
    for (const [name, path] of Object.entries(entries)) {
      const url = path instanceof URL ? path : pathToFileURL(path);
      await Deno.writeTextFile(`${sources}/${name}.ts`, await reexport(url));
    }
    const imports = { "npm:@tensorflow/tfjs@4.22.0": new URL("./tensorflow_core.ts", import.meta.url).href };
    await Deno.writeTextFile(`${scratch}/imports.json`, JSON.stringify({ imports }));
    await bundle([
      `--import-map=${scratch}/imports.json`,
      `--lock=${fileURLToPath(new URL("deno.lock", root))}`,
      `--outdir=${output}`,
      ...minify ? ["--minify"] : [],
      ...Object.keys(entries).map((name) => `${sources}/${name}.ts`),
    ]);
    await Deno.mkdir(folder, { recursive: true });
    const files = new Set<string>();
    for (const { name } of Deno.readDirSync(output)) {
      const { code, beside } = withFilesBeside(await Deno.readTextFile(`${output}/${name}`));
      for (const url of beside) {
        await Deno.copyFile(url, `${folder}/${basename(url.pathname)}`);
        files.add(basename(url.pathname));
      }
      await Deno.writeTextFile(`${folder}/${name}`, code);
      files.add(name);
    }
    for (const name of files) {
      if (name.endsWith(".js")) checkAddresses(name, await Deno.readTextFile(`${folder}/${name}`), files);
    }
    return [...files].sort();
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** A module that has all exports of another one, and runs it. */
async function reexport(url: URL): Promise<string> {
  const code = await Deno.readTextFile(url);
  const hasDefault = /^export default /m.test(code);
  return `export * from "${url.href}";\n` + (hasDefault ? `export { default } from "${url.href}";\n` : "");
}

async function bundle(args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("deno", {
    args: ["bundle", "--quiet", "--no-config", "--frozen", "--platform=browser", "--code-splitting", ...args],
    env: { NO_COLOR: "1" },
    stdout: "null",
  }).output();
  if (!success) throw new Error(`deno bundle failed: ${new TextDecoder().decode(stderr).trim()}`);
}

/** Code whose addresses of files lie beside it, and where those files are now. */
function withFilesBeside(code: string): { readonly code: string; readonly beside: readonly URL[] } {
  const beside: URL[] = [];
  const placed = code
    .replace(OF_PACKAGE, (_, __, specifier: string) => {
      const url = new URL(import.meta.resolve(specifier));
      beside.push(url);
      return `new URL("./${basename(url.pathname)}",import.meta.url).href`;
    })
    .replace(BESIDE, (address, _, path: string) => {
      const [, shipped] = /^(?:\.\.\/)+(fixtures\/.*)$/.exec(path) ?? [];
      if (shipped === undefined) return address;
      const url = new URL(shipped, root);
      beside.push(url);
      return `new URL("./${basename(url.pathname)}",import.meta.url)`;
    });
  return { code: placed, beside };
}

/** Throws unless all files that a module names lie beside it. */
function checkAddresses(module: string, code: string, files: ReadonlySet<string>): void {
  const missing = [...code.matchAll(BESIDE)].map(([, , path]) => path).filter((path) =>
    !files.has(path.replace(/^\.\//, ""))
  );
  if (missing.length > 0) throw new Error(`${module} names ${missing.join(", ")}, which no package holds`);
  const [unresolved] = /import\.meta\.resolve\([^)]*\)/.exec(code) ?? [];
  if (unresolved !== undefined) throw new Error(`${module} has ${unresolved}, which browsers do not resolve`);
}
