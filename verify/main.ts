/**
 * Examines every claim over all cores, prints the verdicts as they come, and writes verification/report.html.
 * @module
 */
import { choice, integer, parseFlags, runScript, text, toggle, UsageError } from "../scripts/cli/flags.ts";
import { type Comparison, defaultSeed } from "./suite/claim.ts";
import type { Verdict } from "./suite/examine.ts";
import type { Totals } from "./report/page.ts";
import { recordSeconds } from "./suite/file_order.ts";
import { checkedOut } from "./suite/git.ts";
import { writeRun } from "./report/files.ts";
import { recordHeld } from "./suite/slow_claims.ts";
import { runSuite } from "./suite/suite.ts";

const usage = {
  name: "verify",
  purpose: "Examines every claim about this project; one line a claim, the totals last.",
  examples: ['deno task verify --areas "samplers|sde"', "deno task verify --thorough --vary-seed"],
  renamed: { rooms: "areas" },
  flags: {
    filter: text({ help: 'only claims whose "area: name" matches', placeholder: "REGEX" }),
    areas: text({
      help: "only areas that match, such as samplers/langevin; other claim files are not opened",
      placeholder: "REGEX",
    }),
    thorough: toggle({ help: "also the slow claims, whether or not their files have changed" }),
    changed: toggle({
      help: "without slow claims whose files have changed since they last held",
      default: true,
    }),
    engine: choice(["wasm", "webgpu", "onnx", "cpu"], {
      help: "run on this engine only; by default on wasm and, what computes with tensors, on webgpu too",
    }),
    seed: integer({ help: "seed of the Monte Carlo claims", min: 0, max: 2 ** 32 - 1, default: defaultSeed }),
    varySeed: toggle({ help: "draw that seed, and print it" }),
    processes: integer({
      help: "processes beside each other; the default is one a core",
      min: 1,
      max: 256,
      default: navigator.hardwareConcurrency,
    }),
    bail: toggle({ help: "stop at the first failure" }),
    verbose: toggle({ help: "print every comparison" }),
    json: toggle({ help: "print one JSON object a claim, and one with the totals" }),
    report: toggle({ help: "do not write verification/report.html", default: true }),
  },
};

/** The family-wise false-alarm rate that a run may have. */
const alarmLimit = 1e-6;

function readFlags(args: readonly string[]) {
  const flags = parseFlags(usage, args);
  const drawn = crypto.getRandomValues(new Uint32Array(1))[0];
  return {
    ...flags,
    filter: pattern("--filter", flags.filter),
    areas: pattern("--areas", flags.areas),
    seed: flags.varySeed ? drawn : flags.seed,
  };
}

function pattern(flag: string, text = ""): RegExp {
  try {
    return new RegExp(text, "i");
  } catch {
    throw new UsageError(`${flag} must be a regular expression, got "${text}"`);
  }
}

/** One line on a verdict; a failure's broken comparisons follow on lines of their own. */
function describe(verdict: Verdict, verbose: boolean): string {
  const { outcome, area, name, engine, comparisons, milliseconds, reason } = verdict;
  const mark = { passed: "ok  ", failed: "FAIL", skipped: "skip" }[outcome];
  if (outcome === "skipped") return `${mark} ${area}: ${name} [${engine}] – ${reason}`;
  const sees = comparisons.find((comparison) => comparison.alarmRate !== undefined)?.detectable;
  const facts = [engine, `${comparisons.length} comparisons`, `${milliseconds} ms`];
  if (sees !== undefined) facts.push(`sees ${sees}`);
  const shown = comparisons.filter((comparison) => verbose || !comparison.held).map(describeComparison);
  if (reason !== undefined) shown.push(`     ${reason}`);
  return [`${mark} ${area}: ${name} [${facts.join(", ")}]`, ...shown].join("\n");
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

async function main(): Promise<void> {
  const flags = readFlags(Deno.args);
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
  if (flags.report) {
    const command = ["deno task verify", ...Deno.args].join(" ");
    const [when, commit] = [new Date().toISOString(), await checkedOut()];
    await writeRun({ verdicts, totals, command, when, commit });
    await recordHeld(verdicts);
    const { areas, filter, engine, thorough } = flags;
    const whole = areas.source === "(?:)" && filter.source === "(?:)" && engine === undefined && !thorough;
    if (whole && failed === 0) await recordSeconds(verdicts);
  }
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
  if (failed > 0 || verdicts.length === 0 || totals.alarmRate > alarmLimit) Deno.exit(1);
}

if (import.meta.main) await runScript(main);
