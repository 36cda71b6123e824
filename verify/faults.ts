/**
 * Plants every fault of verify/faults/ in a copy of the sources and runs the claims that should notice it, over all cores;
 * fails if one survives, or if a patch no longer applies.
 * @module
 */
import { integer, parseFlags, runScript, text } from "../scripts/cli/flags.ts";
import { areaOf, claimFiles } from "./suite/claim_files.ts";
import { whatWasSeen } from "./suite/examine.ts";
import { type Fault, type FaultVerdict, planted } from "./suite/fault.ts";
import { SourceCopy } from "./suite/source_copy.ts";
import type { Unit } from "./suite/suite.ts";
import { checkedOut } from "./suite/git.ts";
import { writeFaults } from "./report/files.ts";

const usage = {
  name: "verify:faults",
  purpose: "Plants known faults in copies of the sources and runs the claims that should catch them.",
  examples: ["deno task verify:faults", "deno task verify:faults --filter samplers/ode-heun"],
  flags: {
    filter: text({ help: "only faults whose path matches", placeholder: "REGEX", default: "." }),
    processes: integer({
      help: "copies worked on beside each other",
      min: 1,
      max: 256,
      default: navigator.hardwareConcurrency,
    }),
  },
};

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  const filter = new RegExp(flags.filter, "i");
  const faults = readFaults().filter(([name]) => filter.test(name));
  if (faults.length === 0) throw new Error(`no fault's path matches ${flags.filter}`);
  const started = performance.now();
  const commit = await checkedOut();
  const folder = await Deno.makeTempDir({ prefix: "faults-" });
  const verdicts: FaultVerdict[] = [];
  try {
    await Promise.all(Array.from({ length: Math.min(flags.processes, faults.length) }, async (_, i) => {
      const copy = await SourceCopy.make(`${folder}/${i}`);
      for (let next = faults.shift(); next !== undefined; next = faults.shift()) {
        const verdict = await examineFault(copy, ...next);
        verdicts.push(verdict);
        console.log(describe(verdict));
      }
    }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const count = (...outcomes: FaultVerdict["outcome"][]) =>
    verdicts.filter(({ outcome }) => outcomes.includes(outcome)).length;
  if (flags.filter === ".") {
    verdicts.sort((a, b) => a.name.localeCompare(b.name));
    await writeFaults({ when: new Date().toISOString(), commit, verdicts });
  }
  console.log(`\n${verdicts.length} faults in ${Math.round((performance.now() - started) / 1000)} s`);
  console.log(
    `${count("caught")} caught, ${count("survived")} survived, ${count("stale", "broken")} do not apply`,
  );
  if (count("caught") < verdicts.length) Deno.exit(1);
}

/** The faults by their paths in verify/faults without their ending, such as "samplers/em-noise-h", in order. */
function readFaults(): [string, Fault][] {
  const folder = new URL("faults/", import.meta.url);
  const paths = [...Deno.readDirSync(folder)].flatMap((subject) =>
    [...Deno.readDirSync(new URL(`${subject.name}/`, folder))].map(({ name }) => `${subject.name}/${name}`)
  );
  return paths.sort().map((path) => [
    path.slice(0, -".json".length),
    JSON.parse(Deno.readTextFileSync(new URL(path, folder))),
  ]);
}

/** A claim must break once the fault is in, and hold again when it is taken out. */
async function examineFault(copy: SourceCopy, name: string, fault: Fault): Promise<FaultVerdict> {
  const verdict = (outcome: FaultVerdict["outcome"], by: string, saw: string): FaultVerdict => ({
    name,
    fault: fault.fault,
    outcome,
    by,
    saw,
  });
  const faulty = planted(await copy.read(fault.file) ?? "", fault);
  if (faulty === null) {
    return verdict("stale", "", `the text to replace is not exactly once in ${fault.file}`);
  }
  const areas = new RegExp(fault.caughtBy.areas, "i");
  const files = claimFiles().filter((file) => areas.test(areaOf(file)));
  const filter = new RegExp(fault.caughtBy.claims ?? "", "i");
  const { failed, passed } = await copy.with(fault.file, faulty, () => copy.firstFailure({ files, filter }));
  if (failed === null) {
    if (passed.length === 0) throw new Error(`${name}: no claim was examined for ${claimsOf(fault)}`);
    return verdict("survived", "", `claims: ${claimsOf(fault)}`);
  }
  if (failed.name.endsWith(".ts opens")) return verdict("broken", failed.name, failed.reason ?? "");
  const by = `${failed.area}: ${failed.name}`;
  const wanted = ({ area, name }: Unit) => `${area}: ${name}` === by;
  if ((await copy.firstFailure({ files, wanted })).failed !== null) {
    return verdict("broken", failed.name, "the claim fails without the fault, too");
  }
  return verdict("caught", by, whatWasSeen(failed));
}

function claimsOf({ caughtBy }: Fault): string {
  return [caughtBy.areas, caughtBy.claims].filter((text) => text !== undefined).join(" / ");
}

function describe({ outcome, name, fault, by, saw }: FaultVerdict): string {
  const mark = outcome === "caught" ? "caught  " : outcome.toUpperCase().padEnd(8);
  return `${mark} ${name}: ${fault}\n         ${[by, saw].filter((part) => part !== "").join(" – ")}`;
}

if (import.meta.main) await runScript(main);
