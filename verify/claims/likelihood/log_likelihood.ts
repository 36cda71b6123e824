/**
 * Likelihoods by the probability flow against densities known in closed form.
 * @module
 */
import * as tf from "../../../src/compute/tf.ts";
import { type ScoreModel, scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { decodeLatent, encodeLatent, interpolateLatents } from "../../../src/likelihood/latents.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import type { FlowMethod } from "../../../src/likelihood/probability_flow.ts";
import { noiseRatio, type Sde, vpSde } from "../../../src/diffusion/sde.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { bumps } from "../../instruments/flow_map.ts";
import { probabilityFlowMap } from "../../reference/scalar_mixture.ts";
import { mixture, points } from "../../problems/mixtures.ts";
import { allSdes } from "../../problems/sdes.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const mean = [0.7, -0.3, 0.1];
const variances = [0.25, 1.44, 0.01];
const gaussian = new Gaussian({ mean, variances });
const places = [[0.7, -0.3, 0.1], [1.2, 1, 0.3], [-0.5, -2, 0]];
const tight: FlowMethod = { kind: "dopri5", rtol: 1e-6, atol: 1e-6, maxAttempts: 1500 };

/** log N(x_T; 0, P) + ½ Σ ln(C_T/C_ε): what a model without error says, the prior's mismatch included. */
function gaussianLikelihood(sde: Sde, x: readonly number[]): number {
  const prior = sde.priorStd ** 2;
  return x.reduce((sum, value, i) => {
    const [early, late] = [sde.tMin, sde.tMax].map((t) =>
      sde.alpha(t) ** 2 * variances[i] + sde.sigma(t) ** 2
    );
    const centred = value - sde.alpha(sde.tMin) * mean[i];
    const end = sde.alpha(sde.tMax) * mean[i] + Math.sqrt(late / early) * centred;
    return sum - Math.log(2 * Math.PI * prior) / 2 - end ** 2 / prior / 2 + Math.log(late / early) / 2;
  }, 0);
}

async function densities(model: ScoreModel, x: number[][], method: FlowMethod): Promise<Float64Array> {
  const states = tf.tensor2d(x);
  const { logDensity } = await logLikelihood(model, states, { method });
  states.dispose();
  return logDensity;
}

function largestError(observed: Float64Array, expected: readonly number[]): number {
  return Math.max(...expected.map((value, i) => Math.abs(observed[i] - value)));
}

claim(
  "the likelihood of Gaussian data is the closed form, with the mismatch of the prior in it",
  async (check) => {
    for (const sde of allSdes) {
      const { kind } = sde.config;
      const model = scoreModel(gaussian, sde);
      const expected = places.map((x) => gaussianLikelihood(sde, x));
      check.atMost(
        `${kind}, adaptive at 1e-6: largest error`,
        largestError(await densities(model, places, tight), expected),
        4e-5,
        "some 25 steps of at most the tolerance each, on numbers up to 10, and float32's rounding",
        { detectable: "4e-5 nats; leaving out the mismatch of prior and p_T would cost 4e-5 to 0.1" },
      );
      const [coarse, fine] = [
        largestError(
          await densities(model, places, { kind: "rk4", grid: { kind: "log-snr", steps: 24 } }),
          expected,
        ),
        largestError(
          await densities(model, places, { kind: "rk4", grid: { kind: "log-snr", steps: 48 } }),
          expected,
        ),
      ];
      check.within(
        `${kind}, Runge–Kutta on a log-SNR grid: order, 24 to 48 steps`,
        Math.log2(coarse / fine),
        4,
        0.5,
        "state and divergence are one system, so both have the solver's order",
        { detectable: "a divergence summed by a rule of lower order" },
      );
      check.atMost(
        `${kind}, its error with 48 steps`,
        fine,
        1e-3,
        "measured with the same solver in float64: below 4e-4",
      );
    }
    const mismatch = gaussianLikelihood(vpSde(), places[0]) - (await exactDensity(vpSde(), places[0]));
    check.atLeast(
      "vp: mismatch of the prior at the mean, in nats",
      Math.abs(mismatch),
      1e-5,
      "else it is not tested",
    );
  },
);

async function exactDensity(sde: Sde, x: number[]): Promise<number> {
  const density = tf.tidy(() =>
    gaussian.logDensity(tf.tensor2d([x]).div(sde.alpha(sde.tMin)), noiseRatio(sde, sde.tMin))
  );
  const [value] = await density.data();
  density.dispose();
  return value - x.length * Math.log(sde.alpha(sde.tMin));
}

claim(
  "the likelihood of a one-dimensional mixture is its density times the prior's mismatch",
  async (check) => {
    const states = [-2.2, -1.5, -0.6, 0.3, 0.8, 2];
    for (const sde of allSdes) {
      const at = async (x: number[], t: number) => {
        const density = tf.tidy(() =>
          bumps.logDensity(tf.tensor2d(x, [x.length, 1]).div(sde.alpha(t)), noiseRatio(sde, t))
        );
        const values = await density.data();
        density.dispose();
        return Array.from(values, (value) => value - Math.log(sde.alpha(t)));
      };
      const ends = states.map((x) => probabilityFlowMap(bumps, sde, x, sde.tMin, sde.tMax));
      const [early, late] = [await at(states, sde.tMin), await at(ends, sde.tMax)];
      const prior = sde.priorStd ** 2;
      const expected = states.map((_, i) =>
        early[i] - late[i] - Math.log(2 * Math.PI * prior) / 2 - ends[i] ** 2 / prior / 2
      );
      check.atMost(
        `${sde.config.kind}: largest error`,
        largestError(await densities(scoreModel(bumps, sde), states.map((x) => [x]), tight), expected),
        1e-4,
        "log p_ε(x) + log N(x_T) − log p_T(x_T), with x_T from distribution functions; 25 steps at 1e-6 through two modes",
        { detectable: "1e-4 nats" },
      );
    }
  },
);

claim("the likelihood of a mixture in three dimensions is its density, with every SDE", async (check) => {
  for (const sde of allSdes) {
    const model = scoreModel(mixture, sde);
    const x = tf.tensor2d(points);
    const codes = await encodeLatent(model, x, tight);
    const early = tf.tidy(() => mixture.logDensity(x.div(sde.alpha(sde.tMin)), noiseRatio(sde, sde.tMin)));
    const late = tf.tidy(() => mixture.logDensity(codes.div(sde.alpha(sde.tMax)), noiseRatio(sde, sde.tMax)));
    const [before, after, ends] = [await early.data(), await late.data(), await codes.data<"float32">()];
    tf.dispose([x, codes, early, late]);
    const prior = sde.priorStd ** 2;
    const scales = 3 * Math.log(sde.alpha(sde.tMax) / sde.alpha(sde.tMin));
    const expected = points.map((_, row) => {
      const squaredNorm = ends.subarray(3 * row, 3 * row + 3).reduce((sum, value) => sum + value * value, 0);
      return before[row] - after[row] + scales - 1.5 * Math.log(2 * Math.PI * prior) -
        squaredNorm / prior / 2;
    });
    check.atMost(
      `${sde.config.kind}: largest error`,
      largestError(await densities(model, points, tight), expected),
      3e-4,
      "log p_ε(x) + log N(x_T) − log p_T(x_T), x_T by the same flow; some 40 steps at 1e-6, log densities to −40",
      { detectable: "3e-4 nats" },
    );
  }
});

claim(
  "decoding undoes encoding, codes have the prior's distribution, and the flow keeps ranks both ways",
  async (check) => {
    for (const sde of allSdes) {
      const model = scoreModel(bumps, sde);
      // No bump's centre: along a flow that is straight from there the embedded orders agree by chance on a step too long.
      const states = [[-2.2], [-1.4], [-0.3], [0.3], [0.8], [2]];
      const x = tf.tensor2d(states);
      const codes = await encodeLatent(model, x, tight);
      const back = await decodeLatent(model, codes, tight);
      const expected = states.map(([value]) => probabilityFlowMap(bumps, sde, value, sde.tMin, sde.tMax));
      const seen = await codes.data();
      const returned = await back.data();
      tf.dispose([x, codes, back]);
      check.atMost(
        `${sde.config.kind}: largest error of a code over the prior's spread`,
        Math.max(...expected.map((value, i) => Math.abs(seen[i] - value))) / sde.priorStd,
        2e-5,
        "F_T⁻¹(F_ε(x)); some 20 steps at 1e-6",
      );
      check.atMost(
        `${sde.config.kind}: largest difference of decoded and original`,
        Math.max(...states.map(([value], i) => Math.abs(returned[i] - value))),
        5e-5,
        "two runs of some 20 steps at 1e-6; the way back contracts",
        { detectable: "5e-5, a twentieth of what images are held to" },
      );
    }
  },
);

claim("spherical interpolation keeps the norm of codes of one length, and meets its ends", async (check) => {
  const [a, b] = [tf.tensor2d([[3, 0, 0, 4]]), tf.tensor2d([[0, 5, 0, 0]])];
  const between = await interpolateLatents(a, b, [0, 0.25, 0.5, 1]);
  const rows = await between.array() as number[][];
  tf.dispose([a, b, between]);
  const half = Math.SQRT1_2;
  const eighth = [Math.cos(Math.PI / 8), Math.sin(Math.PI / 8)];
  const expected = [
    [3, 0, 0, 4],
    [3 * eighth[0], 5 * eighth[1], 0, 4 * eighth[0]],
    [3 * half, 5 * half, 0, 4 * half],
    [0, 5, 0, 0],
  ];
  const worst = Math.max(
    ...expected.flatMap((row, i) => row.map((value, j) => Math.abs(value - rows[i][j]))),
  );
  check.atMost(
    "largest error at weights 0, ¼, ½ and 1",
    worst,
    2e-6,
    "a quarter turn, in equal parts; float32",
  );
});
