/**
 * Writes the npm package: `deno pack` turns the modules into JavaScript with types; here the folder gets what they import
 * and nothing else, exact versions of what it depends on, and the files of packages that bundlers would not find.
 * @module
 */
import { basename, dirname, join, normalize, relative } from "node:path/posix";
import { fileURLToPath } from "node:url";
import { gunzip } from "../../src/data/gzip.ts";
import { tarFiles } from "../../src/data/tar.ts";

const root = new URL("../../", import.meta.url);

/** What `deno pack` writes into package.json. */
interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, { readonly types: string; readonly import: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const IMPORTED = /\bfrom\s*"(\.[^"]+)"|\bimport\s*\(?\s*"(\.[^"]+)"/g;
const BESIDE = /new URL\("(\.[^"]+)",\s*import\.meta\.url\)/g;
const OF_PACKAGE = /import\.meta\.resolve\("(?:npm:)?((?:@[^/"]+\/)?[^/@"]+)(?:@[^/"]+)?\/([^"]+)"\)/g;

/** Files that tell about the package. */
const WORDS = ["LICENSE", "package.json", "README.md"];

/**
 * Writes the package into a folder, from which `npm pack` and `npm publish` take it.
 *
 * @param folder Its path; what it holds already is removed.
 * @returns The names of its files, sorted.
 * @throws {Error} When the modules cannot be packed, or one imports a module or a file that is missing.
 */
export async function writeNpmPackage(folder: string): Promise<string[]> {
  const packed = await pack();
  const manifest: Manifest = JSON.parse(text(packed, "package.json"));
  const versions = Object.fromEntries(
    Object.entries(manifest.dependencies).map(([name, range]) => [name, range.replace(/^\^/, "")]),
  );
  const files = new Map<string, Uint8Array>();
  const add = async (name: string) => {
    if (files.has(name)) return;
    const bytes = packed.get(name);
    if (bytes === undefined) throw new Error(`the package lacks ${name}`);
    files.set(name, bytes);
    if (!/\.(js|d\.ts)$/.test(name)) return;
    const copies: [string, URL][] = [];
    const code = new TextDecoder().decode(bytes).replace(OF_PACKAGE, (_, of: string, path: string) => {
      const copy = `files/${basename(path)}`;
      copies.push([copy, new URL(import.meta.resolve(`npm:${of}@${versions[of]}/${path}`))]);
      return `new URL("${relative(dirname(name), copy)}", import.meta.url).href`;
    });
    for (const [copy, url] of copies) packed.set(copy, await Deno.readFile(url));
    files.set(name, new TextEncoder().encode(code));
    const named = withoutComments(code);
    for (const [, first, second] of named.matchAll(IMPORTED)) {
      await add(modulePath(name, first ?? second));
    }
    for (const [, path] of named.matchAll(BESIDE)) await add(join(dirname(name), path));
  };
  for (const { types, import: code } of Object.values(manifest.exports)) {
    await add(normalize(types));
    await add(normalize(code));
  }
  packed.set("package.json", encoded(JSON.stringify(described(manifest, versions), null, 2)));
  packed.set("README.md", await Deno.readFile(new URL("docs/everywhere.md", root)));
  for (const name of WORDS) await add(name);
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  for (const [name, bytes] of files) {
    await Deno.mkdir(`${folder}/${dirname(name)}`, { recursive: true });
    await Deno.writeFile(`${folder}/${name}`, bytes);
  }
  return [...files.keys()].sort();
}

/** package.json with exact versions, and what npm should know beyond. */
function described(manifest: Manifest, dependencies: Readonly<Record<string, string>>): object {
  return {
    ...manifest,
    description: "Score-based generative modelling through stochastic differential equations",
    engines: { node: ">=20.16" },
    dependencies,
    peerDependencies: { "onnxruntime-node": "1.30.0" },
    peerDependenciesMeta: { "onnxruntime-node": { optional: true } },
  };
}

/** The file that an import of a module stands for; types import types. */
function modulePath(from: string, specifier: string): string {
  const path = join(dirname(from), specifier);
  return from.endsWith(".d.ts") ? path.replace(/\.js$/, ".d.ts") : path;
}

/** Code without its comments, whose examples import, too. */
function withoutComments(code: string): string {
  return code.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

/** What `deno pack` makes of the modules, by names. */
async function pack(): Promise<Map<string, Uint8Array>> {
  const archive = await Deno.makeTempFile({ prefix: "score-sde-", suffix: ".tgz" });
  try {
    const ignored = ["scripts", "docs", "examples"];
    const { success, stderr } = await new Deno.Command("deno", {
      args: [
        "pack",
        "--quiet",
        "--no-source-maps",
        "--allow-dirty",
        `--ignore=${ignored}`,
        `--output=${archive}`,
      ],
      cwd: fileURLToPath(root),
      env: { NO_COLOR: "1" },
      stdout: "null",
    }).output();
    if (!success) throw new Error(`deno pack failed: ${new TextDecoder().decode(stderr).trim()}`);
    const files = tarFiles(await gunzip(await Deno.readFile(archive)));
    return new Map([...files].map(([name, bytes]) => [name.replace(/^package\//, ""), bytes]));
  } finally {
    await Deno.remove(archive);
  }
}

function text(files: ReadonlyMap<string, Uint8Array>, name: string): string {
  return new TextDecoder().decode(files.get(name));
}

function encoded(words: string): Uint8Array {
  return new TextEncoder().encode(`${words}\n`);
}
