/** Claims about the fields of a posterior request: each counts, and samples do not depend on their batch. @module */
import { toModel } from "../../../src/data/dataset.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import {
  type PosteriorInputs,
  type PosteriorRequest,
  type PosteriorResult,
  runPosterior,
} from "../../../src/runs/posterior.ts";
import { claim } from "../../suite/claim.ts";
import { inputs as strokes } from "../../instruments/posterior_task.ts";
import { checkEveryField, largestDifference } from "../../instruments/request_fields.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";

/** Three digits of different classes. */
const digits: PosteriorInputs = (() => {
  const { images } = strokes(3);
  return { count: 3, images: toModel(images), labels: Uint8Array.of(7, 1, 4) };
})();

/** What runPosterior draws with the small network. */
async function drawn(request: PosteriorRequest, inputs = digits): Promise<PosteriorResult> {
  const { config, weights } = smallModel();
  const noisePredictor = networkPredictor(config, weights);
  const result = await runPosterior(request, { noisePredictor, inputs });
  noisePredictor.dispose();
  return result;
}

/** Six samples in a batch of four and one of two; the samples of the second digit are in both. */
const request: PosteriorRequest = {
  sde: { kind: "vp", betaMin: 0.1, betaMax: 20, tMin: 0.01, tMax: 0.98 },
  sampler: { name: "ancestral", options: {} },
  grid: { kind: "uniform", steps: 3 },
  measurement: { kind: "blur", std: 1 },
  noise: 0.1,
  method: { name: "pigdm", iterations: 2 },
  label: "own",
  count: 2,
  batch: 4,
  seed: 3,
};

claim("every field of a posterior request changes what is drawn", { engines: ["wasm"] }, async (check) => {
  const { measurement } = request;
  // Fields of other kinds, so that the kind can be another.
  const wide = { ...request, measurement: { ...measurement, directions: 30 } };
  await checkEveryField(check, wide, {
    "sde.kind": { value: "subvp" },
    "sde.betaMin": { value: 0.3 },
    "sde.betaMax": { value: 12 },
    "sde.tMin": { value: 0.05 },
    "sde.tMax": { value: 0.8 },
    "sampler.name": { value: "ode-euler" },
    "grid.kind": { value: "karras" },
    "grid.steps": { value: 4 },
    "measurement.kind": { value: "projection" },
    "measurement.std": { value: 2 },
    "measurement.directions": { value: 20, same: "a blur has none" },
    "noise": { value: 0.2 },
    "method.name": { value: "mmps" },
    "method.iterations": { value: 1 },
    "label": { value: 4 },
    "count": { value: 3 },
    "batch": { value: 5, same: "a sample's random numbers, input and class are its own, in any batch" },
    "seed": { value: 4 },
  }, async (request) => (await drawn(request)).values);
  const exact = { ...request, noise: 0, method: { name: "repaint", resamplings: 2 } } as const;
  const others: [string, PosteriorRequest, PosteriorRequest][] = [
    ["mask", { ...exact, measurement: { kind: "mask", mask: "left" } }, {
      ...exact,
      measurement: { kind: "mask", mask: "top" },
    }],
    ["hiddenFraction", { ...exact, measurement: { kind: "random-mask", hiddenFraction: 0.3 } }, {
      ...exact,
      measurement: { kind: "random-mask", hiddenFraction: 0.6 },
    }],
    ["factor", { ...request, measurement: { kind: "pooling", factor: 2 } }, {
      ...request,
      measurement: { kind: "pooling", factor: 4 },
    }],
    ["directions", { ...request, measurement: { kind: "projection", directions: 30 } }, {
      ...request,
      measurement: { kind: "projection", directions: 40 },
    }],
    ["resamplings", { ...exact, measurement: { kind: "mask", mask: "left" } }, {
      ...exact,
      measurement: { kind: "mask", mask: "left" },
      method: { name: "repaint", resamplings: 3 },
    }],
  ];
  const twisted = { ...request, sampler: { name: "ancestral", options: {} }, batch: 16 } as const;
  others.push(["scale", { ...request, method: { name: "dps", scale: 1 } }, {
    ...request,
    method: { name: "dps", scale: 2 },
  }]);
  others.push(["lambda", { ...request, method: { name: "diffpir", lambda: 1 } }, {
    ...request,
    method: { name: "diffpir", lambda: 4 },
  }]);
  others.push(["particles", { ...twisted, method: { name: "twisted", particles: 4 } }, {
    ...twisted,
    method: { name: "twisted", particles: 8 },
  }]);
  for (const [field, one, other] of others) {
    const apart = largestDifference((await drawn(one)).values, (await drawn(other)).values);
    check.atLeast(`${field}: largest change`, apart, 1e-4, "every field has its effect");
  }
});

claim("samples are conditioned on their own image, whichever batch they are in", {
  engines: ["wasm"],
}, async (check) => {
  const measurement = { kind: "random-mask", hiddenFraction: 0.4 } as const;
  for (const method of [{ name: "replacement" }, { name: "pigdm", iterations: 2 }] as const) {
    const exact = { ...request, measurement, noise: 0, method, batch: 2 } as const;
    const { values } = await drawn(exact);
    const { images, labels } = digits;
    for (const [digit, label] of [...labels!].entries()) {
      // The digit in all three places, so that it is also in its own.
      const image = images.subarray(digit * 784, (digit + 1) * 784);
      const same = { count: 3, images: Float32Array.from([...image, ...image, ...image]), labels: null };
      const alone = (await drawn({ ...exact, label, batch: 6 }, same)).values;
      const own = (all: Float32Array) => all.subarray(digit * 2 * 784, (digit + 1) * 2 * 784);
      check.atMost(
        `${method.name}: digit ${digit} beside others`,
        largestDifference(own(values), own(alone)),
        1e-3,
        "up to rounding, as where all images are this one",
        { detectable: "1: another image, another class or other noise" },
      );
    }
    const [first, later] = [values.subarray(0, 784), values.subarray(4 * 784, 5 * 784)];
    const places = Array.from(first, (_, at) => at).filter((at) => images[at] === images[2 * 784 + at]);
    const apart = places.filter((at) => first[at] !== later[at]).length;
    check.atLeast(`${method.name}: pixels apart`, apart, 100, "batches draw noise of their own");
  }
});

claim("the noise of a measurement has the standard deviation asked for, in units of a pixel's range", {
  engines: ["wasm"],
}, async (check) => {
  const { images } = strokes(10);
  const inputs = { count: 10, images: toModel(images), labels: null };
  const noisy: PosteriorRequest = {
    ...request,
    measurement: { kind: "pooling", factor: 2 },
    noise: 0.3,
    label: "none",
    count: 1,
    batch: 10,
  };
  const { seen, errors } = await drawn(noisy, inputs);
  let [squares, count] = [0, 0];
  for (let image = 0; image < 10; image++) {
    for (let y = 0; y < 28; y += 2) {
      for (let x = 0; x < 28; x += 2) {
        const at = image * 784 + y * 28 + x;
        const mean = (inputs.images[at] + inputs.images[at + 1] + inputs.images[at + 28] +
          inputs.images[at + 29]) / 4;
        squares += ((seen[at] - mean) / 2) ** 2;
        count++;
      }
    }
  }
  const std = Math.sqrt(squares / count);
  // The standard deviation of an estimate from n normal numbers is σ/√(2n): six of them.
  check.within(
    "standard deviation",
    std,
    0.3,
    6 * 0.3 / Math.sqrt(2 * count),
    `of ${count} means of pixels`,
    {
      detectable: "0.15 or 0.6: in units of the model",
      alarmRate: 2e-9,
    },
  );
  check.holds("a misfit is reported", errors !== null && errors.residual > 0, "the samples miss it");
});

claim("every sample is compared with its own image and its own measurement", {
  engines: ["wasm"],
}, async (check) => {
  const measurement = { kind: "pooling", factor: 2 } as const;
  const { values, seen, errors } = await drawn({ ...request, measurement });
  /** The value of a sample, of two for each digit. */
  const value = (digit: number, sample: number, at: number) => values[(2 * digit + sample) * 784 + at];
  const corner = (at: number) => at - at % 2 - 28 * (Math.floor(at / 28) % 2);
  const squares = { meanError: 0, sampleError: 0, residual: 0 };
  for (let digit = 0; digit < 3; digit++) {
    for (let at = 0; at < 784; at++) {
      const original = digits.images[digit * 784 + at];
      const mean = (value(digit, 0, at) + value(digit, 1, at)) / 2;
      squares.meanError += (mean - original) ** 2 / (3 * 784);
      for (const sample of [0, 1]) {
        squares.sampleError += (value(digit, sample, at) - original) ** 2 / (6 * 784);
        const pooled = [0, 1, 28, 29].reduce((sum, by) => sum + value(digit, sample, corner(at) + by) / 4, 0);
        squares.residual += (pooled - seen[digit * 784 + at]) ** 2 / (6 * 784);
      }
    }
  }
  for (const [name, square] of Object.entries(squares)) {
    const expected = Math.sqrt(square) / 2;
    const observed = errors![name as keyof typeof squares];
    check.within(name, observed / expected, 1, 1e-4, "root mean square over a range of 2, in float32");
  }
  const right = { kind: "mask", mask: "right" } as const;
  const masked = await drawn({ ...request, measurement: right, noise: 0, count: 3 });
  let [variance, count] = [0, 0];
  for (let at = 0; at < 3 * 784; at++) {
    if (at % 28 < 14) continue;
    const of = [0, 1, 2].map((sample) => masked.values[(3 * Math.floor(at / 784) + sample) * 784 + at % 784]);
    const mean = (of[0] + of[1] + of[2]) / 3;
    variance += of.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2;
    count++;
  }
  const { hidden, knownError, hiddenStd } = masked.hidden!;
  check.equal("hidden, and what known pixels changed by", [hidden, knownError], [0.5, 0], "the right half");
  const expected = Math.sqrt(variance / count);
  check.within("hiddenStd", hiddenStd! / expected, 1, 1e-4, "of three samples of each, in float32");
});
