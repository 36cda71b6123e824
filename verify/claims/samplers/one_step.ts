/**
 * The first steps of every sampler against the equations of its paper, number by number, in float64: a predicted noise that is
 * no distribution's, so that nothing cancels, and noise that is known.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModelFromNoise } from "../../../src/diffusion/noise_predictor.ts";
import { type Sde, veSde, vpSde } from "../../../src/diffusion/sde.ts";
import { adaptiveSde } from "../../../src/samplers/adaptive_sde.ts";
import { annealedLangevin } from "../../../src/samplers/annealed_langevin.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { dpmSolver2Ancestral, dpmSolver2SAncestral } from "../../../src/samplers/dpm_solver_ancestral.ts";
import { sdeDpmSolver2M, sdeDpmSolver3M } from "../../../src/samplers/dpm_solver_sde.ts";
import { sdeDpmSolver2S } from "../../../src/samplers/dpm_solver_sde_singlestep.ts";
import { edmStochastic } from "../../../src/samplers/edm_stochastic.ts";
import { langevin } from "../../../src/samplers/langevin.ts";
import { odeEuler } from "../../../src/samplers/ode_euler.ts";
import { predictorCorrector } from "../../../src/samplers/predictor_corrector.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import { claim } from "../../suite/claim.ts";

/** A state of three numbers. */
type State = readonly number[];

const [t, s, end] = [0.62, 0.58, 0.5];
const start: State = [0.7, -1.2, 2.5];

/** What the equations are written in, for one SDE. */
function notation(sde: Sde) {
  const { alpha, sigma, driftCoefficient: f, diffusionCoefficient: g } = sde;
  const each = (x: State, of: (value: number, i: number) => number) => x.map(of);
  const noise = (x: State, at: number) => each(x, (v) => Math.sin(v) + 0.3 * at * v);
  const score = (x: State, at: number) => noise(x, at).map((value) => -value / sigma(at));
  const nu = (at: number) => sigma(at) / alpha(at);
  const lambda = (at: number) => Math.log(alpha(at) / sigma(at));
  const data = (x: State, at: number) => {
    const predicted = noise(x, at);
    return each(x, (v, i) => (v - sigma(at) * predicted[i]) / alpha(at));
  };
  const drift = (x: State, at: number) => {
    const predicted = noise(x, at);
    return each(x, (v, i) => f(at) * v + g(at) ** 2 / (2 * sigma(at)) * predicted[i]);
  };
  return {
    sde,
    alpha,
    sigma,
    f,
    g,
    each,
    noise,
    score,
    nu,
    lambda,
    data,
    drift,
    timeAt: sde.timeAtHalfLogSnr,
  };
}

type Notation = ReturnType<typeof notation>;

/** One sampler, the times that it visits, and its state at the last of them, for the draws z of noise one after another. */
interface Row {
  readonly sampler: Sampler;
  readonly times?: readonly number[];
  readonly source: string;
  readonly expected: (n: Notation, x: State, z: readonly State[]) => State;
}

/** a x + b y + c z. */
const sum = (a: number, x: State, b: number, y: State, c = 0, z: State = x) =>
  x.map((value, i) => a * value + b * y[i] + c * z[i]);

/** The forward step that is undone: DDPM's for VP, SMLD's for VE. */
function forward({ f, sigma, sde }: Notation): { a: number; variance: number } {
  const beta = -2 * f(t) * (t - s);
  if (sde.config.kind === "vp") return { a: Math.sqrt(1 - beta), variance: beta };
  return { a: 1, variance: sigma(t) ** 2 - sigma(s) ** 2 };
}

const ddimStep = (eta: number) => ({ nu, alpha, noise }: Notation, x: State, [z]: readonly State[]) => {
  const c = eta * nu(s) / nu(t) * Math.sqrt(nu(t) ** 2 - nu(s) ** 2);
  const kept = Math.sqrt(nu(s) ** 2 - c ** 2);
  return sum(alpha(s) / alpha(t), x, -alpha(s) * (nu(t) - kept), noise(x, t), alpha(s) * c, z);
};

/** Heun's step in y = x/α from one time to another. */
function heun({ alpha, nu, noise }: Notation, x: State, from: number, to: number): State {
  const y = x.map((value) => value / alpha(from));
  const [width, slope] = [nu(to) - nu(from), noise(x, from)];
  const there = noise(sum(alpha(to), y, alpha(to) * width, slope), to);
  return sum(alpha(to), y, alpha(to) * width / 2, slope, alpha(to) * width / 2, there);
}

/** The factor on the data's prediction and that on the state, of one step of DPM-Solver++. */
const plus = ({ lambda, alpha, sigma }: Notation, from: number, to: number) => ({
  state: sigma(to) / sigma(from),
  data: -alpha(to) * Math.expm1(-(lambda(to) - lambda(from))),
});

/** Langevin's step, by the rule of norms or by the noise level. */
function corrected(
  { score, sigma, alpha }: Notation,
  x: State,
  z: State,
  rule: "langevin" | "ald",
  snr: number,
) {
  const gradient = score(x, s);
  const norm = (values: State) => Math.hypot(...values);
  const a = (alpha(s) / alpha(s - (t - s))) ** 2;
  const size = 2 * a * (rule === "ald" ? snr * sigma(s) : snr * norm(z) / norm(gradient)) ** 2;
  return sum(1, x, size, gradient, Math.sqrt(2 * size), z);
}

const rows: Record<string, Row> = {
  "euler-maruyama": {
    sampler: samplerByName("euler-maruyama"),
    source: "Song et al. 2021, eq. 6",
    expected: ({ f, g, score }, x, [z]) => {
      const h = t - s;
      return sum(1 - h * f(t), x, h * g(t) ** 2, score(x, t), g(t) * Math.sqrt(h), z);
    },
  },
  "reverse-diffusion": {
    sampler: samplerByName("reverse-diffusion"),
    source: "Song et al. 2021, eq. 46",
    expected: (n, x, [z]) => {
      const { a, variance } = forward(n);
      return sum(2 - a, x, variance, n.score(x, t), Math.sqrt(variance), z);
    },
  },
  "ddpm": {
    sampler: samplerByName("ddpm"),
    source: "Ho et al. 2020, Alg. 2",
    expected: (n, x, [z]) => {
      const { a, variance } = forward(n);
      return sum(1 / a, x, variance / a, n.score(x, t), Math.sqrt(variance), z);
    },
  },
  "exponential-sde": {
    sampler: samplerByName("exponential-sde"),
    source: "Zhang & Chen 2023; ∫ g²/α is 2/α_t − 2/α_s for VP, σ_t² − σ_s² for VE",
    expected: ({ sde, alpha, sigma, nu, score }, x, [z]) => {
      const integral = sde.config.kind === "vp" ? 2 / alpha(t) - 2 / alpha(s) : sigma(t) ** 2 - sigma(s) ** 2;
      const fresh = alpha(s) * Math.sqrt(nu(t) ** 2 - nu(s) ** 2);
      return sum(alpha(s) / alpha(t), x, alpha(s) * integral, score(x, t), fresh, z);
    },
  },
  "ancestral": {
    sampler: samplerByName("ancestral"),
    source: "Song, Meng & Ermon 2021, eq. 12 with η = 1",
    expected: ddimStep(1),
  },
  "ddim": {
    sampler: samplerByName("ddim"),
    source: "Song, Meng & Ermon 2021, eq. 12",
    expected: ddimStep(0),
  },
  "ddim with η = 0.4": {
    sampler: ddim({ eta: 0.4 }),
    source: "Song, Meng & Ermon 2021, eq. 12 and 16",
    expected: ddimStep(0.4),
  },
  "ode-euler": {
    sampler: samplerByName("ode-euler"),
    source: "Song et al. 2021, eq. 13",
    expected: ({ drift }, x) => sum(1, x, s - t, drift(x, t)),
  },
  "ode-heun": {
    sampler: samplerByName("ode-heun"),
    source: "the trapezoidal rule",
    expected: ({ drift }, x) => {
      const first = drift(x, t);
      return sum(1, x, (s - t) / 2, first, (s - t) / 2, drift(sum(1, x, s - t, first), s));
    },
  },
  "ode-rk4": {
    sampler: samplerByName("ode-rk4"),
    source: "Runge & Kutta",
    expected: ({ drift }, x) => {
      const [h, middle] = [s - t, (s + t) / 2];
      const k1 = drift(x, t);
      const k2 = drift(sum(1, x, h / 2, k1), middle);
      const k3 = drift(sum(1, x, h / 2, k2), middle);
      const k4 = drift(sum(1, x, h, k3), s);
      return x.map((value, i) => value + h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]));
    },
  },
  "edm-heun": {
    sampler: samplerByName("edm-heun"),
    source: "Karras et al. 2022, Alg. 1",
    expected: (n, x) => heun(n, x, t, s),
  },
  "edm-stochastic": {
    sampler: edmStochastic({ gamma: 0.2, sNoise: 1.1 }),
    source: "Karras et al. 2022, Alg. 2",
    expected: (n, x, [z]) => {
      const raised = 1.2 * n.nu(t);
      const later = n.timeAt(-Math.log(raised));
      const fresh = n.alpha(later) * 1.1 * Math.sqrt(raised ** 2 - n.nu(t) ** 2);
      return heun(n, sum(n.alpha(later) / n.alpha(t), x, fresh, z), later, s);
    },
  },
  "edm-stochastic above S_tmax": {
    sampler: edmStochastic({ gamma: 0.2, sTmax: 1e-3 }),
    source: "Karras et al. 2022, Alg. 2: no noise there",
    expected: (n, x) => heun(n, x, t, s),
  },
  "edm-stochastic below S_tmin": {
    sampler: edmStochastic({ gamma: 0.2, sTmin: 1e3 }),
    source: "Karras et al. 2022, Alg. 2: no noise there",
    expected: (n, x) => heun(n, x, t, s),
  },
  "dpm-solver-2": {
    sampler: samplerByName("dpm-solver-2"),
    source: "Lu et al. 2022, Alg. 1",
    expected: ({ alpha, sigma, lambda, noise, timeAt }, x) => {
      const h = lambda(s) - lambda(t);
      const m = timeAt(lambda(t) + h / 2);
      const u = sum(alpha(m) / alpha(t), x, -sigma(m) * Math.expm1(h / 2), noise(x, t));
      return sum(alpha(s) / alpha(t), x, -sigma(s) * Math.expm1(h), noise(u, m));
    },
  },
  "dpm-solver-3": {
    sampler: samplerByName("dpm-solver-3"),
    source: "Lu et al. 2022, Alg. 2",
    expected: ({ alpha, sigma, lambda, noise, timeAt }, x) => {
      const h = lambda(s) - lambda(t);
      const [m1, m2] = [timeAt(lambda(t) + h / 3), timeAt(lambda(t) + 2 * h / 3)];
      const own = noise(x, t);
      const phi = (w: number) => (Math.exp(w) - 1) / w - 1;
      const u1 = sum(alpha(m1) / alpha(t), x, -sigma(m1) * Math.expm1(h / 3), own);
      const d1 = sum(1, noise(u1, m1), -1, own);
      const u2 = sum(
        alpha(m2) / alpha(t),
        x,
        -sigma(m2) * Math.expm1(2 * h / 3),
        own,
        -2 * sigma(m2) * phi(2 * h / 3),
        d1,
      );
      const d2 = sum(1, noise(u2, m2), -1, own);
      return sum(alpha(s) / alpha(t), x, -sigma(s) * Math.expm1(h), own, -1.5 * sigma(s) * phi(h), d2);
    },
  },
  "dpm-solver-3, a short step": {
    sampler: samplerByName("dpm-solver-3"),
    times: [t, t - 1e-5],
    source: "DDIM's step, from which it differs by h²",
    expected: ({ alpha, nu, noise }, x) => {
      const to = t - 1e-5;
      return sum(alpha(to) / alpha(t), x, alpha(to) * (nu(to) - nu(t)), noise(x, t));
    },
  },
  "dpm++2s": {
    sampler: samplerByName("dpm++2s"),
    source: "Lu et al. 2022b, Alg. 1",
    expected: (n, x) => {
      const m = n.timeAt((n.lambda(t) + n.lambda(s)) / 2);
      const [half, whole] = [plus(n, t, m), plus(n, t, s)];
      const u = sum(half.state, x, half.data, n.data(x, t));
      return sum(whole.state, x, whole.data, n.data(u, m));
    },
  },
  "dpm++2m": {
    sampler: samplerByName("dpm++2m"),
    times: [t, s, end],
    source: "Lu et al. 2022b, Alg. 2",
    expected: (n, x) => {
      const [first, second] = [plus(n, t, s), plus(n, s, end)];
      const before = n.data(x, t);
      const next = sum(first.state, x, first.data, before);
      const r = (n.lambda(s) - n.lambda(t)) / (n.lambda(end) - n.lambda(s));
      const combined = sum(1 + 1 / (2 * r), n.data(next, s), -1 / (2 * r), before);
      return sum(second.state, next, second.data, combined);
    },
  },
  "sde-dpm++2m": {
    sampler: samplerByName("sde-dpm++2m"),
    times: [t, s, end],
    source: "Lu et al. 2022b, SDE-DPM-Solver++(2M)",
    expected: (n, x, z) => {
      const step = (x: State, data: State, from: number, to: number, z: State) => {
        const h = n.lambda(to) - n.lambda(from);
        const share = 1 - Math.exp(-2 * h);
        const state = n.sigma(to) / n.sigma(from) * Math.exp(-h);
        return sum(state, x, n.alpha(to) * share, data, n.sigma(to) * Math.sqrt(share), z);
      };
      const before = n.data(x, t);
      const next = step(x, before, t, s, z[0]);
      const r = (n.lambda(s) - n.lambda(t)) / (n.lambda(end) - n.lambda(s));
      return step(next, sum(1 + 1 / (2 * r), n.data(next, s), -1 / (2 * r), before), s, end, z[1]);
    },
  },
  "sde-dpm++2m with the line's integral": {
    sampler: sdeDpmSolver2M({ solverType: "heun", eta: 0.3, sNoise: 1.2 }),
    times: [t, s, end],
    source: "k-diffusion, sample_dpmpp_2m_sde with solver_type heun",
    expected: (n, x, z) => stochasticSteps(n, x, z, [t, s, end], 0.3, 1.2),
  },
  "sde-dpm++3m": {
    sampler: sdeDpmSolver3M({ eta: 0.3, sNoise: 1.2 }),
    times: [t, s, end, 0.45],
    source: "k-diffusion, sample_dpmpp_3m_sde",
    expected: (n, x, z) => stochasticSteps(n, x, z, [t, s, end, 0.45], 0.3, 1.2),
  },
  "sde-dpm++2s": {
    sampler: sdeDpmSolver2S({ eta: 0.6, sNoise: 1.2 }),
    source: "k-diffusion, sample_dpmpp_sde",
    expected: (n, x, [first, second]) => {
      const m = n.timeAt((n.lambda(t) + n.lambda(s)) / 2);
      const to = (time: number, data: State, z: State) => {
        const { kept, fresh } = ancestral(n, time, 0.6);
        const y = sum(kept / n.nu(t) / n.alpha(t), x, 1 - kept / n.nu(t), data, 1.2 * fresh, z);
        return y.map((value) => n.alpha(time) * value);
      };
      const between = to(m, n.data(x, t), first);
      const [half, rest] = [n.nu(t) - n.nu(m), n.nu(m) - n.nu(s)].map((length) =>
        Math.sqrt(length / (n.nu(t) - n.nu(s)))
      );
      return to(s, n.data(between, m), sum(half, first, rest, second));
    },
  },
  "dpm++2s-ancestral": {
    sampler: dpmSolver2SAncestral({ eta: 0.6, sNoise: 1.2 }),
    source: "k-diffusion, sample_dpmpp_2s_ancestral",
    expected: (n, x, [z]) => {
      const { kept, fresh } = ancestral(n, s, 0.6);
      const middle = Math.sqrt(n.nu(t) * kept);
      const m = n.timeAt(-Math.log(middle));
      const to = (ratio: number, data: State) =>
        sum(ratio / n.nu(t) / n.alpha(t), x, 1 - ratio / n.nu(t), data);
      const between = to(middle, n.data(x, t)).map((value) => n.alpha(m) * value);
      return sum(n.alpha(s), to(kept, n.data(between, m)), n.alpha(s) * 1.2 * fresh, z);
    },
  },
  "dpm-solver-2-ancestral": {
    sampler: dpmSolver2Ancestral({ eta: 0.6, sNoise: 1.2 }),
    source: "k-diffusion, sample_dpm_2_ancestral",
    expected: (n, x, [z]) => {
      const { kept, fresh } = ancestral(n, s, 0.6);
      const middle = Math.sqrt(n.nu(t) * kept);
      const m = n.timeAt(-Math.log(middle));
      const y = x.map((value) => value / n.alpha(t));
      const between = sum(n.alpha(m), y, n.alpha(m) * (middle - n.nu(t)), n.noise(x, t));
      return sum(
        n.alpha(s),
        y,
        n.alpha(s) * (kept - n.nu(t)),
        n.noise(between, m),
        n.alpha(s) * 1.2 * fresh,
        z,
      );
    },
  },
  "unipc": {
    sampler: samplerByName("unipc"),
    times: [t, s, end],
    source: "Zhao et al. 2023: ∫_0^h u e^{−u} du = 1 − (1 + h) e^{−h}",
    expected: ({ lambda, alpha, nu, noise }, x) => {
      const moment = (h: number) => 1 - (1 + h) * Math.exp(-h);
      const [h, k] = [lambda(s) - lambda(t), lambda(end) - lambda(s)];
      const before = noise(x, t);
      const y = x.map((value) => value / alpha(t));
      const predicted = sum(1, y, nu(s) - nu(t), before);
      const own = noise(predicted.map((value) => alpha(s) * value), s);
      const change = sum(1 / h, own, -1 / h, before);
      const corrected = sum(1, predicted, -nu(t) * moment(h), change);
      const next = sum(1, corrected, nu(end) - nu(s), own, -nu(s) * moment(k), change);
      return next.map((value) => alpha(end) * value);
    },
  },
  "langevin by norms": {
    sampler: langevin({ snr: 0.3, rule: "langevin", steps: 2 }),
    source: "Song et al. 2021, Alg. 4 and 5",
    expected: (n, x, z) => corrected(n, corrected(n, x, z[0], "langevin", 0.3), z[1], "langevin", 0.3),
  },
  "langevin by the noise level": {
    sampler: langevin({ snr: 0.3 }),
    source: "annealed Langevin dynamics: ε = 2 a (r σ_s)²",
    expected: (n, x, [z]) => corrected(n, x, z, "ald", 0.3),
  },
  "langevin by a step size": {
    sampler: langevin({ stepSize: (at) => at / 100 }),
    source: "x + ε g + √(2ε) z",
    expected: ({ score }, x, [z]) => sum(1, x, s / 100, score(x, s), Math.sqrt(2 * s / 100), z),
  },
  "annealed-langevin": {
    sampler: annealedLangevin({ langevinStep: 2e-5, steps: 2 }),
    source: "Song & Ermon 2020, Alg. 1, in y = x/α",
    expected: ({ sde, alpha, nu, noise }, x, z) => {
      const size = 2e-5 * nu(s) ** 2 / nu(sde.tMin) ** 2;
      const step = (y: State, z: State) => {
        const gradient = noise(y.map((value) => alpha(s) * value), s).map((value) => -value / nu(s));
        return sum(1, y, size, gradient, Math.sqrt(2 * size), z);
      };
      return step(step(x.map((value) => value / alpha(t)), z[0]), z[1]).map((value) => alpha(s) * value);
    },
  },
  "predictor-corrector": {
    sampler: predictorCorrector({ predictor: odeEuler(), corrector: langevin({ snr: 0.3 }) }),
    source: "Song et al. 2021, Alg. 1",
    expected: (n, x, [z]) => corrected(n, sum(1, x, s - t, n.drift(x, t)), z, "ald", 0.3),
  },
  "adaptive-sde": {
    sampler: adaptiveSde({ rtol: 1e9, firstStep: 1 }),
    source: "Jolicoeur-Martineau et al. 2021, Alg. 1",
    expected: ({ f, g, score }, x) => {
      const h = t - s;
      const z = [...createRng(7).fork("step 0").normalValues([1, 3])].map((value) => Math.sqrt(h) * value);
      const moved = (at: State, time: number) =>
        x.map((value, i) =>
          value - h * (f(time) * at[i] - g(time) ** 2 * score(at, time)[i]) + g(time) * z[i]
        );
      const near = moved(x, t);
      return sum(0.5, near, 0.5, moved(near, s));
    },
  },
};

/** ν↓ and the noise of an ancestral step from t. */
function ancestral({ nu }: Notation, to: number, eta: number): { kept: number; fresh: number } {
  const fresh = eta * nu(to) * Math.sqrt(1 - (nu(to) / nu(t)) ** 2);
  return { kept: Math.sqrt(nu(to) ** 2 - fresh ** 2), fresh };
}

/** k-diffusion's steps of sample_dpmpp_3m_sde in y = x/α, of which the first two are those of sample_dpmpp_2m_sde with heun. */
function stochasticSteps(
  n: Notation,
  x: State,
  z: readonly State[],
  times: number[],
  eta: number,
  sNoise: number,
): State {
  let y: State = x.map((value) => value / n.alpha(times[0]));
  const denoised: State[] = [];
  for (let k = 0; k + 1 < times.length; k++) {
    denoised.unshift(n.data(y.map((value) => n.alpha(times[k]) * value), times[k]));
    const length = (i: number) => n.lambda(times[i + 1]) - n.lambda(times[i]);
    const h = length(k);
    const H = h * (1 + eta);
    y = sum(Math.exp(-H), y, 1 - Math.exp(-H), denoised[0]);
    const phi2 = (Math.exp(-H) - 1) / H + 1;
    const phi3 = phi2 / H - 0.5;
    const first = k > 0 ? sum(h / length(k - 1), denoised[0], -h / length(k - 1), denoised[1]) : [];
    if (k > 1) {
      const [r0, r1] = [length(k - 1) / h, length(k - 2) / h];
      const second = sum(1 / r1, denoised[1], -1 / r1, denoised[2]);
      const d1 = sum(1 + r0 / (r0 + r1), first, -r0 / (r0 + r1), second);
      const d2 = sum(1 / (r0 + r1), first, -1 / (r0 + r1), second);
      y = sum(1, y, phi2, d1, -phi3, d2);
    } else if (k > 0) y = sum(1, y, phi2, first);
    y = sum(1, y, n.nu(times[k + 1]) * Math.sqrt(1 - Math.exp(-2 * eta * h)) * sNoise, z[k]);
  }
  return y.map((value) => n.alpha(times[times.length - 1]) * value);
}

for (const sde of [vpSde(), veSde({ sigmaMin: 0.05, sigmaMax: 8 })]) {
  claim(`the first steps of every sampler under ${sde.config.kind} are its paper's`, async (check) => {
    const model = scoreModelFromNoise(sde, (x, at) =>
      tf.tidy(() => {
        const time = typeof at === "number" ? at : at[0];
        return x.sin().add(x.mul(0.3 * time));
      }));
    for (const [name, { sampler, times = [t, s], source, expected }] of Object.entries(rows)) {
      const run = sampler.start(model, createRng(7));
      let x: tf.Tensor = tf.tensor2d([[...start]]);
      for (let i = 1; i < times.length; i++) {
        const next = await run.step(x, times[i - 1], times[i]);
        x.dispose();
        x = next;
      }
      const values = [...await x.data()];
      x.dispose();
      run.dispose();
      const draws = createRng(7);
      const z = [0, 1, 2].map(() => [...draws.normalValues([1, 3])]);
      const exact = expected(notation(sde), start.map(Math.fround), z);
      const worst = Math.max(...exact.map((value, i) => Math.abs(value - values[i]) / (1 + Math.abs(value))));
      check.atMost(`${name}: largest error`, worst, 3e-6, `${source}; float32 of some ten operations`, {
        detectable: "3e-6 of a state",
      });
    }
  });
}
