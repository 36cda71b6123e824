/**
 * One array drawn by one process and in shards by several, of which one is killed and resumed: whether the bytes are the same,
 * how fast each is, and how much memory they hold.
 * @module
 */
import { createHash } from "node:crypto";

/** What is drawn and how, as plain data. */
export interface ShardBenchRequest {
  /** A file, the name of a network that comes with the project, or null for the one that draws unasked. */
  readonly checkpoint: string | null;
  readonly steps: number;
  readonly engine: string;
  readonly count: number;
  readonly batch: number;
  readonly shards: number;
  /** Processes beside each other. */
  readonly processes: number;
}

/** Bytes that a process held after a tenth and nine tenths of its work, and at most. */
interface Memory {
  readonly early: number;
  readonly late: number;
  readonly peak: number;
}

/** What was measured. */
export interface ShardBenchResult {
  readonly engine: string;
  readonly count: number;
  readonly shards: number;
  readonly processes: number;
  /** Network evaluations of a sample. */
  readonly evaluations: number;
  /** Samples a second, from the start of the processes to the end of the last, or of the join. */
  readonly throughput: { readonly whole: number; readonly shards: number };
  /** Of the undivided run, and of the shard that held the most. */
  readonly memory: { readonly whole: Memory; readonly shards: Memory };
  /** The shard that was killed, and how many samples it had then. */
  readonly killed: { readonly shard: number; readonly after: number } | null;
  /** Whether the joined array is the undivided one, byte for byte. */
  readonly equal: boolean;
  /** SHA-256 of the undivided array. */
  readonly sha256: string;
}

/** What draws and joins; tasks as processes, but for tests. */
interface ShardBenchParts {
  start(task: string, words: readonly string[]): Promise<Deno.ChildProcess>;
  /** What a process prints; null when a signal ended it. */
  outputOf(task: string, process: Deno.ChildProcess): Promise<string | null>;
  /** An empty folder, on a disk that holds the array three times. */
  readonly folder: string;
  /** Called with a sentence on what was done. */
  say(sentence: string): void;
}

/** Draws, kills, resumes, joins and compares. */
export async function runShardBench(
  request: ShardBenchRequest,
  { start, outputOf, folder, say }: ShardBenchParts,
): Promise<ShardBenchResult> {
  const { checkpoint, steps, engine, count, batch, shards, processes } = request;
  const words = (output: string) => [
    ...checkpoint === null ? [] : ["--checkpoint", checkpoint],
    ...Object.entries({ steps, engine, count, batch, output: `${folder}/${output}` })
      .flatMap(([name, value]) => [`--${name}`, String(value)]),
    ...["--resume", "--json"],
  ];
  const begun = performance.now();
  const whole = JSON.parse((await outputOf("sample", await start("sample", words("whole.npy"))))!);
  const wholeSeconds = (performance.now() - begun) / 1000;
  say(`undivided: ${count} samples in ${wholeSeconds.toFixed(1)} s`);

  const victim = Math.ceil(shards / 2);
  let killed: ShardBenchResult["killed"] = null;
  /** Draws one shard, the victim again after its end; returns what it held. */
  const draw = async (shard: number): Promise<Memory> => {
    const own = words(`part-${shard}.npy`);
    const process = await start("sample", [...own, "--shard", `${shard}/${shards}`]);
    const running = outputOf("sample", process);
    if (shard === victim && killed === null) {
      const after = await killHalfway(process, running, `${folder}/part-${shard}.npy`, count / shards);
      if (after !== null) {
        killed = { shard, after };
        say(`shard ${shard} of ${shards}: killed after ${after} samples, and resumed`);
        await running;
        return await draw(shard);
      }
    }
    return JSON.parse((await running)!).memory;
  };
  const waiting = Array.from({ length: shards }, (_, i) => i + 1);
  const memories: Memory[] = [];
  const started = performance.now();
  await Promise.all(Array.from({ length: processes }, async () => {
    for (let shard = waiting.shift(); shard !== undefined; shard = waiting.shift()) {
      memories.push(await draw(shard));
    }
  }));
  const join = ["--parts", `${folder}/part-%.npy`, "--shards", String(shards)];
  await outputOf("join", await start("join", [...join, "--output", `${folder}/joined.npy`]));
  const shardSeconds = (performance.now() - started) / 1000;
  say(`${shards} shards, ${processes} beside each other, joined: ${shardSeconds.toFixed(1)} s`);

  const [sha256, joined] = [await digestOf(`${folder}/whole.npy`), await digestOf(`${folder}/joined.npy`)];
  return {
    engine: whole.engine,
    ...{ count, shards, processes },
    evaluations: whole.evaluations,
    throughput: { whole: count / wholeSeconds, shards: count / shardSeconds },
    memory: {
      whole: whole.memory,
      shards: memories.reduce((most, memory) => memory.peak > most.peak ? memory : most),
    },
    killed,
    equal: sha256 === joined,
    sha256,
  };
}

/** Kills a process once half of its samples are on the disk; returns how many, or null where it ended before. */
async function killHalfway(
  process: Deno.ChildProcess,
  running: Promise<unknown>,
  path: string,
  samples: number,
): Promise<number | null> {
  let ended = false;
  const end = running.then(() => ended = true, () => ended = true);
  while (!ended) {
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, 20))]);
    const finished = await finishedSamples(`${path}.partial.json`);
    if (ended || finished < samples / 2) continue;
    try {
      process.kill("SIGKILL");
    } catch {
      return null;
    }
    await end;
    // What was finished when it ended, not when that was asked for; a whole file is none that was interrupted.
    const left = await finishedSamples(`${path}.partial.json`);
    return left === 0 ? null : left;
  }
  return null;
}

/** The samples that a record of batches counts. */
async function finishedSamples(journal: string): Promise<number> {
  const text = await Deno.readTextFile(journal).catch(() => "");
  return [...text.matchAll(/^\{"samples":(\d+)/gm)].reduce((sum, [, samples]) => sum + Number(samples), 0);
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  for await (const bytes of file.readable) hash.update(bytes);
  return hash.digest("hex");
}
