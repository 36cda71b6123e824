/**
 * Tasks that draw from score networks and from consistency functions: what each takes, and its defaults.
 * @module
 */
import { samplerInfo, samplerNames } from "../../src/samplers/registry.ts";
import { DEFAULT_SAMPLER } from "../../src/runs/defaults.ts";
import { describeCheckpoint } from "./checkpoint.ts";
import { choice, deciding, numbers, UsageError } from "../cli/flags.ts";

/** Flags of such tasks, in the place of those that only score networks take. */
export const eitherFlags = {
  sampler: deciding(
    ["sampler.name", "grid"],
    choice(samplerNames, {
      help: `the algorithm: ${
        samplerNames.join(", ")
      } (default ${DEFAULT_SAMPLER}, for a consistency function consistency)`,
      placeholder: "NAME",
    }),
  ),
  levels: deciding(
    ["grid"],
    numbers({
      help:
        "noise ratios to visit between the first time and the last, decreasing, instead of --steps and --grid",
      placeholder: "X,…",
      min: 0,
    }),
  ),
};

/** The flags that depend on which of the two a checkpoint holds. */
interface EitherValues {
  readonly checkpoint: string | undefined;
  readonly sampler: string | undefined;
  readonly guidance?: number;
  readonly classifierScale?: number;
  readonly plan?: string;
}

/**
 * The flags with the sampler, and for a consistency function the guidance, that the checkpoint's network takes unasked.
 * @throws UsageError for a sampler or a condition that it cannot take
 */
export async function forCheckpoint<F extends EitherValues>(
  flags: F,
): Promise<F & { readonly sampler: string }> {
  const consistent = await isConsistency(flags.checkpoint);
  const sampler = flags.sampler ?? (consistent ? "consistency" : DEFAULT_SAMPLER);
  const needsConsistency = samplerInfo(sampler).kind === "consistency";
  const file = flags.checkpoint === undefined
    ? "the network that comes with the project"
    : `"${flags.checkpoint}"`;
  if (consistent === false && needsConsistency) {
    throw new UsageError(
      `--sampler ${sampler} needs a consistency function, and ${file} is a score network: choose another sampler, or train ` +
        "one with deno task train --objective consistency",
    );
  }
  if (!consistent) return { ...flags, sampler };
  if (!needsConsistency) {
    throw new UsageError(
      `--sampler ${sampler} needs a score, and ${file} is a consistency function: use --sampler consistency`,
    );
  }
  if (flags.plan !== undefined) {
    throw new UsageError(`--plan needs a score, and ${file} is a consistency function: leave it out`);
  }
  if ((flags.classifierScale ?? 0) !== 0) {
    throw new UsageError(
      `--classifier-scale needs a score, and ${file} is a consistency function: leave it out`,
    );
  }
  if ((flags.guidance ?? 1) !== 1) {
    throw new UsageError(
      `--guidance ${flags.guidance}: ${file} is a consistency function, which has its teacher's guidance in it: leave it out`,
    );
  }
  return { ...flags, sampler, guidance: 1 };
}

/** Whether a checkpoint holds a consistency function; undefined where it cannot be read, which is said where its network is. */
async function isConsistency(checkpoint: string | undefined): Promise<boolean | undefined> {
  if (checkpoint === undefined) return false;
  const model = await describeCheckpoint(checkpoint);
  return model && model.config.consistency === true;
}
