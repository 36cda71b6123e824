/**
 * Compares samplers on one network: `deno task compare`.
 * @module
 */
import { sdeNames } from "../src/diffusion/sde_registry.ts";
import { encodePng } from "../src/images/png.ts";
import { loadRasterizer } from "../src/plots/rasterizer.ts";
import {
  type ComparisonParts,
  type ComparisonRequest,
  type ComparisonResult,
  planRun,
  runComparison,
} from "../src/runs/comparison.ts";
import { expectedEvaluations, planComparison } from "../src/runs/comparison_plan.ts";
import { scoreSamplerNames } from "../src/samplers/registry.ts";
import { openEngine } from "./cli/engine.ts";
import { atomicWrite, ensureWritable } from "./cli/files.ts";
import {
  choice,
  deciding,
  type FlagValues,
  integer,
  list,
  notWith,
  number,
  onlyWith,
  text,
  toggle,
  UsageError,
} from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import { formatDuration, ProgressBar } from "./cli/terminal.ts";
import { digitRows, qualityPlot } from "./comparison/pictures.ts";
import {
  earlierRows,
  type Results,
  resultsCsv,
  resultsTable,
  samplerText,
  writeResults,
} from "./comparison/results.ts";
import { loadQualityReference } from "./evaluation/digit_quality.ts";
import { type ExternalConfig, externalFlags, readExternal } from "./sampling/external_flags.ts";
import { fingerprint, loadSampled } from "./sampling/checkpoint.ts";
import {
  asUsage,
  dataFlag,
  type engineNames,
  gridFlag,
  networkFlags,
  renamedOptions,
  samplerOptionFlags,
  samplerOptions,
  seedFlag,
} from "./sampling/flags.ts";
import { guideFlag, readGuide } from "./sampling/guide.ts";
import { sdes } from "./sampling/sampling.ts";

/** The options of samplers, which in a comparison belong to no one sampler. */
const optionFlags = Object.fromEntries(
  Object.entries(samplerOptionFlags).map((
    [name, flag],
  ) => [name, deciding<unknown>([`options.${name}`], flag)]),
) as unknown as typeof samplerOptionFlags;

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
    ...externalFlags,
    schedule: deciding(["sdes"], {
      ...externalFlags.schedule,
      help:
        "diffusers' scheduler_config.json of an ONNX model, whose chain of steps is taken instead of --sde",
    }),
    data: dataFlag,
    ...notWith("schedule", {
      sde: deciding(
        ["sdes"],
        choice([...sdeNames, "all"], { help: "the equation to reverse", default: "ve" }),
      ),
    }),
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
    grid: deciding(["grid"], gridFlag),
    ...optionFlags,
    guidance: deciding(
      ["guidance.scale"],
      number({
        help: "how strongly the label is followed; any other than 1 takes two evaluations for one",
        default: 1,
      }),
    ),
    guideCheckpoint: guideFlag,
    baseline: text({
      help: "another checkpoint, run by Euler–Maruyama under sigma-power as in the well-known tutorial",
      placeholder: "FILE",
    }),
    baselineSteps: deciding(
      ["baseline.steps"],
      onlyWith(integer({ help: "steps of the baseline", default: 1000, min: 1, max: 100_000 }), "baseline"),
    ),
    count: integer({ help: "digits in each setting", default: 500, min: 20, max: 60_000 }),
    seed: seedFlag,
    batch: integer({ help: "digits drawn at once", default: 64, min: 1, max: 4096 }),
    engine: networkFlags.engine,
    show: integer({ help: "evaluations of the digits in the picture, or the nearest", default: 20, min: 1 }),
    output: text({ help: "beginning of the files' names", placeholder: "NAME", default: "comparison" }),
    resume: toggle({ help: "keep the rows that OUTPUT.json holds" }),
    json: deciding([], toggle({ help: "print the results as JSON" })),
  },
  renamed: { ...renamedOptions, evaluations: "nfe" },
} as const;

/** A run of `compare`, as plain data. */
interface CompareRequest extends ComparisonRequest {
  /** A file, the name of a network that comes with the project, or null for the one that is drawn from unasked. */
  readonly checkpoint: string | null;
  /** Another checkpoint and its steps; null for none. */
  readonly baseline: { readonly checkpoint: string; readonly steps: number } | null;
  /** How an ONNX file as checkpoint is to be understood; null for others. */
  readonly external: ExternalConfig | null;
  /** A worse network that guides, as `checkpoint` has it; null for none. */
  readonly guide: string | null;
  /** The folder with MNIST's files; null where they are found unasked. */
  readonly data: string | null;
  /** What computes. */
  readonly engine: typeof engineNames[number];
  /** The beginning of the files' names. */
  readonly output: string;
  /** Whether rows that the file holds are kept. */
  readonly resume: boolean;
}

/** What a run measured, with what its files say of it. */
interface CompareResult extends ComparisonResult, Results {
  /** The shape of one digit. */
  readonly sampleShape: readonly number[];
  /** What all of it took. */
  readonly seconds: number;
  /** What computed. */
  readonly engine: string;
}

async function request(flags: FlagValues<typeof usage.flags>): Promise<CompareRequest> {
  if (flags.steps.length > 0 && flags.nfe !== usage.flags.nfe.fallback) {
    throw new UsageError("--steps and --nfe exclude each other: leave one of them out");
  }
  const { external, sde } = await readExternal(flags);
  if (external !== null && flags.sde === "all") {
    throw new UsageError("an ONNX model is of one SDE: name it by --sde, or give --schedule");
  }
  const names = flags.sde === "all" ? sdeNames : [flags.sde];
  const given = Object.entries(samplerOptions(flags)).filter(([, value]) => value !== undefined);
  const { samplers, nfe, steps, count, batch, seed, show, output, resume } = flags;
  const request: CompareRequest = {
    checkpoint: flags.checkpoint ?? null,
    data: flags.data ?? null,
    external,
    guide: readGuide(flags, { scale: flags.guidance }),
    sdes: sde === null
      ? Object.fromEntries(names.map((name) => [name, sdes[name]().config]))
      : { [sde.kind]: sde },
    samplers,
    nfe,
    steps,
    grid: flags.grid ?? null,
    options: Object.fromEntries(given),
    guidance: { scale: flags.guidance },
    baseline: flags.baseline === undefined
      ? null
      : { checkpoint: flags.baseline, steps: flags.baselineSteps },
    count,
    batch,
    seed,
    show,
    engine: flags.engine,
    output,
    resume,
  };
  asUsage(() => planComparison({ ...request, baseline: null }, { network: "", calls: 1 }));
  return request;
}

/** The beginning of the names of an SDE's pictures. */
function pictureName({ output, sdes }: CompareRequest, sde: string): string {
  return Object.keys(sdes).length > 1 ? `${output}-${sde}` : output;
}

async function carryOut(request: CompareRequest): Promise<CompareResult> {
  const { output, count, seed, guidance } = request;
  const pictures = Object.keys(request.sdes).map((sde) => pictureName(request, sde));
  for (const name of new Set([output, ...pictures])) {
    for (const ending of [".json", ".csv", ".svg", ".png", "-plot.png"]) {
      await ensureWritable(`${name}${ending}`);
    }
  }
  const started = performance.now();
  const engine = await openEngine(request.engine);
  const sde = Object.values(request.sdes)[0];
  const network = await openNetwork({ ...request, sde });
  const baseline = request.baseline === null
    ? null
    : await openNetwork({ checkpoint: request.baseline.checkpoint, external: null, sde });
  const run = { weights: network.name, count, seed, guidance: guidance.scale, engine: engine.name };
  const earlier = await earlierRows(`${output}.json`, run, request.resume);
  const reference = await loadQualityReference(network.noisePredictor, count, request.data ?? undefined);
  const result = await runUnderBar(request, { network, baseline, engine, earlier, reference }, run);
  await network.noisePredictor.dispose();
  await baseline?.noisePredictor.dispose();
  return {
    run,
    ...result,
    sampleShape: network.noisePredictor.network.sampleShape,
    seconds: (performance.now() - started) / 1000,
    engine: engine.name,
  };
}

async function openNetwork(choice: Parameters<typeof loadSampled>[0]) {
  const noisePredictor = await loadSampled(choice);
  return { name: await fingerprint(noisePredictor), noisePredictor };
}

/** Measures under a progress bar; every row is on the disk before the next is begun. */
async function runUnderBar(
  request: CompareRequest,
  parts: ComparisonParts,
  run: Results["run"],
): Promise<ComparisonResult> {
  const { settings, missing } = planRun(request, parts);
  const batches = Math.ceil(request.count / request.batch);
  const total = missing.reduce((sum, setting) => sum + batches * expectedEvaluations(setting), 0);
  using progress = new ProgressBar({ label: "comparing", total, unit: "evaluations" });
  if (missing.length < settings.length) {
    progress.print(`keeping ${settings.length - missing.length} of ${settings.length} rows`);
  }
  const { floor } = parts.reference.reference;
  return await runComparison(request, {
    ...parts,
    onStep: (done, { sampler }) => progress.update(done, sampler),
    onRow: async (row, rows) => {
      await writeResults(`${request.output}.json`, { run, floor, rows, refused: [] });
      const result = row.quality === null
        ? row.failure
        : `Fréchet distance ${row.quality.frechet.toFixed(2)}`;
      progress.print(`${row.sde}, ${samplerText(row, run)}, ${row.steps} steps: ${result}`);
    },
  });
}

/** Writes the files, and prints a table or all of it as JSON. */
async function report(
  request: CompareRequest,
  result: CompareResult,
  { json }: { readonly json: boolean },
): Promise<void> {
  const { output } = request;
  const { run, floor, rows, refused, shown, sampleShape, seconds, engine } = result;
  const results: Results = { run, floor, rows, refused };
  const encoder = new TextEncoder();
  await writeResults(`${output}.json`, results);
  await atomicWrite(`${output}.csv`, encoder.encode(resultsCsv(results)));
  const rasterize = await loadRasterizer();
  for (const [sde, own] of Object.entries(shown)) {
    if (own.length === 0) throw new Error(`no sampler could be measured under ${sde}: see ${output}.csv`);
    const svg = qualityPlot(results, sde);
    const name = pictureName(request, sde);
    await atomicWrite(`${name}.svg`, encoder.encode(svg));
    await atomicWrite(`${name}-plot.png`, encodePng(rasterize(svg)));
    await atomicWrite(`${name}.png`, digitRows(own, sampleShape));
  }
  console.log(json ? JSON.stringify(results) : resultsTable(results));
  console.error(
    `${rows.length} settings of ${request.count} digits, ${
      formatDuration(seconds)
    } on ${engine}: ${output}.json, .csv, .svg and .png`,
  );
}

/** The task `compare`. */
export const task: Task<typeof usage.flags, CompareRequest, CompareResult> = {
  usage,
  request,
  carryOut,
  report,
};

if (import.meta.main) await runTask(task);
