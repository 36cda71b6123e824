/** Claims about the oldest Deno that README names. @module */
import { fileURLToPath } from "node:url";
import { OLDEST_DENO } from "../../../scripts/cli/flags.ts";
import { readNpy } from "../../../src/images/npy.ts";
import { claim } from "../../suite/claim.ts";
import { entries } from "../../instruments/entries.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { runOldestDeno } from "../../suite/oldest_deno.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

claim(
  "the oldest Deno that README names has all that the code uses, and draws digits",
  { needs: ["oldest-deno"] },
  async (check) => {
    const readme = await Deno.readTextFile(`${root}README.md`);
    const stated = /\[Deno\]\(https:\/\/deno\.com\) (\d+\.\d+) or newer/.exec(readme)?.[1];
    check.equal("version in README", `${stated}.0`, OLDEST_DENO, "the one that the tasks ask for");
    await withFolder(async (scratch) => {
      const place = { cwd: root, scratch };
      const { stderr } = await runOldestDeno([
        "check",
        ...entries.map(({ path }) => path),
        "scripts",
        "verify/main.ts",
        "verify/suite/worker.ts",
      ], place);
      const unknown = [
        ...stderr.matchAll(/Property '(\w+)' does not exist on type|Cannot find name '(\w+)'/g),
        ...stderr.matchAll(/has no exported member (?:named )?'(\w+)'/g),
      ].map(([, property, name]) => property ?? name);
      check.equal(
        "names that its declarations lack",
        [...new Set(unknown)].sort(),
        ["toBase64", "toHex"],
        "Uint8Array's, which it has and does not declare; others would fail there",
      );
      const output = `${scratch}/digits.npy`;
      const permissions = ["--allow-read", "--allow-write", "--allow-ffi", "--allow-env", "--allow-sys"];
      const flags = ["--engine", "wasm", "--count", "2", "--steps", "2", "--output", output];
      const drawn = await runOldestDeno(["run", ...permissions, "scripts/sample.ts", ...flags], place);
      check.equal("exit code of sample", drawn.code, 0, drawn.stderr.slice(-300));
      const { shape } = readNpy(await Deno.readFile(output));
      check.equal("shape of what it drew", [...shape], [2, 28, 28, 1], "two digits");
      const left = [...Deno.readDirSync(scratch)].map(({ name }) => name).filter((name) =>
        /^digits.*lock$/.test(name)
      );
      check.equal("locks", left, [], "removed at the end");
    });
  },
);
