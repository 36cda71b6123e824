/**
 * Where noise ends and where it is let back in: steps to noise zero, and the options of stochastic samplers.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import { edmStochastic, type EdmStochasticOptions } from "../../../src/samplers/edm_stochastic.ts";
import { noiseRatio, vpSde } from "../../../src/diffusion/sde.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { impulseResponse } from "../../instruments/impulse_response.ts";
import { planeDistribution } from "../../problems/plane_mixture.ts";
import { optionsWithoutNoise, samplerFacts } from "../../problems/sampler_facts.ts";
import { allSdes } from "../../problems/sdes.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

/** Samplers whose steps are exact for a constant prediction, so that the step to no noise is the prediction of the data. */
const exactForConstants = samplerFacts.filter(({ lastStep }) =>
  lastStep === "data prediction" || lastStep === "extrapolated"
);

const engines = ["wasm", "webgpu"] as const;

claim(
  "a step to σ = 0 lands on the mean of the data given the state",
  { engines },
  async (check) => {
    for (const sde of allSdes.filter((sde) => sde.sigma(0) === 0)) {
      const model = scoreModel(planeDistribution, sde);
      const x = createRng(1).normal([5, 2]);
      for (const { name } of exactForConstants) {
        const without = optionsWithoutNoise(name);
        for (const options of Object.keys(without).length === 0 ? [{}] : [{}, without]) {
          const stepper = samplerByName(name, options).start(model, createRng(2));
          const ended = await stepper.step(x, 0.3, 0);
          const error = tf.tidy(() => ended.sub(model.denoised(x, 0.3)).abs().max());
          check.atMost(
            `${name} ${JSON.stringify(options)}, ${sde.config.kind}`,
            (await error.data())[0],
            1e-6,
            "(x − σ ε̂)/α, Tweedie; rounding of float32",
          );
          tf.dispose([ended, error]);
          stepper.dispose();
        }
      }
      x.dispose();
    }
  },
);

claim(
  "EDM's churn adds noise of the size asked for, and only within its window",
  { engines },
  async (check) => {
    const sde = vpSde();
    const model = scoreModel(new Gaussian({ mean: [0], variances: [0.25] }), sde);
    const grid = Float64Array.of(0.6, 0.4, 0.2);
    const noiseOf = async (options: EdmStochasticOptions) => {
      const { noise } = await impulseResponse(model, edmStochastic({ gamma: 0.2, ...options }), {
        grid,
        denoise: false,
      });
      return noise.map((coefficients) => coefficients[0]);
    };
    const plain = await noiseOf({});
    const inflated = await noiseOf({ sNoise: 1.5 });
    for (const step of [0, 1]) {
      check.atLeast(
        `step ${step + 1}: noise`,
        plain[step],
        0.01,
        "γ = .2 raises the noise ratio by a fifth",
      );
      check.within(
        `step ${step + 1}: S_noise = 1.5 over 1`,
        inflated[step] / plain[step],
        1.5,
        2e-6,
        "Karras et al. 2022, Alg. 2",
      );
    }
    const between = (noiseRatio(sde, 0.6) + noiseRatio(sde, 0.4)) / 2;
    check.equal("S_tmax between the steps", (await noiseOf({ sTmax: between })).map((c) => c > 0), [
      false,
      true,
    ], "noise ratios above it are not raised");
    check.equal("S_tmin between the steps", (await noiseOf({ sTmin: between })).map((c) => c > 0), [
      true,
      false,
    ], "noise ratios below it are not raised");
  },
);
