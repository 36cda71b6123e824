/**
 * Copies of the sources, in which one file at a time is changed and claims are examined.
 * @module
 */
import { fileURLToPath } from "node:url";
import type { EngineName } from "../../src/compute/engine.ts";
import { defaultSeed } from "./claim.ts";
import { areaOf } from "./claim_files.ts";
import { ClaimProcess, NoAnswer, temporaryFolder } from "./claim_process.ts";
import type { Verdict } from "./examine.ts";
import { sources } from "./sources.ts";
import { brokenVerdict, patience, type Unit, unitsOf } from "./suite.ts";

/** Which claims are examined, in which order and for how long. */
export interface Selection {
  /** Claim files below verify/claims. */
  readonly files: readonly string[];
  /** Claims whose "area: name" matches; default: all. */
  readonly filter?: RegExp;
  /** Whether a claim is examined on an engine; default: wherever the suite examines it. */
  readonly wanted?: (unit: Unit) => boolean;
  /** What is examined earlier has a smaller number; default: in the order of the files and claims. */
  readonly rank?: { readonly file: (file: string) => number; readonly unit: (unit: Unit) => number };
  /** Milliseconds after which a claim without a verdict is given up. */
  readonly patience?: (unit: Unit) => number;
  /** No claim is begun once this says so. */
  readonly stop?: () => boolean;
}

/** What came of the claims of a copy. */
export interface Examined {
  /** The first failure, if there was one. */
  readonly failed: Verdict | null;
  /** Whether that is a claim that had no verdict in time. */
  readonly timedOut: boolean;
  /** Claims that were examined and held. */
  readonly passed: readonly Verdict[];
  /** Whether all claims were examined, or one has failed. */
  readonly complete: boolean;
}

/** A copy of the sources. */
export class SourceCopy {
  /** @param folder Where it lies. */
  private constructor(readonly folder: string) {}

  /** Copies the sources into a folder that does not exist yet. */
  static async make(folder: string, from: string = fileURLToPath(new URL("../../", import.meta.url))) {
    await Deno.mkdir(folder);
    for (const name of sources) {
      if (await exists(`${from}/${name}`)) await copyAll(`${from}/${name}`, `${folder}/${name}`);
    }
    return new SourceCopy(await Deno.realPath(folder));
  }

  /** The text of a file, or null where there is none. */
  async read(file: string): Promise<string | null> {
    return await Deno.readTextFile(`${this.folder}/${file}`).catch(() => null);
  }

  /** Does something while a file has another text. */
  async with<T>(file: string, text: string, work: () => Promise<T>): Promise<T> {
    const original = await Deno.readTextFile(`${this.folder}/${file}`);
    try {
      await Deno.writeTextFile(`${this.folder}/${file}`, text);
      return await work();
    } finally {
      await Deno.writeTextFile(`${this.folder}/${file}`, original);
    }
  }

  /** Examines claims in one process, by their ranks, until one fails. A claim file is opened when its turn comes. */
  async firstFailure(selection: Selection): Promise<Examined> {
    const { files, filter = /(?:)/, wanted = () => true, stop = () => false } = selection;
    const limit = selection.patience ?? (() => patience.usual);
    const order = selection.rank ?? { file: () => 0, unit: () => -1 };
    const passed: Verdict[] = [];
    const ended = (failed: Verdict | null, error?: unknown) => ({
      failed,
      timedOut: error instanceof NoAnswer,
      passed,
      complete: true,
    });
    const unopened = files.map((file) => ({ file, rank: order.file(file) }));
    const units: { readonly unit: Unit; readonly rank: number }[] = [];
    await Deno.mkdir(temporaryFolder(this.folder), { recursive: true });
    const process = new ClaimProcess(this.folder);
    try {
      while (unopened.length + units.length > 0) {
        if (stop()) return { ...ended(null), complete: false };
        const [file, unit] = [least(unopened), least(units)];
        if (unit === undefined || (file !== undefined && file.rank < unit.rank)) {
          unopened.splice(unopened.indexOf(file!), 1);
          try {
            units.push(
              ...(await this.#open(process, file!.file, filter)).filter(wanted)
                .map((unit) => ({ unit, rank: order.unit(unit) })),
            );
          } catch (error) {
            return ended(brokenVerdict(opening(file!.file), error as Error), error);
          }
          continue;
        }
        units.splice(units.indexOf(unit), 1);
        const { file: own, name, engine, skip } = unit.unit;
        if (skip !== undefined) continue;
        try {
          const how = { engine, seed: defaultSeed, thorough: false };
          const verdict = await process.examine(own, name, how, limit(unit.unit));
          if (verdict.outcome === "failed") return ended(verdict);
          if (verdict.outcome === "passed") passed.push(verdict);
        } catch (error) {
          return ended(brokenVerdict(unit.unit, error as Error), error);
        }
      }
      return ended(null);
    } finally {
      await process.close();
      await Deno.remove(temporaryFolder(this.folder), { recursive: true }).catch(() => {});
    }
  }

  async #open(process: ClaimProcess, file: string, filter: RegExp): Promise<Unit[]> {
    const { area, listings } = await process.open(file, patience.opening);
    return listings.flatMap(({ name, options }) =>
      unitsOf(file, area, name, options, { filter, thorough: false, changed: false })
    );
  }
}

/** What stands for a claim file that does not even open. */
export function opening(file: string): Unit {
  return { file, area: areaOf(file), name: `${file} opens`, engine: "wasm" satisfies EngineName };
}

function least<T extends { readonly rank: number }>(items: readonly T[]): T | undefined {
  let found: T | undefined;
  for (const item of items) if (found === undefined || item.rank < found.rank) found = item;
  return found;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function copyAll(from: string, to: string): Promise<void> {
  if (!(await Deno.stat(from)).isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) await copyAll(`${from}/${name}`, `${to}/${name}`);
}
