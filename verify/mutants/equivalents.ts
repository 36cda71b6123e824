/**
 * Mutants that no claim can notice, as the program does the same with them; equivalent.json says of each why.
 * @module
 */
import type { Mutant } from "./mutant.ts";

/** One change, wherever in the file its lines stand, that makes no difference. */
export interface Equivalent {
  readonly file: string;
  readonly operator: string;
  /** The lines before and after, each as one line with single spaces. */
  readonly before: string;
  readonly after: string;
  readonly why: string;
}

/** The list in equivalent.json. */
export async function readEquivalents(): Promise<Equivalent[]> {
  return JSON.parse(await Deno.readTextFile(new URL("equivalent.json", import.meta.url)));
}

/** Why a mutant is equivalent; null where the list does not have it. */
export function whyEquivalent(mutant: Mutant, list: readonly Equivalent[]): string | null {
  return list.find((entry) => isThat(mutant, entry))?.why ?? null;
}

/** Entries that are no mutant any more: their lines have changed. */
export function staleEquivalents(mutants: readonly Mutant[], list: readonly Equivalent[]): Equivalent[] {
  return list.filter((entry) => !mutants.some((mutant) => isThat(mutant, entry)));
}

function isThat(mutant: Mutant, { file, operator, before, after }: Equivalent): boolean {
  return mutant.file === file && mutant.operator === operator && mutant.before === before &&
    mutant.after === after;
}
