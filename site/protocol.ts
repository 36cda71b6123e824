/**
 * What the page and its worker say to each other.
 *
 * The page asks for an engine, starts jobs and stops them; the worker answers with the state after every step, and at the end
 * of each job with one message: its result, that it was stopped, or an error's sentence.
 * @module
 */
import type { Mode } from "./settings/modes.ts";
import type { bitMethods, engines, methods } from "./settings/panels.ts";

/** Digits to draw. */
export interface DrawRequest {
  readonly sampler: string;
  readonly sde: string;
  /** null for the sampler's own. */
  readonly steps: number | null;
  /** null for one that the seed decides. */
  readonly label: number | null;
  readonly guidance: number;
  readonly count: number;
  readonly seed: number;
}

/** The state of a run after one step, as bytes of grey pixels [count · 784]. */
export interface DrawStep {
  readonly step: number;
  readonly steps: number;
  /** The noise ratio ν that is left. */
  readonly noiseRatio: number;
  /** The noisy digits, their noise scaled so that they keep the spread of the data. */
  readonly state: Uint8Array<ArrayBuffer>;
  /** What the network takes the digits for: its mean of clean digits given the noisy ones. Null before its first evaluation. */
  readonly guess: Uint8Array<ArrayBuffer> | null;
  /** What this step took. */
  readonly milliseconds: number;
  /** Evaluations of the network so far. */
  readonly evaluations: number;
}

/** A digit to complete. */
export interface CompleteRequest {
  /** Bytes [784]. */
  readonly image: Uint8Array;
  /** 1 where it is hidden, [784]. */
  readonly mask: Uint8Array;
  readonly method: (typeof methods)[number];
  readonly steps: number;
  readonly count: number;
  readonly seed: number;
}

/** A grey digit to colour. */
export interface ColourRequest {
  /** Bytes of grey [784]. */
  readonly image: Uint8Array;
  readonly steps: number;
  readonly count: number;
  readonly seed: number;
}

/** Images on their way, as bytes [count · 784 · channels]. */
export interface ImagesStep {
  readonly step: number;
  readonly steps: number;
  readonly images: Uint8Array<ArrayBuffer>;
  readonly channels: 1 | 3;
  readonly milliseconds: number;
}

/** A distribution in the plane. */
export type PlaneShape =
  | { readonly kind: "mixture"; readonly modes: readonly Mode[]; readonly spread: number }
  | { readonly kind: "banana"; readonly width: number; readonly bend: number };

/** Particles to follow. */
export interface PlaneRequest {
  readonly shape: PlaneShape;
  readonly particles: number;
  readonly steps: number;
  readonly stepSize: number;
  readonly distance: "energy" | "sliced";
  readonly seed: number;
}

/** A density over the square and arrows on a coarser grid, rows from the lowest up. */
export interface Field {
  /** From 0 to 255, of the largest. */
  readonly density: Uint8Array<ArrayBuffer>;
  /** Vectors [arrows², 2], of any length. */
  readonly arrows: Float32Array<ArrayBuffer>;
}

/** The three ways beside each other. */
export interface Ways<T> {
  readonly langevin: T;
  readonly reverse: T;
  readonly flow: T;
}

/** Particles after a step, and the fields that they follow. */
export interface PlaneStep {
  readonly step: number;
  readonly steps: number;
  readonly time: number;
  /** [particles, 2]. */
  readonly particles: Ways<Float32Array<ArrayBuffer>>;
  readonly fields: Ways<Field>;
  /** Distances to exact samples, infinite where particles have none; null at steps at which they are not measured. */
  readonly distances: Ways<number> | null;
}

/** What particles are compared with. */
export interface PlaneResult {
  /** The distance between two sets of exact samples: its mean and standard deviation. */
  readonly floor: { readonly mean: number; readonly std: number };
}

/** A picture whose bits are counted. */
export interface BitsRequest {
  /** Bytes [784]. */
  readonly image: Uint8Array;
  readonly method: (typeof bitMethods)[number];
  /** Runge–Kutta steps of the flow; noise levels, four to a step, of the bound. */
  readonly steps: number;
  readonly seed: number;
}

/** How far the count is. */
export interface BitsStep {
  readonly step: number;
  readonly steps: number;
}

/** Bits per dimension. */
export interface BitsResult {
  readonly bits: number;
  /** The standard error over noise levels; null for the flow, of which one random vector gives none. */
  readonly error: number | null;
  readonly evaluations: number;
  readonly milliseconds: number;
}

/** Every kind of job: what is asked, what comes after each step, and what at the end. */
export interface Jobs {
  readonly draw: { request: DrawRequest; step: DrawStep; result: null };
  readonly complete: { request: CompleteRequest; step: ImagesStep; result: null };
  readonly colour: { request: ColourRequest; step: ImagesStep; result: null };
  readonly field: { request: PlaneShape; step: never; result: Field };
  readonly plane: { request: PlaneRequest; step: PlaneStep; result: PlaneResult };
  readonly bits: { request: BitsRequest; step: BitsStep; result: BitsResult };
}

/** A kind of job. */
export type JobKind = keyof Jobs;

/** An engine that a page may ask for. */
export type EngineChoice = (typeof engines)[number];

/** From the page to its worker. */
export type ToWorker =
  | { readonly kind: "open"; readonly engine: EngineChoice }
  | { readonly kind: "stop"; readonly job: number }
  | {
    [Kind in JobKind]: { kind: "start"; job: number; what: Kind; request: Jobs[Kind]["request"] };
  }[JobKind];

/** From the worker to its page. */
export type ToPage =
  | { readonly kind: "opened"; readonly engine: string; readonly reason: string }
  | { readonly kind: "unopened"; readonly message: string }
  | { readonly kind: "step"; readonly job: number; readonly value: Jobs[JobKind]["step"] }
  | { readonly kind: "done"; readonly job: number; readonly value: Jobs[JobKind]["result"] }
  | { readonly kind: "stopped"; readonly job: number }
  | { readonly kind: "failed"; readonly job: number; readonly message: string };
