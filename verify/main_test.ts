/**
 * The same claims as tests of `deno test`, one after the other in one process, so that coverage can be measured:
 * `deno test -A --no-check --no-lock --coverage verify/main_test.ts`, then `deno coverage --include='/src/'`.
 * @module
 */
import { claims, defaultSeed } from "./suite/claim.ts";
import { examine } from "./suite/examine.ts";
import { areaOf, claimFiles, importClaims } from "./suite/claim_files.ts";

for (const file of claimFiles()) {
  const before = claims.length;
  await importClaims(file);
  for (const claim of claims.slice(before)) {
    for (const engine of claim.options.engines ?? ["wasm"]) {
      Deno.test({
        name: `${areaOf(file)}: ${claim.name} [${engine}]`,
        ignore: typeof claim.options.slow === "object",
        sanitizeOps: false,
        sanitizeResources: false,
        fn: async () => {
          const verdict = await examine(areaOf(file), claim, { engine, seed: defaultSeed, thorough: false });
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
