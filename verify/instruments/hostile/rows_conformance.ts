/** Rows of the measuring of samplers. @module */
import * as m from "./exported.ts";
import {
  callable,
  list,
  name,
  optional,
  options,
  positive,
  type Rows,
  text,
  thing,
  truth,
  whole,
} from "./argument.ts";
import { sampler } from "./parts.ts";

const declares = optional(options({
  order: optional(positive(1)),
  process: optional(name("sde")),
  evaluationsPerStep: optional(positive(1)),
  sampler: optional(text("ddim")),
}));

/** A sampler whose run takes no time. */
const still = (): m.SamplerUnderTest => ({
  description: {
    name: "still",
    noise: "given",
    start: "given",
    grid: "given",
    precision: "float64",
    declares: {},
  },
  run: ({ start }) => Promise.resolve({ state: start! }),
});

const report = (): m.ConformanceReport => ({
  sampler: still().description,
  sde: m.vpSde().config,
  grid: "uniform",
  properties: [],
  plots: [],
  seconds: 1,
});

export const conformanceRows: Rows = {
  conform: {
    arguments: [
      thing(still),
      optional(options({
        sde: optional(thing(() => m.vpSde().config)),
        grid: optional(name("uniform")),
        declares,
        thorough: optional(truth(false)),
        seed: optional(whole(1, 0, 2 ** 32 - 1)),
        only: optional({ ...list(() => [], name("first_level")), allows: Array.isArray }),
        onProperty: optional(callable(() => () => {})),
      })),
    ],
  },
  conformanceMarkdown: { arguments: [thing(report)] },
  projectSampler: {
    arguments: [sampler, optional(options({ declares, denoise: optional(truth(true)) }))],
  },
  ConformanceError: { call: () => new m.ConformanceError("a sentence"), arguments: [] },
};
