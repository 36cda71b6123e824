/**
 * The report where people find it: verification/report.html, with what it is made from beside it, so that a later run of the
 * planted faults can be shown in it.
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { atomicWrite } from "../../scripts/cli/files.ts";
import type { FaultRun } from "../suite/fault.ts";
import type { ExaminedRun, ShardRun } from "../suite/shards.ts";
import { reportPage } from "./page.ts";
import type { SeedsRun } from "./results_page.ts";

const folder = new URL("../../verification/", import.meta.url);

/** Writes the page of a run, with the last planted faults in it. */
export async function writeRun(run: ExaminedRun): Promise<void> {
  await write("run.json", JSON.stringify(run));
  await writePage(run, await read<FaultRun>("faults.json"));
}

/** Keeps a run of the planted faults, and shows it in the page of the last run of the claims, if there is one. */
export async function writeFaults(faults: FaultRun): Promise<void> {
  await write("faults.json", JSON.stringify(faults, null, 1));
  const run = await read<ExaminedRun>("run.json");
  if (run !== null) await writePage(run, faults);
}

/** Where shards lie, unless another folder is named. */
export const shardFolder: URL = new URL("shards/", folder);

/** Keeps the run of a shard, for `deno task verify:join`. */
export async function writeShard(shard: ShardRun): Promise<void> {
  await write(`shards/${shard.index}-of-${shard.shards}.json`, JSON.stringify(shard));
}

/** The file with the finished claims of a run under many seeds; its folder is made. */
export async function seedFile(): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  return fileURLToPath(new URL("seeds.jsonl", folder));
}

/** Keeps what a run under many seeds came to, for `deno task results`. */
export async function writeSeeds(run: SeedsRun): Promise<void> {
  await write("seeds.json", JSON.stringify(run));
}

/** The runs of shards in a folder, in the order of their files' names. */
export async function readShards(from: string | URL): Promise<{ name: string; shard: ShardRun }[]> {
  const base = from instanceof URL ? fileURLToPath(from) : from;
  const found: { name: string; shard: ShardRun }[] = [];
  for await (const { name } of Deno.readDir(base)) {
    if (!name.endsWith(".json")) continue;
    const text = await Deno.readTextFile(join(base, name));
    found.push({ name: `"${name}"`, shard: shardOf(text, name) });
  }
  return found.sort((a, b) => a.name < b.name ? -1 : 1);
}

function shardOf(text: string, name: string): ShardRun {
  try {
    const shard = JSON.parse(text);
    if (Array.isArray(shard.run.verdicts) && Number.isInteger(shard.index)) return shard;
  } catch {
    // Cut off, or something else.
  }
  throw new Error(`"${name}" is no run of a shard: deno task verify --shard writes them`);
}

async function writePage(run: ExaminedRun, faults: FaultRun | null): Promise<void> {
  await write("report.html", reportPage({ ...run, faults }));
}

async function write(name: string, text: string): Promise<void> {
  const path = fileURLToPath(new URL(name, folder));
  await Deno.mkdir(dirname(path), { recursive: true });
  await atomicWrite(path, new TextEncoder().encode(text));
}

async function read<T>(name: string): Promise<T | null> {
  return await Deno.readTextFile(new URL(name, folder)).then((text) => JSON.parse(text), () => null);
}
