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
