/**
 * The files of the project that claims read, and a digest of them.
 * @module
 */
import { existsSync } from "node:fs";
import { digestOf } from "./slow_claims.ts";

/** What claims read; the rest, such as what training runs and the report left, is not copied. */
export const sources: readonly string[] = [
  ".ci",
  "src",
  "verify",
  "pytorch",
  "scripts",
  "site",
  "fixtures",
  "examples",
  "docs",
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "LICENSE",
  "README.md",
  "mod.ts",
  "deno.json",
  "deno.lock",
];

/**
 * A digest of all that claims read. Lock files are left out: Deno may write them anew, and packages are pinned in the sources.
 */
export function treeDigest(): string {
  const there = sources.filter((path) => existsSync(new URL(`../../${path}`, import.meta.url)));
  return digestOf(there, (path) => !path.endsWith(".lock"));
}
