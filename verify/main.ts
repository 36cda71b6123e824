/**
 * Examines every claim over all cores, prints the verdicts as they come, and writes verification/report.html.
 * @module
 */
import { choice, integer, parseFlags, runScript, text, toggle, UsageError } from "../scripts/cli/flags.ts";
import { shardFlag } from "../scripts/cli/shard_flag.ts";
import { type Comparison, defaultSeed } from "./suite/claim.ts";
import type { Verdict } from "./suite/examine.ts";
import { recordSeconds } from "./suite/file_order.ts";
import { checkedOut } from "./suite/git.ts";
import { seedFile, writeRun, writeSeeds, writeShard } from "./report/files.ts";
import { chanceOf } from "./instruments/chance.ts";
import { chanceText } from "./suite/chance.ts";
import { filesWithChance } from "./suite/chance_files.ts";
import { areaOf } from "./suite/claim_files.ts";
import { SeedRecord } from "./suite/seed_record.ts";
import { type ExaminedRun, isWhole, type RunOptions } from "./suite/shards.ts";
import { recordHeld } from "./suite/slow_claims.ts";
import { treeDigest } from "./suite/sources.ts";
import { runSuite } from "./suite/suite.ts";
import { isGood, totalsOf, totalsText } from "./suite/totals.ts";

const usage = {
  name: "verify",
  purpose: "Examines every claim about this project; one line a claim, the totals last.",
  examples: [
    'deno task verify --areas "samplers|sde"',
    "deno task verify --thorough --vary-seed",
    "deno task verify --shard 2/4",
    "deno task verify --repeat 20 --vary-seed",
  ],
  renamed: { rooms: "areas" },
  flags: {
    filter: text({ help: 'only claims whose "area: name" matches', placeholder: "REGEX" }),
    areas: text({
      help: "only areas that match, such as samplers/langevin; other claim files are not opened",
      placeholder: "REGEX",
    }),
    thorough: toggle({ help: "also the slow claims, whether or not their files have changed" }),
    changed: toggle({
      help: "without slow claims whose files have changed since they last held",
      default: true,
    }),
    engine: choice(["wasm", "webgpu", "onnx", "cpu"], {
      help: "run on this engine only; by default on wasm and, what computes with tensors, on webgpu too",
    }),
    seed: integer({ help: "seed of the Monte Carlo claims", min: 0, max: 2 ** 32 - 1, default: defaultSeed }),
    varySeed: toggle({ help: "draw that seed, and print it" }),
    repeat: integer({
      help:
        "examine the claims that state a false-alarm rate under N seeds instead, the next ones or with --vary-seed drawn ones, " +
        "and test whether the verdicts are what chance predicts; goes on where it was interrupted",
      min: 2,
      max: 10_000,
    }),
    processes: integer({
      help: "processes beside each other; the default is one a core",
      min: 1,
      max: 256,
      default: navigator.hardwareConcurrency,
    }),
    shard: shardFlag(
      "only the I-th of N parts of about the same time, for deno task verify:join to join their reports",
    ),
    bail: toggle({ help: "stop at the first failure" }),
    verbose: toggle({ help: "print every comparison" }),
    json: toggle({ help: "print one JSON object a claim, and one with the totals" }),
    report: toggle({ help: "do not write verification/report.html", default: true }),
  },
};

function readFlags(args: readonly string[]) {
  const flags = parseFlags(usage, args);
  if (flags.varySeed && flags.shard !== undefined) {
    throw new UsageError("--vary-seed and --shard exclude each other: give all shards the same --seed");
  }
  if (flags.repeat !== undefined && (flags.shard !== undefined || flags.bail)) {
    throw new UsageError("--repeat excludes --shard and --bail: all claims are examined under each seed");
  }
  const drawn = crypto.getRandomValues(new Uint32Array(1))[0];
  return {
    ...flags,
    filter: pattern("--filter", flags.filter),
    areas: pattern("--areas", flags.areas),
    seed: flags.varySeed ? drawn : flags.seed,
  };
}

type Flags = ReturnType<typeof readFlags>;

function pattern(flag: string, text = ""): RegExp {
  try {
    return new RegExp(text, "i");
  } catch {
    throw new UsageError(`${flag} must be a regular expression, got "${text}"`);
  }
}

/** One line on a verdict; a failure's broken comparisons follow on lines of their own. */
function describe(verdict: Verdict, verbose: boolean): string {
  const { outcome, area, name, engine, comparisons, milliseconds, reason } = verdict;
  const mark = { passed: "ok  ", failed: "FAIL", skipped: "skip" }[outcome];
  if (outcome === "skipped") return `${mark} ${area}: ${name} [${engine}] – ${reason}`;
  const sees = comparisons.find((comparison) => comparison.alarmRate !== undefined)?.detectable;
  const facts = [engine, `${comparisons.length} comparisons`, `${milliseconds} ms`];
  if (sees !== undefined) facts.push(`sees ${sees}`);
  const shown = comparisons.filter((comparison) => verbose || !comparison.held).map(describeComparison);
  if (reason !== undefined) shown.push(`     ${reason}`);
  return [`${mark} ${area}: ${name} [${facts.join(", ")}]`, ...shown].join("\n");
}

function describeComparison({ held, what, observed, bound, source, detectable }: Comparison): string {
  const sees = detectable === undefined ? "" : `; sees ${detectable}`;
  return `     ${held ? "·" : "✗"} ${what}: ${observed}, expected ${bound} (${source}${sees})`;
}

async function main(): Promise<void> {
  const flags = readFlags(Deno.args);
  if (flags.repeat !== undefined) return await repeat(flags, flags.repeat);
  const started = performance.now();
  // The sources as they are when it begins.
  const tree = flags.shard === undefined ? null : treeDigest();
  const verdicts: Verdict[] = [];
  if (!flags.json) console.log(`seed ${flags.seed}, ${flags.processes} processes`);
  await runSuite(flags, (verdict) => {
    verdicts.push(verdict);
    console.log(
      flags.json ? JSON.stringify({ ...verdict, plots: undefined }) : describe(verdict, flags.verbose),
    );
  });
  const totals = totalsOf(verdicts, flags.seed, (performance.now() - started) / 1000);
  if (flags.report) {
    const command = ["deno task verify", ...wholeArguments(Deno.args)].join(" ");
    const [when, commit] = [new Date().toISOString(), await checkedOut()];
    await keep({ verdicts, totals, command, when, commit }, flags, tree);
  }
  console.log(flags.json ? JSON.stringify(totals) : `\n${totalsText(totals)}`);
  const empty = flags.shard !== undefined && verdicts.length === 0;
  if (!empty && !isGood(totals)) Deno.exit(1);
}

/** Writes the report of a run, or what a shard adds to it. */
async function keep(run: ExaminedRun, flags: Flags, tree: string | null): Promise<void> {
  const { shard } = flags;
  const options: RunOptions = { ...chosen(flags), seed: flags.seed };
  if (shard !== undefined) return await writeShard({ ...shard, tree: tree!, options, run });
  await writeRun(run);
  await recordHeld(run.verdicts);
  if (isWhole(options) && run.totals.failed === 0) await recordSeconds(run.verdicts);
}

/** Which claims are examined, as plain data. */
function chosen({ areas, filter, engine, thorough, changed }: Flags): Omit<RunOptions, "seed"> {
  const words = (pattern: RegExp) => pattern.source === "(?:)" ? "" : pattern.source;
  return { areas: words(areas), filter: words(filter), engine: engine ?? null, thorough, changed };
}

/** Examines the claims in which chance plays under many seeds, and tests what came of it. */
async function repeat(flags: Flags, count: number): Promise<void> {
  const { varySeed, seed: first } = flags;
  const record = await SeedRecord.open(await seedFile(), {
    tree: treeDigest(),
    ...chosen(flags),
    seed: varySeed ? null : first,
  });
  const seeds = varySeed ? record.seeds : Array.from({ length: count }, (_, i) => first + i);
  while (seeds.length < count) seeds.push(crypto.getRandomValues(new Uint32Array(1))[0]);
  const files = filesWithChance().filter((file) => flags.areas.test(areaOf(file)));
  const areas = new RegExp(`^(${files.map(areaOf).join("|")})$`);
  for (const seed of seeds.slice(0, count)) {
    if (record.finished.has(seed)) continue;
    const started = performance.now();
    const verdicts: Verdict[] = [];
    const kept: Promise<void>[] = [];
    await runSuite({ ...flags, areas, seed, wanted: (unit) => record.wants(seed, unit) }, (verdict) => {
      verdicts.push(verdict);
      kept.push(record.add(seed, verdict));
      if (verdict.outcome === "failed" && !flags.json) console.log(describe(verdict, flags.verbose));
    });
    await Promise.all(kept);
    const seconds = Math.round((performance.now() - started) / 1000);
    await record.finish(seed, seconds);
    const failed = verdicts.filter(({ outcome }) => outcome === "failed").length;
    if (!flags.json) console.log(`seed ${seed}: ${verdicts.length} claims, ${failed} failed, ${seconds} s`);
  }
  const done = seeds.slice(0, count);
  const tallies = record.tallies(done).map(({ claim: { area, name, engine }, tally }) =>
    [`${area}: ${name} [${engine}]`, tally] as const
  );
  const chance = chanceOf(new Map(tallies));
  const command = ["deno task verify", ...Deno.args].join(" ");
  if (flags.report) {
    await writeSeeds({ command, when: new Date().toISOString(), commit: await checkedOut(), chance });
  }
  console.log(flags.json ? JSON.stringify(chance) : `\n${chanceText(chance).join("\n")}`);
  if (!chance.held || chance.seeds.length === 0) Deno.exit(1);
}

/** The command line of the run of which a shard is a part. */
function wholeArguments(args: readonly string[]): string[] {
  return args.filter((word, i) => !/^--shard(=|$)/.test(word) && args[i - 1] !== "--shard");
}

if (import.meta.main) await runScript(main);
