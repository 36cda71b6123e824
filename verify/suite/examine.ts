/**
 * Examines one claim on one engine and says what came of it.
 * @module
 */
import { type Area, Check, type Claim, type Comparison, type Plot, Skip, type Table } from "./claim.ts";
import { missing, programsOf } from "./needs.ts";
import { allowPrograms } from "./program.ts";
import { currentEngine, type EngineName } from "../../src/compute/engine.ts";
import { switchEngine } from "./engines.ts";

/** What came of one claim on one engine. */
export interface Verdict {
  /** The claim file's path in verify/claims without its ending, such as "samplers/langevin". */
  readonly area: string;
  readonly name: string;
  readonly engine: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Why it was skipped, or the error it ended with. */
  readonly reason?: string;
  readonly milliseconds: number;
  /** Whether another seed may change what is observed; absent for a claim that was not examined. */
  readonly seeded?: boolean;
  readonly comparisons: readonly Comparison[];
  readonly plots: readonly Plot[];
  readonly tables: readonly Table[];
  /** What its file says of pictures and tables, where there are some. */
  readonly captions?: Pick<Area, "plots" | "tables">;
  /** For a slow claim, the files and folders whose changes call for it. */
  readonly files?: readonly string[];
}

/** How a claim is examined. */
export interface Examination {
  readonly engine: EngineName;
  readonly seed: number;
  readonly thorough: boolean;
}

/** Runs the claim's body and judges its comparisons. Never throws. */
export async function examine(area: string, claim: Claim, how: Examination): Promise<Verdict> {
  const { engine, seed, thorough } = how;
  const check = new Check(seed, thorough);
  const started = performance.now();
  let outcome: Verdict["outcome"] = "passed";
  let reason: string | undefined;
  try {
    const needs = claim.options.needs ?? [];
    allowPrograms(programsOf(needs));
    for (const need of needs) {
      const lacking = await missing(need);
      if (lacking !== null) check.skip(lacking);
    }
    await switchEngine(engine);
    await claim.examine(check);
    currentEngine()?.check();
    if (check.comparisons.length === 0) throw new Error("the claim compared nothing");
    if (check.comparisons.some((comparison) => !comparison.held)) outcome = "failed";
  } catch (error) {
    outcome = error instanceof Skip ? "skipped" : "failed";
    reason = error instanceof Skip ? error.message : (error as Error).stack ?? String(error);
  }
  return {
    area,
    name: claim.name,
    engine,
    outcome,
    reason,
    seeded: check.seedWasRead,
    milliseconds: Math.round(performance.now() - started),
    comparisons: check.comparisons,
    plots: check.plots,
    tables: check.tables,
    ...typeof claim.options.slow === "object" && { files: claim.options.slow.files },
  };
}

/** In one line, what broke a claim: its first comparison that did not hold, or the error. */
export function whatWasSeen({ comparisons, reason = "" }: Verdict): string {
  const broken = comparisons.find(({ held }) => !held);
  return broken === undefined
    ? reason.split("\n")[0]
    : `${broken.what}: ${broken.observed}, expected ${broken.bound}`;
}
