/**
 * A sampler of examples/conformance/numpy_samplers.py, as it is or with changes, measured by the conformance kit.
 * @module
 */
import { conform } from "../../src/conformance/conform.ts";
import type { Property } from "../../src/conformance/property.ts";
import type { SdeConfig } from "../../src/diffusion/sde.ts";
import { ProgramSampler } from "../conformance/program.ts";
import { withFolder } from "./temporary_folder.ts";

const examples = new URL("../../examples/conformance/", import.meta.url);
const client = "score_sde_conformance.py";

/** A text of the source, and what stands there instead. */
export type Change = readonly [find: string, replace: string];

/** The names of the samplers, in the order of the table at the file's end. */
export async function numpySamplers(): Promise<string[]> {
  const source = await Deno.readTextFile(new URL("numpy_samplers.py", examples));
  return [...source.matchAll(/^ {4}"(\w+)": \(/gm)].map(([, name]) => name);
}

/**
 * The source with each change made once, at the first place after the beginning of the sampler's function.
 * @throws {Error} When a text does not stand there.
 */
export function changedSource(source: string, sampler: string, changes: readonly Change[]): string {
  return changes.reduce((text, [find, replace]) => {
    const at = text.indexOf(find, text.indexOf(`def ${sampler}(`));
    if (at < 0) throw new Error(`"${find}" does not stand in ${sampler} of numpy_samplers.py`);
    return text.slice(0, at) + replace + text.slice(at + find.length);
  }, source);
}

/** What the kit says of a numpy sampler with changes; all properties, or those named. */
export function measuredNumpySampler(
  sampler: string,
  options: { changes?: readonly Change[]; sde?: SdeConfig; only?: readonly string[] } = {},
): Promise<readonly Property[]> {
  const { changes = [], ...rest } = options;
  return withFolder(async (folder) => {
    const source = await Deno.readTextFile(new URL("numpy_samplers.py", examples));
    await Deno.copyFile(new URL(client, examples), `${folder}/${client}`);
    await Deno.writeTextFile(`${folder}/samplers.py`, changedSource(source, sampler, changes));
    await using program = await ProgramSampler.start(["python3", `${folder}/samplers.py`, sampler], {
      timeout: 60,
    });
    return (await conform(program, rest)).properties;
  });
}
