/**
 * Properties that must hold for all inputs: fast-check looks for one that breaks them and shrinks it.
 * @module
 */
import * as fc from "npm:fast-check@4.10.2";
import { brief, type Check } from "../suite/claim.ts";

export { fc };

/**
 * Records whether `holds` returns true (not false, not an error) for every drawn input; a counterexample is shown as small
 * as it can be made.
 *
 * @param runs Inputs drawn, default 200.
 */
export async function checkProperty<T>(
  check: Check,
  what: string,
  inputs: fc.Arbitrary<T>,
  holds: (input: T) => boolean | Promise<boolean>,
  source: string,
  runs = 200,
): Promise<void> {
  const details = await fc.check(
    fc.asyncProperty(inputs, async (input) => await holds(input)),
    { numRuns: runs, seed: check.seed },
  );
  const error = details.errorInstance instanceof Error ? ` (${details.errorInstance.message})` : "";
  check.record({
    what,
    observed: details.failed
      ? `fails for ${brief(details.counterexample?.[0], 300)}${error}`
      : `holds for ${details.numRuns} inputs`,
    bound: "holds for all inputs",
    source,
    held: !details.failed,
  });
}
