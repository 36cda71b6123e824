/**
 * Paths of Gaussian data under every sampler: means, variances and covariances of two times. Marginals alone cannot tell
 * the reverse SDE from the probability flow or from anything between; the covariances can.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import type { LineMark } from "../../../src/plots/marks.ts";
import { plot } from "../../../src/plots/plot.ts";
import { sample } from "../../../src/samplers/sample.ts";
import { noiseRatio, type Sde, transition } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { type Area, type Check, claim } from "../../suite/claim.ts";
import {
  type ImpulseResponse,
  impulseResponses,
  outputMean,
  outputVariance,
} from "../../instruments/impulse_response.ts";
import {
  acrossDistribution,
  alongDistribution,
  planeDistribution,
  projected,
} from "../../problems/plane_mixture.ts";
import { type SamplerFacts, samplerFacts } from "../../problems/sampler_facts.ts";
import { narrowSdes } from "../../problems/sdes.ts";
import { scalarDistribution } from "../../reference/scalar_mixture.ts";
import { checkCovariance, checkMean, checkUniform, checkVariance } from "../../instruments/statistics.ts";

/** Where these claims are examined, and what the report says of their pictures. */
export const area: Area = {
  webgpu: "thorough",
  plots: {
    title: "Error against steps, for samplers that remember noise",
    text:
      "The largest error of a correlation between two times of a path, on Gaussian data, by the impulse response.",
  },
};

/** A broad coordinate, and one so narrow that noise left by a wrong last step would show. */
const means = [0.7, -0.3];
const stds = [0.5, 0.01];
const data = new Gaussian({ mean: means, variances: stds.map((std) => std ** 2) });
/** The fractions of the steps after which states are compared. */
const fractions = [1 / 4, 1 / 2, 3 / 4, 1];

/** Below this, float32 states decide the error. */
const floor = 1e-6;

/** The responses at these fractions of the steps. */
async function responses(
  facts: SamplerFacts,
  sde: Sde,
  steps: number,
  denoise: boolean,
): Promise<ImpulseResponse[]> {
  const found: ImpulseResponse[] = [];
  const grid = { kind: facts.grid, steps };
  const options = { grid, dimension: 2, denoise };
  let step = 0;
  for await (
    const { response } of impulseResponses(scoreModel(data, sde), facts.sampler(sde, steps), options)
  ) {
    if (fractions.includes(step++ / steps)) found.push(await response());
  }
  return found;
}

/** Covariance of a coordinate at two times, for a start of the given variance. */
function covariance(
  a: ImpulseResponse,
  b: ImpulseResponse,
  startVariance: number,
  coordinate: number,
): number {
  return a.noise.reduce(
    (sum, noise, k) => sum + noise[coordinate] * b.noise[k][coordinate],
    a.gain[coordinate] * b.gain[coordinate] * startVariance,
  );
}

const measured = samplerFacts.filter(({ path, pathOrder }) => path !== "none" && pathOrder !== null);
for (const [i, facts] of measured.entries()) {
  const { name, path } = facts;
  const order = facts.pathOrder!;
  claim(
    `covariances between two times of a path of ${name} are those of the ${path}, to order ${order}`,
    async (check) => {
      const curves: LineMark[] = [];
      // Every other SDE in a usual run for those that stand beside others of their kind.
      const sdes = Object.values(narrowSdes).filter((_, j) =>
        check.thorough || facts.drawn || (i + j) % 2 === 0
      );
      for (const sde of sdes) {
        const variance = (t: number) => sde.alpha(t) ** 2 * stds[0] ** 2 + sde.sigma(t) ** 2;
        /** Cov(x_s, x_t) for s < t. */
        const exact = (s: number, t: number) =>
          path === "reverse SDE"
            ? sde.alpha(t) / sde.alpha(s) * variance(s)
            : Math.sqrt(variance(s) * variance(t));
        const error = async (steps: number) => {
          const seen = await responses(facts, sde, steps, false);
          return Math.max(...seen.flatMap((late, i) =>
            seen.slice(0, i + 1).map((early) => {
              const [s, t] = [late.time, early.time];
              const scale = Math.sqrt(variance(s) * variance(t));
              return Math.abs(covariance(late, early, variance(sde.tMax), 0) - exact(s, t)) / scale;
            })
          ));
        };
        const steps = order > 2 ? 32 : 64;
        const [coarse, fine] = [await error(steps), await error(2 * steps)];
        if (!facts.carried) {
          const counts = [steps / 2, steps, 2 * steps];
          const label = `${sde.config.kind}: ${Math.log2(coarse / fine).toFixed(2)}`;
          curves.push({
            kind: "line",
            label,
            x: counts,
            y: [await error(steps / 2), coarse, fine],
            dots: true,
          });
        }
        if (fine <= floor) {
          check.atMost(
            `${sde.config.kind}: error of a correlation`,
            fine,
            floor,
            "rounding of float32 states",
          );
          continue;
        }
        check.within(
          `${sde.config.kind}: order of the largest error of a covariance, ${steps} to ${2 * steps} steps`,
          Math.log2(coarse / fine),
          order,
          0.5,
          path === "reverse SDE" ? "Cov(x_s, x_t) = (α_t/α_s) C_s for s < t" : "Cov(x_s, x_t) = √(C_s C_t)",
          {
            detectable: `a correlation that stays ${
              ((2 ** 0.5 - 1) * 2 ** -order * coarse).toExponential(1)
            } off`,
          },
        );
      }
      // The others' orders are seen in their distributions on three modes.
      if (curves.length === 0) return;
      check.plot(
        `${name}: error of a correlation of two times`,
        plot(curves, {
          title: `${name} (${facts.grid} grid), order ${order}`,
          x: { label: "steps", scale: "log" },
          y: { label: "largest error of a correlation", scale: "log" },
        }),
      );
    },
  );
}

/** How many paths: fewer of a sampler that keeps a step size and a Brownian path for each of them. */
const countOf = ({ name }: SamplerFacts) => name === "adaptive-sde" ? 30_000 : 100_000;

for (const [i, facts] of samplerFacts.filter(({ stochastic, drawn }) => stochastic && drawn).entries()) {
  claim(
    `random paths of ${facts.name} have the means and covariances of its impulse response`,
    async (check) => {
      // Every other SDE in a usual run.
      for (const sde of Object.values(narrowSdes).filter((_, j) => check.thorough || (i + j) % 2 === 0)) {
        await checkPaths(check, facts, sde);
      }
    },
  );
}

async function checkPaths(check: Check, facts: SamplerFacts, sde: Sde): Promise<void> {
  const steps = facts.drawSteps;
  const count = countOf(facts);
  const distributions = await responses(facts, sde, steps, true);
  const rng = createRng(check.seed).fork(`paths of ${facts.name} ${sde.config.kind}`);
  const run = { shape: [count, 2], grid: { kind: facts.grid, steps }, rng };
  const start = sde.priorStd ** 2;
  const source = "impulse response of the sampler's own steps";
  let before: Float64Array[] = [];
  for await (const { x, step, done } of sample(scoreModel(data, sde), facts.sampler(sde, steps), run)) {
    const at = fractions.indexOf(step / steps);
    if (at < 0) continue;
    const values = await x.data();
    if (done) x.dispose();
    const centred = means.map((_, c) => {
      const mean = outputMean(distributions[at], 0, c);
      return Float64Array.from({ length: count }, (_, row) => values[2 * row + c] - mean);
    });
    for (const c of [0, 1]) {
      const where = `${sde.config.kind}, s₀ = ${stds[c]}, ${
        done ? "at the end, denoised" : `after ${step} steps`
      }`;
      const variance = outputVariance(distributions[at], start, c);
      const sum = centred[c].reduce((a, b) => a + b);
      checkMean(check, `${where}: mean error`, sum / count, 0, Math.sqrt(variance), count, source);
      if (at === 0) {
        const squares = centred[c].reduce((a, b) => a + b * b, 0);
        checkVariance(check, `${where}: variance`, squares / count, variance, count, source);
      } else {
        const varianceA = outputVariance(distributions[at - 1], start, c);
        const joint = {
          varianceA,
          varianceB: variance,
          covariance: covariance(distributions[at - 1], distributions[at], start, c),
        };
        checkCovariance(check, `${where}, with the time before`, before[c], centred[c], joint, source);
      }
    }
    before = centred;
  }
}

for (const sde of Object.values(narrowSdes)) {
  claim(
    `data noised step by step under ${sde.config.kind} follow its kernels at every time and across times`,
    async (check) => {
      const rows = 200_000;
      const rng = createRng(check.seed).fork(`forward ${sde.config.kind}`);
      const times = timeGrid(sde, { kind: "log-snr", steps: 4 }).reverse();
      let x: tf.Tensor = planeDistribution.sample(rng.fork("data"), rows);
      let before: { values: Float64Array; variance: number } | undefined;
      let [time, scale, std] = [0, sde.alpha(times[0]), sde.sigma(times[0])];
      for (const t of times) {
        if (time > 0) ({ scale, std } = transition(sde, time, t));
        const next = tf.tidy(() => x.mul(scale).add(rng.normal([rows, 2]).mul(std)));
        x.dispose();
        x = next;
        const values = await x.data() as Float32Array;
        const where = `t = ${t.toPrecision(3)}`;
        const source = "p_t is the data's distribution, scaled by α and noised by σ";
        const distribution = scalarDistribution(alongDistribution, noiseRatio(sde, t));
        const ranks = projected(values, 0).map((u) => distribution.cdf(u / sde.alpha(t)));
        checkUniform(check, `${where}: ranks along the modes`, ranks, source);
        const [across] = acrossDistribution.components;
        const dataVariance = across.covariance()[0][0];
        const centred = projected(values, Math.PI / 2).map((v) => v - sde.alpha(t) * across.mean[0]);
        const variance = sde.alpha(t) ** 2 * dataVariance + sde.sigma(t) ** 2;
        if (before === undefined) {
          const squares = centred.reduce((a, b) => a + b * b, 0) / rows;
          checkVariance(check, `${where}: variance across them`, squares, variance, rows, source);
        } else {
          const joint = {
            varianceA: before.variance,
            varianceB: variance,
            covariance: sde.alpha(t) / sde.alpha(time) * before.variance,
          };
          checkCovariance(
            check,
            `${where}, with the time before`,
            before.values,
            centred,
            joint,
            "Cov(x_s, x_t) = (α_t/α_s) C_s",
          );
        }
        before = { values: centred, variance };
        time = t;
      }
      x.dispose();
    },
  );
}
