/**
 * Claims about importing the library from elsewhere: by URL, from an empty folder, in what is not Deno.
 * @module
 */
import { fileURLToPath } from "node:url";
import { extname } from "node:path";
import { claim } from "./claim.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const contentTypes: Readonly<Record<string, string>> = {
  ".ts": "application/typescript",
  ".js": "text/javascript",
  ".json": "application/json",
};

/** What README shows to someone who has only a URL, with few steps; prints what came out instead of a picture. */
function example(url: string): string {
  return `
    import { createRng, dpmSolver2M, drawSamples, encodePng, fromModel, imageGrid, loadPretrained, scoreModel, useEngine,
      veSde } from "${url}mod.ts";
    await useEngine("wasm");
    const model = scoreModel(await loadPretrained("mnist"), veSde({ sigmaMin: 0.005, sigmaMax: 40 }));
    const grid = { kind: "karras", steps: 6 } as const;
    const x = await drawSamples(model, dpmSolver2M(), { shape: [2, 28, 28, 1], grid, rng: createRng(0) });
    const values = fromModel(await x.data());
    const png = encodePng(imageGrid(values, x.shape));
    console.log(JSON.stringify({ shape: x.shape, values: [...values], png: png.length }));
  `;
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
  "Nothing that mod.ts reaches names Deno or a Node built-in, so it runs in a browser as well",
  async (check) => {
    const info = await deno(["info", "--json", "mod.ts"], { cwd: root });
    const modules = (JSON.parse(info.stdout).modules as ModuleInfo[]).filter((module) =>
      module.local !== undefined
    );
    const own = modules.filter((module) => module.specifier.startsWith("file:"));
    const source = "src/ takes bytes and gives bytes; scripts/ reads files and flags";
    check.atLeast("modules of this project that were read", own.length, 10, "the rooms of the house");
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

claim(
  "The example of README draws digits when mod.ts is imported by URL from an empty folder",
  async (check) => {
    const served = serve();
    const folder = await Deno.makeTempDir();
    try {
      // A fresh module cache that shares only the packages of npm, so that nothing of this run is left in the user's.
      const { npmCache } = JSON.parse((await deno(["info", "--json"])).stdout);
      await Deno.mkdir(`${folder}/cache`);
      await Deno.symlink(npmCache, `${folder}/cache/npm`);
      await Deno.mkdir(`${folder}/empty`);
      await Deno.writeTextFile(`${folder}/empty/example.ts`, example(served.url));
      const host = new URL(served.url).host;
      const run = await deno(
        ["run", "--no-prompt", "--allow-read", `--allow-import=${host}`, `--allow-net=${host}`, "example.ts"],
        { cwd: `${folder}/empty`, env: { DENO_DIR: `${folder}/cache` } },
      );
      if (!run.success) throw new Error(run.stderr);
      const { shape, values, png } = JSON.parse(run.stdout) as {
        shape: number[];
        values: number[];
        png: number;
      };
      check.equal("shape", shape, [2, 28, 28, 1], "two MNIST digits");
      check.holds("values in [0, 1]", values.every((v) => v >= 0 && v <= 1), "pictures are in [0, 1]");
      check.atLeast("bytes of the picture", png, 500, "two digits in grey do not compress below that");
      const spread = Math.max(...values) - Math.min(...values);
      check.atLeast(
        "largest minus smallest value",
        spread,
        0.8,
        "ink is near 1 and paper near 0 in every MNIST digit",
      );
      const checkpoint = served.asked.filter((path) => path.endsWith(".safetensors"));
      check.equal(
        "checkpoints fetched beside the module",
        checkpoint,
        ["fixtures/mnist.safetensors"],
        "the shipped one",
      );
    } finally {
      await served.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
);
