/**
 * Measures a checkpoint on MNIST: `deno task evaluate`.
 * @module
 */
import { createRng } from "../src/compute/rng.ts";
import { scoreModel } from "../src/denoiser.ts";
import { readClassifier } from "../src/metrics/classifier.ts";
import { digitQuality, digitReference } from "../src/metrics/digit_quality.ts";
import { sizeOf } from "../src/networks/network.ts";
import { samplerByName, samplerEntry, samplerNames } from "../src/samplers/catalogue.ts";
import { sample } from "../src/samplers/sample.ts";
import { GUIDANCE, load, sdes } from "./drawing.ts";
import { openEngine } from "./engine.ts";
import { choice, integer, number, parseFlags, runScript, text, toggle } from "./flags.ts";
import { loadMnist } from "./mnist_files.ts";
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
    checkpoint: text({
      help: "trained weights; by default those that come with the project",
      placeholder: "FILE",
    }),
    data: text({ help: "folder with MNIST's files; by default SCORE_SDE_DATA, the cache or a download" }),
    count: integer({ help: "how many digits", default: 5000, min: 100, max: 60_000 }),
    sde: choice(["ve", "vp", "subvp", "sigma-power"], { help: "the equation to reverse", default: "ve" }),
    sampler: choice(samplerNames, {
      help: `the algorithm: ${samplerNames.join(", ")}`,
      placeholder: "NAME",
      default: "dpm++2m",
    }),
    steps: integer({ help: "steps of the time grid; the default is the sampler's", min: 1, max: 100_000 }),
    grid: choice(["uniform", "quadratic", "log-snr", "karras"], {
      help: "the time grid; the default is the sampler's",
    }),
    guidance: number({ help: "how strongly the label is followed; 1 is no guidance", default: GUIDANCE }),
    seed: integer({ help: "the same seed draws the same digits", default: 0, min: 0 }),
    batch: integer({ help: "digits drawn at once", default: 64, min: 1, max: 4096 }),
    engine: choice(["auto", "webgpu", "onnx", "wasm", "cpu"], { help: "what computes", default: "auto" }),
    json: toggle({ help: "print the result as JSON" }),
  },
} as const;

type Flags = ReturnType<typeof parseFlags<typeof usage.flags>>;

/** Digits in model units, the class that each was asked to be, and the evaluations that each took. */
interface Drawn {
  readonly images: Float32Array;
  readonly labels: Uint8Array | null;
  readonly evaluations: number;
}

async function draw(flags: Flags, steps: number): Promise<Drawn> {
  const denoiser = await load(flags.checkpoint);
  const { sampleShape, classes } = denoiser.network;
  const size = sizeOf(sampleShape);
  const { grid } = samplerEntry(flags.sampler);
  const images = new Float32Array(flags.count * size);
  const labels = Uint8Array.from({ length: flags.count }, (_, i) => classes === 0 ? 0 : i % classes);
  let evaluations = 0;
  using progress = new ProgressBar({ label: "drawing", total: flags.count, unit: "digits" });
  for (let first = 0; first < flags.count; first += flags.batch) {
    const rows = Array.from(
      { length: flags.batch },
      (_, row) => classes === 0 ? null : (first + row) % classes,
    );
    const conditioned = denoiser.withLabels(rows, classes === 0 ? 1 : flags.guidance);
    if (first === 0) await conditioned.prepare(flags.batch);
    const options = {
      shape: [flags.batch, ...sampleShape],
      grid: { ...grid, kind: flags.grid ?? grid.kind, steps },
      rng: createRng(flags.seed).startingAt(first),
    };
    for await (
      const look of sample(scoreModel(conditioned, sdes[flags.sde]()), samplerByName(flags.sampler), options)
    ) {
      if (!look.done) continue;
      const values = await look.x.data<"float32">();
      images.set(values.subarray(0, (flags.count - first) * size), first * size);
      look.x.dispose();
      evaluations = look.evaluations;
    }
    progress.update(Math.min(flags.count, first + flags.batch));
  }
  denoiser.dispose();
  // Guidance asks the network twice, in one batch.
  if (classes > 0 && flags.guidance !== 1) evaluations *= 2;
  return { images, labels: classes === 0 ? null : labels, evaluations };
}

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  const steps = flags.steps ?? samplerEntry(flags.sampler).grid.steps;
  const classifier = readClassifier(
    await Deno.readFile(new URL("../fixtures/classifier.safetensors", import.meta.url)),
  );
  const data = {
    train: await loadMnist("train", { data: flags.data }),
    test: await loadMnist("test", { data: flags.data }),
  };
  const engine = await openEngine(flags.engine);
  const started = performance.now();
  const { images, labels, evaluations } = await draw(flags, steps);
  const seconds = (performance.now() - started) / 1000;
  const reference = await digitReference(classifier, data, flags.count);
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
