/**
 * Compares samplers on one network: `deno task compare`.
 * @module
 */
import type { Engine } from "../src/compute/engine.ts";
import type { NetworkPredictor } from "../src/networks/network_predictor.ts";
import { encodePng } from "../src/images/png.ts";
import { loadRasterizer } from "../src/plots/rasterizer.ts";
import { type SdeName, sdeNames } from "../src/diffusion/sde_registry.ts";
import { nfePerStep, scoreSamplerNames } from "../src/samplers/registry.ts";
import { digitRows, qualityPlot, rowsToShow } from "./comparison/pictures.ts";
import { type ComparisonPlan, planSettings, type Setting } from "./comparison/plan.ts";
import { fingerprint, loadCheckpoint } from "./sampling/checkpoint.ts";
import type { QualityReference } from "../src/runs/evaluation.ts";
import { loadQualityReference } from "./evaluation/digit_quality.ts";
import {
  dataFlag,
  gridFlag,
  networkFlags,
  renamedOptions,
  samplerOptionFlags,
  samplerOptions,
  seedFlag,
} from "./sampling/flags.ts";
import { formatDuration, ProgressBar } from "./cli/terminal.ts";
import {
  earlierRows,
  measureSetting,
  resultsCsv,
  ResultsFile,
  resultsTable,
  samplerText,
} from "./comparison/results.ts";
import { openEngine } from "./cli/engine.ts";
import { atomicWrite, ensureWritable } from "./cli/files.ts";
import {
  choice,
  type FlagValues,
  integer,
  list,
  number,
  onlyWith,
  parseFlags,
  runScript,
  text,
  toggle,
  UsageError,
} from "./cli/flags.ts";

const usage = {
  name: "compare",
  purpose:
    "Runs samplers on one network at equal numbers of network evaluations, from the same noise, and measures their digits " +
    "as evaluate does. Prints a table and writes it as OUTPUT.json and OUTPUT.csv, with a plot of quality against " +
    "evaluations (OUTPUT.svg, OUTPUT-plot.png) and a row of digits for each sampler (OUTPUT.png).",
  examples: [
    "deno task compare",
    "deno task compare --samplers euler-maruyama,predictor-corrector,ode-heun,dpm++2m --sde all --count 1000",
    "deno task compare --steps 10,20,50 --output comparison --resume",
  ],
  flags: {
    checkpoint: networkFlags.checkpoint,
    data: dataFlag,
    sde: choice([...sdeNames, "all"], { help: "the equation to reverse", default: "ve" }),
    samplers: list(
      choice(scoreSamplerNames, { help: "the algorithms (default all)", placeholder: "NAME" }),
      scoreSamplerNames,
    ),
    nfe: list(
      integer({
        help: "network evaluations (NFE) of a digit, the last denoising included",
        min: 2,
        max: 100_000,
      }),
      [10, 20, 50, 100, 200],
    ),
    steps: list(
      integer({ help: "steps of the time grid, instead of --nfe", min: 1, max: 100_000 }),
      [],
    ),
    grid: gridFlag,
    ...samplerOptionFlags,
    guidance: number({
      help: "how strongly the label is followed; any other than 1 takes two evaluations for one",
      default: 1,
    }),
    baseline: text({
      help: "another checkpoint, run by Euler–Maruyama under sigma-power as in the well-known tutorial",
      placeholder: "FILE",
    }),
    baselineSteps: onlyWith(integer({ help: "steps of the baseline", default: 1000, min: 1 }), "baseline"),
    count: integer({ help: "digits in each setting", default: 500, min: 20, max: 60_000 }),
    seed: seedFlag,
    batch: integer({ help: "digits drawn at once", default: 64, min: 1, max: 4096 }),
    engine: networkFlags.engine,
    show: integer({ help: "evaluations of the digits in the picture, or the nearest", default: 20, min: 1 }),
    output: text({ help: "beginning of the files' names", placeholder: "NAME", default: "comparison" }),
    resume: toggle({ help: "keep the rows that OUTPUT.json holds" }),
    json: toggle({ help: "print the results as JSON" }),
  },
  renamed: { ...renamedOptions, evaluations: "nfe" },
} as const;

type Flags = FlagValues<typeof usage.flags>;

/** What all settings are measured with. */
interface ComparisonSetup {
  readonly engine: Engine;
  readonly noisePredictor: NetworkPredictor;
  readonly baseline: NetworkPredictor | null;
  readonly qualityReference: QualityReference;
}

/** The settings of the flags; the baseline's comes last. */
async function planComparison(
  flags: Flags,
  noisePredictor: NetworkPredictor,
  baseline: NetworkPredictor | null,
): Promise<ComparisonPlan> {
  const plan = planSettings({
    ...flags,
    network: await fingerprint(noisePredictor),
    sdes: flags.sde === "all" ? sdeNames : [flags.sde],
    options: samplerOptions(flags),
    calls: noisePredictor.withLabels(noisePredictor.network.classes > 0 ? 0 : null, flags.guidance).calls(1),
  });
  if (baseline === null) return plan;
  const setting: Setting = {
    network: await fingerprint(baseline),
    sde: "sigma-power",
    sampler: "euler-maruyama",
    grid: "uniform",
    steps: flags.baselineSteps,
    options: {},
  };
  return { ...plan, settings: [...plan.settings, setting] };
}

/** Evaluations that a setting will take, or about as many where the sampler decides. */
function expectedEvaluations({ sampler, steps, options }: Setting): number {
  return steps * (nfePerStep(sampler, options) ?? 300);
}

/** Measures what the file does not hold yet. */
async function measureMissing(
  file: ResultsFile,
  plan: ComparisonPlan,
  flags: Flags,
  bench: ComparisonSetup,
): Promise<void> {
  const missing = plan.settings.filter((setting) => file.row(setting) === undefined);
  const batches = Math.ceil(flags.count / flags.batch);
  const total = missing.reduce((sum, setting) => sum + batches * expectedEvaluations(setting), 0);
  using progress = new ProgressBar({ label: "comparing", total, unit: "evaluations" });
  if (missing.length < plan.settings.length) {
    progress.print(`keeping ${plan.settings.length - missing.length} of ${plan.settings.length} rows`);
  }
  let done = 0;
  for (const setting of missing) {
    const own = setting.network === file.run.weights;
    const cost = expectedEvaluations(setting);
    const row = await measureSetting(own ? bench.noisePredictor : bench.baseline!, setting, {
      ...flags,
      ...bench,
      onStep: (taken) => progress.update(done + taken * cost / setting.steps, setting.sampler),
    });
    done += batches * cost;
    await file.add(row);
    const result = row.quality === null ? row.failure : `Fréchet distance ${row.quality.frechet.toFixed(2)}`;
    progress.print(`${setting.sde}, ${samplerText(setting, file.run)}, ${setting.steps} steps: ${result}`);
  }
}

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  if (flags.steps.length > 0 && flags.nfe !== usage.flags.nfe.fallback) {
    throw new UsageError("--steps and --nfe exclude each other: leave one of them out");
  }
  const { output, count, seed, guidance } = flags;
  const equations = flags.sde === "all" ? sdeNames : [flags.sde];
  const nameFor = (sde: SdeName) => equations.length > 1 ? `${output}-${sde}` : output;
  const encoder = new TextEncoder();
  for (const name of new Set([output, ...equations.map(nameFor)])) {
    for (const ending of [".json", ".csv", ".svg", ".png", "-plot.png"]) {
      await ensureWritable(`${name}${ending}`);
    }
  }
  const started = performance.now();
  const noisePredictor = await loadCheckpoint(flags.checkpoint);
  const baseline = flags.baseline === undefined ? null : await loadCheckpoint(flags.baseline);
  const plan = await planComparison(flags, noisePredictor, baseline);
  const engine = await openEngine(flags.engine);
  const run = { weights: await fingerprint(noisePredictor), count, seed, guidance, engine: engine.name };
  const earlier = await earlierRows(`${output}.json`, run, flags.resume);
  const qualityReference = await loadQualityReference(noisePredictor, count, flags.data);
  const file = new ResultsFile(`${output}.json`, run, qualityReference.reference.floor, earlier);
  await measureMissing(file, plan, flags, { engine, noisePredictor, baseline, qualityReference });
  const results = await file.write(plan.refused);
  await atomicWrite(`${output}.csv`, encoder.encode(resultsCsv(results)));
  const rasterize = await loadRasterizer();
  for (const sde of equations) {
    const shown = rowsToShow(results, sde, flags.show);
    if (shown.length === 0) throw new Error(`no sampler could be measured under ${sde}: see ${output}.csv`);
    const svg = qualityPlot(results, sde);
    await atomicWrite(`${nameFor(sde)}.svg`, encoder.encode(svg));
    await atomicWrite(`${nameFor(sde)}-plot.png`, encodePng(rasterize(svg)));
    await atomicWrite(
      `${nameFor(sde)}.png`,
      await digitRows(noisePredictor, engine, shown, { seed, guidance }),
    );
  }
  noisePredictor.dispose();
  baseline?.dispose();
  console.log(flags.json ? JSON.stringify(results) : resultsTable(results));
  console.error(
    `${results.rows.length} settings of ${count} digits, ${
      formatDuration((performance.now() - started) / 1000)
    } on ${engine.name}: ${output}.json, .csv, .svg and .png`,
  );
}

if (import.meta.main) await runScript(main);
