/**
 * Examines every claim over all cores, prints the verdicts as they come, and writes verification/report.html.
 * @module
 */
import { parseArgs } from "node:util";
import type { EngineName } from "../src/compute/engine.ts";
import { type Comparison, defaultSeed } from "./claim.ts";
import type { Verdict } from "./examine.ts";
import { runSuite } from "./suite.ts";

const help = `deno task verify [flags]
  --filter REGEX    only claims whose "room: name" matches
  --rooms REGEX     only rooms that match; other claim files are not opened
  --thorough        also the slow claims
  --engine NAME     examine on this engine: wasm (default), webgpu, onnx, cpu
  --seed N          seed of the Monte Carlo claims (default ${defaultSeed})
  --vary-seed       draw that seed, and print it
  --processes N     processes beside each other (default: one a core)
  --bail            stop at the first failure
  --verbose         print every comparison
  --json            print one JSON object a claim, and one with the totals
  --no-report       do not write verification/report.html`;

/** What the totals line and the report say about a run. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly comparisons: number;
  readonly seed: number;
  readonly seconds: number;
  /** The probability that a correct program fails somewhere in this run: the sum over its Monte Carlo comparisons. */
  readonly alarmRate: number;
}

/** The family-wise false-alarm rate that a run may have. */
const alarmLimit = 1e-6;

function readFlags(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      filter: { type: "string", default: "" },
      rooms: { type: "string", default: "" },
      thorough: { type: "boolean", default: false },
      engine: { type: "string" },
      seed: { type: "string", default: String(defaultSeed) },
      "vary-seed": { type: "boolean", default: false },
      processes: { type: "string", default: String(navigator.hardwareConcurrency) },
      bail: { type: "boolean", default: false },
      verbose: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      "no-report": { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const engines: EngineName[] = ["wasm", "webgpu", "onnx", "cpu"];
  const engine = engines.find((name) => name === values.engine);
  if (values.engine !== undefined && engine === undefined) {
    throw new RangeError(`--engine is one of ${engines.join(", ")}, got ${values.engine}`);
  }
  const drawn = crypto.getRandomValues(new Uint32Array(1))[0];
  return {
    ...values,
    engine,
    filter: new RegExp(values.filter, "i"),
    rooms: new RegExp(values.rooms, "i"),
    seed: values["vary-seed"] ? drawn : wholeNumber("--seed", values.seed, 0, 2 ** 32 - 1),
    processes: wholeNumber("--processes", values.processes, 1, 256),
  };
}

function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most || text.trim() === "") {
    throw new RangeError(`${flag} is a whole number from ${least} to ${most}, got "${text}"`);
  }
  return value;
}

/** One line on a verdict; a failure's broken comparisons follow on lines of their own. */
function describe(verdict: Verdict, verbose: boolean): string {
  const { outcome, room, name, engine, comparisons, milliseconds, reason } = verdict;
  const mark = { passed: "ok  ", failed: "FAIL", skipped: "skip" }[outcome];
  if (outcome === "skipped") return `${mark} ${room}: ${name} – ${reason}`;
  const sees = comparisons.find((comparison) => comparison.alarmRate !== undefined)?.detectable;
  const facts = [engine, `${comparisons.length} comparisons`, `${milliseconds} ms`];
  if (sees !== undefined) facts.push(`sees ${sees}`);
  const shown = comparisons.filter((comparison) => verbose || !comparison.held).map(describeComparison);
  if (reason !== undefined) shown.push(`     ${reason}`);
  return [`${mark} ${room}: ${name} [${facts.join(", ")}]`, ...shown].join("\n");
}

function describeComparison({ held, what, observed, bound, source, detectable }: Comparison): string {
  const sees = detectable === undefined ? "" : `; sees ${detectable}`;
  return `     ${held ? "·" : "✗"} ${what}: ${observed}, expected ${bound} (${source}${sees})`;
}

function totalsOf(verdicts: readonly Verdict[], seed: number, seconds: number): Totals {
  const count = (outcome: Verdict["outcome"]) => verdicts.filter((v) => v.outcome === outcome).length;
  const comparisons = verdicts.flatMap((verdict) => verdict.comparisons);
  return {
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
    comparisons: comparisons.length,
    seed,
    seconds,
    alarmRate: comparisons.reduce((sum, { alarmRate }) => sum + (alarmRate ?? 0), 0),
  };
}

async function main(args: string[]): Promise<number> {
  let flags;
  try {
    flags = readFlags(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    return 2;
  }
  if (flags.help) {
    console.log(help);
    return 0;
  }
  const started = performance.now();
  const verdicts: Verdict[] = [];
  if (!flags.json) console.log(`seed ${flags.seed}, ${flags.processes} processes`);
  await runSuite(flags, (verdict) => {
    verdicts.push(verdict);
    console.log(
      flags.json ? JSON.stringify({ ...verdict, plots: undefined }) : describe(verdict, flags.verbose),
    );
  });
  const totals = totalsOf(verdicts, flags.seed, (performance.now() - started) / 1000);
  const { passed, failed, skipped } = totals;
  if (flags.json) {
    console.log(JSON.stringify(totals));
  } else {
    console.log(
      `\n${totals.comparisons} comparisons in ${
        Math.round(totals.seconds)
      } s; correct code fails one of them ` +
        `with probability ${totals.alarmRate.toExponential(1)} (limit ${alarmLimit})`,
    );
    if (verdicts.length === 0) console.log("no claim matched");
    console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  }
  return failed > 0 || verdicts.length === 0 || totals.alarmRate > alarmLimit ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
