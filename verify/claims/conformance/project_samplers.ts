/** Claims about this project's samplers as samplers under test. @module */
import { conform, type ConformanceGrid } from "../../../src/conformance/conform.ts";
import { projectSampler } from "../../../src/conformance/project_sampler.ts";
import type { Declarations } from "../../../src/conformance/sampler_under_test.ts";
import { samplerByName, samplerInfo } from "../../../src/samplers/registry.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import { samplerFacts } from "../../problems/sampler_facts.ts";
import { claim } from "../../suite/claim.ts";

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

/** Samplers with steps of their own choice, or a hundred corrections at each level, which impulses take hours to show. */
const apart = ["adaptive-sde", "ode-dopri5", "annealed-langevin"];

/** One of each kind, where there is no time for all. */
const sampled = ["euler-maruyama", "ddim", "dpm++2m"];

claim("this project's samplers conform, with order and process as the registry has them", async (check) => {
  const sde = vpSde();
  for (const { name, order, path, grid, sampler } of samplerFacts) {
    if (apart.includes(name) || !(check.thorough || sampled.includes(name))) continue;
    const declares: Declarations = {
      ...order !== null && { order },
      ...path !== "none" && { process: path === "reverse SDE" ? "sde" : "ode" },
    };
    // Corrections and added noise shrink with the steps, as the registry's orders mean it.
    const under = projectSampler(sampler(sde, 64), { denoise: false, declares });
    const { properties } = await conform(under, { sde: sde.config, grid: grid as ConformanceGrid, only });
    const failed = properties.filter(({ verdict }) => verdict === "fails");
    check.equal(
      `${name} on its ${grid} grid`,
      failed.map(({ name, words }) => `${name}: ${words}`),
      [],
      "src/samplers/registry.ts",
    );
    const limit = properties.find((property) => property.name === "limit")!;
    check.equal(`${name}: limit`, limit.verdict, "holds", "the exact law of Gaussian data");
  }
});

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
