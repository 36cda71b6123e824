/**
 * The memory of this process.
 * @module
 */

/** The most memory in bytes that this process ever held. */
export async function peakMemory(): Promise<number> {
  const { default: process } = await import("node:process");
  // Deno 2.5 lacks it; there what is held now is the best that is known.
  const peak = process.resourceUsage?.().maxRSS ?? 0;
  return Math.max(1024 * peak, Deno.memoryUsage().rss);
}
