/**
 * What is measured of a sampler: one property each, with the observed value, its bound and where that comes from.
 * @module
 */

/**
 * What came of a property: it holds; it fails; it was measured and is not judged, as nothing was declared or a
 * documented choice explains it; or it could not be measured, and `words` says why.
 */
export type Verdict = "holds" | "fails" | "noted" | "not measured";

/** One measured property of a sampler. */
export interface Property {
  /** Short and fixed, for machines: `first_level`, `order`, `rows`. */
  readonly name: string;
  /** What is asked, for people: "the first evaluation is at the grid's first level". */
  readonly title: string;
  /** What came of it. */
  readonly verdict: Verdict;
  /** What was observed, as text with its unit. */
  readonly observed: string;
  /** The same as a number, where it is one. */
  readonly value: number | null;
  /** What it may be; empty where nothing is judged. */
  readonly bound: string;
  /** Where the bound comes from: a derivation, an equation of a paper, a published table. */
  readonly source: string;
  /** The smallest error that would have been seen. */
  readonly detectable: string;
  /** For a comparison of random draws, the probability that a correct sampler breaks the bound; 0 for others. */
  readonly alarmRate: number;
  /** One sentence that leads to the line at fault, or says why nothing was measured; empty for a property that holds. */
  readonly words: string;
}

/** A curve or a cloud of points for the page. */
export interface ConformancePlot {
  /** What it shows. */
  readonly title: string;
  /** An SVG drawing. */
  readonly svg: string;
}

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
