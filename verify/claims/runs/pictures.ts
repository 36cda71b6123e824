/** Claims that one call draws what the tasks draw by default, and that a picture keeps its numbers. @module */
import { colorize, digits, inpaint } from "../../../src/pictures.ts";
import { currentEngine } from "../../../src/compute/engine.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { colourDigits, digitColours } from "../../../src/data/coloured_digits.ts";
import { fromModel, modelToBytes, toModel } from "../../../src/data/dataset.ts";
import { veSde } from "../../../src/diffusion/sde.ts";
import { imageGrid } from "../../../src/images/grid.ts";
import { loadPretrained } from "../../../src/pretrained.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { dpmSolver2M } from "../../../src/samplers/dpm_solver_multistep.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { runPosterior } from "../../../src/runs/posterior.ts";
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { usageOf } from "../../../scripts/cli/task.ts";
import { task as colorizeTask } from "../../../scripts/colorize.ts";
import { task as inpaintTask } from "../../../scripts/inpaint.ts";
import { task as sampleTask } from "../../../scripts/sample.ts";
import { runSampling } from "../../../src/runs/sampling.ts";
import { claim } from "../../suite/claim.ts";

const furthest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  a.length !== b.length ? Infinity : Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));

claim("digits draws what deno task sample draws for the same label and seed, and each label for itself", {
  engines: ["wasm"],
}, async (check) => {
  const steps: [number, number][] = [];
  const fours = await digits({ labels: [4, 4, 4], seed: 5, onStep: (...done) => steps.push(done) });
  check.equal("steps", steps, [[1, 3], [2, 3], [3, 3]], "three by default");
  const request = await sampleTask.request(
    parseFlags(usageOf(sampleTask), "--label 4 --count 3 --seed 5".split(" ")),
  );
  check.equal("network", request.checkpoint, "mnist-consistency", "the default");
  const few = await loadPretrained("mnist-consistency");
  const [batch] = await Array.fromAsync(runSampling({ ...request, batch: 3 }, { noisePredictor: few }));
  few.dispose();
  check.equal("values", furthest(fours.values, batch.values), 0, "the request of --dry-run, carried out");
  check.equal("shape", [fours.shape, fours.labels], [[3, 28, 28, 1], [4, 4, 4]], "three digits");
  const noisePredictor = await loadPretrained("mnist");
  const more = await digits({ labels: [4, 4], seed: 5, steps: 5 });
  const words = "--label 4 --count 2 --seed 5 --steps 5".split(" ");
  const guided = await sampleTask.request(parseFlags(usageOf(sampleTask), words));
  const [scored] = await Array.fromAsync(runSampling({ ...guided, batch: 2 }, { noisePredictor }));
  check.equal("network of five steps", guided.checkpoint, "mnist", "which has a score");
  check.equal(
    "values of five steps",
    furthest(more.values, scored.values),
    0,
    "the request, with its guidance",
  );
  const labels = Array.from({ length: 17 }, (_, at) => (3 * at) % 10);
  const mixed = await digits({ labels, seed: 5, steps: 2, guidance: 1 });
  const model = scoreModel(noisePredictor.withLabels(labels), veSde({ sigmaMin: 0.005, sigmaMax: 40 }));
  const options = {
    shape: [17, 28, 28, 1],
    grid: { kind: "karras", rho: 5, steps: 2 },
    rng: createRng(5),
  } as const;
  const x = await drawSamples(model, dpmSolver2M(), options);
  check.atMost(
    "two batches of mixed labels: largest difference from one batch",
    furthest(mixed.values, fromModel(await x.data<"float32">())),
    1e-4,
    "a sample is the same in any batch up to rounding, times what 40 does to it",
    { detectable: "another label or seed: 0.5 and more" },
  );
  x.dispose();
  noisePredictor.dispose();
  const title = "ve, dpm++2m, 2 steps, seed 5";
  const rowNames = ["#0", "#5", "#10", "#15"];
  const grid = imageGrid(mixed.values, mixed.shape, {
    columns: 5,
    title,
    rowNames,
    names: labels.map(String),
  });
  check.equal(
    "picture",
    [...mixed.data],
    [...grid.data],
    "each digit below its label, rows by their first digit",
  );
  check.equal(
    "one label's title",
    fours.title,
    "ve, consistency, 3 steps, label 4, seed 5",
    "the settings",
  );
  const longer = await digits({ labels: 4, seed: 5, steps: 5 });
  check.equal(
    "more than four steps",
    longer.title,
    "ve, dpm++2m, 5 steps, label 4, guidance 1.3, seed 5",
    "the score network",
  );
  check.equal("engine", currentEngine()?.name, "wasm", "the one in use");
});

claim("inpaint and colorize draw what their tasks draw for the same images, from what digits returned", {
  engines: ["wasm"],
}, async (check) => {
  const images = await digits({ labels: [2, 7], steps: 3 });
  const count = 2;
  for (
    const [what, call, task, network] of [
      [
        "inpaint",
        () => inpaint({ images, mask: "top", samples: 2, steps: 4, seed: 3 }),
        inpaintTask,
        "mnist",
      ],
      [
        "colorize",
        () => colorize({ images, samples: 2, steps: 4, seed: 3 }),
        colorizeTask,
        "coloured-digits",
      ],
    ] as const
  ) {
    const drawn = await call();
    const flags = `--count 2 --steps 4 --seed 3 --batch 4${what === "inpaint" ? " --mask top" : ""}`;
    const request = await (task as typeof inpaintTask).request(
      parseFlags(usageOf(task as typeof inpaintTask), flags.split(" ")),
    );
    const model = images.values.map((value) => 2 * value - 1);
    const bytes = { name: "", count, classes: 10, images: modelToBytes(model), labels: new Uint8Array(2) };
    const colours = digitColours(count, createRng(3).fork("inputs"));
    const coloured = () => toModel(colourDigits({ ...bytes, shape: [28, 28, 1] }, colours).images);
    const inputs = { count, images: what === "inpaint" ? model : coloured(), labels: null };
    const noisePredictor = await loadPretrained(network);
    const expected = await runPosterior(request, { noisePredictor, inputs });
    noisePredictor.dispose();
    check.equal(
      `${what}: values`,
      furthest(drawn.values, fromModel(expected.values)),
      0,
      "the request of --dry-run, carried out",
    );
    check.equal(`${what}: seen`, furthest(drawn.seen, fromModel(expected.seen)), 0, "its measurements");
    check.equal(`${what}: originals`, furthest(drawn.originals, fromModel(inputs.images)), 0, "the images");
    check.equal(
      `${what}: shape`,
      drawn.shape,
      [2, 2, ...noisePredictor.network.sampleShape],
      "two samples of two images",
    );
    check.equal(
      `${what}: names`,
      [drawn.rowNames, drawn.columnNames],
      [["original", what === "inpaint" ? "seen" : "grey", "sample 1", "sample 2", "mean", "2 × std"], [
        "2",
        "7",
      ]],
      "rows of the picture, digits of the images",
    );
  }
});

claim("a call ends when its signal is aborted, and images are pictures as well as numbers", {
  engines: ["wasm"],
}, async (check) => {
  const controller = new AbortController();
  let last = 0;
  const ended = digits({
    labels: 3,
    signal: controller.signal,
    onStep(step) {
      last = step;
      if (step === 2) controller.abort(new Error("enough"));
    },
  });
  await check.throws("aborted after two steps", () => ended, /^enough$/);
  check.equal("steps taken", last, 2, "none after the signal");
  await check.throws("aborted before", () => inpaint({ signal: controller.signal }), /^enough$/);
  const white = { width: 28, height: 28, data: new Uint8Array(28 * 28 * 4).fill(255) };
  const mask = { ...white, data: white.data.map((_, at) => at % 4 === 3 || at < 28 * 4 * 7 ? 255 : 0) };
  const drawn = await inpaint({ images: white, mask, samples: 1, steps: 1 });
  check.equal("a white picture", new Set(drawn.originals).size === 1 && drawn.originals[0], 1, "ones");
  check.equal(
    "known rows",
    new Set(drawn.values.subarray(0, 7 * 28)).size === 1 && drawn.values[0],
    1,
    "the mask's white part",
  );
  check.equal("names of columns", drawn.columnNames, [], "nobody knows what it shows");
  for (
    const [what, call, message] of [
      [
        "a small picture",
        () => inpaint({ images: { ...white, width: 14, height: 56 } }),
        /^images must be values of shape \[N, 28, 28, 1\], or such a picture, got \[1, 56, 14, 1\] of 784 values$/,
      ],
      [
        "bytes",
        () => inpaint({ images: { values: new Float32Array(784).fill(255), shape: [1, 28, 28, 1] } }),
        /^the values of images must be from 0 to 1$/,
      ],
      [
        "a mask of no name",
        () => inpaint({ images: white, mask: "lefty" as never }),
        /^the masks are left, .*; got "lefty"$/,
      ],
      ["a label", () => digits({ labels: [3, 10] }), /^labels must be digits from 0 to 9, got 10$/],
      [
        "an option",
        () => digits({ label: 3 } as never),
        /^options has an unknown field "label"; its fields are labels, guidance, seed, steps, signal, onStep$/,
      ],
    ] as const
  ) await check.throws(what, call, message);
});
