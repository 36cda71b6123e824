/** Reads YAML 1.2. @module */
import { parse } from "npm:yaml@2.8.1";

/**
 * What a YAML document holds, as plain data.
 * @throws {Error} for what is no YAML, or names a key twice
 */
export function readYaml(text: string): unknown {
  return parse(text);
}
