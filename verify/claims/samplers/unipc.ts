/**
 * UniPC against its equations in float64, its orders, and what its authors' program does otherwise.
 * @module
 */
import { noiseRatio, type Sde } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { bFunctions, solverPredictions, unipc, type UnipcOptions } from "../../../src/samplers/unipc.ts";
import {
  checkRecursion,
  type Coefficients,
  gridsOfEndings,
  type Recursion,
  s0Squared,
} from "../../instruments/gaussian_recursion.ts";
import { marginalVariance } from "../../problems/gaussian_1d.ts";
import { narrowSdes } from "../../problems/sdes.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const recursions: readonly Recursion[] = [
  ...([
    ["unipc", {}],
    ["unipc with DDIM's last step", { lastStep: "ddim" }],
    ["unipc of order 3", { solverOrder: 3 }],
    ["unipc of data", { solverPrediction: "data" }],
    ["unipc of order 1 with B(h) = h", { solverOrder: 1, bFunction: "bh1" }],
    ["unipc of data with B(h) = e^h − 1", { bFunction: "bh2", solverPrediction: "data" }],
    ["unipc of order 3 of data with B(h) = h", {
      solverOrder: 3,
      bFunction: "bh1",
      solverPrediction: "data",
    }],
  ] as const).map(([name, options]) => ({
    name,
    sampler: unipc(options),
    method: (sde: Sde, times: Float64Array) => correctedMultistep(sde, times, options),
    deterministic: true,
    ...("lastStep" in options ? { grids: gridsOfEndings } : {}),
  })),
];

for (const recursion of recursions) {
  claim(
    `${recursion.name} on Gaussian data agrees with its equations in float64`,
    async (check) => await checkRecursion(check, recursion),
  );
}

/** φ_1(h) = (e^h − 1)/h, φ_{k+1}(h) = (φ_k(h) − 1/k!)/h (Zhao et al. 2023), by its series Σ_n h^n/(n + k)!. */
function phi(k: number, h: number): number {
  let term = 1;
  for (let n = 2; n <= k; n++) term /= n;
  let total = 0;
  for (let n = 0; n < 60; n++) {
    total += term;
    term *= h / (n + k + 1);
  }
  return total;
}

/** The solution of a small linear system, by Cramer's rule. */
function solved(rows: readonly (readonly number[])[], right: readonly number[]): number[] {
  const determinant = (m: readonly (readonly number[])[]): number =>
    m.length === 0 ? 1 : m[0].reduce(
      (sum, value, j) =>
        sum + (-1) ** j * value * determinant(m.slice(1).map((row) => row.filter((_, k) => k !== j))),
      0,
    );
  return right.map((_, j) =>
    determinant(rows.map((row, i) => row.map((value, k) => k === j ? right[i] : value))) / determinant(rows)
  );
}

/**
 * UniPC-p by its equations (Zhao et al. 2023): R_p(h) a B(h) = φ_p(h), a = 1/2 where there is one; for data with h < 0.
 * The last step may be of order 1, from the corrected state. `weights` may give the a B(h) of a step in another way.
 */
function correctedMultistep(
  sde: Sde,
  times: Float64Array,
  { solverOrder = 2, bFunction = "varying", solverPrediction = "noise", lastStep = "own" }: UnipcOptions,
  weights = (r: readonly number[], h: number) => {
    if (bFunction !== "varying" && r.length === 1) return [(bFunction === "bh1" ? h : Math.expm1(h)) / 2];
    const rows = r.map((_, i) => r.map((value) => value ** i));
    return solved(rows, r.map((_, i) => h * phi(i + 2, h) * [1, 2, 6][i]));
  },
): Coefficients {
  const lambdas = Array.from(times, (t) => -Math.log(noiseRatio(sde, t)));
  const ofData = solverPrediction === "data";
  const values: number[] = [];
  /** The state y = x/α at point k + 1 from y at point k, by the values at the points of `nodes`, the first of which is k. */
  const moved = (y: number, k: number, nodes: readonly number[]) => {
    const h = lambdas[k + 1] - lambdas[k];
    const signed = ofData ? -h : h;
    const others = nodes.slice(1);
    const r = others.map((j) => (lambdas[j] - lambdas[k]) / h);
    const slopes = others.map((j, i) => (values[j] - values[k]) / r[i]);
    const sum = weights(r, signed).reduce((sum, weight, i) => sum + weight * slopes[i], 0);
    const change = Math.expm1(signed) * values[k] + (r.length === 0 ? 0 : sum);
    return ofData ? y * Math.exp(-h) - change : y - Math.exp(-lambdas[k + 1]) * change;
  };
  let settled = 1 / sde.alpha(times[0]); // corrected, at the last step's start
  let y = settled;
  for (let k = 0; k + 1 < times.length; k++) {
    const ratio = noiseRatio(sde, times[k]);
    values.push(y * (ofData ? s0Squared : ratio) / (s0Squared + ratio ** 2));
    const before = (from: number) =>
      Array.from({ length: Math.min(solverOrder, from + 1) }, (_, j) => from - j);
    if (k > 0) settled = moved(settled, k - 1, [...before(k - 1), k]);
    y = moved(settled, k, lastStep === "ddim" && k + 2 === times.length ? [k] : before(k));
  }
  return [y * sde.alpha(times[times.length - 1])];
}

claim(
  "UniPC-p has order p + 1, whatever its B(h) and its prediction",
  (check) => {
    const problem = { sde: narrowSdes["VP"], s0Squared };
    const { sde } = problem;
    const exact = Math.sqrt(marginalVariance(problem, sde.tMin) / marginalVariance(problem, sde.tMax));
    for (const solverOrder of [1, 2, 3]) {
      for (const bFunction of bFunctions) {
        for (const solverPrediction of solverPredictions) {
          const options = { solverOrder, bFunction, solverPrediction };
          const [coarse, fine] = [256, 512].map((steps) => {
            const times = timeGrid(sde, { kind: "log-snr", steps });
            return Math.abs(correctedMultistep(sde, times, options)[0] - exact);
          });
          check.within(
            `${Object.values(options)}: order`,
            Math.log2(coarse / fine),
            solverOrder + 1,
            0.15,
            "Zhao et al. 2023, Theorem 3.1; the first steps, of lower order, are where ε̂ and x̂_0 hardly change",
          );
        }
      }
    }
  },
);

claim("UniPC's coefficients keep order 3, which those of its authors' program do not", (check) => {
  // UniPC_v of Zhao et al. 2023: Σ_k h φ_{k+1}(h) A_km D_m/r_m, where A is the inverse of C_mk = r_m^{k−1}/k!. With r = (r, 1).
  const varying = (stale: boolean) => (r: readonly number[], h: number) => {
    const one = h * phi(2, h);
    if (r.length === 1) return [one];
    const two = h * phi(3, h);
    const det = (r[1] - r[0]) / 2;
    const inverse = [[r[1] / 2 / det, -r[0] / 2 / det], [-1 / det, 1 / det]];
    // uni_pc.py, multistep_uni_pc_vary_update: the loop over k ends at K − 2, and the new value's weight is read with that k.
    if (stale) return [one * inverse[0][0], two * inverse[0][1]];
    return [0, 1].map((m) => one * inverse[0][m] + two * inverse[1][m]);
  };
  for (const [label, sde] of Object.entries(narrowSdes)) {
    const exact = Math.sqrt(
      marginalVariance({ sde, s0Squared }, sde.tMin) / marginalVariance({ sde, s0Squared }, sde.tMax),
    );
    const order = (stale: boolean) => {
      const [coarse, fine] = [256, 512].map((steps) => {
        const times = timeGrid(sde, { kind: "log-snr", steps });
        return Math.abs(correctedMultistep(sde, times, {}, varying(stale))[0] - exact);
      });
      return Math.log2(coarse / fine);
    };
    check.within(
      `${label}: order with the equations' coefficients`,
      order(false),
      3,
      0.15,
      "Zhao et al. 2023, Prop. 3.1",
    );
    check.within(
      `${label}: order with the program's`,
      order(true),
      1,
      0.15,
      "a step's error of the second power",
    );
  }
});
