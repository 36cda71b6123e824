/**
 * Comparing samplers on one network as one call: each from the same noise, at equal costs.
 * @module
 */
import { sdeNames } from "../diffusion/sde_registry.ts";
import {
  requireArray,
  requireFunction,
  requireOptions,
  requirePositive,
  requireWhole,
} from "../input/require.ts";
import { requireNetworkPredictor, requireSignal } from "../input/require_parts.ts";
import type { DigitQuality } from "../metrics/digit_quality.ts";
import { checkedGuidance, type Guidance } from "../networks/guidance_interval.ts";
import { scoreSamplerNames } from "../samplers/registry.ts";
import {
  type ComparisonPlan,
  type ComparisonSettings,
  expectedEvaluations,
  planComparison,
  type Refused,
  samplingOf,
  type Setting,
  settingKey,
} from "./comparison_plan.ts";
import { type DigitsParts, drawDigits, type QualityReference, runEvaluation } from "./evaluation.ts";
import type { SampledNetwork } from "./sampled_network.ts";

/** Digits of each sampler that a picture shows. */
const SHOWN = 10;

/** A comparison, as plain data. */
export interface ComparisonRequest extends ComparisonSettings {
  /** How the network follows its labels. */
  readonly guidance: Guidance;
  /** Digits in each setting. */
  readonly count: number;
  /** Digits drawn at once. */
  readonly batch: number;
  /** The seed of all that is random: every setting starts from the same noise. */
  readonly seed: number;
  /** Evaluations of the digits that are shown, or the nearest. */
  readonly show: number;
}

/** One setting and its results. */
export interface Row extends Setting {
  /** Network evaluations that each digit took; null for what failed. */
  readonly evaluations: number | null;
  /** What drawing took; null for what failed. */
  readonly seconds: number | null;
  /** Null for what failed. */
  readonly quality: DigitQuality | null;
  /** Why there is no quality; null where there is. */
  readonly failure: string | null;
}

/** Digits of a setting: the first ten, one of each class where there are ten. */
export interface ShownRow {
  /** The setting and its results. */
  readonly row: Row;
  /** [10, …sampleShape] in [−1, 1]. */
  readonly images: Float32Array;
  /** [10]; null where the network has no classes. */
  readonly labels: Uint8Array | null;
}

/** What a comparison measured. */
export interface ComparisonResult {
  /** Rows, those of earlier runs too, by SDE, sampler and cost. */
  readonly rows: readonly Row[];
  /** What could not be. */
  readonly refused: readonly Refused[];
  /** What as many training images read. */
  readonly floor: DigitQuality;
  /** By the name of each SDE, of each sampler the row whose evaluations are nearest to those that are to be shown. */
  readonly shown: Readonly<Record<string, readonly ShownRow[]>>;
}

/** A network and its name. */
export interface NamedNetwork {
  /** What tells it from others in the rows, such as a fingerprint of its weights. */
  readonly name: string;
  /** The network. */
  readonly noisePredictor: SampledNetwork;
}

/** What a comparison needs beside its request. */
export interface ComparisonParts extends Pick<DigitsParts, "engine" | "signal"> {
  /** The network. */
  readonly network: NamedNetwork;
  /** The baseline's network; needed where the request has one. */
  readonly baseline?: NamedNetwork | null;
  /** What digits are compared with. */
  readonly reference: QualityReference;
  /** Rows of earlier runs, which are kept and not measured again. */
  readonly earlier?: readonly Row[];
  /** Called after every step with about how many evaluations were done, all batches together, and the setting. */
  readonly onStep?: (evaluations: number, setting: Setting) => void;
  /** Called with every row that is measured and all rows so far; the next is begun when it is done. */
  readonly onRow?: (row: Row, rows: readonly Row[]) => void | Promise<void>;
}

/**
 * The settings of a comparison, and which of them no earlier row has.
 * @throws {RangeError | TypeError} When the request is not one that can be carried out.
 */
export function planRun(
  request: ComparisonRequest,
  { network, baseline, earlier = [] }: Pick<ComparisonParts, "network" | "baseline" | "earlier">,
): ComparisonPlan & { readonly missing: readonly Setting[] } {
  const { noisePredictor, name } = network;
  const label = noisePredictor.network.classes > 0 ? 0 : null;
  const calls = noisePredictor.withLabels(label, request.guidance).calls(1);
  const plan = planComparison(request, { network: name, baseline: baseline?.name, calls });
  const known = new Set(earlier.map(settingKey));
  return { ...plan, missing: plan.settings.filter((setting) => !known.has(settingKey(setting))) };
}

/**
 * Measures every setting that no earlier row has; where one fails, as a rule with too few steps, its row says why.
 *
 * @throws {RangeError | TypeError} When the request is not one that can be carried out, before anything is drawn.
 */
export async function runComparison(
  request: ComparisonRequest,
  parts: ComparisonParts,
): Promise<ComparisonResult> {
  checkRequest(request);
  checkParts(request, parts);
  const { network, baseline, reference, engine, earlier = [], onStep = () => {}, onRow = () => {}, signal } =
    parts;
  const { missing, refused } = planRun(request, parts);
  const { sdes, guidance, count, batch, seed } = request;
  const batches = Math.ceil(count / batch);
  const drawing = { guidance, classifierScale: 0, seed };
  let rows: readonly Row[] = earlier;
  let done = 0;
  for (const setting of missing) {
    const { noisePredictor } = setting.network === network.name ? network : baseline!;
    const cost = expectedEvaluations(setting);
    const row = await measureSetting(
      setting,
      (taken) => onStep(done + taken * cost / setting.steps, setting),
      (onStep) =>
        runEvaluation({ ...samplingOf(setting, sdes), ...drawing, count, batch }, {
          ...{ noisePredictor, reference, engine, signal, onStep },
        }),
    );
    signal?.throwIfAborted();
    done += batches * cost;
    rows = inOrder([...rows, row]);
    await onRow(row, rows);
  }
  const shown: Record<string, ShownRow[]> = {};
  for (const sde of Object.keys(sdes)) {
    shown[sde] = [];
    for (const row of rowsToShow(rows, { network: network.name, sde, evaluations: request.show })) {
      const sampling = { ...samplingOf(row, sdes), ...drawing, count: SHOWN, batch: SHOWN };
      const { noisePredictor } = network;
      const { images, labels } = await drawDigits(sampling, { noisePredictor, engine, signal });
      shown[sde].push({ row, images, labels });
    }
  }
  return { rows: inOrder(rows), refused, floor: reference.reference.floor, shown };
}

function checkRequest(request: ComparisonRequest): void {
  requireOptions("a request", request);
  const { guidance, count, batch, seed, show } = request;
  requireOptions("guidance", guidance);
  checkedGuidance(guidance);
  requireWhole("count", count, 10);
  requireWhole("batch", batch, 1);
  requireWhole("seed", seed, 0);
  requirePositive("show", show);
}

function checkParts(request: ComparisonRequest, parts: ComparisonParts): void {
  requireOptions("parts", parts);
  const { network, baseline, reference, earlier = [], onStep = () => {}, onRow = () => {} } = parts;
  requireOptions("network", network);
  requireNetworkPredictor("network.noisePredictor", network.noisePredictor);
  requireOptions("reference", reference);
  requireOptions("reference.reference", reference.reference);
  requireArray("earlier", earlier);
  requireFunction("onStep", onStep);
  requireFunction("onRow", onRow);
  requireSignal("signal", parts.signal);
  if (request.baseline === null) return;
  requireOptions("baseline", baseline);
  requireNetworkPredictor("baseline.noisePredictor", baseline!.noisePredictor);
}

/** The row of a setting; an error is its reason, but for what the caller's function throws. */
async function measureSetting(
  setting: Setting,
  onStep: (taken: number) => void,
  measure: (onStep: (taken: number) => void) => ReturnType<typeof runEvaluation>,
): Promise<Row> {
  let thrown: { readonly error: unknown } | null = null;
  const watched = (taken: number) => {
    try {
      onStep(taken);
    } catch (error) {
      thrown = { error };
      throw error;
    }
  };
  try {
    const { quality, evaluations, seconds } = await measure(watched);
    return { ...setting, quality, evaluations, seconds, failure: null };
  } catch (error) {
    if (thrown !== null || !(error instanceof Error)) throw error;
    return { ...setting, evaluations: null, seconds: null, quality: null, failure: error.message };
  }
}

/** The rows of one SDE that a picture shows: of each sampler, the one whose evaluations are nearest to a number. */
function rowsToShow(
  rows: readonly Row[],
  { network, sde, evaluations }: {
    readonly network: string;
    readonly sde: string;
    readonly evaluations: number;
  },
): readonly Row[] {
  const nearest = new Map<string, Row>();
  const away = (row: Row) => Math.abs(Math.log(row.evaluations! / evaluations));
  for (const row of rows) {
    if (row.sde !== sde || row.network !== network || row.quality === null) continue;
    const other = nearest.get(row.sampler);
    if (other === undefined || away(row) < away(other)) nearest.set(row.sampler, row);
  }
  return [...nearest.values()];
}

/** Rows by SDE, sampler and cost. */
function inOrder(rows: readonly Row[]): readonly Row[] {
  const place = ({ sde, sampler, steps }: Row) => [
    (sdeNames as readonly string[]).indexOf(sde),
    (scoreSamplerNames as readonly string[]).indexOf(sampler),
    steps,
  ];
  return rows.toSorted((a, b) => {
    const [first, second] = [place(a), place(b)];
    const differs = first.findIndex((value, i) => value !== second[i]);
    return differs < 0 ? 0 : first[differs] - second[differs];
  });
}
