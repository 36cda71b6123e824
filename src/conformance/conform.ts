/**
 * Holding a sampler to exact laws: all properties, one after the other.
 * @module
 */
import type { SdeConfig } from "../diffusion/sde.ts";
import { sdeFromConfig, sdeKinds } from "../diffusion/sde_registry.ts";
import { vpSde } from "../diffusion/sde.ts";
import type { GridKind } from "../diffusion/time_grid.ts";
import { checkFields } from "../input/fields.ts";
import { checkName } from "../input/option_name.ts";
import {
  requireArray,
  requireBoolean,
  requireFunction,
  requireOptions,
  requireWhole,
} from "../input/require.ts";
import { Examination, wordsOf } from "./examination.ts";
import { affine, repeat, rows } from "./properties_of_rows.ts";
import { evaluations, firstLevel, lastLevel, startScale, visitedLevels } from "./properties_of_levels.ts";
import { limit, mean, order, variance } from "./properties_of_law.ts";
import { marginals, process } from "./properties_of_path.ts";
import { leadingConstant } from "./properties_of_constant.ts";
import { cost, ends } from "./properties_of_cost.ts";
import { mixtureLaw } from "./properties_of_mixture.ts";
import { recognised } from "./properties_of_recognition.ts";
import { wasserstein } from "./properties_of_wasserstein.ts";
import { noiseAtEnd, noiseDraws } from "./properties_of_noise.ts";
import { conformancePlots } from "./plots.ts";
import { type ConformancePlot, type Property, property, type PropertyResult } from "./property.ts";
import { ConformanceError } from "./recorded_run.ts";
import { checkDeclarations } from "./declarations.ts";
import {
  checkSampler,
  type Declarations,
  type SamplerDescription,
  type SamplerUnderTest,
} from "./sampler_under_test.ts";

/** The kinds of grids on which a sampler can be measured: those that runs of twice as many steps refine. */
export const conformanceGrids = ["uniform", "quadratic", "log-snr", "karras"] as const satisfies GridKind[];

/** The name of such a grid. */
export type ConformanceGrid = typeof conformanceGrids[number];

/** On what a sampler is measured, and how far. */
export interface ConformOptions {
  /** The SDE; default VP with β from 0.1 to 20. */
  readonly sde?: SdeConfig;
  /** The kind of the runs' grids; default "uniform". */
  readonly grid?: ConformanceGrid;
  /** What is declared of the sampler, over what it declares itself. */
  readonly declares?: Declarations;
  /** Whether to take runs of more steps, too; default false. */
  readonly thorough?: boolean;
  /** Seed of starts and noises that are drawn; a whole number below 2³². Default 0. */
  readonly seed?: number;
  /** Names of the properties to measure; default all. */
  readonly only?: readonly string[];
  /** Called with each property once it is measured. */
  readonly onProperty?: (property: Property) => void;
}

/** What came of it. */
export interface ConformanceReport {
  /** What was measured. */
  readonly sampler: SamplerDescription;
  /** On which SDE. */
  readonly sde: SdeConfig;
  /** On which kind of grid. */
  readonly grid: ConformanceGrid;
  /** What came of it, in the order in which it was measured. */
  readonly properties: readonly Property[];
  /** Pictures of it. */
  readonly plots: readonly ConformancePlot[];
  /** How long it took. */
  readonly seconds: number;
}

/** A property's measurement. */
type Measurement = (exam: Examination) => Promise<PropertyResult>;

/** All properties in the order in which they are measured: later ones mean little where earlier ones fail. */
const measurements: readonly (readonly [name: string, title: string, measure: Measurement])[] = [
  ["conversation", "the sampler runs to its end and asks for what it may ask for", conversation],
  ["evaluations", "a step takes a fixed number of evaluations", evaluations],
  ["first_level", "the first evaluation is at the grid's first level", firstLevel],
  ["visited_levels", "steps visit the grid's levels, each in its turn", visitedLevels],
  ["last_level", "the run ends at the grid's last level", lastLevel],
  ["start_scale", "the run begins at the start as it is", startScale],
  ["affine", "states are what start and noise make of them, to the precision that is declared", affine],
  ["rows", "rows of a batch do not depend on each other", rows],
  ["repeat", "a run repeats, whatever ran before", repeat],
  ["noise_draws", "each step has noise of its own, of the right size", noiseDraws],
  ["mean", "the mean of the output is exact but for what short steps take away", mean],
  ["variance", "the variance of the output is exact but for what short steps take away", variance],
  ["limit", "the law of the output goes to the exact one as steps get short", limit],
  ["order", "the error falls with the declared order", order],
  ["process", "states at two levels are related as those of the declared process", process],
  ["marginals", "states on the way have the exact law as steps get short", marginals],
  ["noise_at_end", "no noise is left at the end", noiseAtEnd],
  ["leading_constant", "the first term of the error", leadingConstant],
  ["mixture", "samples of a mixture with two modes have its distribution", mixtureLaw],
  ["wasserstein_cifar10", "the exact W₂ error on the CIFAR-10 Gaussian", wasserstein],
  ["ends", "runs of one, two and a thousand steps end well", ends],
  ["recognised", "which of this project's samplers has the same coefficients", recognised],
  ["cost", "the time of an evaluation", cost],
];

/** The names of the properties. */
export const propertyNames: readonly string[] = measurements.map(([name]) => name);

/**
 * Measures a sampler on data whose exact model is known, and says of each property whether it holds.
 *
 * The sampler is called with runs as in `SamplerUnderTest`; errors that it throws are verdicts, and reject nothing.
 *
 * @throws {TypeError | RangeError} When the sampler is none, or an option is invalid.
 */
export async function conform(
  sampler: SamplerUnderTest,
  options: ConformOptions = {},
): Promise<ConformanceReport> {
  checkSampler(sampler);
  requireOptions("options", options);
  const { sde = vpSde().config, grid = "uniform", declares = {}, thorough = false, seed = 0 } = options;
  const { only = propertyNames, onProperty } = options;
  checkFields("options", options as unknown, [], [
    "sde",
    "grid",
    "declares",
    "thorough",
    "seed",
    "only",
    "onProperty",
  ]);
  requireOptions("sde", sde);
  checkName("sde.kind", sde.kind, sdeKinds);
  checkName("grid", grid, [...conformanceGrids]);
  requireBoolean("thorough", thorough);
  requireWhole("seed", seed, 0, 2 ** 32 - 1);
  requireArray("only", only);
  for (const name of only) checkName("only", name, [...propertyNames]);
  if (onProperty !== undefined) requireFunction("onProperty", onProperty);
  checkDeclarations(declares);
  const built = sdeFromConfig(sde);
  const began = performance.now();
  const exam = new Examination(sampler, {
    sde: built,
    gridKind: grid,
    declares: { ...sampler.description.declares, ...declares },
    thorough,
    seed,
  });
  const properties: Property[] = [];
  let broken = "";
  for (const [name, title, measure] of measurements) {
    if (name !== "conversation" && !only.includes(name)) continue;
    const result = broken === "" ? await measured(exam, name, measure) : notMeasured(broken);
    if (name === "conversation" && result.verdict === "fails") broken = result.words;
    const found: Property = { name, title, ...result };
    properties.push(found);
    onProperty?.(found);
  }
  return {
    sampler: sampler.description,
    sde: built.config,
    grid,
    properties,
    plots: broken === "" ? await conformancePlots(exam, only) : [],
    seconds: (performance.now() - began) / 1000,
  };
}

/** A measurement that never rejects. */
async function measured(exam: Examination, name: string, measure: Measurement): Promise<PropertyResult> {
  try {
    return await measure(exam);
  } catch (error) {
    if (error instanceof ConformanceError || name === "conversation") {
      return property({ verdict: "fails", words: wordsOf(error) });
    }
    return notMeasured(wordsOf(error));
  }
}

function notMeasured(words: string): PropertyResult {
  return property({ verdict: "not measured", words });
}

/** Whether the sampler runs at all. */
async function conversation(exam: Examination): Promise<PropertyResult> {
  const steps = await exam.baseSteps();
  const run = await exam.plainRun(steps);
  const refused = [...exam.refusals].map(([count, words]) => `${count} steps are refused: ${words}`);
  return property({
    verdict: "holds",
    observed:
      `${run.evaluations.length} evaluations and ${run.noiseAfter.length} requests of noise in ${steps} steps`,
    bound: "a run that ends with finite states",
    source: "the run's contract",
    words: refused.join("; "),
  });
}
