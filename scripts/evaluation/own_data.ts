/**
 * Samples of one's own data measured against the data, in words and as JSON.
 * @module
 */
import type { DataDistances, DataEvaluationResult } from "../../src/runs/data_evaluation.ts";
import { columns } from "../../src/plots/text_table.ts";

/** What a checkpoint of one's own data measures, and what the data are called. */
export interface OwnEvaluation extends DataEvaluationResult {
  /** What samples, and what as many other data, are compared with, and what the others are called. */
  readonly names: readonly [reference: string, others: string];
}

/** The rows of distances that there are, with the number of decimals of each. */
const ROWS: readonly (readonly [key: keyof DataDistances, name: string, digits: number])[] = [
  ["slicedWasserstein", "sliced Wasserstein distance, in standard deviations", 4],
  ["energy", "energy distance, in standard deviations", 5],
  ["frechet", "Fréchet distance on 4×4 parts", 4],
];

/** A table of distances. */
export function ownTable(
  { distances, floor, referenceCount, floorCount, names: [reference, others] }: OwnEvaluation,
  count: number,
): string {
  return columns([
    [`against ${reference} (${referenceCount})`, `${count} samples`, `${floorCount} ${others}`],
    ...ROWS.flatMap(([key, name, digits]) => {
      const [own, least] = [distances[key], floor[key]];
      return own === null || least === null ? [] : [[name, own.toFixed(digits), least.toFixed(digits)]];
    }),
  ]);
}
