/**
 * Measures a checkpoint on MNIST: `deno task evaluate`.
 * @module
 */
import { columns } from "./cli/text_table.ts";
import { eitherFlags, forCheckpoint } from "./sampling/consistency_model.ts";
import { loadCheckpoint } from "./sampling/checkpoint.ts";
import { openClassifierGuide } from "./sampling/draw_batches.ts";
import { kernelText, measure, openQualityReference } from "./evaluation/digit_quality.ts";
import { formatDuration, formatPercent, ProgressBar } from "./cli/terminal.ts";
import {
  dataFlag,
  guidanceFlags,
  networkFlags,
  readGuidance,
  readSampling,
  renamedGuidance,
  renamedOptions,
  samplerOptions,
  samplingFlags,
  seedFlag,
} from "./sampling/flags.ts";
import { openEngine } from "./cli/engine.ts";
import { integer, parseFlags, runScript, toggle } from "./cli/flags.ts";

const usage = {
  name: "evaluate",
  purpose:
    "Draws digits of every class in turn and measures them against MNIST's test images on the features of a digit " +
    "classifier: Fréchet and kernel distance, precision and recall, and the share of digits that have the class " +
    "they were drawn for; all beside the same numbers of as many training images.",
  examples: [
    "deno task evaluate",
    "deno task evaluate --sampler euler-maruyama --sde vp --steps 500 --count 1000",
  ],
  flags: {
    checkpoint: networkFlags.checkpoint,
    data: dataFlag,
    count: integer({ help: "how many digits", default: 5000, min: 100, max: 60_000 }),
    ...samplingFlags,
    ...eitherFlags,
    ...guidanceFlags,
    seed: seedFlag,
    batch: integer({ help: "digits drawn at once", default: 64, min: 1, max: 4096 }),
    engine: networkFlags.engine,
    json: toggle({ help: "print the result as JSON" }),
  },
  renamed: { ...renamedGuidance, ...renamedOptions },
} as const;

async function main(): Promise<void> {
  const flags = await forCheckpoint(parseFlags(usage, Deno.args));
  const sampling = readSampling(flags);
  const { steps } = sampling.grid;
  const guidance = readGuidance(flags);
  const engine = await openEngine(flags.engine);
  const noisePredictor = await loadCheckpoint(flags.checkpoint, "mnist", "either");
  const qualityReference = await openQualityReference(noisePredictor, flags.count, flags.data);
  using progress = new ProgressBar({
    label: "drawing",
    total: Math.ceil(flags.count / flags.batch) * steps,
    unit: "steps",
  });
  const onStep = (taken: number) => progress.update(taken);
  const guide = await openClassifierGuide(noisePredictor, flags.classifierScale);
  const options = { ...flags, guidance, guide, onStep };
  const measured = await measure(noisePredictor, engine, sampling, qualityReference, options);
  guide?.classifier.dispose();
  const { quality, evaluations, seconds } = measured;
  progress.finish();
  noisePredictor.dispose();
  const { count, sde, sampler, classifierScale = 0, seed } = flags;
  const { floor } = qualityReference.reference;
  if (flags.json) {
    console.log(
      JSON.stringify({
        count,
        ...quality,
        floor,
        sde,
        sampler,
        grid: sampling.grid.kind,
        steps,
        ...samplerOptions(flags),
        evaluations,
        guidance,
        classifierScale,
        seed,
        seconds,
        engine: engine.name,
      }),
    );
    return;
  }
  const rows = [
    ["Fréchet distance", quality.frechet.toFixed(2), floor.frechet.toFixed(2)],
    ["kernel distance", ...[quality, floor].map(kernelText)],
    ["precision", formatPercent(quality.precision), formatPercent(floor.precision)],
    ["recall", formatPercent(quality.recall), formatPercent(floor.recall)],
    ["label accuracy", formatPercent(quality.accuracy), formatPercent(floor.accuracy)],
  ];
  console.log(columns([["against test images", `${count} digits`, `${count} training images`], ...rows]));
  console.log(
    `${sde}, ${sampler} on a ${sampling.grid.kind} grid, ${steps} steps, ${evaluations} evaluations, ` +
      `guidance ${guidance.scale} from ν = ${guidance.to} to ${guidance.from}` +
      `${classifierScale === 0 ? "" : `, classifier scale ${classifierScale}`}, ` +
      `drawn in ${formatDuration(seconds)} on ${engine.name}`,
  );
}

if (import.meta.main) await runScript(main);
