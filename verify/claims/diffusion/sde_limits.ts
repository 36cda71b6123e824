/**
 * What holds at the borders: times that are not the usual ones, numbers that are just not allowed, configs that lack one.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import { forwardStep } from "../../../src/diffusion/forward_step.ts";
import { drawNoiseLevels, type ObjectiveConfig } from "../../../src/objectives/denoising.ts";
import { flowSde } from "../../../src/diffusion/flow_sde.ts";
import { checkPreconditioning, edmCoefficients } from "../../../src/diffusion/preconditioning.ts";
import {
  discreteDdpm,
  noiseRatio,
  priorLogDensity,
  type Sde,
  type SdeConfig,
  sigmaPowerSde,
  subVpSde,
  transition,
  veSde,
  vpSde,
} from "../../../src/diffusion/sde.ts";
import {
  sdeByName,
  sdeFromConfig,
  sdeInfo,
  sdeKinds,
  withMinimumNoise,
} from "../../../src/diffusion/sde_registry.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { allSdes } from "../../problems/sdes.ts";
import { claim } from "../../suite/claim.ts";

/** SDEs between times far from 0 and 1, where no end is mistaken for another. */
const narrow: readonly Sde[] = [veSde, vpSde, subVpSde, sigmaPowerSde, flowSde].map((make) =>
  make({ tMin: 0.3, tMax: 0.7 })
);

claim("an SDE with other tMin and tMax takes its prior, grid and training levels from them", (check) => {
  for (const sde of narrow) {
    const { kind } = sde.config;
    const prior = kind === "vp" || kind === "subvp" ? 1 : sde.sigma(0.7);
    check.within(
      `${kind}: priorStd`,
      sde.priorStd,
      prior,
      1e-14,
      "σ(tMax), or the unit prior of VP and sub-VP",
    );
    const dimension = 3;
    const density = -dimension / 2 * Math.log(2 * Math.PI) - dimension * Math.log(prior) -
      2 / (2 * prior ** 2);
    check.within(
      `${kind}: log density of the prior`,
      priorLogDensity(sde, 2, dimension),
      density,
      1e-12,
      "N(0, priorStd²)",
    );
    for (const kindOfGrid of ["uniform", "quadratic", "log-snr", "karras", "shifted"] as const) {
      const times = timeGrid(sde, { kind: kindOfGrid, steps: 4 });
      check.equal(`${kind}, ${kindOfGrid}: ends`, [times[0], times[4]], [0.7, 0.3], "exactly tMax and tMin");
    }
    const objective: ObjectiveConfig = { kind: "sde", sde: sde.config, weighting: "variance" };
    const levels = drawNoiseLevels(objective, createRng(check.seed), 2000).noiseRatio;
    const [low, high] = [Math.min(...levels), Math.max(...levels)];
    // All of 2,000 uniform times miss a tenth of the interval with probability 0.9^2000 < 1e-91.
    const [nearLow, nearHigh] = [noiseRatio(sde, 0.34), noiseRatio(sde, 0.66)];
    check.within(
      `${kind}: least level drawn`,
      low,
      (noiseRatio(sde, 0.3) + nearLow) / 2,
      (nearLow - noiseRatio(sde, 0.3)) / 2,
      "ν over [tMin, tMax]",
      { alarmRate: 1e-91 },
    );
    check.within(
      `${kind}: largest level drawn`,
      high,
      (noiseRatio(sde, 0.7) + nearHigh) / 2,
      (noiseRatio(sde, 0.7) - nearHigh) / 2,
      "ν over [tMin, tMax]",
      { alarmRate: 1e-91 },
    );
  }
});

claim("a transition from s to s is the identity, and two in a row compose to one", (check) => {
  for (const sde of allSdes) {
    const { kind } = sde.config;
    check.equal(
      `${kind}: from 0.4 to 0.4`,
      transition(sde, 0.4, 0.4),
      { scale: 1, std: 0 },
      "no time, no noise",
    );
    const [first, second, both] = [
      transition(sde, 0.2, 0.5),
      transition(sde, 0.5, 0.9),
      transition(sde, 0.2, 0.9),
    ];
    check.within(`${kind}: scale`, first.scale * second.scale / both.scale, 1, 1e-12, "Chapman–Kolmogorov");
    const variance = (second.scale * first.std) ** 2 + second.std ** 2;
    check.within(`${kind}: variance`, variance / both.std ** 2, 1, 1e-12, "Chapman–Kolmogorov");
  }
});

claim("numbers just beyond what an SDE, a grid or an objective allows are refused", async (check) => {
  for (const value of [0, -1, NaN, Infinity]) {
    await check.throws(
      `σmin of ${value}`,
      () => veSde({ sigmaMin: value }),
      /^sigmaMin must be (a positive number|a finite number), got/,
    );
    await check.throws(
      `βmin of ${value}`,
      () => vpSde({ betaMin: value }),
      /^betaMin must be (a positive number|a finite number), got/,
    );
    for (const make of [vpSde, subVpSde, sigmaPowerSde, flowSde]) {
      await check.throws(`${make.name}: tMin of ${value}`, () => make({ tMin: value }), /^tMin must be/);
    }
  }
  await check.throws(
    "σmax at σmin",
    () => veSde({ sigmaMin: 2, sigmaMax: 2 }),
    /sigmaMax must exceed sigmaMin, got 2 ≤ 2/,
  );
  for (const make of [veSde, vpSde, subVpSde, sigmaPowerSde, flowSde]) {
    await check.throws(
      `${make.name}: no time`,
      () => make({ tMin: 0.5, tMax: 0.5 }),
      /tMax must exceed tMin, got 0.5 ≤ 0.5/,
    );
    await check.throws(
      `${make.name}: endless time`,
      () => make({ tMax: Infinity }),
      /tMax must be a finite number/,
    );
  }
  const complete: readonly SdeConfig[] = allSdes.map(({ config }) => config);
  for (const config of complete) {
    for (const name of Object.keys(config).filter((key) => !["kind", "tMin", "tMax"].includes(key))) {
      const lacking = { ...config, [name]: undefined } as unknown as SdeConfig;
      const message = new RegExp(`^${name} must be a finite number, got undefined$`);
      await check.throws(`a ${config.kind} config without ${name}`, () => sdeFromConfig(lacking), message);
    }
  }
  const fine = veSde({ tMin: 0.5, tMax: 0.5 + 1e-15 });
  await check.throws(
    "steps too fine for float64",
    () => timeGrid(fine, { kind: "uniform", steps: 100 }),
    /too fine/,
  );
  for (const shift of [0, -1, Infinity, NaN]) {
    await check.throws(
      `shift of ${shift}`,
      () => timeGrid(vpSde(), { kind: "shifted", steps: 3, shift }),
      /^shift must be a positive/,
    );
  }
  for (const tMax of [0.9991, 1]) {
    await check.throws(
      `a flow to ${tMax}`,
      () => flowSde({ tMax }),
      /^tMax must be at most 0.999, as no signal is left at t = 1, got /,
    );
  }
  for (const rho of [0, -1, Infinity, NaN]) {
    await check.throws(
      `ρ of ${rho}`,
      () => timeGrid(vpSde(), { kind: "karras", steps: 3, rho }),
      /rho must be a positive/,
    );
  }
  for (const name of ["std", "sigmaData"]) {
    for (const value of [0, Infinity]) {
      const objective = { kind: "edm", mean: 0, std: 1, sigmaData: 1, [name]: value } as ObjectiveConfig;
      const message = new RegExp(`^${name} must be a positive number, got ${value}$`);
      await check.throws(
        `an objective's ${name} of ${value}`,
        () => drawNoiseLevels(objective, createRng(1), 2),
        message,
      );
    }
  }
});

claim("each SDE is discretized by its own paper's rule, number by number", async (check) => {
  for (const [s, t] of [[0.5, 0.52], [0.9, 0.9], [0.1, 0.14]]) {
    const h = t - s;
    const vp = vpSde();
    const beta = (0.1 + 19.9 * t) * h;
    const own = forwardStep(vp, s, t);
    check.within(
      `VP to ${t}: scale`,
      own.scale,
      Math.sqrt(1 - beta),
      1e-14,
      "Song et al. 2021, eq. 32, in discrete time: √(1 − β)",
    );
    check.within(`VP to ${t}: std`, own.std, Math.sqrt(beta), 1e-14, "√β");
    const sub = subVpSde();
    const euler = forwardStep(sub, s, t);
    check.within(
      `sub-VP to ${t}: scale`,
      euler.scale,
      1 + sub.driftCoefficient(t) * h,
      1e-14,
      "Euler's step, 1 + f(t) h",
    );
    check.within(
      `sub-VP to ${t}: std`,
      euler.std,
      sub.diffusionCoefficient(t) * Math.sqrt(h),
      1e-14,
      "Euler's step, g(t) √h",
    );
    for (const sde of [veSde(), sigmaPowerSde()]) {
      const { scale, std } = forwardStep(sde, s, t);
      const variance = sde.sigma(t) ** 2 - sde.sigma(s) ** 2;
      check.equal(`${sde.config.kind} to ${t}: scale`, scale, 1, "nothing shrinks");
      check.within(
        `${sde.config.kind} to ${t}: std`,
        std,
        Math.sqrt(variance),
        1e-12 * (1 + std),
        "SMLD in discrete time: σ_t² − σ_s²",
      );
    }
  }
  const widest = forwardStep(vpSde({ betaMin: 1, betaMax: 1, tMax: 2 }), 0.5, 1.5);
  check.within("β h of 1: std", widest.std, 1, 1e-15, "the longest step allowed");
  const longer = () => forwardStep(vpSde({ betaMin: 1, betaMax: 1, tMax: 2 }), 0.5, 1.51);
  await check.throws("β h of 1.01", longer, /β\(t\)·h ≤ 1, got 1.01/);
  await check.throws("a step back", () => forwardStep(vpSde(), 0.5, 0.4), /s = 0.5, t = 0.4/);
});

claim("preconditioning refuses an invalid sigmaData and a noise ratio of 0", async (check) => {
  await check.throws(
    "no noise",
    () => edmCoefficients(0.5, 0),
    /^noiseRatio must be a positive number, got 0$/,
  );
  for (const sigmaData of [0, -1, Infinity, NaN]) {
    await check.throws(
      `${sigmaData}`,
      () => edmCoefficients(sigmaData, 1),
      /^sigmaData must be a positive number/,
    );
  }
});

claim("preconditioning takes its numbers at the ends of their ranges, and none beyond", async (check) => {
  const whole = { sigmaData: 0.5, centre: 0 };
  for (const fields of [{ sigmaData: 1e6 }, { sigmaData: 1e-9 }, { centre: -1e6 }, { centre: 1e6 }]) {
    const taken = () => checkPreconditioning({ ...whole, ...fields });
    await check.throws(JSON.stringify(fields), taken, /^no error$/);
  }
  for (const fields of [{ sigmaData: 0 }, { sigmaData: 1.1e6 }, { centre: -1.1e6 }, { centre: 1.1e6 }]) {
    const message = new RegExp(`^the preconditioning's ${Object.keys(fields)[0]} must be `);
    await check.throws(JSON.stringify(fields), () => checkPreconditioning({ ...whole, ...fields }), message);
  }
  await check.throws("nothing", () => checkPreconditioning(null), /^the preconditioning must be an object/);
  for (const field of ["sigmaData", "centre"]) {
    const lacking = { ...whole, [field]: undefined };
    await check.throws(
      `no ${field}`,
      () => checkPreconditioning(JSON.parse(JSON.stringify(lacking))),
      new RegExp(field),
    );
  }
});

claim("an SDE's functions are defined from 0 to tMax and a thousandth beyond", async (check) => {
  for (const sde of [...allSdes, discreteDdpm([0.1, 0.2, 0.3])]) {
    for (const name of ["alpha", "sigma", "driftCoefficient", "diffusionCoefficient"] as const) {
      const what = `${sde.config.kind}: ${name}`;
      for (const t of [0, sde.tMax, sde.tMax * 1.0009]) {
        check.holds(`${what} at ${t}`, Number.isFinite(sde[name](t)), "solvers round");
      }
      for (const t of [-1e-9, sde.tMax * 1.0011, NaN]) {
        await check.throws(
          `${what} at ${t}`,
          () => sde[name](t),
          new RegExp(`^times must be from 0 to ${sde.tMax}, got `),
        );
      }
    }
  }
});

claim("the registry of SDEs says of each which numbers make it, and whether it has times", async (check) => {
  const beta = { betaMin: "number", betaMax: "number" };
  const expected = {
    "ve": [{ sigmaMin: "number", sigmaMax: "number" }, true],
    "vp": [beta, true],
    "subvp": [beta, true],
    "sigma-power": [{ sigma: "number" }, true],
    "flow": [{}, true],
    "edm": [{}, true],
    "ddpm": [{ betas: "numbers" }, false],
  };
  const found = Object.fromEntries(sdeKinds.map((kind) => {
    const { fields, times } = sdeInfo(kind);
    return [kind, [fields, times]];
  }));
  check.equal("fields and times", found, expected, "SdeConfig");
  const own = "by its paper's numbers";
  check.equal(
    "by name",
    [...sdeKinds].filter((kind) => kind !== "ddpm").map((kind) => sdeByName(kind).config),
    [
      { kind: "ve", sigmaMin: 0.01, sigmaMax: 50, tMin: 1e-5, tMax: 1 },
      { kind: "vp", betaMin: 0.1, betaMax: 20, tMin: 1e-3, tMax: 1 },
      { kind: "subvp", betaMin: 0.1, betaMax: 20, tMin: 1e-3, tMax: 1 },
      { kind: "sigma-power", sigma: 25, tMin: 1e-3, tMax: 1 },
      { kind: "flow", tMin: 1e-3, tMax: 0.999 },
      { kind: "edm", tMin: 0.002, tMax: 80 },
    ],
    own,
  );
  await check.throws(
    "no default",
    () => sdeByName("ddpm" as "vp"),
    /^ddpm has no default: use ve, vp, subvp, sigma-power, flow, edm$/,
  );
});

claim("an SDE is not started from more noise than it has, nor from none", async (check) => {
  const least = (sde: Sde, ratio: number) => () => withMinimumNoise(sde, ratio);
  const ve = veSde({ sigmaMin: 0.01, sigmaMax: 5 });
  for (const ratio of [0, -1, 5, 6, NaN, Infinity]) {
    await check.throws(
      `${ratio}`,
      least(ve, ratio),
      /^the minimum noise ratio must be positive and below 5\.00, got /,
    );
  }
  for (const sde of [ve, vpSde(), subVpSde({ tMin: 0.2 }), sigmaPowerSde(), flowSde()]) {
    const moved = withMinimumNoise(sde, 0.3);
    const { kind } = sde.config;
    check.within(`${kind}: ν at tMin`, noiseRatio(moved, moved.tMin), 0.3, 1e-12, "what was asked for");
    check.within(
      `${kind}: ν at tMax`,
      noiseRatio(moved, moved.tMax) / noiseRatio(sde, sde.tMax),
      1,
      1e-12,
      "kept",
    );
  }
  await check.throws(
    "DDPM",
    least(discreteDdpm([0.1, 0.2]), 0.3),
    /^a discrete-time DDPM starts at its first β/,
  );
});
