/**
 * The files in docs/results/: read all together, and condensed from the last runs in verification/.
 * @module
 */
import type { FaultRun } from "../suite/fault.ts";
import type {
  ClaimTable,
  FaultSummary,
  Measured,
  ResultFiles,
  SeedsRun,
  SuiteSummary,
} from "./results_page.ts";
import { subjectsOf } from "./subjects.ts";

/** What is taken from a run of claims, as verification/run.json keeps it. */
type KeptRun = Pick<SuiteSummary, "command" | "when" | "commit" | "totals"> & {
  readonly verdicts: readonly {
    readonly area: string;
    readonly name: string;
    readonly engine: string;
    readonly outcome: string;
    readonly comparisons: readonly unknown[];
    readonly tables: readonly ClaimTable[];
  }[];
};

/** The area whose tables the page shows. */
const PUBLISHED = "samplers/published_table";

/** Files by name that a run of the claims fills: `suite` if it was of all claims, `published` if it has that area's tables. */
export function condensedRun(value: unknown): [name: string, content: unknown][] {
  if (value === null) return [];
  const { verdicts, totals, command, when, commit } = value as KeptRun;
  const files: [string, unknown][] = [];
  const { passed, failed, skipped, comparisons } = totals;
  if (!/--(areas|filter|engine|bail)\b/.test(command)) {
    const subjects = subjectsOf(verdicts).map(({ title, verdicts }) => {
      const held = verdicts.filter(({ outcome }) => outcome === "passed");
      return [
        title,
        held.length,
        held.reduce((sum, { comparisons }) => sum + comparisons.length, 0),
      ] as const;
    });
    const summary: SuiteSummary = {
      command,
      when,
      commit,
      totals: { passed, failed, skipped, comparisons },
      subjects,
    };
    files.push(["suite", summary]);
  }
  const tables = verdicts.filter(({ area, engine }) => area === PUBLISHED && engine === "wasm")
    .flatMap(({ tables }) => tables);
  if (tables.length > 0) {
    files.push(["published", { command: `deno task verify --areas ${PUBLISHED}`, tables }]);
  }
  return files;
}

/** The file `faults` that a run of all planted faults fills. */
export function condensedFaults(value: unknown): [name: string, content: FaultSummary][] {
  if (value === null) return [];
  const { when, commit, verdicts } = value as FaultRun;
  const caught = verdicts.filter(({ outcome }) => outcome === "caught").length;
  return [["faults", { when, commit, planted: verdicts.length, caught }]];
}

/** The file `seeds` that a run under many seeds fills. */
export function condensedSeeds(value: unknown): [name: string, content: SeedsRun][] {
  return value === null ? [] : [["seeds", value as SeedsRun]];
}

/** All files of a folder such as docs/results/. */
export async function readResultFiles(folder: URL): Promise<ResultFiles> {
  const found = new Map<string, unknown>();
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".json")) continue;
    found.set(name.slice(0, -".json".length), JSON.parse(await Deno.readTextFile(new URL(name, folder))));
  }
  const take = <T>(name: string): T | null => {
    const value = found.get(name) ?? null;
    found.delete(name);
    return value as T | null;
  };
  const [suite, faults] = [take<SuiteSummary>("suite"), take<FaultSummary>("faults")];
  const [published, seeds] = [take<ResultFiles["published"]>("published"), take<SeedsRun>("seeds")];
  return { suite, faults, published, seeds, measured: found as Map<string, Measured> };
}
