/**
 * What claims observed under many seeds, on disk line by line, so that an interrupted run of many seeds goes on where it was.
 * @module
 */
import { parseJson } from "../../src/input/json.ts";
import { quoted } from "../../src/input/quoted.ts";
import type { Verdict } from "./examine.ts";
import { SeedTally } from "./seed_tally.ts";
import type { Unit } from "./suite.ts";

/** What a record is of: it is gone on with only where this is the same. */
export type SeedBasis = Readonly<Record<string, string | number | boolean | null>>;

type Named = Pick<Unit, "area" | "name" | "engine">;

/** A line of the file after the first. */
type Line =
  | { readonly finished: number; readonly seconds: number }
  | { readonly seed: number; readonly verdict: Verdict };

/** A record of the verdicts of claims in which chance plays. */
export class SeedRecord {
  readonly #lines: Line[];

  private constructor(readonly path: string, lines: readonly Line[]) {
    this.#lines = [...lines];
  }

  /**
   * Opens the record, which is begun where there is none.
   * @throws {Error} When the file is of other sources or options, or no record.
   */
  static async open(path: string, basis: SeedBasis): Promise<SeedRecord> {
    const text = await Deno.readTextFile(path).catch(() => null);
    if (text === null) {
      await Deno.writeTextFile(path, `${JSON.stringify(basis)}\n`, { createNew: true });
      return new SeedRecord(path, []);
    }
    // A last line that was not written whole is left out, and written over.
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    let lines: unknown[];
    try {
      lines = whole.split("\n").slice(0, -1).map(parseJson);
    } catch {
      throw new Error(`${quoted(path)} is no record of seeds: remove it to begin anew`);
    }
    const [earlier = {}, ...rest] = lines as [SeedBasis, ...Line[]];
    for (const key of Object.keys({ ...earlier, ...basis })) {
      if (earlier[key] === basis[key]) continue;
      throw new Error(
        `${quoted(path)} is of another run: its ${key} is ${earlier[key]}, now it is ${basis[key]}; ` +
          "remove it to begin anew",
      );
    }
    if (whole.length < text.length) await Deno.truncate(path, new TextEncoder().encode(whole).length);
    return new SeedRecord(path, rest);
  }

  /** The seeds under which claims were examined, in the order in which they began. */
  get seeds(): number[] {
    return [...new Set(this.#lines.flatMap((line) => "seed" in line ? [line.seed] : []))];
  }

  /** The seeds under which all claims were examined, with the seconds that took. */
  get finished(): ReadonlyMap<number, number> {
    return new Map(this.#lines.flatMap((line) => "finished" in line ? [[line.finished, line.seconds]] : []));
  }

  /** Whether a claim is still to be examined under a seed: not if it was, or if chance plays no part in it. */
  wants(seed: number, unit: Named): boolean {
    const own = this.#verdicts().filter(({ verdict }) => isOf(unit, verdict));
    if (own.some((line) => line.seed === seed)) return false;
    return own.length === 0 || own.some(({ verdict }) => isMonteCarlo(verdict));
  }

  /** Keeps a verdict; pictures, tables and comparisons without chance are left out. */
  async add(seed: number, verdict: Verdict): Promise<void> {
    const comparisons = verdict.comparisons.filter(({ alarmRate }) => alarmRate !== undefined);
    await this.#append({ seed, verdict: { ...verdict, comparisons, plots: [], tables: [] } });
  }

  /** Notes that all claims were examined under a seed, in these seconds. */
  async finish(seed: number, seconds: number): Promise<void> {
    await this.#append({ finished: seed, seconds });
  }

  /** The claims in which chance plays, each with what came of it under these seeds. */
  tallies(seeds: readonly number[]): { readonly claim: Named; readonly tally: SeedTally }[] {
    const found = new Map<string, { claim: Named; tally: SeedTally }>();
    const verdicts = this.#verdicts();
    for (const { verdict } of verdicts.filter(({ verdict }) => isMonteCarlo(verdict))) {
      const { area, name } = verdict;
      const claim = { area, name, engine: verdict.engine as Unit["engine"] };
      found.set(keyOf(claim), { claim, tally: new SeedTally() });
    }
    for (const { seed, verdict } of verdicts) {
      if (seeds.includes(seed)) found.get(keyOf(verdict))?.tally.add(seed, verdict);
    }
    return [...found.values()];
  }

  #verdicts(): { readonly seed: number; readonly verdict: Verdict }[] {
    return this.#lines.filter((line) => "seed" in line);
  }

  async #append(line: Line): Promise<void> {
    this.#lines.push(line);
    await Deno.writeTextFile(this.path, `${JSON.stringify(line)}\n`, { append: true });
  }
}

function keyOf({ area, name, engine }: Pick<Verdict, "area" | "name" | "engine">): string {
  return `${area}: ${name} [${engine}]`;
}

function isOf(unit: Named, verdict: Verdict): boolean {
  return keyOf(unit) === keyOf(verdict);
}

/** Whether another seed may let it fail though the code is right. */
function isMonteCarlo({ seeded, comparisons }: Verdict): boolean {
  return seeded === true && comparisons.some(({ alarmRate }) => alarmRate !== undefined);
}
