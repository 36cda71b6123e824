/**
 * The panels of the playground and their settings.
 * @module
 */
import { choice, type Field, real, type Values, whole, wholeOrNone } from "./field.ts";
import { modesField } from "./modes.ts";
import { BRIGHTEST, leftHalf, pixelField } from "./pixels.ts";

/** What the page knows of the library's registries; the build writes it into the page. */
export interface Registry {
  /** Every sampler. */
  readonly samplers: readonly SamplerFacts[];
  /** Every SDE that needs no numbers. */
  readonly sdes: readonly { readonly name: string; readonly title: string }[];
}

/** A sampler's row. */
export interface SamplerFacts {
  readonly name: string;
  readonly source: string;
  /** Steps unless they are chosen. */
  readonly steps: number;
  /** "probability flow", "reverse SDE" or "none". */
  readonly path: string;
  /** Whether it draws from a consistency function, and not by a score. */
  readonly consistency: boolean;
}

/** The labels of digits, and "any" for one that the seed decides. */
export const labels = ["any", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] as const;
/** How many digits are drawn at once. */
export const counts = ["1", "4", "9", "16"] as const;
/** Ways to draw what is hidden. */
export const methods = [
  "pigdm",
  "mmps",
  "tmpd",
  "dps",
  "diffpir",
  "twisted",
  "repaint",
  "replacement",
] as const;
/** Ways to measure the bits of a picture. */
export const bitMethods = ["flow", "bound"] as const;
/** The engines that a page may ask for. */
export const engines = ["auto", "webgpu", "wasm"] as const;

const seed = whole(0, Number.MAX_SAFE_INTEGER, 0);
const engine = choice(engines, "auto");

/** The picture to start from: one that the network draws for a label and a seed, or one's own. */
const picture = {
  label: choice(labels, "5"),
  from: whole(0, Number.MAX_SAFE_INTEGER, 1),
  image: pixelField(BRIGHTEST),
};

/** The settings of every panel, by its name. */
export function panelFields(registry: Registry) {
  const samplers = registry.samplers.map(({ name }) => name);
  const sdes = registry.sdes.map(({ name }) => name);
  return {
    draw: {
      label: choice(labels, "3"),
      count: choice(counts, "1"),
      sampler: choice<string>(samplers, "consistency"),
      sde: choice<string>(sdes, "ve"),
      steps: wholeOrNone(1, 1000),
      guidance: real(0, 8, 1.3),
      seed,
      engine,
    },
    complete: {
      ...picture,
      mask: pixelField(1, leftHalf()),
      method: choice(methods, "pigdm"),
      steps: whole(2, 100, 15),
      seed,
      engine,
    },
    colour: {
      ...picture,
      paper: real(0, 1, 0.2),
      pen: real(0, 1, 0.75),
      steps: whole(2, 100, 15),
      seed,
      engine,
    },
    plane: {
      shape: choice(["mixture", "banana"], "mixture"),
      modes: modesField([{ x: -1.5, y: -1, weight: 0.3 }, { x: 1.2, y: 1.2, weight: 0.7 }]),
      spread: real(0.1, 1, 0.35),
      width: real(0.3, 1.4, 1),
      bend: real(-1, 1, 0.7),
      particles: whole(50, 1000, 300),
      steps: whole(10, 500, 150),
      stepSize: real(0.001, 0.2, 0.005),
      distance: choice(["energy", "sliced"], "energy"),
      seed,
      engine,
    },
    bits: {
      image: pixelField(BRIGHTEST),
      method: choice(bitMethods, "flow"),
      steps: whole(4, 100, 24),
      seed,
      engine,
    },
  } satisfies Record<string, Record<string, Field<never> | Field<unknown>>>;
}

/** The settings of every panel. */
export type PanelFields = ReturnType<typeof panelFields>;
/** A panel's name. */
export type PanelName = keyof PanelFields;
/** A panel's values. */
export type PanelValues<Name extends PanelName> = Values<PanelFields[Name]>;

/** The panels in their order. */
export const panelNames = [
  "draw",
  "complete",
  "colour",
  "plane",
  "bits",
] as const satisfies readonly PanelName[];
