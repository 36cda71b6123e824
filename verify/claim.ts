/**
 * A claim is one refutable statement about this project. Claim files register theirs here; main.ts runs them.
 * @module
 */
import assert from "node:assert/strict";

/** One comparison made while a claim was examined. */
export interface Comparison {
  readonly what: string;
  readonly observed: string;
  readonly bound: string;
  /** Where the bound comes from: a derivation, a paper's equation, a reference implementation. */
  readonly source: string;
  /** The smallest error that this comparison would have seen. */
  readonly detectable?: string;
  readonly held: boolean;
}

/** What a claim needs or where it runs. */
export interface ClaimOptions {
  /** The room of the house the claim is about; by default the claim file's own. */
  readonly room?: string;
  /** Resources without which the claim is skipped with a reason. */
  readonly needs?: readonly ("mnist" | "onnx" | "pytorch" | "webgpu")[];
  /** Engines the claim is examined on; default: the run's engine only. */
  readonly engines?: readonly ("wasm" | "webgpu" | "cpu" | "onnx")[];
  /** Only examined under --thorough. */
  readonly slow?: boolean;
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

/** What the smallest visible error of a comparison is. */
export interface Power {
  readonly detectable?: string;
}

/** Collects the comparisons of one claim. Every method records; the claim fails if any comparison did not hold. */
export class Check {
  readonly comparisons: Comparison[] = [];

  /** observed ≤ bound; NaN fails. */
  atMost(what: string, observed: number, bound: number, source: string, power: Power = {}): void {
    this.#record(what, format(observed), `≤ ${format(bound)}`, source, observed <= bound, power);
  }

  /** observed ≥ bound; NaN fails. */
  atLeast(what: string, observed: number, bound: number, source: string, power: Power = {}): void {
    this.#record(what, format(observed), `≥ ${format(bound)}`, source, observed >= bound, power);
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
    this.#record(what, format(observed), `${format(expected)} ± ${format(tolerance)}`, source, held, power);
  }

  /** Deep strict equality. */
  equal(what: string, observed: unknown, expected: unknown, source: string): void {
    let held = true;
    try {
      assert.deepStrictEqual(observed, expected);
    } catch {
      held = false;
    }
    this.#record(what, brief(observed), `= ${brief(expected)}`, source, held, {});
  }

  /** A condition that has no number. */
  holds(what: string, condition: boolean, source: string): void {
    this.#record(what, String(condition), "true", source, condition, {});
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

  #record(what: string, observed: string, bound: string, source: string, held: boolean, power: Power): void {
    this.comparisons.push({ what, observed, bound, source, held, ...power });
  }
}

function format(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
  return Number(value.toPrecision(5)).toString();
}

function brief(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
