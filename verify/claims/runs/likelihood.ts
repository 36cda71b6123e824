/** Claims that bits of images under the exact noise of a Gaussian are those of its density, image by image. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { discreteDdpm } from "../../../src/diffusion/sde.ts";
import { sdeFromConfig, withMinimumNoise } from "../../../src/diffusion/sde_registry.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { continuousElbo } from "../../../src/likelihood/continuous_bound.ts";
import {
  decoderNats,
  dequantize,
  truncatedNormalDequantize,
} from "../../../src/likelihood/dequantization.ts";
import { discreteElbo, learnVariances } from "../../../src/likelihood/discrete_bound.ts";
import { runElbo } from "../../../src/runs/elbo.ts";
import { type LikelihoodRequest, runLikelihood } from "../../../src/runs/likelihood.ts";
import { claim } from "../../suite/claim.ts";
import { exactPredictor } from "../../instruments/exact_predictor.ts";
import { scoped } from "../../instruments/tensor_scope.ts";

const shape = [2, 2, 1] as const;
const bytes = Uint8Array.of(0, 60, 130, 255, 90, 100, 110, 120, 3, 200, 50, 77, 1, 2, 3, 4);
const images = { name: "four", count: 4, shape, classes: 1, images: bytes, labels: new Uint8Array(4) };

const request: LikelihoodRequest = {
  sde: { kind: "vp", betaMin: 0.1, betaMax: 20, tMin: 1e-3, tMax: 1 },
  minNoise: 0.02,
  method: { kind: "rk4", steps: 40, probes: 2, dequantization: "uniform" },
  limit: 3,
  batch: 2,
  seed: 6,
};
const sde = withMinimumNoise(sdeFromConfig(request.sde), 0.02);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
/** The standard error of the mean. */
const errorOf = (values: readonly number[]) =>
  Math.sqrt(
    values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1) / values.length,
  );

/** ln p(x) of a row of four values, by the flow of a Gaussian from tMin to N(0, 1), which is a shift and a scale. */
function logDensity(x: ArrayLike<number>): number {
  const moments = (t: number) => [-0.2 * sde.alpha(t), Math.sqrt(sde.alpha(t) ** 2 / 4 + sde.sigma(t) ** 2)];
  const [[from, narrow], [to, wide]] = [moments(sde.tMin), moments(sde.tMax)];
  return Array.from(x).reduce((sum, value) => {
    const z = to + (value - from) * wide / narrow;
    return sum - z * z / 2 - Math.log(2 * Math.PI) / 2 + Math.log(wide / narrow);
  }, 0);
}

async function measured(change: Partial<LikelihoodRequest>) {
  const { noisePredictor, calls } = exactPredictor(shape);
  const batches: [number, number][] = [];
  const before = tf.memory().numTensors;
  const result = await runLikelihood({ ...request, ...change }, {
    noisePredictor,
    images,
    onBatch: (count, bits) => batches.push([count, bits]),
  });
  return { ...result, batches, prepared: calls.prepared, left: tf.memory().numTensors - before };
}

claim("bits by the flow are those of the density at the images' dequantized bytes", async (check) => {
  const { method } = request;
  const flows = [
    ["rk4", method, 2e-4],
    ["dopri5", { ...method, kind: "dopri5", tolerance: 1e-4 }, 1e-2],
  ] as const;
  for (const [kind, flow, tolerance] of flows) {
    for (const dequantization of kind === "rk4" ? ["uniform", "truncated-normal"] : ["truncated-normal"]) {
      const what = `${kind}, ${dequantization}`;
      const result = await measured({ method: { ...flow, dequantization } as typeof method });
      const expected: number[] = [];
      for (let i = 0; i < 3; i++) {
        const own = bytes.subarray(4 * i, 4 * i + 4);
        const rng = createRng(6).startingAt(i).fork("dequantization");
        const [x, logNoise] = await scoped(async () => {
          if (dequantization === "uniform") {
            return [await dequantize(own, [1, ...shape], rng).data(), null] as const;
          }
          const { x, logDensity } = truncatedNormalDequantize(own, [1, ...shape], rng, sde);
          return [await x.data(), logDensity[0]] as const;
        });
        // A bin of 2/255 is uniform noise's density; the other is the noise's own.
        const nats = logDensity(x) / 4 + (logNoise === null ? Math.log(2 / 255) : -logNoise / 4);
        expected.push(-nats / Math.LN2);
      }
      result.bits.forEach((bits, i) =>
        check.within(`${what}: image ${i}`, bits, expected[i], tolerance, "−log₂ p/d; steps of the solver")
      );
      check.equal(`${what}: images`, [result.bits.length, result.batches.map(([count]) => count)], [3, [
        2,
        3,
      ]], "two, and one more");
      check.within(`${what}: mean`, result.bitsPerDimension, mean(result.bits), 1e-12, "of the images");
      check.within(`${what}: its error`, result.standardError!, errorOf(result.bits), 1e-12, "s/√n");
      check.within(
        `${what}: mean after a batch`,
        result.batches[0][1],
        mean(result.bits.slice(0, 2)),
        1e-12,
        "of those so far",
      );
      check.atMost(
        `${what}: error of probes`,
        result.probeError!,
        1e-5,
        "the trace of a multiple of 1 is exact; float32",
      );
      check.equal(`${what}: prepared`, result.prepared, [[2, true], [1, true]], "with gradients");
      check.equal(`${what}: variances and tensors`, [result.variances, result.left], [null, 0], "none");
      if (kind === "rk4") check.equal(`${what}: evaluations`, result.evaluations, 160, "four a step");
    }
  }
  const one = await measured({
    limit: 1,
    method: { kind: "rk4", steps: 1, probes: 1, dequantization: "uniform" },
  });
  check.equal("one image and one probe", [one.standardError, one.probeError, one.evaluations], [
    null,
    null,
    4,
  ], "nothing to compare");
});

claim("bits by the bound are those of its estimate and of decoding, image by image", async (check) => {
  const result = await measured({ method: { kind: "elbo", draws: 5 } });
  const model = scoreModel(exactPredictor(shape).noisePredictor, sde);
  const bits: number[] = [];
  const variances = { importance: [] as number[], uniform: [] as number[] };
  for (let i = 0; i < 3; i++) {
    const x = tf.tensor(Array.from(bytes.subarray(4 * i, 4 * i + 4), (byte) => byte / 127.5 - 1), [
      1,
      ...shape,
    ]);
    for (const times of ["importance", "uniform"] as const) {
      const rng = createRng(6).startingAt(i).fork(times);
      const { bound, variance } = await continuousElbo(model, x, { rng, draws: 5, times });
      if (times === "importance") bits.push((bound[0] / 4 + decoderNats(sde)) / Math.LN2);
      variances[times].push(variance[0] / (4 * Math.LN2) ** 2);
    }
    x.dispose();
  }
  result.bits.forEach((own, i) =>
    check.within(`image ${i}`, own, bits[i], 1e-4 * bits[i], "the bound alone; float32")
  );
  for (const times of ["importance", "uniform"] as const) {
    const expected = mean(variances[times]);
    check.within(
      `variance, ${times}`,
      result.variances![times],
      expected,
      1e-3 * expected,
      "the mean over images",
    );
  }
  check.equal("evaluations", result.evaluations, 10, "five draws of each kind of times");
  check.equal("prepared", result.prepared, [[2, false], [1, false]], "without gradients");
  check.equal("error of probes and tensors", [result.probeError, result.left], [null, 0], "none");
});

claim("the bound of a chain is the library's, image by image and term by term", async (check) => {
  const betas = [0.02, 0.1, 0.3, 0.5, 0.9];
  const model = scoreModel(exactPredictor(shape).noisePredictor, discreteDdpm(betas));
  const times = timeGrid(model.sde, { kind: "uniform", steps: 4 });
  const tensor = (own: Uint8Array, rows: number) =>
    tf.tensor(Array.from(own, (byte) => byte / 127.5 - 1), [rows, ...shape]);
  for (const variances of ["posterior", "forward", "learned"] as const) {
    const { noisePredictor, calls } = exactPredictor(shape);
    const steps: number[] = [];
    const before = tf.memory().numTensors;
    const result = await runElbo({ betas, variances, limit: 3, batch: 2, seed: 6 }, {
      noisePredictor,
      images,
      training: { ...images, images: bytes.toReversed() },
      onStep: (step) => steps.push(step),
    });
    check.equal(
      `${variances}: tensors left`,
      tf.memory().numTensors - before,
      0,
      "numbers alone are returned",
    );
    let own: Parameters<typeof discreteElbo>[2]["variances"];
    if (variances === "learned") {
      const x = tensor(bytes.toReversed().subarray(0, 8), 2);
      own = await learnVariances(model, x, { times, rng: createRng(6).fork("learning") });
      x.dispose();
    } else own = variances;
    const terms = { total: [] as number[], prior: [] as number[], reconstruction: [] as number[] };
    const ofSteps: number[][] = [];
    for (let i = 0; i < 3; i++) {
      const x = tensor(bytes.subarray(4 * i, 4 * i + 4), 1);
      const bound = await discreteElbo(model, x, { times, variances: own, rng: createRng(6).startingAt(i) });
      x.dispose();
      for (const key of ["total", "prior", "reconstruction"] as const) {
        terms[key].push(bound[key][0] / 4 / Math.LN2);
      }
      ofSteps.push(bound.steps.map((step) => step[0] / 4 / Math.LN2));
    }
    const near = (what: string, observed: readonly number[], expected: readonly number[]) =>
      check.atMost(
        `${variances}: ${what}`,
        Math.max(
          Math.abs(observed.length - expected.length),
          ...expected.map((value, i) => Math.abs(observed[i] - value)),
        ),
        1e-4,
        "the same images one by one, in bits; float32",
      );
    near("bits", result.bits, terms.total);
    near("mean", [result.bitsPerDimension], [mean(terms.total)]);
    near("its error", [result.standardError], [errorOf(terms.total)]);
    near("L_T", [result.prior], [mean(terms.prior)]);
    near("L_0", [result.reconstruction], [mean(terms.reconstruction)]);
    near("steps", result.steps, ofSteps[0].map((_, k) => mean(ofSteps.map((own) => own[k]))));
    const count = variances === "learned" ? 15 : 10;
    check.equal(
      `${variances}: calls of onStep`,
      steps,
      Array.from({ length: count }, (_, i) => i + 1),
      "five a batch, and to learn",
    );
    check.equal(`${variances}: prepared`, calls.prepared, [[2, false]], "for whole batches");
  }
  const run = (change: object, parts: object = {}) => () =>
    runElbo(
      { betas, variances: "learned", limit: 3, batch: 2, seed: 6, ...change } as Parameters<
        typeof runElbo
      >[0],
      {
        noisePredictor: exactPredictor(shape).noisePredictor,
        images,
        ...parts,
      },
    );
  const single = await runElbo({ betas, variances: "forward", limit: 1, batch: 9, seed: 6 }, {
    noisePredictor: exactPredictor(shape).noisePredictor,
    images,
  });
  check.equal("the error of one image", single.standardError, 0, "it is its own mean");
  const cases: [string, () => unknown, RegExp][] = [
    ["no training images", run({}), /^variances "learned" need training images, which are not given$/],
    [
      "other training images",
      run({}, { training: { ...images, shape: [1, 4, 1] } }),
      /^training images must have the shape \[2,2,1\] of the others, got \[1,4,1\]$/,
    ],
    [
      "one training image",
      run({}, { training: { ...images, count: 1 } }),
      /^variances are learned on 2 training images, got 1$/,
    ],
    [
      "variances",
      run({ variances: "fixed" }),
      /^variances must be "posterior" or "forward" or "learned", got "fixed"$/,
    ],
    ["limit", run({ limit: 0 }), /^limit must be a positive integer, got 0$/],
    ["batch", run({ batch: 0 }), /^batch must be a positive integer, got 0$/],
    ["onStep", run({}, { onStep: 1 }), /^onStep must be a function, got 1$/],
    [
      "no image",
      run({}, { images: { ...images, count: 0 } }),
      /^images must hold at least one image, got none$/,
    ],
    [
      "another shape",
      run({}, { images: { ...images, shape: [1, 4, 1] } }),
      /^the network is for samples of shape \[2,2,1\], the images have \[1,4,1\]$/,
    ],
  ];
  for (const [what, action, message] of cases) await check.throws(what, action, message);
});

claim(
  "a likelihood request that cannot be carried out is refused before anything is measured",
  async (check) => {
    const { method } = request;
    const cases: [string, object, RegExp][] = [
      ["limit", { limit: 0 }, /^limit must be a positive integer, got 0$/],
      ["batch", { batch: 0.5 }, /^batch must be a positive integer, got 0\.5$/],
      ["seed", { seed: -1 }, /got -1$/],
      ["a method", { method: null }, /^method must be an object, got null$/],
      [
        "a kind",
        { method: { ...method, kind: "euler" } },
        /^the kind of a likelihood's method must be "rk4" or "dopri5" or "elbo", got "euler"$/,
      ],
      ["steps", { method: { ...method, steps: 0 } }, /^method\.steps must be a positive integer, got 0$/],
      [
        "many steps",
        { method: { ...method, steps: 10_001 } },
        /^method\.steps must be at most 10000, got 10001$/,
      ],
      ["probes", { method: { ...method, probes: 0 } }, /^method\.probes must be a positive integer, got 0$/],
      [
        "many probes",
        { method: { ...method, probes: 1001 } },
        /^method\.probes must be at most 1000, got 1001$/,
      ],
      [
        "dequantization",
        { method: { ...method, dequantization: "none" } },
        /^method\.dequantization must be "truncated-normal" or "uniform", got "none"$/,
      ],
      [
        "a tolerance",
        { method: { ...method, kind: "dopri5", tolerance: 1.1 } },
        /^method\.tolerance must be a number from 1e-9 to 1, got 1\.1$/,
      ],
      [
        "a small tolerance",
        { method: { ...method, kind: "dopri5", tolerance: 9e-10 } },
        /from 1e-9 to 1, got 9e-10$/,
      ],
      [
        "one draw",
        { method: { kind: "elbo", draws: 1 } },
        /^method\.draws must be a whole number from 2 to 10000, got 1$/,
      ],
      [
        "many draws",
        { method: { kind: "elbo", draws: 10_001 } },
        /^method\.draws must be at most 10000, got 10001$/,
      ],
    ];
    for (const [what, change, message] of cases) await check.throws(what, () => measured(change), message);
  },
);
