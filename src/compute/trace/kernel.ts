/**
 * How one TensorFlow.js kernel is recorded.
 * @module
 */
import type { Traced } from "./traced.ts";

/** Attributes of a kernel call, as TensorFlow.js passes them. */
export type Attributes = Readonly<Record<string, unknown>>;

/** Records one call: tensors by their kernel's input names in, the output or outputs out. */
export type TraceKernel = (
  inputs: Readonly<Record<string, Traced>>,
  attributes: Attributes,
) => Traced | Traced[];

/** Recorders by TensorFlow.js' kernel name. */
export type TraceKernels = Readonly<Record<string, TraceKernel>>;

/** An attribute that is one number or a list, as a list. */
export function listOf(attribute: unknown): number[] {
  return typeof attribute === "number" ? [attribute] : [...attribute as number[]];
}

/** Axes as indices from 0; all of them when none is named. */
export function axesOf(attribute: unknown, rank: number): number[] {
  if (attribute === null || attribute === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  return listOf(attribute).map((axis) => axis < 0 ? axis + rank : axis);
}
