/**
 * DPM-Solver-3 against its equations in float64.
 * @module
 */
import { noiseRatio, type Sde } from "../../../src/diffusion/sde.ts";
import { dpmSolver3 } from "../../../src/samplers/dpm_solver_singlestep.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import {
  checkRecursion,
  type Coefficients,
  noiseOfRatio,
  type Recursion,
  simpson,
} from "../../instruments/gaussian_recursion.ts";
import { thirdsGain } from "../../reference/error_constants.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const recursions: readonly Recursion[] = [
  { name: "dpm-solver-3", sampler: samplerByName("dpm-solver-3"), method: thirds, deterministic: true },
  {
    name: "dpm-solver-3 with the parabola's integral",
    sampler: dpmSolver3({ solverType: "heun" }),
    method: parabolas,
    deterministic: true,
  },
];

for (const recursion of recursions) {
  claim(
    `${recursion.name} on Gaussian data agrees with its equations in float64`,
    async (check) => await checkRecursion(check, recursion),
  );
}

/** DPM-Solver-3 with its slopes from thirds of a step. */
function thirds(sde: Sde, times: Float64Array): Coefficients {
  let y = 1 / sde.alpha(times[0]);
  for (let k = 0; k + 1 < times.length; k++) {
    const [from, to] = [noiseRatio(sde, times[k]), noiseRatio(sde, times[k + 1])];
    y *= thirdsGain(from, Math.log(from / to), noiseOfRatio);
  }
  return [y * sde.alpha(times[times.length - 1])];
}

/** DPM-Solver-3 with the exact integral of the parabola through its noises, by Simpson's rule; the second of them with a line. */
function parabolas(sde: Sde, times: Float64Array): Coefficients {
  let y = 1 / sde.alpha(times[0]);
  for (let k = 0; k + 1 < times.length; k++) {
    const from = noiseRatio(sde, times[k]);
    const h = Math.log(from / noiseRatio(sde, times[k + 1]));
    const third = h / 3;
    const moved = (part: number, noises: readonly number[]) =>
      y - simpson(0, part * h, (u) => {
        const basis = (j: number) =>
          noises.reduce((product, _, m) => m === j ? product : product * (u / third - m) / (j - m), 1);
        return from * Math.exp(-u) * noises.reduce((sum, noise, j) => sum + noise * basis(j), 0);
      });
    const noises = [noiseOfRatio(from) * y];
    noises.push(noiseOfRatio(from * Math.exp(-third)) * moved(1 / 3, noises));
    noises.push(noiseOfRatio(from * Math.exp(-2 * third)) * moved(2 / 3, noises));
    y = moved(1, noises);
  }
  return [y * sde.alpha(times[times.length - 1])];
}
