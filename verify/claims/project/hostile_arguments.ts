/**
 * Every exported function with hostile arguments: each argument, each field of an options object and the first entry of each
 * list is replaced in turn by NaN, infinities, −1, 0, ½, 2⁵³, text, null, nothing, an empty list, an object, a function; and
 * tensors by tensors of other ranks and element types.
 * @module
 */
import * as exported from "../../instruments/hostile/exported.ts";
import { entries } from "../../instruments/entries.ts";
import { claim } from "../../suite/claim.ts";
import { casesOf } from "../../instruments/hostile/argument.ts";
import { rows } from "../../instruments/hostile/rows.ts";
import { HostileRun } from "../../instruments/hostile/run.ts";
import { fc } from "../../instruments/properties.ts";

const source =
  "the answer is one for that argument, or a RangeError or TypeError in one sentence of this project's own";

/** Further numbers that a seed chooses: multiples of 1/1024 of both signs, up to a million. */
function drawn(seed: number, count: number): number[] {
  const numbers = fc.integer({ min: -(2 ** 30), max: 2 ** 30 }).map((value) => value / 1024);
  return fc.sample(numbers, { seed, numRuns: count });
}

const names = await Promise.all(
  entries.map(async ({ name, url }) => [name, functionsOf(await import(url.href))] as const),
);
const functions = names.flatMap(([, functions]) => functions);

function functionsOf(namespace: object): string[] {
  return Object.entries(namespace).filter(([, value]) => typeof value === "function").map(([name]) => name);
}

/** The function that a row calls, or whose result's method it calls. */
const functionOf = (row: string) => row.split(/[ .]/)[0];

claim("every exported function has a row in the table of hostile calls", { engines: ["wasm"] }, (check) => {
  const source = "the entries of deno.json, read when the claim is examined";
  const lacking = functions.filter((name) => !Object.hasOwn(rows, name));
  check.equal("exported functions without a row", lacking, [], source);
  const gone = Object.keys(rows).map(functionOf).filter((name) => !functions.includes(name));
  check.equal("rows of functions that are not exported", gone, [], source);
  check.equal("functions that rows can call", functionsOf(exported).sort(), functions.toSorted(), source);
});

// An entry of the package has a claim of its own, so that what fails is found by what it is about.
for (const [entry, functions] of names) {
  claim(
    `exported functions of ${entry} answer correctly or refuse hostile arguments in one sentence`,
    { engines: ["wasm"] },
    async (check) => {
      const extra = drawn(check.seed, check.thorough ? 40 : 2);
      const names = Object.keys(rows).filter((row) => functions.includes(functionOf(row)));
      const run = new HostileRun(extra);
      for (const name of names) await run.examine(name);
      const cases = names.reduce((sum, name) => sum + 1 + casesOf(rows[name], extra).length, 0);
      check.equal("calls that were not as they should be", run.wrong.slice(0, 20), [], source);
      check.equal("calls made", run.answered + run.refused, cases, "all that the table gives");
      check.atLeast(
        "calls refused",
        run.refused,
        cases / 2,
        "most hostile values are none for most arguments",
      );
      check.table("Calls with hostile arguments", [
        "functions and methods",
        "calls",
        "answered",
        "refused",
        "slowest, ms",
      ], [[
        String(names.length),
        String(cases),
        String(run.answered),
        String(run.refused),
        `${Math.round(run.slowest.ms)} (${run.slowest.call})`,
      ]]);
    },
  );
}
