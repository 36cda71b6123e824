/**
 * Changes the sources one small piece at a time, runs the claims that can notice, and lists what none of them has noticed.
 * @module
 */
import { fileURLToPath } from "node:url";
import {
  choice,
  integer,
  list,
  number,
  onlyWith,
  parseFlags,
  runScript,
  text,
  toggle,
  UsageError,
} from "../scripts/cli/flags.ts";
import { Interrupt } from "../scripts/cli/interrupt.ts";
import { claimFile } from "../scripts/cli/output_lock.ts";
import { shardFlag } from "../scripts/cli/shard_flag.ts";
import { readEquivalents, staleEquivalents } from "./mutants/equivalents.ts";
import { modulesOf } from "./mutants/import_graph.ts";
import { type Mutant, mutantsFrom, shuffled } from "./mutants/mutant.ts";
import { editsOf, operators } from "./mutants/operators.ts";
import { MutantRecord } from "./mutants/record.ts";
import { countOf, countsBy, folderOf, type Result, type Row, table } from "./mutants/result.ts";
import { MutantRun, nameOf } from "./mutants/run.ts";
import type { Verdict } from "./suite/examine.ts";
import { changedFiles } from "./suite/git.ts";
import { SourceCopy } from "./suite/source_copy.ts";

const usage = {
  name: "verify:mutants",
  purpose: "Changes src and scripts one small piece at a time and lists the changes that no claim notices.",
  examples: [
    "deno task verify:mutants --files samplers/ --minutes 30",
    "deno task verify:mutants --changed --since main",
    "deno task verify:mutants --minutes 0 --markdown",
  ],
  flags: {
    files: text({ help: "only files whose path matches", placeholder: "REGEX", default: "." }),
    operators: list(choice(operators, { help: "what is done to the sources" }), operators),
    changed: toggle({ help: "only files that git calls changed" }),
    since: onlyWith(
      text({ help: "the commit that they differ from", placeholder: "COMMIT", default: "HEAD" }),
      "changed",
    ),
    minutes: number({ help: "no mutant is begun later; 0 shows what is known (default no end)", min: 0 }),
    seconds: number({ help: "of claims, after which a mutant is left undecided (default no end)", min: 1 }),
    shard: shardFlag("only every Nth mutant, from the Ith on"),
    processes: integer({
      help: "copies worked on beside each other",
      min: 1,
      max: 256,
      default: navigator.hardwareConcurrency,
    }),
    seed: integer({ help: "seed of the order", min: 0, max: 2 ** 32 - 1, default: 1 }),
    json: toggle({ help: "print one JSON object with the counts and the survivors" }),
    markdown: toggle({ help: "print the tables as Markdown" }),
  },
};

/** What is in the working tree. */
const project = fileURLToPath(new URL("../", import.meta.url)).replace(/[/\\]$/, "");

function readFlags(args: readonly string[]) {
  const flags = parseFlags(usage, args);
  if (flags.json && flags.markdown) {
    throw new UsageError("--json and --markdown are two ways to print: give one");
  }
  try {
    return { ...flags, pattern: new RegExp(flags.files, "i"), shard: flags.shard ?? { index: 1, shards: 1 } };
  } catch {
    throw new UsageError(`--files must be a regular expression, got "${flags.files}"`);
  }
}

type Flags = ReturnType<typeof readFlags>;

/** The files that are mutated: modules of src and scripts that match, and have changed if that is asked for. */
async function chosenFiles({ files, pattern, changed, since }: Flags): Promise<string[]> {
  const matching = modulesOf(project, ["src", "scripts"]).filter((file) => pattern.test(file));
  if (matching.length === 0) {
    throw new UsageError(`--files: no file of src or scripts matches ${files}`);
  }
  if (!changed) return matching;
  const differing = await changedFiles(since);
  if (differing === null) throw new Error(`git knows no commit "${since}" here`);
  return matching.filter((file) => differing.includes(file));
}

async function main(): Promise<void> {
  const flags = readFlags(Deno.args);
  const files = await chosenFiles(flags);
  const folder = `${project}/verification/mutants`;
  await Deno.mkdir(folder, { recursive: true });
  const name = `${flags.shard.index}-of-${flags.shard.shards}.json`;
  using _lock = await claimFile(`${folder}/${name}`);
  const scratch = await Deno.makeTempDir({ prefix: "mutants-" });
  try {
    // The sources as they are now, whatever is edited while this runs.
    const { folder: root } = await SourceCopy.make(`${scratch}/sources`);
    const record = await MutantRecord.open(folder, name, await lastTimes());
    await examineMutants(flags, { files, root, scratch, record });
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

interface Work {
  readonly files: readonly string[];
  readonly root: string;
  readonly scratch: string;
  readonly record: MutantRecord;
}

async function examineMutants(flags: Flags, { files, root, scratch, record }: Work): Promise<void> {
  const { index, shards } = flags.shard;
  const every = files.flatMap((file) => {
    const text = Deno.readTextFileSync(`${root}/${file}`);
    return mutantsFrom(file, text, editsOf(text));
  });
  const equivalents = (await readEquivalents()).filter(({ file }) => files.includes(file));
  for (const { file, before, after } of staleEquivalents(every, equivalents)) {
    console.error(`equivalent.json: ${file} has no such mutant: ${before} → ${after}`);
  }
  const mutants = shuffled(every.filter(({ operator }) => flags.operators.includes(operator)), flags.seed)
    .filter((_, i) => i % shards === index - 1);
  using interrupt = new Interrupt();
  const until = performance.now() + 60_000 * (flags.minutes ?? Infinity);
  const run = new MutantRun({
    root,
    scratch,
    record,
    equivalents,
    processes: flags.processes,
    seconds: flags.seconds ?? Infinity,
    over: () => performance.now() >= until,
    stop: () => interrupt.raised,
  });
  const rows = new Map<string, Row>(mutants.map((mutant) => [mutant.id, [mutant, run.known(mutant)]]));
  const left = mutants.filter(({ id }) => rows.get(id)![1] === null);
  const say = (line: string) => flags.json || flags.markdown ? console.error(line) : console.log(line);
  say(`${mutants.length} mutants of ${files.length} files, ${mutants.length - left.length} of them known`);
  if (flags.minutes !== 0) {
    await run.examine(left, (mutant, result) => {
      rows.set(mutant.id, [mutant, result]);
      if (result.outcome !== "not compiled") say(describe(mutant, result));
    });
  }
  print([...rows.values()], flags);
  for (const claim of run.failing) console.error(`fails without a mutant, too, and was left out: ${claim}`);
  if (interrupt.raised) Deno.exitCode = interrupt.exitCode;
  else if (run.failing.size > 0) Deno.exitCode = 1;
}

function describe({ file, line, operator }: Mutant, { outcome, seconds, by, saw }: Result): string {
  const what = [by, saw].filter((part) => part !== "").join(" – ");
  return `${outcome.padEnd(9)} ${file}:${line} ${operator}, ${seconds} s: ${what}`;
}

/** Milliseconds of the claims in the suite's last run, by their names in records; none where there was no run. */
async function lastTimes(): Promise<Record<string, number>> {
  const text = await Deno.readTextFile(`${project}/verification/run.json`).catch(() => '{"verdicts":[]}');
  const { verdicts } = JSON.parse(text) as { verdicts: Verdict[] };
  const held = verdicts.filter(({ outcome }) => outcome === "passed");
  return Object.fromEntries(held.map((verdict) => [nameOf(verdict), verdict.milliseconds]));
}

function print(rows: readonly Row[], { json, markdown }: Flags): void {
  const survivors = rows.filter(([, result]) => result?.outcome === "survived").map(([mutant]) => mutant)
    .sort((a, b) => a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line);
  if (json) {
    console.log(JSON.stringify({
      all: countOf("all", rows),
      folders: countsBy(rows, ({ file }) => folderOf(file)),
      operators: countsBy(rows, ({ operator }) => operator),
      survivors: survivors.map(({ edit: _, ...mutant }) => mutant),
    }));
    return;
  }
  const diffs = survivors.map(difference);
  if (diffs.length > 0) {
    console.log(
      markdown ? `## Survived\n\n\`\`\`diff\n${diffs.join("\n")}\n\`\`\`\n` : `\n${diffs.join("\n")}\n`,
    );
  }
  console.log(table(rows, markdown ? "markdown" : "text"));
}

function difference({ file, line, operator, before, after }: Mutant): string {
  return `${file}:${line} ${operator}\n- ${before}\n+ ${after}`;
}

if (import.meta.main) await runScript(main);
