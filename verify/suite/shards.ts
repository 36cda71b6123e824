/**
 * Runs of parts of the suite, on as many machines, and how they become the run that was divided.
 * @module
 */
import type { Verdict } from "./examine.ts";
import { type Totals, totalsOf } from "./totals.ts";

/** A run of claims, as verification/run.json keeps it. */
export interface ExaminedRun {
  readonly verdicts: readonly Verdict[];
  readonly totals: Totals;
  /** The command line, for the reader to repeat it. */
  readonly command: string;
  /** ISO 8601. */
  readonly when: string;
  /** What was checked out, where that is known; a plus stands for changes since. */
  readonly commit: string | null;
}

/** What is examined and how: equal for shards of one run. */
export interface RunOptions {
  /** Regular expressions; empty for all. */
  readonly areas: string;
  readonly filter: string;
  /** Null for those of each claim. */
  readonly engine: string | null;
  readonly thorough: boolean;
  readonly changed: boolean;
  readonly seed: number;
}

/** Whether a run is of the suite as it is run unasked: how long its files take is worth to be recorded. */
export function isWhole({ areas, filter, engine, thorough }: RunOptions): boolean {
  return areas === "" && filter === "" && engine === null && !thorough;
}

/** The run of one shard, as its file keeps it. */
export interface ShardRun {
  /** Which part it is, from 1. */
  readonly index: number;
  /** Of how many. */
  readonly shards: number;
  /** The digest of the sources when it began. */
  readonly tree: string;
  readonly options: RunOptions;
  /** Its command is that of the undivided run. */
  readonly run: ExaminedRun;
}

/** The run that was divided; `names` are what errors call the shards. */
export function joinShards(shards: readonly ShardRun[], names: readonly string[]): ExaminedRun {
  if (shards.length === 0) throw new Error("there are no shards to join");
  const [first] = shards;
  const differs = (what: string, i: number, value: (shard: ShardRun) => unknown) => {
    const [own, other] = [value(shards[i]), value(first)];
    if (own !== other) {
      throw new Error(`${names[i]} is of another run: its ${what} is ${own}, that of ${names[0]} ${other}`);
    }
  };
  const found = new Map<number, string>();
  for (const [i, { index, options }] of shards.entries()) {
    differs("number of shards", i, ({ shards }) => shards);
    differs("sources' digest", i, ({ tree }) => tree);
    for (const key of Object.keys({ ...first.options, ...options }) as (keyof RunOptions)[]) {
      differs(key, i, ({ options }) => options[key]);
    }
    const twin = found.get(index);
    if (twin !== undefined) {
      throw new Error(`${twin} and ${names[i]} are both shard ${index} of ${first.shards}`);
    }
    found.set(index, names[i]);
  }
  const missing = Array.from({ length: first.shards }, (_, i) => i + 1).filter((index) => !found.has(index));
  if (missing.length > 0) {
    throw new Error(
      `of ${first.shards} shards, ${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} missing`,
    );
  }
  const runs = shards.toSorted((a, b) => a.index - b.index).map(({ run }) => run);
  const verdicts = runs.flatMap((run) => run.verdicts);
  const known = new Set<string>();
  for (const { area, name, engine } of verdicts) {
    const key = `${area}: ${name} [${engine}]`;
    if (known.has(key)) throw new Error(`two shards examined ${key}`);
    known.add(key);
  }
  return {
    verdicts,
    totals: totalsOf(
      verdicts,
      first.run.totals.seed,
      runs.reduce((sum, { totals }) => sum + totals.seconds, 0),
    ),
    command: first.run.command,
    when: runs.map(({ when }) => when).sort().at(-1)!,
    commit: first.run.commit,
  };
}
