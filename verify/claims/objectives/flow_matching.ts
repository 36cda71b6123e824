/**
 * Flow matching's loss: the error of the velocity ε − x_0 at times with a normal logit.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { flowSde } from "../../../src/diffusion/flow_sde.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { noiseRatio, type Sde, subVpSde, vpSde } from "../../../src/diffusion/sde.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { normalCdf } from "../../../src/math/normal_distribution.ts";
import { denoisingLossOf, drawNoiseLevels } from "../../../src/objectives/denoising.ts";
import { checkUniform } from "../../instruments/statistics.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

claim(
  "the velocity loss under the flow's SDE is flow matching's, ‖û(x_t, t) − (ε − x_0)‖²",
  async (check) => {
    const [m0, s0Squared] = [0.7, 0.25];
    const gaussian = new Gaussian({ mean: [m0], variances: [s0Squared] });
    const sde = flowSde({ tMax: 0.95 });
    const rng = createRng(check.seed);
    const rows = 400;
    const objective = {
      kind: "sde",
      sde: sde.config,
      weighting: "velocity",
      times: "logit-normal",
      logit: { mean: 0.2, std: 1.5 },
    } as const;
    const levels = drawNoiseLevels(objective, rng.fork("levels"), rows);
    const data = Float32Array.from(
      rng.fork("data").normalValues([rows]),
      (z) => m0 + Math.sqrt(s0Squared) * z,
    );
    const noise = Float32Array.from(rng.fork("noise").normalValues([rows]));
    const loss = tf.tidy(() =>
      denoisingLossOf(gaussian, tf.tensor2d(data, [rows, 1]), tf.tensor2d(noise, [rows, 1]), levels)
    );
    const [observed] = await loss.data();
    loss.dispose();
    // The velocity's conditional mean is its regression on x_t = (1 − t) x_0 + t ε: Cov(ε − x_0, x_t) = t − (1 − t) s0².
    let expected = 0;
    for (let i = 0; i < rows; i++) {
      const t = levels.noiseRatio[i] / (1 + levels.noiseRatio[i]);
      const x = (1 - t) * data[i] + t * noise[i];
      const slope = (t - (1 - t) * s0Squared) / ((1 - t) ** 2 * s0Squared + t ** 2);
      expected += (slope * (x - (1 - t) * m0) - m0 - (noise[i] - data[i])) ** 2 / rows;
    }
    check.within(
      "mean over 400 rows",
      observed,
      expected,
      1e-5 * expected,
      "regression in float64; float32",
      {
        detectable: "1e-5 of the loss",
      },
    );
  },
);

claim("the velocity loss is the error of the probability flow's dx/dt under any SDE", {
  // Numbers are read at once, which a GPU does not allow.
  engines: ["wasm"],
}, (check) => {
  const gaussian = new Gaussian({ mean: [0.7], variances: [0.25] });
  const other = new Gaussian({ mean: [0.2], variances: [0.5] });
  for (const sde of [vpSde(), subVpSde({ tMin: 0.2 }), flowSde()] as Sde[]) {
    const objective = { kind: "sde", sde: sde.config, weighting: "velocity" } as const;
    const { noiseRatio: [ratio], weight: [weight] } = drawNoiseLevels(objective, createRng(check.seed), 1);
    const t = sde.timeAtHalfLogSnr(-Math.log(ratio));
    const ratioBack = noiseRatio(sde, t);
    const [drift, noise] = tf.tidy(() => {
      const x = tf.tensor2d([[0.8]]);
      const [one, two] = [scoreModel(gaussian, sde), scoreModel(other, sde)];
      return [
        one.odeDrift(x, t).sub(two.odeDrift(x, t)).square().dataSync()[0],
        one.predictedNoise(x, t).sub(two.predictedNoise(x, t)).square().dataSync()[0],
      ];
    });
    const label = `${sde.config.kind}, ν = ${ratioBack.toPrecision(3)}`;
    check.within(label, weight * noise / drift, 1, 2e-3, "two drifts' difference squared; float32 cancels");
  }
});

claim("the logit of logit-normal times is normal, with the mean and deviation asked for", (check) => {
  const sde = flowSde({ tMin: 0.1, tMax: 0.9 });
  const cases = [undefined, { mean: 0.5, std: 0.6 }, { mean: -1, std: 2 }];
  for (const logit of cases) {
    const objective = { kind: "sde", sde: sde.config, weighting: "variance", times: "logit-normal" } as const;
    const { noiseRatio: ratios } = drawNoiseLevels(
      { ...objective, ...logit && { logit } },
      createRng(check.seed),
      20_000,
    );
    const { mean, std } = logit ?? { mean: 0, std: 1 };
    const ranks = ratios.map((ratio) => {
      const share = (ratio / (1 + ratio) - 0.1) / 0.8;
      return normalCdf((Math.log(share / (1 - share)) - mean) / std);
    });
    checkUniform(check, `mean ${mean}, std ${std}`, ranks, "Esser et al. 2024, eq. 19");
  }
});
