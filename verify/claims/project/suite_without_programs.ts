/** Claims about the suite on a machine that lacks what some claims need. @module */
import { fileURLToPath } from "node:url";
import { COMPILER } from "../../../scripts/build/wasm_kernels.ts";
import { brief, Check, claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";
import { NPM_TOOLS } from "../../suite/npm_tools.ts";
import { OLDEST_DENO_PACKAGES } from "../../suite/oldest_deno.ts";
import { programs } from "../../suite/program.ts";
import { digestOf } from "../../suite/slow_claims.ts";
import { muchChanged, type Seconds, secondsOf, slowestFirst } from "../../suite/file_order.ts";
import { areaOf, claimFiles, claimFileUrl } from "../../suite/claim_files.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** The paths of all modules in a folder and in those below it. */
async function modules(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await modules(`${folder}${name}/`));
    else if (name.endsWith(".ts")) found.push(folder + name);
  }
  return found;
}

/** What `needs: [...]` names in a claim file. */
function needsIn(text: string): string[] {
  return [...text.matchAll(/needs: \[([^\]]*)\]/g)].flatMap(([, list]) =>
    [...list.matchAll(/"(\w+)"/g)].map(([, need]) => need)
  );
}

claim("a missing program skips a claim with the reason, and never fails it", async (check) => {
  const wanted: string[] = [...programs, "pytorch"];
  const areas: string[] = [];
  for (const file of claimFiles()) {
    const needs = needsIn(await Deno.readTextFile(claimFileUrl(file)));
    if (needs.some((need) => wanted.includes(need))) areas.push(areaOf(file));
  }
  check.atLeast(
    "areas that start programs",
    areas.length,
    3,
    "job files, the bench and the PyTorch implementation",
  );
  await withFolder(async (empty) => {
    const filter = "PyTorch(?!'s names)|job in examples|array in examples|script in examples";
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-check",
        "--no-lock",
        "--allow-all",
        `${root}verify/main.ts`,
        "--json",
        "--no-report",
        "--processes",
        "1",
        "--engine",
        "wasm",
        "--areas",
        `^(${areas.join("|")})$`,
        "--filter",
        filter,
      ],
      env: { PATH: empty },
      stderr: "null",
    }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n").map((line) => JSON.parse(line));
    // Slow claims that held with the same files are not begun, whatever they need.
    const verdicts = lines.slice(0, -1).filter(({ reason }) => !/files are those/.test(reason));
    check.equal("exit code with no program on PATH", code, 0, "nothing failed");
    check.equal(
      "reasons",
      [...new Set(verdicts.map(({ reason }) => reason))].sort(),
      ["bash is not installed", "python3 is not installed", "sh is not installed"],
      "each claim names what it starts in its needs",
    );
    check.equal(
      "claims examined all the same",
      verdicts.filter(({ outcome }) => outcome !== "skipped").map(({ name }) => name),
      [],
      "all of these need a program",
    );
  });
});

claim("the gate fetches every package and program that a claim may need", async (check) => {
  const gate = await Deno.readTextFile(`${root}.ci/run`);
  const packages = OLDEST_DENO_PACKAGES.map(({ name, version }) => `npm:${name}@${version}`);
  const wanted = [
    COMPILER.replace(/\/asc$/, ""),
    ...packages,
    ...Object.entries(NPM_TOOLS).map(([name, version]) => `npm:${name}@${version}`),
    "debian chromium",
    "deno task build",
    "deno task onnx",
    "debian parallel",
    "torch==",
    "mesa-vulkan-drivers",
  ];
  const lacking = wanted.filter((words) => !gate.includes(words));
  check.equal(`of ${wanted.length}, not in .ci/run`, lacking, [], "else its claims are skipped, unnoticed");
});

claim("only verify/suite/program.ts starts programs of the machine for claims", async (check) => {
  const others: string[] = [];
  for (const path of await modules(`${root}verify/`)) {
    const name = path.slice(`${root}verify/`.length);
    if (name === "suite/program.ts") continue;
    const text = await Deno.readTextFile(path);
    for (const [, first] of text.matchAll(/new Deno\.Command\(\s*([^,]+),/g)) {
      if (first !== "Deno.execPath()" && first !== '"deno"') others.push(`${name}: ${first}`);
    }
  }
  check.equal(
    "others",
    others.sort(),
    [
      'claims/scripts/conform_bad_programs.ts: "sh"',
      "conformance/process.ts: program",
      'problems/conformance_program.ts: "sh"',
      'suite/git.ts: "git"',
      "suite/needs.ts: command",
      "suite/oldest_deno.ts: program",
    ],
    "what conform measures and what that starts, whether PyTorch is there, an old Deno, which is a need, and which commit is checked out, which may be unknown",
  );
});

claim("the files of a slow claim are digested with their names and contents", async (check) => {
  const file = "fixtures/files/numpy_2x3.npy";
  const bytes = await Deno.readFile(`${root}${file}`);
  const text = new TextEncoder().encode(`${file}\n${bytes.length}\n`);
  const whole = new Uint8Array([...text, ...bytes]);
  const expected = new Uint8Array(await crypto.subtle.digest("SHA-256", whole)).toHex();
  check.equal("SHA-256", digestOf([file]), expected, "Web Crypto's digest of path, size and bytes");
  check.holds(
    "a folder",
    digestOf(["fixtures/files/idx"]) !== digestOf(["fixtures/files/images"]),
    "other files",
  );
  await check.throws("a file that is not there", () => digestOf(["src/no_such.ts"]), /No such file/);
});

claim("claim files are taken slowest first, by what a full run took", (check) => {
  const files = ["a/short.ts", "b/unknown.ts", "c/long.ts", "d/middle.ts", "e/unknown.ts"];
  const seconds = { "a/short": 1, "c/long": 40, "d/middle": 12 };
  check.equal(
    "order",
    slowestFirst(files, seconds),
    ["c/long.ts", "d/middle.ts", "a/short.ts", "b/unknown.ts", "e/unknown.ts"],
    "a long file that begins last keeps one core busy and the others idle",
  );
  const verdict = (area: string, milliseconds: number, outcome: "passed" | "skipped" = "passed") => ({
    ...{ area, milliseconds, outcome, name: "", engine: "wasm", comparisons: [], plots: [], tables: [] },
  });
  const run = [
    verdict("c/long", 2_000),
    verdict("c/long", 0, "skipped"),
    verdict("d/middle", 8_600),
    verdict("d/middle", 5_000),
    verdict("a/short", 400),
  ];
  const found = secondsOf(run, seconds);
  check.equal(
    "of a run",
    found,
    { "c/long": 40, "d/middle": 14 },
    "sums; what was skipped keeps its seconds",
  );
  const shares: Seconds[] = [{ a: 50, b: 50 }, { a: 102, b: 98 }, { a: 53, b: 47 }, { a: 50, b: 50, c: 3 }];
  const changes = shares.map((other) => muchChanged(shares[0], other));
  check.equal(
    "recorded anew",
    changes,
    [false, false, true, true],
    "from shares 2% apart; load changes none",
  );
});

claim("a broken comparison prints numbers of typed arrays and names of functions", async (check) => {
  const judged = new Check();
  judged.equal("arrays", Float32Array.of(1, 2.5), Float32Array.of(1, 3), "the claim");
  judged.equal("long arrays", new Float64Array(1e6), new Float64Array(1e6).fill(1), "the claim");
  const { observed, bound, held } = judged.comparisons[0];
  check.equal("a typed array", [observed, bound, held], [
    "Float32Array(2) [ 1, 2.5 ]",
    "= Float32Array(2) [ 1, 3 ]",
    false,
  ], "its type, length and numbers");
  check.atMost(
    "length of what is said of a million numbers",
    judged.comparisons[1].observed.length,
    80,
    "one line",
  );
  check.equal(
    "a function",
    brief({ alpha: Math.sin }),
    "{ alpha: [Function: sin] }",
    "its name, not its source",
  );
  const inner = new Check();
  const objects = fc.constant({ double: (x: number) => 2 * x, values: Float64Array.of(4) });
  await checkProperty(inner, "a property", objects, () => false, "the claim", 1);
  const { observed: said } = inner.comparisons[0];
  const words = "fails for { double: [Function: double], values: Float64Array(1) [ 4 ] }";
  check.holds(`a counterexample: ${said.slice(0, 90)}`, said.startsWith(words), "values and names");
});

claim("the largest or smallest of no numbers is within no bound", (check) => {
  const judged = new Check();
  judged.atMost("largest of none", Math.max(), 1e-6, "the claim");
  judged.atLeast("smallest of none", Math.min(), 1, "the claim");
  judged.atMost("not a number", NaN, 1, "the claim");
  judged.atMost("one", Math.max(0.5), 1, "the claim");
  const verdicts = judged.comparisons.map(({ held }) => held);
  check.equal(
    "verdicts",
    verdicts,
    [false, false, false, true],
    "a search that finds nothing has shown nothing",
  );
});
