/** Claims about trainings of consistency functions: resuming, what a checkpoint holds, the model that comes of it, memory. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import { readModel, writeModel } from "../../../src/networks/model_file.ts";
import { flatten, type Network, unflatten } from "../../../src/networks/network.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { consistencyDefaults } from "../../../src/objectives/consistency.ts";
import { edmCoefficients } from "../../../src/diffusion/preconditioning.ts";
import { noiseRatio, vpSde } from "../../../src/diffusion/sde.ts";
import { readCheckpoint, writeCheckpoint } from "../../../src/training/checkpoint.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { initialState, train, type TrainingConfig, type TrainingState } from "../../../src/training/train.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const preconditioning = { sigmaData: 0.7, centre: 0.5 };
const config: TrainingConfig = {
  model: {
    network: { kind: "mlp", dimensions: 2, hidden: 16, layers: 1, noiseFeatures: 8, classes: 3 },
    preconditioning,
    consistency: true,
  },
  objective: consistencyDefaults(2, { scale: 1.3, from: 0.6, to: 6 }),
  optimizer: { ...OPTIMIZER_DEFAULTS, warmup: 5 },
  steps: 20,
  batch: 16,
  labelDropout: 0.25,
  seed: 3,
};
const network = networkFromConfig(config.model.network) as Network;
/** Weights none of which is zero, as last layers are at first. */
const known = new Map(
  [...network.initialise(createRng(8))].map(([name, values]) => {
    const moves = createRng(8).fork(`moved ${name}`).normalValues([1, values.length]);
    return [name, values.map((value, i) => value + 0.2 * moves[i])];
  }),
);
const teacher = flatten(network.parameters, known);

function points(step: number) {
  const normals = createRng(11).fork(`points ${step}`).normalValues([config.batch, 2]);
  return { images: normals, labels: Array.from({ length: config.batch }, (_, i) => i % 3) };
}

/** Trains to `until` steps from the teacher, or from a state, and returns the state there. */
async function stateAt(
  until: number,
  resume: TrainingState = initialState(network, 3, known),
  teacherOf = teacher,
): Promise<TrainingState> {
  for await (const { step, snapshot } of train(config, points, { resume, teacher: teacherOf })) {
    if (step === until) return await snapshot();
  }
  throw new Error(`the run ended before step ${until}`);
}

claim("20 steps of distillation equal 10, a checkpoint, a resume and 10 more, bit for bit", async (check) => {
  const whole = await stateAt(20);
  const half = await stateAt(10);
  const bytes = writeCheckpoint({ config, state: half, data: "points", teacher });
  const checkpoint = readCheckpoint(bytes);
  check.equal("the teacher", checkpoint.teacher, teacher, "written and read");
  check.equal("the recipe", checkpoint.config, config, "written and read");
  const resumed = await stateAt(20, checkpoint.state, checkpoint.teacher);
  for (const name of ["step", "weights", "ema", "mean", "variance"] as const) {
    check.equal(name, resumed[name], whole[name], "the state and the teacher are all that a step needs");
  }
  check.holds(
    "the weights move",
    whole.weights.some((w, i) => w !== teacher[i]),
    "else nothing was compared",
  );
  const other = await stateAt(20, checkpoint.state, teacher.map((w) => 1.1 * w));
  check.holds("another teacher", other.weights.some((w, i) => w !== whole.weights[i]), "the teacher matters");
  const without = writeCheckpoint({ config, state: half, data: "points" });
  await check.throws("no teacher in it", () => readCheckpoint(without), /training\.teacher" is missing/);
  check.equal("model of it", readModel(bytes).config.consistency, true, "the model says what it is");
});

claim(
  "distillation without its teacher, and of a model that is no consistency function, are refused in one sentence",
  async (check) => {
    const first = (config: TrainingConfig, teacher?: Float32Array) => async () =>
      await train(config, points, { teacher }).next();
    await check.throws(
      "no teacher",
      first(config),
      /^consistency distillation needs a teacher of \d+ weights, got none$/,
    );
    await check.throws(
      "a short one",
      first(config, teacher.slice(1)),
      /needs a teacher of \d+ weights, got \d+$/,
    );
    const { consistency: _, ...plain } = config.model;
    await check.throws(
      "a score model",
      first({ ...config, model: plain }, teacher),
      /^the objective consistency cannot train a model that is not a consistency function$/,
    );
    const objective = { kind: "edm", mean: -1, std: 1.2, sigmaData: 1 } as const;
    await check.throws(
      "a denoising objective",
      first({ ...config, objective }),
      /^the objective edm cannot train a model that is a consistency function$/,
    );
    const usual = consistencyDefaults(2, null);
    for (
      const [name, change] of Object.entries({
        std: { std: 0 },
        range: { range: [2, 1] as const },
        highShare: { highShare: 1.5 },
        highFrom: { highFrom: 50 },
        "gap.first": { gap: { ...usual.gap, first: 0 } },
        "gap.settled": { gap: { ...usual.gap, settled: 2 } },
        huber: { huber: -1 },
      })
    ) {
      await check.throws(
        name,
        first({ ...config, objective: { ...usual, ...change } }),
        new RegExp(`^${name} must be `),
      );
    }
  },
);

claim("consistency training needs no teacher, and its steps leave no tensors", async (check) => {
  const free = { ...config, objective: consistencyDefaults(2, null) };
  const counts: number[] = [];
  for (const run of [free, config]) {
    const before = tf.memory().numTensors;
    for await (const { step } of train(run, points, { teacher: run === free ? undefined : teacher })) {
      if (step === 5 || step === 15) counts.push(tf.memory().numTensors);
    }
    check.equal("tensors after the run", tf.memory().numTensors, before, "all are disposed");
  }
  // Losses and norms wait for the next report: as many after 5 steps as after 15, of which 10 are read.
  check.equal("tensors on the way", [counts[0], counts[2]], [counts[1], counts[3]], "flat over steps");
});

claim(
  "a consistency network is EDM's c_skip y + c_out F, which is y where there is no noise",
  async (check) => {
    const bytes = writeModel({ config: config.model, weights: unflatten(network.parameters, teacher) });
    const { config: read, weights } = readModel(bytes);
    const noisePredictor = networkPredictor(read, weights);
    const zero = networkPredictor(read, new Map([...weights].map(([name, w]) => [name, w.map(() => 0)])));
    check.equal(
      "it says so",
      [noisePredictor.consistency, noisePredictor.withLabels(1).consistency],
      [true, true],
      "its config",
    );
    const sde = vpSde();
    const y = createRng(4).normal([6, 2]);
    const { sigmaData, centre } = preconditioning;
    for (const ratio of [1e-6, 1e-3, 0.5, 5]) {
      const t = sde.timeAtHalfLogSnr(-Math.log(ratio));
      const x = y.mul(sde.alpha(t));
      const ends = scoreModel(noisePredictor, sde).denoised(x, t);
      const skipped = scoreModel(zero, sde).denoised(x, t);
      const [values, bare, start] = await Promise.all(
        [ends, skipped, y].map((tensor) => tensor.data<"float32">()),
      );
      const { skip } = edmCoefficients(sigmaData, ratio);
      const worst = (f: (i: number) => number) =>
        start.reduce((most, _, i) => Math.max(most, Math.abs(f(i))), 0);
      check.atMost(
        `ν = ${ratio}: without F`,
        worst((i) => bare[i] - centre - skip * (start[i] - centre)),
        2e-6 * (1 + ratio),
        "c_skip = s²/(s² + ν²) about the centre; float32",
      );
      const moved = worst((i) => values[i] - start[i]);
      if (ratio <= 1e-3) {
        check.atMost(
          `ν = ${ratio}: f − y`,
          moved,
          20 * ratio + 1e-6,
          "c_out = ν s/√(s² + ν²) → 0",
        );
      } else check.atLeast(`ν = ${ratio}: f − y`, moved, 0.05, "noise is removed");
      check.within(`ν = ${ratio}: the time`, noiseRatio(sde, t) / ratio, 1, 1e-6, "timeAtHalfLogSnr");
      tf.dispose([x, ends, skipped]);
    }
    y.dispose();
    noisePredictor.dispose();
    zero.dispose();
  },
);
