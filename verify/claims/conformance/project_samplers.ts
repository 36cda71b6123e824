/** Claims about this project's samplers as samplers under test. @module */
import { conform, type ConformanceGrid } from "../../../src/conformance/conform.ts";
import { projectSampler } from "../../../src/conformance/project_sampler.ts";
import type { Declarations, SamplerUnderTest } from "../../../src/conformance/sampler_under_test.ts";
import { odeDormandPrince } from "../../../src/samplers/ode_dopri5.ts";
import { samplerByName, samplerInfo } from "../../../src/samplers/registry.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import { samplerFacts } from "../../problems/sampler_facts.ts";
import { type Check, claim } from "../../suite/claim.ts";

/** What is measured of each: all that is exact, and fast. */
const only = [
  "evaluations",
  "first_level",
  "visited_levels",
  "last_level",
  "start_scale",
  "affine",
  "rows",
  "repeat",
  "noise_draws",
  "mean",
  "variance",
  "limit",
  "order",
  "process",
];

/** What the kit says against a sampler, with what is so by the sampler's own description. */
const known: Readonly<Record<string, readonly string[]>> = {
  // Its corrections are at the level to which a step leads, so that none is at the first, where the start is exact.
  "annealed-langevin": ["first_level", "visited_levels", "start_scale"],
  // A run numbers noises by the order of requests, so that attempts of one row move the noise of others; the sampler's own streams
  // are one for each step of the grid. Rows that have arrived draw noise with the others, and do not use it.
  "adaptive-sde by its tolerance": ["rows", "noise_draws"],
};

/** Holds samplers of the registry to what the kit finds: on their grids, with order and process as their rows have them. */
async function checkSamplers(check: Check, names: readonly string[]): Promise<void> {
  const sde = vpSde();
  for (const { name, order, path, grid, sampler } of samplerFacts) {
    if (!names.includes(name)) continue;
    const process: Declarations = path === "none" ? {} : { process: path === "reverse SDE" ? "sde" : "ode" };
    const examined = async (what: string, under: Sampler, declares: Declarations) => {
      const { properties } = await conform(
        projectSampler(under, { denoise: false, declares }),
        { sde: sde.config, grid: grid as ConformanceGrid, only },
      );
      const failed = properties.filter(({ verdict }) => verdict === "fails");
      check.equal(
        `${what} on its ${grid} grid`,
        failed.map(({ name }) => name),
        known[what] ?? [],
        `src/samplers/registry.ts; ${failed.map(({ words }) => words).join("; ")}`,
      );
      return properties.find((property) => property.name === "limit")!.verdict;
    };
    // Corrections and added noise shrink with the steps, as the registry's orders mean it.
    if (order !== null || path === "none") {
      const limit = await examined(name, sampler(sde, 64), { ...order !== null && { order }, ...process });
      check.equal(`${name}: limit`, limit, "holds", "the exact law of Gaussian data");
    }
    if (samplerInfo(name).kind === "adaptive") {
      await examined(`${name} by its tolerance`, samplerByName(name), process);
    }
  }
}

claim(
  "samplers of each kind conform, with order and process as the registry has them",
  (check) => checkSamplers(check, ["euler-maruyama", "ddim", "dpm++2m"]),
);

claim(
  "every sampler of this project conforms, with order and process as the registry has them",
  {
    slow: {
      files: [
        "src/conformance",
        "src/samplers",
        "verify/problems/sampler_facts.ts",
        "verify/claims/conformance/project_samplers.ts",
      ],
    },
  },
  (check) => checkSamplers(check, samplerFacts.map(({ name }) => name)),
);

claim(
  "samplers that choose their own steps are seen to do so, and are held to no number of steps",
  async (check) => {
    const solver = projectSampler(odeDormandPrince(), { denoise: false });
    const levels = ["first_level", "visited_levels", "last_level"];
    const { properties } = await conform(solver, { grid: "uniform", only: ["evaluations", ...levels] });
    const verdicts = properties.map(({ name, verdict }) => `${name} ${verdict}`);
    check.equal(
      "Dormand–Prince between the levels of a grid",
      verdicts.join("; "),
      "conversation holds; evaluations noted; first_level holds; visited_levels noted; last_level holds",
      "Hairer, Nørsett & Wanner 1993, II.4: its steps follow from the error",
    );

    // Euler's method for the flow in ten steps of its own, as a solver that goes by its tolerance alone.
    const own: SamplerUnderTest = {
      description: {
        name: "ten steps",
        noise: "given",
        start: "given",
        grid: "own",
        precision: "float64",
        declares: { order: 1 },
      },
      async run({ start, grid, steps, model }) {
        let x = start!;
        const ratios = grid.sigmas.map((sigma, i) => sigma / grid.alphas[i]);
        const levels = Array.from(
          { length: 11 },
          (_, n) => ratios[0] * (ratios[steps] / ratios[0]) ** (n / 10),
        );
        x = x.map((value) => value / grid.alphas[0]);
        for (let n = 0; n < 10; n++) {
          const noise = await model(x, { sigma: levels[n] }, "noise");
          x = x.map((value, i) => value + (levels[n + 1] - levels[n]) * noise[i]);
        }
        return { state: x, level: { sigma: levels[10] } };
      },
    };
    const { properties: ofOwn } = await conform(own, { only: ["mean", "variance", "limit", "order"] });
    check.equal(
      "ten steps, whatever their number",
      ofOwn.map(({ name, verdict }) => `${name} ${verdict}`),
      ["conversation holds", "mean holds", "variance noted", "limit not measured", "order not measured"],
      "no limit of short steps is taken",
    );
  },
);

claim("a sampler is recognised among this project's, and another told from it", async (check) => {
  const of = async (name: string, declared: string) => {
    const under = projectSampler(samplerByName(name), { denoise: false, declares: { sampler: declared } });
    const { properties } = await conform(under, { grid: "log-snr", only: ["recognised"] });
    return properties.find(({ name }) => name === "recognised")!;
  };
  const names = check.thorough ? ["ddim", "dpm++2m", "edm-heun", "ancestral"] : ["ddim"];
  for (const name of names) {
    const found = await of(name, name);
    check.equal(`${name} as ${name}`, found.verdict, "holds", "the same code on both sides");
    check.holds(found.observed, found.observed.includes(name), "its name among those with its coefficients");
  }
  const other = await of("ddim", "dpm++2m");
  check.equal("ddim as dpm++2m", other.verdict, "fails", "their second steps differ");
  check.holds(
    other.words,
    /differ first in the step to level \d+ of 32/.test(other.words),
    "the first step is one equation",
  );
  check.equal("path of ddim", samplerInfo("ddim").path, "probability flow", "src/samplers/registry.ts");
});
