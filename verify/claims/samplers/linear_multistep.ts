/**
 * The linear multistep solvers of noises, LMS, DEIS, iPNDM, PNDM and PLMS, against their equations in float64, and their orders.
 * @module
 */
import { noiseRatio, type Sde } from "../../../src/diffusion/sde.ts";
import { deis } from "../../../src/samplers/deis.ts";
import { ipndm } from "../../../src/samplers/ipndm.ts";
import { lms } from "../../../src/samplers/lms.ts";
import { plms, pndm } from "../../../src/samplers/pndm.ts";
import {
  checkRecursion,
  type Method,
  noiseOfRatio,
  type Recursion,
  s0Squared,
  simpson,
} from "../../instruments/gaussian_recursion.ts";
import { marginalVariance } from "../../problems/gaussian_1d.ts";
import { narrowSdes } from "../../problems/sdes.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

/** Where a solver's polynomials have their nodes: the point k of a grid, and between two points v, dν = density(v) dv. */
interface Variable {
  readonly at: (sde: Sde, times: Float64Array, k: number) => number;
  readonly density: (v: number, ratios: readonly [number, number]) => number;
}

const byNoiseRatio: Variable = { at: (sde, times, k) => noiseRatio(sde, times[k]), density: () => 1 };
const byLambda: Variable = {
  at: (sde, times, k) => -Math.log(noiseRatio(sde, times[k])),
  density: (lambda) => -Math.exp(-lambda),
};
/** As if the points were equally spaced in ν. */
const byIndex: Variable = { at: (_, __, k) => k, density: (_, [from, to]) => to - from };

const recursions: readonly Recursion[] = [
  ...([
    ["lms", lms(), linear(4, byNoiseRatio)],
    ["lms of order 3", lms({ solverOrder: 3 }), linear(3, byNoiseRatio)],
    ["deis", deis(), linear(3, byLambda)],
    ["deis of order 2", deis({ solverOrder: 2 }), linear(2, byLambda)],
    ["ipndm", ipndm(), linear(4, byIndex)],
    ["ipndm of order 3", ipndm({ solverOrder: 3 }), linear(3, byIndex)],
    ["pndm", pndm(), pseudoMultistep(3, [[0, 0.5, 0.5, 1], [1 / 6, 1 / 3, 1 / 3, 1 / 6]])],
    ["plms", plms(), pseudoMultistep(1, [[0, 1], [1 / 2, 1 / 2]])],
  ] as const).map(([name, sampler, method]) => ({ name, sampler, method, deterministic: true })),
];

for (const recursion of recursions) {
  claim(
    `${recursion.name} on Gaussian data agrees with its equations in float64`,
    async (check) => await checkRecursion(check, recursion),
  );
}

/** Linear multistep solvers: the integral over a step of the polynomial through the noises at its start and at the points before. */
function linear(order: number, { at, density }: Variable): Method {
  return (sde, times) => {
    const noises: number[] = [];
    let y = 1 / sde.alpha(times[0]);
    for (let k = 0; k + 1 < times.length; k++) {
      const ratios = [noiseRatio(sde, times[k]), noiseRatio(sde, times[k + 1])] as const;
      noises.push(y * noiseOfRatio(ratios[0]));
      const nodes = Array.from({ length: Math.min(order, k + 1) }, (_, j) => k - j);
      const places = nodes.map((j) => at(sde, times, j));
      // Neville's scheme.
      const polynomial = (v: number) => {
        let values = nodes.map((j) => noises[j]);
        for (let width = 1; width < nodes.length; width++) {
          values = values.slice(1).map((value, i) =>
            ((v - places[i]) * value - (v - places[i + width]) * values[i]) / (places[i + width] - places[i])
          );
        }
        return values[0];
      };
      y += simpson(at(sde, times, k), at(sde, times, k + 1), (v) => density(v, ratios) * polynomial(v));
    }
    return [y * sde.alpha(times[times.length - 1])];
  };
}

/**
 * Four-step Adams–Bashforth with DDIM's steps after `count` steps of a Runge–Kutta rule with them: where in time its noises are
 * predicted, each after DDIM's step with the one before, and their weights.
 */
function pseudoMultistep(
  count: number,
  [places, weights]: readonly [readonly number[], readonly number[]],
): Method {
  return (sde, times) => {
    const noises: number[] = [];
    let y = 1 / sde.alpha(times[0]);
    for (let k = 0; k + 1 < times.length; k++) {
      const ratioAt = (part: number) => noiseRatio(sde, times[k] + part * (times[k + 1] - times[k]));
      const from = ratioAt(0);
      noises.push(noiseOfRatio(from) * y);
      let noise: number;
      if (k < count) {
        noise = 0;
        let own = noises[k];
        for (const [i, part] of places.entries()) {
          own = noiseOfRatio(ratioAt(part)) * (y + (ratioAt(part) - from) * own);
          noise += weights[i] * own;
        }
      } else {
        // Adams and Bashforth's weights from backward differences: 1, 1/2, 5/12, 3/8.
        let differences = noises.slice(-4).toReversed();
        noise = 0;
        for (const weight of [1, 1 / 2, 5 / 12, 3 / 8].slice(0, differences.length)) {
          noise += weight * differences[0];
          differences = differences.slice(1).map((value, i) => differences[i] - value);
        }
      }
      y += (ratioAt(1) - from) * noise;
    }
    return [y * sde.alpha(times[times.length - 1])];
  };
}

claim(
  "linear multistep solvers have the order of their number of noises after a start that is fine enough",
  (check) => {
    const problem = { sde: narrowSdes["VP"], s0Squared };
    const { sde } = problem;
    const exact = Math.sqrt(marginalVariance(problem, sde.tMin) / marginalVariance(problem, sde.tMax));
    // Steps that grow with the square of their number, so that the first, of order 1, are of the square of the others.
    const graded = (steps: number) => {
      const lambda = (t: number) => -Math.log(noiseRatio(sde, t));
      const [from, to] = [lambda(sde.tMax), lambda(sde.tMin)];
      return Float64Array.from(
        { length: steps + 1 },
        (_, k) => sde.timeAtHalfLogSnr(from + (to - from) * (k / steps) ** 2),
      );
    };
    const solvers = { lms: { variable: byNoiseRatio, largest: 4 }, deis: { variable: byLambda, largest: 3 } };
    for (const [name, { variable, largest }] of Object.entries(solvers)) {
      for (let order = 1; order <= largest; order++) {
        const [coarse, fine] = [256, 512].map((steps) =>
          Math.abs(
            linear(order, variable)(sde, graded(steps), () => NaN)[0] - exact,
          )
        );
        check.within(
          `${name} of order ${order}: order`,
          Math.log2(coarse / fine),
          order,
          0.15,
          "Adams and Bashforth's methods",
        );
      }
    }
  },
);
