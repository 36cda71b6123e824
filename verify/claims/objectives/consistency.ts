/**
 * Claims about the objective of consistency functions: the pairs that it draws, its loss, and both as a training step uses them,
 * on a network that holds the exact consistency function of a Gaussian.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import {
  checkConsistency,
  consistencyDefaults,
  consistencyGap,
  consistencyLoss,
  type ConsistencyObjective,
  drawConsistencyLevels,
} from "../../../src/objectives/consistency.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { checkProportion, checkUniform, standardNormalCdf } from "../../instruments/statistics.ts";
import {
  centre,
  dimension,
  objective,
  offsets,
  rows,
  sigmaData,
  slopeOf,
  stepOf,
} from "../../problems/linear_consistency.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

/** The predicted noise of gain and shift for class k, in float64 by EDM's Table 1. */
function noiseOf(y: number, ratio: number, k: number, [gain, shift]: readonly number[]): number {
  const total = Math.hypot(ratio, sigmaData);
  const [skip, out, input] = [(sigmaData / total) ** 2, ratio * sigmaData / total, 1 / total];
  const f = gain * slopeOf(ratio) * input * (y - centre) + shift * offsets[k];
  return (y - (centre + skip * (y - centre) + out * f)) / ratio;
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
  "a consistency objective's numbers are refused out of their ranges, by name, and taken at their ends",
  async (check) => {
    const whole = consistencyDefaults(784, null);
    check.equal("the recipe for digits", whole, {
      kind: "consistency",
      mean: -0.6,
      std: 1.6,
      range: [0.005, 40],
      highShare: 0.125,
      highFrom: 4,
      gap: { first: 1.2, last: 0.12, settled: 0.75 },
      huber: 0.01512,
      teacher: null,
    }, "Geng et al. 2024 and Song & Dhariwal 2023: c = .00054 √784");
    const changed = (field: string, value: unknown) => () => {
      const [outer, inner] = field.split(".");
      const own = inner === undefined ? value : { ...whole.gap, [inner]: value };
      return checkConsistency({ ...whole, [outer]: own } as ConsistencyObjective);
    };
    const wrong: [string, unknown][] = [
      ["mean", NaN],
      ["std", 0],
      ["range", null],
      ["range", [0, 1]],
      ["range", [2, 2]],
      ["range", [3, 2]],
      ["highShare", -0.1],
      ["highShare", 1.1],
      ["highFrom", 0.004],
      ["highFrom", 40],
      ["gap", null],
      ["gap.first", 0],
      ["gap.last", 0],
      ["gap.settled", 0],
      ["gap.settled", 1.01],
      ["huber", 0],
    ];
    for (const [field, value] of wrong) {
      const message = new RegExp(`^${field.replace(".", "\\.")} must be `);
      await check.throws(`${field} of ${value}`, changed(field, value), message);
    }
    await check.throws(
      "no objective",
      () => checkConsistency(null as unknown as ConsistencyObjective),
      /^objective must be an object, got null$/,
    );
    for (
      const [field, value] of [
        ["mean", -3],
        ["std", 0.01],
        ["huber", 1e-4],
        ["gap.last", 0.01],
        ["highShare", 0],
        ["highShare", 1],
        ["highFrom", 0.005],
        ["gap.first", 0.01],
        ["gap.settled", 1],
      ] as const
    ) await check.throws(`${field} of ${value}`, changed(field, value), /^no error$/);
  },
);
