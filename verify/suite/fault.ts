/**
 * A fault to plant in a copy of the sources, and the claims that should notice.
 * @module
 */

/** One small patch; a JSON file in verify/faults/SUBJECT/, the folder of the claims that catch it. */
export interface Fault {
  /** What is wrong in it, in a few words. */
  readonly fault: string;
  /** The file to patch. */
  readonly file: string;
  /** Text that stands there exactly once. */
  readonly find: string;
  /** What is put in its place. */
  readonly replace: string;
  /** The claim files and, among them, the claims ("area: name") that are run. */
  readonly caughtBy: { readonly areas: string; readonly claims?: string };
}

/** What came of a fault. */
export interface FaultVerdict {
  readonly name: string;
  readonly fault: string;
  /** "stale": the patch does not apply. "broken": the patched program does not even start. */
  readonly outcome: "caught" | "survived" | "stale" | "broken";
  /** The claim that caught it and what it saw, or what went wrong. */
  readonly by: string;
  readonly saw: string;
}

/** A run of all planted faults, as verification/faults.json keeps it. */
export interface FaultRun {
  /** ISO 8601. */
  readonly when: string;
  /** What was checked out, where that is known; a plus stands for changes since. */
  readonly commit: string | null;
  readonly verdicts: readonly FaultVerdict[];
}

/** The text with the fault in it, or null where `find` does not stand exactly once. */
export function planted(text: string, { find, replace }: Fault): string | null {
  const at = text.indexOf(find);
  if (at < 0 || text.indexOf(find, at + 1) >= 0 || find === replace) return null;
  return text.slice(0, at) + replace + text.slice(at + find.length);
}
