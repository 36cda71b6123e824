/**
 * The results of `deno task compare`, on the disk and as text: a JSON file that grows row by row, a table, a CSV file.
 * @module
 */
import { isObject, parseJson } from "../../src/input/json.ts";
import type { DigitQuality } from "../../src/metrics/digit_quality.ts";
import type { Row } from "../../src/runs/comparison.ts";
import type { Refused, Setting } from "../../src/runs/comparison_plan.ts";
import { atomicWrite } from "../cli/files.ts";
import { formatPercent } from "../cli/terminal.ts";
import { measuredRows, paretoFront } from "./pareto_front.ts";
import { columns } from "../../src/plots/text_table.ts";
import { kernelText } from "../evaluation/digit_quality.ts";

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

/** Writes results; they are on the disk when this returns. */
export async function writeResults(path: string, results: Results): Promise<void> {
  await atomicWrite(path, new TextEncoder().encode(`${JSON.stringify(results, null, 1)}\n`));
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

/** The Pareto front of each SDE in words: the evaluations, the sampler and its distance, from the fewest evaluations on. */
function frontLines({ run, rows }: Results): string[] {
  return [...new Set(rows.map(({ sde }) => sde))].flatMap((sde) => {
    const front = paretoFront(measuredRows(rows, sde, String(run.weights)));
    if (front.length === 0) return [];
    const places = front.map((row) =>
      `${row.evaluations} ${samplerText(row, run)} ${row.quality.frechet.toFixed(2)}`
    );
    return [`Pareto front, ${sde}: ${places.join("; ")}`];
  });
}

/** The rows as a table; below it the Pareto fronts, and what could not be measured with the reason. */
export function resultsTable({ run, floor, rows, refused }: Results): string {
  const qualityCells = (quality: DigitQuality) => [
    ...[quality.frechet.toFixed(2), kernelText(quality)],
    ...[formatPercent(quality.precision), formatPercent(quality.recall), formatPercent(quality.accuracy)],
  ];
  const measured = rows.flatMap((row) =>
    row.quality === null ? [] : [[
      ...[row.sde, samplerText(row, run), row.grid, String(row.steps), String(row.evaluations)],
      ...[row.seconds?.toFixed(1) ?? "–", ...qualityCells(row.quality)],
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
  return [columns([header, ...measured, images], 3), ...frontLines({ run, floor, rows, refused }), ...failed]
    .join("\n");
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
