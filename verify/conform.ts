/**
 * Measures the sampler of any program and holds it to exact laws: one line a property, and on request a page.
 * docs/conformance.md says what a program has to say, and what is measured.
 * @module
 */
import { atomicWrite, ensureWritable } from "../scripts/cli/files.ts";
import {
  choice,
  type FlagValues,
  integer,
  list,
  messageOf,
  number,
  onlyWith,
  parseFlags,
  runScript,
  text,
  toggle,
  UsageError,
} from "../scripts/cli/flags.ts";
import { formatDuration, ProgressBar } from "../scripts/cli/terminal.ts";
import {
  conform,
  conformanceGrids,
  type ConformanceReport,
  propertyNames,
} from "../src/conformance/conform.ts";
import { conformanceMarkdown, countsOf } from "../src/conformance/markdown.ts";
import type { Property, Verdict } from "../src/conformance/property.ts";
import type { SamplerRun } from "../src/conformance/sampler_under_test.ts";
import type { SdeConfig } from "../src/diffusion/sde.ts";
import { edmSde, sigmaPowerSde, subVpSde, veSde, vpSde } from "../src/diffusion/sde.ts";
import { declared } from "./conformance/declarations.ts";
import { conformancePage } from "./conformance/page.ts";
import { ProgramSampler } from "./conformance/program.ts";

const sdes = ["vp", "ve", "subvp", "sigma-power", "edm"] as const;

const usage = {
  name: "conform",
  purpose:
    "Measures the sampler of a program, in any language, and holds it to exact laws; one line a property. " +
    "Exit code 0: none fails; 1: one fails; 2: the sampler could not be measured.",
  operands: "-- PROGRAM [ARGUMENTS]",
  examples: [
    "deno task conform -- python3 examples/conformance/euler_maruyama.py",
    "deno task conform --sde edm --grid karras --declare order=2,process=ode --report page.html -- python3 my_sampler.py",
  ],
  flags: {
    sde: choice(sdes, {
      help: "the stochastic differential equation; edm is dx = √(2t) dw, so that σ(t) = t",
      default: "vp",
    }),
    betaMin: onlyWith(number({ help: "β(0)", default: 0.1 }), "sde", ["vp", "subvp"]),
    betaMax: onlyWith(number({ help: "β(1)", default: 20 }), "sde", ["vp", "subvp"]),
    sigmaMin: onlyWith(number({ help: "σ at the end (default 0.01 for ve, 0.002 for edm)" }), "sde", [
      "ve",
      "edm",
    ]),
    sigmaMax: onlyWith(number({ help: "σ at the start (default 50 for ve, 80 for edm)" }), "sde", [
      "ve",
      "edm",
    ]),
    sigma: onlyWith(number({ help: "σ of dx = σ^t dw", default: 25 }), "sde", ["sigma-power"]),
    tMin: onlyWith(
      number({ help: "the time at which runs end (default 1e-5 for ve, 1e-3 for the others)" }),
      "sde",
      ["vp", "ve", "subvp", "sigma-power"],
    ),
    grid: choice(conformanceGrids, { help: "how the levels of the runs are spaced", default: "uniform" }),
    declare: text({
      help:
        "what the sampler is to be held to: order=N, process=sde|ode, evaluations=N (a step), sampler=NAME",
      placeholder: "NAME=VALUE,…",
      default: "",
    }),
    only: list(
      choice(propertyNames, { help: `only these of ${propertyNames.join(", ")}`, placeholder: "NAME" }),
      [],
    ),
    thorough: toggle({ help: "also runs of more steps" }),
    seed: integer({
      help: "seed of the starts and noises that are drawn",
      min: 0,
      max: 2 ** 32 - 1,
      default: 0,
    }),
    timeout: number({
      help: "seconds that the program may take for a message; for its first, three times as long",
      min: 0.1,
      max: 86_400,
      default: 20,
    }),
    evaluations: integer({
      help: "most evaluations of the model in a run (default 1000, and 100 for each step)",
      min: 1,
    }),
    report: text({ help: "write a page with plots", placeholder: "FILE.html" }),
    json: toggle({ help: "print one JSON object instead" }),
    markdown: toggle({ help: "print a summary to paste into an issue instead" }),
  },
};

type Flags = FlagValues<typeof usage.flags>;

/** The flags, and the program after them. */
function readCommandLine(args: readonly string[]): { flags: Flags; command: string[] } {
  const at = args.includes("--") ? args.indexOf("--") : args.length;
  const flags = parseFlags(usage, withOneDeclare(args.slice(0, at)));
  const command = args.slice(at + 1);
  if (command.length === 0) {
    throw new UsageError(
      "which program? Give it after --, such as: deno task conform -- python3 my_sampler.py",
    );
  }
  if (flags.json && flags.markdown) {
    throw new UsageError("--json and --markdown are two ways to print: give one");
  }
  return { flags, command };
}

/** Flags with the values of every --declare in the last one, as the last one counts. */
function withOneDeclare(args: readonly string[]): string[] {
  const values: string[] = [];
  const others: string[] = [];
  for (let i = 0; i < args.length; i++) {
    if (args[i].startsWith("--declare=")) values.push(args[i].slice("--declare=".length));
    else if (args[i] === "--declare" && i + 1 < args.length && !args[i + 1].startsWith("--")) {
      values.push(args[++i]);
    } else others.push(args[i]);
  }
  return values.length === 0 ? others : [...others, `--declare=${values.join(",")}`];
}

/** The SDE of the flags, as its config. */
function readSde({ sde, betaMin, betaMax, sigmaMin, sigmaMax, sigma, tMin }: Flags): SdeConfig {
  switch (sde) {
    case "vp":
      return vpSde({ betaMin, betaMax, tMin }).config;
    case "subvp":
      return subVpSde({ betaMin, betaMax, tMin }).config;
    case "ve":
      return veSde({ sigmaMin, sigmaMax, tMin }).config;
    case "sigma-power":
      return sigmaPowerSde({ sigma, tMin }).config;
    case "edm":
      return edmSde({ tMin: sigmaMin, tMax: sigmaMax }).config;
  }
}

/** What an action returns; a value that it refuses is bad usage. */
function asUsage<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw error instanceof RangeError || error instanceof TypeError ? new UsageError(error.message) : error;
  }
}

const marks: Readonly<Record<Verdict, string>> = {
  holds: "ok  ",
  fails: "FAIL",
  noted: "note",
  "not measured": "skip",
};

/** A line on a property, and its words below. */
function describe({ name, title, verdict, observed, bound, words }: Property): string {
  const facts = [observed, bound === "" ? "" : `expected ${bound}`].filter((fact) => fact !== "").join("; ");
  const line = `${marks[verdict]} ${name}: ${title}${facts === "" ? "" : ` [${facts}]`}`;
  return words === "" ? line : `${line}\n     ${words}`;
}

/** Measures the program's sampler, and shows each property as it comes. */
async function measure(flags: Flags, command: readonly string[]): Promise<ConformanceReport> {
  const { grid, thorough, seed, timeout, evaluations } = flags;
  const only = flags.only.length === 0 ? propertyNames : flags.only;
  const [sde, declares] = asUsage(() => [readSde(flags), declared(flags.declare)] as const);
  await using program = await ProgramSampler.start(command, { timeout, evaluations });
  // Without a conversation there is nothing to measure, so that it is always the first.
  const total = new Set(["conversation", ...only]).size;
  using progress = new ProgressBar({ label: "measuring", total, unit: "properties" });
  const [lines, terminal] = [!flags.json && !flags.markdown, Deno.stderr.isTerminal()];
  let done = 0;
  const onProperty = (property: Property) => {
    // Without its program, nothing more can be measured.
    if (program.fault !== null) throw program.fault;
    if (lines) {
      progress.finish();
      console.log(describe(property));
    }
    // Where lines go to a file, they are the progress.
    if (terminal || !lines) progress.update(++done, property.name);
  };
  const description = {
    ...program.description,
    declares: { ...program.description.declares, ...declares },
  };
  const sampler = { description, run: (run: SamplerRun) => program.run(run) };
  return await conform(sampler, { sde, grid, thorough, seed, only, onProperty });
}

/** Measures, prints and writes what the flags ask for; whether no property fails. */
async function conformed({ flags, command }: ReturnType<typeof readCommandLine>): Promise<boolean> {
  if (flags.report !== undefined) await ensureWritable(flags.report);
  const report = await measure(flags, command);
  const words = ["deno task conform", ...Deno.args].join(" ");
  if (flags.json) console.log(JSON.stringify({ command: words, ...report, plots: undefined }));
  else if (flags.markdown) console.log(conformanceMarkdown(report));
  else console.log(`\n${report.sampler.name}: ${countsOf(report)}, ${formatDuration(report.seconds)}`);
  if (flags.report !== undefined) {
    const page = conformancePage(report, { command: words, when: new Date().toISOString() });
    await atomicWrite(flags.report, new TextEncoder().encode(page));
    if (!flags.json && !flags.markdown) console.log(flags.report);
  }
  return report.properties.every(({ verdict }) => verdict !== "fails");
}

async function main(): Promise<void> {
  const commandLine = readCommandLine(Deno.args);
  const holds = await conformed(commandLine).catch((error) => {
    // 1 is for a property that fails: whatever else goes wrong is as bad usage.
    throw new UsageError(messageOf(error), { cause: error });
  });
  // Pipes that something holds open, which the program has started and which has left its group, are not waited for.
  Deno.exit(holds ? 0 : 1);
}

if (import.meta.main) await runScript(main);
