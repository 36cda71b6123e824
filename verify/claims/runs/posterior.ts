/** Claims that a posterior run measures images, draws with the conditioned sampler, and compares, each by itself. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import {
  repaintSampler,
  replacementSampler,
  withExactKnownValues,
} from "../../../src/conditioning/imputation.ts";
import { diffpirModel } from "../../../src/conditioning/diffpir.ts";
import { dpsSampler } from "../../../src/conditioning/dps.ts";
import { linearObservation } from "../../../src/conditioning/observation.ts";
import {
  blurOperator,
  gaussianKernel,
  maskOperator,
  poolingOperator,
  randomProjection,
} from "../../../src/conditioning/operators.ts";
import { greyBasis, greyMask } from "../../../src/conditioning/orthogonal_basis.ts";
import { posteriorScore } from "../../../src/conditioning/posterior_score.ts";
import { twistedSampler } from "../../../src/conditioning/twisted.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import {
  measureImages,
  type Measurement,
  openMeasurement,
  showMeasurements,
} from "../../../src/runs/measurement.ts";
import { type PosteriorRequest, runPosterior } from "../../../src/runs/posterior.ts";
import type { PosteriorMethod } from "../../../src/runs/posterior_method.ts";
import { hiddenErrors, restorationErrors } from "../../../src/runs/posterior_errors.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { claim } from "../../suite/claim.ts";
import { exactPredictor } from "../../instruments/exact_predictor.ts";
import { scoped } from "../../instruments/tensor_scope.ts";

const shape = [2, 2, 1];
const preconditioning = { sigmaData: 0.6, centre: -0.7 };
const images = Float32Array.of(-1, -0.5, 0, 0.5, 1, 0.25, -0.25, 0.75);

/** Three samples of each of two images, four at once. */
const request: PosteriorRequest = {
  sde: { kind: "vp", betaMin: 0.1, betaMax: 20, tMin: 0.01, tMax: 0.98 },
  sampler: { name: "ddim", options: { eta: 1 } },
  grid: { kind: "uniform", steps: 3 },
  measurement: { kind: "mask", mask: "left" },
  noise: 0,
  method: { name: "replacement" },
  label: "own",
  count: 3,
  batch: 4,
  seed: 5,
};

/** What the conditioned sampler draws, batch by batch; the last one is filled up with its last sample. */
async function direct(
  method: PosteriorMethod,
  noise: number,
  { basis = false, masked = true, own = true } = {},
) {
  const size = basis ? [1, 2, 3] : shape;
  const values = basis ? Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)) : images;
  const dimension = values.length / 2;
  const mask = basis ? greyMask(size) : Float32Array.of(0, 1, 0, 1);
  const operator = masked ? maskOperator(size, mask) : poolingOperator(size, 2);
  const seen = masked ? [[1, 3], [5, 7]] : [];
  const means = [-0.25, 0.4375];
  const drawn: number[] = [];
  for (const [first, inputs] of [[0, [0, 0, 0, 1]], [4, [1, 1, 1, 1]]] as const) {
    const { noisePredictor } = exactPredictor(size, { classes: 4, preconditioning });
    const model = scoreModel(
      own ? noisePredictor.withLabels(inputs.map((i) => [3, 1][i])) : noisePredictor,
      vpSde({ tMin: 0.01, tMax: 0.98 }),
    );
    const x = tf.tensor(inputs.flatMap((i) => [...values.subarray(i * dimension, (i + 1) * dimension)]), [
      4,
      ...size,
    ]);
    const rows = inputs.map((i) => masked ? seen[i].map((at) => images[at]) : [means[i]]);
    const noises = createRng(5).fork("observation").normalValues([2, masked ? 2 : 1]);
    const width = masked ? 2 : 1;
    const y = tf.tensor(
      rows.flatMap((row, r) => row.map((value, j) => value + 2 * noise * noises[inputs[r] * width + j])),
      [4, ...operator.outputShape],
    );
    const known = { mask, known: x, ...basis && { basis: greyBasis() } };
    const observation = await linearObservation(operator, y, 2 * noise);
    const around = method.name === "dps"
      ? dpsSampler(ddim({ eta: 1 }), observation, { scale: method.scale })
      : ddim({ eta: 1 });
    const sampler = method.name === "repaint"
      ? repaintSampler(ddim({ eta: 1 }), { ...known, resamplings: method.resamplings })
      : method.name === "replacement"
      ? replacementSampler(ddim({ eta: 1 }), known)
      : masked && noise === 0
      ? withExactKnownValues(around, known)
      : around;
    const conditioned = method.name === "pigdm" || method.name === "mmps" || method.name === "tmpd"
      ? posteriorScore(model, observation, {
        method: method.name,
        ...method.name !== "tmpd" && { iterations: method.iterations },
        dataStd: 0.6,
      })
      : method.name === "diffpir"
      ? diffpirModel(model, observation, { lambda: method.lambda })
      : model;
    const rng = createRng(5).startingAt(first);
    const run = { shape: [4, ...size], grid: { kind: "uniform", steps: 3 }, rng } as const;
    const samples = await scoped(async () => (await drawSamples(conditioned, sampler, run)).data());
    drawn.push(...(samples as Float32Array).subarray(0, first === 0 ? 4 * dimension : 2 * dimension));
    tf.dispose([x, y]);
  }
  return drawn;
}

const furthest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  a.length !== b.length ? Infinity : Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));

claim(
  "a posterior run draws with the sampler that its method makes, three samples of each image",
  async (check) => {
    const cases: [string, Partial<PosteriorRequest>, Parameters<typeof direct>][] = [
      ["replacement", {}, [{ name: "replacement" }, 0]],
      ["repaint", { method: { name: "repaint", resamplings: 2 } }, [{ name: "repaint", resamplings: 2 }, 0]],
      ["pigdm", { method: { name: "pigdm", iterations: 2 } }, [{ name: "pigdm", iterations: 2 }, 0]],
      ["mmps", { method: { name: "mmps", iterations: 1 } }, [{ name: "mmps", iterations: 1 }, 0]],
      ["tmpd", { method: { name: "tmpd" } }, [{ name: "tmpd" }, 0]],
      ["dps", { method: { name: "dps", scale: 0.5 } }, [{ name: "dps", scale: 0.5 }, 0]],
      ["diffpir", { method: { name: "diffpir", lambda: 3 }, noise: 0.1 }, [
        { name: "diffpir", lambda: 3 },
        0.1,
      ]],
      ["noise", { method: { name: "mmps", iterations: 2 }, noise: 0.1 }, [
        { name: "mmps", iterations: 2 },
        0.1,
      ]],
      ["pooling", { method: { name: "pigdm", iterations: 1 }, measurement: { kind: "pooling", factor: 2 } }, [
        { name: "pigdm", iterations: 1 },
        0,
        { masked: false },
      ]],
      ["no label", { label: "none" }, [{ name: "replacement" }, 0, { own: false }]],
    ];
    for (const [what, change, expected] of cases) {
      const { noisePredictor, calls } = exactPredictor(shape, { classes: 4, preconditioning });
      const steps: number[] = [];
      const before = tf.memory().numTensors;
      const result = await runPosterior({ ...request, ...change }, {
        noisePredictor,
        inputs: { count: 2, images, labels: Uint8Array.of(3, 1) },
        onStep: (step) => steps.push(step),
      });
      check.equal(`${what}: tensors left`, tf.memory().numTensors - before, 0, "numbers alone are returned");
      check.atMost(
        `${what}: samples`,
        furthest(result.values, await direct(...expected)),
        2e-5,
        "the library's, batch by batch; float32",
      );
      check.equal(`${what}: sizes`, [result.shape, result.inputs, result.samples, result.originals], [
        shape,
        2,
        3,
        images,
      ], "two images, three samples");
      check.equal(
        `${what}: prepared`,
        calls.prepared,
        [[4, !["replacement", "repaint", "diffpir"].includes(expected[0].name)]],
        "gradients for scores of posteriors",
      );
      check.equal(
        `${what}: steps`,
        [steps.length, steps[7]],
        [8, 6],
        "two batches of three steps and a start",
      );
      const [mask, other] = [result.hidden !== null, result.errors !== null];
      check.equal(`${what}: compared`, [mask, other, result.colours, result.classes], [
        what !== "pooling",
        what === "pooling",
        null,
        null,
      ], "by its measurement");
      check.holds(`${what}: seconds`, result.seconds > 0 && result.seconds < 60, "a run takes time");
    }
    const drawn = async (change: Partial<PosteriorRequest>) => {
      const { noisePredictor, calls } = exactPredictor(shape, { classes: 4 });
      const { evaluations } = await runPosterior({ ...request, ...change }, {
        noisePredictor,
        inputs: { count: 2, images, labels: null },
      });
      return { labelled: calls.labelled.map(([labels]) => labels), evaluations };
    };
    check.equal(
      "one class for all",
      (await drawn({ label: 2 })).labelled,
      [[2, 2, 2, 2], [2, 2, 2, 2]],
      "as asked for",
    );
    const large = await drawn({ label: 0, batch: 100 });
    check.equal("a batch beyond all", large.labelled, [[0, 0, 0, 0, 0, 0]], "no more than there are to draw");
    check.equal("evaluations", large.evaluations, 4, "three steps and the last denoising");
  },
);

claim(
  "samples of twisted sampling are an image's first particles, whichever batch its population is in",
  async (check) => {
    const twisted: Partial<PosteriorRequest> = {
      sampler: { name: "ancestral", options: {} },
      method: { name: "twisted", particles: 4 },
      measurement: { kind: "pooling", factor: 2 },
      noise: 0.1,
      label: "none",
    };
    const drawn = async (change: Partial<PosteriorRequest>) => {
      const { noisePredictor } = exactPredictor(shape, { classes: 4, preconditioning });
      const parts = { noisePredictor, inputs: { count: 2, images, labels: null } };
      return (await runPosterior({ ...request, ...twisted, ...change }, parts)).values;
    };
    const { noisePredictor } = exactPredictor(shape, { classes: 4, preconditioning });
    const noises = createRng(5).fork("observation").normalValues([2, 1]);
    const y = tf.tensor([0, 1].flatMap((i) => new Array(4).fill([-0.25, 0.4375][i] + 0.2 * noises[i])), [
      8,
      1,
      1,
      1,
    ]);
    const observation = await linearObservation(poolingOperator(shape, 2), y, 0.2);
    const model = scoreModel(noisePredictor.withLabels(null), vpSde({ tMin: 0.01, tMax: 0.98 }));
    const run = { shape: [8, ...shape], grid: { kind: "uniform", steps: 3 }, rng: createRng(5) } as const;
    const x = await drawSamples(model, twistedSampler(observation, { particles: 4, dataStd: 0.6 }), run);
    const all = [...await x.data()];
    const expected = [...all.slice(0, 12), ...all.slice(16, 28)];
    tf.dispose([x, y]);
    for (const batch of [4, 7, 8, 50]) {
      const values = await drawn({ batch });
      check.atMost(
        `batches of ${batch}`,
        furthest(values, expected),
        2e-5,
        "three of the library's four; float32",
      );
    }
  },
);

claim("a posterior request that cannot be carried out is refused before anything is drawn", async (check) => {
  const attempt = (change: object, inputs: object = {}, classes = 4) => {
    const { noisePredictor } = exactPredictor(shape, { classes });
    const all = { count: 2, images, labels: null, ...inputs };
    return runPosterior({ ...request, label: "none", ...change } as PosteriorRequest, {
      noisePredictor,
      inputs: all as never,
    });
  };
  const cases: [string, object, RegExp, object?, number?][] = [
    ["count 0", { count: 0 }, /^count must be a positive integer, got 0$/],
    ["count 10001", { count: 10001 }, /^count must be at most 10000, got 10001$/],
    ["batch 0", { batch: 0 }, /^batch must be a positive integer, got 0$/],
    ["seed −1", { seed: -1 }, /^seed must be a whole number from 0, got -1$/],
    ["seed 2^53", { seed: 2 ** 53 }, /^seed must be at most 9007199254740991, got /],
    ["no method", { method: "mmps" }, /^method must be an object, got "mmps"$/],
    [
      "another method",
      { method: { name: "magic" } },
      /^a method's name must be replacement, repaint, pigdm, mmps, tmpd, dps, diffpir or twisted, got "magic"$/,
    ],
    [
      "no iterations",
      { method: { name: "mmps", iterations: 0 } },
      /^method\.iterations must be a positive integer, got 0$/,
    ],
    [
      "1001 iterations",
      { method: { name: "pigdm", iterations: 1001 } },
      /^method\.iterations must be at most 1000, got 1001$/,
    ],
    [
      "a scale of 0",
      { method: { name: "dps", scale: 0 } },
      /^method\.scale must be a number from 0\.001 to 1000, got 0$/,
    ],
    [
      "λ = 0",
      { method: { name: "diffpir", lambda: 0 } },
      /^method\.lambda must be a number from 0\.001 to 1000, got 0$/,
    ],
    [
      "no particles",
      { method: { name: "twisted", particles: 0 } },
      /^method\.particles must be a positive integer, got 0$/,
    ],
    [
      "more samples than particles",
      { method: { name: "twisted", particles: 2 } },
      /^count must be at most 2, got 3$/,
    ],
    [
      "a batch that holds no population",
      { method: { name: "twisted", particles: 5 } },
      /^batch must be at least the 5 particles, got 4$/,
    ],
    [
      "particles of another sampler",
      { method: { name: "twisted", particles: 4 } },
      /^twisted draws by ancestral steps: the sampler must be ancestral, got "ddim"$/,
    ],
    [
      "no resamplings",
      { method: { name: "repaint", resamplings: 0 } },
      /^method\.resamplings must be a positive integer, got 0$/,
    ],
    [
      "1001 resamplings",
      { method: { name: "repaint", resamplings: 1001 } },
      /^method\.resamplings must be at most 1000, got 1001$/,
    ],
    [
      "replacement under noise",
      { noise: 0.1 },
      /^replacement needs values that are known exactly; use mmps or pigdm$/,
    ],
    ["repaint of pooling", {
      method: { name: "repaint", resamplings: 1 },
      measurement: { kind: "pooling", factor: 2 },
    }, /^repaint needs values that are known exactly; /],
    ["own of nobody", { label: "own" }, /^label "own" needs inputs whose class is known$/],
    ["class 4", { label: 4 }, /^label must be a class from 0 to 3, "own" or "none", got 4$/],
    ["class −1", { label: -1 }, /, got -1$/],
    ["class .5", { label: 0.5 }, /, got 0\.5$/],
    ["a class of none", { label: 0 }, /^label is for networks with labels, got 0 for one without$/, {}, 0],
    ["no inputs", {}, /^inputs\.count must be a positive integer, got 0$/, {
      count: 0,
      images: new Float32Array(0),
    }],
    ["a value too many", {}, /^inputs\.images must hold 2 images of shape \[2,2,1\], got 9 values$/, {
      images: new Float32Array(9),
    }],
    ["doubles", {}, /^inputs\.images must be a Float32Array, got /, { images: new Float64Array(8) }],
    ["a label too few", {}, /^inputs\.labels must be null or 2 classes in a Uint8Array, got \[1\]$/, {
      labels: Uint8Array.of(1),
    }],
    ["labels as a list", {}, /in a Uint8Array, got \[1, 2\]$/, { labels: [1, 2] }],
    ["noise", { noise: 101 }, /^noise must be a number from 0 to 100, got 101$/],
    ["negative noise", { noise: -1 }, /^noise must be a number from 0 to 100, got -1$/],
    ["a blur", { measurement: { kind: "blur", std: 21 } }, /^std must be a number from 0\.1 to 20, got 21$/],
    [
      "a small blur",
      { measurement: { kind: "blur", std: 0.09 } },
      /^std must be a number from 0\.1 to 20, got 0\.09$/,
    ],
    [
      "directions",
      { measurement: { kind: "projection", directions: 0 } },
      /^directions must be a positive integer, got 0$/,
    ],
    [
      "many directions",
      { measurement: { kind: "projection", directions: 10001 } },
      /^directions must be at most 10000, got 10001$/,
    ],
    [
      "another kind",
      { measurement: { kind: "crop" } },
      /^a measurement's kind must be mask, .*pooling, blur or projection, got "crop"$/,
    ],
    [
      "colours",
      { measurement: { kind: "grey" } },
      /^colours need a checkpoint of three channels, this one has 1$/,
    ],
  ];
  for (const [what, change, message, inputs, classes] of cases) {
    await check.throws(what, () => attempt(change, inputs, classes), message);
  }
});

claim(
  "a measurement is its operator on the images and noise of twice its size, and shown in their place",
  async (check) => {
    const opened = (measurement: Measurement, noise = 0, size = shape) =>
      openMeasurement(measurement, { shape: size, noise, seed: 5 });
    const measured = async (measurement: Measurement, noise = 0) => {
      const model = opened(measurement, noise);
      const y = measureImages(images, 2, model, 5);
      const shown = await showMeasurements(images, y, model);
      const values = [...await y.data()];
      y.dispose();
      return { values, shown: [...shown], noiseStd: model.noiseStd };
    };
    const left = await measured({ kind: "mask", mask: "left" });
    check.equal("left hidden", left.values, [-0.5, 0.5, 0.25, 0.75], "the right pixels");
    const grey = Math.fround(-0.3);
    check.equal(
      "shown",
      left.shown,
      [grey, -0.5, grey, 0.5, grey, 0.25, grey, 0.75],
      "hidden pixels are grey",
    );
    const pooled = await measured({ kind: "pooling", factor: 2 });
    check.equal("pooled", pooled.values, [-0.25, 0.4375], "means");
    check.equal(
      "pooled, shown",
      pooled.shown,
      [-0.25, 0.4375].flatMap((mean) => [mean, mean, mean, mean]),
      "each pixel its mean",
    );
    const noisy = await measured({ kind: "pooling", factor: 2 }, 0.1);
    const noise = createRng(5).fork("observation").normalValues([2, 1]);
    check.equal("noise", noisy.noiseStd, 0.2, "of a range of 2");
    check.atMost(
      "with noise",
      furthest(noisy.values, [-0.25 + 0.2 * noise[0], 0.4375 + 0.2 * noise[1]]),
      1e-6,
      "y = A x + σ z",
    );
    const apply = async (operator: ReturnType<typeof blurOperator>) => {
      const tensors = tf.tidy(() => {
        const x = tf.tensor(images, [2, ...shape]);
        const white = operator.adjoint(operator.apply(tf.ones([1, ...shape])));
        return [operator.apply(x), operator.adjoint(operator.apply(x)), white];
      });
      const [seen, back, white] = await Promise.all(tensors.map(async (tensor) => [...await tensor.data()]));
      tf.dispose(tensors);
      return { seen, back, white };
    };
    const blurred = await measured({ kind: "blur", std: 0.6 });
    const blur = await apply(blurOperator(shape, gaussianKernel(0.6)));
    check.atMost("blur", furthest(blurred.values, blur.seen), 1e-6, "the operator's");
    check.atMost(
      "blur, shown",
      furthest(blurred.shown, blur.back.map((value, i) => value / blur.white[i % 4])),
      1e-5,
      "as bright as white would be",
    );
    const projected = await measured({ kind: "projection", directions: 3 });
    const projection = await apply(randomProjection(createRng(5).fork("projection"), shape, 3));
    check.atMost("projection", furthest(projected.values, projection.seen), 1e-6, "the operator's");
    check.atMost("projection, shown", furthest(projected.shown, projection.back), 1e-6, "Aᵀ y");
    const colours = opened({ kind: "grey" }, 0.25, [1, 2, 3]);
    check.equal(
      "grey",
      [colours.noiseStd, Array.from(colours.known!.mask)],
      [0.5, [1, 0, 0, 1, 0, 0]],
      "the first coefficients",
    );
    const y = measureImages(Float32Array.of(0.5, 0, 0.25, -1, -0.5, 0), 1, colours, 5);
    const seen = await showMeasurements(Float32Array.of(0.5, 0, 0.25, -1, -0.5, 0), y, colours);
    y.dispose();
    check.equal("grey, shown", [...seen], [0.25, 0.25, 0.25, -0.5, -0.5, -0.5], "the mean of each pixel");
    const random = opened({ kind: "random-mask", hiddenFraction: 0.5 }, 0, [4, 4, 1]);
    const uniforms = createRng(5).fork("mask").uniformValues([1, 16]);
    check.equal(
      "at random",
      Array.from(random.known!.mask),
      Array.from(uniforms, (u) => u < 0.5 ? 0 : 1),
      "half of the pixels",
    );
  },
);

claim("errors of samples are those of their own image, by hand", async (check) => {
  const known = {
    shape: [1, 2, 1],
    inputs: 2,
    samples: 2,
    originals: Float32Array.of(0, 1, -1, 0.5),
    values: Float32Array.of(0, 0.5, 0.25, 1, -1, 0.5, -1, -0.5),
  };
  const errors = hiddenErrors(known, [1, 0]);
  check.equal("hidden", errors.hidden, 0.5, "one pixel of two");
  check.equal("known", errors.knownError, 0.25, "of the second sample of the first image");
  check.within(
    "deviation",
    errors.hiddenStd!,
    Math.sqrt((0.125 + 0.5) / 2),
    1e-7,
    "variances ½² /2 and 1²/2",
  );
  const alone = { ...known, samples: 1, values: Float32Array.of(0, 1, -1, 0.5) };
  check.equal("one sample", hiddenErrors(alone, [1, 0]).hiddenStd, null, "no deviation");
  check.equal(
    "nothing hidden",
    hiddenErrors(known, [1, 1]),
    { hidden: 0, knownError: 1, hiddenStd: null },
    "−.5 of .5",
  );
  const operator = poolingOperator([1, 2, 1], 1);
  const measured = tf.tensor([0, 1, -1, 0], [2, 1, 2, 1]);
  const restored = await restorationErrors(known, operator, measured);
  measured.dispose();
  // Differences: 0 −.5 | .25 0 | 0 0 | 0 −1, means .125 −.25 | 0 −.5; measurements 0 −.5 | .25 0 | 0 .5 | 0 −.5.
  check.within("samples", restored.sampleError, Math.sqrt((0.25 + 0.0625 + 1) / 8) / 2, 1e-7, "eight values");
  check.within(
    "means",
    restored.meanError,
    Math.sqrt((0.125 ** 2 + 0.25 ** 2 + 0.5 ** 2) / 4) / 2,
    1e-7,
    "four means",
  );
  check.within(
    "measurements",
    restored.residual,
    Math.sqrt((0.25 + 0.0625 + 0.25 + 0.25) / 8) / 2,
    1e-7,
    "eight measurements",
  );
});
