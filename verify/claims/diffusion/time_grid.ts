/**
 * The times that samplers visit.
 * @module
 */
import { linearBetas } from "../../../src/diffusion/beta_schedule.ts";
import { discreteDdpm, halfLogSnr, noiseRatio, type Sde, veSde, vpSde } from "../../../src/diffusion/sde.ts";
import { flowSde } from "../../../src/diffusion/flow_sde.ts";
import { type GridConfig, timeGrid } from "../../../src/diffusion/time_grid.ts";
import { allSdes } from "../../problems/sdes.ts";
import { claim } from "../../suite/claim.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";

const sdes: readonly Sde[] = [
  ...allSdes,
  vpSde({ tMin: 1e-4, tMax: 0.7 }),
];
const kinds = ["uniform", "quadratic", "log-snr", "karras", "shifted"] as const;

claim("a grid of N steps has N + 1 times, strictly decreasing, with exact ends", async (check) => {
  await checkProperty(
    check,
    "any SDE, kind, number of steps, ρ and shift",
    fc.tuple(
      fc.constantFrom(...sdes),
      fc.constantFrom(...kinds),
      fc.integer({ min: 1, max: 1200 }),
      fc.double({ min: 0.5, max: 12, noNaN: true }),
      fc.double({ min: 0.2, max: 20, noNaN: true }),
    ),
    ([sde, kind, steps, rho, shift]) => {
      const times = timeGrid(sde, { kind, steps, rho, shift });
      return times.length === steps + 1 && times[0] === sde.tMax && times[steps] === sde.tMin &&
        times.every((t, i) => i === 0 || t < times[i - 1]);
    },
    "the definition of a grid",
  );
});

claim("each grid is equally spaced in its own variable", (check) => {
  const variables: Record<
    Exclude<GridConfig["kind"], "levels" | "indices">,
    (sde: Sde, t: number) => number
  > = {
    "uniform": (_, t) => t,
    "quadratic": (_, t) => Math.sqrt(t),
    "log-snr": (sde, t) => halfLogSnr(sde, t),
    "karras": (sde, t) => noiseRatio(sde, t) ** (1 / 7),
    "shifted": (sde, t) => noiseRatio(sde, t) / (noiseRatio(sde, t) + 3),
  };
  for (const sde of sdes) {
    for (const kind of kinds) {
      const values = [...timeGrid(sde, { kind, steps: 40 })].map((t) => variables[kind](sde, t));
      const spacing = (values[40] - values[0]) / 40;
      const worst = Math.max(...values.map((value, i) => Math.abs(value - values[0] - i * spacing)));
      check.atMost(
        `${kind} under ${sde.config.kind}: deviation from equal spacing`,
        worst / Math.abs(spacing),
        1e-10,
        "rounding of time (1e-16) times the variable's slope over its spacing, below 1e5",
        { detectable: "1e-10 of a step" },
      );
    }
  }
});

claim("Karras' grid is the published one", (check) => {
  // EDM's own: σ_min = 0.002, σ_max = 80, ρ = 7, N = 18 levels.
  const sde = veSde({ sigmaMin: 0.002, sigmaMax: 80, tMin: 0 });
  const times = timeGrid(sde, { kind: "karras", steps: 17 });
  for (let i = 0; i < 18; i++) {
    const sigma = (80 ** (1 / 7) + i / 17 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7;
    check.within(`σ_${i}`, sde.sigma(times[i]), sigma, 1e-12 * sigma, "Karras et al. 2022, eq. 5", {
      detectable: "1e-12 relative",
    });
  }
  const linear = timeGrid(sde, { kind: "karras", steps: 2, rho: 1 });
  check.within("ρ = 1 is linear in ν", sde.sigma(linear[1]), 40.001, 1e-10, "Karras et al. 2022, eq. 5");
});

claim("a shifted grid of the flow is Stable Diffusion 3's, s t/(1 + (s − 1) t) of equal times", (check) => {
  for (const [tMin, tMax] of [[1e-3, 0.999], [0.05, 0.8]]) {
    const sde = flowSde({ tMin, tMax });
    for (const shift of [undefined, 1, 0.4, 6]) {
      const s = shift ?? 3;
      const times = timeGrid(sde, { kind: "shifted", steps: 25, shift });
      // The equal times between which the shift leads to tMax and tMin.
      const [first, last] = [tMax, tMin].map((t) => t / (s - (s - 1) * t));
      const equal = Array.from(times, (_, i) => first + i / 25 * (last - first));
      const worst = Math.max(...equal.map((t, i) => Math.abs(s * t / (1 + (s - 1) * t) / times[i] - 1)));
      check.atMost(
        `shift ${shift ?? "3, the default"}, ${tMin} to ${tMax}`,
        worst,
        1e-12,
        "Esser et al. 2024, eq. 23",
      );
    }
  }
});

claim("a grid of listed indices has their times, and others are refused by name", async (check) => {
  const chain = discreteDdpm(linearBetas(20));
  const grid = (indices: unknown, sde = chain, steps = 2) => () =>
    timeGrid(sde, { kind: "indices", steps, indices } as GridConfig);
  check.equal("18, 6.5, 0 of 20", [...grid([18, 6.5, 0])()], [19 / 20, 7.5 / 20, 1 / 20], "(index + 1)/N");
  const order = /^the indices of a grid must decrease strictly from at most 19 to at least 0, got \[/;
  await check.throws("upwards", grid([0, 5, 19]), order);
  await check.throws("twice the same", grid([5, 5, 1]), order);
  await check.throws("below 0", grid([5, 1, -1]), order);
  await check.throws("beyond the last", grid([20, 1, 0]), order);
  await check.throws("NaN", grid([NaN, 1, 0]), order);
  await check.throws("too few", grid([5, 1]), /^an indices grid of 2 steps needs 3 indices, got 2$/);
  await check.throws("none", grid(undefined), /^indices must be a list of numbers, got undefined$/);
  await check.throws(
    "another SDE",
    grid([2, 1, 0], vpSde()),
    /^an indices grid is for a discrete-time DDPM, whose steps it lists, got the SDE vp$/,
  );
});

claim("an invalid grid is refused with the value and what is allowed", async (check) => {
  const grid = (config: unknown) => () => timeGrid(vpSde(), config as GridConfig);
  await check.throws(
    "no steps",
    grid({ kind: "uniform", steps: 0 }),
    /^steps must be a positive integer, got 0$/,
  );
  await check.throws(
    "half a step",
    grid({ kind: "uniform", steps: 2.5 }),
    /^steps must be a positive integer, got 2.5$/,
  );
  await check.throws("NaN steps", grid({ kind: "uniform", steps: NaN }), /got NaN$/);
  await check.throws(
    "ρ of 0",
    grid({ kind: "karras", steps: 5, rho: 0 }),
    /^rho must be a positive number, got 0$/,
  );
  await check.throws(
    "a ρ at which ν^(1/ρ) overflows",
    grid({ kind: "karras", steps: 5, rho: 2 ** -10 }),
    /^rho must be so large that float64 has ν\^\(1\/rho\), got 0\.0009765625$/,
  );
  await check.throws("a ρ at which it does not", grid({ kind: "karras", steps: 5, rho: 0.02 }), /^no error$/);
  await check.throws(
    "unknown kind",
    grid({ kind: "cosine", steps: 5 }),
    /^unknown grid "cosine": use "uniform", "quadratic", "log-snr", "karras", "shifted", "levels" or "indices"$/,
  );
});

claim(
  "the levels grid has the ratios for digits where none are given, and no grid has more steps than allowed",
  async (check) => {
    for (const [i, ratios] of [[], [1.2], [2, 0.5], [3, 1.2, 0.4]].entries()) {
      for (const sde of allSdes) {
        const times = timeGrid(sde, { kind: "levels", steps: i + 1 });
        const reached = [...times.subarray(1, i + 1)].map((t) => noiseRatio(sde, t));
        const worst = Math.max(0, ...ratios.map((ratio, k) => Math.abs(reached[k] / ratio - 1)));
        check.atMost(`${sde.config.kind}, ${i + 1} steps`, worst, 1e-9, "GridConfig's documentation");
      }
    }
    await check.throws(
      "more steps than a grid may have",
      () => timeGrid(vpSde(), { kind: "uniform", steps: 1e7 + 1 }),
      /^steps must be at most 10000000, got 10000001$/,
    );
  },
);
