/**
 * The library's registries as plain facts, which the build writes into the page: the page itself loads no library.
 * @module
 */
import { samplerInfo, samplerNames, sdeInfo, sdeNames } from "../../mod.ts";
import type { Registry } from "../settings/panels.ts";

/** Every sampler and every SDE that needs no numbers of its own. */
export function registryFacts(): Registry {
  return {
    samplers: samplerNames.map((name) => {
      const { source, grid, path, kind } = samplerInfo(name);
      return { name, source, steps: grid.steps, path, consistency: kind === "consistency" };
    }),
    sdes: sdeNames.map((name) => ({ name, title: sdeInfo(name).title })),
  };
}
