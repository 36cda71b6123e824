/** Whether a sampler's law is right, by which what is odd in its steps is told from what is wrong. @module */
import type { Examination } from "./examination.ts";
import { limit } from "./properties_of_law.ts";
import { marginals, process } from "./properties_of_path.ts";

/** Whether the law of the states goes to the exact one, at the end, on the way and from level to level, as steps get short. */
export async function hasRightLaw(exam: Examination): Promise<boolean> {
  if (!await exam.showsImpulses()) return false;
  for (const measured of [limit, marginals, process]) {
    const { verdict } = await measured(exam);
    if (verdict === "fails" || (verdict === "not measured" && measured !== process)) return false;
  }
  return true;
}
