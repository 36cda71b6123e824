/**
 * Measures a checkpoint on MNIST: `deno task evaluate`.
 * @module
 */
import { digitQuality } from "../src/metrics/digit_quality.ts";
import { GUIDANCE, load } from "./drawing.ts";
import { openEngine } from "./engine.ts";
import { integer, number, parseFlags, runScript, toggle } from "./flags.ts";
import { drawDigits, openYardstick } from "./measuring.ts";
import { dataFlag, networkFlags, samplingFlags, samplingOf, seedFlag } from "./sampling_flags.ts";
import { formatDuration, ProgressBar } from "./terminal.ts";

const usage = {
  name: "evaluate",
  purpose:
    "Draws digits of every class in turn and measures them against MNIST: the Fréchet distance to the 10,000 test " +
    "images on the features of a digit classifier, beside the distance of as many training images, and the share of " +
    "digits that the classifier takes for what was asked for.",
  examples: [
    "deno task evaluate",
    "deno task evaluate --sampler euler-maruyama --sde vp --steps 500 --count 1000",
  ],
  flags: {
    checkpoint: networkFlags.checkpoint,
    data: dataFlag,
    count: integer({ help: "how many digits", default: 5000, min: 100, max: 60_000 }),
    ...samplingFlags,
    guidance: number({ help: "how strongly the label is followed; 1 is no guidance", default: GUIDANCE }),
    seed: seedFlag,
    batch: integer({ help: "digits drawn at once", default: 64, min: 1, max: 4096 }),
    engine: networkFlags.engine,
    json: toggle({ help: "print the result as JSON" }),
  },
} as const;

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  const sampling = samplingOf(flags);
  const { steps } = sampling.grid;
  const engine = await openEngine(flags.engine);
  const denoiser = await load(flags.checkpoint);
  const { classifier, reference } = await openYardstick(denoiser, flags.count, flags.data);
  using progress = new ProgressBar({
    label: "drawing",
    total: Math.ceil(flags.count / flags.batch) * steps,
    unit: "steps",
  });
  const onStep = (taken: number) => progress.update(taken);
  const { images, labels, evaluations, seconds } = await drawDigits(denoiser, engine, sampling, {
    ...flags,
    onStep,
  });
  denoiser.dispose();
  progress.finish();
  const quality = await digitQuality(classifier, images, labels, reference);
  engine.check();
  const { sde, sampler, guidance, seed } = flags;
  if (flags.json) {
    console.log(
      JSON.stringify({
        count: flags.count,
        ...quality,
        floor: reference.floor,
        sde,
        sampler,
        steps,
        evaluations,
        guidance,
        seed,
        seconds,
        engine: engine.name,
      }),
    );
    return;
  }
  const accuracy = quality.accuracy === null
    ? ""
    : `, label accuracy ${(100 * quality.accuracy).toFixed(2)}%`;
  console.log(
    `Fréchet distance ${quality.frechet.toFixed(2)} (training images: ${
      reference.floor.toFixed(2)
    })${accuracy}; ${flags.count} ` +
      `digits, ${sde}, ${sampler}, ${steps} steps, ${evaluations} evaluations, drawn in ${
        formatDuration(seconds)
      } on ${engine.name}`,
  );
}

if (import.meta.main) await runScript(main);
