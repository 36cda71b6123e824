/**
 * Whether a file with another text type-checks, by TypeScript's language service in this process: a fifth of a second, where
 * `deno check` takes several.
 * @module
 */
import { denoCacheFolder } from "../../scripts/cli/native_engine.ts";
import { ts } from "./typescript.ts";

/** `npm:` imports of packages that are not in Deno's cache, and modules of Node, are of any type. */
const untyped = 'declare module "node:*";\ndeclare module "npm:*";\n';

/** Checks files of a folder, each with one text or another. */
export class TypeCheck {
  readonly #service: ts.LanguageService;
  readonly #texts = new Map<string, { readonly text: string; readonly version: number }>();
  readonly #known = new Map<string, readonly string[]>();

  private constructor(readonly root: string, files: readonly string[], ambient: string, places: Packages) {
    const options: ts.CompilerOptions = {
      allowImportingTsExtensions: true,
      lib: ["lib.esnext.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.dom.asynciterable.d.ts"],
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      noEmit: true,
      noImplicitOverride: true,
      skipLibCheck: true,
      strict: true,
      target: ts.ScriptTarget.ESNext,
      types: [],
    };
    this.#texts.set("/ambient.d.ts", { text: ambient, version: 0 });
    const read = (path: string) => this.#texts.get(path)?.text ?? ts.sys.readFile(path);
    this.#service = ts.createLanguageService({
      fileExists: (path) => this.#texts.has(path) || ts.sys.fileExists(path),
      getCompilationSettings: () => options,
      getCurrentDirectory: () => root,
      getDefaultLibFileName: (settings) => ts.getDefaultLibFilePath(settings),
      getScriptFileNames: () => ["/ambient.d.ts", ...files.map((file) => `${root}/${file}`)],
      getScriptSnapshot: (path) => {
        const text = read(path);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getScriptVersion: (path) => String(this.#texts.get(path)?.version ?? 0),
      readFile: read,
      resolveModuleNameLiterals: (literals, from) =>
        literals.map(({ text }) => ({ resolvedModule: resolved(text, from, places) })),
    });
  }

  /** @param files Those which are checked, and may import each other, from the folder on. */
  static async of(root: string, files: readonly string[]): Promise<TypeCheck> {
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["types"], stderr: "null" }).output();
    return new TypeCheck(root, files, new TextDecoder().decode(stdout) + untyped, await packages());
  }

  /** What is wrong with `file` once it has another text, which was not before; files beside it as they are. */
  errors(file: string, text: string, inFile: string = file): string[] {
    const before = this.#known.get(inFile) ?? this.#examine(inFile);
    this.#known.set(inFile, before);
    const path = `${this.root}/${file}`;
    const version = (this.#texts.get(path)?.version ?? 0) + 1;
    this.#texts.set(path, { text, version });
    try {
      const left = [...before];
      return this.#examine(inFile).filter((error) => {
        const at = left.indexOf(error);
        if (at >= 0) left.splice(at, 1);
        return at < 0;
      });
    } finally {
      this.#texts.set(path, { text: Deno.readTextFileSync(path), version: version + 1 });
    }
  }

  #examine(file: string): string[] {
    const path = `${this.root}/${file}`;
    const syntax = this.#service.getSyntacticDiagnostics(path);
    const found = syntax.length > 0 ? syntax : this.#service.getSemanticDiagnostics(path);
    return found.map(({ code, messageText }) =>
      `TS${code}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`
    );
  }
}

/** The folder of each npm package in Deno's cache: the only version, or those by "name@version". */
type Packages = ReadonlyMap<string, string>;

async function packages(): Promise<Packages> {
  const found = new Map<string, string>();
  const cache = denoCacheFolder(Deno.build.os, (variable) => Deno.env.get(variable));
  const lock = JSON.parse(await Deno.readTextFile(new URL("../deno.lock", import.meta.url)));
  for (const key of Object.keys(lock.npm)) {
    const [, name, version] = /^(@?[^@]+)@([^_]+)/.exec(key)!;
    for (const registry of cache === undefined ? [] : foldersOf(`${cache}/npm`)) {
      const place = `${cache}/npm/${registry}/${name}/${version}`;
      if (!ts.sys.directoryExists(place)) continue;
      found.set(`${name}@${version}`, place);
      found.set(name, place);
    }
  }
  return found;
}

function foldersOf(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  } catch {
    return [];
  }
}

function resolved(name: string, from: string, places: Packages): ts.ResolvedModuleFull | undefined {
  if (name.startsWith(".")) {
    const path = ts.sys.resolvePath(`${from.slice(0, from.lastIndexOf("/"))}/${name}`);
    return typesAt(path);
  }
  const [, own, sub = ""] = /^(?:npm:)?((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(name) ?? [];
  const place = own === undefined ? undefined : places.get(own);
  if (place === undefined) return undefined;
  if (sub !== "") return typesAt(place + sub);
  const description = JSON.parse(ts.sys.readFile(`${place}/package.json`) ?? "{}");
  const types = description.types ?? description.typings ?? typesOf(description.exports);
  return typeof types === "string" ? typesAt(`${place}/${types}`) : undefined;
}

function typesOf(exported: unknown): unknown {
  const main = (exported as Record<string, unknown> | undefined)?.["."] as
    | Record<string, unknown>
    | undefined;
  return main?.types ?? (main?.import as Record<string, unknown> | undefined)?.types;
}

/** A file with types at that path, by any of the endings that it may have. */
function typesAt(path: string): ts.ResolvedModuleFull | undefined {
  const bare = path.replace(/\.js$/, "");
  const candidates = /\.ts$/.test(path) ? [path] : [`${bare}.d.ts`, `${bare}.ts`, `${bare}/index.d.ts`];
  const found = candidates.find((candidate) => ts.sys.fileExists(candidate));
  if (found === undefined) return undefined;
  const extension = found.endsWith(".d.ts") ? ts.Extension.Dts : ts.Extension.Ts;
  return { resolvedFileName: found, extension, isExternalLibraryImport: found.includes("/npm/") };
}
