/**
 * S_churn of EDM's stochastic sampler: the samples of EDM's own code, and the number of noise levels that shares it out.
 * @module
 */
import { createRng, type Rng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { dpsSampler } from "../../../src/conditioning/dps.ts";
import {
  repaintSampler,
  replacementSampler,
  withExactKnownValues,
} from "../../../src/conditioning/imputation.ts";
import { linearObservation } from "../../../src/conditioning/observation.ts";
import { maskOperator } from "../../../src/conditioning/operators.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { edmSde, type Sde } from "../../../src/diffusion/sde.ts";
import { flowSde } from "../../../src/diffusion/flow_sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { edmStochastic, type EdmStochasticOptions } from "../../../src/samplers/edm_stochastic.ts";
import { langevin } from "../../../src/samplers/langevin.ts";
import { predictorCorrector } from "../../../src/samplers/predictor_corrector.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import reference from "../../../fixtures/reference/edm_sampler.json" with { type: "json" };
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

const { mean, std, num_steps: levels, latents, noise, runs } = reference;
const data = new Gaussian({ mean, variances: std.map((s) => s ** 2) });

/** Draws the noise of the reference, step by step. */
function listedRng(): Rng {
  let step = 0;
  return Object.assign(createRng(1), { normal: () => tf.tensor2d(noise[step++]) });
}

claim(
  "edm-stochastic with sChurn, sTmin, sTmax and sNoise draws the samples of EDM's code",
  async (check) => {
    const times = timeGrid(edmSde(), { kind: "karras", steps: levels - 1 });
    for (const { S_churn, S_min, S_max, S_noise, samples } of runs) {
      // Without S_max the first step of EDM's code begins at (1 + γ) σ_max, which the model must reach.
      const sde = edmSde({ tMax: S_max === null ? 2 * times[0] : times[0] });
      const initial = tf.tensor2d(latents).mul(times[0]);
      const x = await drawSamples(
        scoreModel(data, sde),
        edmStochastic({ sChurn: S_churn, sTmin: S_min, sTmax: S_max ?? Infinity, sNoise: S_noise }),
        { shape: [latents.length, mean.length], grid: times, rng: listedRng(), initial },
      );
      const seen = await x.data();
      tf.dispose([x, initial]);
      const worst = Math.max(
        ...samples.flat().map((value, i) => Math.abs(value - seen[i]) / (1 + Math.abs(value))),
      );
      check.atMost(
        `S_churn = ${S_churn}, S_max = ${S_max}: largest error`,
        worst,
        8 * levels * 2 ** -22,
        "fixtures/reference/edm_sampler.json; rounding of float32 states",
        { detectable: "2e-5 of a sample" },
      );
    }
  },
);

/** Two samples of a run; the same numbers at every call. */
async function drawn(sampler: Sampler, sde = edmSde(), times?: Float64Array): Promise<number[]> {
  const x = await drawSamples(scoreModel(data, sde), sampler, {
    shape: [2, 2],
    grid: times ?? { kind: "karras", steps: 4 },
    rng: createRng(3),
  });
  const values = [...await x.data()];
  x.dispose();
  return values;
}

claim(
  "S_churn is shared out among the noise levels of a run above zero, and γ ends at √2 − 1",
  async (check) => {
    const churned = (options: EdmStochasticOptions, sde?: Sde, times?: Float64Array) =>
      drawn(edmStochastic({ sTmax: 50, ...options }), sde, times);
    const byHand = "num_steps of EDM's code, len(sigmas) − 1 of k-diffusion's";
    check.equal("4 steps, 5 levels", await churned({ sChurn: 1 }), await churned({ gamma: 1 / 5 }), byHand);
    check.equal("none", await churned({ sChurn: 0 }), await churned({ gamma: 0 }), byHand);
    check.equal("above", await churned({ sChurn: 9 }), await churned({ gamma: Math.SQRT2 - 1 }), byHand);
    const toZero = [flowSde(), Float64Array.of(0.9, 0.5, 0.2, 0)] as const;
    check.equal(
      "3 steps to σ = 0, 3 levels",
      await churned({ sChurn: 0.75 }, ...toZero),
      await churned({ gamma: 0.25 }, ...toZero),
      byHand,
    );
  },
);

claim(
  "samplers around edm-stochastic tell it the times of the run, by which it shares out S_churn",
  async (check) => {
    const known = { mask: [1, 0], known: tf.tensor2d([[1.5, 0]]) };
    const y = tf.tensor2d([[1.5]]);
    const observation = await linearObservation(maskOperator([2], [0, 1]), y, 0.1);
    const around: Readonly<Record<string, (inner: Sampler) => Sampler>> = {
      "predictor-corrector": (inner) =>
        predictorCorrector({ predictor: inner, corrector: langevin({ snr: 0.1 }) }),
      corrector: (inner) => predictorCorrector({ predictor: langevin({ snr: 0.1 }), corrector: inner }),
      replacement: (inner) => replacementSampler(inner, known),
      RePaint: (inner) => repaintSampler(inner, { ...known, resamplings: 2 }),
      pasting: (inner) => withExactKnownValues(inner, known),
      DPS: (inner) => dpsSampler(inner, observation),
    };
    for (const [name, outer] of Object.entries(around)) {
      const [shared, given] = [{ sChurn: 1 }, { gamma: 1 / 5 }].map((options) =>
        outer(edmStochastic(options))
      );
      check.equal(name, await drawn(shared), await drawn(given), "5 noise levels: γ = 1/5, bit for bit");
    }
    tf.dispose([known.known, y]);
  },
);

claim("S_churn beside γ, below zero or in a run of unknown times is refused", async (check) => {
  const model = scoreModel(data, edmSde());
  const cases: readonly [string, () => unknown, RegExp][] = [
    [
      "both",
      () => samplerByName("edm-stochastic", { gamma: 0.1, sChurn: 2 }),
      /^gamma and sChurn both say how much noise is added: give one, got gamma = 0.1 and sChurn = 2$/,
    ],
    ["negative", () => edmStochastic({ sChurn: -1 }), /^sChurn must be a number from 0, got -1$/],
    [
      "no times",
      () => edmStochastic({ sChurn: 2 }).start(model, createRng(1)),
      /^sChurn is shared out among the noise levels of a run: start needs its times, got none for sChurn = 2$/,
    ],
  ];
  for (const [what, action, message] of cases) await check.throws(what, action, message);
});
