/** Claims about training: the optimizer's arithmetic, what is random, resuming, diverging, memory. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import type { Network } from "../../../src/networks/network.ts";
import { readCheckpoint, writeCheckpoint } from "../../../src/training/checkpoint.ts";
import {
  emaDecay,
  learningRate,
  OPTIMIZER_DEFAULTS,
  type OptimizerConfig,
  update,
  updateScalars,
} from "../../../src/training/optimizer.ts";
import { denoisingBatch } from "../../../src/training/denoising_step.ts";
import {
  DivergedError,
  train,
  type TrainingBatch,
  type TrainingConfig,
  type TrainingState,
} from "../../../src/training/train.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { scoped } from "../../instruments/tensor_scope.ts";
import { checkProportion } from "../../instruments/statistics.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

const objective = { kind: "edm", mean: -1, std: 1.2, sigmaData: 1 } as const;

/** A perceptron on labelled points: a step takes milliseconds. */
const config: TrainingConfig = {
  model: {
    network: { kind: "mlp", dimensions: 2, hidden: 16, layers: 1, noiseFeatures: 8, classes: 3 },
    preconditioning: { sigmaData: 1, centre: 0.5 },
  },
  objective,
  optimizer: { ...OPTIMIZER_DEFAULTS, warmup: 5 },
  steps: 20,
  batch: 16,
  labelDropout: 0.25,
  seed: 3,
};

/** Points around (label, 0), a function of the step. */
function points(step: number): TrainingBatch {
  const normals = createRng(11).fork(`points ${step}`).normalValues([config.batch, 2]);
  const labels = Array.from({ length: config.batch }, (_, i) => i % 3);
  return { images: normals.map((z, i) => 0.1 * z + (i % 2 === 0 ? labels[i >> 1] : 0)), labels };
}

/** Trains to `until` steps and returns the state there. */
async function stateAt(until: number, resume?: TrainingState): Promise<TrainingState> {
  for await (const { step, snapshot } of train(config, points, { resume })) {
    if (step === until) return await snapshot();
  }
  throw new Error(`the run ended before step ${until}`);
}

claim("20 steps equal 10, a checkpoint, a resume and 10 more, bit for bit", async (check) => {
  const whole = await stateAt(20);
  const half = await stateAt(10);
  const checkpoint = readCheckpoint(writeCheckpoint({ config, state: half, data: "points" }));
  check.equal("steps done at the checkpoint", checkpoint.state.step, 10, "written and read");
  const resumed = await stateAt(20, checkpoint.state);
  for (const name of ["step", "weights", "ema", "mean", "variance"] as const) {
    check.equal(name, resumed[name], whole[name], "the state is all that a step needs");
  }
  const moved = whole.weights.some((weight, i) => weight !== half.weights[i]);
  check.holds("the last ten steps move the weights", moved, "otherwise nothing was compared");
  check.holds("the average is not the weights", whole.ema.some((w, i) => w !== whole.weights[i]), "EMA lags");
});

claim("the learning rate warms up linearly and falls along half a cosine", (check) => {
  const cosine: OptimizerConfig = { ...OPTIMIZER_DEFAULTS, rate: 2, warmup: 10 };
  const expected = (step: number) =>
    step < 10 ? 2 * step / 10 : 1 + Math.cos(Math.PI * (step - 10) / (110 - 10));
  for (const step of [1, 5, 9, 10, 11, 60, 109, 110]) {
    check.within(`step ${step}`, learningRate(cosine, step, 110), expected(step), 1e-14, "the formula");
  }
  check.equal("constant", learningRate({ ...cosine, decay: "constant" }, 99, 110), 2, "it stays");
  check.equal("no warm-up", learningRate({ ...cosine, warmup: 0 }, 1, 1), 0, "the cosine ends at 0");
});

claim(
  "Adam, clipping and the moving average are those of their papers, in float64 on the host",
  async (check) => {
    const size = 1000;
    const rng = createRng(check.seed);
    const start = rng.fork("start").normalValues([1, size]);
    const optimizer: OptimizerConfig = {
      ...OPTIMIZER_DEFAULTS,
      rate: 0.1,
      warmup: 0,
      decay: "constant",
      clip: 5,
    };
    const [beta1, beta2] = optimizer.betas;
    let state = {
      weights: tf.tensor1d(start),
      ema: tf.tensor1d(start),
      mean: tf.zeros<tf.Rank.R1>([size]),
      variance: tf.zeros<tf.Rank.R1>([size]),
    };
    const theirs = {
      weights: [...start],
      ema: [...start],
      mean: start.map(() => 0),
      variance: start.map(() => 0),
    };
    const [m, v] = [new Float64Array(size), new Float64Array(size)];
    for (let step = 1; step <= 5; step++) {
      // The first gradient is short and stays; the others are long and clipped.
      const gradient = rng.fork(`gradient ${step}`).normalValues([1, size]).map((z) =>
        step === 1 ? 0.01 * z : z
      );
      const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
      const scalars = updateScalars(optimizer, step, 5);
      const next = update(optimizer, state, tf.tensor1d(gradient), {
        rate: tf.scalar(scalars.rate),
        varianceScale: tf.scalar(scalars.varianceScale),
        emaShare: tf.scalar(scalars.emaShare),
      });
      state = { ...next.state };
      check.within(
        `norm ${step}`,
        (await next.norm.data())[0] / norm,
        1,
        1e-6,
        "two float32 sums of 32 terms",
      );
      const decay = Math.min(0.999, (1 + step) / (10 + step));
      for (let i = 0; i < size; i++) {
        const g = gradient[i] * Math.min(1, 5 / norm);
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
        const [mHat, vHat] = [m[i] / (1 - beta1 ** step), v[i] / (1 - beta2 ** step)];
        theirs.weights[i] -= 0.1 * mHat / (Math.sqrt(vHat) + 1e-8);
        theirs.ema[i] = decay * theirs.ema[i] + (1 - decay) * theirs.weights[i];
      }
    }
    for (const name of ["weights", "ema"] as const) {
      const observed = await state[name].data<"float32">();
      const worst = observed.reduce((most, w, i) => Math.max(most, Math.abs(w - theirs[name][i])), 0);
      check.atMost(
        `${name} after 5 steps, largest error`,
        worst,
        5e-6,
        "five steps of at most 0.1 with a few roundings of 6e-8 each, on numbers up to 4 (Kingma & Ba 2015, algorithm 1)",
        { detectable: "a bias correction or an ε left out moves a weight by 1e-2 or more" },
      );
    }
    tf.dispose(Object.values(state));
    check.within(
      "decay of the average, early",
      emaDecay(OPTIMIZER_DEFAULTS, 1),
      2 / 11,
      1e-15,
      "(1 + t)/(10 + t)",
    );
    check.equal("decay of the average, late", emaDecay(OPTIMIZER_DEFAULTS, 1e6), 0.999, "its limit");
  },
);

claim("labels are dropped at the rate asked for, and kept otherwise", async (check) => {
  const network = networkFromConfig(config.model.network) as Network;
  const rows = config.batch;
  const steps = 2000;
  let [withheld, wrong] = [0, 0];
  for (let done = 0; done < steps; done++) {
    const batch = points(0);
    const classes = await scoped(() =>
      denoisingBatch(config, objective, network, batch, done).prediction.classes!.data()
    );
    for (let row = 0; row < rows; row++) {
      if (classes[4 * row + 3] === 1) withheld++;
      else if (classes[4 * row + (batch.labels![row])] !== 1) wrong++;
    }
  }
  checkProportion(
    check,
    "labels withheld",
    withheld,
    steps * rows,
    config.labelDropout,
    "config.labelDropout",
  );
  check.equal("labels changed", wrong, 0, "a label is kept or withheld");
});

claim("a step's random numbers depend on seed and step alone, and differ between steps", async (check) => {
  const network = networkFromConfig(config.model.network) as Network;
  const noise = async (seed: number, done: number) =>
    Array.from(
      await scoped(() =>
        denoisingBatch({ ...config, seed }, objective, network, points(0), done).noise.data()
      ),
    );
  check.equal("again", await noise(1, 5), await noise(1, 5), "counter-based generator");
  check.holds("another step", (await noise(1, 5))[0] !== (await noise(1, 6))[0], "a fork of its own");
  check.holds("another seed", (await noise(1, 5))[0] !== (await noise(2, 5))[0], "a key of its own");
});

claim("a NaN loss stops the run and names the step", async (check) => {
  const poisoned = (step: number) => {
    const batch = points(step);
    if (step === 6) batch.images[3] = NaN;
    return batch;
  };
  let [last, error] = [0, null as unknown];
  try {
    for await (const { step } of train(config, poisoned, { reportEvery: 4 })) last = step;
  } catch (caught) {
    error = caught;
  }
  check.holds("error", error instanceof DivergedError, "DivergedError");
  check.equal("step named", (error as DivergedError).step, 7, "batch 6 is that of step 7");
  check.equal("last step that was yielded", last, 7, "losses are read every 4 steps: at step 8");
  const snapshot = async () => {
    for await (const { step, snapshot } of train(config, poisoned, { reportEvery: 20 })) {
      if (step === 7) await snapshot();
    }
  };
  await check.throws("a snapshot of broken weights", snapshot, /a weight is NaN at step 7/);
});

claim("1,000 training steps leave memory flat, and the end leaks nothing", {
  slow: "on webgpu",
}, async (check) => {
  const before = tf.memory().numTensors;
  const counts = new Set<number>();
  for await (const { step } of train({ ...config, steps: 1000 }, points, { reportEvery: 1 })) {
    if (step > 1) counts.add(tf.memory().numTensors - before);
  }
  check.equal("tensors beside the start, over all steps", [...counts], [4], "weights, average, two moments");
  check.equal("tensors left at the end", tf.memory().numTensors - before, 0, "all are disposed");
});

claim("training refuses invalid settings in one sentence", async (check) => {
  const begin = (changed: Partial<TrainingConfig>, batch = points) => () =>
    train({ ...config, ...changed }, batch).next();
  await check.throws("steps", begin({ steps: 0 }), /steps must be a positive integer, got 0/);
  await check.throws(
    "dropout",
    begin({ labelDropout: 2 }),
    /labelDropout must be a finite number from 0 to 1, got 2/,
  );
  const optimizer = { ...config.optimizer, betas: [0.9, 1] as const };
  await check.throws(
    "betas",
    begin({ optimizer }),
    /betas\[1\] must be a finite number from 0 and below 1, got 1/,
  );
  const short = () => ({ images: new Float32Array(3), labels: [] });
  await check.throws("batch", begin({}, short), /\[16,2\] has 32 values, got 3/);
  const unlabelled = (step: number) => ({ images: points(step).images });
  await check.throws("labels", begin({}, unlabelled), /one label per row, got 0 for 16 rows/);
});

claim("a training that is aborted throws the reason at its next step and leaves no tensor", async (check) => {
  const before = tf.memory().numTensors;
  const controller = new AbortController();
  const reason = new Error("enough");
  const steps: number[] = [];
  let thrown: unknown = "no error";
  try {
    for await (const { step } of train(config, points, { signal: controller.signal })) {
      steps.push(step);
      if (step === 2) controller.abort(reason);
    }
  } catch (error) {
    thrown = error;
  }
  check.equal("the reason itself", thrown === reason, true, String(thrown));
  check.equal("steps", steps, [1, 2], "none after the abortion");
  check.equal("tensors left", tf.memory().numTensors - before, 0, "the run cleans up");
  const run = () => train(config, points, { signal: "soon" as never }).next();
  await check.throws(
    "no signal",
    run,
    /^signal must be an AbortSignal, as new AbortController\(\)\.signal is, got "soon"$/,
  );
});
