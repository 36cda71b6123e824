/**
 * The σ of dx = σ^t dw of a sampling: that of `--sigma`, by default the one of the checkpoint's training.
 * @module
 */
import { parseJson } from "../../src/input/json.ts";
import { checkRecipe } from "../../src/training/config_check.ts";
import { readModel } from "../../src/networks/model_file.ts";
import type { TrainingConfig } from "../../src/training/train.ts";
import { noiseRatio, sigmaPowerSde } from "../../src/diffusion/sde.ts";
import { sdeFromConfig } from "../../src/diffusion/sde_registry.ts";
import { readWhole } from "../cli/files.ts";
import { number, UsageError } from "../cli/flags.ts";
import type { Sampling } from "./sampling.ts";
import type { SamplingValues } from "./flags.ts";

/** σ, for --sde sigma-power alone. */
export const sigmaFlag = number({
  help: "σ of sigma-power, above 1 (default the one that the checkpoint was trained with, else 25)",
  min: 1,
});

/** The sampling with its σ. Throws a UsageError for a σ that belongs to no equation. */
export async function withSigma(
  sampling: Sampling,
  { sde, sigma, checkpoint }: Pick<SamplingValues, "sde"> & {
    readonly sigma: number | undefined;
    readonly checkpoint: string | undefined;
  },
): Promise<Sampling> {
  if (sde !== "sigma-power") {
    if (sigma === undefined) return sampling;
    throw new UsageError(`--sigma is of dx = σ^t dw: it needs --sde sigma-power, got ${sde}`);
  }
  if (sigma === 1) throw new UsageError("--sigma must be above 1, got 1");
  const chosen = sigma ?? await trainedSigma(checkpoint);
  return chosen === undefined ? sampling : { ...sampling, sde: sigmaPowerSde({ sigma: chosen }) };
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
  try {
    // A name without an ending is of a network that comes with the project.
    const path = checkpoint.includes(".")
      ? checkpoint
      : new URL(`../../fixtures/models/${checkpoint.replaceAll("-", "_")}.safetensors`, import.meta.url);
    const { metadata } = readModel(await readWhole(path));
    const recipe = parseJson(metadata.recipe ?? metadata.training ?? "{}");
    checkRecipe(recipe);
    return recipe.objective;
  } catch {
    // What is wrong with the file is said where its network is read.
    return undefined;
  }
}
