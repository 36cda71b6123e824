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
const kinds = [
  "uniform",
  "quadratic",
  "log-snr",
  "karras",
  "polyexponential",
  "beta",
  "shifted",
  "align-your-steps",
] as const;

/** Kinds that are equally spaced in a variable of their own. */
const even = ["uniform", "quadratic", "log-snr", "karras", "shifted", "polyexponential"] as const;

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
      // The last step of a polyexponential grid is N^{−ρ} of the way: a large ρ leaves it no length, which is refused.
      const power = kind === "polyexponential" ? Math.min(rho, 3) : rho;
      const times = timeGrid(sde, { kind, steps, rho: power, shift });
      return times.length === steps + 1 && times[0] === sde.tMax && times[steps] === sde.tMin &&
        times.every((t, i) => i === 0 || t < times[i - 1]);
    },
    "the definition of a grid",
  );
});

claim("each grid is equally spaced in its own variable", (check) => {
  const variables: Record<typeof even[number], (sde: Sde, t: number) => number> = {
    "uniform": (_, t) => t,
    "quadratic": (_, t) => Math.sqrt(t),
    "log-snr": (sde, t) => halfLogSnr(sde, t),
    "karras": (sde, t) => noiseRatio(sde, t) ** (1 / 7),
    "shifted": (sde, t) => noiseRatio(sde, t) / (noiseRatio(sde, t) + 3),
    "polyexponential": (sde, t) => Math.max(0, halfLogSnr(sde, sde.tMin) - halfLogSnr(sde, t)) ** (1 / 3),
  };
  for (const sde of sdes) {
    for (const kind of even) {
      const rho = kind === "polyexponential" ? 3 : undefined;
      const values = [...timeGrid(sde, { kind, steps: 40, rho })].map((t) => variables[kind](sde, t));
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

claim(
  "the grids simple and sgm-uniform are those of the web interfaces, which end a step above the data",
  (check) => {
    const chain = discreteDdpm(linearBetas());
    const indices = (kind: "simple" | "sgm-uniform", steps: number) =>
      [...timeGrid(chain, { kind, steps })].map((t) => t * 1000 - 1);
    // ComfyUI's simple_scheduler, sigmas[-(1 + int(x · 1000/n))], n = steps + 1, in Python 3.11.
    const published = [
      [999, 899, 799, 699, 599, 499, 399, 299, 199, 99],
      [999, 857, 714, 571, 428, 285, 142],
      [999, 933, 866, 799, 733, 666, 599, 533, 466, 399, 333, 266, 199, 133, 66],
    ];
    for (const list of published) {
      const found = indices("simple", list.length - 1);
      check.equal(`simple, ${list.length} levels`, found.map(Math.round), list, "ComfyUI's indices");
      const whole = Math.max(...found.map((index) => Math.abs(index - Math.round(index))));
      check.atMost(`simple, ${list.length} levels: rounding`, whole, 1e-12, "whole indices");
      const n = list.length;
      const apart = indices("sgm-uniform", n - 1).map((index, x) => Math.abs(index - 999 * (1 - x / n)));
      check.atMost(`sgm-uniform, ${n} levels`, Math.max(...apart), 1e-10, "linspace(999, 0, n + 1)[:-1]");
    }
    const flow = flowSde({ tMin: 0.1, tMax: 0.8 });
    const onFlow = (kind: GridConfig["kind"]) => [...timeGrid(flow, { kind, steps: 3 })];
    for (const [kind, end] of [["simple", 0], ["sgm-uniform", 0.1]] as const) {
      const apart = onFlow(kind).map((t, i) => Math.abs(t - (0.8 + i / 4 * (end - 0.8))));
      check.atMost(
        `${kind} of another SDE`,
        Math.max(...apart),
        1e-15,
        `equal times from 0.8 to ${end}, without the last`,
      );
    }
  },
);

claim("a simple grid that would go below tMin is refused", async (check) => {
  const grid = (sde: Sde, steps: number) => () => timeGrid(sde, { kind: "simple", steps });
  const chain = discreteDdpm(linearBetas(20));
  await check.throws("all of 20", grid(chain, 19), /^no error$/);
  await check.throws(
    "21 of 20",
    grid(chain, 20),
    /^a simple grid must not go below tMin: it has at most 19 steps, got 20$/,
  );
  const flow = flowSde({ tMin: 0.1, tMax: 0.8 });
  await check.throws("8 levels", grid(flow, 7), /^no error$/);
  await check.throws("9 levels", grid(flow, 8), /^a simple grid .* has at most 7 steps, got 8$/);
});

claim("the beta grid has the quantiles of beta distributions", (check) => {
  const sde = vpSde({ tMin: 0.1, tMax: 0.9 });
  const at = (shape: number | undefined, steps: number) =>
    [...timeGrid(sde, { kind: "beta", steps, shape })].map((t) => (t - 0.1) / 0.8);
  const largest = (values: readonly number[], expected: (fraction: number) => number) =>
    Math.max(...values.map((x, i) => Math.abs(x - expected(1 - i / (values.length - 1)))));
  check.atMost(
    "a = 1/2: the arcsine distribution",
    largest(at(0.5, 37), (q) => Math.sin(Math.PI * q / 2) ** 2),
    1e-14,
    "P(X ≤ x) = 2/π asin √x",
  );
  check.atMost("a = 1: uniform", largest(at(1, 37), (q) => q), 1e-14, "P(X ≤ x) = x");
  check.atMost(
    "a = 2: the distribution function at the quantile",
    Math.max(...at(2, 37).map((x, i) => Math.abs(x * x * (3 - 2 * x) - (1 - i / 37)))),
    1e-14,
    "P(X ≤ x) = 3x² − 2x³",
  );
  // scipy.stats.beta.ppf(q, 0.6, 0.6) of scipy 1.16, q = 0.9 … 0.1.
  const published = [0.9604155944112192, 0.8770782495416671, 0.7659829961247643, 0.6372990092467856];
  const ours = at(undefined, 10);
  for (const [i, value] of published.entries()) {
    check.within(`a = 0.6, the default: step ${i + 1} of 10`, ours[i + 1], value, 1e-13, "scipy's quantiles");
    check.within(`a = 0.6: step ${9 - i} of 10`, ours[9 - i], 1 - value, 1e-13, "the density is symmetric");
  }
});

claim("the grid align-your-steps has the published levels, and their geometric means between", (check) => {
  // Sabour, Fidler & Kreis 2024, the authors' quick-start guide: SDXL in ten steps.
  const levels = [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.38, 0.234, 0.113, 0.029];
  const sde = veSde({ sigmaMin: 0.029, sigmaMax: 14.615, tMin: 0 });
  const at = (steps: number) =>
    [...timeGrid(sde, { kind: "align-your-steps", steps, model: "stable-diffusion-xl" })].map(sde.sigma);
  const [ten, twenty] = [at(10), at(20)];
  for (const [i, level] of levels.entries()) {
    check.within(`ν_${i} of 10 steps`, ten[i], level, 1e-12 * level, "the published list");
    check.within(`ν_${2 * i} of 20 steps`, twenty[2 * i], level, 1e-12 * level, "the published list");
    if (i === 10) continue;
    const middle = Math.sqrt(level * levels[i + 1]);
    check.within(`ν_${2 * i + 1} of 20 steps`, twenty[2 * i + 1], middle, 1e-12 * middle, "linear in ln ν");
  }
  // Another range of levels: ln ν is stretched.
  const wide = veSde({ sigmaMin: 0.029 ** 2, sigmaMax: 14.615 ** 2, tMin: 0 });
  const stretched = [
    ...timeGrid(wide, { kind: "align-your-steps", steps: 10, model: "stable-diffusion-xl" }),
  ];
  check.within("stretched: ν_4", wide.sigma(stretched[4]), 1.342 ** 2, 1e-12, "twice the range of ln ν");
  const plain = [...timeGrid(sde, { kind: "align-your-steps", steps: 10 })].map(sde.sigma);
  check.within("by default: ν_1", plain[1], 6.475, 1e-11, "the list of Stable Diffusion 1.5");
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
    /^unknown grid "cosine": use "uniform", "sgm-uniform", "simple", "quadratic", "log-snr", "karras", "shifted", "polyexponential", "beta", "align-your-steps", "levels" or "indices"$/,
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
