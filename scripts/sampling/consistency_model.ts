/**
 * Tasks that draw from score networks and from consistency functions: what each takes, and its defaults.
 * @module
 */
import { samplerInfo, samplerNames } from "../../src/samplers/registry.ts";
import { DEFAULT_SAMPLER } from "../../src/runs/defaults.ts";
import { describeCheckpoint } from "./checkpoint.ts";
import { choice, deciding, type Flag, numbers, text, UsageError } from "../cli/flags.ts";
import { MOST_CONSISTENCY_STEPS } from "../../src/runs/defaults.ts";
import { flagsOfName } from "./sampler_names.ts";
import type { PretrainedName } from "../../src/pretrained.ts";

/** The network of such tasks. */
export const eitherCheckpoint: Flag<string | undefined> = deciding(
  ["checkpoint", "sampler", "grid", "guidance"],
  text({
    help:
      "trained weights, a file or the name of a network that comes with the project; by default mnist-consistency, and mnist " +
      "where another flag needs a score: --sampler, --sde, --grid, --guidance, --guide-checkpoint, --classifier-scale, more than 4 --steps",
    placeholder: "FILE",
  }),
);

/** Flags of such tasks, in the place of those that only score networks take. */
export const eitherFlags = {
  sampler: deciding(["sampler.name", "grid"], {
    ...choice(samplerNames, {
      help: `the algorithm: ${
        samplerNames.join(", ")
      }; or its name elsewhere, as "DPM++ 2M Karras" (default consistency for a consistency function, ${DEFAULT_SAMPLER} for others)`,
      placeholder: "NAME",
    }),
    standsFor: flagsOfName,
  }),
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
  readonly sde?: string;
  readonly grid?: string;
  readonly steps?: number;
  readonly guidance?: number;
  readonly guidanceMinSigma?: number;
  readonly guidanceMaxSigma?: number;
  readonly classifierScale?: number;
  readonly guideCheckpoint?: string;
  readonly plan?: string;
}

/** The network that digits are drawn from unasked: the consistency function, unless a flag needs a score. */
function networkFor(flags: EitherValues): PretrainedName {
  const { sampler = "consistency", sde = "ve", steps = 1, classifierScale = 0 } = flags;
  const scoreFlags = [
    flags.grid,
    flags.plan,
    flags.guidance,
    flags.guidanceMinSigma,
    flags.guidanceMaxSigma,
    flags.guideCheckpoint,
  ];
  const needsScore = samplerInfo(sampler).kind !== "consistency" || sde !== "ve" ||
    steps > MOST_CONSISTENCY_STEPS ||
    classifierScale !== 0 || scoreFlags.some((value) => value !== undefined);
  return needsScore ? "mnist" : "mnist-consistency";
}

/**
 * The flags with the checkpoint that is drawn from unasked, the sampler, and for a consistency function the guidance that its
 * network takes unasked.
 * @throws UsageError for a sampler or a condition that the network cannot take
 */
export async function forCheckpoint<F extends EitherValues>(
  flags: F,
): Promise<F & { readonly checkpoint: string; readonly sampler: string }> {
  const checkpoint = flags.checkpoint ?? networkFor(flags);
  const consistent = await isConsistency(checkpoint);
  const sampler = flags.sampler ?? (consistent ? "consistency" : DEFAULT_SAMPLER);
  const needsConsistency = samplerInfo(sampler).kind === "consistency";
  if (consistent === false && needsConsistency) {
    throw new UsageError(
      `--sampler ${sampler} needs a consistency function, and "${checkpoint}" is a score network: choose another sampler, ` +
        "or train one with deno task train --objective consistency",
    );
  }
  if (!consistent) return { ...flags, checkpoint, sampler };
  if (!needsConsistency) {
    throw new UsageError(
      `--sampler ${sampler} needs a score, and "${checkpoint}" is a consistency function: use --sampler consistency`,
    );
  }
  if (flags.plan !== undefined) {
    throw new UsageError(`--plan needs a score, and "${checkpoint}" is a consistency function: leave it out`);
  }
  if (flags.guideCheckpoint !== undefined) {
    throw new UsageError(
      `--guide-checkpoint needs a score, and "${checkpoint}" is a consistency function: leave it out`,
    );
  }
  if ((flags.classifierScale ?? 0) !== 0) {
    throw new UsageError(
      `--classifier-scale needs a score, and "${checkpoint}" is a consistency function: leave it out`,
    );
  }
  // Its teacher's guidance is in it; more is added where it is asked for.
  return { ...flags, checkpoint, sampler, guidance: flags.guidance ?? 1 };
}

/** Whether a checkpoint holds a consistency function; undefined where it cannot be read, which is said where its network is. */
async function isConsistency(checkpoint: string): Promise<boolean | undefined> {
  const model = await describeCheckpoint(checkpoint);
  return model && model.config.consistency === true;
}
