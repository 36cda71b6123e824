/** Claims about networks as noise predictors: preconditioning, labels and guidance, compiled forms, what they learn. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { DIGITS, type NetworkConfig, networkFromConfig } from "../../../src/networks/registry.ts";
import { unflatten } from "../../../src/networks/network.ts";
import { type NetworkPredictor, networkPredictor } from "../../../src/networks/network_predictor.ts";
import type { ModelConfig } from "../../../src/networks/noise_prediction.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { train, type TrainingConfig, type TrainingState } from "../../../src/training/train.ts";
import { type Area, type Check, claim } from "../../suite/claim.ts";
import { firstOf, scoped } from "../../instruments/tensor_scope.ts";

/** Where these claims are examined, and what the report says of their pictures. */
export const area: Area = {
  webgpu: "always",
  tables: {
    title: "A learned score against the exact one",
    text:
      "Loss is E‖ε̂ − ε‖² a coordinate at noise ratio ν, floor the same for the exact score: no network gets below it. The last " +
      "columns are the root mean square errors of the predicted noise and of the score field.",
  },
};

const model: ModelConfig = {
  network: {
    ...DIGITS,
    height: 8,
    width: 8,
    widths: [8, 16],
    blocks: 1,
    middleBlocks: 1,
    embedding: 16,
    classes: 3,
  },
  preconditioning: { sigmaData: 0.5, centre: -0.7 },
};

/** A noise predictor whose weights are all drawn, also those that training starts at zero. */
function busyPredictor(seed: number): NetworkPredictor {
  const network = networkFromConfig(model.network);
  const rng = createRng(seed).fork("denoiser");
  const weights = new Map(network.parameters.map(({ name, shape, mean, std }) => {
    const normals = rng.fork(name).normalValues([1, shape.reduce((a, b) => a * b, 1)]);
    return [name, normals.map((z) => mean + (std === 0 ? 0.2 : std) * z)];
  }));
  return networkPredictor(model, weights);
}

async function largestDifference(a: tf.Tensor, b: tf.Tensor): Promise<number> {
  const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))));
  const value = await firstOf(difference);
  difference.dispose();
  return value;
}

const ROUNDING = "the same float32 operations, perhaps in another order, on numbers of order 1";

claim("a network with output 0 leaves EDM's best linear noise predictor", async (check) => {
  const network = networkFromConfig(model.network);
  const noisePredictor = networkPredictor(model, network.initialise(createRng(check.seed)));
  const y = createRng(check.seed).normal([2, 8, 8, 1]);
  const values = await y.data();
  for (const ratio of [1e-3, 0.5, 50]) {
    const noise = noisePredictor.predictNoise(y, ratio);
    const observed = await noise.data<"float32">();
    // ε̂ = (y − centre) ν/(ν² + σ_d²), which is (y − D)/ν for D = centre + c_skip (y − centre).
    const factor = ratio / (ratio ** 2 + 0.25);
    const worst = observed.reduce(
      (most, e, i) => Math.max(most, Math.abs(e / factor - (values[i] + 0.7))),
      0,
    );
    check.atMost(
      `ν = ${ratio}: largest error over the factor of y − centre`,
      worst,
      2e-6,
      "four roundings of float32 on numbers up to 5; Karras et al. 2022, Table 1",
      { detectable: "a factor wrong by 1e-6, an offset of 2e-6" },
    );
    noise.dispose();
  }
  y.dispose();
  noisePredictor.dispose();
});

claim(
  "the network's output enters by EDM's formula: D = centre + c_skip (y − centre) + c_out F(c_in (y − centre))",
  async (check) => {
    await scoped(async () => {
      const noisePredictor = busyPredictor(check.seed);
      const { network, parameters } = noisePredictor;
      const y = createRng(check.seed).normal([1, 8, 8, 1]);
      const none = tf.oneHot(tf.tensor1d([network.classes], "int32"), network.classes + 1)
        .toFloat() as tf.Tensor2D;
      for (const ratio of [0.1, 0.5, 5]) {
        const total = Math.hypot(ratio, 0.5);
        const features = network.noiseFeatures(Float64Array.of(Math.log(ratio)));
        const centred = tf.add(y, 0.7);
        const f = network.forward(parameters, tf.div(centred, total), tf.tensor2d(features, [1, 32]), none);
        const data = tf.add(
          tf.add(tf.mul(centred, (0.5 / total) ** 2), tf.mul(f, ratio * 0.5 / total)),
          -0.7,
        );
        const difference = await largestDifference(
          noisePredictor.predictNoise(y, ratio),
          tf.div(tf.sub(y, data), ratio),
        );
        check.atMost(
          `ν = ${ratio}`,
          difference,
          1e-5 / Math.min(1, ratio),
          `Karras et al. 2022, eq. 7; ${ROUNDING}`,
        );
      }
      noisePredictor.dispose();
    });
  },
);

claim(
  "classifier-free guidance is linear between the unconditional and the conditional noise",
  async (check) => {
    await scoped(async () => {
      const noisePredictor = busyPredictor(check.seed);
      const y = createRng(check.seed).normal([3, 8, 8, 1]);
      const none = noisePredictor.predictNoise(y, 0.7);
      const labelled = noisePredictor.withLabels([0, 2, null]).predictNoise(y, 0.7);
      const guided = noisePredictor.withLabels([0, 2, null], 2.5).predictNoise(y, 0.7);
      const expected = tf.add(none, tf.mul(tf.sub(labelled, none), 2.5));
      const source = "Ho & Salimans 2022, eq. 6";
      check.atMost("scale 2.5", await largestDifference(guided, expected), 1e-5, `${source}; ${ROUNDING}`);
      const zero = noisePredictor.withLabels([0, 2, null], 0).predictNoise(y, 0.7);
      check.atMost(
        "scale 0",
        await largestDifference(zero, none),
        1e-5,
        `the unconditional model; ${ROUNDING}`,
      );
      const change = await tf.max(tf.abs(tf.sub(labelled, none)), [1, 2, 3]).data();
      check.atLeast("row with label 0 moves", change[0], 1e-2, "labels act");
      check.atLeast("row with label 2 moves", change[1], 1e-2, "labels act");
      check.atMost("row without label stays", change[2], 1e-5, ROUNDING);
      const single = noisePredictor.withLabels(2).predictNoise(tf.slice(y, 1, 1), 0.7);
      const row = tf.slice(labelled, 1, 1);
      check.atMost("one label for the batch", await largestDifference(single, row), 1e-5, ROUNDING);
      noisePredictor.dispose();
    });
  },
);

claim("guidance in an interval of noise levels costs a second pass only inside it", async (check) => {
  await scoped(async () => {
    const noisePredictor = busyPredictor(check.seed);
    const y = createRng(check.seed).normal([3, 8, 8, 1]);
    const labels = [0, 1, 2];
    const source = `Kynkäänniemi et al. 2024, eq. 6: w in (from, to], 1 elsewhere; ${ROUNDING}`;
    const within = noisePredictor.withLabels(labels, { scale: 2.5, from: 0.3, to: 2 });
    const everywhere = noisePredictor.withLabels(labels, 2.5);
    const plain = noisePredictor.withLabels(labels);
    for (
      const [ratio, guided] of [[0.2, false], [0.3, false], [0.31, true], [2, true], [2.01, false]] as const
    ) {
      const expected = (guided ? everywhere : plain).predictNoise(y, ratio);
      const difference = await largestDifference(within.predictNoise(y, ratio), expected);
      check.atMost(`ν = ${ratio}`, difference, 1e-5, source);
      check.equal(`calls at ν = ${ratio}`, within.calls(ratio), guided ? 2 : 1, "both passes, or one");
    }
    const apart = await largestDifference(everywhere.predictNoise(y, 0.2), plain.predictNoise(y, 0.2));
    check.atLeast("guidance would move ν = 0.2", apart, 1e-2, "labels act");
    const ratios = Float64Array.of(0.2, 1, 5);
    const mixed = within.predictNoise(y, ratios);
    const rows = [plain, everywhere, plain].map((one, row) => tf.slice(one.predictNoise(y, ratios), row, 1));
    const difference = await largestDifference(mixed, tf.concat(rows, 0));
    check.atMost("rows at levels of their own", difference, 1e-5, source);
    check.equal("calls for them", within.calls(ratios), 2, "one row is guided");
    check.equal("calls without guidance", plain.calls(ratios), 1, "one pass");
    noisePredictor.dispose();
  });
});

claim("each row of a batch has its own noise level", async (check) => {
  await scoped(async () => {
    const noisePredictor = busyPredictor(check.seed).withLabels([1, 2]);
    const y = createRng(check.seed).normal([2, 8, 8, 1]);
    const both = noisePredictor.predictNoise(y, Float64Array.of(0.1, 3));
    for (const [row, ratio] of [0.1, 3].entries()) {
      const alone = noisePredictor.predictNoise(y, ratio);
      const difference = await largestDifference(tf.slice(both, row, 1), tf.slice(alone, row, 1));
      check.atMost(`row ${row}`, difference, 1e-5, ROUNDING);
    }
    noisePredictor.dispose();
  });
});

claim(
  "a prepared noise predictor equals an unprepared one",
  { engines: ["wasm", "onnx"] },
  async (check) => {
    const noisePredictor = busyPredictor(check.seed);
    const guided = noisePredictor.withLabels([0, 1], { scale: 3, from: 0.1 });
    const y = createRng(check.seed).normal([2, 8, 8, 1]);
    const before = [noisePredictor.predictNoise(y, 0.4), guided.predictNoise(y, 0.4)];
    await noisePredictor.prepare(2);
    await guided.prepare(2);
    const after = [noisePredictor.predictNoise(y, 0.4), guided.predictNoise(y, 0.4)];
    for (const [i, what] of ["plain", "guided"].entries()) {
      check.atMost(
        what,
        await largestDifference(before[i], after[i]),
        1e-4,
        `three times guided; ${ROUNDING}`,
      );
    }
    const slope = tf.grad((y: tf.Tensor) => tf.sum(noisePredictor.predictNoise(y, 0.4)))(y);
    check.holds(
      "it can still be differentiated",
      (await slope.data()).every(Number.isFinite),
      "the tape is kept",
    );
    tf.dispose([y, slope, ...before, ...after]);
    noisePredictor.dispose();
  },
);

claim("invalid labels and noise levels are refused", async (check) => {
  const noisePredictor = busyPredictor(check.seed);
  const y = tf.zeros([2, 8, 8, 1]);
  await check.throws(
    "label",
    () => noisePredictor.withLabels(3),
    /labels must be whole numbers from 0 to 2, got 3/,
  );
  await check.throws(
    "count",
    () => noisePredictor.withLabels([1]).predictNoise(y, 1),
    /one label per row, got 1 .* 2 rows/,
  );
  await check.throws(
    "scale",
    () => noisePredictor.withLabels(1, NaN),
    /guidance scale must be a finite number, got NaN/,
  );
  await check.throws(
    "interval",
    () => noisePredictor.withLabels(1, { scale: 2, from: 3, to: 1 }),
    /guidance must act between two noise ratios from 0 up, got 3 to 1/,
  );
  await check.throws(
    "misspelt guidance",
    () => noisePredictor.withLabels(1, { scale: 2, form: 1 } as never),
    /^guidance has an unknown field "form"; its fields are scale, from, to$/,
  );
  await check.throws(
    "no labels",
    () => noisePredictor.withLabels([]).predictNoise(y, 1),
    /one label per row, got 0 .* 2 rows/,
  );
  await check.throws(
    "a typed label",
    () => noisePredictor.withLabels(Int32Array.of(1, 3)),
    /from 0 to 2, got 3$/,
  );
  const expected = noisePredictor.withLabels([1, 2]).predictNoise(y, 1);
  for (const list of [Int32Array.of(1, 2), Uint8Array.of(1, 2)]) {
    const labelled = noisePredictor.withLabels(list);
    list.fill(0);
    const noise = labelled.predictNoise(y, 1);
    const source = "the array's, bit for bit, whatever becomes of the list";
    check.equal(list.constructor.name, await noise.data(), await expected.data(), source);
    noise.dispose();
  }
  expected.dispose();
  await check.throws(
    "ν",
    () => noisePredictor.predictNoise(y, 0),
    /noise ratios must be positive numbers, got 0/,
  );
  const missing = () => networkPredictor(model, new Map());
  await check.throws("weights", missing, /the weights have no values for embedding.noise1.weight/);
  y.dispose();
  noisePredictor.dispose();
});

claim("a perceptron learns the score of a mixture to a few percent of the noise", {
  slow: "on webgpu",
}, async (check) => {
  const mixture = GaussianMixture.from({
    weights: [0.3, 0.7],
    means: [[-1, 0.5], [0.8, -0.4]],
    covariances: [[[0.09, 0.03], [0.03, 0.04]], [[0.04, 0], [0, 0.16]]],
  });
  const network: NetworkConfig = {
    kind: "mlp",
    dimensions: 2,
    hidden: 64,
    layers: 2,
    noiseFeatures: 16,
    classes: 0,
  };
  const config: TrainingConfig = {
    model: { network, preconditioning: { sigmaData: 0.8, centre: 0 } },
    objective: { kind: "edm", mean: -1, std: 1.2, sigmaData: 0.8 },
    optimizer: { ...OPTIMIZER_DEFAULTS, rate: 1e-2, warmup: 50, ema: 0.99 },
    steps: 900,
    batch: 256,
    labelDropout: 0,
    seed: check.seed,
  };
  const drawn = mixture.sample(createRng(check.seed).fork("data"), config.steps * config.batch);
  const data = await drawn.data<"float32">();
  drawn.dispose();
  const size = 2 * config.batch;
  const batches = (step: number) => ({ images: data.slice(step * size, (step + 1) * size) });
  let state: TrainingState | null = null;
  for await (const { step, snapshot } of train(config, batches)) {
    if (step === config.steps) state = await snapshot();
  }
  const noisePredictor = networkPredictor(
    config.model,
    unflatten(networkFromConfig(network).parameters, state!.ema),
  );
  await reportErrors(check, noisePredictor, mixture);
  noisePredictor.dispose();
});

/**
 * The loss E‖ε̂ − ε‖²/d less its floor, the loss of the exact score, which leaves E‖ε̂ − ε̂*‖²/d (Vincent 2011): on new data at
 * levels from the middle of what was trained.
 */
async function reportErrors(
  check: Check,
  noisePredictor: NetworkPredictor,
  mixture: GaussianMixture,
): Promise<void> {
  const rows = 4000;
  const rng = createRng(check.seed).fork("test");
  const table: string[][] = [];
  const gaps: number[] = [];
  for (const ratio of [0.05, 0.1, 0.2, 0.4, 0.8, 1.6]) {
    const [error, loss, floor] = await scoped(async () => {
      const noise = rng.fork(`noise ${ratio}`).normal([rows, 2]);
      const y = tf.add(mixture.sample(rng.fork(`data ${ratio}`), rows), tf.mul(noise, ratio));
      const [learned, exact] = [noisePredictor.predictNoise(y, ratio), mixture.predictNoise(y, ratio)];
      const meanSquare = (a: tf.Tensor, b: tf.Tensor) => firstOf(tf.mean(tf.squaredDifference(a, b)));
      return [
        await meanSquare(learned, exact),
        await meanSquare(learned, noise),
        await meanSquare(exact, noise),
      ];
    });
    gaps.push(loss - floor);
    table.push([
      ratio.toFixed(2),
      ...[loss, floor, loss - floor, Math.sqrt(error), Math.sqrt(error) / ratio].map((value) =>
        value.toFixed(4)
      ),
    ]);
    check.atMost(
      `ν = ${ratio}: root mean square error of ε̂`,
      Math.sqrt(error),
      0.1,
      "a tenth of the noise",
      { detectable: `a silent network is wrong by ${Math.sqrt(Math.max(0, 1 - floor)).toFixed(2)}` },
    );
  }
  check.atMost(
    "loss above its floor, mean over the levels",
    gaps.reduce((sum, gap) => sum + gap) / gaps.length,
    0.005,
    "what 900 steps of 256 examples leave, where silence leaves 1 less the floor",
    { detectable: "a loss whose optimum is not the score" },
  );
  check.table(
    "A perceptron after 900 steps on a mixture of two Gaussians",
    ["ν", "loss", "floor", "gap", "error of ε̂", "of the score at α = 1"],
    table,
  );
}
