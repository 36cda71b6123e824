/**
 * Samplers by their names elsewhere on the command line.
 * @module
 */
import { otherNameOf } from "../../src/samplers/other_names.ts";
import { samplerNames } from "../../src/samplers/registry.ts";
import { UsageError } from "../cli/flags.ts";

/**
 * The flags that a sampler's name elsewhere stands for.
 * @throws UsageError for one that has no counterpart
 */
export function flagsOfName(text: string): Readonly<Record<string, string>> | undefined {
  if (samplerNames.includes(text)) return undefined;
  const found = otherNameOf(text);
  if (found === undefined) return undefined;
  const { row: { sampler, sde, note, options = {} }, grid } = found;
  if (sampler === null) {
    throw new UsageError(`--sampler "${text}" is not here (docs/names.md); ${note.replaceAll("`", "")}`);
  }
  const others = Object.entries(options).map(([option, value]) => [option, String(value)]);
  return { sampler, ...Object.fromEntries(others), ...sde && { sde }, ...grid !== null && { grid } };
}
