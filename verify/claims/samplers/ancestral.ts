/**
 * Ancestral sampling against its published rule.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { veSde } from "../../../src/diffusion/sde.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import { mixture, shape } from "../../problems/short_runs.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

claim("ancestral sampling under VE is the published rule for SMLD", async (check) => {
  const sde = veSde();
  const model = scoreModel(mixture, sde);
  const x = createRng(4).normal(shape);
  for (const [t, s] of [[0.9, 0.8], [0.5, 0.45], [0.2, 1e-5]]) {
    const moved = await samplerByName("ancestral").start(model, createRng(5)).step(x, t, s);
    const difference = tf.tidy(() => {
      const [now, next] = [sde.sigma(t) ** 2, sde.sigma(s) ** 2];
      const z = createRng(5).normal(shape);
      const expected = x.add(model.score(x, t).mul(now - next)).add(
        z.mul(Math.sqrt(next * (now - next) / now)),
      );
      return moved.sub(expected).abs().max();
    });
    check.atMost(
      `largest difference in the step from ${t} to ${s}`,
      (await difference.data())[0],
      1e-4,
      "Song et al. 2021, eq. 47: x + (σ_t² − σ_s²) score + √(σ_s² (σ_t² − σ_s²)/σ_t²) z; float32 of numbers up to 20",
      { detectable: "any other share of the noise" },
    );
    tf.dispose([moved, difference]);
  }
  x.dispose();
});
