/** Checks of a training run's config, given by a caller or read from a checkpoint. @module */
import { checkFields, checkNumber, checkNumbers } from "../input/fields.ts";
import { requireBoolean } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";
import { isObject } from "../input/json.ts";
import { checkName } from "../input/option_name.ts";
import { checkedGuidance, type Guidance } from "../networks/guidance_interval.ts";
import { checkConsistency, type ConsistencyObjective } from "../objectives/consistency.ts";
import { sdeTimes, sdeWeightings } from "../objectives/denoising.ts";
import type { SdeConfig } from "../diffusion/sde.ts";
import { sdeFromConfig, sdeInfo, type SdeKind, sdeKinds } from "../diffusion/sde_registry.ts";
import { checkOptimizer, type OptimizerConfig } from "./optimizer.ts";
import type { TrainingConfig } from "./train.ts";

/** A training config without its model. */
type Recipe = Omit<TrainingConfig, "model">;

/**
 * Checks every field of a recipe.
 * @throws {TypeError} When it is not an object, lacks a field, has an unknown one, or a field is of another type.
 * @throws {RangeError} When a number is out of its range or a name is not allowed.
 */
export function checkRecipe(recipe: unknown): asserts recipe is Recipe {
  checkFields(
    "the training config",
    recipe,
    ["objective", "optimizer", "steps", "batch", "labelDropout", "seed"],
    ["flip"],
  );
  checkNumber("steps", recipe.steps, { least: 1, whole: true });
  checkNumber("batch", recipe.batch, { least: 1, most: 65_536, whole: true });
  checkNumber("labelDropout", recipe.labelDropout, { least: 0, most: 1 });
  checkNumber("seed", recipe.seed, { least: 0, whole: true });
  if (recipe.flip !== undefined) requireBoolean("flip", recipe.flip);
  checkFields("the optimizer", recipe.optimizer, [
    "rate",
    "warmup",
    "decay",
    "betas",
    "epsilon",
    "clip",
    "ema",
  ]);
  const { betas, ...numbers } = recipe.optimizer;
  checkNumbers("betas", betas);
  if (betas.length !== 2) throw new TypeError(`betas must be two numbers, got ${quoted(betas)}`);
  for (const [name, value] of Object.entries(numbers)) if (name !== "decay") checkNumber(name, value);
  checkOptimizer(recipe.optimizer as unknown as OptimizerConfig);
  checkObjective(recipe.objective);
}

/** Checks every field of an objective; throws as {@linkcode checkRecipe}. */
function checkObjective(objective: unknown): void {
  if (!isObject(objective)) throw new TypeError(`the objective must be an object, got ${quoted(objective)}`);
  if (objective.kind === undefined) throw new TypeError("the objective has no kind");
  const kind = objective.kind as string;
  checkName("an objective's kind", kind, ["edm", "sde", "levels", "consistency"]);
  if (kind === "edm") {
    checkFields("the objective", objective, ["kind", "mean", "std", "sigmaData"]);
    checkNumber("the objective's mean", objective.mean);
    checkNumber("the objective's std", objective.std, { above: 0 });
    checkNumber("the objective's sigmaData", objective.sigmaData, { above: 0 });
  } else if (kind === "levels") {
    checkFields("the objective", objective, ["kind", "ratios"]);
    checkNumbers("the objective's ratios", objective.ratios, { above: 0 });
    if (objective.ratios.length === 0) throw new RangeError("an objective needs at least one noise ratio");
  } else if (kind === "consistency") {
    checkConsistencyFields(objective);
  } else {
    checkFields("the objective", objective, ["kind", "sde", "weighting"], ["times", "logit"]);
    const { sde, weighting, times = "uniform", logit } = objective;
    checkName("weighting", weighting, sdeWeightings);
    checkName("times", times, sdeTimes);
    if (logit !== undefined) {
      checkFields("the objective's logit", logit, ["mean", "std"]);
      checkNumber("the logit's mean", logit.mean);
      checkNumber("the logit's std", logit.std, { above: 0 });
    }
    if (!isObject(sde) || sde.kind !== "custom") checkSde(sde);
    sdeFromConfig(sde as unknown as SdeConfig);
  }
}

/** Checks every field of a consistency objective; throws as {@linkcode checkRecipe}. */
function checkConsistencyFields(objective: Record<string, unknown>): void {
  checkFields(
    "the objective",
    objective,
    ["kind", "mean", "std", "range", "highShare", "highFrom", "gap", "huber", "teacher"],
  );
  const { gap, range, teacher } = objective;
  for (const name of ["mean", "std", "highShare", "highFrom", "huber"]) {
    checkNumber(`the objective's ${name}`, objective[name]);
  }
  checkNumbers("the objective's range", range);
  if (range.length !== 2) {
    throw new TypeError(`the objective's range must be two numbers, got ${quoted(range)}`);
  }
  checkFields("the objective's gap", gap, ["first", "last", "settled"]);
  for (const [name, value] of Object.entries(gap)) checkNumber(`the gap's ${name}`, value);
  if (teacher !== null) {
    checkFields("the objective's teacher", teacher, ["scale"], ["from", "to"]);
    for (const [name, value] of Object.entries(teacher)) checkNumber(`the teacher's ${name}`, value);
    checkedGuidance(teacher as unknown as Guidance);
  }
  checkConsistency(objective as unknown as ConsistencyObjective);
}

/** Checks the fields of an objective's SDE and their types; their order is checked where the SDE is made. */
function checkSde(sde: unknown): asserts sde is SdeConfig {
  if (!isObject(sde)) throw new TypeError(`the objective's sde must be an object, got ${quoted(sde)}`);
  if (sde.kind === undefined) throw new TypeError("the objective's sde has no kind");
  const kind = sde.kind as string;
  checkName("an SDE's kind", kind, sdeKinds);
  const { fields, times } = sdeInfo(kind as SdeKind);
  checkFields("the objective's sde", sde, ["kind", ...Object.keys(fields)], times ? ["tMin", "tMax"] : []);
  for (const [name, value] of Object.entries(sde)) {
    if (fields[name] === "numbers") checkNumbers(name, value, { above: 0, below: 1 });
    else if (name !== "kind") checkNumber(name, value);
  }
}
