/**
 * Samplers against what k-diffusion's and diffusers' own code compute on a mixture, with listed noise.
 * @module
 */
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel, scoreModelFromNoise } from "../../../src/diffusion/noise_predictor.ts";
import { edmSde } from "../../../src/diffusion/sde.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import { saSolver } from "../../../src/samplers/sa_solver.ts";
import type { SamplerOptions } from "../../../src/samplers/sampler_info.ts";
import reference from "../../../fixtures/reference/other_libraries.json" with { type: "json" };
import { NormalRng } from "../../instruments/scripted_rng.ts";
import { referenceMixture as mixture, ReferenceRng } from "../../problems/other_libraries.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const times = reference.sigmas;

claim(
  "samplers lead from the same state and noise to the states of k-diffusion's and diffusers' code",
  async (check) => {
    const sde = edmSde({ tMin: times.at(-1)!, tMax: times[0] });
    const model = scoreModel(mixture, sde);
    for (const { sampler, function: theirs, options, states } of reference.cases) {
      const run = samplerByName(sampler, options as SamplerOptions).start(model, new ReferenceRng());
      let x: tf.Tensor = tf.tensor2d(Float32Array.from(states[0]), [states[0].length, 1]);
      let worst = 0;
      for (let k = 0; k + 1 < times.length; k++) {
        const next = await run.step(x, times[k], times[k + 1]);
        x.dispose();
        x = next;
        const values = await x.data();
        const size = Math.hypot(1, times[k + 1]);
        worst = Math.max(worst, ...states[k + 1].map((value, i) => Math.abs(values[i] - value) / size));
      }
      x.dispose();
      run.dispose();
      check.atMost(
        `${sampler} ${JSON.stringify(options)}: largest difference, over the state's size`,
        worst,
        2 * (times.length - 1) * 2 ** -22,
        `${theirs}, fixtures/reference/other_libraries.json; float32 of ${times.length - 1} steps`,
        { detectable: "4e-6 of a state" },
      );
    }
  },
);

claim("SA-Solver weighs data predictions as diffusers' get_coefficients_fn has it", async (check) => {
  const sde = edmSde({ tMin: times.at(-1)!, tMax: times[0] });
  const data = times.map((_, k) => Math.sin(k + 1));
  const model = scoreModelFromNoise(sde, (x, at) => {
    const time = typeof at === "number" ? at : at[0];
    return x.sub(data[times.indexOf(time)]).div(time);
  });
  const noiseless = new (class extends NormalRng {
    override normal(shape: readonly number[]): tf.Tensor {
      return tf.zeros([...shape]);
    }
  })();
  for (const { order, tau, corrects, weights } of reference.adams) {
    const [predictorOrder, correctorOrder] = corrects ? [1, order] : [order, 0];
    const run = saSolver({ predictorOrder, correctorOrder, tau }).start(model, noiseless);
    const x = tf.zeros([1, 1]);
    // From x = 0 a step leads to its weights times the data; a corrected one is seen after the next step.
    for (let k = 0; k < 5; k++) (await run.step(x, times[k], times[k + 1])).dispose();
    const predicted = await run.step(x, times[5], times[6]);
    const decay = (k: number) => (times[k + 1] / times[k]) ** (1 + tau ** 2);
    const used = (last: number) => weights.reduce((sum, weight, i) => sum + weight * data[last - i], 0);
    const what = `order ${order} of the ${corrects ? "corrector" : "predictor"}, τ = ${tau}`;
    const source = "fixtures/reference/other_libraries.json; float32";
    if (corrects) {
      const next = await run.step(x, times[6], times[7]);
      const correction = used(6) - (1 - decay(5)) * data[5];
      const expected = decay(6) * correction + (1 - decay(6)) * data[6];
      check.within(what, (await next.data())[0], expected, 1e-6, source);
      next.dispose();
    } else check.within(what, (await predicted.data())[0], used(5), 1e-6, source);
    tf.dispose([x, predicted]);
    run.dispose();
  }
});
