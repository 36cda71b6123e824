/** The code in docstrings and pages, type-checked in one go and run. @module */
import { claim } from "../../suite/claim.ts";
import {
  denoIn,
  documentedExamples,
  onDisk,
  programOfPage,
  runnerOf,
  writePrograms,
} from "../../instruments/documented_code.ts";
import { entries } from "../../instruments/entries.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";

/** A program that imports every entry by its path and uses one. */
const importing = {
  name: "importing",
  code: `${
    entries.map(({ path }, i) => `import * as entry${i} from ${JSON.stringify(onDisk(path))};\nentry${i};\n`)
      .join("")
  }const alpha: number = entry0.vpSde().alpha(0.5);\nalpha;\n`,
};

/** The programs of the course's chapters. */
const course = [...Deno.readDirSync(new URL("../../../docs/course/", import.meta.url))].map(({ name }) =>
  name
)
  .filter((name) => /^\d.*\.md$/.test(name)).map((name) => programOfPage(`docs/course/${name}`));

claim(
  "examples, the tour, the course and a program that imports the entries by their paths type-check in another folder",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const programs = [...documentedExamples(), programOfPage("docs/tour.md"), ...course, importing];
      await writePrograms(folder, programs);
      const files = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
        name.endsWith(".ts")
      );
      check.equal("programs that are checked", files.length, programs.length, "a file each");
      // One module that imports all: the library is checked once.
      await Deno.writeTextFile(`${folder}/all.ts`, files.map((name) => `import "./${name}";\n`).join(""));
      const { success, stderr } = await denoIn(folder, "check", "--no-lock", "all.ts");
      const errors = stderr.split("\n").filter((line) => /TS\d+/.test(line));
      check.equal("errors", errors, [], "the declarations that Deno brings by default");
      check.holds(`deno check: ${success ? "" : stderr.slice(-300)}`, success, "its exit code");
    }),
);

claim(
  "every example in the documentation runs, and what it asserts holds",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const programs = documentedExamples();
      check.atLeast("examples", programs.length, 30, "those of mod.ts, src/ and pages");
      await writePrograms(folder, programs);
      await Deno.writeTextFile(`${folder}/run_all.ts`, runnerOf(programs));
      const permissions = ["--no-prompt", "--allow-read", "--allow-env", "--allow-sys"];
      const { success, stdout, stderr } = await denoIn(
        folder,
        "run",
        "--no-check",
        "--no-lock",
        ...permissions,
        "run_all.ts",
      );
      if (!success) throw new Error(stderr);
      const { run, wrong } = JSON.parse(stdout.trim().split("\n").at(-1)!);
      check.equal("what went wrong", wrong, [], "an example that does not run teaches a mistake");
      check.equal("examples that ran", run, programs.map(({ name }) => name), "all of them");
    }),
);
