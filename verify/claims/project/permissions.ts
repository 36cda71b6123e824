/** Claims about what the tasks may do: by name, as the page on security says, and nothing that their code has no use for. @module */
import { fileURLToPath } from "node:url";
import { CIFAR10_MIRRORS } from "../../../src/data/cifar10.ts";
import { MNIST_MIRRORS } from "../../../src/data/mnist.ts";
import { ONNX_RUNTIME } from "../../../src/compute/onnx/runtime.ts";
import { nativeEngineFlags } from "../../../scripts/cli/native_engine.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { run } from "../../instruments/run_task.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const { tasks } = JSON.parse(Deno.readTextFileSync(`${root}deno.json`)) as {
  tasks: Record<string, { command: string }>;
};

/** Tasks that are one `deno run`: its flags, and the script. */
const programs = Object.entries(tasks).flatMap(([task, { command }]) => {
  const [, flags, script] = /^deno run (.*) (\S+\.ts)$/.exec(command) ?? [];
  return flags === undefined ? [] : [{ task, flags: flags.split(/ (?=-|\$)/), script }];
});
/** The suite starts programs, whose permissions nothing bounds, and its packages list all variables. */
const suite = ["verify", "verify:join", "verify:seeds", "verify:faults", "verify:mutants"];

/** What a flag such as --allow-net allows: names, "all" or nothing. */
function allowed(flags: readonly string[], kind: string): string {
  const found = flags.filter((flag) => flag.split("=")[0] === `--allow-${kind}`);
  if (found.length === 0) return "";
  return found[0].includes("=") ? found[0].split("=")[1] : "all";
}

/** The code of this project that a script reaches. */
async function reached(script: string): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-lock", script],
    cwd: root,
    stderr: "null",
  }).output();
  const modules = JSON.parse(new TextDecoder().decode(stdout)).modules as {
    local?: string;
    specifier: string;
  }[];
  const own = modules.filter(({ specifier }) => specifier.startsWith("file:"));
  return (await Promise.all(own.map(({ local }) => Deno.readTextFile(local!)))).join("\n");
}

claim(
  "no task but the suite has an unrestricted permission, except for files, and conform for programs",
  (check) => {
    const broad: string[] = [];
    for (const { task, flags } of programs.filter(({ task }) => !suite.includes(task))) {
      for (const flag of flags) {
        if (/^(-A|--allow-all|--no-lock|--allow-(env|net|sys|run|ffi|import))$/.test(flag)) {
          broad.push(`${task} ${flag}`);
        }
      }
      if (task !== "native" && !flags.includes("--frozen")) broad.push(`${task} without --frozen`);
    }
    check.atLeast("tasks that were read", programs.length, 20, "deno.json");
    const source = "conform starts the program that it is given; native imports no package";
    check.equal("broad permissions", broad.sort(), ["conform --allow-run", "native --no-lock"], source);
  },
);

claim(
  "a task may read the variables, query the system and reach the hosts that its code names, and no others",
  async (check) => {
    const needed: Record<string, string> = {};
    const stated: Record<string, string> = {};
    for (const { task, flags, script } of programs.filter(({ task }) => !suite.includes(task))) {
      const code = await reached(script);
      const variables = [
        "INIT_CWD",
        "SCORE_SDE_DEBUG",
        "SCORE_SDE_DATA",
        "XDG_RUNTIME_DIR",
        "DENO_DIR",
        "HOME",
        "LOCALAPPDATA",
        "USERPROFILE",
        "XDG_CACHE_HOME",
      ].filter((name) => new RegExp(`(get|variable)\\("${name}"\\)|const variable = "${name}"`).test(code))
        .sort();
      // The shipped sets: a task that reads a data set of the name can download it.
      const hosts = [
        ...(/import \{[^}]*loadMnist/.test(code) ? MNIST_MIRRORS : []),
        ...(/import \{[^}]*loadCifar10/.test(code) ? CIFAR10_MIRRORS : []),
        ...(/Deno\.serve\(\{ hostname: "127\.0\.0\.1"/.test(code) ? ["http://127.0.0.1/"] : []),
      ].map((url) => new URL(url).host);
      const system = [
        ...(/claimFile\(|claimFolder\(/.test(code) ? ["hostname"] : []),
        ...(/\bcpus\(\)/.test(code) ? ["cpus"] : []),
        ...(/Deno\.loadavg\(/.test(code) ? ["loadavg"] : []),
        ...(/\btotalmem\(\)/.test(code) ? ["systemMemoryInfo"] : []),
      ];
      needed[task] = `env ${variables}; net ${[...new Set(hosts)].sort()}; sys ${system.sort()}`;
      const own = (kind: string) => allowed(flags, kind).split(",").sort();
      stated[task] = `env ${own("env")}; net ${own("net")}; sys ${own("sys")}`;
    }
    for (const task of Object.keys(needed)) {
      check.equal(
        task,
        stated[task],
        needed[task],
        "what its modules name",
      );
    }
  },
);

claim(
  "the native library is permitted by its folder, and only where it is in the cache",
  { needs: ["onnx"] },
  async (check) => {
    const flags = await nativeEngineFlags();
    check.equal("lock file", flags[0], "--lock=scripts/onnx.lock", "it has the package");
    const folders = flags[1].replace("--allow-ffi=", "").split(",");
    check.holds(
      `folders ${folders}`,
      folders.every((folder) => folder.endsWith(`/${ONNX_RUNTIME.name}/${ONNX_RUNTIME.version}`)),
      "the package's own",
    );
    await withFolder(async (cache) => {
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--no-prompt",
          ...programs.find(({ task }) => task === "native")!.flags,
          "scripts/native.ts",
        ],
        cwd: root,
        env: { DENO_DIR: cache },
        stderr: "null",
      }).output();
      check.equal(
        "an empty cache",
        new TextDecoder().decode(stdout),
        "--lock=deno.lock\n",
        "nothing is fetched unasked",
      );
    });
  },
);

claim(
  "the native engine's lock file is the project's plus the native engine, which the project's lacks",
  (check) => {
    const read = (file: string) => JSON.parse(Deno.readTextFileSync(root + file));
    const [own, native] = [read("deno.lock"), read("scripts/onnx.lock")];
    for (const part of ["specifiers", "npm"]) {
      const differing = Object.keys(own[part]).filter((key) =>
        JSON.stringify(own[part][key]) !== JSON.stringify(native[part][key])
      );
      check.equal(
        `${part} of deno.lock that are not in it`,
        differing,
        [],
        "the same versions, whichever is used",
      );
    }
    const added = Object.keys(native.specifiers).filter((key) => !Object.hasOwn(own.specifiers, key)).sort();
    const { name, version } = ONNX_RUNTIME;
    check.equal(
      "specifiers added",
      added,
      [`npm:onnxruntime-common@${version}`, `npm:${name}@${version}`],
      "no other",
    );
    check.holds(
      "without it, deno.lock",
      !Object.keys(own.npm).some((key) => key.startsWith("onnxruntime")),
      "what a lock file names is fetched: 290 MB",
    );
    const suite = Object.keys(read("verify/deno.lock").npm);
    check.equal(
      "packages of the suite's lock file that are fetched by name only",
      suite.filter((key) => /^(assemblyscript|binaryen|onnxruntime)/.test(key)),
      [],
      "a command without --no-lock has added one: restore the file",
    );
  },
);

claim("the page on security states each task's permissions as deno.json does", async (check) => {
  const page = await Deno.readTextFile(`${root}docs/security.md`);
  const rows = [...page.matchAll(/^\| `([\w:]+)` +\|(.*)\|$/gm)].map(([, task, cells]) =>
    [task, ...cells.split("|").map((cell) => cell.trim())].join(" | ")
  );
  const expected = programs.map(({ task, flags }) =>
    [
      task,
      ...["read", "write", "net", "run", "env", "sys"].map((kind) =>
        allowed(flags, kind).replaceAll(",", ", ") || "–"
      ),
      flags.some((flag) => flag.startsWith("$(")) ? "its package" : allowed(flags, "ffi") || "–",
    ].join(" | ")
  );
  check.equal("rows", rows.sort(), expected.sort(), "deno.json");
  const readme = await Deno.readTextFile(`${root}README.md`);
  check.holds("README links to it", readme.includes("](docs/security.md)"), "else nobody finds it");
});

claim("a task that is called in another folder with its permissions writes there, on wasm and on onnx", {
  needs: ["onnx"],
}, (check) =>
  withFolder(async (folder) => {
    for (const engine of ["wasm", "onnx"]) {
      const output = `${folder}/${engine}.npy`;
      const { code, stderr } = await run(
        "sample",
        "--engine",
        engine,
        "--count",
        "2",
        "--steps",
        "2",
        "--output",
        output,
      );
      check.equal(`sample on ${engine}`, code, 0, stderr.slice(-200));
    }
    const { code, stderr } = await run("export", "--output", `${folder}/model.onnx`);
    check.equal("export", code, 0, stderr.slice(-200));
  }));
