/** Claims about the network that is shipped for likelihoods, and about flows of the shipped networks. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { slice, toModel } from "../../../src/data/dataset.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { decoderNats, truncatedNormalDequantize } from "../../../src/likelihood/dequantization.ts";
import { decodeLatent, encodeLatent } from "../../../src/likelihood/latents.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import { continuousElbo } from "../../../src/likelihood/continuous_bound.ts";
import { DIGITS_WAVES } from "../../../src/networks/registry.ts";
import { loadPretrained } from "../../../src/pretrained.ts";
import type { FlowMethod } from "../../../src/likelihood/probability_flow.ts";
import { veSde } from "../../../src/diffusion/sde.ts";
import { loadMnist } from "../../../scripts/datasets/mnist.ts";
import { claim } from "../../suite/claim.ts";

const pixels = 784;
/** Where likelihoods begin. */
const sde = veSde({ sigmaMin: 0.0013, sigmaMax: 40, tMin: 0 });

/** What the slow claims of this file depend on. */
const files = [
  "fixtures/models/mnist.safetensors",
  "fixtures/models/mnist_likelihood.safetensors",
  "src/diffusion/noise_predictor.ts",
  "src/likelihood/dequantization.ts",
  "src/likelihood/latents.ts",
  "src/likelihood/log_likelihood.ts",
  "src/networks",
  "src/likelihood/probability_flow.ts",
  "src/samplers/ode_dopri5.ts",
  "src/samplers/ode_rk4.ts",
  "verify/claims/networks/pretrained_likelihood.ts",
];

claim(
  "the network for likelihoods takes fewer bits for test digits than the tutorial's network and the one for samples",
  { needs: ["mnist"] },
  async (check) => {
    const rows = 32;
    const { images } = slice(await loadMnist("test"), 0, rows);
    const bitsOf = async (name: "mnist" | "mnist-likelihood") => {
      const noisePredictor = await loadPretrained(name);
      const x0 = tf.tensor(toModel(images), [rows, 28, 28, 1]);
      const model = scoreModel(noisePredictor, sde);
      const { bound } = await continuousElbo(model, x0, { rng: createRng(check.seed), draws: 4 });
      const { network } = noisePredictor.config;
      x0.dispose();
      noisePredictor.dispose();
      const nats = bound.reduce((a, b) => a + b) / rows / pixels + decoderNats(sde);
      return { bits: nats / Math.LN2, network };
    };
    const [fine, other] = [await bitsOf("mnist-likelihood"), await bitsOf("mnist")];
    check.equal("network", fine.network, DIGITS_WAVES, "the digits-waves preset");
    check.atMost(
      "bound on the bits per dimension of 32 test digits",
      fine.bits,
      1.66,
      "what the well-known tutorial's network takes by its flow, 1.66 to 1.71; a full-covariance Gaussian takes 5.29",
      { detectable: "half a bit, which a network loses that does not see where in its bin a pixel lies" },
    );
    check.atLeast(
      "bits that the network for samples takes more",
      other.bits - fine.bits,
      0.5,
      "it never saw noise this small, and its loss gives likelihoods no weight",
    );
  },
);

claim(
  "on test digits, adaptive steps and fixed ones come to one log likelihood, within 1%",
  { needs: ["mnist"], engines: ["onnx"], slow: { files } },
  async (check) => {
    const rows = 4;
    const { images } = slice(await loadMnist("test"), 0, rows);
    const noisePredictor = await loadPretrained("mnist-likelihood");
    await noisePredictor.prepare(rows, { gradients: true });
    const model = scoreModel(noisePredictor, sde);
    const { x } = truncatedNormalDequantize(
      images,
      [rows, 28, 28, 1],
      createRng(check.seed).fork("noise"),
      sde,
    );
    const run = async (method: FlowMethod) => {
      const trace = { rng: createRng(check.seed).fork("probes") };
      return await logLikelihood(model, x, { trace, method });
    };
    const limit = await run({ kind: "rk4", grid: { kind: "log-snr", steps: 128 } });
    const compared: [string, FlowMethod][] = [
      ["adaptive at 1e-4", { kind: "dopri5", rtol: 1e-4, atol: 1e-4, maxAttempts: 300 }],
      ["48 fixed steps", { kind: "rk4", grid: { kind: "log-snr", steps: 48 } }],
    ];
    for (const [what, method] of compared) {
      const { logDensity, evaluations } = await run(method);
      check.atMost(
        `${what}, ${evaluations} evaluations: largest relative difference from 128 fixed steps`,
        Math.max(...logDensity.map((value, row) => Math.abs(value / limit.logDensity[row] - 1))),
        0.01,
        "one flow, two solvers",
        { detectable: "1% of log p" },
      );
    }
    x.dispose();
    noisePredictor.dispose();
  },
);

claim(
  "decoding undoes encoding of test digits to less than 1e-3 of a pixel's range",
  { needs: ["mnist"], engines: ["onnx"], slow: { files } },
  async (check) => {
    // Of the first 80, those that a tolerance of 1e-5 brings back worst, by up to 2.7e-2.
    const [test, worst] = [await loadMnist("test"), [59, 23, 54, 33]];
    const rows = worst.length;
    const images = Uint8Array.from(worst.flatMap((i) => Array.from(slice(test, i, i + 1).images)));
    const noisePredictor = await loadPretrained("mnist");
    await noisePredictor.prepare(rows);
    const model = scoreModel(noisePredictor, veSde({ sigmaMin: 0.005, sigmaMax: 40 }));
    const method: FlowMethod = { kind: "dopri5", rtol: 3e-7, atol: 3e-7, maxAttempts: 1500 };
    const x = tf.tensor(toModel(images), [rows, 28, 28, 1]);
    const codes = await encodeLatent(model, x, method);
    const back = await decodeLatent(model, codes, method);
    const error = tf.tidy(() => back.sub(x).abs().max().div(2));
    check.atMost(
      `largest pixel error of ${rows} digits, of the range of pixels`,
      (await error.data())[0],
      1e-3,
      "what latent codes are asked for; steps at 3e-7, which the flow's own stretching multiplies by some hundreds",
    );
    tf.dispose([x, codes, back, error]);
    noisePredictor.dispose();
  },
);
