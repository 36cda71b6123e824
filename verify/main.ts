/**
 * Examines every claim and prints the verdicts; `deno task verify`.
 * @module
 */
import { parseArgs } from "node:util";
import { Check, claims, Skip } from "./claim.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: { filter: { type: "string" }, thorough: { type: "boolean" } },
});
for (const entry of [...Deno.readDirSync(import.meta.dirname!)].map((e) => e.name).sort()) {
  if (entry.endsWith("_claims.ts")) await import(new URL(entry, import.meta.url).href);
}
const filter = new RegExp(values.filter ?? "", "i");
let passed = 0, failed = 0, skipped = 0;
for (const { name, options, examine } of claims) {
  if (!filter.test(name)) continue;
  const check = new Check();
  const started = performance.now();
  let verdict = "ok  ";
  let detail = "";
  try {
    if (options.slow && !values.thorough) throw new Skip("only with --thorough");
    await examine(check);
    const broken = check.comparisons.filter((comparison) => !comparison.held);
    if (check.comparisons.length === 0) throw new Error("the claim compared nothing");
    if (broken.length > 0) {
      verdict = "FAIL";
      detail = broken.map((c) =>
        `\n     ${c.what}: observed ${c.observed}, expected ${c.bound} (${c.source})`
      ).join("");
    }
  } catch (error) {
    verdict = error instanceof Skip ? "skip" : "FAIL";
    detail = error instanceof Skip ? ` – ${error.message}` : `\n     ${(error as Error).stack ?? error}`;
  }
  if (verdict === "ok  ") passed++;
  else if (verdict === "skip") skipped++;
  else failed++;
  console.log(
    `${verdict} ${name} [${check.comparisons.length} comparisons, ${
      Math.round(performance.now() - started)
    } ms]${detail}`,
  );
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
if (failed > 0) Deno.exit(1);
