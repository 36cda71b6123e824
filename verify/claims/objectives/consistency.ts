/**
 * Claims about the objective of consistency functions: the pairs that it draws, its loss, and both as a training step uses them,
 * on a network that holds the exact consistency function of a Gaussian.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import type { Network } from "../../../src/networks/network.ts";
import {
  consistencyDefaults,
  consistencyGap,
  consistencyLoss,
  type ConsistencyObjective,
  drawConsistencyLevels,
} from "../../../src/objectives/consistency.ts";
import { consistencyMethod } from "../../../src/training/consistency_step.ts";
import {
  OPTIMIZER_DEFAULTS,
  scalarTensors,
  startState,
  stateTensors,
} from "../../../src/training/optimizer.ts";
import { compileStep, trainingStep } from "../../../src/training/step.ts";
import type { TrainingConfig } from "../../../src/training/train.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { checkProportion, checkUniform, standardNormalCdf } from "../../instruments/statistics.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

/** Data N(centre, sigmaData²) in three dimensions. */
const [sigmaData, centre, dimension] = [0.5, 0.3, 3];
/** What the classes 0 and 1 and no class add to the network's output. */
const offsets = [0.4, -0.7, 0.1];

/**
 * F(x, ν, k) = gain · g(ν) x + shift · offset_k, g = (T − s)/ν with T = √(s² + ν²). With EDM's preconditioning gain 0 is the
 * exact noise predictor of the Gaussian, gain 1 its exact consistency function.
 */
const network: Network = {
  config: null,
  sampleShape: [dimension],
  classes: 2,
  parameters: [{ name: "gain", shape: [1], mean: 0, std: 0 }, { name: "shift", shape: [1], mean: 0, std: 0 }],
  noiseFeatureCount: 1,
  initialise: () => new Map([["gain", new Float32Array(1)], ["shift", new Float32Array(1)]]),
  noiseFeatures: (logs) => Float32Array.from(logs, (log) => slopeOf(Math.exp(log))),
  forward: (p, x, features, classes) =>
    tf.add(
      tf.mul(tf.mul(x, features), p.gain),
      tf.mul(tf.matMul(classes!, tf.tensor2d(offsets, [3, 1])), p.shift),
    ),
};

function slopeOf(ratio: number): number {
  return ratio / (Math.hypot(ratio, sigmaData) + sigmaData);
}

/** The predicted noise of gain and shift for class k, in float64 by EDM's Table 1. */
function noiseOf(y: number, ratio: number, k: number, [gain, shift]: readonly number[]): number {
  const total = Math.hypot(ratio, sigmaData);
  const [skip, out, input] = [(sigmaData / total) ** 2, ratio * sigmaData / total, 1 / total];
  const f = gain * slopeOf(ratio) * input * (y - centre) + shift * offsets[k];
  return (y - (centre + skip * (y - centre) + out * f)) / ratio;
}

const objective: ConsistencyObjective = {
  ...consistencyDefaults(dimension, { scale: 1.3, from: 0.6, to: 6 }),
  ...{ mean: 0, std: 1, range: [0.05, 10], highFrom: 2, huber: 0.1 },
};
const rows = 32;

function configOf(objective: ConsistencyObjective, batch = rows): TrainingConfig {
  return {
    model: { network: null as never, preconditioning: { sigmaData, centre }, consistency: true },
    objective,
    optimizer: { ...OPTIMIZER_DEFAULTS, rate: 0.02, warmup: 0, clip: 1e9, ema: 0.9 },
    ...{ steps: 8, batch, labelDropout: 0.2, seed: 4 },
  };
}

/** Gaussian data with labels, a function of the step. */
function images(step: number, batch = rows) {
  const normals = createRng(9).fork(`data ${step}`).normalValues([batch, dimension]);
  return {
    images: Float32Array.from(normals, (z) => centre + sigmaData * z),
    labels: Array.from({ length: batch }, (_, i) => i % 2),
  };
}

/** One step of a method from given weights: its loss, its gradient, and the tensors of its batch on the host. */
async function stepOf(
  objective: ConsistencyObjective,
  { weights, ema, teacher, done = 0 }: Record<"weights" | "ema" | "teacher", readonly number[]> & {
    readonly done?: number;
  },
) {
  const config = configOf(objective);
  const method = consistencyMethod(config, objective, network, Float32Array.from(teacher));
  const step = await compileStep(method.lossAndGradient, config.optimizer, 2, method.batchShapes);
  const batch = method.batch(images(done), done);
  const state = stateTensors({ ...startState(Float32Array.from(weights)), ema: Float32Array.from(ema) });
  const inputs = { state, scalars: scalarTensors(config.optimizer, 1, 8), batch };
  const result = step.run(inputs);
  const [loss] = await result.loss.data();
  const mean = [...await result.state.mean.data()];
  const { data, noise, far, near, atFar, guidance } = batch;
  const read = async (tensor?: tf.Tensor) => await tensor?.data() ?? [];
  const hosts = {
    data: await read(data),
    noise: await read(noise),
    far: await read(far),
    near: await read(near),
    classes: await read(atFar.classes),
    guidance: await read(guidance),
  };
  tf.dispose([result, inputs]);
  step.dispose();
  method.dispose();
  // Adam's first moment after the first step is (1 − β₁) times the gradient.
  return { loss, gradient: mean.map((m) => m / (1 - 0.9)), batch: hosts };
}

/** The loss of a batch in float64, from its data, noise, ratios and labels. */
function expectedLoss(
  objective: ConsistencyObjective,
  { data, noise, far, near, classes }: Record<
    "data" | "noise" | "far" | "near" | "classes",
    ArrayLike<number>
  >,
  { weights, ema, teacher }: Record<"weights" | "ema" | "teacher", readonly number[]>,
): number {
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const [t, r] = [far[row], near[row]];
    const k = [0, 1, 2].findIndex((k) => classes[3 * row + k] === 1);
    let square = 0;
    for (let i = 0; i < dimension; i++) {
      const [x, z] = [data[dimension * row + i], noise[dimension * row + i]];
      const y = x + t * z;
      const plain = noiseOf(y, t, 2, teacher);
      const weight = t > 0.6 && t <= 6 ? 1.3 : 1;
      const slope = objective.teacher === null ? z : plain + weight * (noiseOf(y, t, k, teacher) - plain);
      const from = y + (r - t) * slope;
      square += (y - t * noiseOf(y, t, k, weights) - (from - r * noiseOf(from, r, k, ema))) ** 2;
    }
    sum += (Math.sqrt(square + objective.huber ** 2) - objective.huber) / (t - r) / rows;
  }
  return sum;
}

claim("consistency's noise ratios have their distribution, and pairs their gap and weight", (check) => {
  const draw = (change: Partial<ConsistencyObjective>, done = 0) =>
    drawConsistencyLevels(
      { ...consistencyDefaults(784, null), ...change },
      createRng(check.seed),
      20_000,
      done,
    );
  const wide = draw({ highShare: 0, range: [1e-9, 1e9], highFrom: 1 }).far;
  checkUniform(
    check,
    "ln t",
    wide.map((t) => standardNormalCdf((Math.log(t) + 0.6) / 1.6)),
    "N(−.6, 1.6²)",
  );
  const high = draw({ highShare: 1 }).far;
  checkUniform(
    check,
    "high ln t",
    high.map((t) => Math.log(t / 4) / Math.log(10)),
    "uniform from ln 4 to ln 40",
  );
  const narrow = draw({ std: 1e-3 }).far;
  checkProportion(check, "high pairs", narrow.filter((t) => t >= 4).length, 20_000, 1 / 8, "highShare");
  const { far, near, weight } = draw({}, 0.3);
  check.holds("in the range", far.every((t) => t >= 0.005 && t <= 40), "clamped to .005 and 40");
  const gap = 1.2 * 0.1 ** 0.4;
  const worst = (of: (i: number) => number) => far.reduce((most, _, i) => Math.max(most, Math.abs(of(i))), 0);
  check.atMost("ln(t/r)", worst((i) => Math.log(far[i] / near[i]) - gap), 1e-12, "1.2 · .1^(.3/.75)");
  check.atMost("weight", worst((i) => weight[i] * (far[i] - near[i]) - 1), 1e-12, "1/(t − r)");
});

claim("the gap falls exponentially from its first value to its last and stays there", (check) => {
  const objective = consistencyDefaults(784, null);
  for (const [done, gap] of [[0, 1.2], [0.375, Math.sqrt(1.2 * 0.12)], [0.75, 0.12], [1, 0.12]]) {
    check.within(
      `after ${done}`,
      consistencyGap(objective, done),
      gap,
      1e-15,
      "1.2 · .1^(done/.75), then .12",
    );
  }
  check.within("c", objective.huber, 0.00054 * 28, 1e-15, "c = .00054 √784: Song & Dhariwal 2023");
});

claim(
  "the consistency loss and its gradient are those of the weighted pseudo-Huber distance",
  async (check) => {
    const target = tf.tensor2d([[1, 1], [2, 2], [0, 0]]);
    const weight = tf.tensor2d([[2], [5], [1]]);
    // Rows: Δ = (3, 4) with c = 12 gives √(25 + 144) − 12 = 1; Δ = 0 gives 0; Δ = (3e-4, 4e-4) gives ‖Δ‖²/(2c).
    const predicted = tf.tensor2d([[4, 5], [2, 2], [3e-4, 4e-4]]);
    const { value, grad } = tf.valueAndGrad((x) => consistencyLoss(x, target, weight, 12))(predicted);
    const tiny = 2.5e-7 / 24;
    check.within("loss", (await value.data())[0], (2 + 0 + tiny) / 3, 1e-6, "by hand");
    const expected = [2 * 3 / 13, 2 * 4 / 13, 0, 0, 3e-4 / 12, 4e-4 / 12].map((g) => g / 3);
    const gradient = await grad.data();
    for (const [i, g] of expected.entries()) {
      check.within(`gradient ${i}`, gradient[i], g, 1e-6 * Math.abs(g), "w Δ/√(‖Δ‖² + c²) over rows");
    }
    const alone = tf.tidy(() =>
      consistencyLoss(predicted.slice([2, 0], [1, 2]), target.slice([2, 0], [1, 2]), tf.ones([1, 1]), 12)
    );
    check.within(
      "a tiny difference",
      (await alone.data())[0],
      tiny,
      1e-5 * tiny,
      "‖Δ‖²/(2c), which keeps its digits",
    );
    tf.dispose([target, weight, predicted, value, grad, alone]);
  },
);

claim(
  "a consistency step has the loss and gradient of its pairs, with a guided teacher and without",
  { engines: ["wasm", "onnx"] },
  async (check) => {
    const at = { weights: [0.6, 0.5], ema: [0.8, 0.9], teacher: [0.1, 1] };
    for (const teacher of [objective.teacher, null]) {
      const where = teacher === null ? "training" : "distillation";
      const chosen = { ...objective, teacher };
      for (const done of [0, 5]) {
        const { loss, gradient, batch } = await stepOf(chosen, { ...at, done });
        const expected = expectedLoss(chosen, batch, at);
        check.within(
          `${where}, step ${done + 1}: loss`,
          loss / expected,
          1,
          1e-4,
          "Song et al. 2023, Alg. 2 and 3",
          {
            detectable: "a target by the weights instead of the average: 20%",
          },
        );
        for (const [i, name] of ["gain", "shift"].entries()) {
          const moved = (h: number) =>
            expectedLoss(chosen, batch, {
              ...at,
              weights: at.weights.map((w, j) => w + (i === j ? h : 0)),
            });
          const slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
          check.within(
            `${where}, step ${done + 1}: gradient by ${name}`,
            gradient[i],
            slope,
            1e-3 * Math.abs(slope) + 1e-4,
            "central difference in float64 with the target held",
          );
        }
      }
    }
  },
);

claim(
  "the exact consistency function is the loss's optimum: it vanishes there with the gap's cube",
  async (check) => {
    const lossAt = async (gain: number, gap: number) => {
      const chosen = { ...objective, huber: 10, gap: { first: gap, last: gap, settled: 1 } };
      const { loss } = await stepOf(chosen, { weights: [gain, 0], ema: [gain, 0], teacher: [0, 0] });
      return loss;
    };
    const exact = [await lossAt(1, 0.2), await lossAt(1, 0.1)];
    check.within(
      "half the gap",
      Math.log2(exact[0] / exact[1]),
      3,
      0.25,
      "Euler's error is of order (t − r)², so ‖Δ‖²/(t − r) of order 3",
      { detectable: "an error of order t − r, which gives 1" },
    );
    for (const gain of [0.8, 1.2]) {
      const away = [await lossAt(gain, 0.04), await lossAt(gain, 0.02)];
      check.within(`gain ${gain}: half the gap`, Math.log2(away[0] / away[1]), 1, 0.2, "‖Δ‖ of order t − r");
      check.atLeast(`gain ${gain} over the exact one`, away[1] / await lossAt(1, 0.02), 100, "gap² smaller");
    }
  },
);

claim(
  "distillation of an exact score from its own weights arrives at the exact consistency function",
  async (check) => {
    const steps = 300;
    const chosen = { ...objective, huber: 1, gap: { first: 0.5, last: 0.02, settled: 0.5 } };
    const usual = configOf(chosen);
    const optimizer = { ...usual.optimizer, rate: 0.05, ema: 0.5 };
    const config: TrainingConfig = { ...usual, optimizer, steps };
    const method = consistencyMethod(config, chosen, network, Float32Array.of(0, 0));
    const step = trainingStep(method.lossAndGradient, optimizer);
    let state = stateTensors(startState(new Float32Array(2)));
    for (let done = 0; done < steps; done++) {
      const next = tf.tidy(() => {
        const scalars = scalarTensors(optimizer, done + 1, steps);
        return step({ state, scalars, batch: method.batch(images(done), done) }).state;
      });
      tf.dispose(state);
      state = next;
    }
    const [gain, shift] = await state.ema.data();
    tf.dispose(state);
    method.dispose();
    check.within(
      "gain of the moving average",
      gain,
      1,
      0.03,
      "f = mean + (y − mean) s/√(s² + ν²); Euler's bias, of the order of the last gap, .02",
      {
        detectable: "the teacher, which has 0",
      },
    );
    check.within("shift", shift, 0, 0.03, "the data have no classes");
  },
);
