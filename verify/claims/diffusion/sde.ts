/**
 * The SDEs' closed forms against their own moment equations and inverses.
 * @module
 */
import { forwardStep } from "../../../src/diffusion/forward_step.ts";
import {
  halfLogSnr,
  noiseRatio,
  type Sde,
  type SdeConfig,
  sigmaPowerSde,
  subVpSde,
  transition,
  veSde,
  vpSde,
} from "../../../src/diffusion/sde.ts";
import { sdeFromConfig } from "../../../src/diffusion/sde_registry.ts";
import { flowSde } from "../../../src/diffusion/flow_sde.ts";
import { claim } from "../../suite/claim.ts";
import { allSdes } from "../../problems/sdes.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";

/** Times from where `1 − exp` has lost its digits to the end. */
const times = [
  1e-8,
  1e-7,
  1e-6,
  1e-5,
  1e-4,
  1e-3,
  3e-3,
  0.01,
  0.03,
  ...Array.from({ length: 19 }, (_, i) => 0.05 * i + 0.1),
];

/** All SDEs with coefficients in and beyond what people use. */
const anySde: fc.Arbitrary<Sde> = fc.oneof(
  fc.record({ sigmaMin: number(1e-3, 0.5), sigmaMax: number(1, 400) }).map(veSde),
  fc.record({ betaMin: number(0.01, 2), betaMax: number(2, 30) }).map(vpSde),
  fc.record({ betaMin: number(0.01, 2), betaMax: number(2, 30) }).map(subVpSde),
  fc.record({ sigma: number(1.5, 100) }).map(sigmaPowerSde),
  fc.record({ tMax: number(0.3, 0.96) }).map(flowSde),
);

function number(min: number, max: number): fc.Arbitrary<number> {
  return fc.double({ min, max, noNaN: true });
}

/** The Gaussian moments of dx = f x dt + g dw from (m, C) at s to time t, by 4,000 classical Runge–Kutta steps. */
function integrateMoments(sde: Sde, m: number, C: number, s: number, t: number): { m: number; C: number } {
  const steps = 4000;
  const h = (t - s) / steps;
  const slope = (t: number, m: number, C: number): [number, number] => {
    const f = sde.driftCoefficient(t);
    return [f * m, 2 * f * C + sde.diffusionCoefficient(t) ** 2];
  };
  for (let i = 0; i < steps; i++) {
    const at = s + i * h;
    const [m1, C1] = slope(at, m, C);
    const [m2, C2] = slope(at + h / 2, m + h / 2 * m1, C + h / 2 * C1);
    const [m3, C3] = slope(at + h / 2, m + h / 2 * m2, C + h / 2 * C2);
    const [m4, C4] = slope(at + h, m + h * m3, C + h * C3);
    m += h / 6 * (m1 + 2 * m2 + 2 * m3 + m4);
    C += h / 6 * (C1 + 2 * C2 + 2 * C3 + C4);
  }
  return { m, C };
}

const relative = (observed: number, expected: number) => Math.abs(observed / expected - 1);

for (const sde of allSdes) {
  const { kind } = sde.config;
  claim(
    `the ${kind} kernel's mean and variance solve the moment equations m' = f m, C' = 2 f C + g²`,
    (check) => {
      // VE starts with the data's own noise σmin, the others with none.
      let [s, m, C] = [0, 1, sde.config.kind === "ve" ? sde.config.sigmaMin ** 2 : 0];
      let [worstScale, worstStd] = [0, 0];
      for (const t of times.filter((t) => t <= sde.tMax)) {
        ({ m, C } = integrateMoments(sde, m, C, s, t));
        worstScale = Math.max(worstScale, relative(sde.alpha(t), m));
        worstStd = Math.max(worstStd, relative(sde.sigma(t), Math.sqrt(C)));
        s = t;
      }
      const source =
        `Runge–Kutta from t = 0 to ${times.length} times from 1e-8 to 1, error (20 h)⁴/120 < 1e-14 a step`;
      check.atMost("relative error of α", worstScale, 1e-10, source, { detectable: "1e-10" });
      check.atMost("relative error of σ", worstStd, 1e-10, source, { detectable: "1e-10" });
    },
  );

  claim(`the ${kind} transition from s to t solves the moment equations from a point at s`, (check) => {
    for (const [s, t] of [[0, 0.01], [0.001, 0.3], [0.2, 0.21], [0.5, 0.9], [0.1, sde.tMax]]) {
      const { m, C } = integrateMoments(sde, 1, 0, s, t);
      const { scale, std } = transition(sde, s, t);
      const source = "Runge–Kutta; float64 rounding grows by at most ν/Δν < 1e4";
      check.within(`scale from ${s} to ${t}`, scale, m, 1e-11 * m, source, { detectable: "1e-11 relative" });
      check.within(`std from ${s} to ${t}`, std, Math.sqrt(C), 1e-10 * Math.sqrt(C), source, {
        detectable: "1e-10 relative",
      });
    }
  });
}

claim(
  "the kernels' slopes agree with drift and diffusion for any coefficients: C' = 2 f C + g², m' = f m",
  async (check) => {
    await checkProperty(
      check,
      "central differences of α and σ²",
      fc.tuple(anySde, number(0.002, 1)),
      ([sde, share]) => {
        const t = share * sde.tMax;
        const h = 2e-5 * t;
        const slope = (f: (t: number) => number) => (f(t + h) - f(t - h)) / (2 * h);
        const f = sde.driftCoefficient(t);
        const gained = 2 * f * sde.sigma(t) ** 2 + sde.diffusionCoefficient(t) ** 2;
        const scale = Math.abs(2 * f) * sde.sigma(t) ** 2 + sde.diffusionCoefficient(t) ** 2;
        return Math.abs(slope(sde.alpha) - f * sde.alpha(t)) <= 1e-6 * Math.max(1, Math.abs(f)) &&
          Math.abs(slope((t) => sde.sigma(t) ** 2) - gained) <= 1e-6 * scale;
      },
      "truncation (h c)²/6 with h = 2e-5 t and rates c ≤ 30; rounding 1e-16/(h c)",
    );
  },
);

claim("time is monotone in noise for any coefficients: α never grows, σ and ν grow", async (check) => {
  await checkProperty(
    check,
    "two times in order",
    fc.tuple(anySde, number(0.001, 0.5), number(1e-6, 0.5)),
    ([sde, share, gap]) => {
      const t = share * sde.tMax;
      const later = t + gap * sde.tMax;
      return sde.alpha(later) <= sde.alpha(t) && sde.sigma(later) >= sde.sigma(t) &&
        noiseRatio(sde, later) > noiseRatio(sde, t) && halfLogSnr(sde, later) < halfLogSnr(sde, t);
    },
    "all SDEs here add noise",
  );
});

claim("timeAtHalfLogSnr inverts the log-SNR", async (check) => {
  await checkProperty(
    check,
    "the time of the log-SNR of a time, any coefficients",
    fc.tuple(anySde, number(-9, 0).map((power) => 10 ** power)),
    ([sde, share]) => {
      const t = share * sde.tMax;
      return Math.abs(sde.timeAtHalfLogSnr(halfLogSnr(sde, t)) - t) <=
        1e-11 * t + 1e-13 / ratePerTime(sde, t);
    },
    "rounding of λ (|λ| < 30, 1e-15) divided by |λ'|",
  );
  for (const sde of allSdes) {
    const lambdas = [-900, 0, 20].filter((lambda) => sde.config.kind === "vp" || lambda >= -300);
    for (const lambda of lambdas) {
      check.holds(
        `${sde.config.kind}: finite time at λ = ${lambda}`,
        Number.isFinite(sde.timeAtHalfLogSnr(lambda)),
        "λ is finite",
      );
    }
  }
});

/** |λ'(t)| = g²/(2σ²), from C' = 2 f C + g². */
function ratePerTime(sde: Sde, t: number): number {
  return sde.diffusionCoefficient(t) ** 2 / (2 * sde.sigma(t) ** 2);
}

claim("each SDE's discretization agrees with its transition to second order in the step", (check) => {
  for (const sde of allSdes) {
    for (const t of [0.1, 0.5, sde.tMax]) {
      const error = (h: number) => {
        const [step, exact] = [forwardStep(sde, t - h, t), transition(sde, t - h, t)];
        return Math.abs(step.scale - exact.scale) + Math.abs(step.std ** 2 - exact.std ** 2);
      };
      const bound = 2 * (1 + sde.diffusionCoefficient(t) ** 2) * (1 + sde.driftCoefficient(t) ** 2) * 100;
      check.atMost(
        `${sde.config.kind} at ${t}: error/h²`,
        error(1e-3) / 1e-6,
        bound,
        "Taylor: rates up to 20, slopes up to 20",
        {
          detectable: "any error of first order: 1e3",
        },
      );
    }
  }
});

claim("the prior is the kernel at tMax except for the remaining data", (check) => {
  for (const sde of allSdes) {
    const left = sde.alpha(sde.tMax) === 1 ? 0 : 2 * sde.alpha(sde.tMax) ** 2;
    const variance = sde.sigma(sde.tMax) ** 2;
    check.within(
      `${sde.config.kind} priorStd²`,
      sde.priorStd ** 2,
      variance,
      left + 1e-12 * variance,
      "VP 1 − σ² = α², sub-VP 1 − σ² < 2α²",
      {
        detectable: `${left + 1e-12 * variance}`,
      },
    );
  }
});

claim("an SDE is rebuilt from its config, through JSON too", (check) => {
  for (
    const sde of [...allSdes, veSde({ tMin: 0, tMax: 0.8, sigmaMax: 3 }), vpSde({ betaMin: 5, betaMax: 5 })]
  ) {
    const again = sdeFromConfig(JSON.parse(JSON.stringify(sde.config)));
    const numbers = (
      { alpha, sigma, driftCoefficient: drift, diffusionCoefficient: diffusion, tMin, tMax, priorStd }: Sde,
    ) => [tMin, tMax, priorStd, ...[0.1, 0.7].flatMap((t) => [alpha(t), sigma(t), drift(t), diffusion(t)])];
    check.equal(`${sde.config.kind}: config`, again.config, sde.config, "round trip");
    check.equal(`${sde.config.kind}: values`, numbers(again), numbers(sde), "round trip");
  }
  const constant = vpSde({ betaMin: 5, betaMax: 5 });
  check.within(
    "time of a constant β",
    constant.timeAtHalfLogSnr(halfLogSnr(constant, 0.3)),
    0.3,
    1e-14,
    "B = 5 t",
  );
});

claim("invalid parameters of an SDE are refused with the value and what is allowed", async (check) => {
  const broken = (config: unknown) => () => sdeFromConfig(config as SdeConfig);
  await check.throws(
    "σmax below σmin",
    () => veSde({ sigmaMin: 50, sigmaMax: 0.01 }),
    /^sigmaMax must exceed sigmaMin, got 0.01 ≤ 50$/,
  );
  await check.throws(
    "σmin of 0",
    () => veSde({ sigmaMin: 0 }),
    /^sigmaMin must be a positive number, got 0$/,
  );
  await check.throws("negative tMin", () => veSde({ tMin: -1 }), /^tMin must not be negative, got -1$/);
  await check.throws("NaN", () => vpSde({ betaMax: NaN }), /^betaMax must be a finite number, got NaN$/);
  await check.throws(
    "β falling",
    () => subVpSde({ betaMin: 3, betaMax: 2 }),
    /^betaMax must be at least betaMin, got 2 < 3$/,
  );
  await check.throws(
    "tMin of 0 where σ(0) = 0",
    () => vpSde({ tMin: 0 }),
    /^tMin must be a positive number, got 0$/,
  );
  await check.throws("tMin at tMax", () => vpSde({ tMin: 1 }), /^tMax must exceed tMin, got 1 ≤ 1$/);
  await check.throws("σ^t of 1", () => sigmaPowerSde({ sigma: 1 }), /^sigma must exceed 1, got 1$/);
  await check.throws(
    "unknown kind",
    broken({ kind: "linear" }),
    /^unknown SDE kind "linear": use "ve", "vp", "subvp", "sigma-power", "flow", "edm" or "ddpm"$/,
  );
  await check.throws(
    "missing number",
    broken({ kind: "ve", sigmaMin: 0.01 }),
    /^sigmaMax must be a finite number, got undefined$/,
  );
  await check.throws(
    "text for a number",
    broken({ kind: "vp", betaMin: "0.1", betaMax: 20 }),
    /^betaMin must be a finite number, got "0.1"$/,
  );
  await check.throws("backward transition", () => transition(vpSde(), 0.5, 0.4), /s = 0.5, t = 0.4/);
  await check.throws(
    "long DDPM step",
    () => forwardStep(vpSde(), 0.5, 1),
    /β\(t\)·h ≤ 1, got 10 for the step from 0.5 to 1/,
  );
});
