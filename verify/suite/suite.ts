/**
 * Runs claims over all cores: a queue of claim files, the slowest first, each opened by the process that takes it; when the queue is
 * empty, idle processes take claims from the longest file still running.
 * @module
 */
import type { EngineName } from "../../src/compute/engine.ts";
import { areaOf, claimFiles } from "./claim_files.ts";
import { ClaimProcess } from "./claim_process.ts";
import type { Verdict } from "./examine.ts";
import { filesOfShard } from "./file_order.ts";
import type { Shard } from "../../src/runs/batches.ts";
import type { Area, ClaimOptions } from "./claim.ts";
import { heldBefore } from "./slow_claims.ts";

/** Which claims to run, where, and how. */
export interface SuiteOptions {
  /** Claims whose "area: name" matches. */
  readonly filter: RegExp;
  /** Claim files whose area matches; the others are not even opened. */
  readonly areas: RegExp;
  /** The only part of those files that is examined; default: all of them. */
  readonly shard?: Shard;
  /** Whether a claim is examined on an engine; default: wherever the other options leave it in. */
  readonly wanted?: (unit: Unit) => boolean;
  /** Also the slow claims, whether or not their files have changed since they last held. */
  readonly thorough: boolean;
  /** Also the slow claims whose files have changed; default true. */
  readonly changed?: boolean;
  /** The only engine to run on; claims that name engines are skipped if it is not among them. */
  readonly engine?: EngineName;
  readonly seed: number;
  readonly processes: number;
  /** Stop at the first failure. */
  readonly bail: boolean;
}

type UnitOptions = Pick<SuiteOptions, "filter" | "thorough" | "changed" | "engine">;

/** A claim on one engine; `skip` says why it is not examined there. */
export interface Unit {
  readonly file: string;
  readonly area: string;
  readonly name: string;
  readonly engine: EngineName;
  readonly skip?: string;
}

const defaultEngine: EngineName = "wasm";
/** Milliseconds after which a claim without a verdict is given up. */
export const patience = { usual: 600_000, long: 1_800_000, opening: 60_000 };

/** Runs the suite and hands every verdict to `report` as it comes. */
export async function runSuite(options: SuiteOptions, report: (verdict: Verdict) => void): Promise<void> {
  const { areas, shard = { index: 1, shards: 1 }, wanted = () => true } = options;
  const unopened = filesOfShard(claimFiles().filter((file) => areas.test(areaOf(file))), shard);
  const waiting = new Map<string, Unit[]>();
  const opening = new Set<Promise<void>>();
  const names = new Set<string>();
  let stopped = false;

  const give = (verdict: Verdict): void => {
    if (stopped) return;
    report(verdict);
    if (options.bail && verdict.outcome === "failed") stopped = true;
  };

  /** Opens a file and queues what is to be examined in it. */
  const open = async (process: ClaimProcess, file: string): Promise<void> => {
    const units: Unit[] = [];
    const { area, listings } = await process.open(file);
    for (const { name, options: claimOptions } of listings) {
      if (names.has(name)) throw new TypeError(`two claims are named "${name}"`);
      names.add(name);
      units.push(...unitsOf(file, area, name, claimOptions, options).filter(wanted));
    }
    waiting.set(file, units);
  };

  const serve = async (): Promise<void> => {
    let process = new ClaimProcess();
    let current: string | undefined;
    while (!stopped) {
      const unit = waiting.get(current ?? "")?.shift();
      if (unit === undefined) {
        const file = unopened.shift();
        if (file !== undefined) {
          const opened = open(process, file).catch(async (error: Error) => {
            give(
              brokenVerdict(
                { file, area: areaOf(file), name: `${file} opens`, engine: defaultEngine },
                error,
              ),
            );
            await process.close();
            process = new ClaimProcess();
          });
          opening.add(opened);
          await opened;
          opening.delete(opened);
          current = file;
        } else if (opening.size > 0) {
          await Promise.race(opening);
        } else {
          current = longest(waiting);
          if (current === undefined) break;
        }
        continue;
      }
      if (unit.skip !== undefined) {
        give(skippedVerdict(unit, unit.skip));
        continue;
      }
      try {
        const limit = options.thorough || options.engine === "webgpu" ? patience.long : patience.usual;
        const how = { engine: unit.engine, seed: options.seed, thorough: options.thorough };
        give(await process.examine(unit.file, unit.name, how, limit));
      } catch (error) {
        give(brokenVerdict(unit, error as Error));
        await process.close();
        process = new ClaimProcess();
      }
    }
    await process.close();
  };
  await Promise.all(Array.from({ length: options.processes }, serve));
}

/** What is to be examined of a claim: one unit an engine, none if the filter leaves it out. */
export function unitsOf(
  file: string,
  { webgpu }: Area,
  name: string,
  claim: ClaimOptions,
  options: UnitOptions,
): Unit[] {
  const area = areaOf(file);
  if (!options.filter.test(`${area}: ${name}`)) return [];
  const unit = { file, area, name };
  const on = (engine: EngineName, skip?: string) => ({ ...unit, engine, skip });
  if (typeof claim.slow === "object" && !options.thorough) {
    const why = options.changed === false
      ? "only with --thorough"
      : heldBefore(`${area}: ${name}`, claim.slow.files)
      ? "its files are those with which it last held; --thorough examines it"
      : null;
    if (why !== null) return [on(options.engine ?? defaultEngine, why)];
  }
  if (options.engine === undefined) return enginesOf(claim, webgpu, options).map((engine) => on(engine));
  const stated = claim.engines === undefined || claim.engines.some((engine) => engine === options.engine);
  return [on(options.engine, stated ? undefined : `not stated for ${options.engine}`)];
}

/** Where a claim is examined in a run for which no engine was chosen. */
function enginesOf(
  claim: ClaimOptions,
  webgpu: Area["webgpu"],
  { thorough }: UnitOptions,
): readonly EngineName[] {
  if (claim.engines !== undefined) return claim.engines;
  const onGpu = thorough ? webgpu !== undefined : webgpu === "always" && claim.slow !== "on webgpu";
  return onGpu ? [defaultEngine, "webgpu"] : [defaultEngine];
}

function longest(waiting: Map<string, Unit[]>): string | undefined {
  let best: string | undefined;
  for (const [file, units] of waiting) {
    if (units.length > (best === undefined ? 0 : waiting.get(best)!.length)) best = file;
  }
  return best;
}

/** The verdict on a claim that was not examined. */
export function skippedVerdict(unit: Unit, reason: string): Verdict {
  const { area, name, engine } = unit;
  const nothing = { milliseconds: 0, comparisons: [], plots: [], tables: [] };
  return { area, name, engine, outcome: "skipped", reason, ...nothing };
}

/** The verdict on a claim of which the process ended. */
export function brokenVerdict(unit: Unit, error: Error): Verdict {
  return { ...skippedVerdict(unit, error.stack ?? error.message), outcome: "failed" };
}
