/**
 * Schedules with zero terminal SNR, and models asked where noise is all that there is.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { linearBetas, zeroTerminalSnrBetas } from "../../../src/diffusion/beta_schedule.ts";
import { type Prediction, predictions } from "../../../src/diffusion/prediction.ts";
import { discreteDdpm, transition } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { externalModel } from "../../../src/external/external_model.ts";
import { predictedAs } from "../../reference/predictions.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

/** Stable Diffusion's betas, rescaled. */
const scaledLinear = linearBetas(1000, Math.sqrt(0.00085), Math.sqrt(0.012)).map((root) => root ** 2);

claim(
  "betas rescaled to zero terminal SNR are those that diffusers computes, and √ᾱ moves linearly",
  (check) => {
    const betas = zeroTerminalSnrBetas(scaledLinear);
    // Its rescale_zero_terminal_snr in float64.
    const published = {
      1: 0.00085,
      2: 0.0009173335933720939,
      100: 0.0014850089903729602,
      500: 0.0055157787345967435,
      900: 0.023762069821842702,
      999: 0.751137004176492,
      1000: 1,
    };
    for (const [n, beta] of Object.entries(published)) {
      check.within(
        `β_${n}`,
        betas[Number(n) - 1],
        beta,
        1e-12,
        "diffusers 0.40, float64 of a thousand products",
      );
    }
    const roots = (list: readonly number[]) => {
      let kept = 1;
      return list.map((beta) => Math.sqrt(kept *= 1 - beta));
    };
    const [before, after] = [roots(scaledLinear), roots(betas)];
    const slope = (after[0] - after[999]) / (before[0] - before[999]);
    const worst = Math.max(
      ...after.map((root, n) => Math.abs(root - after[0] - slope * (before[n] - before[0]))),
    );
    check.atMost("√ᾱ_n off a line in the old √ᾱ_n", worst, 1e-12, "Lin et al. 2024, Alg. 1");
    check.equal("√ᾱ_N", after[999], 0, "no signal");
  },
);

claim(
  "the SDE of betas that end in 1 has their marginals up to the last but one, and ends there",
  async (check) => {
    const betas = zeroTerminalSnrBetas(linearBetas(20, 1e-3, 0.3));
    const sde = discreteDdpm(betas);
    check.equal("times", [sde.tMin, sde.tMax], [1 / 20, 19 / 20], "x_N has no noise ratio");
    let kept = 1;
    for (let n = 1; n < 20; n++) {
      kept *= 1 - betas[n - 1];
      check.within(`α(${n}/20)`, sde.alpha(n / 20), Math.sqrt(kept), 1e-14, "√ᾱ_n");
      if (n > 1) {
        const step = transition(sde, (n - 1) / 20, n / 20);
        check.within(`β_${n}`, step.std ** 2, betas[n - 1], 1e-13, "DDPM's step");
      }
    }
    check.equal(
      "indices",
      [...timeGrid(sde, { kind: "indices", steps: 2, indices: [18, 7, 0] })],
      [19 / 20, 8 / 20, 1 / 20],
      "(index + 1)/N",
    );
    await check.throws(
      "index of x_N",
      () => timeGrid(sde, { kind: "indices", steps: 2, indices: [19, 7, 0] }),
      /^the indices of a grid must decrease strictly from at most 18 to at least 0, got /,
    );
    await check.throws("β of 1 before the end", () => discreteDdpm([0.1, 1, 1]), /^every β must be above 0/);
    await check.throws(
      "two betas",
      () => discreteDdpm([0.1, 1]),
      /^every β must be above 0 and below 1, got β_2 = 1$/,
    );
  },
);

claim(
  "the step from noise alone leads to α D + σ z with the predictions that survive α = 0; others are refused",
  // The model reads its conditions at once, which a GPU does not allow.
  { engines: ["wasm"] },
  async (check) => {
    const sde = discreteDdpm(zeroTerminalSnrBetas(linearBetas(20, 1e-3, 0.3)));
    const mean = 0.7;
    const values = Float32Array.from(createRng(check.seed).normalValues([6, 2, 1, 1]));
    for (const prediction of predictions) {
      for (const layout of ["nhwc", "nchw"] as const) {
        const seen: number[] = [];
        // At α = 0 the exact prediction of data with this mean is the mean, whatever the state. F's limit is D/σ_d.
        const model = externalModel(
          (x, condition) => {
            seen.push(...condition.dataSync());
            const level = { alpha: 0, sigma: 1, noise: x, data: tf.fill(x.shape, mean), sigmaData: 0.5 };
            return prediction === "edm" ? tf.fill(x.shape, mean / 0.5) : predictedAs(prediction, level);
          },
          { sde, prediction, conditioning: "index", layout },
        );
        const z = tf.tensor4d(values, [6, 2, 1, 1]);
        if (prediction === "noise" || prediction === "score") {
          await check.throws(
            `${prediction}, ${layout}`,
            () => model.fromPureNoise!(z, 0.8),
            /says nothing of the data at α = 0, where x is noise alone: predict data, velocity, edm or flow$/,
          );
          z.dispose();
          continue;
        }
        const x = await model.fromPureNoise!(z, 0.8);
        const data = await x.data();
        tf.dispose([x, z]);
        const [alpha, sigma] = [sde.alpha(0.8), sde.sigma(0.8)];
        const worst = Math.max(...values.map((z, i) => Math.abs(data[i] - alpha * mean - sigma * z)));
        check.atMost(`${prediction}, ${layout}`, worst, 1e-6, "DDIM's step from x_N = z; float32");
        check.equal(`${prediction}, ${layout}: told`, seen, new Array(6).fill(19), "the index of x_N");
      }
    }
    const told = (conditioning: "sigma" | "log-sigma-quarter") => () =>
      externalModel((x) => x, { sde, prediction: "velocity", conditioning }).fromPureNoise!(
        tf.zeros([1, 1]),
        0.8,
      );
    for (const conditioning of ["sigma", "log-sigma-quarter"] as const) {
      await check.throws(
        conditioning,
        told(conditioning),
        /^a model that is told σ\/α cannot be asked where it is infinite/,
      );
    }
    const usual = externalModel((x) => x, {
      sde: discreteDdpm(linearBetas(20)),
      prediction: "velocity" as Prediction,
      conditioning: "index",
    });
    check.equal("with signal at the end", usual.fromPureNoise, undefined, "drawing starts from the prior");
  },
);
