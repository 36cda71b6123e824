/** Multistep samplers against those of diffusers and k-diffusion, on one mixture, from the same starts along the same grid. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { edmSde } from "../../../src/diffusion/sde.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import type { SamplerOptions } from "../../../src/samplers/sampler_info.ts";
import { type Area, claim } from "../../suite/claim.ts";
import reference from "../../../fixtures/reference/multistep_samplers.json" with { type: "json" };

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

const { weights, means, stds, ratios, starts } = reference;
const samplers = [...new Set(reference.cases.map(({ sampler }) => sampler))];

for (const name of samplers) {
  claim(`${name} ends where the samplers of other libraries end that do the same`, async (check) => {
    // Of EDM's SDE a time is a noise ratio, and α is 1.
    const sde = edmSde({ tMin: ratios[ratios.length - 1], tMax: ratios[0] });
    const model = scoreModel(
      GaussianMixture.from({
        weights,
        means: means.map((mean) => [mean]),
        covariances: stds.map((std) => [[std ** 2]]),
      }),
      sde,
    );
    for (const { sampler, options, peer, end } of reference.cases) {
      if (sampler !== name) continue;
      const initial = tf.tensor2d(starts, [starts.length, 1]);
      const x = await drawSamples(model, samplerByName(sampler, options as SamplerOptions), {
        shape: [starts.length, 1],
        grid: Float64Array.from(ratios),
        rng: createRng(1),
        initial,
        denoise: false,
      });
      const values = await x.data();
      tf.dispose([initial, x]);
      check.atMost(
        peer,
        Math.max(...end.map((value, i) => Math.abs(value - values[i]))),
        2e-6,
        "fixtures/reference/multistep_samplers.json, in float64; eight steps of float32 states up to 7",
      );
    }
  });
}
