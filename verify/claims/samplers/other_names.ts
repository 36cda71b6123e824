/**
 * Names of samplers elsewhere: that they are found, and that the samplers here take the steps of theirs.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { noiseRatio, type Sde, veSde, vpSde } from "../../../src/diffusion/sde.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { libraryNames, otherNameOf, otherNames } from "../../../src/samplers/other_names.ts";
import { samplerByName, samplerNames } from "../../../src/samplers/registry.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import type { SamplerOptions } from "../../../src/samplers/sampler_info.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

const [m0, s0Squared] = [0.4, 0.25];

/** k-diffusion's to_d of the exact denoiser of N(m0, s0²). */
const slope = (x: number, sigma: number) => sigma * (x - m0) / (s0Squared + sigma ** 2);

/** σ_down and σ_up of k-diffusion's get_ancestral_step. */
const ancestral = (from: number, to: number) => {
  const up = Math.min(to, Math.sqrt(to ** 2 * (from ** 2 - to ** 2) / from ** 2));
  return { down: Math.sqrt(to ** 2 - up ** 2), up };
};

/** A step of k-diffusion's from σ to σ', with the noises z. */
const steps: Readonly<
  Record<string, (x: number, from: number, to: number, z: readonly number[]) => number>
> = {
  sample_euler: (x, from, to) => x + slope(x, from) * (to - from),
  sample_euler_ancestral: (x, from, to, [z]) => {
    const { down, up } = ancestral(from, to);
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
  // Its steps but the last.
  sample_dpm_fast: (x, from, to) => {
    const h = Math.log(from / to);
    const [s1, s2] = [from * Math.exp(-h / 3), from * Math.exp(-2 * h / 3)];
    const eps = slope(x, from);
    const change1 = slope(x - s1 * Math.expm1(h / 3) * eps, s1) - eps;
    const weight = Math.expm1(2 * h / 3) / (2 * h / 3) - 1;
    const change2 = slope(x - s2 * Math.expm1(2 * h / 3) * eps - 2 * s2 * weight * change1, s2) - eps;
    return x - to * Math.expm1(h) * eps - 3 / 2 * to * (Math.expm1(h) / h - 1) * change2;
  },
  // Their first steps are of order 1.
  sample_lms: (x, from, to) => x + slope(x, from) * (to - from),
  sample_dpmpp_2m: (x, from, to) => {
    const denoised = x - from * slope(x, from);
    return to / from * x - Math.expm1(Math.log(to / from)) * denoised;
  },
  sample_dpmpp_2m_sde: stochasticStep,
  sample_dpmpp_3m_sde: stochasticStep,
  sample_dpmpp_sde: (x, from, to, [first, second]) => {
    const middle = Math.sqrt(from * to);
    const [half, whole] = [ancestral(from, middle), ancestral(from, to)];
    const between = half.down / from * x + (1 - half.down / from) * (x - from * slope(x, from)) +
      half.up * first;
    // BrownianTreeNoiseSampler's W(σ, σ')/√|σ − σ'|.
    const noise = (Math.sqrt(from - middle) * first + Math.sqrt(middle - to) * second) / Math.sqrt(from - to);
    const denoised = between - middle * slope(between, middle);
    return whole.down / from * x + (1 - whole.down / from) * denoised + whole.up * noise;
  },
  sample_dpmpp_2s_ancestral: (x, from, to, [z]) => {
    const { down, up } = ancestral(from, to);
    const middle = Math.sqrt(from * down);
    const between = middle / from * x + (1 - middle / from) * (x - from * slope(x, from));
    return down / from * x + (1 - down / from) * (between - middle * slope(between, middle)) + up * z;
  },
  sample_dpm_2_ancestral: (x, from, to, [z]) => {
    const { down, up } = ancestral(from, to);
    const middle = Math.sqrt(from * down);
    return x + slope(x + slope(x, from) * (middle - from), middle) * (down - from) + up * z;
  },
};

function stochasticStep(x: number, from: number, to: number, [z]: readonly number[]): number {
  const h = Math.log(from / to);
  const denoised = x - from * slope(x, from);
  return to / from * Math.exp(-h) * x - Math.expm1(-2 * h) * denoised +
    z * to * Math.sqrt(-Math.expm1(-2 * h));
}

claim("a sampler that k-diffusion has under another name takes its step", async (check) => {
  const sde = veSde();
  const model = scoreModel(new Gaussian({ mean: [m0], variances: [s0Squared] }), sde);
  const points = Float32Array.of(-1.5, 0.2, 2.5);
  for (const { kDiffusion, sampler } of otherNames) {
    // The adaptive one has no single step.
    if (kDiffusion === undefined || sampler === null || kDiffusion === "sample_dpm_adaptive") continue;
    check.holds(
      `${kDiffusion} is written out`,
      Object.hasOwn(steps, kDiffusion),
      "every name with a counterpart",
    );
    for (const [t, s] of [[0.6, 0.5], [0.4, 0.3]]) {
      const x = tf.tensor2d(points, [3, 1]);
      const rng = createRng(6);
      const noise = [rng.normal([3, 1]), rng.normal([3, 1])];
      const next = await samplerByName(sampler).start(model, createRng(6)).step(x, t, s);
      const z = await Promise.all(noise.map((draw) => draw.data()));
      const seen = await next.data();
      tf.dispose([x, ...noise, next]);
      const worst = Math.max(
        ...[...points].map((x, i) =>
          Math.abs(
            seen[i] - steps[kDiffusion](x, sde.sigma(t), sde.sigma(s), z.map((draw) => draw[i])),
          )
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

/** The score of N(m0, s0²) at a time. */
const score = ({ alpha, sigma }: Sde, x: number, t: number) =>
  (alpha(t) * m0 - x) / (alpha(t) ** 2 * s0Squared + sigma(t) ** 2);

/** azula's q_t.mean and z_t of the exact denoiser. */
const azula = (sde: Sde, x: number, t: number) => {
  const z = -sde.sigma(t) * score(sde, x, t);
  return { mean: (x - sde.sigma(t) * z) / sde.alpha(t), z };
};

/** A step of azula's DDIMSampler. */
function azulaDdim(sde: Sde, x: number, t: number, s: number, noise: number, eta: number): number {
  const tau = eta * (1 - (sde.alpha(t) / sde.alpha(s) * sde.sigma(s) / sde.sigma(t)) ** 2);
  const { mean, z } = azula(sde, x, t);
  return sde.alpha(s) * mean + sde.sigma(s) * Math.sqrt(1 - tau) * z + sde.sigma(s) * Math.sqrt(tau) * noise;
}

/** The line of azula's EulerSampler with the slope z. */
const azulaLine = ({ alpha, sigma }: Sde, x: number, t: number, s: number, z: number) =>
  alpha(s) / alpha(t) * x + alpha(s) * (sigma(s) / alpha(s) - sigma(t) / alpha(t)) * z;

/** A step of a library's from t to s, with the noise z. */
const librarySteps: Readonly<
  Record<string, (sde: Sde, x: number, t: number, s: number, z: number) => number>
> = {
  DDPMSampler: (sde, x, t, s, z) => azulaDdim(sde, x, t, s, z, 1),
  DDIMSampler: (sde, x, t, s, z) => azulaDdim(sde, x, t, s, z, 0),
  EulerSampler: (sde, x, t, s) => azulaLine(sde, x, t, s, azula(sde, x, t).z),
  HeunSampler: (sde, x, t, s) => {
    const { z } = azula(sde, x, t);
    return azulaLine(sde, x, t, s, (z + azula(sde, azulaLine(sde, x, t, s, z), s).z) / 2);
  },
  // In σ where α = 1, as the code is; along VP of the state over α.
  edm_sampler: (sde, x, t, s) => {
    const [from, to] = [t, s].map((time) => sde.sigma(time) / sde.alpha(time));
    const first = slope(x / sde.alpha(t), from);
    const second = slope(x / sde.alpha(t) + (to - from) * first, to);
    return sde.alpha(s) * (x / sde.alpha(t) + (to - from) * (0.5 * first + 0.5 * second));
  },
  euler_maruyama: (sde, x, t, s, z) => {
    const [f, g] = [sde.driftCoefficient(t), sde.diffusionCoefficient(t)];
    return x + (f * x - g ** 2 * score(sde, x, t)) * (s - t) + g * Math.sqrt(t - s) * z;
  },
  reverse_diffusion: (sde, x, t, s, z) => {
    // SMLD's and DDPM's discretizations: α = 1 and G² = σ_t² − σ_s²; β = β(t) h.
    const beta = (0.1 + 19.9 * t) * (t - s);
    const [f, squared] = sde.config.kind === "ve"
      ? [0, sde.sigma(t) ** 2 - sde.sigma(s) ** 2]
      : [Math.sqrt(1 - beta) * x - x, beta];
    return x - (f - squared * score(sde, x, t)) + Math.sqrt(squared) * z;
  },
};

/** Names of what is put together of several, or adapts its steps; other claims hold what they name to their papers. */
const composed = ["langevin", "ald", "get_pc_sampler", "get_ode_sampler"];

/** The rules of azula's multistep samplers of order 2: the variable, the integral's weight, and what is predicted. */
const multisteps: Readonly<Record<string, (sde: Sde, times: readonly number[], x: number) => number>> = {
  zABSampler: (sde, times, x) => azulaMultistep(sde, times, x, noiseRatio, () => 1, "noise"),
  zEABSampler: (sde, times, x) =>
    azulaMultistep(sde, times, x, (sde, t) => Math.log(noiseRatio(sde, t)), Math.exp, "noise"),
  xEABSampler: (sde, times, x) =>
    azulaMultistep(sde, times, x, (sde, t) => Math.log(noiseRatio(sde, t)), (u) => Math.exp(-u), "data"),
};

/** The state after steps by the line through two predictions, whose integral is taken by Simpson's rule. */
function azulaMultistep(
  sde: Sde,
  times: readonly number[],
  start: number,
  variable: (sde: Sde, t: number) => number,
  weight: (u: number) => number,
  kind: "noise" | "data",
): number {
  const { alpha, sigma } = sde;
  let x = start;
  let before: { readonly u: number; readonly value: number } | null = null;
  for (let i = 0; i + 1 < times.length; i++) {
    const [t, s] = [times[i], times[i + 1]];
    const [u, end] = [variable(sde, t), variable(sde, s)];
    const { mean, z } = azula(sde, x, t);
    const value = kind === "noise" ? z : mean;
    const slope: number = before === null ? 0 : (value - before.value) / (u - before.u);
    let integral = 0;
    for (let k = 0; k <= 200; k++) {
      const at = u + k / 200 * (end - u);
      integral += (k % 200 === 0 ? 1 : k % 2 === 1 ? 4 : 2) * weight(at) * (value + slope * (at - u));
    }
    integral *= (end - u) / 600;
    x = kind === "noise"
      ? alpha(s) / alpha(t) * x + alpha(s) * integral
      : sigma(s) / sigma(t) * x - sigma(s) * integral;
    before = { u, value };
  }
  return x;
}

claim("azula's multistep samplers take the steps of those that their names stand for", async (check) => {
  const times = [0.5, 0.42, 0.36, 0.28, 0.2];
  const points = [-1.5, 0.2, 2.5];
  for (const sde of [veSde(), vpSde()]) {
    const model = scoreModel(new Gaussian({ mean: [m0], variances: [s0Squared] }), sde);
    for (const [name, rule] of Object.entries(multisteps)) {
      const { sampler, options } = libraryNames.find((row) => row.name === name)!;
      const initial = tf.tensor2d(points, [3, 1]);
      const x = await drawSamples(model, samplerByName(sampler!, options), {
        ...{ shape: [3, 1], grid: Float64Array.from(times), rng: createRng(1), denoise: false, initial },
      });
      const seen = await x.data();
      tf.dispose([x, initial]);
      const worst = Math.max(...points.map((point, i) => Math.abs(seen[i] - rule(sde, times, point))));
      const source = "azula's rule in float64, its integral by Simpson's rule; float32";
      check.atMost(`${name} is ${sampler} along ${sde.config.kind}`, worst, 1e-5, source);
    }
  }
});

claim(
  "a sampler that azula, EDM's code or score_sde has under another name takes its step",
  async (check) => {
    const points = Float32Array.of(-1.5, 0.2, 2.5);
    const stepped = async (name: string, sde: Sde, t: number, s: number, options: SamplerOptions = {}) => {
      const x = tf.tensor2d(points, [3, 1]);
      const noise = createRng(6).normal([3, 1]);
      const model = scoreModel(new Gaussian({ mean: [m0], variances: [s0Squared] }), sde);
      const next = await samplerByName(name, options).start(model, createRng(6)).step(x, t, s);
      const values = [await noise.data(), await next.data()];
      tf.dispose([x, noise, next]);
      return values;
    };
    const [t, s] = [0.4, 0.35];
    for (const sde of [veSde(), vpSde()]) {
      const largest = async (
        sampler: string,
        rule: (x: number, z: number) => number,
        options?: SamplerOptions,
      ) => {
        const [z, seen] = await stepped(sampler, sde, t, s, options);
        return Math.max(...[...points].map((x, i) => Math.abs(seen[i] - rule(x, z[i]))));
      };
      for (const { name, sampler } of libraryNames) {
        if (sampler === null || composed.includes(name) || Object.hasOwn(multisteps, name)) continue;
        check.holds(
          `${name} is written out`,
          Object.hasOwn(librarySteps, name),
          "every name with a counterpart",
        );
        check.atMost(
          `${name} is ${sampler} along ${sde.config.kind}`,
          await largest(sampler, (x, z) => librarySteps[name](sde, x, t, s, z)),
          5e-6,
          "the library's rule in float64; float32",
        );
      }
      check.atMost(
        `azula's eta 0.25 is --eta 0.5 along ${sde.config.kind}`,
        await largest("ddim", (x, z) => azulaDdim(sde, x, t, s, z, 0.25), { eta: 0.5 }),
        5e-6,
        "azula's rule in float64; float32",
      );
    }
    // score_sde's ancestral_sampling is one sampler under VP and another under VE.
    const [vp, ve] = [vpSde(), veSde()];
    const beta = (0.1 + 19.9 * t) * (t - s);
    const [zVp, seenVp] = await stepped("ddpm", vp, t, s);
    const worstVp = Math.max(...[...points].map((x, i) => {
      const mean = (x + beta * score(vp, x, t)) / Math.sqrt(1 - beta);
      return Math.abs(seenVp[i] - (mean + Math.sqrt(beta) * zVp[i]));
    }));
    check.atMost("ancestral_sampling under VP is ddpm", worstVp, 5e-6, "vpsde_update_fn in float64; float32");
    const [zVe, seenVe] = await stepped("ancestral", ve, t, s);
    const [sigma, adjacent] = [ve.sigma(t), ve.sigma(s)];
    const worstVe = Math.max(...[...points].map((x, i) => {
      const mean = x + score(ve, x, t) * (sigma ** 2 - adjacent ** 2);
      const std = Math.sqrt(adjacent ** 2 * (sigma ** 2 - adjacent ** 2) / sigma ** 2);
      return Math.abs(seenVe[i] - (mean + std * zVe[i]));
    }));
    check.atMost(
      "ancestral_sampling under VE is ancestral",
      worstVe,
      5e-6,
      "vesde_update_fn in float64; float32",
    );
  },
);

claim("names of the web interfaces, of k-diffusion and of diffusers are found, with their grids", (check) => {
  const found = (text: string) => {
    const name = otherNameOf(text);
    return name === undefined ? null : [name.row.sampler, name.grid];
  };
  const cases: readonly (readonly [string, readonly (string | null)[] | null])[] = [
    ["DPM++ 2M Karras", ["dpm++2m", "karras"]],
    ["dpm++ 2m sde  exponential", ["sde-dpm++2m", "log-snr"]],
    ["Euler a", ["ancestral", null]],
    ["Euler a SGM  Uniform", ["ancestral", "sgm-uniform"]],
    ["DPM++ 2M simple", ["dpm++2m", "simple"]],
    ["Heun Align Your Steps", ["edm-heun", "align-your-steps"]],
    ["Euler Normal", ["ddim", "uniform"]],
    ["Euler uniform", null],
    ["sample_heun", ["edm-heun", null]],
    ["dpmpp_2m_sde sgm_uniform", ["sde-dpm++2m", "sgm-uniform"]],
    ["DDIMSampler", ["ddim", null]],
    ["ancestral_sampling", [null, null]],
    ["ald simple", ["predictor-corrector", "simple"]],
    ["UniPCMultistepScheduler", ["unipc", null]],
    ["UniPC bh1", ["unipc", null]],
    ["LMS Karras", ["lms", "karras"]],
    ["DEIS", ["deis", null]],
    ["PLMS", ["plms", null]],
    ["PNDMScheduler", ["pndm", null]],
    ["Flow Euler", ["ode-euler", "shifted"]],
    ["FlowMatchHeunDiscreteScheduler", ["ode-heun", "shifted"]],
    ["DPM++ SDE Karras", ["sde-dpm++2s", "karras"]],
    ["DPM++ 3M SDE Exponential", ["sde-dpm++3m", "log-snr"]],
    ["DPM++ 2S a", ["dpm++2s-ancestral", null]],
    ["DPM2 a Karras", ["dpm-solver-2-ancestral", "karras"]],
    ["SASolverScheduler", ["sa-solver", null]],
    ["DPM fast", ["dpm-solver-fast", null]],
    ["Karras", null],
    ["", null],
    ["Euler b", null],
  ];
  for (const [text, expected] of cases) check.equal(`"${text}"`, found(text), expected, "docs/names.md");
  const all = otherNames.flatMap(({ name, kDiffusion, diffusers }) => [name, kDiffusion, diffusers])
    .concat(libraryNames.map(({ name }) => name))
    .filter((name) => name !== undefined).map((name) => name.toLowerCase());
  check.equal("each name once", new Set(all).size, all.length, "a name stands for one sampler");
  const unknown = [...otherNames, ...libraryNames].filter(({ sampler }) =>
    sampler !== null && !samplerNames.includes(sampler)
  );
  check.equal("samplers that are not in the registry", unknown, [], "the registry");
});
