/**
 * Names of samplers elsewhere: that they are found, and that the samplers here take the steps of theirs.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { veSde } from "../../../src/diffusion/sde.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { otherNameOf, otherNames } from "../../../src/samplers/other_names.ts";
import { samplerByName, samplerNames } from "../../../src/samplers/registry.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

const [m0, s0Squared] = [0.4, 0.25];

/** k-diffusion's to_d of the exact denoiser of N(m0, s0²). */
const slope = (x: number, sigma: number) => sigma * (x - m0) / (s0Squared + sigma ** 2);

/** A step of k-diffusion's from σ to σ', with the noise z. */
const steps: Readonly<Record<string, (x: number, from: number, to: number, z: number) => number>> = {
  sample_euler: (x, from, to) => x + slope(x, from) * (to - from),
  sample_euler_ancestral: (x, from, to, z) => {
    const up = Math.min(to, Math.sqrt(to ** 2 * (from ** 2 - to ** 2) / from ** 2));
    const down = Math.sqrt(to ** 2 - up ** 2);
    return x + slope(x, from) * (down - from) + up * z;
  },
  sample_heun: (x, from, to) => {
    const first = slope(x, from);
    return x + (first + slope(x + first * (to - from), to)) / 2 * (to - from);
  },
  sample_dpm_2: (x, from, to) => {
    const middle = Math.sqrt(from * to);
    return x + slope(x + slope(x, from) * (middle - from), middle) * (to - from);
  },
  // Their first steps are of order 1.
  sample_dpmpp_2m: (x, from, to) => {
    const denoised = x - from * slope(x, from);
    return to / from * x - Math.expm1(Math.log(to / from)) * denoised;
  },
  sample_dpmpp_2m_sde: (x, from, to, z) => {
    const h = Math.log(from / to);
    const denoised = x - from * slope(x, from);
    return to / from * Math.exp(-h) * x - Math.expm1(-2 * h) * denoised +
      z * to * Math.sqrt(-Math.expm1(-2 * h));
  },
};

claim("a sampler that k-diffusion has under another name takes its step", async (check) => {
  const sde = veSde();
  const model = scoreModel(new Gaussian({ mean: [m0], variances: [s0Squared] }), sde);
  const points = Float32Array.of(-1.5, 0.2, 2.5);
  for (const { kDiffusion, sampler } of otherNames) {
    if (kDiffusion === undefined || sampler === null) continue;
    check.holds(
      `${kDiffusion} is written out`,
      Object.hasOwn(steps, kDiffusion),
      "every name with a counterpart",
    );
    for (const [t, s] of [[0.6, 0.5], [0.4, 0.3]]) {
      const x = tf.tensor2d(points, [3, 1]);
      const noise = createRng(6).normal([3, 1]);
      const next = await samplerByName(sampler).start(model, createRng(6)).step(x, t, s);
      const [z, seen] = [await noise.data(), await next.data()];
      tf.dispose([x, noise, next]);
      const worst = Math.max(
        ...[...points].map((x, i) =>
          Math.abs(seen[i] - steps[kDiffusion](x, sde.sigma(t), sde.sigma(s), z[i]))
        ),
      );
      check.atMost(
        `${kDiffusion} is ${sampler}, ${t} to ${s}`,
        worst,
        5e-6,
        "k-diffusion's rule in float64; float32",
      );
    }
  }
});

claim("names of the web interfaces, of k-diffusion and of diffusers are found, with their grids", (check) => {
  const found = (text: string) => {
    const name = otherNameOf(text);
    return name === undefined ? null : [name.row.sampler, name.grid];
  };
  const cases: readonly (readonly [string, readonly (string | null)[] | null])[] = [
    ["DPM++ 2M Karras", ["dpm++2m", "karras"]],
    ["dpm++ 2m sde  exponential", ["sde-dpm++2m", "log-snr"]],
    ["Euler a", ["ancestral", null]],
    ["sample_heun", ["edm-heun", null]],
    ["UniPCMultistepScheduler", ["unipc", null]],
    ["Flow Euler", ["ode-euler", "shifted"]],
    ["DPM++ SDE Karras", [null, "karras"]],
    ["Karras", null],
    ["", null],
    ["Euler b", null],
  ];
  for (const [text, expected] of cases) check.equal(`"${text}"`, found(text), expected, "docs/names.md");
  const all = otherNames.flatMap(({ name, kDiffusion, diffusers }) => [name, kDiffusion, diffusers])
    .filter((name) => name !== undefined).map((name) => name.toLowerCase());
  check.equal("each name once", new Set(all).size, all.length, "a name stands for one sampler");
  const unknown = otherNames.filter(({ sampler }) => sampler !== null && !samplerNames.includes(sampler));
  check.equal("samplers that are not in the registry", unknown, [], "the registry");
});
