/**
 * In which order claim files are taken: those that take longest first, so that no core waits at the end for one that began late;
 * and how they are divided among machines. seconds.json keeps how long they took in a full run.
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Shard } from "../../src/runs/batches.ts";
import { atomicWrite } from "../../scripts/cli/files.ts";
import { areaOf } from "./claim_files.ts";
import type { Verdict } from "./examine.ts";

/** Whole seconds of the claims of each area; areas of less than a second are left out. */
export type Seconds = Readonly<Record<string, number>>;

const record = fileURLToPath(new URL("seconds.json", import.meta.url));

/** Claim files with those first that took longest; those that took as long, or were never recorded, in the order given. */
export function slowestFirst(files: readonly string[], seconds: Seconds = recorded()): string[] {
  const of = (file: string) => seconds[areaOf(file)] ?? 0;
  return files.toSorted((a, b) => of(b) - of(a));
}

/** Seconds that count for a file of which none are recorded: it took less than one, or is new. */
const UNRECORDED = 0.5;

/**
 * The claim files of one shard. Each file, the slowest first, goes to the shard that has the least to do so far: none has more
 * to do than 4/3 − 1/(3N) times the best division (Graham 1969, "Bounds on multiprocessing timing anomalies", theorem 2).
 */
export function filesOfShard(
  files: readonly string[],
  { index, shards }: Shard,
  seconds: Seconds = recorded(),
): string[] {
  const parts = Array.from({ length: shards }, () => ({ load: 0, files: [] as string[] }));
  for (const file of slowestFirst(files, seconds)) {
    const least = parts.reduce((best, part) => part.load < best.load ? part : best);
    least.load += seconds[areaOf(file)] ?? UNRECORDED;
    least.files.push(file);
  }
  return parts[index - 1].files;
}

/** The seconds of a full run; an area of which a claim was skipped keeps those it had, if they are more. */
export function secondsOf(verdicts: readonly Verdict[], before: Seconds): Seconds {
  const sums = new Map<string, number>();
  const skipped = new Set<string>();
  for (const { area, milliseconds, outcome } of verdicts) {
    sums.set(area, (sums.get(area) ?? 0) + milliseconds / 1000);
    if (outcome === "skipped") skipped.add(area);
  }
  const rows = [...sums].map(([area, sum]) => {
    const kept = skipped.has(area) ? before[area] ?? 0 : 0;
    return [area, Math.max(kept, Math.round(sum))] as const;
  });
  return Object.fromEntries(rows.filter(([, sum]) => sum > 0).sort(([a], [b]) => a < b ? -1 : 1));
}

/** Whether an area's share of all seconds is another than it was, by more than two hundredths. */
export function muchChanged(before: Seconds, now: Seconds): boolean {
  const total = (seconds: Seconds) => Object.values(seconds).reduce((sum, value) => sum + value, 0);
  const share = (seconds: Seconds, area: string) => (seconds[area] ?? 0) / Math.max(total(seconds), 1);
  return Object.keys({ ...before, ...now }).some((area) =>
    Math.abs(share(before, area) - share(now, area)) > 0.02
  );
}

/** Writes down how long the claims of a full run took, where the order may change by it: else each run would change a file. */
export async function recordSeconds(verdicts: readonly Verdict[]): Promise<void> {
  const before = recorded();
  const now = secondsOf(verdicts, before);
  if (!muchChanged(before, now)) return;
  await atomicWrite(record, new TextEncoder().encode(`${JSON.stringify(now, null, 2)}\n`));
}

function recorded(): Seconds {
  try {
    return JSON.parse(Deno.readTextFileSync(record));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}
