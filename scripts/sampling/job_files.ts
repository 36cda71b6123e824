/**
 * The files for batch systems in examples/, with the numbers of a plan in the place of theirs.
 * @module
 */
import type { Plan, PlanRequest } from "./run_plan.ts";

/** Where they are. */
const folder = new URL("../../examples/", import.meta.url);

/** Files for batch systems, by name. */
type JobFiles = Readonly<Record<"slurm_array.sh" | "kubernetes_job.yaml", string>>;

/** Fills both files in; `threads` are the processors that a shard is given. */
export async function jobFiles(request: PlanRequest, plan: Plan, threads: number): Promise<JobFiles> {
  const { count, batch, hours, sampling } = request;
  const { engine, shards, memory } = plan;
  const flags = `--engine ${engine} --count ${count} --batch ${batch}`;
  const join = ["--shards 8 --output", `--shards ${shards} --output`] as const;
  const mebibytes = Math.round(memory / 2 ** 20);
  const extra = sampling.map(shellWord);
  return {
    "slurm_array.sh": await filled("slurm_array.sh", [
      join,
      ["--array=1-8", `--array=1-${shards}`],
      ["--cpus-per-task=4", `--cpus-per-task=${threads}`],
      ["--mem=2G", `--mem=${mebibytes}M`],
      ["--time=04:00:00", `--time=${clock(hours)}`],
      ["shards=8", `shards=${shards}`],
      ["--engine wasm --count 100000 --batch 64", [flags, ...extra].join(" ")],
    ]),
    "kubernetes_job.yaml": await filled("kubernetes_job.yaml", [
      join,
      ["completions: 8", `completions: ${shards}`],
      ["parallelism: 8", `parallelism: ${shards}`],
      ['value: "8"', `value: "${shards}"`],
      [
        "value: --engine wasm --count 100000 --batch 64",
        `value: ${JSON.stringify([flags, ...sampling].join(" "))}`,
      ],
      ['cpu: "2", memory: 1Gi', `cpu: "${threads}", memory: ${mebibytes}Mi`],
      ["memory: 2Gi", `memory: ${mebibytes}Mi`],
    ]),
  };
}

/** A file of examples/ in which each text is replaced that is there once. */
async function filled(
  name: string,
  changes: readonly (readonly [from: string, to: string])[],
): Promise<string> {
  let text = await Deno.readTextFile(new URL(name, folder));
  for (const [from, to] of changes) {
    if (text.split(from).length !== 2) throw new Error(`"${from}" is not exactly once in examples/${name}`);
    text = text.replace(from, () => to);
  }
  return text;
}

/** A word of a shell's command line, in quotes where it needs them. */
function shellWord(word: string): string {
  return /^[\w./:=,+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Hours as HH:MM:SS, rounded up to a minute. */
function clock(hours: number): string {
  const minutes = Math.ceil(60 * hours - 1e-9);
  return [Math.floor(minutes / 60), minutes % 60, 0].map((part) => String(part).padStart(2, "0")).join(":");
}
