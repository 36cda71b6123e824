/**
 * Writes docs/results.md from the files in docs/results/, after taking into them what the last whole runs of the claims, of
 * the planted faults and of many seeds left in verification/; `--measure` runs commands again first.
 * @module
 */
import { fileURLToPath } from "node:url";
import { atomicWrite } from "../scripts/cli/files.ts";
import { parseFlags, runScript, text, toggle, UsageError } from "../scripts/cli/flags.ts";
import { comparisons, type Measurement, measurements } from "./report/measurements.ts";
import { condensedFaults, condensedRun, condensedSeeds, readResultFiles } from "./report/result_files.ts";
import { resultsPage } from "./report/results_page.ts";

const all: readonly Measurement[] = [...measurements, ...comparisons];

const usage = {
  name: "results",
  purpose: "Writes docs/results.md from the files in docs/results/ and the last whole runs in verification/.",
  examples: [
    "deno task results",
    "deno task results --measure evaluate,likelihood",
    "deno task results --measure compare --resume",
  ],
  flags: {
    measure: text({
      help: `commands to run again: all, or some of ${all.map(({ name }) => name).join(", ")}`,
      placeholder: "NAME,…",
    }),
    resume: toggle({ help: "keep the rows of comparisons that are stored, and measure what is missing" }),
  },
};

const root = new URL("../", import.meta.url);
const folder = new URL("docs/results/", root);

function chosen(names: string | undefined): readonly Measurement[] {
  if (names === undefined) return [];
  if (names === "all") return all;
  return names.split(",").map((name) => {
    const found = all.find((measurement) => measurement.name === name);
    if (found !== undefined) return found;
    throw new UsageError(
      `--measure must be all or some of ${all.map(({ name }) => name).join(", ")}, got "${name}"`,
    );
  });
}

/** Whether a part of what a command prints is stored: neither what differs from run to run, nor long lists of numbers. */
function isKept(key: string, value: unknown): boolean {
  const isLong = Array.isArray(value) && value.length > 100 && typeof value[0] === "number";
  return !["file", "files", "seconds"].includes(key) && !isLong;
}

/**
 * Runs a measurement's command and stores what it prints.
 * @param resume Whether a comparison keeps the rows that are stored.
 */
async function measure({ name, command, output }: Measurement, resume: boolean): Promise<void> {
  const scratch = await Deno.makeTempDir();
  try {
    const place = output === undefined ? [] : ["--output", `${scratch}/${output}`];
    const compares = comparisons.some((comparison) => comparison.name === name);
    const stored = resume && compares ? await storedResult(name) : null;
    if (stored !== null) await Deno.writeTextFile(`${scratch}/${output}.json`, stored);
    const { code, stdout } = await new Deno.Command("deno", {
      args: ["task", "--quiet", ...command, "--json", ...place, ...stored === null ? [] : ["--resume"]],
      cwd: root,
      stderr: "inherit",
    }).output();
    if (code !== 0) throw new Error(`deno task ${command.join(" ")} failed`);
    const result = JSON.parse(
      new TextDecoder().decode(stdout),
      (key, value) => isKept(key, value) ? value : undefined,
    );
    await store(name, {
      command: ["deno task", ...command].join(" "),
      measured: new Date().toISOString().slice(0, 10),
      result,
    });
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** The stored result of a measurement, as its command wrote it; null where none is stored. */
async function storedResult(name: string): Promise<string | null> {
  const path = new URL(`${name}.json`, folder);
  const stored = await Deno.readTextFile(path).then(JSON.parse, (error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
  return stored === null ? null : JSON.stringify(stored.result);
}

async function store(name: string, value: unknown): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const bytes = new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
  await atomicWrite(fileURLToPath(new URL(`${name}.json`, folder)), bytes);
}

async function readRun(name: string): Promise<unknown> {
  return await Deno.readTextFile(new URL(`verification/${name}`, root)).then(JSON.parse, () => null);
}

async function main(): Promise<void> {
  const { measure: names, resume } = parseFlags(usage, Deno.args);
  for (const measurement of chosen(names)) await measure(measurement, resume);
  for (const [name, value] of condensedRun(await readRun("run.json"))) await store(name, value);
  for (const [name, value] of condensedFaults(await readRun("faults.json"))) await store(name, value);
  for (const [name, value] of condensedSeeds(await readRun("seeds.json"))) await store(name, value);
  const page = resultsPage(await readResultFiles(folder));
  const path = fileURLToPath(new URL("docs/results.md", root));
  await atomicWrite(path, new TextEncoder().encode(page));
  const { success } = await new Deno.Command("deno", {
    args: ["fmt", "--quiet", "docs/results.md", "docs/results"],
    cwd: root,
  }).output();
  if (!success) throw new Error("deno fmt docs/results.md failed");
  console.log("docs/results.md");
}

if (import.meta.main) await runScript(main);
