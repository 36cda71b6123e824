/** Claims that `deno task sample` writes and says what runSampling gives for its request, in which every field counts. @module */
import { otherSampling } from "../../problems/other_sampling.ts";
import { samplerOptionNames, type SamplerOptions } from "../../../src/samplers/sampler_info.ts";
import { loadNoisyClassifier } from "../../../src/classifiers/noisy_classifier.ts";
import { readNpy } from "../../../src/images/npy.ts";
import { decodePng } from "../../../src/images/png.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { type DrawnBatch, runSampling, type SamplingRequest } from "../../../src/runs/sampling.ts";
import { task } from "../../../scripts/sample.ts";
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { type Check, claim } from "../../suite/claim.ts";
import { GifReader } from "../../instruments/gif_reader.ts";
import { printed } from "../../instruments/printed.ts";
import { checkEveryField, largestDifference } from "../../instruments/request_fields.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { smallModel, withCheckpoint } from "../../instruments/small_checkpoint.ts";

/** What runSampling draws with the small network, batch by batch. */
async function drawn(request: SamplingRequest): Promise<DrawnBatch[]> {
  const { config, weights } = smallModel();
  const noisePredictor = networkPredictor(config, weights);
  const classifier = request.classifierScale === 0 ? null : await loadNoisyClassifier();
  const batches = await Array.fromAsync(runSampling(request, { noisePredictor, classifier }));
  classifier?.dispose();
  noisePredictor.dispose();
  return batches;
}

/** All numbers of batches: samples, evaluations, frames. */
function numbersOf(batches: readonly DrawnBatch[]): Float32Array {
  return Float32Array.from(
    batches.flatMap(({ values, frames }) => [...values, ...frames.flatMap((f) => [...f])]),
  );
}

/** Seven samples in batches of three, of which the second of two parts are the last two batches. */
const request: SamplingRequest = {
  sde: { kind: "vp", betaMin: 0.1, betaMax: 20, tMin: 0.01, tMax: 0.98 },
  sampler: { name: "ancestral", options: {} },
  grid: { kind: "uniform", steps: 3 },
  label: "random",
  guidance: { scale: 1.5, from: 0.05, to: 40 },
  classifierScale: 0.7,
  denoise: true,
  count: 7,
  batch: 3,
  seed: 3,
  shard: { index: 2, shards: 2 },
  frames: true,
};

claim(
  "every field of a sampling request changes what is drawn",
  { engines: ["wasm"] },
  (check) =>
    checkEveryField(check, request, {
      ...otherSampling,
      "grid.steps": { value: 4 },
      "label": { value: 4 },
      "guidance.scale": { value: 2 },
      "guidance.from": { value: 10 },
      "guidance.to": { value: 1 },
      "classifierScale": { value: 3 },
      "denoise": { value: false },
      "count": { value: 8 },
      "batch": { value: 2 },
      "seed": { value: 4 },
      "shard.index": { value: 1 },
      "shard.shards": { value: 3 },
      "frames": { value: false },
    }, async (request) => numbersOf(await drawn(request))),
);

/** For every option of samplers, a run with a sampler that has it, and a value other than that of the run. */
const options: {
  readonly [K in keyof Required<SamplerOptions>]: readonly [string, SamplerOptions, SamplerOptions[K]];
} = {
  snr: ["predictor-corrector", {}, 0.3],
  correctorSteps: ["predictor-corrector", {}, 2],
  correctorRule: ["predictor-corrector", {}, "ald"],
  predictor: ["predictor-corrector", {}, "euler-maruyama"],
  langevinStep: ["annealed-langevin", { correctorSteps: 2 }, 1e-3],
  gamma: ["edm-stochastic", {}, 0.4],
  sChurn: ["edm-stochastic", {}, 2],
  sTmin: ["edm-stochastic", {}, 0.5],
  sTmax: ["edm-stochastic", {}, 1],
  sNoise: ["edm-stochastic", {}, 1.1],
  eta: ["ddim", {}, 0.5],
  predictorOrder: ["sa-solver", {}, 1],
  correctorOrder: ["sa-solver", {}, 0],
  tau: ["sa-solver", {}, 0.5],
  solverType: ["sde-dpm++2m", {}, "heun"],
  lastStep: ["dpm++2m", {}, "ddim"],
  lastOrders: ["dpm-solver-fast", {}, "1"],
  solverOrder: ["unipc", {}, 1],
  bFunction: ["unipc", {}, "bh2"],
  solverPrediction: ["unipc", {}, "data"],
  rtol: ["adaptive-sde", {}, 0.5],
  atol: ["adaptive-sde", {}, 0.3],
};

/** Two samples under VE. */
const short: SamplingRequest = {
  ...request,
  sde: { kind: "ve", sigmaMin: 0.01, sigmaMax: 10 },
  grid: { kind: "karras", steps: 3 },
  classifierScale: 0,
  count: 2,
  shard: { index: 1, shards: 1 },
};

claim(
  "every option of a sampler in a request changes what is drawn",
  { engines: ["wasm"] },
  async (check) => {
    check.equal(
      "options with a row",
      Object.keys(options).sort(),
      [...samplerOptionNames].sort(),
      "SamplerOptions",
    );
    const drawnWith = async (name: string, options: SamplerOptions) =>
      numbersOf(await drawn({ ...short, sampler: { name, options } }));
    for (const [option, [name, others, value]] of Object.entries(options)) {
      const before = await drawnWith(name, others);
      const after = await drawnWith(name, { ...others, [option]: value });
      check.atLeast(
        `${name}, ${option} ${value}: largest change`,
        largestDifference(before, after),
        1e-4,
        "it has an effect",
      );
    }
  },
);

claim(
  "a sample follows its own label, whatever the others' are and whichever batch it is in",
  { engines: ["wasm"] },
  async (check) => {
    const whole = { ...request, shard: { index: 1, shards: 1 }, frames: false, label: "cycle" } as const;
    const network = { ...whole, classifierScale: 0 };
    const classifier = { ...whole, classifierScale: 3, guidance: { scale: 0 } };
    for (const [words, request] of Object.entries({ network, classifier })) {
      const cycle = numbersOf(await drawn(request));
      const once = numbersOf(await drawn({ ...request, batch: 7 }));
      check.atMost(
        `${words}: batches of three and one of seven`,
        largestDifference(cycle, once),
        1e-4,
        "up to rounding",
      );
      for (const label of [0, 2, 5, 6]) {
        const alone = numbersOf(await drawn({ ...request, label }));
        const row = (values: Float32Array) => values.subarray(label * 784, (label + 1) * 784);
        const source = "sample i of a cycle has class i, as where all have it";
        check.atMost(
          `${words}: sample ${label} beside other labels`,
          largestDifference(row(cycle), row(alone)),
          1e-4,
          source,
        );
      }
    }
  },
);

claim("the first frame of an animation is noise with the spread of the data, under VP as under VE", {
  engines: ["wasm"],
}, async (check) => {
  for (const [name, sde] of Object.entries({ vp: request.sde, ve: short.sde })) {
    const [{ frames: [first] }] = await drawn({ ...short, sde, count: 7, batch: 7, frames: true });
    const mean = first.reduce((sum, value) => sum + value, 0) / first.length;
    const std = Math.sqrt(first.reduce((sum, value) => sum + (value - mean) ** 2, 0) / first.length);
    const source = "(1 − 0.7 + 0.6 z)/2 cut off at 0: the network's centre is −0.7 and its σ_data 0.6";
    check.within(`${name}: mean of its pixels`, mean, 0.2094, 0.02, source, { detectable: "0.15: no noise" });
    check.within(`${name}: their standard deviation`, std, 0.223, 0.02, source, {
      detectable: "0: no noise",
    });
  }
});

claim(
  "sample writes the array, the picture and the animation of what runSampling draws for the request of --dry-run",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      const common = ["--checkpoint", `${folder}/model.safetensors`, "--engine", "wasm", "--count", "5"];
      const rest =
        "--batch 3 --seed 8 --sampler ancestral --steps 3 --guidance 2 --guidance-max-sigma 30 --sde vp";
      /** Runs the task into a file and gives its summary and what the library draws for its request. */
      const both = async (file: string, ...flags: string[]) => {
        const line = [...common, ...rest.split(" "), "--output", `${folder}/${file}`, ...flags, "--json"];
        const { request, stdout, stderr, bar } = await runInside(task, line.join(" "));
        check.equal(`${file}: lines on stderr`, stderr, [], "nothing to say");
        const batches = await drawn(request);
        return {
          request,
          batches,
          bar: [...new Set(bar)],
          summary: JSON.parse(stdout.join("\n")),
          values: numbersOf(batches.map((batch) => ({ ...batch, frames: [] }))),
        };
      };
      const npy = await both("a.npy");
      check.equal("samples in the batches", npy.batches.map(({ samples }) => samples), [3, 2], "--batch 3");
      const counts = (total: number) =>
        Array.from({ length: total + 1 }, (_, n) => `sampling ${n}/${total} steps`);
      check.equal("counts of the bar", npy.bar, counts(6), "three steps of each batch");
      const array = readNpy(await Deno.readFile(`${folder}/a.npy`));
      check.equal("array", array.values, npy.values, "all batches, in order");
      const { seconds, memory, ...summary } = npy.summary;
      check.holds(`seconds ${seconds}`, seconds > 0, "a run takes time");
      const { early, late, peak } = memory;
      check.holds(
        `bytes ${JSON.stringify(memory)}`,
        early > 1e6 && early <= peak && late <= peak,
        "Deno alone takes more than a megabyte; nothing is above the peak",
      );
      const evaluations = Math.max(...npy.batches.map(({ evaluations }) => evaluations));
      check.equal("summary", summary, {
        count: 5,
        sde: "vp",
        sampler: "ancestral",
        grid: npy.request.grid.kind,
        steps: 3,
        evaluations,
        engine: "wasm",
        file: `${folder}/a.npy`,
      }, "the flags, and the batches' evaluations");
      const part = await both("b.npy", "--shard", "2/2", "--no-denoise", "--label", "6");
      check.equal("part: samples", part.batches.map(({ first }) => first), [3], "the second of two batches");
      check.equal("part", readNpy(await Deno.readFile(`${folder}/b.npy`)).values, part.values, "its batch");

      check.equal("part: counts of the bar", part.bar, counts(3), "three steps of its batch");

      const png = await both("a.png", "--classifier-scale", "2");
      checkTiles(check, "picture", await decodePng(await Deno.readFile(`${folder}/a.png`)), png.values, 0);

      const gif = await both("a.gif");
      const reader = new GifReader(await Deno.readFile(`${folder}/a.gif`));
      check.equal(
        "frames",
        [reader.numFrames(), gif.batches[0].frames.length],
        [4, 4],
        "the start and three steps",
      );
      for (let frame = 0; frame < 4; frame++) {
        const data = new Uint8Array(reader.width * reader.height * 4);
        reader.decodeAndBlitFrameRGBA(frame, data);
        const states = Float32Array.from(gif.batches.flatMap(({ frames }) => [...frames[frame]]));
        // With 256 shades, every one is itself.
        checkTiles(check, `frame ${frame}`, { width: reader.width, height: reader.height, data }, states, 1);
      }
    }),
);

/** Checks that a picture shows five digits in a row below a title and their classes, three screen pixels to one of theirs, with gaps of two. */
function checkTiles(
  check: Check,
  what: string,
  { width, height, data }: {
    readonly width: number;
    readonly height: number;
    readonly data: ArrayLike<number>;
  },
  values: Float32Array,
  tolerance: number,
): void {
  check.equal(`${what}: size`, [width, height], [2 + 5 * 86, 2 + 86 + 2 * 17], "28·3 pixels and gaps of 2");
  let most = 0;
  values.forEach((value, at) => {
    const [image, y, x] = [Math.floor(at / 784), Math.floor(at / 28) % 28, at % 28];
    const [left, top] = [2 + 86 * image + 3 * x, 2 + 2 * 17 + 3 * y];
    for (const [right, down] of [[0, 0], [2, 0], [0, 2], [2, 2]]) {
      const byte = data[4 * ((top + down) * width + left + right)];
      most = Math.max(most, Math.abs(byte - Math.round(255 * Math.min(1, Math.max(0, value)))));
    }
  });
  check.atMost(
    `${what}: largest difference of a pixel`,
    most,
    tolerance,
    "digit k is in column k",
  );
}

claim("sample's words are those of its request and its result", async (check) => {
  const all = {
    ...request,
    label: "random",
    checkpoint: "mnist",
    external: null,
    guide: null,
    engine: "wasm",
    output: "a.npy",
    resume: false,
  } as const;
  const result = { samples: 91, evaluations: 17, seconds: 12.5, engine: "onnx", noun: "digits" } as const;
  check.equal(
    "in words",
    await printed(() => task.report(all, result, flags(false))),
    ["91 digits, vp, ancestral on a uniform grid, 3 steps, 17 network evaluations, 12.5 s on onnx: a.npy"],
    "written out",
  );
  const listed = { ...all, grid: { kind: "indices", steps: 3, indices: [9, 6, 3, 0] } } as const;
  check.equal(
    "in words, of listed indices",
    (await printed(() => task.report(listed, result, flags(false))))[0].slice(0, 59),
    "91 digits, vp, ancestral on an indices grid, 3 steps, 17 ne",
    "written out",
  );
  check.equal(
    "as JSON",
    await printed(() => task.report(all, result, flags(true))),
    [
      '{"count":91,"sde":"vp","sampler":"ancestral","grid":"uniform","steps":3,"evaluations":17,"seconds":12.5,' +
      '"engine":"onnx","file":"a.npy"}',
    ],
    "written out",
  );
});

/** The flags of a command line that has --json or not. */
function flags(json: boolean): Parameters<typeof task.report>[2] {
  return parseFlags(task.usage, json ? ["--json"] : []);
}
