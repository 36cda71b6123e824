/**
 * SDEs of one's own by α and σ, or by drift and diffusion: those of the papers, written out again, are the built-in ones.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { customSde, type CustomSdeOptions } from "../../../src/diffusion/custom_sde.ts";
import { forwardStep } from "../../../src/diffusion/forward_step.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { type Sde, type SdeConfig, subVpSde, transition, veSde, vpSde } from "../../../src/diffusion/sde.ts";
import { sdeFromConfig, withMinimumNoise } from "../../../src/diffusion/sde_registry.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { continuousElbo } from "../../../src/likelihood/continuous_bound.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import { odeEuler } from "../../../src/samplers/ode_euler.ts";
import { samplerByName, scoreSamplerNames } from "../../../src/samplers/registry.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { readCheckpoint, writeCheckpoint } from "../../../src/training/checkpoint.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { train, type TrainingConfig } from "../../../src/training/train.ts";
import { mixture, settings, shape } from "../../problems/short_runs.ts";
import { claim } from "../../suite/claim.ts";

/** ∫β of Song et al. 2021 with β from 0.1 to 4, in which DDPM's rule is defined in six steps. */
const integral = (t: number) => 0.1 * t + (4 - 0.1) * t ** 2 / 2;
const beta = (t: number) => 0.1 + (4 - 0.1) * t;
const gentle = { betaMax: 4 };

/** The built-in SDEs, and their formulas written out. */
const pairs: Readonly<
  Record<string, { readonly own: Sde; readonly kernel: CustomSdeOptions; readonly flow: CustomSdeOptions }>
> = {
  VP: {
    own: vpSde(gentle),
    kernel: {
      alpha: (t) => Math.exp(-integral(t) / 2),
      sigma: (t) => Math.sqrt(-Math.expm1(-integral(t))),
      priorStd: 1,
    },
    flow: { drift: (t) => -beta(t) / 2, diffusion: (t) => Math.sqrt(beta(t)), priorStd: 1 },
  },
  "sub-VP": {
    own: subVpSde(gentle),
    kernel: {
      alpha: (t) => Math.exp(-integral(t) / 2),
      sigma: (t) => -Math.expm1(-integral(t)),
      priorStd: 1,
    },
    flow: {
      drift: (t) => -beta(t) / 2,
      diffusion: (t) => Math.sqrt(beta(t) * -Math.expm1(-2 * integral(t))),
      priorStd: 1,
    },
  },
  VE: {
    own: veSde({ sigmaMin: 0.01, sigmaMax: 10, tMin: 1e-3 }),
    kernel: { alpha: () => 1, sigma: (t) => 0.01 * 1000 ** t },
    flow: {
      drift: () => 0,
      diffusion: (t) => 0.01 * 1000 ** t * Math.sqrt(2 * Math.log(1000)),
      initialStd: 0.01,
    },
  },
};

/** Of likelihoods, the same number of steps whatever rounds. */
const method = { kind: "rk4", grid: { kind: "log-snr", steps: 8 } } as const;

/** Times of the SDEs, closer together where there is little noise. */
const times = Array.from({ length: 200 }, (_, i) => 10 ** (-3 + 3 * i / 199));

claim(
  "drift, diffusion and times by α and σ are those of the built-in SDEs to the error that is stated",
  (check) => {
    for (const [name, { own, kernel }] of Object.entries(pairs)) {
      const sde = customSde(kernel);
      check.atMost(
        `${name}: the error that is stated`,
        sde.derivativeError,
        1e-9,
        "differences of order 15 in float64",
      );
      let [drift, growth, time, limit] = [0, 0, 0, 0];
      for (const t of times) {
        // Errors are stated relative to (ln ν)' = g²/(2σ²).
        const slope = (own.diffusionCoefficient(t) / own.sigma(t)) ** 2 / 2;
        drift = Math.max(drift, Math.abs(sde.driftCoefficient(t) - own.driftCoefficient(t)) / slope);
        growth = Math.max(
          growth,
          Math.abs(sde.diffusionCoefficient(t) / own.diffusionCoefficient(t) - 1) * 2,
        );
        const lambda = Math.log(own.alpha(t)) - Math.log(own.sigma(t));
        const found = sde.timeAtHalfLogSnr(lambda);
        time = Math.max(time, Math.abs(Math.log(own.alpha(found)) - Math.log(own.sigma(found)) - lambda));
        limit = Math.max(limit, Math.abs(lambda));
      }
      check.atMost(
        `${name}: error of the drift`,
        drift,
        2 * sde.derivativeError,
        "as stated; twice between times checked",
      );
      check.atMost(
        `${name}: error of g²`,
        growth,
        2 * sde.derivativeError,
        "as stated; twice between times checked",
      );
      check.atMost(`${name}: error of λ at its time`, time, 1e-14 * limit, "a bracket of one rounding");
      for (const t of [0, 1e-4]) {
        check.within(
          `${name}: drift at ${t}`,
          sde.driftCoefficient(t),
          own.driftCoefficient(t),
          1e-9,
          "below tMin, too",
        );
        const [found, expected] = [sde, own].map((sde) => sde.diffusionCoefficient(t) ** 2);
        check.within(`${name}: g² at ${t}`, found, expected, 1e-9, "below tMin, too");
      }
    }
  },
);

claim("α and σ by drift and diffusion are those of the built-in SDEs", (check) => {
  for (const [name, { own, flow }] of Object.entries(pairs)) {
    const sde = customSde(flow);
    let worst = 0;
    for (const t of times) {
      worst = Math.max(
        worst,
        Math.abs(sde.alpha(t) / own.alpha(t) - 1),
        Math.abs(sde.sigma(t) / own.sigma(t) - 1),
      );
    }
    check.atMost(`${name}: relative error`, worst, 1e-13, "quadrature to 1e-14");
    check.equal(`${name}: g`, sde.diffusionCoefficient(0.3), own.diffusionCoefficient(0.3), "as given");
  }
});

claim(
  "transitions, samples, likelihoods and bounds under a custom SDE are those of the built-in one",
  async (check) => {
    const x0 = tf.tensor2d([[-1, 0.5, 0], [0.9, 0.2, 0.4]]);
    for (const [label, { own, kernel }] of Object.entries(pairs)) {
      const sde = customSde(kernel);
      const [found, expected] = [sde, own].map((sde) => transition(sde, 0.2, 0.7));
      check.within(`${label}: transition's scale`, found.scale, expected.scale, 1e-14, "α(t)/α(s)");
      check.within(`${label}: transition's noise`, found.std, expected.std, 1e-13, "√(σ² − scale² σ²)");
      check.equal(`${label}: forward step`, forwardStep(sde, 0.2, 0.7), found, "the exact transition");
      for (const name of label === "sub-VP" ? [] : scoreSamplerNames) {
        // Their forward step under VP and sub-VP is that of a paper's discretization.
        if (label !== "VE" && /^(reverse-diffusion|predictor-corrector|ddpm)$/.test(name)) continue;
        const { grid, options } = settings(name);
        const draws = await Promise.all(
          [sde, own].map((sde) =>
            drawSamples(scoreModel(mixture, sde), samplerByName(name, options), {
              shape,
              grid,
              rng: createRng(5),
            })
          ),
        );
        const difference = tf.tidy(() => draws[0].sub(draws[1]).abs().max().div(draws[1].abs().max()));
        check.atMost(
          `${label}: ${name}`,
          (await difference.data())[0],
          1e-5,
          "float32; coefficients differ by 1e-10",
        );
        tf.dispose([...draws, difference]);
      }
      const [own_, its] = await Promise.all(
        [own, sde].map((sde) => logLikelihood(scoreModel(mixture, sde), x0, { method })),
      );
      const bounds = await Promise.all(
        [own, sde].map((sde) =>
          continuousElbo(scoreModel(mixture, sde), x0, { rng: createRng(2), draws: 4 })
        ),
      );
      for (const row of [0, 1]) {
        check.within(
          `${label}: log density ${row}`,
          its.logDensity[row],
          own_.logDensity[row],
          1e-4,
          "float32",
        );
        const [first, second] = bounds.map(({ bound }) => bound[row]);
        check.within(`${label}: bound ${row}`, second, first, 1e-4 * Math.abs(first), "float32");
      }
      const cut = withMinimumNoise(sde, 0.5);
      check.within(
        `${label}: minimum noise`,
        cut.sigma(cut.tMin) / cut.alpha(cut.tMin),
        0.5,
        1e-12,
        "as asked",
      );
    }
    x0.dispose();
  },
);

claim(
  "training under a custom SDE is that of the built-in one; its checkpoint says why it cannot go on",
  async (check) => {
    const { own, kernel } = pairs.VP;
    const trained = async (sde: SdeConfig) => {
      const config: TrainingConfig = {
        model: {
          network: { kind: "mlp", dimensions: 2, hidden: 16, layers: 1, noiseFeatures: 8, classes: 0 },
          preconditioning: null,
        },
        objective: { kind: "sde", sde, weighting: "likelihood", times: "importance" },
        optimizer: { ...OPTIMIZER_DEFAULTS, warmup: 0 },
        steps: 3,
        batch: 8,
        labelDropout: 0,
        seed: 3,
      };
      const batch = (step: number) => ({ images: createRng(1).fork(`${step}`).normalValues([8, 2]) });
      for await (const { step, snapshot } of train(config, batch)) {
        if (step === 3) return { config, state: await snapshot() };
      }
      throw new Error("the run ended early");
    };
    const sde = customSde(kernel);
    const [first, second] = [await trained(own.config), await trained(sde.config)];
    const worst = Math.max(
      ...first.state.weights.map((weight, i) => Math.abs(weight - second.state.weights[i])),
    );
    check.atMost("largest difference of weights", worst, 1e-6, "float32; times and weights differ by 1e-10");
    check.equal("by its config", sdeFromConfig(sde.config), sde, "the same object");
    const refused = /a custom SDE's functions are in no file: make it by customSde and give its own config$/;
    await check.throws("a copy of the config", () => sdeFromConfig({ ...sde.config }), refused);
    const file = writeCheckpoint({ ...second, data: "points" });
    await check.throws("the checkpoint", () => readCheckpoint(file), refused);
  },
);

claim("flow matching's α = 1 − t and σ = t make straight paths", async (check) => {
  const sde = customSde({ alpha: (t) => 1 - t, sigma: (t) => t, tMax: 0.999 });
  for (const t of [1e-3, 0.1, 0.5, 0.9, 0.999]) {
    const source = "f = −1/(1 − t), g² = 2t/(1 − t), λ = ln((1 − t)/t)";
    check.within(`f at ${t}`, sde.driftCoefficient(t) * (1 - t), -1, 1e-9, source);
    check.within(`g² at ${t}`, sde.diffusionCoefficient(t) ** 2 * (1 - t) / (2 * t), 1, 1e-9, source);
    check.within(`time at its λ, ${t}`, sde.timeAtHalfLogSnr(Math.log((1 - t) / t)), t, 1e-12, source);
  }
  // Euler's step on the flow is x + (s − t)(ε̂ − x̂_0) (Lipman et al. 2023; Liu et al. 2023).
  const model = scoreModel(new Gaussian({ mean: [1, -2], variances: [0.25, 0.01] }), sde);
  const x = tf.tensor2d([[0.5, 1], [-1, 0.2]]);
  const run = {
    shape: [2, 2],
    grid: Float64Array.of(0.8, 0.55),
    rng: createRng(0),
    initial: x,
    denoise: false,
  };
  const stepped = await drawSamples(model, odeEuler(), run);
  // For data N(m, v) the mean of ε − x_0 given x is (t − (1 − t) v)(x − (1 − t) m)/((1 − t)² v + t²) − m.
  const velocity = [[0.5, 1], [-1, 0.2]].map((row) =>
    row.map((value, i) => {
      const [m, v, t] = [[1, -2][i], [0.25, 0.01][i], 0.8];
      return (t - (1 - t) * v) * (value - (1 - t) * m) / ((1 - t) ** 2 * v + t ** 2) - m;
    })
  );
  const expected = x.add(tf.tensor2d(velocity).mul(0.55 - 0.8));
  const error = stepped.sub(expected).abs().max();
  check.atMost("Euler's step", (await error.data())[0], 2e-6, "float32");
  tf.dispose([x, stepped, expected, error]);
});

claim("functions that are no SDE's are refused in one sentence with the time", async (check) => {
  const make = (options: object) => () => customSde(options as CustomSdeOptions);
  const refused: [string, () => unknown, RegExp][] = [
    ["nothing", make({}), /^options has no drift$/],
    ["α alone", make({ alpha: () => 1 }), /^options has no sigma$/],
    [
      "both forms",
      make({ alpha: () => 1, sigma: (t: number) => t, drift: () => 0 }),
      /^options has an unknown field "drift"; its fields are alpha, sigma, tMin, tMax, priorStd$/,
    ],
    ["a number for σ", make({ alpha: () => 1, sigma: 2 }), /^sigma must be a function, got 2$/],
    [
      "text of σ",
      make({ alpha: () => 1, sigma: () => "1" }),
      /^sigma must return a number, got "1" at time 0.001$/,
    ],
    [
      "no signal at tMax",
      make({ alpha: (t: number) => 1 - t, sigma: (t: number) => t }),
      /^alpha must be positive and finite from tMin to tMax, got 0 at time 1: take a smaller tMax$/,
    ],
    [
      "no noise at tMin",
      make({ alpha: () => 1, sigma: (t: number) => Math.max(0, t - 0.001) }),
      /^sigma must be positive and finite from tMin to tMax, got 0 at time 0.001: take a larger tMin$/,
    ],
    [
      "NaN",
      make({ alpha: () => NaN, sigma: (t: number) => t }),
      /^alpha must be positive and finite from tMin to tMax, got NaN at time 0.001: take a larger tMin$/,
    ],
    [
      "σ/α that falls",
      make({ alpha: () => 1, sigma: (t: number) => 0.1 + t * (1 - t) }),
      /^sigma\/alpha must increase from tMin to tMax, at 0\.5\d* (it is|its logarithm has the slope) /,
    ],
    [
      "σ/α that stays",
      make({ alpha: (t: number) => 2 + t, sigma: (t: number) => 2 + t }),
      /^sigma\/alpha must increase from tMin to tMax, at 0\.001\d* its logarithm has the slope /,
    ],
    [
      "steps of a thousandth",
      make({ alpha: () => 1, sigma: (t: number) => Math.ceil(1000 * t) / 1000 + 0.1 * t }),
      /^alpha and sigma must not jump between tMin and tMax: the logarithm of sigma\/alpha grows by 6\.908 and its slope by 0\.\d+$/,
    ],
    [
      "a jump",
      make({ alpha: () => 1, sigma: (t: number) => t < 0.3 ? t : 2 * t }),
      /^alpha and sigma must not jump between tMin and tMax: the logarithm of sigma\/alpha grows by 7\.601 and its slope by 6\.9\d\d$/,
    ],
    [
      "float32",
      make({ alpha: () => 1, sigma: (t: number) => Math.fround(0.01 * 1000 ** t) }),
      /^alpha and sigma must be smooth from tMin to tMax, at time .* their slope is known to .* of itself only$/,
    ],
    [
      "tMin of 0",
      make({ alpha: () => 1, sigma: (t: number) => t, tMin: 0 }),
      /^tMin must be a positive number, got 0$/,
    ],
    [
      "tMax below tMin",
      make({ alpha: () => 1, sigma: (t: number) => t, tMin: 2 }),
      /^tMax must exceed tMin, got 1 ≤ 2$/,
    ],
    [
      "a prior without spread",
      make({ alpha: () => 1, sigma: (t: number) => t, priorStd: 0 }),
      /^priorStd must be a positive number, got 0$/,
    ],
    [
      "an infinite drift",
      make({ drift: (t: number) => -1 / (1 - t), diffusion: () => 1 }),
      /^drift must be smooth and finite from 0 to tMax: the integral from .* is not (finite|smooth)|cannot be computed/,
    ],
    [
      "a diffusion that jumps",
      make({ drift: () => 0, diffusion: (t: number) => t < 0.3 ? NaN : 2 }),
      /^diffusion must be smooth and finite from 0 to tMax: the integral from .* is not finite$/,
    ],
    [
      "less noise than none",
      make({ drift: () => 0, diffusion: () => 1, initialStd: -1 }),
      /^initialStd must be a finite number from 0 to 1000000, got -1$/,
    ],
    [
      "a noise ratio beyond the last",
      () => customSde({ alpha: () => 1, sigma: (t) => t }).timeAtHalfLogSnr(-1),
      /^the custom SDE has noise ratios of at most 1\.00000, got 2\.71828$/,
    ],
    [
      "a noise ratio below the first",
      () => customSde({ alpha: () => 1, sigma: (t) => 0.1 + t }).timeAtHalfLogSnr(5),
      /^the custom SDE has noise ratios of at least 0\.100000, got 0\.00673795$/,
    ],
    [
      "a time after the last",
      () => customSde({ alpha: () => 1, sigma: (t) => t }).alpha(1.1),
      /^times must be from 0 to 1, got 1.1$/,
    ],
  ];
  for (const [label, action, message] of refused) await check.throws(label, action, message);
});
