/** Claims about `runLikelihood`: the task prints what it gives, and it does what its request says. @module */
import { task } from "../../../scripts/likelihood.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import {
  type LikelihoodRequest,
  type LikelihoodResult,
  runLikelihood,
} from "../../../src/runs/likelihood.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { silentPredictor } from "../../instruments/silent_predictor.ts";
import { smallModel, withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { smallMnist, writeMnist } from "../../instruments/small_mnist.ts";
import { claim } from "../../suite/claim.ts";

const splits = smallMnist({ train: 3, test: 3 });

/** The network of `withCheckpoint`. */
function small() {
  const { config, weights } = smallModel();
  return networkPredictor(config, weights);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

claim(
  "deno task likelihood prints what runLikelihood gives for the request of its flags",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      await writeMnist(folder, splits);
      const common = `--data ${folder} --checkpoint ${folder}/model.safetensors --engine wasm --batch 2`;
      const lines = [
        "--split train --sde vp --min-noise 0.1 --steps 2 --probes 2 --seed 5 --dequantization uniform",
        "--sde subvp --method elbo --draws 3 --limit 3",
        "--method dopri5 --tolerance 0.2 --min-noise 0.4 --limit 1",
      ];
      const noisePredictor = small();
      for (const line of lines) {
        const { request: asked, stdout, bar } = await runInside(task, `${common} ${line} --json`);
        const result = await runLikelihood(asked, { noisePredictor, images: splits[asked.split] });
        const printed = JSON.parse(stdout.join("\n"));
        const source = "the printed request, carried out here on the same engine";
        const { bits, ...measured } = result;
        for (const [name, value] of Object.entries(measured)) {
          check.equal(`${line}: ${name}`, printed[name], value, source);
        }
        const counts = bits.length === 1 ? [0, 1] : [0, 2, 3];
        const means = counts.map((n) => n === 0 ? "" : `, ${mean(bits.slice(0, n)).toFixed(3)} bits/dim`);
        check.equal(
          `${line}: counts of the bar and means so far`,
          bar,
          counts.map((n, i) => `likelihood ${n}/${bits.length} images${means[i]}`),
          "batches of two",
        );
        check.equal(
          `${line}: settings`,
          [printed.count, printed.split, printed.sde, printed.minNoise, printed.method, printed.seed],
          [bits.length, asked.split, asked.sde.kind, asked.minNoise, asked.method.kind, asked.seed],
          "the printed request",
        );
      }
      const { request, stdout } = await runInside(task, `${common} --steps 1 --probes 3 --min-noise 0.2`);
      const result = await runLikelihood(request, {
        noisePredictor,
        images: splits.test,
      });
      noisePredictor.dispose();
      const { bitsPerDimension, standardError, probeError } = result;
      const words = `${bitsPerDimension.toFixed(3)} ± ${standardError?.toFixed(3)} bits per dimension ` +
        `(${probeError?.toFixed(4)} of it by the trace estimate); 3 test images, ve from noise ratio 0.2, ` +
        "1 steps of Runge-Kutta 4, truncated-normal dequantization, at most 4 evaluations, ";
      check.equal("the sentence", stdout[0].slice(0, words.length), words, "the request carried out here");
    }),
);

const base: LikelihoodRequest = {
  sde: { kind: "vp", betaMin: 0.1, betaMax: 20 },
  minNoise: 0.3,
  method: { kind: "rk4", steps: 2, probes: 2, dequantization: "truncated-normal" },
  limit: 3,
  batch: 2,
  seed: 1,
};
const adaptive = { kind: "dopri5", tolerance: 0.3, probes: 1, dequantization: "uniform" } as const;

/** Two requests that differ in one field, and what becomes of the result. */
const others: readonly (readonly [field: string, LikelihoodRequest, LikelihoodRequest])[] = [
  ["sde.kind", base, { ...base, sde: { kind: "subvp", betaMin: 0.1, betaMax: 20 } }],
  ["sde.betaMax", base, { ...base, sde: { kind: "vp", betaMin: 0.1, betaMax: 10 } }],
  ["minNoise", base, { ...base, minNoise: 0.5 }],
  ["method", base, { ...base, method: { kind: "elbo", draws: 2 } }],
  ["method.steps", base, { ...base, method: { ...base.method, steps: 3 } as LikelihoodRequest["method"] }],
  ["method.probes", base, { ...base, method: { ...base.method, probes: 3 } as LikelihoodRequest["method"] }],
  ["method.dequantization", base, {
    ...base,
    method: { ...base.method, dequantization: "uniform" } as LikelihoodRequest["method"],
  }],
  ["method.tolerance", { ...base, method: adaptive }, { ...base, method: { ...adaptive, tolerance: 1e-3 } }],
  ["method.draws", { ...base, method: { kind: "elbo", draws: 2 } }, {
    ...base,
    method: { kind: "elbo", draws: 3 },
  }],
  ["seed", base, { ...base, seed: 2 }],
  ["seed of the bound", { ...base, method: { kind: "elbo", draws: 2 } }, {
    ...base,
    method: { kind: "elbo", draws: 2 },
    seed: 2,
  }],
];

claim("every field of a request changes what runLikelihood gives", { engines: ["wasm"] }, async (check) => {
  const noisePredictor = small();
  const images = splits.test;
  const measured = new Map<LikelihoodRequest, LikelihoodResult>();
  const measure = async (request: LikelihoodRequest) => {
    if (!measured.has(request)) {
      measured.set(request, await runLikelihood(request, { noisePredictor, images }));
    }
    return measured.get(request)!;
  };
  const source = "an untrained network, whose bits no two settings share";
  for (const [field, request, other] of others) {
    const [before, after] = [(await measure(request)).bits, (await measure(other)).bits];
    const least = Math.min(...before.map((bits, i) => Math.abs(bits / after[i] - 1)));
    check.atLeast(`${field}: the least relative change of an image's bits`, least, 1e-5, source);
  }
  const { bits } = await measure(base);
  const inOne = await measure({ ...base, batch: 3 });
  const deviation = Math.max(...bits.map((own, i) => Math.abs(own / inOne.bits[i] - 1)));
  check.atMost(
    "batch: relative change of bits",
    deviation,
    1e-5,
    "an image's draws are its own; float32's rounding",
  );
  const calls: number[] = [];
  const two = await runLikelihood({ ...base, limit: 2, batch: 1 }, {
    noisePredictor,
    images,
    onBatch: (done) => calls.push(done),
  });
  check.equal("limit: images, and those after each batch", [two.bits.length, calls], [2, [1, 2]], "limit 2");
  noisePredictor.dispose();
});

claim("errors of the trace's estimate average out over images", { engines: ["wasm"] }, async (check) => {
  const network = { ...smallModel().config.network, height: 8, width: 8 } as Parameters<typeof smallModel>[0];
  const { config, weights } = smallModel(network);
  const noisePredictor = networkPredictor(config, weights);
  const count = 16;
  const bytes = createRng(5).uniformValues([count, 64]).map((u) => Math.floor(256 * u));
  const images = {
    name: "noise",
    count,
    shape: [8, 8, 1] as const,
    classes: 10,
    images: Uint8Array.from(bytes),
    labels: new Uint8Array(count),
  };
  const method = { kind: "rk4", steps: 1, probes: 8, dequantization: "uniform" } as const;
  const errorOf = async (limit: number) =>
    (await runLikelihood({ ...base, method, limit, batch: 16 }, { noisePredictor, images })).probeError!;
  const ratio = await errorOf(count) / await errorOf(1);
  noisePredictor.dispose();
  check.atLeast(
    `error of ${count} images over that of one`,
    ratio,
    1 / 8,
    "1/√16, and one image's error by 8 probes",
  );
  check.atMost(`error of ${count} images over that of one`, ratio, 1 / 2, "the same");
});

claim(
  "bits of a network that predicts no noise are those of the prior",
  { engines: ["wasm"] },
  async (check) => {
    const [sigmaMin, sigmaMax] = [5e-4, 40];
    const images = proceduralDigits(5, createRng(6));
    const noisePredictor = silentPredictor(images.shape);
    const request = {
      sde: { kind: "ve", sigmaMin: 0.01, sigmaMax },
      minNoise: sigmaMin,
      limit: 5,
      batch: 2,
      seed: check.seed,
    } as const;
    const measure = async (method: LikelihoodRequest["method"]) =>
      (await runLikelihood({ ...request, method }, { noisePredictor, images })).bitsPerDimension;
    // |x|² ≤ d gives 1/(2 · 40²) nats at most.
    const rest = 1 / (2 * sigmaMax ** 2) / Math.LN2;
    const flow = { kind: "rk4", steps: 1, probes: 1 } as const;
    check.within(
      "flow, uniform dequantization",
      await measure({ ...flow, dequantization: "uniform" }),
      Math.log2(Math.sqrt(2 * Math.PI) * sigmaMax * 255 / 2) + rest / 2,
      rest / 2 + 1e-4,
      "x stays where it is: −ln N(x; 0, σmax²) − ln(2/255), |x| ≤ 1; float32's rounding",
      { detectable: "another prior, another width of bins" },
    );
    const values = 5 * 28 * 28;
    check.within(
      "flow, truncated normal dequantization",
      await measure({ ...flow, dequantization: "truncated-normal" }),
      Math.log2(sigmaMax / sigmaMin) - 1 / (2 * Math.LN2) + rest / 2,
      rest / 2 + 6 / Math.LN2 * Math.sqrt(1 / 2 / values),
      "ln q(z) − ln N(x; 0, σmax²), E z² = 1: 6 standard deviations of the mean of z²/2",
      { alarmRate: 2e-9, detectable: "the noise's density left out, 9 bits" },
    );
    const draws = 64;
    const integral = Math.log2(sigmaMax / sigmaMin);
    check.within(
      "bound",
      await measure({ kind: "elbo", draws }),
      integral + rest / 2,
      rest / 2 + 6 * integral * Math.sqrt(2 / (values * draws)),
      "½∫g²/σ² dt E|ε|²/d = ln(σmax/σmin), and bytes decoded from noise far below their distance: 6 standard deviations of |ε|²",
      { alarmRate: 2e-9, detectable: "the cost of decoding left out, 9 bits" },
    );
  },
);
