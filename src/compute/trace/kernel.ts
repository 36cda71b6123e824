/**
 * The interface of functions that record a TensorFlow.js kernel.
 * @module
 */
import type { Traced } from "./traced.ts";

/** One call of a kernel. Declared as a method, so that a recorder can declare its kernel's own attributes. */
interface Recorder {
  record(inputs: Readonly<Record<string, Traced>>, attributes: object): Traced | Traced[];
}

/** Records one call: tensors by their kernel's input names in, the output or outputs out. */
export type TraceKernel = Recorder["record"];

/** Recorders by TensorFlow.js' kernel name. */
export type TraceKernels = Readonly<Record<string, TraceKernel>>;

/** An attribute that is one number or a list, as a list. */
export function listOf(attribute: number | readonly number[]): number[] {
  return typeof attribute === "number" ? [attribute] : [...attribute];
}

/** Axes as indices from 0; all axes when none is given. */
export function axesOf(attribute: number | readonly number[] | null | undefined, rank: number): number[] {
  if (attribute === null || attribute === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  return listOf(attribute).map((axis) => axis < 0 ? axis + rank : axis);
}
