/**
 * The report where people find it: verification/report.html, with what it is made from beside it, so that a later run of the
 * planted faults can be shown in it.
 * @module
 */
import { fileURLToPath } from "node:url";
import { atomicWrite } from "../../scripts/cli/files.ts";
import type { FaultRun } from "../suite/fault.ts";
import { reportPage, type Run } from "./page.ts";

type Examined = Omit<Run, "faults">;

const folder = new URL("../../verification/", import.meta.url);

/** Writes the page of a run, with the last planted faults in it. */
export async function writeRun(run: Examined): Promise<void> {
  await write("run.json", JSON.stringify(run));
  await writePage(run, await read<FaultRun>("faults.json"));
}

/** Keeps a run of the planted faults, and shows it in the page of the last run of the claims, if there is one. */
export async function writeFaults(faults: FaultRun): Promise<void> {
  await write("faults.json", JSON.stringify(faults, null, 1));
  const run = await read<Examined>("run.json");
  if (run !== null) await writePage(run, faults);
}

async function writePage(run: Examined, faults: FaultRun | null): Promise<void> {
  await write("report.html", reportPage({ ...run, faults }));
}

async function write(name: string, text: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await atomicWrite(fileURLToPath(new URL(name, folder)), new TextEncoder().encode(text));
}

async function read<T>(name: string): Promise<T | null> {
  return await Deno.readTextFile(new URL(name, folder)).then((text) => JSON.parse(text), () => null);
}
