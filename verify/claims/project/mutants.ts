/**
 * Claims about mutation: each operator makes just the changes that are written out here, and what no claim notices in a tiny
 * tree is said to have survived.
 * @module
 */
import { fileURLToPath } from "node:url";
import { readEquivalents, staleEquivalents } from "../../mutants/equivalents.ts";
import { ImportGraph, modulesOf } from "../../mutants/import_graph.ts";
import { mutantsFrom, shuffled } from "../../mutants/mutant.ts";
import { editsOf, type Operator, operators } from "../../mutants/operators.ts";
import { MutantRecord } from "../../mutants/record.ts";
import { countOf, type Outcome, type Result, type Row, table } from "../../mutants/result.ts";
import { MutantRun, type RunOptions } from "../../mutants/run.ts";
import { TypeCheck } from "../../mutants/type_check.ts";
import { claim } from "../../suite/claim.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url)).replace(/\/$/, "");

/** A line, and the lines that an operator makes of it. */
type Example = readonly [before: string, after: readonly string[]];

const examples: Readonly<Record<Operator, readonly Example[]>> = {
  "drop-property": [
    ["f({ a, b: g, ...c });", ["f({ b: g, ...c });", "f({ a, ...c });", "f({ a, b: g });"]],
    ["f({ a, });", ["f({ });"]],
    ["type T = { a: string };", []],
  ],
  "drop-argument": [
    ["f(a, b);", ["f(b);", "f(a);"]],
    ["new F(a);", ["new F();"]],
    ["f();", []],
  ],
  "swap": [
    ["f(a, b, b);", ["f(b, a, b);"]],
    ["f(...a, b);", []],
    ["Math.min(a, b) + tf.sub(a, b);", ["Math.min(a, b) + tf.sub(b, a);"]],
    ["g = { width: w, height };", ["g = { width: height, height: w };"]],
    ["g = [a, b];", ["g = [b, a];"]],
    ["x = a + b - c;", ["x = c - (a + b);"]],
    ["x = a / a;", []],
  ],
  "negate-condition": [
    ["if (a < b) f();", ["if (!(a < b)) f();"]],
    ["while (!a) f();", ["while (a) f();"]],
    ["x = a ? b : c;", ["x = !(a) ? b : c;"]],
    ["for (;;) f();", []],
  ],
  "shift-bound": [
    ["x = a < b;", ["x = a <= b;"]],
    ["x = a >= b;", ["x = a > b;"]],
    ["let x: Array<number>;", []],
  ],
  "change-operator": [
    ["x = a ** b % c;", ["x = a * b % c;", "x = a ** b * c;"]],
    ["x = a && b;", ["x = a || b;"]],
    ["x = a ?? b;", ["x = b;"]],
    ["x = -a;", ["x = a;"]],
    ["x = !a;", ["x = a;"]],
    ["if (a === b) f();", []],
    ["x = a === b;", ["x = a !== b;"]],
    ["for (; ; i++) j--;", ["for (; ; i++) j++;"]],
  ],
  "change-constant": [
    ["x = 2;", ["x = 3;"]],
    ["x = .25;", ["x = 0.5;"]],
    ["x = true;", ["x = false;"]],
    ['x = "png";', ['x = "";']],
    ['x = "two words";', []],
    ['throw new Error("wrong");', []],
    ['import "./a.ts";', []],
    ["let x: 1;", []],
    [`x = [${"1, ".repeat(17)}];`, [`x = [2, ${"1, ".repeat(16)}];`]],
  ],
  "return-early": [
    ["function f(): void { g(); }", ["function f(): void { return; g(); }"]],
    ["function f(x: T): T { return g(x); }", ["function f(x: T): T { return x; return g(x); }"]],
    ["function f(x: S): T { return g(x); }", []],
    ["function f(x: T): T { return x; }", []],
  ],
  "first-row": [
    ["x = a[i];", ["x = a[0];"]],
    ["a[i] = x;", []],
    ["x = a[1];", []],
    ["x = a.slice(i * n, m);", ["x = a.slice(0, m - (i * n));"]],
    ["for (let i = 0; i < n; i++) f(i);", ["for (let i = 0; i < n; i++) f(0);"]],
    ["a.map((x, i) => ({ i }));", ["a.map((x, i) => ({ i: 0 }));"]],
    ["function f(a, i) { g(i); }", []],
  ],
};

claim(
  "each operator of verify:mutants makes just the changes of a line that are written out for it",
  (check) => {
    for (const operator of operators) {
      for (const [before, after] of examples[operator]) {
        const own = editsOf(before).filter((edit) => edit.operator === operator);
        const made = mutantsFrom("file.ts", before, own).map((mutant) => mutant.after);
        check.equal(`${operator}: ${before}`, made, after, "the operator's row in docs/verification.md");
      }
    }
  },
);

claim("the name of a mutant survives edits elsewhere in its file, and no two are the same", (check) => {
  const line = "export const f = (x: number) => x + 1;\n";
  const made = (text: string) => mutantsFrom("a.ts", text, editsOf(text));
  const names = (text: string) => made(text).map(({ id }) => id);
  check.equal("with lines above", names(`// More.\n\n${line}`), names(line), "by lines, not their numbers");
  check.equal("two equal lines", new Set(names(line + line)).size, 2 * names(line).length, "told apart");
  const many = made("f(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);\n");
  const order = shuffled(many, 1).map(({ id }) => id);
  check.equal("order", shuffled([...many].reverse(), 1).map(({ id }) => id), order, "of the seed alone");
  check.holds(
    "another seed",
    String(shuffled(many, 2).map(({ id }) => id)) !== String(order),
    "another order",
  );
  check.equal("every shuffle has them all", [...order].sort(), many.map(({ id }) => id).sort(), "each once");
});

claim("mutants that are called equivalent are mutants of the sources", async (check) => {
  const list = await readEquivalents();
  const files = [...new Set(list.map(({ file }) => file))];
  const mutants = files.flatMap((file) => {
    const text = Deno.readTextFileSync(`${root}/${file}`);
    return mutantsFrom(file, text, editsOf(text));
  });
  check.equal("entries without one", staleEquivalents(mutants, list), [], "verify/mutants/equivalent.json");
  check.equal("entries without a reason", list.filter(({ why }) => !/\w+ \w+/.test(why)), [], "a sentence");
});

claim(
  "a claim that imports a file, over others or by a task that it starts, can notice its mutants",
  (check) => {
    const graph = new ImportGraph(root);
    const reaches = (area: string, file: string) => graph.reached(`verify/claims/${area}.ts`).has(file);
    const source = "what these claims import and start";
    check.equal("by import", reaches("samplers/leading_error", "src/samplers/ddim.ts"), true, source);
    check.equal("by a task", reaches("scripts/compare", "scripts/comparison/results.ts"), true, source);
    check.equal(
      "by the engine",
      reaches("compute/operations", "src/compute/wasm/reductions.ts"),
      true,
      source,
    );
    check.equal("neither", reaches("math/normal_distribution", "scripts/compare.ts"), false, source);
    check.equal(
      "types alone",
      graph.reached("src/classifiers/noisy_accuracy.ts").has("src/compute/rng.ts"),
      false,
      source,
    );
    const claims = modulesOf(root, ["verify/claims"]).map((file) => graph.reached(file));
    const alone = modulesOf(root, ["src", "scripts"]).filter((file) =>
      !claims.some((reached) => reached.has(file))
    );
    check.equal("files that no claim reaches", alone, [], "else all of their mutants survive");
  },
);

/** A project of five functions, of which its claims know two. */
async function tinyTree(): Promise<string> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  const write = async (path: string, text: string) => {
    await Deno.mkdir(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${folder}/${path}`, text);
  };
  await write("deno.json", await Deno.readTextFile(`${root}/deno.json`));
  await write(
    "src/sums.ts",
    "export const sum = (a: number, b: number): number => a + b;\n" +
      "export const product = (a: number, b: number): number => a * b;\n" +
      "export const ratio = (a: number, b: number): number => a / b;\n" +
      "export const double = (a: number): number => a + a;\n" +
      "export const size = (a: number): number => Math.abs(a);\n",
  );
  await write(
    "verify/claims/sums/sums.ts",
    'import { ratio, sum } from "../../../src/sums.ts";\nimport { claim } from "../../suite/claim.ts";\n' +
      'claim("1 + 2 is 3", (check) => check.equal("sum", sum(1, 2), 3, ""));\n' +
      'claim("a ratio ends", async (check) => {\n' +
      "  while (ratio(4, 2) !== 2) await new Promise((done) => setTimeout(done, 9));\n" +
      '  check.holds("ended", true, "");\n});\n' +
      'claim("never", (check) => check.holds("never", false, ""));\n',
  );
  await write(
    "verify/suite/claim.ts",
    "export const claims = [];\nexport const claim = (name, examine) => claims.push({ name, examine });\n",
  );
  await write(
    "verify/suite/worker.ts",
    tinyWorker,
  );
  return folder;
}

/** Answers as the suite's worker does, without engines. */
const tinyWorker = `
import { claims } from "./claim.ts";
const say = (answer) => Deno.stdout.writeSync(new TextEncoder().encode("\\n\\u0001answer " + JSON.stringify(answer) + "\\n"));
let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\\n");
  rest = lines.pop();
  for (const line of lines) {
    const { kind, file, name } = JSON.parse(line);
    await import("../claims/" + file);
    if (kind === "open") {
      say({ kind: "opened", area: {}, listings: claims.map(({ name }) => ({ name, options: {} })) });
      continue;
    }
    const comparisons = [];
    const record = (what, held, observed, bound) => comparisons.push({ what, held, observed, bound, source: "" });
    await claims.find((claim) => claim.name === name).examine({
      equal: (what, a, b) => record(what, a === b, String(a), "= " + b),
      holds: (what, condition) => record(what, condition, String(condition), "true"),
    });
    const outcome = comparisons.every(({ held }) => held) ? "passed" : "failed";
    const verdict = { area: "sums/sums", name, engine: "wasm", outcome, milliseconds: 1, comparisons };
    say({ kind: "examined", verdict });
  }
}
`;

claim(
  "verify:mutants tells survivors from noticed, refused, endless and equivalent mutants, and repeats none of them",
  async (check) => {
    const folder = await tinyTree();
    try {
      const text = await Deno.readTextFile(`${folder}/src/sums.ts`);
      const all = mutantsFrom("src/sums.ts", text, editsOf(text));
      const mutants = shuffled(all, 1);
      const equivalents = [{
        file: "src/sums.ts",
        operator: "change-operator",
        before: "export const product = (a: number, b: number): number => a * b;",
        after: "export const product = (a: number, b: number): number => a / b;",
        why: "nothing calls it",
      }];
      let round = 0;
      const failing = new Set<string>();
      const types = await TypeCheck.of(folder, ["src/sums.ts"]);
      const examined = async (options: Partial<RunOptions> = {}): Promise<[Row[], number]> => {
        const scratch = `${folder}/scratch${++round}`;
        await Deno.mkdir(scratch);
        const run = new MutantRun({
          ...{ root: folder, scratch, equivalents, check: types, processes: 1, seconds: Infinity },
          record: await MutantRecord.open(`${folder}/verification`, "1-of-1.json", {
            "sums/sums: 1 + 2 is 3 [wasm]": 1,
            "sums/sums: a ratio ends [wasm]": 1,
          }),
          ...{ over: () => false, stop: () => false, patience: { least: 1500, factor: 10, unknown: 9000 } },
          ...options,
        });
        const rows = new Map(mutants.map((mutant) => [mutant.id, run.known(mutant)]));
        const left = mutants.filter(({ id }) => rows.get(id) === null);
        let count = 0;
        await run.examine(left, ({ id }, result: Result) => {
          rows.set(id, result);
          count += 1;
        });
        for (const claim of run.failing) failing.add(claim);
        return [all.map((mutant) => [mutant, rows.get(mutant.id)!]), count];
      };
      let begun = 0;
      const [, first] = await examined({ over: () => begun++ >= 2 });
      check.equal("mutants of a run that is cut", first, 2, "two were begun");
      const [rows, second] = await examined();
      const outcomes = rows.map((
        [{ operator, after }, result],
      ) => [operator, after.slice(13), result!.outcome]);
      const expected: [Operator, string, Outcome][] = [
        ["change-operator", "sum = (a: number, b: number): number => a - b;", "noticed"],
        ["change-operator", "product = (a: number, b: number): number => a / b;", "equivalent"],
        ["swap", "ratio = (a: number, b: number): number => b / a;", "timed out"],
        ["change-operator", "ratio = (a: number, b: number): number => a * b;", "timed out"],
        ["change-operator", "double = (a: number): number => a - a;", "survived"],
        ["drop-argument", "size = (a: number): number => Math.abs();", "not compiled"],
      ];
      check.equal("what came of each", outcomes, expected, "the tree's claims");
      check.equal("claims that fail anyway", [...failing], ["sums/sums: never [wasm]"], "left out");
      check.equal("left for the second run", second, 3, "of six, one is equivalent and two were done");
      check.equal("the third run", (await examined())[1], 0, "all are known");
      await Deno.writeTextFile(`${folder}/verify/claims/sums/sums.ts`, "export {};\n");
      check.equal("with other claims", (await examined())[1], 1, "they may notice the survivor");
      const { generated, noticed, survived, timedOut, notCompiled, equivalent } = countOf("all", rows);
      check.equal(
        "counts",
        [generated, noticed, survived, timedOut, notCompiled, equivalent],
        [6, 3, 1, 2, 1, 1],
        "those that timed out are noticed",
      );
      const last = table(rows, "markdown").split("\n").at(-1);
      check.equal("last row", last, "| all | 6 | 6 | 3 | 1 | 75.0% | 2 | 1 | 1 | 0 |", "three of four");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
