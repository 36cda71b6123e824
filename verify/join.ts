/**
 * Joins the runs that `deno task verify --shard` left into verification/run.json and verification/report.html.
 * @module
 */
import { messageOf, parseFlags, runScript, text } from "../scripts/cli/flags.ts";
import { readShards, shardFolder, writeRun } from "./report/files.ts";
import { recordSeconds } from "./suite/file_order.ts";
import { isWhole, joinShards } from "./suite/shards.ts";
import { recordHeld } from "./suite/slow_claims.ts";
import { isGood, totalsText } from "./suite/totals.ts";

const usage = {
  name: "verify:join",
  purpose: "Joins the runs that verify --shard left into the run that was divided, and writes its report.",
  examples: ["deno task verify:join", "deno task verify:join --from artifacts"],
  flags: {
    from: text({ help: "the folder with their files (default verification/shards)", placeholder: "FOLDER" }),
  },
};

async function main(): Promise<void> {
  const { from } = parseFlags(usage, Deno.args);
  const found = await readShards(from ?? shardFolder).catch((error) => {
    throw new Error(`could not read ${from ?? "verification/shards"}: ${messageOf(error)}`);
  });
  const run = joinShards(found.map(({ shard }) => shard), found.map(({ name }) => name));
  await writeRun(run);
  await recordHeld(run.verdicts);
  if (isWhole(found[0].shard.options) && run.totals.failed === 0) await recordSeconds(run.verdicts);
  for (const { area, name, engine } of run.verdicts.filter(({ outcome }) => outcome === "failed")) {
    console.log(`FAIL ${area}: ${name} [${engine}]`);
  }
  console.log(totalsText(run.totals));
  if (!isGood(run.totals)) Deno.exit(1);
}

if (import.meta.main) await runScript(main);
