/**
 * Says how long a large run of sampling takes, in how many shards and with how much memory, by a short probe on this machine:
 * `deno task plan`.
 * @module
 */
import { availableParallelism, cpus, totalmem } from "node:os";
import { join } from "node:path";
import { readNpyHeader } from "../src/images/npy.ts";
import { atomicWrite, ensureWritable } from "./cli/files.ts";
import {
  choice,
  deciding,
  type Flag,
  flagName,
  type FlagValues,
  integer,
  number,
  text,
  toggle,
} from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import { outputOf, startTask } from "./cli/task_process.ts";
import { formatBytes } from "./cli/terminal.ts";
import { eitherFlags } from "./sampling/consistency_model.ts";
import { engineNames, gridFlag, labelFlags, samplingFlags, sdeFlag } from "./sampling/flags.ts";
import { jobFiles } from "./sampling/job_files.ts";
import {
  type Estimate,
  measureTrials,
  type Plan,
  planOf,
  type PlanRequest,
  type Trial,
} from "./sampling/run_plan.ts";

/** A flag of `deno task sample`, passed on to it where it is given. */
function passedOn<T>(flag: Flag<T>): Flag<T | undefined> {
  return { ...deciding(["sampling"], flag), fallback: undefined, excludedBy: [] };
}

/** What is drawn and how; other flags of `sample` may be added to the files. */
const samplingWords = {
  checkpoint: passedOn(
    text({ help: "what draws; by default what deno task sample takes", placeholder: "FILE" }),
  ),
  sampler: passedOn({ ...eitherFlags.sampler, help: "the algorithm, by its name in deno task sample" }),
  steps: passedOn(samplingFlags.steps),
  sde: passedOn(sdeFlag),
  grid: passedOn(gridFlag),
  label: passedOn(labelFlags.label),
  guidance: passedOn(labelFlags.guidance),
  seed: passedOn(integer({ help: "the seed of the run", min: 0 })),
};

const usage = {
  name: "plan",
  purpose:
    "Draws some batches on this machine and says how many hours, shards, bytes of memory and of disk a large run needs on " +
    "machines like it; --output writes job files for Slurm and Kubernetes.",
  examples: [
    "deno task plan --count 1000000 --hours 2",
    "deno task plan --sampler dpm++2m --steps 20 --engine onnx --output jobs",
  ],
  flags: {
    count: integer({ help: "samples of the run", min: 1, max: 10_000_000, default: 100_000 }),
    ...samplingWords,
    engine: choice(engineNames, { help: "compute engine", default: "auto" }),
    batch: integer({ help: "samples in a batch", min: 1, max: 4096, default: 64 }),
    hours: number({
      help: "the longest that a shard may take, as the queue allows",
      min: 1e-3,
      max: 1e5,
      default: 4,
    }),
    probeSeconds: number({ help: "about how long to measure", min: 0, max: 3600, default: 20 }),
    output: text({ help: "a folder for slurm_array.sh and kubernetes_job.yaml", placeholder: "FOLDER" }),
    json: deciding([], toggle({ help: "print the plan as JSON" })),
  },
} as const;

/** A run of `plan`, as plain data. */
interface RunRequest extends PlanRequest {
  /** The folder for the job files; null for none. */
  readonly output: string | null;
}

/** A plan, and the machine on which it was measured. */
interface RunResult extends Plan {
  readonly machine: {
    readonly cpu: string;
    readonly threads: number;
    readonly memory: number;
    readonly load: number;
  };
  /** The job files that were written. */
  readonly files: readonly string[];
}

function request(flags: FlagValues<typeof usage.flags>): RunRequest {
  const { count, batch, engine, hours, probeSeconds, output = null } = flags;
  const sampling = Object.keys(samplingWords).flatMap((key) => {
    const value = flags[key as keyof typeof samplingWords];
    return value === undefined ? [] : [flagName(key), String(value)];
  });
  return { count, batch, engine, sampling, hours, probeSeconds, output };
}

/** Draws batches by a process of its own, as a shard does. */
async function trialOf(
  { batch, engine, sampling }: PlanRequest,
  folder: string,
  batches: number,
): Promise<Trial> {
  const output = `${folder}/probe-${batches}.npy`;
  const count = batch * batches;
  const words = ["--count", String(count), "--batch", String(batch), "--engine", engine, ...sampling];
  const started = performance.now();
  const process = await startTask("sample", [...words, "--output", output, "--json"]);
  const printed = await outputOf("sample", process);
  const seconds = (performance.now() - started) / 1000;
  if (printed === null) throw new Error("deno task sample was ended by a signal");
  const { engine: used, memory } = JSON.parse(printed);
  const { shape } = readNpyHeader(await firstBytes(output), output);
  await Deno.remove(output);
  const sampleBytes = 4 * shape.slice(1).reduce((product, length) => product * length, 1);
  return { batches, seconds, engine: used, peak: memory.peak, sampleBytes };
}

/** The start of a file, which holds the header of an array. */
async function firstBytes(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(4096);
  return bytes.subarray(0, await file.read(bytes) ?? 0);
}

async function carryOut(request: RunRequest): Promise<RunResult> {
  const { output } = request;
  const paths = (names: readonly string[]) => names.map((name) => join(output!, name));
  if (output !== null) {
    await Deno.mkdir(output, { recursive: true });
    for (const path of paths(["slurm_array.sh", "kubernetes_job.yaml"])) await ensureWritable(path);
  }
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    threads: availableParallelism(),
    memory: totalmem(),
    load: Deno.loadavg()[0],
  };
  const folder = await Deno.makeTempDir({ prefix: "plan-" });
  try {
    const trials = await measureTrials(request, (batches) => trialOf(request, folder, batches));
    const plan = planOf(request, trials);
    if (output === null) return { ...plan, machine, files: [] };
    const files = await jobFiles(request, plan, machine.threads);
    for (const [name, text] of Object.entries(files)) {
      await atomicWrite(join(output, name), new TextEncoder().encode(text));
    }
    return { ...plan, machine, files: paths(Object.keys(files)) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function report(request: RunRequest, result: RunResult, { json }: { readonly json: boolean }): void {
  if (json) return console.log(JSON.stringify(result));
  const { count, batch, hours, sampling } = request;
  const { machine, engine, batchSeconds, startSeconds, shards, memory, disk, files } = result;
  const shown = ({ mean, low, high }: Estimate, unit: string) =>
    `${brief(mean)} ${unit} (${brief(low)} to ${brief(high)})`;
  const join = `deno task join --parts digits-%.npy --shards ${shards} --output digits.npy`;
  console.log([
    `measured on ${machine.cpu}, ${machine.threads} threads, ${formatBytes(machine.memory)} memory, load ${
      machine.load.toFixed(1)
    } before, ${engine}: ${shown(batchSeconds, "s")} for a batch of ${batch}, ${
      brief(startSeconds)
    } s to start`,
    `${count} samples${sampling.length === 0 ? "" : ` with ${sampling.join(" ")}`}: ${
      shown(result.hours, "hours")
    } on one such machine, ${formatBytes(disk)} on the disk, as much again while shards are joined`,
    `${shards} ${shards === 1 ? "shard" : "shards"} of at most ${hours} hours: ${
      shown(result.shardHours, "hours")
    } each, on a machine of its own; ask for ${formatBytes(memory)} memory`,
    "in parentheses: 95% by what was measured here; another machine, or other work on this one, is not in it",
    ...files.map((file) =>
      `${file}: ${file.endsWith(".sh") ? `sbatch ${file}` : `kubectl apply -f ${file}`}`
    ),
    ...files.length === 0 ? [] : [`then ${join}`],
  ].join("\n"));
}

function brief(value: number): string {
  return Number(value.toPrecision(2)).toString();
}

/** The task `plan`. */
export const task: Task<typeof usage.flags, RunRequest, RunResult> = { usage, request, carryOut, report };

if (import.meta.main) await runTask(task);
