/**
 * Langevin corrections in a run: evaluations after which noise is added and the state stays at its level. The response
 * shows the size of each.
 * @module
 */
import type { ProductData } from "./exact_model.ts";
import type { AffineState, ImpulseResponse } from "./impulse_response.ts";

/** One correction, y' = y + ε ∇log p + √(2ε) z in y = x/α. */
interface CorrectorStep {
  /** The evaluation that it begins with. */
  readonly evaluation: number;
  /** The noise ratio of its level. */
  readonly ratio: number;
  /** ε, from the size √(2ε) of its noise. */
  readonly size: number;
  /** What the size of its noise is over that which its pull towards the data asks for, of the broad coordinates. */
  readonly noiseOverPull: number;
}

/** Whether two levels are one. */
function sameRatio(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-6 * Math.max(a, b);
}

/** The corrections of a run. */
export function correctorSteps(data: ProductData, response: ImpulseResponse): CorrectorStep[] {
  const { evaluations, end, run } = response;
  const found: CorrectorStep[] = [];
  for (let at = 0; at < evaluations.length; at++) {
    const here = evaluations[at];
    const after: AffineState = evaluations[at + 1] ?? end;
    if (!sameRatio(here.ratio, after.ratio)) continue;
    const fresh = run.noiseAfter.flatMap((before, k) => before === at + 1 ? [k] : []);
    if (fresh.length === 0) continue;
    const added = fresh.reduce((sum, k) => sum + after.noise[k][0] ** 2, 0);
    if (!(added > 0)) continue;
    found.push({
      evaluation: at,
      ratio: here.ratio,
      size: added / 2,
      noiseOverPull: noiseOverPull(data, here, after, added),
    });
  }
  // A single one is a last step whose score was asked for at its end.
  return found.length >= run.grid.times.length / 4 ? found : [];
}

/** √(noise² / 2(1 − a)C), which is 1 where a = 1 − ε/C and the noise is √(2ε); by the coordinate that is pulled most. */
function noiseOverPull(data: ProductData, here: AffineState, after: AffineState, added: number): number {
  let [best, pull] = [0, 0];
  here.gain.forEach((gain, j) => {
    // A start that has been forgotten says nothing.
    if (Math.abs(gain) < 1e-9) return;
    const pulled = 1 - after.gain[j] / gain;
    if (pulled > pull && pulled < 0.9) [best, pull] = [j, pulled];
  });
  if (!(pull > 0)) return Infinity;
  return Math.sqrt(added / (2 * pull * (data[best].deviations[0] ** 2 + here.ratio ** 2)));
}
