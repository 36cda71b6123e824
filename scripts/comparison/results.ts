/**
 * The results of `deno task compare`, on the disk and as text: a JSON file that grows row by row, a table, a CSV file.
 * @module
 */
import type { Engine } from "../../src/compute/engine.ts";
import { isObject, parseJson } from "../../src/input/json.ts";
import type { DigitQuality } from "../../src/metrics/digit_quality.ts";
import type { NetworkPredictor } from "../../src/networks/network_predictor.ts";
import { scoreSamplerNames } from "../../src/samplers/registry.ts";
import { columns } from "../cli/text_table.ts";
import { atomicWrite } from "../cli/files.ts";
import { type DigitsParts, type QualityReference, runEvaluation } from "../../src/runs/evaluation.ts";
import { kernelText } from "../evaluation/digit_quality.ts";
import { formatPercent } from "../cli/terminal.ts";
import { sdeNames } from "../../src/diffusion/sde_registry.ts";
import { type Refused, type Setting, settingKey } from "./plan.ts";
import { createSampling } from "../sampling/sampling.ts";

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

/** How settings are measured. */
interface MeasuringOptions extends Pick<DigitsParts, "onStep"> {
  readonly engine: Engine;
  readonly qualityReference: QualityReference;
  readonly count: number;
  readonly batch: number;
  readonly seed: number;
  readonly guidance: number;
}

/** Measures a setting; where it fails, as a rule with too few steps, the row says why. */
export async function measureSetting(
  noisePredictor: NetworkPredictor,
  setting: Setting,
  { engine, qualityReference, count, batch, seed, guidance, onStep }: MeasuringOptions,
): Promise<Row> {
  const request = {
    ...createSampling(setting),
    guidance: { scale: guidance },
    classifierScale: 0,
    count,
    batch,
    seed,
  };
  try {
    const parts = { noisePredictor, reference: qualityReference, engine, onStep };
    const { quality, evaluations, seconds } = await runEvaluation(request, parts);
    return { ...setting, quality, evaluations, seconds, failure: null };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { ...setting, evaluations: null, seconds: null, quality: null, failure: error.message };
  }
}

/** What all rows have in common; rows of other runs do not go into one file. */
type ComparisonRun = Readonly<Record<string, string | number | null>>;

/** The JSON file. */
export interface Results {
  readonly run: ComparisonRun;
  /** What as many training images read. */
  readonly floor: DigitQuality;
  readonly rows: readonly Row[];
  readonly refused: readonly Refused[];
}

/** Rows that are kept on the disk as soon as they are there. */
export class ResultsFile {
  readonly #rows: Map<string, Row>;

  /** Goes on from the rows of {@linkcode earlierRows}. */
  constructor(
    readonly path: string,
    readonly run: ComparisonRun,
    readonly floor: DigitQuality,
    earlier: readonly Row[],
  ) {
    this.#rows = new Map(earlier.map((row) => [settingKey(row), row]));
  }

  /** The row of a setting, if it was measured. */
  row(setting: Setting): Row | undefined {
    return this.#rows.get(settingKey(setting));
  }

  /** Adds a row; it is on the disk when this returns. */
  async add(row: Row): Promise<void> {
    this.#rows.set(settingKey(row), row);
    await this.write([]);
  }

  /** All rows, by equation, sampler and cost. */
  results(refused: readonly Refused[]): Results {
    const place = ({ sde, sampler, steps }: Row) => [
      sdeNames.indexOf(sde),
      scoreSamplerNames.indexOf(sampler),
      steps,
    ];
    const rows = [...this.#rows.values()].toSorted((a, b) => {
      const [first, second] = [place(a), place(b)];
      const differs = first.findIndex((value, i) => value !== second[i]);
      return differs < 0 ? 0 : first[differs] - second[differs];
    });
    return { run: this.run, floor: this.floor, rows, refused };
  }

  /** Writes the file, with what could not be measured. */
  async write(refused: readonly Refused[]): Promise<Results> {
    const results = this.results(refused);
    await atomicWrite(this.path, new TextEncoder().encode(`${JSON.stringify(results, null, 1)}\n`));
    return results;
  }
}

/**
 * The rows that a file holds; none where there is no file.
 * @throws {Error} When a file is there and is not to be resumed, or is of another run.
 */
export async function earlierRows(
  path: string,
  run: ComparisonRun,
  resume: boolean,
): Promise<readonly Row[]> {
  const earlier = await readResults(path);
  if (earlier === null) return [];
  if (!resume) {
    throw new Error(
      `"${path}" holds ${earlier.rows.length} measured rows: --resume keeps them and measures what is missing; remove it to measure anew`,
    );
  }
  for (const key of new Set([...Object.keys(earlier.run), ...Object.keys(run)])) {
    if (earlier.run[key] !== run[key]) {
      throw new Error(`cannot resume "${path}": its ${key} is ${earlier.run[key]}, now it is ${run[key]}`);
    }
  }
  return earlier.rows;
}

/** The file's content; null when there is none. */
async function readResults(path: string): Promise<Results | null> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  try {
    const results = parseJson(text);
    if (
      isObject(results) && isObject(results.run) && Array.isArray(results.rows) &&
      results.rows.every(isObject)
    ) {
      return results as unknown as Results;
    }
  } catch {
    // The error below says so.
  }
  throw new Error(`"${path}" is not a file of deno task compare`);
}

const header = [
  ...["sde", "sampler", "grid", "steps", "evaluations", "seconds"],
  ...["Fréchet", "kernel distance", "precision", "recall", "accuracy"],
];

/** The name of a row's sampler, with the options that it was given and whether it ran on the baseline's network. */
export function samplerText({ network, sampler, options }: Setting, run: ComparisonRun): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const words = given.map(([key, value]) => key === "predictor" ? value : `${key} ${value}`);
  return `${network === run.weights ? "" : "baseline: "}${sampler}${
    words.length > 0 ? ` (${words.join(", ")})` : ""
  }`;
}

/** The rows as a table, what could not be measured below it with the reason. */
export function resultsTable({ run, floor, rows, refused }: Results): string {
  const qualityCells = (quality: DigitQuality) => [
    ...[quality.frechet.toFixed(2), kernelText(quality)],
    ...[formatPercent(quality.precision), formatPercent(quality.recall), formatPercent(quality.accuracy)],
  ];
  const measured = rows.flatMap((row) =>
    row.quality === null ? [] : [[
      ...[row.sde, samplerText(row, run), row.grid, String(row.steps), String(row.evaluations)],
      ...[row.seconds!.toFixed(1), ...qualityCells(row.quality)],
    ]]
  );
  const images = ["–", `${run.count} training images`, "", "", "", "", ...qualityCells(floor)];
  const failed = [
    ...rows.flatMap((row) =>
      row.failure === null
        ? []
        : [`left out: ${row.sde}, ${samplerText(row, run)}, ${row.steps} steps: ${row.failure}`]
    ),
    ...refused.map(({ sde, sampler, at, reason }) => `left out: ${sde}, ${sampler}, ${at}: ${reason}`),
  ];
  return [columns([header, ...measured, images], 3), ...failed].join("\n");
}

/** The rows as comma-separated values, one line each; what could not be measured has a reason in the last column. */
export function resultsCsv({ floor, rows, refused }: Results): string {
  const names = [
    ...["network", "sde", "sampler", "grid", "steps", "options", "evaluations", "seconds"],
    ...["frechet", "kernelDistance", "kernelError", "precision", "recall", "accuracy", "failure"],
  ];
  const metrics = (quality: DigitQuality | null) => [
    ...[quality?.frechet, quality?.kernelDistance, quality?.kernelError],
    ...[quality?.precision, quality?.recall, quality?.accuracy],
  ];
  const lines = [
    names,
    ...rows.map((row) => [
      ...[row.network, row.sde, row.sampler, row.grid, row.steps],
      Object.entries(row.options).map(([key, value]) => `${key}=${value}`).join(" "),
      ...[row.evaluations, row.seconds, ...metrics(row.quality), row.failure],
    ]),
    ...refused.map(({ network, sde, sampler, at, reason }) => [
      ...[network, sde, sampler, "", "", "", "", "", "", "", "", "", "", ""],
      `${at}: ${reason}`,
    ]),
    ["training images", "", "", "", "", "", "", "", ...metrics(floor), ""],
  ];
  return lines.map((cells) => cells.map(quoted).join(",")).join("\n") + "\n";
}

/** A cell of a CSV file (RFC 4180). */
function quoted(cell: string | number | null | undefined): string {
  const text = String(cell ?? "");
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
