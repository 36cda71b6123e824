/**
 * What is known of mutants, on disk: a run that is cut goes on where it was, and shards beside each other keep a file each.
 * @module
 */
import { atomicWrite } from "../../scripts/cli/files.ts";
import { digest, type Mutant } from "./mutant.ts";
import type { Result } from "./result.ts";

/** What a result stands on: it holds while these are what they were. */
export interface Basis {
  /** The mutated file's text. */
  readonly text: string;
  /** A digest of the claims that can notice a change of it: other claims may notice what these did not. */
  readonly claims: string;
  /** Seconds of claims after which a mutant is left undecided. */
  readonly seconds: number;
}

interface Entry {
  readonly result: Result;
  readonly text: string;
  readonly claims: string;
  readonly seconds: number | null;
}

interface Content {
  readonly results: Record<string, Entry>;
  /** Milliseconds of claims that held, by "area: name [engine]". */
  readonly times: Record<string, number>;
  /** How many mutants of a file each claim has noticed. */
  readonly noticed: Record<string, Record<string, number>>;
}

/** The record of one shard, with what the others have found. */
export class MutantRecord {
  readonly #path: string;
  readonly #own: Content;
  readonly #others: readonly Content[];

  private constructor(path: string, own: Content, others: readonly Content[]) {
    this.#path = path;
    this.#own = own;
    this.#others = others;
  }

  /**
   * Reads all records of a folder, which is made where there is none; `name` is the file that is written. `times` are those of
   * claims that no record has.
   */
  static async open(folder: string, name: string, times: Content["times"] = {}): Promise<MutantRecord> {
    await Deno.mkdir(folder, { recursive: true });
    const contents = new Map<string, Content>();
    for await (const { name } of Deno.readDir(folder)) {
      if (name.endsWith(".json")) {
        contents.set(name, JSON.parse(await Deno.readTextFile(`${folder}/${name}`)));
      }
    }
    const own = contents.get(name) ?? { results: {}, times: {}, noticed: {} };
    contents.delete(name);
    return new MutantRecord(`${folder}/${name}`, own, [...contents.values(), {
      results: {},
      times,
      noticed: {},
    }]);
  }

  /** What came of a mutant, if it would come of it again; null for what is to be examined. */
  known({ id }: Mutant, basis: Basis): Result | null {
    for (const { results } of [this.#own, ...this.#others]) {
      const entry = results[id];
      if (entry === undefined || entry.text !== digest(basis.text)) continue;
      const { outcome } = entry.result;
      if (["survived", "undecided"].includes(outcome) && entry.claims !== basis.claims) continue;
      if (outcome === "undecided" && (entry.seconds ?? Infinity) < basis.seconds) continue;
      return entry.result;
    }
    return null;
  }

  /** Keeps what came of a mutant. */
  async add({ file }: Mutant, basis: Basis, result: Result): Promise<void> {
    const { claims, seconds } = basis;
    const limit = Number.isFinite(seconds) ? seconds : null;
    this.#own.results[result.id] = { result, text: digest(basis.text), claims, seconds: limit };
    if (result.outcome === "noticed") {
      const own = this.#own.noticed[file] ??= {};
      own[result.by] = (own[result.by] ?? 0) + 1;
    }
    await atomicWrite(this.#path, new TextEncoder().encode(JSON.stringify(this.#own)));
  }

  /** Milliseconds that a claim took when it last held, by "area: name [engine]"; undefined where that is not known. */
  time(claim: string): number | undefined {
    return [this.#own, ...this.#others].map(({ times }) => times[claim]).find((time) => time !== undefined);
  }

  /** Notes how long a claim took, to be written with the next result. */
  took(claim: string, milliseconds: number): void {
    this.#own.times[claim] = milliseconds;
  }

  /** How many mutants of a file a claim, "area: name", has noticed. */
  noticed(file: string, claim: string): number {
    return [this.#own, ...this.#others].reduce((sum, { noticed }) => sum + (noticed[file]?.[claim] ?? 0), 0);
  }

  /** The claims of which a time is known. */
  timed(): string[] {
    return [this.#own, ...this.#others].flatMap(({ times }) => Object.keys(times));
  }
}
