/** What functions refuse, in one written-out sentence each. @module */
import type { Check } from "../suite/claim.ts";

/** What is tried, and the kind and the words of the refusal; "" where nothing is refused. */
export type RefusalCase = readonly [what: string, action: () => unknown, refusal: string];

/** Holds each action to its refusal. */
export function checkRefusals(check: Check, cases: readonly RefusalCase[]): void {
  for (const [what, action, expected] of cases) {
    let refusal = "";
    try {
      action();
    } catch (error) {
      refusal = String(error);
    }
    check.equal(what, refusal, expected, "one sentence with the value and what is allowed, written out");
  }
}
