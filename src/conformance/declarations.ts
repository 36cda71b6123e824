/** Checks of what is declared of a sampler. @module */
import { checkFields } from "../input/fields.ts";
import { checkName } from "../input/option_name.ts";
import { quoted } from "../input/quoted.ts";
import type { Declarations } from "./sampler_under_test.ts";

/** Throws unless declarations are ones. */
export function checkDeclarations(declares: Declarations): void {
  checkFields("declares", declares as unknown, [], ["order", "process", "evaluationsPerStep", "sampler"]);
  const { order, process, evaluationsPerStep, sampler } = declares;
  for (const [name, value] of Object.entries({ order, evaluationsPerStep })) {
    if (value !== undefined && !(typeof value === "number" && value > 0 && Number.isFinite(value))) {
      throw new RangeError(`declares.${name} must be positive, got ${quoted(value)}`);
    }
  }
  if (process !== undefined) checkName("declares.process", process, ["sde", "ode"]);
  if (sampler !== undefined && typeof sampler !== "string") {
    throw new TypeError(`declares.sampler must be text, got ${quoted(sampler)}`);
  }
}
