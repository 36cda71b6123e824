/**
 * Experiments in the plane, where scores are exact: Langevin dynamics, what score matching learns, the proportions of
 * separate modes, densities over time; each a measurement and its pictures.
 *
 * @example How far Langevin dynamics is from its distribution
 * ```ts
 * import { createRng, toyDistribution, useEngine } from "../../mod.ts";
 * import { langevinPicture, measureLangevin } from "./mod.ts";
 * await useEngine("wasm");
 * const banana = toyDistribution("banana");
 * const report = await measureLangevin(banana, { count: 100, steps: 50, stepSize: 0.002, rng: createRng(0) });
 * console.log(report.curve.at(-1));
 * console.assert((await langevinPicture(banana, report)).startsWith("<svg"));
 * ```
 * @module
 */

// Langevin dynamics.
export {
  type Distances,
  langevinPicture,
  type LangevinReport,
  type LangevinRun,
  type LangevinRunOptions,
  measureLangevin,
  runLangevin,
} from "./exact_langevin.ts";

// What score matching learns.
export {
  type FieldErrors,
  type FieldMethod,
  fieldMethods,
  type FieldsOptions,
  type FieldsReport,
  type LearnedField,
  learnFields,
  measureFields,
} from "./learned_fields.ts";
export { errorsPicture, fieldsPicture, levelsPicture } from "./field_pictures.ts";

// Proportions of separate modes.
export { measureModes, type ModesOptions, modesPicture, type ModesRow } from "./mode_proportions.ts";

// Densities over time.
export {
  animationFrames,
  type DensityAnimation,
  densityAnimation,
  type DensityAnimationOptions,
} from "./density_animation.ts";
