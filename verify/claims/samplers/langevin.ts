/**
 * Langevin dynamics, the predictor-corrector composition and annealed Langevin dynamics, by their exact distributions.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { annealedLangevin } from "../../../src/samplers/annealed_langevin.ts";
import { langevin } from "../../../src/samplers/langevin.ts";
import { predictorCorrector } from "../../../src/samplers/predictor_corrector.ts";
import { reverseDiffusion } from "../../../src/samplers/reverse_diffusion.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import { noiseRatio, type Sde } from "../../../src/diffusion/sde.ts";
import { type GridConfig, timeGrid } from "../../../src/diffusion/time_grid.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { marginalVariance, responseOf } from "../../problems/gaussian_1d.ts";
import { narrowSdes } from "../../problems/sdes.ts";
import { type ImpulseResponse, outputMean, outputVariance } from "../../instruments/impulse_response.ts";
import { NormalRng } from "../../instruments/scripted_rng.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const mean = 0.7;
const s0Squared = 0.25;

/** Variance C(t) of x_t. */
function varianceAt(sde: Sde, t: number): number {
  return marginalVariance({ sde, s0Squared }, t);
}

async function probe(sde: Sde, sampler: Sampler, grid: GridConfig | Float64Array): Promise<ImpulseResponse> {
  return await responseOf({ sde, s0Squared, m0: mean }, sampler, grid);
}

/** Mean offset and variance after n steps x ← x + ε s + √(2ε) z on N(·, c): offset (1 − ε/c)^n, variance to c/(1 − ε/2c). */
function afterLangevin(
  n: number,
  epsilon: number,
  c: number,
  offset: number,
  variance: number,
): [number, number] {
  const shrink = (1 - epsilon / c) ** n;
  const stationary = c / (1 - epsilon / (2 * c));
  return [offset * shrink, stationary + shrink ** 2 * (variance - stationary)];
}

claim(
  "unadjusted Langevin with step ε settles at variance C/(1 − ε/2C), at the time of the corrected state",
  async (check) => {
    for (const [name, sde] of Object.entries(narrowSdes)) {
      const [t, s] = [0.6, 0.5];
      const c = varianceAt(sde, s);
      const epsilon = 0.4 * c;
      for (const steps of [1, 3, 60]) {
        const sampler = langevin({ steps, stepSize: (time) => time === s ? epsilon : NaN });
        const response = await probe(sde, sampler, Float64Array.of(t, s));
        const start = varianceAt(sde, t);
        const [offset, variance] = afterLangevin(steps, epsilon, c, 1 - sde.alpha(s) * mean, start);
        const rounding = 2 ** -20;
        check.within(
          `${name}: variance after ${steps} steps`,
          outputVariance(response, start),
          variance,
          variance * rounding,
          "the AR(1) recursion's closed form",
          {
            detectable: "1e-6 of the variance",
          },
        );
        check.within(
          `${name}: mean after ${steps} steps from 1`,
          outputMean(response, 1),
          sde.alpha(s) * mean + offset,
          rounding * Math.max(1, Math.abs(offset)),
          "(1 − ε/C)ⁿ of the offset",
        );
      }
      const stationary = outputVariance(
        await probe(sde, langevin({ steps: 60, stepSize: () => epsilon }), Float64Array.of(t, s)),
        c,
      );
      check.within(
        `${name}: stationary variance`,
        stationary,
        c / 0.8,
        c * 1e-6,
        "C/(1 − ε/2C) at ε = 0.4 C",
      );
    }
  },
);

claim("Langevin's step follows the snr rule with each sample's own norms", async (check) => {
  const [t, s, snr] = [0.3, 0.28, 0.2];
  const rows = 4;
  const width = 6;
  for (const [name, sde] of Object.entries(narrowSdes)) {
    const model = scoreModel(
      new Gaussian({ mean: new Float64Array(width), variances: new Float64Array(width).fill(s0Squared) }),
      sde,
    );
    const x = tf.tidy(() => createRng(5).normal([rows, width]).mul(tf.tensor2d([[1], [0.1], [3], [10]])));
    const stepper = langevin({ snr, steps: 1, rule: "langevin" }).start(model, createRng(6));
    const moved = await stepper.step(x, t, s);
    const [before, after] = [await x.data(), await moved.data()];
    const z = createRng(6).normalValues([rows, width]);
    const squared = (values: ArrayLike<number>) => Array.from(values).reduce((sum, v) => sum + v * v, 0);
    let worst = 0;
    for (let row = 0; row < rows; row++) {
      const of = (values: Float32Array) => Array.from(values.subarray(row * width, (row + 1) * width));
      const score = of(before as Float32Array).map((value) => -value / varianceAt(sde, s));
      const damping = (sde.alpha(s) / sde.alpha(2 * s - t)) ** 2;
      const epsilon = 2 * damping * snr ** 2 * squared(of(z)) / squared(score);
      of(before as Float32Array).forEach((value, i) => {
        const expected = value + epsilon * score[i] + Math.sqrt(2 * epsilon) * of(z)[i];
        const size = Math.abs(value) + Math.sqrt(2 * epsilon);
        worst = Math.max(worst, Math.abs(of(after as Float32Array)[i] - expected) / size);
      });
    }
    tf.dispose([x, moved]);
    check.atMost(
      `${name}: largest relative deviation`,
      worst,
      16 * 2 ** -23,
      "ε = 2a (r‖z‖/‖s‖)² in float64, Song et al. Alg. 4 and 5",
      {
        detectable: "2e-6 of a step, so also a norm of the batch instead of the sample",
      },
    );
  }
});

claim("the snr rule in many dimensions settles at C (1 + r²)", async (check) => {
  // With z of norm √d and orthogonal to x, the law of large numbers holds exactly: ‖x‖² has no fluctuation.
  const sde = narrowSdes["VE"];
  const s = 0.5;
  const c = varianceAt(sde, s);
  const model = scoreModel(
    new Gaussian({ mean: [0, 0, 0, 0], variances: [1, 1, 1, 1].map(() => s0Squared) }),
    sde,
  );
  for (const snr of [0.16, 0.4]) {
    const stepper = langevin({ snr, steps: 1, rule: "langevin" }).start(model, new OrthogonalRng(() => x));
    let x: tf.Tensor = tf.tidy(() => tf.tensor2d([[1, 0, 0, 0]]).mul(2 * Math.sqrt(c)));
    for (let i = 0; i < Math.ceil(5 / snr ** 2); i++) {
      const next = await stepper.step(x, s, s);
      x.dispose();
      x = next;
    }
    const squares = await x.square().mean().data();
    x.dispose();
    check.within(
      `r = ${snr}: ‖x‖²/d over C`,
      squares[0] / c,
      1 + snr ** 2,
      2e-6,
      "fixed point of V' = (1 − ε/C)² V + 2ε, ε = 2r²C²/V",
      {
        detectable: "2e-6 of the variance; a factor √2 in the noise moves it by more than r²",
      },
    );
  }
});

/** Draws that have norm √d and are orthogonal to a state [1, 4]. */
class OrthogonalRng extends NormalRng {
  readonly #current: () => tf.Tensor;

  constructor(current: () => tf.Tensor) {
    super();
    this.#current = current;
  }

  override normal(): tf.Tensor {
    return tf.tidy(() => {
      const [a, b, c, d] = tf.split(this.#current(), 4, 1);
      const turned = tf.concat([b.neg(), a, d.neg(), c], 1);
      return turned.mul(2).div(turned.norm());
    });
  }
}

claim("predictor-corrector corrects at the time that the predictor reached", async (check) => {
  for (const [name, sde] of Object.entries(narrowSdes)) {
    const grid = Float64Array.of(0.62, 0.6, 0.58, 0.56);
    const stepSize = (t: number) => 0.3 * varianceAt(sde, t);
    const corrector = langevin({ steps: 2, stepSize });
    const observed = outputVariance(
      await probe(sde, predictorCorrector({ predictor: reverseDiffusion(), corrector }), grid),
      varianceAt(sde, grid[0]),
    );
    let variance = varianceAt(sde, grid[0]);
    for (let i = 0; i < 3; i++) {
      const step = await probe(sde, reverseDiffusion(), grid.slice(i, i + 2));
      const c = varianceAt(sde, grid[i + 1]);
      [, variance] = afterLangevin(2, stepSize(grid[i + 1]), c, 0, outputVariance(step, variance));
    }
    check.within(
      `${name}: variance after three steps`,
      observed,
      variance,
      1e-6 * variance,
      "the predictor's own probe, then the closed form at s",
      {
        detectable: "1e-6; a corrector at the stale time shifts it by percents",
      },
    );
  }
});

claim(
  "predictor-corrector at a fixed step ε = 2r²C has no order but a floor: V → C/(1 − r²)",
  async (check) => {
    const snr = 0.16;
    for (const [name, sde] of Object.entries(narrowSdes)) {
      const stepSize = (t: number) => 2 * snr ** 2 * varianceAt(sde, t);
      const sampler = predictorCorrector({
        predictor: reverseDiffusion(),
        corrector: langevin({ stepSize }),
      });
      const excess = [];
      for (const steps of [80, 160, 320]) {
        const response = await probe(sde, sampler, { kind: "log-snr", steps });
        excess.push(outputVariance(response, varianceAt(sde, sde.tMax)) / varianceAt(sde, sde.tMin) - 1);
      }
      const limit = (excess[0] - 6 * excess[1] + 8 * excess[2]) / 3;
      const floor = snr ** 2 / (1 - snr ** 2);
      check.within(
        `${name}: V/C − 1, extrapolated to N = ∞`,
        limit,
        floor,
        0.02 * floor,
        "the corrector's own stationary distribution",
        {
          detectable: "5e-4 of the variance",
        },
      );
    }
  },
);

claim(
  "annealed Langevin dynamics has the distribution of its steps at every level, under any SDE",
  async (check) => {
    for (const [name, sde] of Object.entries(narrowSdes)) {
      const grid = timeGrid(sde, { kind: "log-snr", steps: 6 });
      const lowest = noiseRatio(sde, sde.tMin);
      for (const epsilon of [undefined, 0.25 * lowest ** 2]) {
        const steps = 5;
        const response = await probe(sde, annealedLangevin({ steps, langevinStep: epsilon }), grid);
        // In y = x/α, whose distribution at a level is N(m0, s0² + ν²).
        let offset = 1 / sde.alpha(grid[0]) - mean;
        let variance = 1 / sde.alpha(grid[0]) ** 2;
        for (const t of grid.slice(1)) {
          const level = noiseRatio(sde, t);
          const alphaI = (epsilon ?? 0.1 * lowest ** 2) * level ** 2 / lowest ** 2;
          [offset, variance] = afterLangevin(steps, alphaI, s0Squared + level ** 2, offset, variance);
        }
        const alpha = sde.alpha(sde.tMin);
        const what = `${name}, ε = ${epsilon === undefined ? "default" : "0.25 σ_L²"}`;
        check.within(
          `${what}: variance`,
          outputVariance(response, 1),
          alpha ** 2 * variance,
          2e-6 * variance,
          "Song & Ermon 2020, Alg. 1, in closed form; 2019, Alg. 1 with 2ε",
          {
            detectable: "2e-6 of the variance",
          },
        );
        check.within(
          `${what}: mean`,
          outputMean(response, 1),
          alpha * (mean + offset),
          2e-6 * (1 + Math.abs(offset)),
          "the same",
        );
      }
    }
  },
);
