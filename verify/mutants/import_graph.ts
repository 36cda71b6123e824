/**
 * Which claims can notice a change of a file: those whose file imports it, over however many files, or starts a task that does.
 * @module
 */
import { posix } from "node:path";
import { ts } from "./typescript.ts";

/** Folders and files with modules. */
const places = ["src", "scripts", "site", "verify", "examples", "bench", "mod.ts"];

/** The modules of a folder, from the folder on, in order. */
export function modulesOf(root: string, below: readonly string[] = places): string[] {
  const files = (path: string): string[] => {
    const found = Deno.statSync(`${root}/${path}`);
    if (!found.isDirectory) return path.endsWith(".ts") ? [path] : [];
    return [...Deno.readDirSync(`${root}/${path}`)].flatMap(({ name }) => files(`${path}/${name}`));
  };
  const there = (path: string) => {
    try {
      return Deno.statSync(`${root}/${path}`) !== undefined;
    } catch {
      return false;
    }
  };
  return below.filter(there).flatMap(files).sort();
}

/** Modules, and those that each loads when the program runs. */
export class ImportGraph {
  readonly #edges = new Map<string, readonly string[]>();

  /**
   * @param root The folder with the sources.
   * @param files The modules, from there on.
   */
  constructor(readonly root: string, files: readonly string[] = modulesOf(root)) {
    const tasks = tasksOf(root);
    for (const file of files) this.#edges.set(file, loaded(root, file, new Set(files), tasks));
  }

  /** The module and all that it loads, each with how many imports lie between them. */
  reached(from: string): ReadonlyMap<string, number> {
    const found = new Map([[from, 0]]);
    // What is added while the loop runs is visited, too, the nearest first.
    for (const [next, distance] of found) {
      for (const other of this.#edges.get(next) ?? []) if (!found.has(other)) found.set(other, distance + 1);
    }
    return found;
  }
}

/** The script that each task starts. */
function tasksOf(root: string): ReadonlyMap<string, string> {
  const { tasks = {} } = JSON.parse(Deno.readTextFileSync(`${root}/deno.json`));
  return new Map(
    Object.entries(tasks as Record<string, { command?: string }>).flatMap(([task, { command = "" }]) => {
      const script = /^deno run .* (\S+\.ts)$/.exec(command)?.[1];
      return script === undefined ? [] : [[task, script] as const];
    }),
  );
}

/**
 * What a module imports, but for types alone; and, in verify, what it names in a text: another module, by its path from the
 * root or from the file on, or a task which it starts by the instrument for that. One that reads all tasks of deno.json may
 * start all of them. Claims that compute with tensors load the engines, too.
 */
function loaded(
  root: string,
  file: string,
  files: ReadonlySet<string>,
  tasks: ReadonlyMap<string, string>,
): readonly string[] {
  const source = ts.createSourceFile(
    file,
    Deno.readTextFileSync(`${root}/${file}`),
    ts.ScriptTarget.Latest,
    true,
  );
  const found = new Set<string>();
  const texts = new Set<string>();
  const from = (name: string) => posix.join(posix.dirname(file), name);
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      const specifier = node.moduleSpecifier;
      if (specifier !== undefined && ts.isStringLiteral(specifier) && !isOfTypes(node)) {
        found.add(from(specifier.text));
      }
      return;
    }
    if (ts.isStringLiteralLike(node)) texts.add(node.text);
    if (ts.isTemplateTail(node)) texts.add(node.text);
    node.forEachChild(visit);
  };
  visit(source);
  const starts = [...found].some((path) => path === "verify/instruments/run_task.ts");
  for (const text of texts) {
    if (file.startsWith("verify/") || text.startsWith(".")) {
      if (text.endsWith(".ts")) found.add(from(text)).add(text.replace(/^\//, ""));
    }
    if (starts && tasks.has(text)) found.add(tasks.get(text)!);
    if (starts && text.endsWith("deno.json")) { for (const script of tasks.values()) found.add(script); }
  }
  // The suite sets the engine that a claim's tensors are computed by.
  if (file.startsWith("verify/claims/") && found.has("src/compute/tf.ts")) {
    found.add("verify/suite/engines.ts");
  }
  return [...found].filter((path) => path !== file && files.has(path));
}

function isOfTypes(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) {
    const names = node.exportClause !== undefined && ts.isNamedExports(node.exportClause)
      ? node.exportClause.elements
      : [];
    return node.isTypeOnly || (names.length > 0 && names.every(({ isTypeOnly }) => isTypeOnly));
  }
  const { importClause: clause } = node;
  if (clause === undefined) return false;
  if (clause.isTypeOnly) return true;
  const { name, namedBindings: names } = clause;
  if (name !== undefined || names === undefined || ts.isNamespaceImport(names)) return false;
  return names.elements.length > 0 && names.elements.every(({ isTypeOnly }) => isTypeOnly);
}
