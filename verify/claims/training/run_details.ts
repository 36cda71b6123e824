/** Details of a training run: which random numbers a step has, when it reports, what a checkpoint notes. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import { flatten } from "../../../src/networks/network.ts";
import { noisedBatch } from "../../../src/training/batch.ts";
import {
  type Checkpoint,
  readCheckpoint,
  runMetadata,
  writeCheckpoint,
} from "../../../src/training/checkpoint.ts";
import { denoisingBatch } from "../../../src/training/denoising_step.ts";
import { checkOptimizer, learningRate, OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { initialState, toHost, train, type TrainingConfig } from "../../../src/training/train.ts";
import { type ScoreTrainingConfig, trainScore } from "../../../src/training/train_score.ts";
import { readSafetensors, writeSafetensors } from "../../../src/networks/safetensors.ts";
import { claim } from "../../suite/claim.ts";
import { scoped } from "../../instruments/tensor_scope.ts";

const rows = 6;
const objective = { kind: "edm", mean: -1, std: 1.2, sigmaData: 0.5 } as const;
const config: TrainingConfig = {
  model: {
    network: { kind: "mlp", dimensions: 2, hidden: 4, layers: 1, noiseFeatures: 4, classes: 3 },
    preconditioning: { sigmaData: 0.5, centre: 0.25 },
  },
  objective,
  optimizer: { ...OPTIMIZER_DEFAULTS, warmup: 0, decay: "constant" },
  steps: 7,
  batch: rows,
  labelDropout: 0.5,
  seed: 9,
};
const network = networkFromConfig(config.model.network);
const images = Float32Array.from({ length: 2 * rows }, (_, i) => Math.sin(i));
const labels = [0, 1, 2, 0, 1, 2];

claim(
  "a training step's numbers are those of the generator's forks that resumed runs count on",
  async (check) => {
    const done = 4;
    const rng = createRng(9).fork("training").fork("step 4");
    const source =
      "seed → training → step → noise, level, label: another name would change every run that is resumed";
    const drawn = await scoped(async () => {
      const { data, noise, noiseRatio, weight } = denoisingBatch(config, objective, network, {
        images,
        labels,
      }, done);
      const tensors = [data, noise, noiseRatio, weight];
      return {
        shapes: tensors.map(({ shape }) => shape),
        values: await Promise.all(tensors.map((t) => t.data())),
      };
    });
    const [data, noise, ratio, weight] = drawn.values;
    check.equal(
      "shapes",
      drawn.shapes,
      [[rows, 2], [rows, 2], [rows, 1], [rows, 1]],
      "columns beside the rows",
    );
    check.equal("data", Float32Array.from(data), images, "as given");
    const far = (observed: ArrayLike<number>, expected: ArrayLike<number>) =>
      Array.from(expected, (value, i) => Math.abs(observed[i] / value - 1)).reduce((a, b) => Math.max(a, b));
    check.atMost("noise", far(noise, rng.fork("noise").normalValues([rows, 2])), 1e-5, source);
    const levels = Float64Array.from(rng.fork("level").normalValues([rows]), (z) => Math.exp(-1 + 1.2 * z));
    check.atMost("noise-to-signal ratios", far(ratio, levels), 1e-5, source);
    check.atMost("weights", far(weight, levels.map((nu) => 1 + (nu / 0.5) ** 2)), 1e-5, "1 + (ν/σ_d)²");
    const uniforms = rng.fork("label").uniformValues([rows]);
    const batch = noisedBatch(config, network, { images, labels }, done);
    check.equal("labels", batch.labels, labels.map((label, row) => uniforms[row] < 0.5 ? 3 : label), source);
    check.holds(
      "some are kept and some withheld",
      new Set(batch.labels.map((label) => label === 3)).size === 2,
      "else nothing was seen",
    );
    tf.dispose([batch.data, batch.noise]);
    const picture = { ...network, sampleShape: [1, 2, 1], classes: 0 };
    const flipped = noisedBatch({ ...config, flip: true }, picture, { images }, done);
    const flips = rng.fork("flip").uniformValues([rows]);
    check.equal(
      "flips",
      [...await flipped.data.data()],
      [...images].map((_, i) => images[flips[i >> 1] < 0.5 ? i ^ 1 : i]),
      source,
    );
    check.equal("labels of a network without classes", flipped.labels, [], "none");
    tf.dispose([flipped.data, flipped.noise]);
    const start = flatten(network.parameters, network.initialise(createRng(9).fork("weights")));
    const state = initialState(network, 9);
    check.equal("first weights", [state.weights, state.ema], [start, start], "seed → weights");
    check.equal("first moments", [...state.mean, ...state.variance], Array(2 * start.length).fill(0), "zero");
    check.holds(
      "the average is a copy",
      state.ema.buffer !== state.weights.buffer,
      "the weights move on alone",
    );
  },
);

claim("the last step of a cosine moves no weight, in either training loop", async (check) => {
  const optimizer = { ...OPTIMIZER_DEFAULTS, warmup: 0 };
  for await (
    const { snapshot, steps, rate } of train({ ...config, optimizer, steps: 1 }, () => ({ images, labels }))
  ) {
    const { weights, step } = await snapshot();
    check.equal("step and steps", [step, steps], [1, 1], "one of one");
    check.equal("rate", rate, 0, "half a cosine ends at 0");
    check.equal("weights after one step of one", weights, initialState(network, 9).weights, "its rate is 0");
  }
  const score: ScoreTrainingConfig = {
    network: { kind: "mlp", dimensions: 2, hidden: 4, layers: 1, noiseFeatures: 4, classes: 0 },
    ...{ matching: "implicit", sigma: 0, optimizer, steps: 1, batch: rows, seed: 4 },
  };
  const { weights } = await trainScore(score, () => tf.tensor2d(images, [rows, 2]));
  const start = networkFromConfig(score.network).initialise(createRng(4).fork("weights"));
  check.equal("score matching: weights after one step of one", [...weights], [...start], "likewise");
});

claim("a run reports when it is asked to, and its states are those of their steps", async (check) => {
  const batches = () => ({ images, labels });
  const reported = async (reportEvery?: number | ((step: number) => boolean)) => {
    const steps: number[] = [];
    for await (const { step, loss } of train({ ...config, steps: 23 }, batches, { reportEvery })) {
      if (loss !== null) steps.push(step);
    }
    return steps;
  };
  check.equal("by default", await reported(), [10, 20, 23], "every ten, and the last");
  check.equal(
    "by a function",
    await reported((step) => step === 2 || step === 5),
    [2, 5, 23],
    "where it says so",
  );
  const late = async () => {
    let first: (() => Promise<unknown>) | undefined;
    for await (const { snapshot } of train(config, batches)) {
      first ??= snapshot;
      if (first !== snapshot) await first();
    }
  };
  await check.throws(
    "a state that is asked for too late",
    late,
    /^the state after step 1 is gone: copy it before the next step begins$/,
  );
  const state = initialState(network, 1);
  const resume = (change: object) => () => train(config, batches, { resume: { ...state, ...change } }).next();
  const count = state.weights.length;
  for (const name of ["weights", "ema", "mean", "variance"]) {
    await check.throws(
      `to resume from short ${name}`,
      resume({ [name]: new Float32Array(2) }),
      new RegExp(`^the network has ${count} parameters, the state's ${name} 2$`),
    );
  }
  await check.throws("to resume from half a step", resume({ step: 0.5 }), /^the step to resume from must be/);
  check.equal(
    "a run that is resumed at its end",
    (await resume({ step: 7 })()).done,
    true,
    "no step is left",
  );
  const known = new Map([["head.bias", Float32Array.of(5, 6)]]);
  const begun = initialState(network, 1, known);
  const differing = [...begun.weights].filter((value, i) => value !== state.weights[i]);
  check.equal("known weights", differing, [5, 6], "the others are drawn as ever");
  await check.throws(
    "a known weight of another network",
    () => initialState(network, 1, new Map([["neck", Float32Array.of(1)]])),
    /^this network has no parameter neck to begin with$/,
  );
});

claim("numbers in a state that are not finite are named with the step", async (check) => {
  const names = { weights: "a weight", ema: "an averaged weight", mean: "a moment", variance: "a moment" };
  for (const [name, noun] of Object.entries(names)) {
    await scoped(async () => {
      const state = Object.fromEntries(
        Object.keys(names).map((other) => [other, tf.tensor1d([1, other === name ? -Infinity : 2])]),
      ) as unknown as Parameters<typeof toHost>[0];
      await check.throws(name, () => toHost(state, 12), new RegExp(`^${noun} is -Infinity at step 12:`));
    });
  }
});

claim("rates after a warm-up as long as the run stay, and a gradient may be left unclipped", (check) => {
  const long = { ...OPTIMIZER_DEFAULTS, rate: 2, warmup: 10 };
  check.equal("the last of ten steps of warm-up", learningRate(long, 10, 10), 2, "nothing is left to fall");
  check.equal("before it", learningRate(long, 5, 10), 1, "half way up");
  const taken = checkOptimizer({ ...OPTIMIZER_DEFAULTS, clip: Infinity });
  check.equal("clip: Infinity", taken, undefined, "an infinite norm means no clipping");
});

claim(
  "a checkpoint notes the data, the plan and the changes of its run, and a model of it the same",
  async (check) => {
    const written: Checkpoint = {
      config,
      state: { ...initialState(network, 1), step: 5 },
      data: "points",
      dataset: { shape: [1, 2, 1], classes: ["a", "b"], counts: [3, 0], sha256: "ab" },
      plan: { levels: [1, 2] },
      changes: [{ step: 3, values: { rate: [1, 2] } }],
    };
    const bytes = writeCheckpoint(written);
    check.equal("read", readCheckpoint(bytes), written, "as written");
    const notes = {
      step: "5",
      data: "points",
      dataset: '{"shape":[1,2,1],"classes":["a","b"],"counts":[3,0],"sha256":"ab"}',
      plan: '{"levels":[1,2]}',
      changes: '[{"step":3,"values":{"rate":[1,2]}}]',
    };
    check.equal("notes for a model", runMetadata(written), notes, "JSON of each");
    const damaged = (name: string, text: string) => {
      const { tensors, metadata } = readSafetensors(bytes);
      return () => readCheckpoint(writeSafetensors({ tensors, metadata: { ...metadata, [name]: text } }));
    };
    for (
      const [name, text, message] of [
        ["plan", "[1]", /^the checkpoint's plan must be an object, got \[1\]$/],
        ["changes", "{}", /^the checkpoint's changes must be a list, got /],
        ["changes", '[{"step":1,"values":2}]', /^a change must have values, got 2$/],
        [
          "dataset",
          '{"shape":[1],"classes":1,"counts":[1],"sha256":"a"}',
          /^the classes of the checkpoint's dataset must be a list, got 1$/,
        ],
      ] as const
    ) {
      await check.throws(`${name} ${text}`, damaged(name, text), message);
    }
    const { training, model: _, ...rest } = readSafetensors(bytes).metadata as Record<string, string>;
    const { model: __, ...recipe } = config;
    check.equal("beside the recipe", JSON.parse(training), recipe, "without the model");
    for (const [name, text] of Object.entries(notes)) {
      check.equal(
        `in the file: ${name}`,
        rest[name],
        text,
        "its header",
      );
    }
    const { dataset: _dataset, plan: _plan, changes: _changes, ...bare } = written;
    check.equal("without notes", readCheckpoint(writeCheckpoint(bare)), bare, "none are made up");
  },
);
