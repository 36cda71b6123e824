/** Claims about the notebooks in examples/: they run, cell by cell, and show what they say. @module */
import { claim } from "../../suite/claim.ts";
import { denoIn } from "../../instruments/documented_code.ts";
import { type Notebook, programOfNotebook } from "../../instruments/notebook.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { decodePng } from "../../../src/images/png.ts";

const examples = new URL("../../../examples/", import.meta.url);

/** What each cell shows, in order: an image, a table or nothing. */
const shown: Readonly<Record<string, readonly (string | null)[]>> = {
  "digits.ipynb": [null, "image", "table", "image", "image", "image", "image"],
  "plane.ipynb": [null, null, "image", "table", "table"],
};

claim("every notebook is one of Deno's, without outputs, and is in the list here", (check) => {
  const files = [...Deno.readDirSync(examples)].map(({ name }) => name).filter((name) =>
    name.endsWith(".ipynb")
  );
  check.equal("notebooks", files.sort(), Object.keys(shown).sort(), "examples/");
  for (const name of files) {
    const text = Deno.readTextFileSync(new URL(name, examples));
    const { cells, metadata, nbformat } = JSON.parse(text) as Notebook;
    check.equal(`${name}: kernel`, [metadata.kernelspec.name, metadata.kernelspec.language, nbformat], [
      "deno",
      "typescript",
      4,
    ], "nbformat");
    check.equal(`${name}: outputs`, cells.flatMap(({ outputs = [] }) => outputs), [], "a reader makes them");
    check.holds(`${name}: begins with words`, cells[0].cell_type === "markdown", "what it is");
  }
});

claim("the notebooks run in order, and every cell shows a picture or a table as it says", {
  engines: ["wasm"],
}, (check) =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/deno.json`, "{}");
    for (const name of Object.keys(shown)) {
      const notebook = JSON.parse(await Deno.readTextFile(new URL(name, examples))) as Notebook;
      const file = `${name}.ts`;
      await Deno.writeTextFile(
        `${folder}/${file}`,
        programOfNotebook(notebook, (path) => new URL(path, examples).href),
      );
      const permissions = ["--no-prompt", "--allow-read", "--allow-env", "--allow-sys"];
      const run = await denoIn(folder, "run", "--no-check", "--no-lock", ...permissions, file);
      if (!run.success) throw new Error(`${name}: ${run.stderr.slice(-1500)}`);
      const lines = run.stdout.trim().split("\n").filter((line) => line.startsWith("{")).map((line) =>
        JSON.parse(line)
      );
      const kinds = lines.map(({ bundle }) =>
        "image/png" in bundle ? "image" : "text/html" in bundle ? "table" : null
      );
      check.equal(`${name}: what cells show`, kinds, shown[name], "their last expressions");
      for (const { cell, bundle } of lines) {
        if ("image/png" in bundle) {
          const { width, height, data } = await decodePng(
            Uint8Array.from(atob(bundle["image/png"]), (c) => c.charCodeAt(0)),
          );
          check.holds(
            `${name}: cell ${cell}: ${width}×${height}`,
            width >= 240 && height >= 100,
            "large enough to see",
          );
          const levels = new Set(data).size;
          check.atLeast(`${name}: cell ${cell}: levels`, levels, 30, "neither empty nor flat");
        }
        if ("text/html" in bundle) {
          check.holds(`${name}: cell ${cell}`, bundle["text/html"].includes("<td"), "it has cells");
        }
      }
      if (name !== "plane.ipynb") {
        continue;
      }
      const text: string = lines[4].bundle["text/plain"];
      const rows = text.split("\n").slice(1).map((line) => line.trim().split(/\s+/).map(Number));
      const order = (column: number) => Math.log2(rows[2][column] / rows[3][column]);
      check.within("order of Euler", order(1), 1, 0.35, "the method's, at 40 and 80 steps");
      check.within("order of Heun", order(2), 2, 0.5, "the method's, at 40 and 80 steps");
      const shares: string[] = lines[3].bundle["text/plain"].split("\n").map((line: string) => line.trim());
      const share = (name: string) =>
        Number(shares.find((line) => line.startsWith(name))!.slice(name.length).trim().split(/\s+/)[0]);
      const bound = 5.5 * Math.sqrt(0.75 * 0.25 / 2000);
      check.within(
        "share on the right by the reverse SDE",
        share("reverse SDE"),
        0.75,
        bound,
        "5.5 standard errors of 2,000 draws",
        { alarmRate: 4e-8 },
      );
      check.within(
        "share by the flow",
        share("probability flow"),
        0.75,
        bound,
        "5.5 standard errors of 2,000 draws",
        { alarmRate: 4e-8 },
      );
    }
  }));
