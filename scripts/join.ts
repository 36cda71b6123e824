/**
 * Puts the arrays of a run's shards together: `deno task join`.
 * @module
 */
import { type NpyHeader, npyHeader, readNpyHeader } from "../src/images/npy.ts";
import { ensureWritable } from "./cli/files.ts";
import { readRecord, type RunRecord, writeRecord } from "./sampling/resumable_npy.ts";
import { type FlagValues, integer, messageOf, text, UsageError } from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";

const usage = {
  name: "join",
  purpose: "Joins the .npy files that `sample --shard` wrote, in their order, into one; memory stays small.",
  examples: ["deno task join --parts digits-%.npy --shards 8 --output digits.npy"],
  flags: {
    parts: text({ help: "the files' name, with % for the number of the shard", placeholder: "NAME" }),
    shards: integer({ help: "how many there are", min: 1, max: 100_000 }),
    output: text({ help: "the joined .npy", placeholder: "FILE" }),
  },
} as const;

/** One shard: its shape, and where its values are. */
interface Shard extends NpyHeader {
  readonly path: string;
}

async function open(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path);
  } catch (error) {
    throw new Error(`could not read "${path}": ${messageOf(error)}`);
  }
}

/** Looks at the start of a file, which holds the header, and at its length. */
async function examineShard(path: string): Promise<Shard> {
  using file = await open(path);
  const bytes = new Uint8Array(4096);
  const header = readNpyHeader(bytes.subarray(0, await file.read(bytes) ?? 0), path);
  const expected = header.start + 4 * header.shape.reduce((product, length) => product * length, 1);
  const { size } = await file.stat();
  if (size !== expected) throw new Error(`"${path}" should have ${expected} bytes, it has ${size}`);
  return { path, ...header };
}

/**
 * What the shards' records, which say what each is of, have in common; null where no shard has one, as those of older versions.
 * @throws {Error} naming the first file that is another shard than its name says, or of another run than the first
 */
async function commonRun(files: readonly Shard[]): Promise<RunRecord | null> {
  const records = await Promise.all(files.map(({ path }) => readRecord(path)));
  if (records.every((record) => record === null)) return null;
  for (const [i, record] of records.entries()) {
    const { path } = files[i];
    if (record === null) throw new Error(`there is no record "${path}.json" of "${path}"`);
    const shard = `${i + 1}/${files.length}`;
    if (record.shard !== shard) {
      throw new Error(`"${path}" is shard ${record.shard} of its run, not ${shard}`);
    }
    for (const key of new Set([...Object.keys(record), ...Object.keys(records[0]!)])) {
      if (key === "shard" || record[key] === records[0]![key]) continue;
      throw new Error(
        `"${path}" is of another run: its ${key} is ${record[key]}, that of "${files[0].path}" ${
          records[0]![key]
        }`,
      );
    }
  }
  return { ...records[0]!, shard: "1/1" };
}

/** Files to join, as plain data. */
interface JoinRequest {
  /** The files' name, with % for the number of the shard. */
  readonly parts: string;
  /** How many there are. */
  readonly shards: number;
  /** The joined file. */
  readonly output: string;
}

function request({ parts, shards, output }: FlagValues<typeof usage.flags>): JoinRequest {
  if (parts === undefined || shards === undefined || output === undefined) {
    throw new UsageError("--parts, --shards and --output are needed");
  }
  if (!parts.includes("%")) throw new UsageError(`--parts needs a % for the shard's number, got "${parts}"`);
  return { parts, shards, output };
}

/** Joins the files, one after the other; gives the number of samples. */
async function carryOut({ parts, shards, output }: JoinRequest): Promise<number> {
  await ensureWritable(output);
  const files: Shard[] = [];
  for (let shard = 1; shard <= shards; shard++) {
    files.push(await examineShard(parts.replace("%", String(shard))));
  }
  const sample = files[0].shape.slice(1);
  const other = files.find(({ shape }) => String(shape.slice(1)) !== String(sample));
  if (other !== undefined) {
    throw new Error(`"${other.path}" has samples of shape [${other.shape.slice(1)}], the first [${sample}]`);
  }
  const run = await commonRun(files);
  if (run === null) {
    console.error("the shards have no records: whether they belong together is not checked");
  }
  const shape = [files.reduce((sum, { shape }) => sum + shape[0], 0), ...sample];
  const temporary = `${output}.${Deno.pid}.part`;
  try {
    await Deno.remove(temporary).catch(() => {});
    await Deno.writeFile(temporary, npyHeader(shape), { createNew: true });
    for (const { path, start } of files) {
      const [from, to] = [await open(path), await Deno.open(temporary, { append: true })];
      await from.seek(start, Deno.SeekMode.Start);
      await from.readable.pipeTo(to.writable);
    }
    {
      using file = await Deno.open(temporary, { append: true });
      await file.sync();
    }
    if (run !== null) await writeRecord(output, run);
    await Deno.rename(temporary, output);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw new Error(`could not write "${output}": ${messageOf(error)}`);
  }
  return shape[0];
}

/** The task `join`. */
export const task: Task<typeof usage.flags, JoinRequest, number> = {
  usage,
  request,
  carryOut,
  report: ({ shards, output }, samples) => console.log(`${samples} samples of ${shards} shards: ${output}`),
};

if (import.meta.main) await runTask(task);
