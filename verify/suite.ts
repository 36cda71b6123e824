/**
 * Runs claims over all cores: a queue of claim files, each opened by the process that takes it; when the queue is
 * empty, idle processes take claims from the longest file still running.
 * @module
 */
import type { EngineName } from "../src/compute/engine.ts";
import { ClaimProcess } from "./claim_process.ts";
import type { Verdict } from "./examine.ts";
import type { ClaimOptions } from "./claim.ts";
import { heldBefore } from "./slow_claims.ts";

/** Which claims to run, where, and how. */
export interface SuiteOptions {
  /** Claims whose "room: name" matches. */
  readonly filter: RegExp;
  /** Claim files whose room matches; the others are not even opened. */
  readonly rooms: RegExp;
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
  readonly room: string;
  readonly name: string;
  readonly engine: EngineName;
  readonly skip?: string;
}

const defaultEngine: EngineName = "wasm";
/** Milliseconds after which a claim without a verdict is given up. */
export const patience = { usual: 600_000, long: 1_800_000 };

/**
 * Claims that compute with tensors and name no engine are examined on webgpu, too: in these rooms always, in the others that
 * begin with one of these words under --thorough, as a software GPU takes minutes for them.
 */
const gpuRooms = {
  usual: [
    "denoiser",
    "distribution",
    "distribution_banana",
    "distribution_property",
    "distribution_reference",
    "distribution_sample",
    "metric",
    "network",
    "network_denoiser",
    "network_wave",
    "objective",
    "objective_matching",
    "training",
  ],
  thorough: [
    "conditioning",
    "denoiser",
    "distribution",
    "law",
    "likelihood",
    "metric",
    "network",
    "objective",
    "sampler",
    "training",
  ],
};

/** Runs the suite and hands every verdict to `report` as it comes. */
export async function runSuite(options: SuiteOptions, report: (verdict: Verdict) => void): Promise<void> {
  const unopened = claimFiles().filter((file) => options.rooms.test(roomOf(file)));
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
    for (const { name, options: claimOptions } of await process.open(file)) {
      if (names.has(name)) throw new TypeError(`two claims are named "${name}"`);
      names.add(name);
      units.push(...unitsOf(file, name, claimOptions, options));
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
            give(broken({ file, room: roomOf(file), name: `${file} opens`, engine: defaultEngine }, error));
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
        give(skipped(unit, unit.skip));
        continue;
      }
      try {
        const limit = options.thorough || options.engine === "webgpu" ? patience.long : patience.usual;
        const how = { engine: unit.engine, seed: options.seed, thorough: options.thorough };
        give(await process.examine(unit.file, unit.name, how, limit));
      } catch (error) {
        give(broken(unit, error as Error));
        await process.close();
        process = new ClaimProcess();
      }
    }
    await process.close();
  };
  await Promise.all(Array.from({ length: options.processes }, serve));
}

/** The claim files beside this one. */
export function claimFiles(): string[] {
  return [...Deno.readDirSync(import.meta.dirname!)]
    .map((entry) => entry.name)
    .filter((name) => name.endsWith("_claims.ts"))
    .sort();
}

/** The room that a claim file speaks about. */
export function roomOf(file: string): string {
  return file.replace(/_claims\.ts$/, "");
}

/** What is to be examined of a claim: one unit an engine, none if the filter leaves it out. */
export function unitsOf(file: string, name: string, claim: ClaimOptions, options: UnitOptions): Unit[] {
  const room = claim.room ?? roomOf(file);
  if (!options.filter.test(`${room}: ${name}`)) return [];
  const unit = { file, room, name };
  const on = (engine: EngineName, skip?: string) => ({ ...unit, engine, skip });
  if (typeof claim.slow === "object" && !options.thorough) {
    const why = options.changed === false
      ? "only with --thorough"
      : heldBefore(`${room}: ${name}`, claim.slow.files)
      ? "its files are those with which it last held; --thorough examines it"
      : null;
    if (why !== null) return [on(options.engine ?? defaultEngine, why)];
  }
  if (options.engine === undefined) return enginesOf(file, claim, options).map((engine) => on(engine));
  const stated = claim.engines === undefined || claim.engines.some((engine) => engine === options.engine);
  return [on(options.engine, stated ? undefined : `not stated for ${options.engine}`)];
}

/** Where a claim is examined in a run for which no engine was chosen. */
function enginesOf(file: string, claim: ClaimOptions, { thorough }: UnitOptions): readonly EngineName[] {
  if (claim.engines !== undefined) return claim.engines;
  const room = roomOf(file);
  const onGpu = thorough
    ? gpuRooms.thorough.includes(room.split("_")[0])
    : gpuRooms.usual.includes(room) && claim.slow !== "on webgpu";
  return onGpu ? [defaultEngine, "webgpu"] : [defaultEngine];
}

function longest(waiting: Map<string, Unit[]>): string | undefined {
  let best: string | undefined;
  for (const [file, units] of waiting) {
    if (units.length > (best === undefined ? 0 : waiting.get(best)!.length)) best = file;
  }
  return best;
}

function skipped(unit: Unit, reason: string): Verdict {
  const { room, name, engine } = unit;
  const nothing = { milliseconds: 0, comparisons: [], plots: [], tables: [] };
  return { room, name, engine, outcome: "skipped", reason, ...nothing };
}

function broken(unit: Unit, error: Error): Verdict {
  return { ...skipped(unit, error.stack ?? error.message), outcome: "failed" };
}
