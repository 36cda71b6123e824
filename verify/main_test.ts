/**
 * The same claims as tests of `deno test`, one after the other in one process, so that coverage can be measured:
 * `deno test -A --no-check --no-lock --coverage verify/main_test.ts`, then `deno coverage --include='/src/'`.
 * @module
 */
import { claims, defaultSeed } from "./claim.ts";
import { examine } from "./examine.ts";
import { claimFiles, roomOf } from "./suite.ts";

for (const file of claimFiles()) {
  const before = claims.length;
  await import(new URL(file, import.meta.url).href);
  for (const claim of claims.slice(before)) {
    for (const engine of claim.options.engines ?? ["wasm"]) {
      Deno.test({
        name: `${roomOf(file)}: ${claim.name} [${engine}]`,
        ignore: typeof claim.options.slow === "object",
        sanitizeOps: false,
        sanitizeResources: false,
        fn: async () => {
          const verdict = await examine(roomOf(file), claim, { engine, seed: defaultSeed, thorough: false });
          if (verdict.outcome === "failed") {
            const broken = verdict.comparisons.filter((comparison) => !comparison.held);
            throw new Error(
              [verdict.reason, ...broken.map((c) => `${c.what}: ${c.observed}, expected ${c.bound}`)].join(
                "\n",
              ),
            );
          }
        },
      });
    }
  }
}
