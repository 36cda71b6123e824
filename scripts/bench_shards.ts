/**
 * Draws one array undivided and in shards, and compares bytes, speed and memory: `deno task bench:shards`.
 * @module
 */
import { runShardBench, type ShardBenchRequest, type ShardBenchResult } from "./bench/shards.ts";
import { choice, deciding, type FlagValues, integer, text, toggle, UsageError } from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import { outputOf, startTask } from "./cli/task_process.ts";
import { formatBytes } from "./cli/terminal.ts";
import { engineNames } from "./sampling/flags.ts";

const usage = {
  name: "bench:shards",
  purpose:
    "Draws one array by one process and in shards by several, one of which is killed and resumed; says whether the bytes " +
    "are the same, how fast each was, and how much memory they held.",
  examples: ["deno task bench:shards", "deno task bench:shards --count 2000 --shards 4 --engine wasm"],
  flags: {
    checkpoint: text({ help: "what draws; by default what deno task sample takes", placeholder: "FILE" }),
    steps: integer({ help: "steps of the time grid", min: 1, max: 100_000, default: 1 }),
    engine: choice(engineNames, { help: "compute engine", default: "auto" }),
    count: integer({ help: "how many samples", min: 2, max: 10_000_000, default: 100_000 }),
    batch: integer({ help: "samples in a batch", min: 1, max: 4096, default: 64 }),
    shards: integer({ help: "parts that the array is drawn in", min: 2, max: 100_000, default: 8 }),
    processes: integer({ help: "processes beside each other", min: 1, max: 256, default: 2 }),
    json: deciding([], toggle({ help: "print what was measured as JSON" })),
  },
} as const;

function request(flags: FlagValues<typeof usage.flags>): ShardBenchRequest {
  const { checkpoint = null, steps, engine, count, batch, shards, processes } = flags;
  const batches = Math.ceil(count / batch);
  if (shards > batches) {
    throw new UsageError(
      `${count} samples are ${batches} batches of ${batch}: at most ${batches} --shards, got ${shards}`,
    );
  }
  return { checkpoint, steps, engine, count, batch, shards, processes };
}

async function carryOut(request: ShardBenchRequest): Promise<ShardBenchResult> {
  const folder = await Deno.makeTempDir({ prefix: "shards-" });
  try {
    const say = (sentence: string) => console.error(sentence);
    return await runShardBench(request, { start: startTask, outputOf, folder, say });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function report(
  { shards, processes }: ShardBenchRequest,
  result: ShardBenchResult,
  { json }: { readonly json: boolean },
): void {
  if (json) console.log(JSON.stringify(result));
  else {
    const { count, engine, evaluations, throughput, memory, killed, equal } = result;
    const held = ({ early, late, peak }: typeof memory.whole) =>
      `${formatBytes(early)} after a tenth, ${formatBytes(late)} after nine tenths, ${
        formatBytes(peak)
      } at most`;
    console.log(
      [
        `${count} samples, ${evaluations} network evaluations each, on ${engine}`,
        `undivided: ${throughput.whole.toFixed(0)} samples a second; ${held(memory.whole)}`,
        `${shards} shards, ${processes} beside each other, and the join: ${
          throughput.shards.toFixed(0)
        } samples a second; ${held(memory.shards)}`,
        killed === null
          ? "no shard was killed: it ended too soon"
          : `shard ${killed.shard} was killed after ${killed.after} samples and resumed`,
        `the joined bytes are ${equal ? "" : "not "}those of the undivided run`,
      ].join("\n"),
    );
  }
  if (!result.equal) Deno.exitCode = 1;
}

/** The task `bench:shards`. */
export const task: Task<typeof usage.flags, ShardBenchRequest, ShardBenchResult> = {
  usage,
  request,
  carryOut,
  report,
};

if (import.meta.main) await runTask(task);
