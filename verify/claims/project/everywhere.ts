/** Claims about Node, Bun, bundlers, pages and workers, by the lines and programs of docs/everywhere.md. @module */
import { gzipSync } from "node:zlib";
import { decodePng, type Picture } from "../../../src/images/png.ts";
import type { Shown, Visit } from "../../instruments/browser_session.ts";
import {
  build,
  documentedFiles,
  documentedLines,
  runLines,
  serveFolder,
} from "../../instruments/everywhere.ts";
import { type Check, claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";

const root = new URL("../../../", import.meta.url);
const files = documentedFiles();

/** Puts files of the page into a folder, with another address in the place of the package's name where one is given. */
async function writeDocumented(folder: string, names: readonly string[], address?: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const name of names) {
    const code = address === undefined
      ? files[name]
      : files[name].replaceAll('"@score-sde/score-sde"', JSON.stringify(address));
    await Deno.writeTextFile(`${folder}/${name}`, code);
  }
}

/** Greys from 0 to 255 of the digits that draw.js draws here, in Deno. */
async function greysInDeno(settings: object): Promise<number[]> {
  return await withFolder(async (folder) => {
    await writeDocumented(folder, ["draw.js"], new URL("mod.ts", root).href);
    const { drawDigits } = await import(`file://${folder}/draw.js`);
    const values: Float32Array = await drawDigits({ ...settings, engine: "wasm" });
    return Array.from(values, (value) => Math.min(255, Math.max(0, Math.round(127.5 * (1 + value)))));
  });
}

/** The pixels are those of Deno, but for rounding. */
function sameGreys(check: Check, what: string, pixels: readonly number[], expected: readonly number[]): void {
  check.equal(`${what}: pixels`, pixels.length, expected.length, "as many digits");
  const largest = Math.max(...expected.map((grey, i) => Math.abs(grey - pixels[i])));
  check.atMost(
    `${what}: largest difference of a grey`,
    largest,
    1,
    "float32 rounding near a half of a grey",
    {
      detectable: "another seed, label or step: differences above 100",
    },
  );
}

claim("the npm package holds what its entries import, and nothing else", {
  needs: ["npm", "sh", "npm-tools"],
}, async (check) => {
  const { npm, folder } = await build();
  await runLines(
    [`cd "${npm}"`, `npm pack --dry-run --json > "${folder}/pack.json" 2> "${folder}/pack.err"`],
    folder,
  );
  const [packed] = JSON.parse(await Deno.readTextFile(`${folder}/pack.json`));
  const listed: string[] = packed.files.map(({ path }: { path: string }) => path);
  const manifest = JSON.parse(await Deno.readTextFile(`${npm}/package.json`));
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  check.equal("entries", Object.keys(manifest.exports), Object.keys(exports), "deno.json");

  // What esbuild reads for all entries, which follows imports by itself.
  const names = Object.keys(exports).map((name) => `"@score-sde/score-sde${name.slice(1)}"`);
  await Deno.writeTextFile(`${folder}/all.js`, names.map((name) => `export * from ${name};\n`).join(""));
  const bundled =
    "esbuild all.js --bundle --format=esm --splitting --outdir=all --metafile=meta.json --log-level=error";
  await runLines([bundled], folder);
  const { inputs } = JSON.parse(await Deno.readTextFile(`${folder}/meta.json`)) as {
    inputs: Record<string, { imports: { original?: string; external?: boolean }[] }>;
  };
  const prefix = "node_modules/@score-sde/score-sde/";
  const modules = Object.keys(inputs).filter((path) => path.startsWith(prefix)).map((path) =>
    path.slice(prefix.length)
  );
  check.equal(
    "modules",
    listed.filter((path) => path.endsWith(".js")).sort(),
    modules.sort(),
    "those that esbuild reads",
  );
  const loose = listed.filter((path) =>
    path.endsWith(".d.ts") && !modules.includes(path.replace(/\.d\.ts$/, ".js"))
  );
  check.equal("types of no module", loose, [], "each lies beside its module");
  const code = await Promise.all(modules.map((path) => Deno.readTextFile(`${npm}/${path}`)));
  const read = modules.flatMap((path, i) =>
    [...code[i].matchAll(/new URL\("(\.[^"]+)", import\.meta\.url\)/g)].map(([, to]) =>
      new URL(to, `file:///${path}`).pathname.slice(1)
    )
  );
  const others = listed.filter((path) => !/\.(js|d\.ts)$/.test(path));
  check.equal(
    "other files",
    others.sort(),
    [...new Set([...read, "LICENSE", "README.md", "package.json"])].sort(),
    "those that modules read, and npm's three",
  );
  check.holds(
    "weights of digits are among them",
    others.includes("fixtures/models/mnist.safetensors"),
    "loadPretrained",
  );
  const locked = JSON.parse(await Deno.readTextFile(new URL("deno.lock", root))).specifiers;
  for (const [name, version] of Object.entries(manifest.dependencies)) {
    check.holds(
      `${name}@${version}`,
      Object.hasOwn(locked, `npm:${name}@${version}`),
      "the version in deno.lock",
    );
  }
  const own = Object.entries(inputs).filter(([path]) => path.startsWith(prefix));
  const imported = own.flatMap(([, { imports }]) => imports).flatMap(({ original = "." }) =>
    original.startsWith(".") ? [] : [original.split("/").slice(0, original.startsWith("@") ? 2 : 1).join("/")]
  );
  check.equal(
    "dependencies",
    Object.keys(manifest.dependencies).sort(),
    [...new Set(imported)].sort(),
    "what the modules import",
  );
  check.holds(
    "no specifier is Deno's",
    !code.some((text) => /["']npm:/.test(text.replace(/\/\*[^]*?\*\//g, ""))),
    "Node knows no npm:",
  );
});

claim("the npm package has types for all entries", { needs: ["sh", "npm-tools"] }, async (check) => {
  const { folder } = await build();
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const names = Object.keys(exports).map((name) => `@score-sde/score-sde${name.slice(1)}`);
  const imports = names.map((name, i) => `import * as entry${i} from "${name}";\nconsole.log(entry${i});\n`);
  const typed = `const rng: entry0.Rng = entry0.createRng(7);
// @ts-expect-error A seed is a number.
entry0.createRng("seven");
console.log(rng);
`;
  await Deno.writeTextFile(`${folder}/types.ts`, imports.join("") + typed);
  const { stderr } = await new Deno.Command("deno", {
    args: ["check", "--quiet", "types.ts"],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  const errors = [...new TextDecoder().decode(stderr).matchAll(/^TS\d+.*$/gm)].map(([line]) => line);
  check.equal("errors", errors, [], "without types, a seed that is text would be none");
});

claim("Node and Bun draw the digits that Deno draws", {
  needs: ["node", "sh", "npm-tools"],
}, async (check) => {
  const { folder } = await build();
  await writeDocumented(folder, ["draw.js", "node.js"]);
  await runLines([`node --version > "${folder}/version"`], folder);
  const version = (await Deno.readTextFile(`${folder}/version`)).trim();
  const [major, minor] = version.slice(1).split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 16)) check.skip(`Node is ${version}, older than 20.16`);
  const expected = await greysInDeno({});
  const line = documentedLines("Node").at(-1)!;
  check.equal("Node's line", line, "node node.js", "docs/everywhere.md");
  for (const [runtime, command] of [[`Node ${version}`, line], ["Bun", "bun node.js"]]) {
    await runLines([command], folder);
    const drawn = greysOfGrid(await decodePng(await Deno.readFile(`${folder}/digits.png`)));
    sameGreys(check, runtime, drawn, expected);
    await Deno.remove(`${folder}/digits.png`);
  }
});

/** Greys of two digits beside each other, enlarged, with gaps of two. */
function greysOfGrid({ width, data }: Picture): number[] {
  const scale = ((width - 2) / 2 - 2) / 28;
  return Array.from({ length: 2 * 784 }, (_, i) => {
    const [digit, y, x] = [Math.floor(i / 784), Math.floor((i % 784) / 28), i % 28];
    return data[4 * ((2 + scale * y) * width + 2 + digit * (28 * scale + 2) + scale * x)];
  });
}

/** Opens pages in Chromium, all at once. */
async function visit(visits: readonly Visit[]): Promise<Shown[]> {
  const session = new URL("verify/instruments/browser_session.ts", root).href;
  const { success, stdout, stderr } = await new Deno.Command("deno", {
    args: [
      "run",
      "--allow-all",
      "--no-lock",
      "--cached-only",
      "--no-config",
      session,
      JSON.stringify(visits),
    ],
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** A page or worker that draws digits, by the path of its page from the built folder. */
interface Case {
  readonly what: string;
  readonly path: string;
  readonly settings: Readonly<Record<string, string>>;
}

const wasm = { engine: "wasm" };
/** Software takes seconds for the kernels of a network, so one digit is drawn in one step. */
const webgpu = { engine: "webgpu", steps: "1", count: "1" };
const cases: readonly Case[] = [
  { what: "a page without a bundler", path: "plain/plain.html", settings: wasm },
  { what: "a worker without a bundler", path: "plain/index.html", settings: wasm },
  { what: "Vite's worker", path: "dist/index.html", settings: wasm },
  { what: "esbuild's page", path: "out/index.html", settings: wasm },
  { what: "a worker on WebGPU", path: "plain/index.html", settings: webgpu },
];
const pageOnWebGpu: Case = { what: "a page on WebGPU", path: "plain/plain.html", settings: webgpu };

claim(
  "pages and workers draw in Chromium what Deno draws, on wasm and on WebGPU, by themselves and bundled",
  {
    needs: ["chromium", "node", "sh", "npm-tools"],
  },
  async (check) => {
    const { folder, browser } = await build();
    const pages = ["draw.js", "index.html", "page.js", "plain.html", "show.js", "worker.js"];
    await writeDocumented(folder, [...pages, "vite.config.js", "esbuild_page.js"]);
    await writeDocumented(`${folder}/plain`, pages, "./score-sde/score-sde.js");
    await Deno.symlink(browser, `${folder}/plain/score-sde`);
    const lines = [...documentedLines("Vite and webpack"), ...documentedLines("esbuild")];
    await runLines(lines.filter((line) => !line.startsWith("npm install")), folder);
    await Deno.writeTextFile(
      `${folder}/out/index.html`,
      files["index.html"].replace("page.js", "esbuild_page.js"),
    );
    await using server = serveFolder(folder);
    const url = `http://127.0.0.1:${server.addr.port}/`;
    const wanted = check.thorough ? [...cases, pageOnWebGpu] : cases;
    const shown = await visit(wanted.map(({ path, settings }) => ({
      url: `${url}${path}?${new URLSearchParams(settings)}`,
      canvases: Number(settings.count ?? 2),
    })));
    const expected = new Map([[wasm, await greysInDeno(wasm)], [webgpu, await greysInDeno(webgpu)]]);
    for (const [i, { what, settings }] of wanted.entries()) {
      const { pixels, asked, errors } = shown[i];
      check.equal(`${what}: errors`, errors, [], "the page's console");
      sameGreys(check, what, pixels, expected.get(settings as typeof wasm)!);
      const foreign = asked.filter((address) => !address.startsWith(url));
      check.equal(`${what}: addresses of another origin`, foreign, [], "all lies beside the page");
    }
    const loaded = [...new Set(shown[0].asked)].map((address) => decodeURI(new URL(address).pathname));
    const code = loaded.filter((path) => /\.(js|wasm)$/.test(path));
    check.atLeast("files of code that the page without a bundler loads", code.length, 10, "its requests");
    const bytes = code.map((path) => gzipSync(Deno.readFileSync(`${folder}${path}`), { level: 9 }).length);
    const kilobytes = bytes.reduce((sum, size) => sum + size, 0) / 1000;
    check.atMost("kB of code with gzip before its first digit", kilobytes, 365, "350 in the page, by 4%");
    const weights = loaded.filter((path) => path.endsWith(".safetensors"));
    check.equal(
      "weights that it loads",
      weights,
      ["/plain/score-sde/mnist.safetensors"],
      "what was asked for",
    );
  },
);
