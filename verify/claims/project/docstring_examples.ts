/** The examples of the documentation, run as tests. @module */
import { fileURLToPath } from "node:url";
import { claim } from "../../suite/claim.ts";

claim("every example in the documentation type-checks and runs", async (check) => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "--doc",
      "--no-prompt",
      "--allow-read",
      "--allow-env",
      "--allow-sys",
      "mod.ts",
      "src",
      ...pages,
    ],
    cwd: fileURLToPath(new URL("../../../", import.meta.url)),
    env: { NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  const [, passed, failed] = out.match(/(\d+) passed \| (\d+) failed/) ?? [, "0", err.trim().slice(-300)];
  check.equal("failed examples", failed, "0", "an example that does not run teaches a mistake");
  check.holds("deno test succeeds", success, "its exit code");
  check.equal(
    "assertions that failed",
    [...`${out}${err}`.matchAll(/Assertion failed.*/g)].map(([line]) => line),
    [],
    "console.assert in an example prints so, and throws nothing",
  );
  const written = await examplesIn(new URL("../../../", import.meta.url));
  check.equal(
    "examples that ran",
    Number(passed),
    written,
    "the code blocks after @example in mod.ts and src/, and those of pages",
  );
});

/** Pages whose code blocks are a program each; the tour's are one, which documents.ts runs. */
const pages = ["docs/conditioning.md", "docs/likelihood.md", "docs/notation.md"];

/** Number of @example blocks in mod.ts and below src/, and of code blocks in pages. */
async function examplesIn(root: URL): Promise<number> {
  const count = async (file: URL) =>
    (await Deno.readTextFile(file)).match(/@example[^`]*```ts/g)?.length ?? 0;
  const folder = async (url: URL): Promise<number> => {
    let sum = 0;
    for await (const entry of Deno.readDir(url)) {
      if (entry.isDirectory) sum += await folder(new URL(`${entry.name}/`, url));
      else if (entry.name.endsWith(".ts")) sum += await count(new URL(entry.name, url));
    }
    return sum;
  };
  const blocks = await Promise.all(
    pages.map(async (page) => (await Deno.readTextFile(new URL(page, root))).match(/```ts/g)?.length ?? 0),
  );
  return await count(new URL("mod.ts", root)) + await folder(new URL("src/", root)) +
    blocks.reduce((sum, n) => sum + n, 0);
}
