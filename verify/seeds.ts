/**
 * Examines claims under many seeds and prints how near each comparison came to its bound: the suite's own alarm rate,
 * measured. A claim that never asks for its seed is examined once.
 * @module
 */
import { choice, integer, parseFlags, runScript, text, toggle, UsageError } from "../scripts/cli/flags.ts";
import { defaultSeed } from "./suite/claim.ts";
import { ClaimProcess } from "./suite/claim_process.ts";
import { SeedTally } from "./suite/seed_tally.ts";
import { areaOf, claimFiles } from "./suite/claim_files.ts";
import { patience, type Unit, unitsOf } from "./suite/suite.ts";

const usage = {
  name: "verify:seeds",
  purpose:
    "Examines claims under many seeds, one process, and prints how near each comparison came to its bound.",
  examples: [
    'deno task verify:seeds --areas "^samplers/drawn_distribution$" --runs 100',
    'deno task verify:seeds --areas "samplers/engines_agree" --engine cpu --json',
  ],
  renamed: { rooms: "areas" },
  flags: {
    filter: text({ help: 'only claims whose "area: name" matches', placeholder: "REGEX", default: "" }),
    areas: text({
      help: "only areas that match; other claim files are not opened",
      placeholder: "REGEX",
      default: "",
    }),
    thorough: toggle({ help: "also the slow claims" }),
    engine: choice(["wasm", "webgpu", "onnx", "cpu"], {
      help: "run on this engine only; by default on those of deno task verify",
    }),
    seed: integer({
      help: "the first seed; each run adds 1",
      min: 0,
      max: 2 ** 32 - 1,
      default: defaultSeed,
    }),
    runs: integer({ help: "seeds for each claim", min: 2, max: 100_000, default: 50 }),
    seconds: integer({ help: "time after which a claim gets no further seed", min: 1, default: 600 }),
    above: integer({ help: "print comparisons that used this many percent of what is allowed", default: 60 }),
    json: toggle({ help: "print one JSON object a comparison instead" }),
  },
};

function pattern(flag: string, text: string): RegExp {
  try {
    return new RegExp(text, "i");
  } catch {
    throw new UsageError(`${flag} must be a regular expression, got "${text}"`);
  }
}

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  const [filter, areas] = [pattern("--filter", flags.filter), pattern("--areas", flags.areas)];
  const limit = flags.thorough || flags.engine === "webgpu" ? patience.long : patience.usual;
  let [failed, examined] = [0, 0];

  /** Examines one claim under one seed after the other. */
  const repeat = async (process: ClaimProcess, { file, name, engine }: Unit): Promise<SeedTally> => {
    const tally = new SeedTally();
    const started = performance.now();
    for (let run = 0; run < flags.runs; run++) {
      const seed = flags.seed + run;
      tally.add(seed, await process.examine(file, name, { engine, seed, thorough: flags.thorough }, limit));
      if (!tally.seeded || tally.skipped || performance.now() - started > 1000 * flags.seconds) break;
    }
    return tally;
  };

  for (const file of claimFiles().filter((file) => areas.test(areaOf(file)))) {
    let process = new ClaimProcess();
    const { area, listings } = await process.open(file);
    for (const { name, options } of listings) {
      for (const unit of unitsOf(file, area, name, options, { ...flags, filter })) {
        if (unit.skip !== undefined) continue;
        const head = { area: unit.area, claim: unit.name, engine: unit.engine };
        try {
          const tally = await repeat(process, unit);
          examined++;
          failed += tally.failures.length;
          if (flags.json) {
            for (const row of tally.rows()) console.log(JSON.stringify({ ...head, ...row }));
          } else console.log(describe(head, tally, flags.above / 100));
        } catch (error) {
          failed++;
          console.log(
            flags.json ? JSON.stringify({ ...head, error: String(error) }) : `FAIL ${name}: ${error}`,
          );
          await process.close();
          process = new ClaimProcess();
        }
      }
    }
    await process.close();
  }
  if (!flags.json) console.log(`\n${examined} claims examined, ${failed} verdicts failed`);
  if (examined === 0 || failed > 0) Deno.exit(1);
}

/** A line on the claim, one on each failure, and one on each comparison that came near its bound. */
function describe(
  { area, claim, engine }: Record<"area" | "claim" | "engine", string>,
  tally: SeedTally,
  above: number,
): string {
  const seeds = !tally.seeded ? "does not depend on the seed" : `${tally.seeds} seeds`;
  const near = tally.rows().filter(({ most }) => most !== undefined && most >= above);
  return [
    `${tally.failures.length > 0 ? "FAIL" : "ok  "} ${area}: ${claim} [${engine}, ${seeds}]`,
    ...tally.failures.map(({ seed, reason }) => `     ✗ seed ${seed}: ${reason}`),
    ...near.map(({ what, most, median, seed }) =>
      `     ${(100 * most!).toFixed(0)}% of what is allowed at seed ${seed}, median ${
        (100 * median!).toFixed(0)
      }%: ${what}`
    ),
  ].join("\n");
}

if (import.meta.main) await runScript(main);
