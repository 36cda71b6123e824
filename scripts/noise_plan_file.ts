/**
 * Noise plans as files: what `deno task ncsn:plan` writes, and `train` and `sample` read.
 * @module
 */
import { annealedLangevin } from "../src/samplers/annealed_langevin.ts";
import { veSde } from "../src/sde.ts";
import { geometricLevels } from "../src/ncsn/noise_plan.ts";
import { readWhole } from "./files.ts";
import type { Sampling } from "./sampling_flags.ts";

/** Everything that training with a finite list of levels and annealed Langevin dynamics need to know. */
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
  /** T, moves at each level. */
  readonly moves: number;
  /** ε of x ← x + α_i s + √(2α_i) z, α_i = ε σ_i²/σ_L² (Song & Ermon 2020, Alg. 1). */
  readonly epsilon: number;
}

/** The format that plans state. */
export const PLAN_FORMAT = "score-sde noise plan 2";

/** The format before, whose ε is that of Song & Ermon 2019, moves x ← x + (α_i/2) s + √α_i z: twice as large. */
const OLD_FORMAT = "score-sde noise plan 1";

/** Models see pixels from −1 to 1: twice a plan's units. */
const SCALE = 2;

/**
 * Reads a plan.
 * @throws {Error} with one sentence, when the file is no plan
 */
export async function readPlan(path: string): Promise<NoisePlanFile> {
  const bytes = await readWhole(path);
  let plan: unknown;
  try {
    plan = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new Error(`"${path}" is no noise plan: it is not JSON`);
  }
  return checkedPlan(plan, `"${path}"`);
}

/**
 * A plan that was read from JSON; of one in the format before, ε is halved.
 * @param where What errors call it.
 * @throws {Error} with one sentence, when it is no plan
 */
export function checkedPlan(json: unknown, where: string): NoisePlanFile {
  let plan = json as Omit<NoisePlanFile, "format"> & { readonly format: string };
  if (plan?.format === OLD_FORMAT) plan = { ...plan, format: PLAN_FORMAT, epsilon: plan.epsilon / 2 };
  if (plan?.format !== PLAN_FORMAT) {
    throw new Error(`${where} is no noise plan: it does not say "format": "${PLAN_FORMAT}"`);
  }
  if (plan.kind !== "ncsn" && plan.kind !== "ncsnv2") {
    throw new Error(`${where}: kind must be ncsn or ncsnv2, got ${JSON.stringify(plan.kind)}`);
  }
  try {
    geometricLevels(plan.largest, plan.smallest, plan.levels);
    annealedLangevin({ epsilon: plan.epsilon, steps: plan.moves });
  } catch (error) {
    throw new Error(`${where} is no noise plan: ${(error as Error).message}`);
  }
  return { ...plan, format: PLAN_FORMAT };
}

/** The plan's levels, in a model's units. */
export function planRatios({ largest, smallest, levels }: NoisePlanFile): number[] {
  return Array.from(geometricLevels(SCALE * largest, SCALE * smallest, levels));
}

/**
 * Annealed Langevin dynamics over the plan's levels, all of them: its diffusion begins one level above σ_1, so that the first
 * step's moves are at σ_1.
 */
export function planSampling(plan: NoisePlanFile): Sampling {
  const ratio = (plan.largest / plan.smallest) ** (1 / (plan.levels - 1));
  return {
    sde: veSde({ sigmaMin: SCALE * plan.smallest, sigmaMax: SCALE * plan.largest * ratio, tMin: 0 }),
    sampler: annealedLangevin({ epsilon: SCALE ** 2 * plan.epsilon, steps: plan.moves }),
    grid: { kind: "uniform", steps: plan.levels },
  };
}
