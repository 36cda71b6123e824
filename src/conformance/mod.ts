/**
 * Anyone's sampler held to exact laws: what it asks for, the law of what it returns, its order, the noise it adds and leaves.
 *
 * @example Ten lines of Euler–Maruyama, measured
 * ```ts
 * import { conform, conformanceMarkdown, type SamplerRun } from "./mod.ts";
 * async function run({ grid, steps, start, model, noise }: SamplerRun) {
 *   const { times, drifts, diffusions } = grid;
 *   let x = start!;
 *   for (let i = 0; i < steps; i++) {
 *     const [h, f, g] = [times[i] - times[i + 1], drifts[i], diffusions[i]];
 *     const score = await model(x, { time: times[i] }, "score");
 *     const z = await noise();
 *     x = x.map((value, k) => value - h * (f * value - g * g * score[k]) + g * Math.sqrt(h) * z[k]);
 *   }
 *   return { state: x };
 * }
 * const given = { noise: "given", start: "given", grid: "given", precision: "float64" } as const;
 * const description = { name: "my sampler", ...given, declares: { order: 1, process: "sde" } } as const;
 * const report = await conform({ description, run }, { only: ["first_level", "rows", "repeat"] });
 * console.assert(report.properties.every(({ verdict }) => verdict === "holds"));
 * console.log(conformanceMarkdown(report));
 * ```
 * @module
 */

// Measuring.
export {
  conform,
  type ConformanceGrid,
  conformanceGrids,
  type ConformanceReport,
  type ConformOptions,
  propertyNames,
} from "./conform.ts";
export { conformanceMarkdown } from "./markdown.ts";
export type { ConformancePlot, Property, Verdict } from "./property.ts";

// What is measured.
export { ConformanceError } from "./recorded_run.ts";
export { projectSampler, type ProjectSamplerOptions } from "./project_sampler.ts";
export type {
  Declarations,
  ModelAnswer,
  NoiseLevel,
  RunEnd,
  RunGrid,
  SamplerDescription,
  SamplerRun,
  SamplerUnderTest,
  States,
} from "./sampler_under_test.ts";
