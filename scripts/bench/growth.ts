/**
 * How time and memory grow with the batch and the images, each size in a process of its own: memory that one size took is
 * never given back, so it would hide the next one's.
 * @module
 */
import { fileURLToPath } from "node:url";
import { type Size, spread } from "./table.ts";

/** Batches at 28×28, then larger images at the smallest batch. */
export const SIZES: readonly { readonly batch: number; readonly side: number }[] = [
  ...[16, 32, 64, 128, 256, 512].map((batch) => ({ batch, side: 28 })),
  ...[56, 112].map((side) => ({ batch: 16, side })),
];

const config = fileURLToPath(new URL("../../deno.json", import.meta.url));

/**
 * Measures one size on one engine. The task, not the script, is what is started: to Linux the peak of a process includes
 * what its parent held when it was started, and this process may hold much, where the task's own holds little.
 */
export async function measureSize(
  engine: string,
  network: string,
  { batch, side }: { readonly batch: number; readonly side: number },
  rounds: number,
): Promise<Size> {
  const flags = { engine, network, batch, side, rounds };
  const command = new Deno.Command("deno", {
    args: [
      ...["task", "--quiet", "--config", config, "bench", "--json"],
      ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ],
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await command.output();
  if (code !== 0) {
    const reason = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
    throw new Error(`batch ${batch} of ${side}×${side} on ${engine} failed: ${reason}`);
  }
  const [result] = JSON.parse(new TextDecoder().decode(stdout)).results;
  return {
    engine: result.name,
    batch,
    side,
    forward: spread(result.milliseconds.forward).median,
    step: spread(result.milliseconds.step).median,
    memory: result.memory,
  };
}
