/**
 * A claim is one refutable statement about this project. Claim files register theirs here; main.ts runs them.
 * @module
 */
import { inspect, isDeepStrictEqual } from "node:util";
import type { Need } from "./needs.ts";

/** One comparison made while a claim was examined. */
export interface Comparison {
  readonly what: string;
  readonly observed: string;
  readonly bound: string;
  /** Where the bound comes from: a derivation, a paper's equation, a reference implementation. */
  readonly source: string;
  /** The smallest error that this comparison would have seen. */
  readonly detectable?: string;
  /** For a Monte Carlo comparison: the probability that correct code breaks it. */
  readonly alarmRate?: number;
  /** Where chance plays and its distribution is known: how often correct code deviates as much or more. */
  readonly pValue?: number;
  /** How much of the allowed deviation was used: 0 for none, 1 at the bound; absent where there is no such number. */
  readonly used?: number;
  readonly held: boolean;
}

/** A picture for the report. */
export interface Plot {
  readonly title: string;
  readonly svg: string;
}

/** A table for the report; cells are printed as they are. */
export interface Table {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What a claim file exports as `area`, where its claims have more in common than their path. */
export interface Area {
  /**
   * Its claims compute with tensors and are examined on webgpu, too, unless they name engines: in every run, or only under
   * --thorough, as a software GPU takes minutes for them.
   */
  readonly webgpu?: "always" | "thorough";
  /** The heading above its pictures in the report, and what they show. */
  readonly plots?: Caption;
  /** The heading above its tables in the report, and what they show. */
  readonly tables?: Caption;
}

/** Words above pictures or tables. */
export interface Caption {
  readonly title: string;
  readonly text?: string;
}

/** What a claim needs or where it runs. */
export interface ClaimOptions {
  /** Resources without which the claim is skipped with a reason. */
  readonly needs?: readonly Need[];
  /** Engines the claim is examined on; default: wasm, and webgpu where its area says so. */
  readonly engines?: readonly ("wasm" | "webgpu" | "cpu" | "onnx")[];
  /**
   * With files: a claim that takes more than half a minute, examined under --thorough and whenever one of these files or
   * folders has changed since it last held. "on webgpu": examined there only under --thorough, as a software GPU takes long.
   */
  readonly slow?: "on webgpu" | { readonly files: readonly string[] };
}

/** A registered claim. */
export interface Claim {
  readonly name: string;
  readonly options: ClaimOptions;
  readonly examine: (check: Check) => void | Promise<void>;
}

/** Thrown to skip a claim, with the reason that is shown. */
export class Skip extends Error {}

/** All claims registered so far, in order. */
export const claims: Claim[] = [];

/** Registers a claim; its name is a sentence that can be false. */
export function claim(name: string, examine: Claim["examine"]): void;
export function claim(name: string, options: ClaimOptions, examine: Claim["examine"]): void;
export function claim(name: string, first: ClaimOptions | Claim["examine"], second?: Claim["examine"]): void {
  if (claims.some((other) => other.name === name)) throw new TypeError(`two claims are named "${name}"`);
  const [options, examine] = typeof first === "function" ? [{}, first] : [first, second];
  if (examine === undefined) throw new TypeError(`the claim "${name}" has no body`);
  claims.push({ name, options, examine });
}

/** What the smallest visible error of a comparison is and, where chance plays, how often it is wrong. */
export interface Power {
  readonly detectable?: string;
  readonly alarmRate?: number;
  readonly pValue?: number;
}

/** The seed of a run that asks for none. */
export const defaultSeed = 20260101;

/** Collects the comparisons of one claim. Every method records; the claim fails if any comparison did not hold. */
export class Check {
  readonly comparisons: Comparison[] = [];
  readonly plots: Plot[] = [];
  readonly tables: Table[] = [];
  readonly #seed: number;
  #seedWasRead = false;

  /**
   * @param seed what a Monte Carlo claim draws its numbers from; `--vary-seed` changes it from run to run
   * @param thorough whether there is time to look at all cases instead of some
   */
  constructor(seed: number = defaultSeed, readonly thorough: boolean = false) {
    this.#seed = seed;
  }

  /** The seed of this run. */
  get seed(): number {
    this.#seedWasRead = true;
    return this.#seed;
  }

  /** Whether the claim asked for the seed; if not, another seed changes nothing. */
  get seedWasRead(): boolean {
    return this.#seedWasRead;
  }

  /** Attaches a picture to the claim in the report. */
  plot(title: string, svg: string): void {
    this.plots.push({ title, svg });
  }

  /** Attaches a table to the claim in the report. */
  table(title: string, header: readonly string[], rows: readonly (readonly string[])[]): void {
    this.tables.push({ title, header, rows });
  }

  /** observed ≤ bound; NaN fails, and so does −∞, which is the largest of no numbers. */
  atMost(what: string, observed: number, bound: number, source: string, power: Power = {}): void {
    this.#record(
      what,
      format(observed),
      `≤ ${format(bound)}`,
      source,
      observed > -Infinity && observed <= bound,
      {
        used: bound >= 0 ? fraction(Math.max(0, observed), bound) : undefined,
        ...power,
      },
    );
  }

  /** observed ≥ bound; NaN fails, and so does ∞, which is the smallest of no numbers. */
  atLeast(what: string, observed: number, bound: number, source: string, power: Power = {}): void {
    this.#record(
      what,
      format(observed),
      `≥ ${format(bound)}`,
      source,
      observed < Infinity && observed >= bound,
      {
        used: bound > 0 && observed > 0 ? bound / observed : undefined,
        ...power,
      },
    );
  }

  /** |observed − expected| ≤ tolerance; NaN fails. */
  within(
    what: string,
    observed: number,
    expected: number,
    tolerance: number,
    source: string,
    power: Power = {},
  ): void {
    const held = observed === expected || Math.abs(observed - expected) <= tolerance;
    this.#record(what, format(observed), `${format(expected)} ± ${format(tolerance)}`, source, held, {
      used: fraction(Math.abs(observed - expected), tolerance),
      ...power,
    });
  }

  /** Deep strict equality. */
  equal(what: string, observed: unknown, expected: unknown, source: string): void {
    // Not assert.deepStrictEqual, whose description of how two large arrays differ takes minutes and all memory.
    const held = isDeepStrictEqual(observed, expected);
    this.#record(what, brief(observed), `= ${brief(expected)}`, source, held, {});
  }

  /** A condition that has no number. */
  holds(what: string, condition: boolean, source: string, power: Power = {}): void {
    this.#record(what, String(condition), "true", source, condition, power);
  }

  /** Any other comparison, with its verdict and the words to show for it. */
  record(comparison: Comparison): void {
    this.comparisons.push(comparison);
  }

  /** The action fails with a message that matches. */
  async throws(what: string, action: () => unknown, message: RegExp): Promise<void> {
    let observed = "no error";
    try {
      await action();
    } catch (error) {
      observed = error instanceof Error ? error.message : String(error);
    }
    this.#record(
      what,
      observed,
      String(message),
      "errors name the value and what is allowed",
      message.test(observed),
      {},
    );
  }

  /** Leaves the claim unexamined. */
  skip(reason: string): never {
    throw new Skip(reason);
  }

  #record(
    what: string,
    observed: string,
    bound: string,
    source: string,
    held: boolean,
    power: Power & Pick<Comparison, "used">,
  ): void {
    this.comparisons.push({ what, observed, bound, source, held, ...power });
  }
}

/** part / whole, where nothing of nothing is nothing. */
function fraction(part: number, whole: number): number {
  return part === 0 ? 0 : part / whole;
}

function format(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
  return Number(value.toPrecision(5)).toString();
}

/** A value in one short line: typed arrays with their length and first numbers, functions by their names. */
export function brief(value: unknown, longest = 80): string {
  const text = typeof value === "string" ? value : inspect(value, {
    maxArrayLength: 8,
    maxStringLength: longest,
    breakLength: Infinity,
    compact: true,
    depth: 4,
  });
  return text.length > longest ? `${text.slice(0, longest - 3)}…` : text;
}
