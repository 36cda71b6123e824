/**
 * Noise plans as files: what `deno task ncsn:plan` writes, and `train` and `sample` read.
 * @module
 */
import { checkFields, checkNumber } from "../../src/input/fields.ts";
import { requireText } from "../../src/input/require.ts";
import { isObject, parseJson } from "../../src/input/json.ts";
import { quoted } from "../../src/input/quoted.ts";
import { checkName } from "../../src/input/option_name.ts";
import { veSde } from "../../src/diffusion/sde.ts";
import { geometricLevels } from "../../src/diffusion/ncsn_levels.ts";
import { readWhole } from "../cli/files.ts";
import type { SamplingConfig } from "../../src/runs/sampling.ts";

/** A noise plan: the noise levels of training, and the steps of annealed Langevin dynamics. */
export interface NoisePlanFile {
  readonly format: "score-sde noise plan 2";
  /** The data that it was made for. */
  readonly data: string;
  /** `ncsn` is Song & Ermon 2019; `ncsnv2` is 2020, whose network is not told the noise level. */
  readonly kind: "ncsn" | "ncsnv2";
  /** σ_1, in units in which a pixel is from 0 to 1, as all that follows. */
  readonly largest: number;
  /** σ_L. */
  readonly smallest: number;
  /** L. */
  readonly levels: number;
  /** T, Langevin steps at each level. */
  readonly moves: number;
  /** ε of x ← x + α_i s + √(2α_i) z, α_i = ε σ_i²/σ_L² (Song & Ermon 2020, Alg. 1). */
  readonly epsilon: number;
}

/** The format that plans state. */
export const PLAN_FORMAT = "score-sde noise plan 2";

/** The format before, whose ε is that of Song & Ermon 2019, steps x ← x + (α_i/2) s + √α_i z: twice as large. */
const OLD_FORMAT = "score-sde noise plan 1";

/** Models see pixels from −1 to 1: twice a plan's units. */
const SCALE = 2;

/** The largest noise level that a plan may name: images of a million pixels in [−1, 1] are at most 2,000 apart. */
const LARGEST_LEVEL = 1e4;

/** The most levels and the most steps at each; the published plans have 10 to 3,000 levels and 3 to 100 steps. */
const MOST = 100_000;

/** The longest file that is taken for a plan, in bytes. */
const LONGEST = 100_000;

/**
 * Reads a plan.
 * @throws {Error} with one sentence, when the file is no plan
 */
export async function readPlan(path: string): Promise<NoisePlanFile> {
  return parsePlan(await readWhole(path), quoted(path));
}

/**
 * Reads a plan from a file's bytes.
 * @param where What errors call it.
 * @throws {Error} with one sentence, when it is no plan
 */
export function parsePlan(bytes: Uint8Array, where: string): NoisePlanFile {
  if (bytes.length > LONGEST) throw new Error(`${where} is no noise plan: it has ${bytes.length} bytes`);
  let plan: unknown;
  try {
    plan = parseJson(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new Error(`${where} is no noise plan: it ${(error as Error).message}`);
  }
  return checkedPlan(plan, where);
}

/**
 * A plan that was read from JSON; of one in the format before, ε is halved.
 * @param where What errors call it.
 * @throws {Error} with one sentence, when it is no plan
 */
export function checkedPlan(json: unknown, where: string): NoisePlanFile {
  const format = isObject(json) ? json.format : undefined;
  if (format !== PLAN_FORMAT && format !== OLD_FORMAT) {
    throw new Error(`${where} is no noise plan: it does not say "format": "${PLAN_FORMAT}"`);
  }
  try {
    checkFields("it", json, ["format", "data", "kind", "largest", "smallest", "levels", "moves", "epsilon"]);
    requireText("data", json.data);
    checkName("kind", json.kind as string, ["ncsn", "ncsnv2"]);
    checkNumber("smallest", json.smallest, { least: 1e-6, most: LARGEST_LEVEL });
    checkNumber("largest", json.largest, { above: json.smallest, most: LARGEST_LEVEL });
    checkNumber("levels", json.levels, { least: 2, most: MOST, whole: true });
    checkNumber("moves", json.moves, { least: 1, most: MOST, whole: true });
    checkNumber("epsilon", json.epsilon, { above: 0, most: json.largest ** 2 });
    const epsilon = format === OLD_FORMAT ? json.epsilon / 2 : json.epsilon;
    return { ...json, format: PLAN_FORMAT, epsilon } as NoisePlanFile;
  } catch (error) {
    throw new Error(`${where} is no noise plan: ${(error as Error).message}`);
  }
}

/** The plan's levels, in a model's units. */
export function planRatios({ largest, smallest, levels }: NoisePlanFile): number[] {
  return Array.from(geometricLevels(SCALE * largest, SCALE * smallest, levels));
}

/**
 * Annealed Langevin dynamics over the plan's levels, all of them: its diffusion begins one level above σ_1, so that the first
 * step's Langevin steps are at σ_1.
 */
export function planSampling(plan: NoisePlanFile): SamplingConfig {
  const ratio = (plan.largest / plan.smallest) ** (1 / (plan.levels - 1));
  return {
    sde: veSde({ sigmaMin: SCALE * plan.smallest, sigmaMax: SCALE * plan.largest * ratio, tMin: 0 })
      .config,
    sampler: {
      name: "annealed-langevin",
      options: { langevinStep: SCALE ** 2 * plan.epsilon, correctorSteps: plan.moves },
    },
    grid: { kind: "uniform", steps: plan.levels },
  };
}
