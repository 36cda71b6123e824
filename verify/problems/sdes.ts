/**
 * The SDEs on which claims are examined. An SDE that stands here gets every claim on kernels, paths, likelihoods and samplers.
 * @module
 */
import { flowSde } from "../../src/diffusion/flow_sde.ts";
import { edmSde, type Sde, sigmaPowerSde, subVpSde, veSde, vpSde } from "../../src/diffusion/sde.ts";

/** A kind of SDE, as claims use it. */
interface SdeRow {
  /** At its defaults, or in a range in which uniform grids of tens of steps converge. */
  readonly sde: Sde;
  /** What pictures and tables call it. */
  readonly label: string;
  /** With a range in which float32 shows small errors; by default as it is. */
  readonly narrow?: Sde;
}

const rows: readonly SdeRow[] = [
  { label: "VP", sde: vpSde() },
  { label: "sub-VP", sde: subVpSde() },
  { label: "VE", sde: veSde(), narrow: veSde({ sigmaMin: 0.01, sigmaMax: 10, tMin: 1e-3 }) },
  { label: "σ^t", sde: sigmaPowerSde() },
  // Up to its default tMax the reverse SDE is so stiff that methods in t are unstable on grids of a hundred steps.
  { label: "flow", sde: flowSde({ tMax: 0.9 }) },
  // Of its 80 a uniform grid of tens of steps would leave one step for all that is below the data's deviation.
  { label: "EDM", sde: edmSde({ tMin: 0.01, tMax: 5 }), narrow: edmSde({ tMin: 0.12, tMax: 2.2 }) },
];

/** Every SDE. */
export const allSdes: readonly Sde[] = rows.map(({ sde }) => sde);

/** The same by label, where float32 is to show small errors. */
export const narrowSdes: Readonly<Record<string, Sde>> = Object.fromEntries(
  rows.map(({ label, sde, narrow = sde }) => [label, narrow]),
);
