/** The digit that a panel starts from: the network draws one for a label and a seed. @module */
import type { DrawRequest } from "../protocol.ts";

/** The request of a digit by the consistency network, which takes three evaluations. */
export function sourceDigit(label: string, seed: number): DrawRequest {
  return {
    sampler: "consistency",
    sde: "ve",
    steps: null,
    label: label === "any" ? null : Number(label),
    guidance: 1,
    count: 1,
    seed,
  };
}
