/** Claims that a run of sampling is the sampler's, batch after batch, on the exact noise of a Gaussian. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import type { NoisyDigitClassifier } from "../../../src/classifiers/noisy_classifier.ts";
import { classifierGuided } from "../../../src/conditioning/guidance.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import { shardBatches } from "../../../src/runs/batches.ts";
import { drawDigits } from "../../../src/runs/evaluation.ts";
import {
  drawLabels,
  type DrawnBatch,
  openSampling,
  runSampling,
  type SamplingParts,
  type SamplingRequest,
} from "../../../src/runs/sampling.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { drawSamples, sample } from "../../../src/samplers/sample.ts";
import { type ClipOptions, clippedModel } from "../../../src/conditioning/clipped.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { sampledNetwork } from "../../../src/runs/sampled_network.ts";
import { claim } from "../../suite/claim.ts";
import { exactPredictor } from "../../instruments/exact_predictor.ts";

const shape = [2, 2, 1];
const sde = { kind: "vp", betaMin: 0.1, betaMax: 20, tMin: 0.01, tMax: 0.98 } as const;
const diffusion = vpSde({ betaMin: 0.1, betaMax: 20, tMin: 0.01, tMax: 0.98 });

/** Seven samples in batches of three. */
const request: SamplingRequest = {
  sde,
  sampler: { name: "ddim", options: { eta: 1 } },
  grid: { kind: "uniform", steps: 3 },
  label: "cycle",
  guidance: { scale: 2 },
  classifierScale: 0,
  denoise: true,
  count: 7,
  batch: 3,
  seed: 3,
  shard: { index: 1, shards: 1 },
  frames: false,
};

/** A classifier whose log probability of a class is that many times half the sum of the values. */
function classifierOf(classes: number, prepared: number[] = []): NoisyDigitClassifier {
  return {
    classes,
    prepare(rows: number) {
      prepared.push(rows);
      return Promise.resolve();
    },
    logProbability: (y: tf.Tensor, _ratio: unknown, labels: readonly number[]) =>
      tf.sum(tf.mul(tf.reshape(y, [labels.length, -1]), tf.div(tf.tensor2d(labels.map((l) => [l])), 2)), 1),
  } as unknown as NoisyDigitClassifier;
}

const shown = (x: ArrayLike<number>) =>
  Array.from(x, (value) => Math.fround(Math.min(1, Math.max(0, (value + 1) / 2))));

/** What the sampler draws of a batch of three, in [0, 1], with all states in model units on the way. */
async function direct(
  first: number,
  labels: number[] | number | null,
  { denoise = true, guide = 0, steps = 3, classes = 4 } = {},
): Promise<{ values: number[]; states: { time: number; x: number[] }[] }> {
  const { noisePredictor } = exactPredictor(shape, { classes });
  const plain = scoreModel(labels === null ? noisePredictor : noisePredictor.withLabels(labels), diffusion);
  const model = guide === 0
    ? plain
    : classifierGuided(scoreModel(noisePredictor, diffusion), classifierOf(3), labels!, guide);
  const rng = createRng(3).startingAt(first);
  const states: { time: number; x: number[] }[] = [];
  const options = { shape: [3, ...shape], grid: { kind: "uniform", steps }, rng, denoise } as const;
  for await (const { x, time, done } of sample(model, ddim({ eta: 1 }), options)) {
    states.push({ time, x: [...await x.data()] });
    if (done) x.dispose();
  }
  return { values: shown(states[states.length - 1].x), states };
}

async function drawn(
  change: Partial<SamplingRequest>,
  parts: Partial<SamplingParts> & { classes?: number } = {},
) {
  const { classes = 4, ...rest } = parts;
  const { noisePredictor, calls } = exactPredictor(shape, { classes });
  const steps: number[] = [];
  const batches: DrawnBatch[] = [];
  const all = { noisePredictor, onStep: (step: number) => steps.push(step), ...rest };
  for await (const batch of runSampling({ ...request, ...change }, all)) batches.push(batch);
  return { batches, calls, steps, values: batches.map(({ values }) => [...values]) };
}

const guidance = { scale: 2 };
const source = "the same sampler on the same noise, batch by batch";

claim("a run draws what its sampler draws from the network, batch after batch", async (check) => {
  const before = tf.memory().numTensors;
  const { batches, calls, steps, values } = await drawn({});
  const labels = [[0, 1, 2], [3, 0, 1], [2, 3, 0]];
  const expected: number[][] = [];
  for (const [i, own] of labels.entries()) expected.push((await direct(3 * i, own)).values);
  check.equal("tensors left", tf.memory().numTensors - before, 0, "numbers alone are returned");
  check.equal("samples", values, [expected[0], expected[1], expected[2].slice(0, 4)], source);
  check.equal(
    "batches",
    batches.map(({ first, samples, evaluations, frames }) => [first, samples, evaluations, frames]),
    [[0, 3, 8, []], [3, 3, 8, []], [6, 1, 8, []]],
    "seven samples; three steps and the last denoising, two calls each",
  );
  check.equal(
    "labels",
    calls.labelled,
    labels.map((own) => [own, guidance]),
    "sample i has class i modulo 4",
  );
  check.equal("prepared", calls.prepared, [[3, false]], "once, for whole batches");
  check.equal("steps", steps, [0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9], "from each batch's start on");
  const noisy = await drawn({ denoise: false, count: 3 });
  check.equal(
    "not denoised",
    noisy.values,
    [(await direct(0, [0, 1, 2], { denoise: false })).values],
    source,
  );
  check.equal("its evaluations", noisy.batches[0].evaluations, 6, "one less of two calls");
  const other = await drawn({ shard: { index: 2, shards: 2 } });
  check.equal("the second of two parts", other.values, values.slice(1), "the last two batches");
  const late = await drawn({}, { from: 2 });
  check.equal("gone on with", late.values, values.slice(2), "the last batch");
  check.equal("its steps", late.steps, [0, 1, 2, 3], "those of this call");
  check.equal("prepared in the middle", late.calls.prepared, [[3, false]], "before its first batch");
});

claim("a run's labels are those that its request says", async (check) => {
  const alike = await drawn({ label: 2, count: 3 });
  check.equal("one class", alike.calls.labelled, [[2, guidance]], "for all");
  check.equal("its samples", alike.values, [(await direct(0, 2)).values], source);
  const none = await drawn({ label: "none", count: 3 });
  check.equal("none", none.calls.labelled, [[null, guidance]], "without a label");
  check.equal(
    "scale 0",
    (await drawn({ guidance: { scale: 0 } })).calls.labelled,
    [],
    "the unconditional model",
  );
  check.equal(
    "no classes",
    (await drawn({ label: "random" }, { classes: 0 })).calls.labelled,
    [],
    "no labels",
  );
  const rng = createRng(3).startingAt(5);
  const uniforms = rng.fork("labels").uniformValues([4, 1]);
  const rows: [string, SamplingRequest["label"], number, unknown][] = [
    ["none", "none", 3, null],
    ["random without classes", "random", 0, null],
    ["cycle without classes", "cycle", 0, null],
    ["cycle", "cycle", 3, [2, 0, 1, 2]],
    ["random", "random", 3, Array.from(uniforms, (u) => u < 1 / 3 ? 0 : u < 2 / 3 ? 1 : 2)],
    ["a number", 2, 3, 2],
  ];
  for (const [what, label, classes, expected] of rows) {
    check.equal(what, drawLabels(label, classes, rng, 4), expected, "from the batch's first sample on");
  }
});

claim("a run is guided by a classifier to its classes where its scale is not 0", async (check) => {
  const prepared: number[] = [];
  const guided = await drawn({ classifierScale: 0.5, guidance: { scale: 0 }, count: 6 }, {
    classifier: classifierOf(3, prepared),
  });
  const expected = [await direct(0, [0, 1, 2], { guide: 0.5 }), await direct(3, [0, 1, 2], { guide: 0.5 })];
  check.equal("samples", guided.values, expected.map(({ values }) => values), source);
  check.equal("prepared", prepared, [3], "once, for whole batches");
  const plain = await direct(0, null);
  const idle = await drawn({ guidance: { scale: 0 }, count: 3 }, { classifier: classifierOf(3, prepared) });
  check.equal("at scale 0", idle.values, [plain.values], "the model alone");
  check.equal("which is not prepared", prepared, [3], "it is not used");
  const free = await drawn({ classifierScale: 2, label: "none", guidance: { scale: 0 }, count: 3 }, {
    classifier: classifierOf(3),
  });
  check.equal("without a label", free.values, [plain.values], "there is nothing to follow");
});

claim(
  "a run's frames are at most 60 states, scaled to the spread of the data, and its samples",
  async (check) => {
    for (const preconditioning of [null, { sigmaData: 0.6, centre: -0.7 }]) {
      const { noisePredictor } = exactPredictor(shape, { preconditioning });
      const wanted = {
        ...request,
        grid: { kind: "uniform", steps: 130 },
        label: "none",
        count: 2,
        frames: true,
      } as const;
      const [{ frames, values }] = await Array.fromAsync(runSampling(wanted, { noisePredictor }));
      const { states } = await direct(0, null, { steps: 130, classes: 0 });
      const { sigmaData, centre } = preconditioning ?? { sigmaData: 0.5, centre: 0 };
      const kept = states.filter((_, step) => step < 130 && step % 3 === 0).map(({ time, x }) => {
        const [alpha, sigma] = [diffusion.alpha(time), diffusion.sigma(time)];
        const spread = sigmaData / Math.hypot(sigmaData, sigma / alpha);
        return x.slice(0, 8).map((value) =>
          Math.min(1, Math.max(0, (1 + centre + spread * (value / alpha - centre)) / 2))
        );
      });
      check.equal(
        "frames",
        frames.length,
        45,
        "every third of 130, 59 being too few for every second, and the last",
      );
      const worst = Math.max(...kept.flatMap((x, k) => x.map((value, i) => Math.abs(value - frames[k][i]))));
      check.atMost("furthest from the states", worst, 1e-5, "y's noise scaled down, in float64");
      check.equal("the last", [...frames[44]], [...values], "the samples");
      check.equal(
        "sizes",
        [...new Set(frames.map(({ length }) => length))],
        [8],
        "the two samples that count",
      );
    }
  },
);

claim("digits of an evaluation are those of a run, in turn, in model units", async (check) => {
  const { noisePredictor } = exactPredictor(shape, { classes: 4 });
  const { label: _, denoise: _d, shard: _s, frames: _f, ...wanted } = request;
  const steps: number[] = [];
  const digits = await drawDigits(wanted, { noisePredictor, onStep: (step) => steps.push(step) });
  const { values } = await drawn({});
  const units = values.flat().map((value) => Math.fround(2 * value - 1));
  check.equal("images", [...digits.images], units, "2 v − 1");
  check.equal("labels", digits.labels, Uint8Array.of(0, 1, 2, 3, 0, 1, 2), "in turn");
  check.equal("evaluations", digits.evaluations, 8, "the network's calls of a batch");
  check.equal("steps", steps.length, 12, "four states a batch");
  check.holds("seconds", digits.seconds > 0 && digits.seconds < 60, "a run takes time");
  const plain = await drawDigits(wanted, { noisePredictor: exactPredictor(shape).noisePredictor });
  check.equal("labels without classes", plain.labels, null, "there are none");
  const many = { ...wanted, count: 1_000_001 };
  await check.throws(
    "a million and one",
    () => drawDigits(many, { noisePredictor }),
    /^count must be at most 1000000, got 1000001$/,
  );
});

claim("a sampling request that cannot be carried out is refused before anything is drawn", async (check) => {
  const cases: [string, Partial<Record<keyof SamplingRequest, unknown>>, RegExp, object?][] = [
    ["seed", { seed: -1 }, /^seed must be a whole number from 0, got -1$/],
    ["a large seed", { seed: 2 ** 53 }, /^seed must be at most 9007199254740991, got 9007199254740992$/],
    ["classifierScale", { classifierScale: NaN }, /^classifierScale must be a finite number, got NaN$/],
    ["denoise", { denoise: 1 }, /^denoise must be true or false, got 1$/],
    ["frames", { frames: 0 }, /^frames must be true or false, got 0$/],
    ["guidance", { guidance: 2 }, /^guidance must be an object, got 2$/],
    ["a scale", { guidance: { scale: NaN } }, /finite number, got NaN$/],
    ["no classifier", { classifierScale: 2 }, /^classifierScale 2 needs a classifier, which is not given$/],
    ["class 4", { label: 4 }, /^label must be a class from 0 to 3, "random", "cycle" or "none", got 4$/],
    ["class −1", { label: -1 }, /, got -1$/],
    ["class 0.5", { label: 0.5 }, /, got 0\.5$/],
    ["text", { label: "own" }, /, got "own"$/],
    ["class 0 of none", { label: 0 }, /^label must be "random", "cycle" or "none", got 0$/, { classes: 0 }],
    [
      "class 3 of a classifier",
      { label: 3, classifierScale: 1 },
      /^label must be a class from 0 to 2, /,
      { classifier: classifierOf(3) },
    ],
    ["count", { count: 0 }, /^count must be a positive integer, got 0$/],
    ["batch", { batch: 0.5 }, /^batch must be a positive integer, got 0\.5$/],
    ["part 0", { shard: { index: 0, shards: 1 } }, /^shard\.index must be a positive integer, got 0$/],
    ["part 3 of 2", { shard: { index: 3, shards: 2 } }, /^shard\.index must be at most 2, got 3$/],
    [
      "four parts of three batches",
      { shard: { index: 1, shards: 4 } },
      /^shard\.shards must be at most 3, got 4$/,
    ],
    ["no sampler", { sampler: null }, /^sampler must be an object, got null$/],
    ["no grid", { grid: 5 }, /^grid must be an object, got 5$/],
    ["onStep", {}, /^onStep must be a function, got 5$/, { onStep: 5 }],
  ];
  for (const [what, change, message, parts = {}] of cases) {
    await check.throws(what, () => drawn(change as Partial<SamplingRequest>, parts), message);
  }
  check.equal(
    "the last part of five",
    shardBatches({ count: 64, batch: 7, shard: { index: 5, shards: 5 } }),
    { first: 8, end: 10 },
    "⌊4 · 10/5⌋ to ten",
  );
  check.equal("the second of three", shardBatches({ count: 10, batch: 1, shard: { index: 2, shards: 3 } }), {
    first: 3,
    end: 6,
  }, "⌊10/3⌋ to ⌊20/3⌋");
  const opened = openSampling(request);
  check.equal("what is opened", [opened.sde.config, opened.sampler.name, opened.grid], [
    diffusion.config,
    ddim({ eta: 1 }).name,
    request.grid,
  ], "as named");
});

claim(
  "a request to clip predicted data draws from the clipped model, and points have no range",
  async (check) => {
    const gaussian = new Gaussian({ mean: [2, 2, -2, 0], variances: [1, 1, 1, 1] });
    const wide = { ...sampledNetwork(gaussian, shape), predictNoise: gaussian.predictNoise.bind(gaussian) };
    const run = async (clip: SamplingRequest["clip"]) => {
      const values: number[] = [];
      const asked = { ...request, label: "none", count: 3, clip } as const;
      for await (const batch of runSampling(asked, { noisePredictor: wide })) values.push(...batch.values);
      return values;
    };
    const expected = async (options: ClipOptions | null) => {
      const plain = scoreModel(gaussian, diffusion);
      const model = options === null ? plain : clippedModel(plain, options);
      const grid = { kind: "uniform", steps: 3 } as const;
      const rng = createRng(3).startingAt(0);
      const x = await drawSamples(model, ddim({ eta: 1 }), { shape: [3, ...shape], grid, rng });
      const values = shown(await x.data());
      x.dispose();
      return values;
    };
    check.equal("none", await run(null), await expected(null), source);
    check.equal("cut off", await run({ kind: "range" }), await expected({}), source);
    const dynamic = await run({ kind: "dynamic" });
    check.equal("dynamic", dynamic, await expected({ percentile: 0.995 }), source);
    check.equal(
      "a percentile",
      await run({ kind: "dynamic", percentile: 0.5 }),
      await expected({ percentile: 0.5 }),
      source,
    );
    const ways = new Set([await run(null), await run({ kind: "range" }), dynamic].map(String));
    check.equal("different draws", ways.size, 3, "the data reach beyond the range");
    await check.throws(
      "points",
      async () => {
        const points = sampledNetwork(new Gaussian({ mean: [0, 0], variances: [1, 1] }), [2]);
        for await (
          const _ of runSampling({ ...request, label: "none", clip: { kind: "range" } }, {
            noisePredictor: points,
          })
        );
      },
      /^clip is for images, whose values have a range, and this network draws points$/,
    );
  },
);
