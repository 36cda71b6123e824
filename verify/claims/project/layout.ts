/** Claims about folders: which may import which; no files of src and scripts import each other in a circle. @module */
import { claim } from "../../suite/claim.ts";
import { areaOf, claimFiles } from "../../suite/claim_files.ts";

const root = new URL("../../../", import.meta.url);

/** Folders of src from the top to the bottom: a folder imports those of later lines only. */
const levels: readonly (readonly string[])[] = [
  ["runs"],
  ["experiments"],
  ["metrics"],
  ["classifiers"],
  ["likelihood", "conformance", "conditioning", "training"],
  ["samplers", "objectives"],
  ["distributions", "networks", "external"],
  ["diffusion", "plots", "data"],
  ["images"],
  ["compute"],
  ["math"],
  ["input"],
];

/** Folders of scripts: what several tasks share. */
const shared = [
  "bench",
  "build",
  "cli",
  "comparison",
  "datasets",
  "evaluation",
  "posterior",
  "sampling",
  "training",
];

/** Files in src beside the folders. */
const loose = ["pictures.ts", "pretrained.ts"];

/** Modules below a folder by their paths from the root, each with the modules of this project that it imports. */
async function imports(folder: string): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for await (const entry of Deno.readDir(new URL(folder, root))) {
    if (entry.isDirectory) {
      for (const [path, list] of await imports(`${folder}${entry.name}/`)) found.set(path, list);
    } else if (entry.name.endsWith(".ts")) {
      const path = `${folder}${entry.name}`;
      const text = await Deno.readTextFile(new URL(path, root));
      // Types only are no import when the program runs, and count all the same: they are knowledge of the other folder.
      const named = /(?:^(?:import|export)\b[^;]*?\bfrom\s+|\bimport\()"(\.[^"]+)"/gm;
      // Comments have examples that import, too.
      const code = text.replace(/^\s*\/?\*.*$/gm, "");
      found.set(
        path,
        [...code.matchAll(named)].map(([, name]) => within(new URL(name, new URL(path, root)))),
      );
    }
  }
  return found;
}

function within(url: URL): string {
  return url.href.slice(root.href.length);
}

/** The second part of a path such as src/FOLDER/file.ts; "" for a file beside the folders. */
function folderOf(path: string): string {
  const parts = path.split("/");
  return parts.length > 2 ? parts[1] : "";
}

claim("imports in src run downward: a folder imports only folders below it", async (check) => {
  const level = new Map(levels.flatMap((names, depth) => names.map((name) => [name, depth] as const)));
  const modules = await imports("src/");
  const folders = [...new Set([...modules.keys()].map(folderOf))].filter((name) => name !== "");
  check.equal("folders", folders.sort(), [...level.keys()].sort(), "ARCHITECTURE.md");
  const beside = [...modules.keys()].filter((path) => folderOf(path) === "").map((path) => path.slice(4));
  check.equal("files beside the folders", beside.sort(), loose, "one folder, one concept");
  const upward = [...modules].flatMap(([from, list]) =>
    list.filter((to) => {
      const [own, other] = [folderOf(from), folderOf(to)];
      if (own === "" || own === other) return false;
      return !to.startsWith("src/") || other === "" || level.get(other)! <= level.get(own)!;
    }).map((to) => `${from} imports ${to}`)
  );
  check.equal("imports that run upward or aside", upward, [], "ARCHITECTURE.md");
  check.atLeast("imports read", [...modules.values()].flat().length, 400, "the search finds imports");
});

claim("no modules of src and scripts import each other in a circle when the program runs", async (check) => {
  const modules = new Map([...await imports("src/"), ...await imports("scripts/")]);
  const withoutTypes = new Map<string, string[]>();
  for (const path of modules.keys()) {
    const text = await Deno.readTextFile(new URL(path, root));
    const named = /^(?:import|export)\s+(?!type\b)[^;]*?\bfrom\s+"(\.[^"]+)"/gm;
    const code = text.replace(/^\s*\/?\*.*$/gm, "");
    withoutTypes.set(
      path,
      [...code.matchAll(named)].map(([, name]) => within(new URL(name, new URL(path, root)))),
    );
  }
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) {
      circles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
      return;
    }
    if (done.has(path)) return;
    for (const next of withoutTypes.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of withoutTypes.keys()) visit(path, []);
  check.equal("circles", circles, [], "a module can be read after those that it imports");
});

claim(
  "a file at the top of scripts is a task, which nothing imports; folders hold what tasks share",
  async (check) => {
    const modules = await imports("scripts/");
    const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
    const commands = Object.values(tasks as Record<string, { command?: string }>).map(({ command = "" }) =>
      command
    );
    const started = (path: string) => commands.some((command) => command.split(/\s+/).includes(path));
    const top = [...modules.keys()].filter((path) => folderOf(path) === "");
    check.equal(
      "files at the top that no task starts",
      top.filter((path) => !started(path)),
      [],
      "deno.json",
    );
    check.equal(
      "folders",
      [...new Set([...modules.keys()].map(folderOf))].filter((name) => name !== "").sort(),
      shared,
      "ARCHITECTURE.md",
    );
    const ofTasks = [...modules].flatMap(([from, list]) =>
      list.filter((to) => to.startsWith("scripts/") && folderOf(to) === "").map((to) =>
        `${from} imports ${to}`
      )
    );
    check.equal("imports of a task", ofTasks, [], "what two tasks need is in a folder");
  },
);

claim(
  "the playground imports the library's entries only, and its page loads none of them",
  async (check) => {
    const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
    const entries = Object.values(exports as Record<string, string>).map((path) => path.slice(2));
    const modules = [...await imports("site/")];
    const others = modules.flatMap(([from, list]) =>
      list.filter((to) => !to.startsWith("site/")).map((to) => ({ from, to }))
    );
    const own = others.filter(({ from, to }) =>
      !entries.includes(to) && !(to.startsWith("scripts/") && /^site\/(build\/|task\.ts$)/.test(from))
    );
    const written = (list: typeof others) => list.map(({ from, to }) => `${from} imports ${to}`);
    check.equal(
      "imports of what is no entry",
      written(own),
      [],
      "the playground is a program like its readers'",
    );
    const page = others.filter(({ from }) => /^site\/(page|settings|protocol)/.test(from));
    check.equal("imports of the page", written(page), [], "only the worker computes");
    const toWorker = modules.filter(([from]) => from.startsWith("site/page/")).flatMap(([from, list]) =>
      list.filter((to) => to.startsWith("site/worker/")).map((to) => ({ from, to }))
    );
    check.equal("imports of the worker by the page", written(toWorker), [], "they exchange messages");
    check.atLeast("imports of entries", others.length, 10, "the search finds imports");
  },
);

/** Folders of verify from the bottom to the top: a folder imports those of its own and of earlier lines only. */
const verifyLevels: readonly (readonly string[])[] = [
  ["conformance"],
  ["suite"],
  ["instruments", "problems", "reference"],
  ["report"],
  ["mutants"],
  ["claims"],
];

claim(
  "imports in verify run downward: no instrument and nothing of the suite imports a claim",
  async (check) => {
    const level = new Map(
      verifyLevels.flatMap((names, depth) => names.map((name) => [name, depth] as const)),
    );
    const modules = await imports("verify/");
    const folders = [...new Set([...modules.keys()].map(folderOf))].filter((name) => name !== "");
    check.equal("folders with modules", folders.sort(), [...level.keys()].sort(), "ARCHITECTURE.md");
    const beside = [...modules.keys()].filter((path) => folderOf(path) === "").map((path) => path.slice(7));
    const started = [
      "conform.ts",
      "faults.ts",
      "join.ts",
      "main.ts",
      "main_test.ts",
      "mutants.ts",
      "results.ts",
      "seeds.ts",
    ];
    check.equal("files beside the folders", beside.sort(), started, "what deno.json and README start");
    const upward = [...modules].flatMap(([from, list]) =>
      list.filter((to) => {
        const [own, other] = [level.get(folderOf(from)), level.get(folderOf(to))];
        return own !== undefined && to.startsWith("verify/") && (other === undefined || other > own);
      }).map((to) => `${from} imports ${to}`)
    );
    check.equal("imports that run upward", upward, [], "ARCHITECTURE.md");
  },
);

/** The names of the folders in a folder. */
function foldersIn(path: string): string[] {
  return [...Deno.readDirSync(new URL(path, root))].filter((entry) => entry.isDirectory)
    .map(({ name }) => name).sort();
}

claim("claims and planted faults lie in folders that are named for those of src", (check) => {
  const known = [...levels.flat(), "project", "scripts", "site"];
  const unknown = (path: string) => foldersIn(path).filter((name) => !known.includes(name));
  check.equal(
    "folders of claims that src has not",
    unknown("verify/claims/"),
    [],
    "src, project, scripts and site",
  );
  check.equal("folders of faults that claims have not", unknown("verify/faults/"), [], "verify/claims");
  const areas = claimFiles().map(areaOf);
  const astray = foldersIn("verify/faults/").flatMap((folder) =>
    [...Deno.readDirSync(new URL(`verify/faults/${folder}/`, root))].flatMap(({ name }) => {
      const { caughtBy } = JSON.parse(
        Deno.readTextFileSync(new URL(`verify/faults/${folder}/${name}`, root)),
      );
      const pattern = new RegExp(caughtBy.areas, "i");
      return areas.some((area) => pattern.test(area) && area.startsWith(`${folder}/`))
        ? []
        : [`${folder}/${name}`];
    })
  );
  check.equal("faults that no claim of their folder catches", astray, [], "a fault lies beside its claims");
  check.equal("kinds of fixtures", foldersIn("fixtures/"), [
    "files",
    "fonts",
    "gallery",
    "models",
    "reference",
  ], "ARCHITECTURE.md");
});
