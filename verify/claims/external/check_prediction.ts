/**
 * What a model predicts is found out: exact answers and the shipped network's in every prediction, read as every other one.
 * @module
 */
import { predictedAs } from "../../reference/predictions.ts";
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { linearBetas } from "../../../src/diffusion/beta_schedule.ts";
import { type NoisePredictor, scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { discreteDdpm, type Sde, subVpSde, veSde, vpSde } from "../../../src/diffusion/sde.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { checkPrediction } from "../../../src/external/check_prediction.ts";
import { type Prediction, predictions } from "../../../src/diffusion/prediction.ts";
import { externalModel } from "../../../src/external/external_model.ts";
import { loadPretrained } from "../../../src/pretrained.ts";
import { dpmSolver2M } from "../../../src/samplers/dpm_solver_multistep.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { claim } from "../../suite/claim.ts";

const mixture = GaussianMixture.from({
  weights: [0.3, 0.7],
  means: [[-1, 0.5, 0.2, 0], [1, 0, -0.4, 0.3]],
  covariances: [0.2, 0.4].map((v) => [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => i === j ? v : 0.05))),
});

const ddpm = discreteDdpm(linearBetas());

/** SDEs whose α falls toward 0, so that velocities are far from noise there. */
const shrinking: Record<string, Sde> = { vp: vpSde(), subvp: subVpSde(), ddpm };

/** σ_data of the model that answers as EDM's networks do. */
const SIGMA_DATA = 0.5;

/** A noise predictor's answers as a model of that prediction gives them, by its definition. */
function foreign(noisePredictor: NoisePredictor, prediction: Prediction, sde: Sde) {
  return externalModel((x, condition) =>
    tf.tidy(() => {
      const ratio = Math.exp(4 * condition.dataSync()[0]);
      const t = sde.timeAtHalfLogSnr(-Math.log(ratio));
      const [alpha, sigma] = [sde.alpha(t), sde.sigma(t)];
      const total = Math.hypot(ratio, SIGMA_DATA);
      const y = prediction === "edm" ? x.mul(total) : x.div(alpha);
      const noise = noisePredictor.predictNoise(y, ratio);
      const data = y.sub(noise.mul(ratio));
      return predictedAs(prediction, { alpha, sigma, noise, data, sigmaData: SIGMA_DATA });
    }), { sde, prediction, conditioning: "log-sigma-quarter", sigmaData: SIGMA_DATA });
}

/** The sentence of a check, or "" where it passes. */
async function sentence(check: Promise<void>): Promise<string> {
  return await check.then(() => "", (error: Error) => error.message);
}

/** The first prediction that a sentence says fits. */
const fitting = (sentence: string) => /; read as (\w+) it is/.exec(sentence)?.[1];

claim(
  "with data, a mixture's answers read as any other prediction are found, and the right one named",
  async (check) => {
    const data = tf.tidy(() => mixture.sample(createRng(9), 64));
    const before = tf.memory().numTensors;
    const rows: string[][] = [];
    for (const [name, sde] of Object.entries({ ...shrinking, ve: veSde() })) {
      for (const prediction of predictions) {
        const row = [name, prediction];
        for (const said of predictions) {
          const model = foreign(mixture, prediction, sde).readAs(said);
          const error = await sentence(checkPrediction(model, sde, { data, rng: createRng(3) }));
          row.push(error === "" ? "passes" : `${/is ([\d.]+), where/.exec(error)?.[1]}, found`);
          // With α = 1, x = x_0 + σ ε, from which the velocity ε − σ x_0 is (σ x + ε)/(1 + σ²): near ε at small σ, and
          // near the best linear prediction at large σ. So is EDM's for data of 0.5² about 0.
          // A flow's ε − x_0 is the velocity itself at σ = 1.
          const near = name === "ve" &&
            (prediction === "noise" && (said === "velocity" || said === "edm") ||
              prediction === "flow" && said === "velocity");
          const expected = said === prediction || near ? undefined : prediction;
          check.equal(
            `${name}: ${prediction} read as ${said}`,
            fitting(error),
            expected,
            error || "it passes",
          );
        }
        rows.push(row);
      }
    }
    check.equal("tensors left", tf.memory().numTensors - before, 0, "answers are disposed");
    data.dispose();
    check.tables.push({
      title:
        "Squared error over the best linear prediction's, of a mixture's answers read as each prediction",
      header: ["SDE", "the answers are", ...predictions.map((said) => `read as ${said}`)],
      rows,
    });
  },
);

claim(
  "without data, noise and scores are told from all else where α falls toward 0, and right readings pass",
  async (check) => {
    const before = tf.memory().numTensors;
    const options = () => ({ shape: [64, 4], rng: createRng(3) });
    const calm: readonly Prediction[] = ["data", "velocity", "edm"];
    for (const [name, sde] of Object.entries(shrinking)) {
      for (const prediction of predictions) {
        for (const said of predictions) {
          const model = foreign(mixture, prediction, sde).readAs(said);
          const error = await sentence(checkPrediction(model, sde, options()));
          // The three give D ≈ 0 at large ν, however they are read; noise read as a flow gives D/(1 + ν).
          const alike = said === prediction || calm.includes(said) && calm.includes(prediction) ||
            prediction === "noise" && said === "flow";
          check.equal(`${name}: ${prediction} read as ${said} is found`, error !== "", !alike, error);
          if (alike) continue;
          const named = new RegExp(`; read as .*\\b${prediction} `).test(
            error.replaceAll(", as ", " it is "),
          );
          check.holds(
            `${name}: ${prediction} read as ${said}: the right one is among those named`,
            named,
            error,
          );
        }
      }
    }
    const ve = veSde();
    for (const prediction of predictions) {
      const model = foreign(mixture, prediction, ve);
      check.equal(
        `ve: ${prediction} passes`,
        await sentence(checkPrediction(model, ve, options())),
        "",
        "right",
      );
      if (prediction === "noise") continue;
      const error = await sentence(checkPrediction(model.readAs("noise"), ve, options()));
      check.holds(`ve: ${prediction} read as noise is found`, error !== "", error);
    }
    check.equal("tensors left", tf.memory().numTensors - before, 0, "answers are disposed");
  },
);

claim(
  "the shipped network passes in every prediction, and is found where it is taken for noise",
  async (check) => {
    const network = await loadPretrained("mnist");
    const grid = { kind: "log-snr", steps: 12 } as const;
    const run = { shape: [4, 28, 28, 1], grid, rng: createRng(1) };
    const data = await drawSamples(scoreModel(network, ddpm), dpmSolver2M(), run);
    const shape = [1, 28, 28, 1];
    for (const [what, given] of [["with digits", { data }], ["with noise alone", { shape }]] as const) {
      const options = () => ({ ...given, rng: createRng(3) });
      const plain = await sentence(checkPrediction(network, ddpm, options()));
      check.equal(`${what}: the network itself`, plain, "", "it passes");
      for (const prediction of predictions) {
        const model = foreign(network, prediction, ddpm);
        const own = await sentence(checkPrediction(model, ddpm, options()));
        check.equal(`${what}: ${prediction}`, own, "", "it passes");
        if (prediction === "noise") continue;
        const error = await sentence(checkPrediction(model.readAs("noise"), ddpm, options()));
        // ε − x_0 of pure noise is noise to a network whose D is 0 there.
        const alike = prediction === "flow" && what === "with noise alone";
        check.equal(`${what}: ${prediction} read as noise is found`, error !== "", !alike, error);
        if (what === "with digits") check.equal(`${what}: the right one`, fitting(error), prediction, error);
      }
    }
    data.dispose();
  },
);

claim("a check of a prediction says what it measured and what fits, in one sentence", async (check) => {
  const sde = vpSde();
  const rng = createRng(1);
  const options = { sde, prediction: "noise", conditioning: "time" } as const;
  const given = { shape: [8, 8, 8, 1], rng };
  const nothing = externalModel((x) => x.mul(0), options);
  await check.throws(
    "a model that predicts data",
    () => checkPrediction(nothing, sde, given),
    /^the model does not seem to predict noise: the part of pure noise that its denoised data hold is 10, where at most 0\.4 is expected; read as data it is 0, as edm it is 0\.025, as velocity it is 0\.099$/,
  );
  const reversed = { predictNoise: (y: tf.Tensor) => y.mul(-0.1) };
  await check.throws(
    "a noise predictor of the wrong sign",
    () => checkPrediction(reversed, sde, given),
    /^the model does not seem to predict noise: the part of pure noise that its denoised data hold is 20, where at most 0\.4 is expected; no other prediction fits: check the SDE, the conditioning, the layout and the scale of states$/,
  );
  await check.throws(
    "NaN",
    () => checkPrediction({ predictNoise: (y) => y.mul(NaN) }, sde, given),
    /hold is NaN, where/,
  );
  for (
    const [what, wrong] of [["neither", { rng }], ["both", { ...given, data: tf.ones([1, 2]) }]] as const
  ) {
    await check.throws(
      what,
      () => checkPrediction(nothing, sde, wrong),
      /^a check of a prediction needs a shape or data, one of the two$/,
    );
  }
});
