/** Claims about the repository as a place to work in. @module */
import { fileURLToPath } from "node:url";
import { SHIPPED_FILES } from "../../../src/input/shipped_file.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { entries } from "../../instruments/entries.ts";

const rootUrl = new URL("../../../", import.meta.url);
const root = fileURLToPath(rootUrl);

/** Runs Deno in a folder; its exit code and all that it printed. */
async function deno(folder: string, ...args: string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: folder,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

claim(
  "files that tasks and users leave in the project's folder are not formatted, linted or published",
  (check) =>
    withFolder(async (folder) => {
      const write = async (path: string, text: string) => {
        await Deno.mkdir(`${folder}/${path}/..`, { recursive: true });
        await Deno.writeTextFile(`${folder}/${path}`, text);
      };
      await Deno.copyFile(`${root}deno.json`, `${folder}/deno.json`);
      const code = [...entries.map(({ path }) => path), "scripts/a.ts", "verify/a.ts"];
      for (const path of code) {
        await write(path, "/** One. @module */\n\n/** One. */\nexport const one = 1;\n");
      }
      for (const path of ["README.md", "examples/a.md", "docs/a.md"]) await write(path, "# One\n");
      // Jupyter ends a cell without a line feed, which Deno counts as not formatted and does not change.
      const cells = [{ cell_type: "markdown", metadata: {}, source: ["# One"] }];
      const metadata = { language_info: { name: "typescript" } };
      await write("examples/a.ipynb", JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }));
      await write("LICENSE", "All rights.\n");
      const fetched = Object.values(SHIPPED_FILES).map(({ url }) => url.href.slice(rootUrl.href.length));
      const heavy = ["fixtures/gallery/a.png", "fixtures/files/a.png", "fixtures/reference/a.json"];
      for (const path of [...fetched, ...heavy]) await write(path, "one");
      const litter = [
        "out.json",
        "notes.md",
        "try.ts",
        "runs/one/config.json",
        "my run/metrics.jsonl",
        "my run/model.safetensors",
        "samples.png",
        "a.gif",
        "b.npy",
        "model.onnx",
        "toy/modes.svg",
        "api/index.html",
      ];
      for (const path of litter) await write(path, "{ 'a' :1,\n\n\n\n   var b = any }");

      const formatted = await deno(folder, "fmt", "--check");
      check.equal("deno fmt --check", formatted.code, 0, formatted.text.slice(-300));
      check.equal(
        "files formatted",
        /Checked (\d+) files/.exec(formatted.text)?.[1],
        String(code.length + 4),
        "the project's own",
      );
      const linted = await deno(folder, "lint");
      check.equal("deno lint", linted.code, 0, linted.text.slice(-300));
      check.equal(
        "files linted",
        /Checked (\d+) files/.exec(linted.text)?.[1],
        String(code.length),
        "mod.ts and three folders",
      );
      const published = await deno(folder, "publish", "--dry-run", "--allow-dirty", "--no-check");
      check.equal("deno publish --dry-run", published.code, 0, published.text.slice(-300));
      const files = [...published.text.matchAll(/^ +file:\/\/(.*) \([\d.]+ ?\w+\)$/gm)]
        .map(([, path]) => decodeURI(path).slice(path.indexOf(folder) + folder.length + 1));
      const own = [
        "LICENSE",
        "README.md",
        "deno.json",
        "docs/a.md",
        "examples/a.ipynb",
        "examples/a.md",
        ...code.filter((path) => !path.startsWith("verify/")),
        ...fetched,
      ];
      check.equal("files published", files.sort(), own.sort(), "the library, its tasks, what modules fetch");
    }),
);
