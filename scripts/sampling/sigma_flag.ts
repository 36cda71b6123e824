/**
 * The σ of dx = σ^t dw of a sampling: that of `--sigma`, by default the one of the checkpoint's training.
 * @module
 */
import { parseJson } from "../../src/input/json.ts";
import { checkRecipe } from "../../src/training/config_check.ts";
import type { TrainingConfig } from "../../src/training/train.ts";
import { noiseRatio, sigmaPowerSde } from "../../src/diffusion/sde.ts";
import { sdeFromConfig } from "../../src/diffusion/sde_registry.ts";
import { describeCheckpoint } from "./checkpoint.ts";
import { deciding, number, UsageError } from "../cli/flags.ts";
import type { SamplingConfig } from "../../src/runs/sampling.ts";
import type { SamplingValues } from "./flags.ts";

/** σ, for --sde sigma-power alone. */
export const sigmaFlag = deciding(
  ["sde"],
  number({
    help: "σ of sigma-power, above 1 (default the one that the checkpoint was trained with, else 25)",
    min: 1,
  }),
);

/** The sampling with its σ. Throws a UsageError for a σ that belongs to no equation. */
export async function withSigma(
  sampling: SamplingConfig,
  { sde, sigma, checkpoint }: Pick<SamplingValues, "sde"> & {
    readonly sigma: number | undefined;
    readonly checkpoint: string | undefined;
  },
): Promise<SamplingConfig> {
  if (sde !== "sigma-power") {
    if (sigma === undefined) return sampling;
    throw new UsageError(`--sigma is of dx = σ^t dw: it needs --sde sigma-power, got ${sde}`);
  }
  if (sigma === 1) throw new UsageError("--sigma must be above 1, got 1");
  const chosen = sigma ?? await trainedSigma(checkpoint);
  return chosen === undefined ? sampling : { ...sampling, sde: sigmaPowerSde({ sigma: chosen }).config };
}

/** What a model file says of the σ that it was trained with; undefined when it says nothing. */
async function trainedSigma(checkpoint: string | undefined): Promise<number | undefined> {
  const objective = await trainedObjective(checkpoint);
  return objective?.kind === "sde" && objective.sde.kind === "sigma-power" ? objective.sde.sigma : undefined;
}

/**
 * The smallest noise ratio that a network was trained on, by its file: an SDE's first, the lowest of a list, or for EDM's
 * log-normal ratios the one that three in a hundred thousand are below. Undefined when it says nothing.
 */
export async function trainedNoise(checkpoint: string | undefined): Promise<number | undefined> {
  const objective = await trainedObjective(checkpoint);
  switch (objective?.kind) {
    case "sde": {
      const sde = sdeFromConfig(objective.sde);
      return noiseRatio(sde, sde.tMin);
    }
    case "levels":
      return objective.ratios.reduce((least, ratio) => Math.min(least, ratio));
    case "edm":
      return Math.exp(objective.mean - 4 * objective.std);
    case "consistency":
      return objective.range[0];
    default:
      return undefined;
  }
}

async function trainedObjective(
  checkpoint: string | undefined,
): Promise<TrainingConfig["objective"] | undefined> {
  if (checkpoint === undefined) return undefined;
  const model = await describeCheckpoint(checkpoint);
  try {
    const recipe = parseJson(model?.metadata.recipe ?? model?.metadata.training ?? "{}");
    checkRecipe(recipe);
    return recipe.objective;
  } catch {
    // What is wrong with the file is said where its network is read.
    return undefined;
  }
}
