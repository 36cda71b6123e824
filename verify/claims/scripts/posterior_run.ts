/** Claims that `inpaint`, `colorize` and `restore` write and say what runPosterior gives for their requests. @module */
import { task as colorize } from "../../../scripts/colorize.ts";
import { task as inpaint } from "../../../scripts/inpaint.ts";
import { readInputs } from "../../../scripts/posterior/inputs.ts";
import { task as restore } from "../../../scripts/restore.ts";
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { currentEngine } from "../../../src/compute/engine.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { colourDigits, digitColours } from "../../../src/data/coloured_digits.ts";
import { fromModel, modelToBytes, toModel } from "../../../src/data/dataset.ts";
import { readNpy } from "../../../src/images/npy.ts";
import { decodePng, encodePng } from "../../../src/images/png.ts";
import { readModel } from "../../../src/networks/model_file.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { readClassifier } from "../../../src/classifiers/digit_classifier.ts";
import { type PosteriorRequest, type PosteriorResult, runPosterior } from "../../../src/runs/posterior.ts";
import { type Check, claim } from "../../suite/claim.ts";
import { inFolder, inputs as strokes } from "../../instruments/posterior_task.ts";
import { printed } from "../../instruments/printed.ts";
import { runInside } from "../../instruments/run_inside.ts";

const tasks = { inpaint, colorize, restore } as const;

/** What the library draws for the request that --dry-run prints. */
async function drawnFor(
  request: PosteriorRequest & { readonly checkpoint: string | null },
  name: keyof typeof tasks,
): Promise<PosteriorResult> {
  const grey = strokes(3, 3);
  const colours = digitColours(3, createRng(5).fork("inputs").startingAt(3));
  const { images, labels } = name === "colorize" ? colourDigits(grey, colours) : grey;
  const { config, weights } = readModel(await Deno.readFile(request.checkpoint!));
  const noisePredictor = networkPredictor(config, weights);
  const fixture = new URL("../../../fixtures/models/classifier.safetensors", import.meta.url);
  const classifier = readClassifier(await Deno.readFile(fixture));
  const inputs = { count: 3, images: toModel(images), labels };
  const result = await runPosterior(request, { noisePredictor, inputs, classifier });
  noisePredictor.dispose();
  return result;
}

for (
  const [name, flags, numbers] of [
    ["inpaint", "--mask random --hidden-fraction 0.3 --label own", (r: PosteriorResult) => ({
      mask: "random",
      hidden: r.hidden!.hidden,
      knownError: r.hidden!.knownError,
      hiddenStd: r.hidden!.hiddenStd,
      ...r.classes,
    })],
    ["colorize", "--method pigdm --iterations 2", (r: PosteriorResult) => ({ ...r.colours })],
    ["restore", "--operator blur --blur 0.7 --noise 0.1", (r: PosteriorResult) => ({
      operator: "blur",
      noise: 0.1,
      meanError: r.errors!.meanError,
      sampleError: r.errors!.sampleError,
      residual: r.errors!.residual,
      ...r.classes,
    })],
  ] as const
) {
  claim(
    `${name} writes the array and the picture of what runPosterior draws for the request of --dry-run, and its numbers`,
    { engines: ["wasm"] },
    (check) =>
      inFolder(async (folder) => {
        const checkpoint = `${folder}/${name === "colorize" ? "coloured" : "model"}.safetensors`;
        const line = ["--checkpoint", checkpoint, "--engine", "wasm", "--input", "digits:3-5", "--seed", "5"];
        const rest = `${flags} --count 3 --batch 4 --sampler ancestral --steps 3 --sde vp`;
        line.push(...rest.split(" "));
        const runInto = (file: string) =>
          runInside(tasks[name] as typeof inpaint, `${line.join(" ")} --json --output ${folder}/${file}`);
        const array = await runInto("a.npy");
        const expected = await drawnFor(array.request, name);
        await runInto("a.png");
        const label = { inpaint: "inpainting", colorize: "colorizing", restore: "restoring" }[name];
        const counts = Array.from({ length: 10 }, (_, n) => `${label} ${n}/9 steps`);
        check.equal(
          "counts of the bar",
          [...new Set(array.bar)],
          counts,
          "three steps of 4, 4 and 1 samples",
        );
        const channels = name === "colorize" ? 3 : 1;
        check.equal("array", readNpy(await Deno.readFile(`${folder}/a.npy`)), {
          shape: [3, 3, 28, 28, channels],
          values: fromModel(expected.values),
        }, "three digits, three samples of each, in order");
        const { seconds, ...summary } = JSON.parse(array.stdout.join("\n"));
        check.holds(`seconds ${seconds}`, seconds > 0, "a run takes time");
        check.equal("summary", summary, {
          inputs: 3,
          samples: 3,
          ...numbers(expected),
          method: "pigdm",
          label: name === "inpaint" ? "own" : "none",
          sde: "vp",
          sampler: "ancestral",
          steps: 3,
          seed: 5,
          evaluations: expected.evaluations,
          engine: "wasm",
          file: `${folder}/a.npy`,
        }, "the flags and the result");
        checkGallery(check, await decodePng(await Deno.readFile(`${folder}/a.png`)), expected);
      }),
  );
}

/** Checks the picture's rows: originals, measurements, three samples, their mean and twice their standard deviation. */
function checkGallery(
  check: Check,
  { width, height, data }: { width: number; height: number; data: ArrayLike<number> },
  { originals, seen, values, shape }: PosteriorResult,
): void {
  const [left, top] = [width - 3 * 86, height - 7 * 86];
  check.holds(
    `margins ${left} and ${top}`,
    left > 60 && top >= 2 * 17,
    "space for the rows' names, the title and the columns'",
  );
  const [channels, size] = [shape[2], 784 * shape[2]];
  const sample = (digit: number, at: number) => [0, 1, 2].map((j) => values[(3 * digit + j) * size + at]);
  const mean = (x: number[]) => (x[0] + x[1] + x[2]) / 3;
  const std = (x: number[]) => Math.sqrt(x.reduce((sum, v) => sum + (v - mean(x)) ** 2, 0) / 2);
  const rows: [string, (digit: number, at: number) => number][] = [
    ["originals", (digit, at) => (originals[digit * size + at] + 1) / 2],
    ["measurements", (digit, at) => (seen[digit * size + at] + 1) / 2],
    ...[0, 1, 2].map((j): [string, (digit: number, at: number) => number] => [
      `sample ${j}`,
      (digit, at) => (sample(digit, at)[j] + 1) / 2,
    ]),
    ["mean", (digit, at) => (mean(sample(digit, at)) + 1) / 2],
    ["standard deviation", (digit, at) => std(sample(digit, at))],
  ];
  for (const [row, [what, value]] of rows.entries()) {
    let most = 0;
    for (let digit = 0; digit < 3; digit++) {
      for (let at = 0; at < size; at++) {
        const [pixel, channel] = [Math.floor(at / channels), at % channels];
        const [y, x] = [top + 86 * row + 3 * Math.floor(pixel / 28), left + 86 * digit + 3 * (pixel % 28)];
        const shown = data[4 * (y * width + x) + channel] / 255;
        most = Math.max(most, Math.abs(shown - Math.min(1, Math.max(0, value(digit, at)))));
      }
    }
    check.atMost(`row of ${what}`, most, 0.5 / 255 + 1e-5, "a byte's rounding");
  }
}

claim("the words of inpaint, colorize and restore are made of their numbers", {
  engines: ["wasm"],
}, async (check) => {
  const images = {
    shape: [28, 28, 1],
    inputs: 1,
    samples: 4,
    originals: new Float32Array(784),
    values: new Float32Array(4 * 784),
    seen: new Float32Array(784),
    evaluations: 9,
    seconds: 12,
    engine: "wasm",
    classes: { kept: 0.25, keptByVote: 0.5, perClass: [], classes: 2 },
    hidden: { hidden: 0.75, knownError: 0.001, hiddenStd: 0.6 },
    colours: {
      greyError: 2e-5,
      lineError: 0.1234,
      colourStd: 0.345,
      saturation: 0.4,
      originalSaturation: 0.5,
    },
    errors: { meanError: 0.1111, sampleError: 0.2222, residual: 0.3333 },
  };
  const said = (task: typeof inpaint | typeof colorize | typeof restore, line: string) =>
    printed(async () => {
      const any = task as typeof inpaint;
      const flags = parseFlags(any.usage, line.split(" "));
      await any.report(await any.request(flags), images, flags);
    });
  check.equal("inpaint", await said(inpaint, "--mask top --steps 7"), [
    "1 image, 4 samples of each, top hidden, class kept in 25.0%, standard deviation of hidden pixels 0.300; " +
    "pigdm, ve, dpm++2m, 7 steps, 12.0 s on wasm: inpaint.png",
  ], "its numbers");
  check.equal("colorize", await said(colorize, "--sde vp"), [
    "1 image, 4 samples of each, grey kept to 2.0e-5, 0.1234 off images of two colours, standard deviation of the " +
    "colours 0.345; replacement, vp, dpm++2m, 15 steps, 12.0 s on wasm: colorize.png",
  ], "its numbers");
  check.equal("restore", await said(restore, "--noise 0.05 --method mmps"), [
    "1 image, 4 samples of each, pool4 with noise 0.05 undone, error of the mean 0.1111, misfit to what was seen " +
    "0.3333, class kept in 25.0%; mmps, ve, dpm++2m, 15 steps, 12.0 s on wasm: restore.png",
  ], "its numbers");
});

claim("a coloured picture is seen by its luma where the model is grey, and as it is where it has colours", {
  engines: ["wasm"],
}, (check) =>
  inFolder(async (folder) => {
    const path = `${folder}/coloured.png`;
    // All pixels differ, so that another place would be seen.
    const data = new Uint8Array(28 * 28 * 4).map((_, at) => at % 4 === 3 ? 255 : Math.imul(at, 73) % 256);
    const colours = Array.from(data).filter((_, at) => at % 4 !== 3);
    await Deno.writeFile(path, encodePng({ width: 28, height: 28, data }));
    const options = { resize: false, data: null, seed: 0, engine: currentEngine()! };
    const seenBy = async (channels: number) => {
      const read = await readInputs({ kind: "picture", path }, { ...options, shape: [28, 28, channels] });
      check.equal(
        `${channels} channels: count and labels`,
        [read.count, read.labels],
        [1, null],
        "one picture",
      );
      return [...modelToBytes(read.images)];
    };
    const grey = Array.from({ length: 784 }, (_, at) =>
      Math.round(0.299 * colours[3 * at] + 0.587 * colours[3 * at + 1] + 0.114 * colours[3 * at + 2]));
    check.equal("grey", await seenBy(1), grey, "0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)");
    check.equal("colours", await seenBy(3), colours, "its own");
  }));
