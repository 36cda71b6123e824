/** Claims about what others import: the entries of the package, what they load, what they name. @module */
import { fileURLToPath } from "node:url";
import { claim } from "../../suite/claim.ts";
import { entries } from "../../instruments/entries.ts";

const root = new URL("../../../", import.meta.url);

/** Packages that read, write or draw pictures. */
const PICTURES = /resvg|gifenc|png|jpeg|jsquash|pureimage/;

interface Loaded {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier?: string };
    readonly isDynamic?: boolean;
  }[];
}

/** What Deno prints when it is called in the root. */
async function deno(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: fileURLToPath(root),
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** All modules that an entry can load, and those of them that are loaded with it, before anything is called. */
async function modulesOf(path: string): Promise<{ all: string[]; first: string[] }> {
  const { roots, modules, redirects } = JSON.parse(await deno("info", "--json", "--no-lock", path)) as {
    roots: string[];
    modules: Loaded[];
    redirects: Record<string, string>;
  };
  const known = new Map(modules.map((module) => [module.specifier, module]));
  const first = new Set<string>();
  const visit = (specifier: string) => {
    const at = redirects[specifier] ?? specifier;
    if (first.has(at)) return;
    first.add(at);
    for (const { code, isDynamic } of known.get(at)?.dependencies ?? []) {
      if (!isDynamic && code?.specifier !== undefined) visit(code.specifier);
    }
  };
  visit(roots[0]);
  return { all: [...known.keys(), ...Object.values(redirects)], first: [...first] };
}

/** Modules below a folder, by their paths from the root. */
function modulesIn(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, root))].flatMap(({ name, isDirectory }) =>
    isDirectory ? modulesIn(`${folder}${name}/`) : name.endsWith(".ts") ? [`${folder}${name}`] : []
  );
}

/** The code of a module without the lines of comments, whose examples import, too. */
function codeOf(path: string): string {
  return Deno.readTextFileSync(new URL(path, root)).replace(/^\s*(\/?\*|\/\/).*$/gm, "");
}

claim("every folder's mod.ts is an entry of the package, beside the core, and has an example", (check) => {
  const expected = ["mod.ts", ...modulesIn("src/").filter((path) => path.endsWith("/mod.ts"))];
  check.equal("entries", entries.map(({ path }) => path).sort(), expected.sort(), "deno.json and src");
  const without = entries.map(({ path }) => path).filter((path) =>
    !/^\/\*\*(?:(?!\*\/)[^])*@example(?:(?!\*\/)[^])*@module/.test(
      Deno.readTextFileSync(new URL(path, root)),
    )
  );
  check.equal("entries whose description has no example", without, [], "what a reader begins with");
  const inside = modulesIn("src/").filter((path) =>
    !path.endsWith("/mod.ts") && /\bfrom "[^"]*\bmod\.ts"/.test(codeOf(path))
  );
  check.equal("modules of src that import an entry", inside, [], "entries are for others");
  const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", root)));
  for (const [task, flag] of [["docs", "--html"], ["ok", "--lint"]]) {
    const read = new RegExp(`deno doc ${flag}( --\\S+)* mod\\.ts src/\\*/mod\\.ts`).test(tasks[task].command);
    check.holds(`deno task ${task} reads all entries`, read, "mod.ts and those of the folders");
  }
});

claim("a public value is exported by one entry, under the name that it has in its file", async (check) => {
  const seen = new Map<string, string>();
  const twice: string[] = [];
  for (const { path, url } of entries) {
    for (const name of Object.keys(await import(url.href))) {
      const before = seen.get(name);
      if (before !== undefined) twice.push(`${name} of ${before} and ${path}`);
      seen.set(name, path);
    }
  }
  check.atLeast("values", seen.size, 150, "the entries of deno.json");
  check.equal("values of two entries", twice, [], "there is one place to look");
  const renamed = entries.flatMap(({ path }) =>
    [...codeOf(path).matchAll(/\w+ as \w+/g)].map(([words]) => `${path}: ${words}`)
  );
  check.equal("names that are others in their files", renamed, [], "one word for one thing");
});

claim(
  "importing the core loads at most 90 modules, and code for pictures only once one is asked for",
  async (check) => {
    const { all, first } = await modulesOf("mod.ts");
    check.atMost("modules loaded", first.length, 90, "own ones and packages; the engines load their own");
    check.atLeast("modules loaded", first.length, 40, "the search finds imports");
    const pictures = (specifier: string) =>
      PICTURES.test(specifier) || /src\/(images|plots)\//.test(specifier);
    check.equal("modules and packages for pictures", first.filter(pictures), [], "samples are numbers");
    check.atLeast(
      "the same, later",
      all.filter(pictures).length,
      5,
      "digits() and inpaint() return pictures",
    );
    const heavy = all.filter((specifier) => /resvg|src\/plots\//.test(specifier));
    check.equal("the rasterizer of plots, even later", heavy, [], "names in pictures take no font");
    const { first: drawn } = await modulesOf("src/plots/mod.ts");
    check.holds(
      "plots load a rasterizer",
      drawn.some((specifier) => PICTURES.test(specifier)),
      "the search finds it",
    );
  },
);

claim("every export of a module of src and scripts is imported by another module or is public", (check) => {
  const imported = new Set<string>();
  const paths = ["mod.ts", ...["src/", "scripts/", "verify/"].flatMap(modulesIn)];
  for (const path of paths) {
    const code = codeOf(path);
    const at = (module: string) => new URL(module, new URL(path, root)).href.slice(root.href.length);
    for (
      const [, names, module] of code.matchAll(
        /\b(?:im|ex)port\s+(?:type\s+)?([^;"]*?)\s*from\s+"(\.[^"]+)"/g,
      )
    ) {
      if (!names.startsWith("{")) imported.add(`${at(module)}: *`);
      for (const [, name] of names.matchAll(/(?:^\{|,)\s*(?:type\s+)?(\w+)/g)) {
        imported.add(`${at(module)}: ${name}`);
      }
    }
    for (const [, module] of code.matchAll(/\bimport\(\s*"(\.[^"]+)"/g)) imported.add(`${at(module)}: *`);
  }
  const declared = ["src/", "scripts/"].flatMap(modulesIn).flatMap((path) =>
    [
      ...codeOf(path).matchAll(
        /^export (?:abstract |async )*(?:function\*?|const|class|interface|type) (\w+)/gm,
      ),
    ]
      .map(([, name]) => ({ path, name }))
  );
  check.atLeast("exports", declared.length, 400, "the search finds them");
  const unused = declared.filter(({ path, name }) =>
    !imported.has(`${path}: ${name}`) && !imported.has(`${path}: *`)
  );
  check.equal(
    "exports that nothing imports",
    unused.map(({ path, name }) => `${path}: ${name}`),
    [],
    "drop the word",
  );
});

interface PublicSymbol {
  readonly name: string;
  readonly declarations: readonly Documented[];
}

interface Documented {
  /** "reference" for what another entry documents. */
  readonly kind?: string;
  readonly name?: string;
  readonly jsDoc?: { readonly doc?: string };
}

claim(
  "the reference has a first sentence for every public symbol and names no symbol that is not public",
  async (check) => {
    const { nodes } = JSON.parse(
      await deno("doc", "--json", "--no-lock", ...entries.map(({ path }) => path)),
    );
    const symbols = Object.values(nodes as Record<string, { symbols: PublicSymbol[] }>)
      .flatMap((module) => module.symbols);
    const known = new Set(symbols.map(({ name }) => name));
    const [without, dangling]: string[][] = [[], []];
    let documented = 0;
    const visit = (value: unknown, path: string) => {
      if (typeof value !== "object" || value === null) return;
      const { name, jsDoc } = value as Documented;
      const here = typeof name === "string" ? `${path}.${name}` : path;

      if (jsDoc !== undefined) {
        documented++;
        const [first] = (jsDoc.doc ?? "").split(/\n\s*\n/);
        // A sentence goes on after its equation, which is a paragraph of its own.
        if (!/[.:,]\s*$/.test(first)) without.push(here.slice(1));
        const text = JSON.stringify(jsDoc);
        for (const [, link] of text.matchAll(/\{@link(?:code|plain)?\s+([\w.]+)/g)) {
          const [symbol] = link.split(".");
          if (!known.has(symbol)) dangling.push(`${here.slice(1)}: ${link}`);
        }
      }
      for (const [key, child] of Object.entries(value)) if (key !== "jsDoc") visit(child, here);
    };
    for (const symbol of symbols) {
      visit(symbol, "");
      if (!symbol.declarations.some(({ jsDoc, kind }) => jsDoc !== undefined || kind === "reference")) {
        without.push(symbol.name);
      }
    }
    check.atLeast("symbols and members with a description", documented, 700, "deno doc over all entries");
    check.equal("descriptions without a first sentence", without, [], "one sentence says what it is");
    check.equal("links to what is not public", dangling, [], "a reader cannot follow them");
  },
);

claim("the core alone, and all entries together, pass the documentation check of deno", async (check) => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", root)));
  for (const paths of [["mod.ts"], entries.map(({ path }) => path)]) {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["doc", "--no-lock", "--lint", ...paths],
      cwd: root,
      env: { NO_COLOR: "1" },
    }).output();
    const words = new TextDecoder().decode(stderr);
    const found = [...words.matchAll(/^error\[[^\n]*/gm)].map(([line]) => line);
    const what = paths.length === 1 ? "the core" : "all entries";
    check.equal(`${what}: what is found`, found, [], "every type that a signature names is exported with it");
    check.holds(`${what}: the check succeeds`, success, words.slice(-200));
  }
  check.holds(
    "deno task ok checks the core alone, too",
    /deno doc --lint mod\.ts &&/.test(tasks.ok.command),
    "an importer of mod.ts alone has nothing else",
  );
});
