/** Results of properties, before their names are put to them. @module */
import type { Property } from "./property.ts";

/** What a measurement says of a property. */
export type PropertyResult = Omit<Property, "name" | "title">;

/** A result with empty words for what is left out. */
export function property(given: Partial<PropertyResult> & Pick<PropertyResult, "verdict">): PropertyResult {
  // What is not finite is no number that machines could compare, and JSON has none.
  const value = Number.isFinite(given.value) ? given.value! : null;
  return {
    observed: "",
    bound: "",
    source: "",
    detectable: "",
    alarmRate: 0,
    words: "",
    ...given,
    value,
  };
}

/** A number with four digits, for people. */
export function rounded(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

/** A fraction as a percentage with two digits. */
export function percent(fraction: number): string {
  return `${rounded(Number((fraction * 100).toPrecision(2)))}%`;
}
