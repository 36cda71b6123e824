/**
 * Plants every fault of verify/faults/ in a copy of the sources and runs the claims that should notice it, over all cores;
 * fails if one survives, or if a patch no longer applies.
 * @module
 */
import { fileURLToPath } from "node:url";
import { integer, parseFlags, runScript, text } from "../scripts/cli/flags.ts";
import type { Verdict } from "./suite/examine.ts";
import { type Fault, type FaultVerdict, planted } from "./suite/fault.ts";
import { ownPermissions } from "./suite/permissions.ts";
import { checkedOut, writeFaults } from "./report/files.ts";

const usage = {
  name: "verify:faults",
  purpose: "Plants known faults in copies of the sources and runs the claims that should catch them.",
  examples: ["deno task verify:faults", "deno task verify:faults --filter samplers/ode-heun"],
  flags: {
    filter: text({ help: "only faults whose path matches", placeholder: "REGEX", default: "." }),
    processes: integer({
      help: "copies worked on beside each other",
      min: 1,
      max: 256,
      default: navigator.hardwareConcurrency,
    }),
  },
};

const root = new URL("../", import.meta.url);
const copied = [
  ".ci",
  "src",
  "verify",
  "scripts",
  "fixtures",
  "examples",
  "docs",
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "README.md",
  "mod.ts",
  "deno.json",
  "deno.lock",
];

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  const filter = new RegExp(flags.filter, "i");
  const faults = readFaults().filter(([name]) => filter.test(name));
  if (faults.length === 0) throw new Error(`no fault's path matches ${flags.filter}`);
  const started = performance.now();
  const commit = await checkedOut();
  const folder = await Deno.makeTempDir({ prefix: "faults-" });
  const verdicts: FaultVerdict[] = [];
  try {
    await Promise.all(Array.from({ length: Math.min(flags.processes, faults.length) }, async (_, i) => {
      const copy = `${folder}/${i}`;
      await copySources(copy);
      for (let next = faults.shift(); next !== undefined; next = faults.shift()) {
        const verdict = await examineFault(copy, ...next);
        verdicts.push(verdict);
        console.log(describe(verdict));
      }
    }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const count = (...outcomes: FaultVerdict["outcome"][]) =>
    verdicts.filter(({ outcome }) => outcomes.includes(outcome)).length;
  if (flags.filter === ".") {
    verdicts.sort((a, b) => a.name.localeCompare(b.name));
    await writeFaults({ when: new Date().toISOString(), commit, verdicts });
  }
  console.log(`\n${verdicts.length} faults in ${Math.round((performance.now() - started) / 1000)} s`);
  console.log(
    `${count("caught")} caught, ${count("survived")} survived, ${count("stale", "broken")} do not apply`,
  );
  if (count("caught") < verdicts.length) Deno.exit(1);
}

/** The faults by their paths in verify/faults without their ending, such as "samplers/em-noise-h", in order. */
function readFaults(): [string, Fault][] {
  const folder = new URL("faults/", import.meta.url);
  const paths = [...Deno.readDirSync(folder)].flatMap((subject) =>
    [...Deno.readDirSync(new URL(`${subject.name}/`, folder))].map(({ name }) => `${subject.name}/${name}`)
  );
  return paths.sort().map((path) => [
    path.slice(0, -".json".length),
    JSON.parse(Deno.readTextFileSync(new URL(path, folder))),
  ]);
}

/** A claim must break once the fault is in, and hold again when it is taken out. */
async function examineFault(copy: string, name: string, fault: Fault): Promise<FaultVerdict> {
  const verdict = (outcome: FaultVerdict["outcome"], by: string, saw: string): FaultVerdict => ({
    name,
    fault: fault.fault,
    outcome,
    by,
    saw,
  });
  const path = `${copy}/${fault.file}`;
  const original = await Deno.readTextFile(path).catch(() => "");
  const faulty = planted(original, fault);
  if (faulty === null) {
    return verdict("stale", "", `the text to replace is not exactly once in ${fault.file}`);
  }
  try {
    await Deno.writeTextFile(path, faulty);
    const broken = await firstFailure(copy, fault);
    if (broken === null) return verdict("survived", "", `claims: ${claimsOf(fault)}`);
    if (broken.name.endsWith(".ts opens")) {
      return verdict("broken", broken.name, broken.reason ?? "");
    }
    await Deno.writeTextFile(path, original);
    if (await firstFailure(copy, fault, `^${escaped(`${broken.area}: ${broken.name}`)}$`) !== null) {
      return verdict("broken", broken.name, "the claim fails without the fault, too");
    }
    const seen = broken.comparisons.find(({ held }) => !held);
    const saw = seen === undefined
      ? (broken.reason ?? "").split("\n")[0]
      : `${seen.what}: ${seen.observed}, expected ${seen.bound}`;
    return verdict("caught", `${broken.area}: ${broken.name}`, saw);
  } finally {
    await Deno.writeTextFile(path, original);
  }
}

/** Runs the claims in the copy until one fails. */
async function firstFailure(
  copy: string,
  { caughtBy }: Fault,
  claims: string = caughtBy.claims ?? "",
): Promise<Verdict | null> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    cwd: copy,
    args: [
      "run",
      "--no-check",
      "--lock=verify/deno.lock",
      ...ownPermissions,
      "verify/main.ts",
      "--json",
      "--bail",
      "--no-report",
      "--no-changed",
      "--processes=1",
      `--areas=${caughtBy.areas}`,
      ...(claims === "" ? [] : [`--filter=${claims}`]),
    ],
  }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  const verdicts: Verdict[] = lines.slice(0, -1).map((line) => JSON.parse(line));
  const failed = verdicts.find(({ outcome }) => outcome === "failed");
  if (failed !== undefined) return failed;
  if (!verdicts.some(({ outcome }) => outcome === "passed")) {
    throw new Error(`no claim was examined for ${claims}: ${new TextDecoder().decode(stderr).slice(-500)}`);
  }
  return null;
}

function claimsOf({ caughtBy }: Fault): string {
  return [caughtBy.areas, caughtBy.claims].filter((text) => text !== undefined).join(" / ");
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function describe({ outcome, name, fault, by, saw }: FaultVerdict): string {
  const mark = outcome === "caught" ? "caught  " : outcome.toUpperCase().padEnd(8);
  return `${mark} ${name}: ${fault}\n         ${[by, saw].filter((part) => part !== "").join(" – ")}`;
}

async function copySources(to: string): Promise<void> {
  await Deno.mkdir(to);
  for (const name of copied) await copyAll(fileURLToPath(new URL(name, root)), `${to}/${name}`);
}

async function copyAll(from: string, to: string): Promise<void> {
  if (!(await Deno.stat(from)).isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) await copyAll(`${from}/${name}`, `${to}/${name}`);
}

if (import.meta.main) await runScript(main);
