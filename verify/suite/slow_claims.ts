/**
 * When a claim that takes minutes is examined: under `--thorough`, and whenever one of its files is not what it was when
 * the claim last held. slow_claims.json keeps a digest of those files for each such claim.
 * @module
 */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { atomicWrite } from "../../scripts/cli/files.ts";
import type { Verdict } from "./examine.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const record = fileURLToPath(new URL("slow_claims.json", import.meta.url));

/** Whether the files are those with which the claim "area: name" last held. */
export function heldBefore(claim: string, files: readonly string[]): boolean {
  return readRecord()[claim] === digestOf(files);
}

/** Notes the files of slow claims that held on every engine where they were examined. */
export async function recordHeld(verdicts: readonly Verdict[]): Promise<void> {
  const known = readRecord();
  const before = JSON.stringify(known);
  for (const { area, name, files } of verdicts) {
    const own = verdicts.filter((verdict) => verdict.area === area && verdict.name === name);
    if (files === undefined || own.some(({ outcome }) => outcome !== "passed")) continue;
    known[`${area}: ${name}`] = digestOf(files);
  }
  if (JSON.stringify(known) === before) return;
  const sorted = Object.fromEntries(Object.entries(known).sort(([a], [b]) => a < b ? -1 : 1));
  await atomicWrite(record, new TextEncoder().encode(`${JSON.stringify(sorted, null, 2)}\n`));
}

/**
 * SHA-256 of files and of all files in folders, with their paths from the project's folder on; of those that count.
 * @throws {Deno.errors.NotFound} When there is no such file: a list that names nothing would never see a change.
 */
export function digestOf(files: readonly string[], counts: (path: string) => boolean = () => true): string {
  const hash = createHash("sha256");
  for (const path of files.flatMap(expand).filter(counts).sort()) {
    hash.update(`${path}\n${Deno.statSync(root + path).size}\n`).update(Deno.readFileSync(root + path));
  }
  return hash.digest("hex");
}

function expand(path: string): string[] {
  // What Python compiles beside its sources is none.
  if (path.endsWith("__pycache__")) return [];
  if (!Deno.statSync(root + path).isDirectory) return [path];
  return [...Deno.readDirSync(root + path)].flatMap(({ name }) => expand(`${path}/${name}`));
}

function readRecord(): Record<string, string> {
  try {
    return JSON.parse(Deno.readTextFileSync(record));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}
