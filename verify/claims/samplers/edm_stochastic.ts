/**
 * EDM's stochastic sampler against its equations in float64, and the ends of its window.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { noiseRatio, type Sde, veSde } from "../../../src/diffusion/sde.ts";
import { edmStochastic } from "../../../src/samplers/edm_stochastic.ts";
import {
  checkRecursion,
  type Coefficients,
  noiseOfRatio,
  type Recursion,
  withDraw,
} from "../../instruments/gaussian_recursion.ts";
import { mixture, shape } from "../../problems/short_runs.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const recursion: Recursion = {
  name: "edm-stochastic",
  sampler: edmStochastic({ gamma: 0.2, sTmax: 5 }),
  method: churning,
  deterministic: false,
};

claim(
  `${recursion.name} on Gaussian data agrees with its equations in float64`,
  async (check) => await checkRecursion(check, recursion),
);

/** Noise up to 1.2 times the noise ratio where that is at most 5, and Heun's step from there. */
function churning(sde: Sde, times: Float64Array): Coefficients {
  let y: Coefficients = [1 / sde.alpha(times[0])];
  for (let k = 0; k + 1 < times.length; k++) {
    const [from, to] = [noiseRatio(sde, times[k]), noiseRatio(sde, times[k + 1])];
    const raised = from > 5 ? from : Math.min(1.2 * from, noiseRatio(sde, sde.tMax));
    y = withDraw(y, Math.sqrt(raised ** 2 - from ** 2));
    const euler = 1 + (to - raised) * noiseOfRatio(raised);
    const gain = 1 + (to - raised) / 2 * (noiseOfRatio(raised) + noiseOfRatio(to) * euler);
    y = y.map((c) => c * gain);
  }
  return y.map((c) => c * sde.alpha(times[times.length - 1]));
}

claim("edm-stochastic adds noise in a step that begins exactly at S_tmin or at S_tmax", async (check) => {
  const sde = veSde({ sigmaMin: 0.01, sigmaMax: 10 });
  const [t, s] = [0.5, 0.4];
  const ratio = sde.sigma(t);
  const x = createRng(4).normal(shape);
  const stepped = async (options: { sTmin?: number; sTmax?: number }) => {
    const sampler = edmStochastic({ gamma: 0.2, ...options });
    const next = await sampler.start(scoreModel(mixture, sde), createRng(5)).step(x, t, s);
    const values = await next.data();
    next.dispose();
    return [...values];
  };
  const noised = await stepped({});
  const plain = await stepped({ sTmin: 2 * ratio });
  check.holds("noise changes the step", noised.some((value, i) => value !== plain[i]), "γ = 0.2 and γ = 0");
  const cases = [
    { what: "S_tmin = ν", options: { sTmin: ratio }, expected: noised },
    { what: "S_tmax = ν", options: { sTmax: ratio }, expected: noised },
    { what: "S_tmin = S_tmax = ν", options: { sTmin: ratio, sTmax: ratio }, expected: noised },
    { what: "S_tmin above ν", options: { sTmin: ratio * (1 + 1e-15) }, expected: plain },
    { what: "S_tmax below ν", options: { sTmax: ratio * (1 - 1e-15) }, expected: plain },
  ];
  for (const { what, options, expected } of cases) {
    check.equal(
      what,
      await stepped(options),
      expected,
      "Karras et al. 2022, Alg. 2: γ if σ ∈ [S_tmin, S_tmax]",
    );
  }
  x.dispose();
});
