/**
 * A mutant: one small change of one source file, whose name survives edits elsewhere in the file.
 * @module
 */
import { createHash } from "node:crypto";
import type { Edit, Operator } from "./operators.ts";

/** One small change of one file. */
export interface Mutant {
  /** Twelve hexadecimal digits of a digest of the file's path, the operator, both texts and a number among equals. */
  readonly id: string;
  /** From the project's folder on. */
  readonly file: string;
  readonly operator: Operator;
  /** The number of the first line, from 1. */
  readonly line: number;
  /** The lines that it touches, in one line with single spaces, and what becomes of them. */
  readonly before: string;
  readonly after: string;
  readonly edit: Edit;
}

/** The mutants of a file from its edits. Two of equal lines are told apart by their order. */
export function mutantsFrom(file: string, text: string, edits: readonly Edit[]): Mutant[] {
  const seen = new Map<string, number>();
  return edits.map((edit) => {
    const [from, to] = [text.lastIndexOf("\n", edit.start - 1) + 1, lineEnd(text, edit.end)];
    const before = oneLine(text.slice(from, to));
    const after = oneLine(text.slice(from, edit.start) + edit.text + text.slice(edit.end, to));
    const name = [file, edit.operator, before, after].join("\n");
    const number = seen.get(name) ?? 0;
    seen.set(name, number + 1);
    const id = digest(`${name}\n${number}`).slice(0, 12);
    const line = text.slice(0, edit.start).split("\n").length;
    return { id, file, operator: edit.operator, line, before, after, edit };
  });
}

/** The text with the change in it. */
export function mutated(text: string, { edit }: Mutant): string {
  return text.slice(0, edit.start) + edit.text + text.slice(edit.end);
}

/** The mutants in an order in which every beginning is a random sample of them all, the same for a seed. */
export function shuffled(mutants: readonly Mutant[], seed: number): Mutant[] {
  return mutants.map((mutant) => ({ mutant, key: digest(`${seed} ${mutant.id}`) }))
    .sort((a, b) => a.key < b.key ? -1 : 1).map(({ mutant }) => mutant);
}

/** A digest of a text, in hexadecimal digits. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function lineEnd(text: string, from: number): number {
  const at = text.indexOf("\n", from);
  return at < 0 ? text.length : at;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
