/**
 * Strong orders from coupled noise, and what the last denoise does to the distribution.
 * @module
 */
import { samplerByName } from "../../../src/samplers/registry.ts";
import { eulerMaruyama } from "../../../src/samplers/euler_maruyama.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { marginalVariance, responseOf } from "../../problems/gaussian_1d.ts";
import { narrowSdes } from "../../problems/sdes.ts";
import { type ImpulseResponse, outputMean, outputVariance } from "../../instruments/impulse_response.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const m0 = 0.7;
const s0Squared = 0.25;

claim(
  "Euler–Maruyama has strong order 1, the noise being additive; geometric Brownian motion reads ½",
  async (check) => {
    const counts = [64, 128, 256];
    for (const [name, sde] of Object.entries(narrowSdes)) {
      const paths: ImpulseResponse[] = [];
      for (const steps of [...counts, 512]) {
        paths.push(
          await responseOf({ sde, s0Squared, m0 }, eulerMaruyama(), { kind: "uniform", steps }),
        );
      }
      const distances = counts.map((_, i) =>
        coupledDistance(paths[i], paths[i + 1], marginalVariance({ sde, s0Squared }, sde.tMax))
      );
      for (const i of [0, 1]) {
        check.within(
          `${name}: strong order, ${counts[i]} to ${counts[i + 1]} steps`,
          Math.log2(distances[i] / distances[i + 1]),
          1,
          0.1,
          "root mean square distance of paths on one Brownian motion, exact",
          { detectable: "noise that the drift does not see at the right time, which leaves order ½" },
        );
      }
    }
    const control = counts.map((steps) => geometricDistance(steps));
    check.within(
      "geometric Brownian motion: strong order",
      Math.log2(control[0] / control[1]),
      0.5,
      0.05,
      "multiplicative noise",
    );
  },
);

/** √E|X_N − X_2N|² where a coarse draw is the sum of its two fine ones over √2. */
function coupledDistance(coarse: ImpulseResponse, fine: ImpulseResponse, startVariance: number): number {
  const squares = fine.noise.reduce(
    (sum, [c], j) => sum + (coarse.noise[Math.floor(j / 2)][0] / Math.SQRT2 - c) ** 2,
    (coarse.gain[0] - fine.gain[0]) ** 2 * startVariance,
  );
  return Math.sqrt(squares + (outputMean(coarse, 0) - outputMean(fine, 0)) ** 2);
}

/** The same distance for Euler–Maruyama on dX = X/2 dt + X dw, X_0 = 1, to time 1: second moments multiply. */
function geometricDistance(steps: number): number {
  const h = 1 / steps;
  const [a, b, s] = [1 + h / 2, 1 + h / 4, Math.sqrt(h / 2)]; // coarse a + s(z1 + z2), fine (b + s z1)(b + s z2)
  const coarse = a ** 2 + 2 * s ** 2;
  const fine = (b ** 2 + s ** 2) ** 2;
  const both = a * b ** 2 + 2 * b * s ** 2;
  return Math.sqrt(coarse ** steps + fine ** steps - 2 * both ** steps);
}

claim("the final denoising removes the remaining noise and nothing else", async (check) => {
  const sharp = 1e-4; // s0 = 0.01: noise left over would be seen
  for (const [name, sde] of Object.entries(narrowSdes)) {
    const problem = { sde, s0Squared: sharp, m0 };
    const grid = { kind: "log-snr", steps: 60 } as const;
    const run = async (denoise: boolean) =>
      await responseOf(problem, samplerByName("dpm++2m"), grid, denoise);
    const [raw, denoised] = [await run(false), await run(true)];
    const start = marginalVariance(problem, sde.tMax);
    const alpha = sde.alpha(sde.tMin);
    const noisy = marginalVariance(problem, sde.tMin);
    const expected = (alpha * sharp / noisy) ** 2 * outputVariance(raw, start);
    check.within(
      `${name}: variance`,
      outputVariance(denoised, start),
      expected,
      1e-4 * expected,
      "E[x_0|x] = m + αs0²/C (x − αm), applied to the probe without it",
      {
        detectable: "1e-4 of the variance; the noise left at tMin is as large as the data's",
      },
    );
    check.within(`${name}: mean`, outputMean(denoised, sde.alpha(sde.tMax) * m0), m0, 1e-5, "the data's");
    check.equal(`${name}: evaluations`, denoised.evaluations - raw.evaluations, 1, "one network call");
  }
});
