/**
 * Claims about importing the library from elsewhere: by URL, from an empty folder, in what is not Deno.
 * @module
 */
import { fileURLToPath } from "node:url";
import { extname } from "node:path";
import { decodePng } from "../../../src/images/png.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { entries } from "../../instruments/entries.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const contentTypes: Readonly<Record<string, string>> = {
  ".ts": "application/typescript",
  ".js": "text/javascript",
  ".json": "application/json",
};

/** README's examples as one program, with the address of this checkout in the place of the dots. */
async function example(url: string): Promise<string> {
  const readme = await Deno.readTextFile(`${root}README.md`);
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);
  if (blocks.length !== 2 || !blocks.every((code) => code.includes("https://…/mod.ts"))) {
    throw new Error("README has not two examples that import https://…/mod.ts");
  }
  return blocks.join("").replaceAll("https://…/", url);
}

interface Served {
  readonly url: string;
  readonly asked: string[];
  close(): Promise<void>;
}

/** Serves the checkout on loopback as any static host would, and remembers what was asked for. */
function serve(): Served {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const path = new URL(request.url).pathname.slice(1);
    asked.push(path);
    try {
      const bytes = await Deno.readFile(root + path);
      const type = contentTypes[extname(path)] ?? "application/octet-stream";
      return new Response(bytes, { headers: { "content-type": type } });
    } catch {
      return new Response(`no ${path}`, { status: 404 });
    }
  });
  return { url: `http://127.0.0.1:${server.addr.port}/`, asked, close: () => server.shutdown() };
}

interface ModuleInfo {
  readonly local?: string;
  readonly error?: string;
  readonly specifier: string;
  readonly dependencies?: readonly { readonly specifier: string }[];
}

async function deno(args: string[], options: { cwd?: string; env?: Record<string, string> } = {}) {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, ...options }).output();
  const decoder = new TextDecoder();
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

claim(
  "nothing that an entry reaches names Deno or a Node built-in, so it runs in a browser as well",
  async (check) => {
    const reached = new Map<string, ModuleInfo>();
    for (const { path } of entries) {
      const info = await deno(["info", "--json", path], { cwd: root });
      for (const module of JSON.parse(info.stdout).modules as ModuleInfo[]) {
        if (module.local !== undefined) reached.set(module.specifier, module);
      }
    }
    const modules = [...reached.values()];
    const own = modules.filter((module) => module.specifier.startsWith("file:"));
    const source = "src/ takes bytes and gives bytes; scripts/ reads files and flags";
    check.atLeast("modules of this project that were read", own.length, 100, "src and mod.ts");
    check.equal(
      "modules that cannot be resolved",
      modules.filter((module) => module.error).length,
      0,
      source,
    );
    const naming: string[] = [];
    for (const { local } of own) {
      const code = (await Deno.readTextFile(local!)).replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, "");
      if (/\bDeno\b/.test(code)) naming.push(local!.slice(root.length));
    }
    check.equal("modules whose code names Deno", naming, [], source);
    const imports = own.flatMap((module) => module.dependencies ?? []).map(({ specifier }) => specifier);
    check.equal("Node built-ins", imports.filter((specifier) => specifier.startsWith("node:")), [], source);
    const allowed = /^(\.\.?\/|npm:(@[^/]+\/)?[^@/]+@\d+\.\d+\.\d+(\/|$))/;
    const bare = imports.filter((specifier) => !allowed.test(specifier));
    check.equal(
      "imports that are neither relative nor an exact npm version",
      bare,
      [],
      "no import map goes with a URL",
    );
  },
);

/** Gives an action a folder with an empty one in it and a fresh module cache, and the variables that say where that is. */
async function withElsewhere(action: (folder: string, env: Record<string, string>) => Promise<void>) {
  await withFolder(async (folder) => {
    // The cache shares only the packages of npm, so that nothing of this run is left in the user's.
    const { npmCache } = JSON.parse((await deno(["info", "--json"])).stdout);
    await Deno.mkdir(`${folder}/cache`);
    await Deno.symlink(npmCache, `${folder}/cache/npm`);
    await Deno.mkdir(`${folder}/empty`);
    await action(`${folder}/empty`, { DENO_DIR: `${folder}/cache` });
  });
}

/** Runs code in an empty folder, with a fresh module cache; its output, and what it wrote as digits.png. */
async function runElsewhere(
  code: string,
  url: string,
  check: (folder: string, stdout: string) => Promise<void>,
) {
  await withElsewhere(async (cwd, env) => {
    await Deno.writeTextFile(`${cwd}/example.ts`, code);
    const { host } = new URL(url);
    const permissions = [
      "--allow-read",
      "--allow-write=digits.png,picture.png",
      `--allow-import=${host}`,
      `--allow-net=${host}`,
    ];
    const run = await deno(["run", "--no-prompt", ...permissions, "example.ts"], { cwd, env });
    if (!run.success) throw new Error(run.stderr);
    await check(cwd, run.stdout);
  });
}

claim(
  "the examples of README draw digits when mod.ts is imported by URL from an empty folder",
  async (check) => {
    const served = serve();
    try {
      await runElsewhere(await example(served.url), served.url, async (folder) => {
        const { width, height, data } = await decodePng(await Deno.readFile(`${folder}/digits.png`));
        const size = "ten digits in four columns and three rows, 28·3 pixels each and gaps of 2";
        check.equal("the picture's size", [width, height], [2 + 4 * 86, 2 + 3 * 86], size);
        const ink = data.filter((value, i) => i % 4 === 0 && value > 200).length / (10 * 84 * 84);
        // One image of each class of MNIST's training set, drawn 200,000 times: .1025 on average, standard deviation .011.
        const source = "what ten digits of MNIST have, by 6.2 standard deviations";
        check.within("share of pixels above 200", ink, 0.1025, 6.2 * 0.011, source);
        const picture = await decodePng(await Deno.readFile(`${folder}/picture.png`));
        const words = "three digits below their labels and a title of up to three lines";
        check.holds(
          "the one call's picture",
          picture.width === 2 + 3 * 86 && picture.height <= 2 + 86 + 4 * 17,
          words,
        );
        const checkpoint = served.asked.filter((path) => path.endsWith(".safetensors"));
        check.equal(
          "checkpoints fetched beside the module",
          checkpoint,
          ["fixtures/models/mnist_consistency.safetensors", "fixtures/models/mnist.safetensors"],
          "a shipped one by each example, in order",
        );
      });
    } finally {
      await served.close();
    }
  },
);

claim("every entry can be imported by URL from an empty folder", async (check) => {
  const served = serve();
  const imports = entries.map(({ path }, i) => `import * as entry${i} from "${served.url}${path}";\n`);
  const counts = entries.map((_, i) => `Object.keys(entry${i}).length`);
  const code = `${imports.join("")}console.log(JSON.stringify([${counts}]));\n`;
  try {
    await runElsewhere(code, served.url, async (_, stdout) => {
      const here = await Promise.all(
        entries.map(async ({ url }) => Object.keys(await import(url.href)).length),
      );
      check.equal("values that each entry exports", JSON.parse(stdout), here, "as by its path");
      check.atLeast("entries", entries.length, 10, "deno.json");
    });
  } finally {
    await served.close();
  }
});

claim("conform measures a program by URL, with the permission to start that program alone", async (check) => {
  const served = serve();
  const program = `${root}verify/problems/conformance_program.ts`;
  const command = [Deno.execPath(), "run", "-A", "--no-lock", program, "", "."];
  try {
    await withElsewhere(async (cwd, env) => {
      const conform = async (...words: string[]) => {
        const permissions = [`--allow-import=${new URL(served.url).host}`, ...words];
        const tool = `${served.url}verify/conform.ts`;
        const only = ["--only", "rows,repeat"];
        return await deno(["run", "--no-prompt", ...permissions, tool, ...only, "--", ...command], {
          cwd,
          env,
        });
      };
      const run = await conform(`--allow-run=${Deno.execPath()}`);
      check.holds("it ends well", run.success, run.stderr.slice(-300));
      const lines = run.stdout.split("\n").filter((line) => line.startsWith("ok "));
      check.equal("properties that hold", lines.length, 3, "conversation, rows and repeat");
      const refused = await conform();
      const sentence = /error: the program ".*" may not be started: --allow-run=.* permits it\n$/;
      check.holds(`without it: ${refused.stderr.slice(-200)}`, sentence.test(refused.stderr), "a sentence");
    });
  } finally {
    await served.close();
  }
});
