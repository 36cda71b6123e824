/**
 * The flags that sampling tasks share (network, engine, SDE, sampler, time grid, guidance), and how they are read.
 * @module
 */
import { predictorNames, samplerInfo, scoreSamplerNames } from "../../src/samplers/registry.ts";
import {
  type SamplerOptionInfo,
  samplerOptionInfos,
  samplerOptionNames,
  type SamplerOptions,
} from "../../src/samplers/sampler_info.ts";
import { flagsOfName } from "./sampler_names.ts";
import { guideFlag } from "./guide.ts";
import type { Guidance } from "../../src/networks/guidance_interval.ts";
import { sdeNames } from "../../src/diffusion/sde_registry.ts";
import { gridKinds, timeGrid } from "../../src/diffusion/time_grid.ts";
import { chainNames } from "./ddpm_chains.ts";
import { openSampling, type SamplingConfig } from "../../src/runs/sampling.ts";
import { createSampling } from "./sampling.ts";
import { DEFAULT_GUIDANCE, DEFAULT_SAMPLER } from "../../src/runs/defaults.ts";
import {
  choice,
  deciding,
  type Flag,
  flagName,
  type FlagValues,
  integer,
  notWith,
  number,
  text,
  UsageError,
} from "../cli/flags.ts";

/** The engines by name, as `--engine` has them. */
export const engineNames = ["auto", "webgpu", "onnx", "wasm", "cpu"] as const;

/** Flags for the checkpoint and the compute engine. */
export const networkFlags = {
  checkpoint: text({
    help: "trained weights; by default those that come with the project",
    placeholder: "FILE",
  }),
  engine: choice(engineNames, { help: "compute engine", default: "auto" }),
};

/** Where MNIST is. */
export const dataFlag = text({
  help: "folder with MNIST's files; by default SCORE_SDE_DATA, the cache or a download",
});

/** The seed of all that is random. */
export const seedFlag = integer({
  help: "the same seed draws the same digits, however many",
  default: 0,
  min: 0,
});

/** The equation to reverse. */
export const sdeFlag = notWith("schedule", {
  sde: deciding(
    ["sde"],
    choice([...sdeNames, ...chainNames], {
      help: "the stochastic differential equation to reverse, or a chain of 1000 steps in discrete time",
      placeholder: "NAME",
      default: "ve",
    }),
  ),
}).sde;

/** The algorithm. */
export const samplerFlag = deciding(["sampler.name", "grid"], {
  ...choice(scoreSamplerNames, {
    help: `the algorithm: ${scoreSamplerNames.join(", ")}; or its name elsewhere, as "DPM++ 2M Karras"`,
    placeholder: "NAME",
    default: DEFAULT_SAMPLER,
  }),
  standsFor: flagsOfName,
});

/** The kind of time grid. */
export const gridFlag = deciding(
  ["grid.kind", "grid.rho"],
  choice(gridKinds.filter((kind) => kind !== "levels" && kind !== "indices"), {
    help: "the time grid; the default is the sampler's",
  }),
);

/** A flag for each option of samplers. */
type SamplerOptionFlags = { readonly [K in keyof SamplerOptions]-?: Flag<SamplerOptions[K]> };

/** Options that only some samplers accept. */
export const samplerOptionFlags = Object.fromEntries(
  samplerOptionNames.map((name) => [
    name,
    deciding([`sampler.options.${name}`], optionFlag(name, samplerOptionInfos[name])),
  ]),
) as unknown as SamplerOptionFlags;

function optionFlag(
  name: keyof SamplerOptions,
  { help: meaning, values, min, max, insteadOf }: SamplerOptionInfo,
): Flag<string | number | undefined> {
  const help = `${meaning} (default ${defaultsOf(name)})`;
  if (insteadOf !== undefined) return notWith(insteadOf, { [name]: number({ help, min, max }) })[name];
  if (values === "number") return number({ help, min, max });
  if (values === "integer") return integer({ help, min, max });
  if (values !== "sampler") return choice(values, { help });
  return choice(scoreSamplerNames, {
    help: `${meaning}: ${predictorNames.join(", ")} (default ${defaultsOf(name)})`,
    placeholder: "NAME",
  });
}

/** What {@linkcode samplerOptionFlags} were called in the version before. */
export const renamedOptions = { churn: "gamma" } as const;

/** The defaults of an option, and whose they are: 1e-5 for ode-dopri5; 0.05 for adaptive-sde. */
function defaultsOf(option: keyof SamplerOptions): string {
  const owners = new Map<number | string, string[]>();
  for (const name of scoreSamplerNames) {
    const value = samplerInfo(name).options[option]?.default;
    if (value !== undefined) owners.set(value, [...(owners.get(value) ?? []), name]);
  }
  return [...owners].map(([value, names]) => {
    const small = typeof value === "number" && value > 0 && value < 1e-3;
    return `${small ? value.toExponential() : value} for ${names.join(", ")}`;
  }).join("; ");
}

/** One sampler under one equation. */
export const samplingFlags = {
  sde: sdeFlag,
  sampler: samplerFlag,
  steps: deciding(
    ["grid.steps"],
    integer({ help: "steps of the time grid; the default is the sampler's", min: 1, max: 100_000 }),
  ),
  grid: gridFlag,
  shift: deciding(
    ["grid.shift"],
    number({
      help: "s of --grid shifted, whose times are s t/(1 + (s − 1) t) (default 3)",
      min: 1e-3,
      max: 1e3,
    }),
  ),
  ...samplerOptionFlags,
};

/** Values of {@linkcode samplingFlags}. */
export type SamplingValues = FlagValues<typeof samplingFlags>;

/** The options of a sampler among all flags, given or not. */
export function samplerOptions(flags: FlagValues<typeof samplerOptionFlags>): SamplerOptions {
  return Object.fromEntries(samplerOptionNames.map((name) => [name, flags[name]]));
}

/**
 * The SDE, the sampler and the time grid of flags.
 * @throws UsageError for an option that the sampler does not accept, or a value that it cannot have
 */
export function readSampling(
  flags: SamplingValues & { readonly levels?: readonly number[] },
): SamplingConfig {
  const { grid, steps, levels = [] } = flags;
  if (flags.shift !== undefined && grid !== "shifted") {
    throw new UsageError(`--shift is of shifted grids: it needs --grid shifted, got ${grid ?? "none"}`);
  }
  const named = asUsage(() => createSampling({ ...flags, options: samplerOptions(flags) }));
  for (const [name, value] of levels.length === 0 ? [] : Object.entries({ grid, steps })) {
    if (value === undefined || value === levels.length + 1) continue;
    throw new UsageError(`--levels says where to stop on the way: leave out --${name}`);
  }
  const listed = { kind: "levels", steps: levels.length + 1, ratios: levels } as const;
  const sampling: SamplingConfig = levels.length === 0 ? named : { ...named, grid: listed };
  // Listed levels may be too few for the steps, or lie outside the SDE's.
  if (sampling.grid.kind === "levels") asUsage(() => timeGrid(openSampling(sampling).sde, sampling.grid));
  return sampling;
}

/** What an action returns; a value that it finds out of range is bad usage. */
export function asUsage<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

/** How labels are followed. */
export const guidanceFlags = {
  guidance: deciding(
    ["guidance.scale"],
    number({
      help:
        `how strongly the network's own label is followed; 1 is the plain conditional model, 0 the unconditional one (default ` +
        `${DEFAULT_GUIDANCE.scale} with a label, 0 with --classifier-scale)`,
    }),
  ),
  guidanceMinSigma: deciding(
    ["guidance.from"],
    number({
      help:
        `noise ratio below which guidance is off, which saves the second pass of the network (default ${DEFAULT_GUIDANCE.from})`,
      min: 0,
    }),
  ),
  guidanceMaxSigma: deciding(
    ["guidance.to"],
    number({
      help: `noise ratio above which guidance is off (default ${DEFAULT_GUIDANCE.to})`,
      min: 0,
    }),
  ),
  classifierScale: deciding(
    ["classifierScale", "guidance.scale"],
    number({
      help:
        "how strongly the gradient of a classifier of noisy digits is followed to the label; 1 is Bayes' rule (default 0)",
    }),
  ),
};

/** A flag such as 4, cat, random or none; {@linkcode readLabel} reads it. */
const label: Flag<string | undefined> = {
  help:
    "which class, by its number from 0 or its name; random draws one for each sample, none leaves it to the network (default random, none for a network without labels)",
  placeholder: "N|NAME|random|none",
  domain: { kind: "own", examples: ["3", "none"] },
  fallback: undefined,
  parse(text, flag) {
    if (text !== "") return text;
    throw new UsageError(`${flag} must be a class by its number from 0 or its name, random or none, got ""`);
  },
};

/** What {@linkcode guidanceFlags} were called in the version before. */
export const renamedGuidance = { guidanceFrom: "guidanceMinSigma", guidanceTo: "guidanceMaxSigma" };

/**
 * The class that a flag names. Digits are a number even where classes have other digits for names.
 * @param names Of the classes, where a checkpoint says them.
 */
export function readLabel(text: string, names: readonly string[] | null): number | "random" | "none" {
  if (text === "random" || text === "none") return text;
  if (/^(0|[1-9]\d{0,4})$/.test(text)) return Number(text);
  const label = names?.indexOf(text) ?? -1;
  if (label !== -1) return label;
  const listed = names?.slice(0, 8).join(", ") + (names !== null && names.length > 8 ? ", …" : "");
  const known = names === null ? "" : ` or its name (${listed})`;
  throw new UsageError(`--label must be a class by its number from 0${known}, random or none, got "${text}"`);
}

/** Which classes are drawn, and how they are guided to. */
export const labelFlags = {
  label,
  ...guidanceFlags,
  ...notWith("classifierScale", { guideCheckpoint: guideFlag }),
};

/**
 * The guidance of flags; by default {@linkcode DEFAULT_GUIDANCE}, or of scale 0 where a classifier guides.
 * @throws UsageError for an empty interval, or one that has no effect
 */
export function readGuidance(flags: FlagValues<typeof guidanceFlags>): Required<Guidance> {
  const { guidance, classifierScale = 0 } = flags;
  const { guidanceMinSigma: from = DEFAULT_GUIDANCE.from, guidanceMaxSigma: to = DEFAULT_GUIDANCE.to } =
    flags;
  for (const key of ["guidanceMinSigma", "guidanceMaxSigma"] as const) {
    if (guidance === 1 && flags[key] !== undefined) {
      throw new UsageError(`${flagName(key)} has no effect at --guidance 1, got ${flags[key]}`);
    }
  }
  if (from >= to) {
    throw new UsageError(`--guidance-min-sigma must be below --guidance-max-sigma, got ${from} and ${to}`);
  }
  return { scale: guidance ?? (classifierScale !== 0 ? 0 : DEFAULT_GUIDANCE.scale), from, to };
}

/**
 * As {@linkcode readGuidance}, and none without a label or a guide.
 * @throws UsageError for guidance without either
 */
export function readLabelGuidance(flags: FlagValues<typeof labelFlags>): Required<Guidance> {
  const { label, guidance = 1, classifierScale = 0 } = flags;
  if (label !== "none" || flags.guideCheckpoint !== undefined) return readGuidance(flags);
  const { guidanceMinSigma, guidanceMaxSigma } = flags;
  const needLabels = [
    ["guidance", guidance, 1],
    ["guidance-min-sigma", guidanceMinSigma, undefined],
    ["guidance-max-sigma", guidanceMaxSigma, undefined],
    ["classifier-scale", classifierScale, 0],
  ];
  for (const [name, value, none] of needLabels) {
    if (value !== none) throw new UsageError(`--${name} needs a label, got ${value} with --label none`);
  }
  return readGuidance({ ...flags, guidance: 1 });
}
