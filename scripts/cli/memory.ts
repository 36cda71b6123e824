/**
 * The memory of this process.
 * @module
 */

/** The most memory in bytes that this process ever held. */
export async function peakMemory(): Promise<number> {
  const { default: process } = await import("node:process");
  return Math.max(1024 * process.resourceUsage().maxRSS, Deno.memoryUsage().rss);
}
