/**
 * docs/results.md, from the JSON files in docs/results/: what was measured, by which command and when.
 * @module
 */
import { type Chance, chanceText, seedTable } from "../suite/chance.ts";
import { measuredRows, paretoFront } from "../../scripts/comparison/pareto_front.ts";
import { type ComparisonMeasurement, comparisons, measurements } from "./measurements.ts";

/** What a file in docs/results/ holds of one measurement. */
export interface Measured {
  /** The command line. */
  readonly command: string;
  /** The day, YYYY-MM-DD. */
  readonly measured: string;
  /** What the command printed. */
  readonly result: unknown;
  /** What else is to be known of the numbers. */
  readonly note?: string;
}

/** What docs/results/suite.json holds of a run of all claims. */
export interface SuiteSummary {
  /** The command line. */
  readonly command: string;
  /** ISO 8601. */
  readonly when: string;
  /** What was checked out; a plus stands for changes since. */
  readonly commit: string | null;
  /** Claims that held, failed and were skipped, and comparisons. */
  readonly totals: {
    readonly passed: number;
    readonly failed: number;
    readonly skipped: number;
    readonly comparisons: number;
  };
  /** By subject: claims that held, and their comparisons. */
  readonly subjects: readonly (readonly [title: string, held: number, comparisons: number])[];
}

/** What docs/results/faults.json holds of a run of all planted faults. */
export interface FaultSummary {
  /** ISO 8601. */
  readonly when: string;
  /** What was checked out. */
  readonly commit: string | null;
  /** Faults that were planted. */
  readonly planted: number;
  /** Those that claims caught. */
  readonly caught: number;
}

/** A table of a claim. */
export interface ClaimTable {
  /** The columns' names. */
  readonly header: readonly string[];
  /** Cells, printed as they are. */
  readonly rows: readonly (readonly string[])[];
}

/** A run under many seeds, as verification/seeds.json keeps it. */
export interface SeedsRun {
  readonly command: string;
  /** ISO 8601. */
  readonly when: string;
  readonly commit: string | null;
  readonly chance: Chance;
}

/** Everything that the page is made from; null for what was not measured yet. */
export interface ResultFiles {
  /** Measurements by name. */
  readonly measured: ReadonlyMap<string, Measured>;
  readonly suite: SuiteSummary | null;
  readonly faults: FaultSummary | null;
  /** The tables of the claims on a published table. */
  readonly published: { readonly command: string; readonly tables: readonly ClaimTable[] } | null;
  /** The last run under many seeds. */
  readonly seeds: SeedsRun | null;
}

/** The whole page in Markdown, to be formatted by `deno fmt`. */
export function resultsPage({ measured, suite, faults, published, seeds }: ResultFiles): string {
  return [
    "# Results",
    "`deno task results` writes this page from the files in [results/](results). " +
    "`deno task results --measure NAME,…` runs the commands below again, or all of them with `--measure all`, and " +
    "stores what they print.",
    "## The shipped networks",
    numbers(measured),
    "The Fréchet distance is taken on the features of a small digit classifier ([card](../fixtures/models/classifier.md)): " +
    "it compares settings here, not papers. The stripe is the one under which a published course report loses the 1s. " +
    "Cards: [mnist](../fixtures/models/mnist.md), [mnist_likelihood](../fixtures/models/mnist_likelihood.md), " +
    "[mnist_consistency](../fixtures/models/mnist_consistency.md).",
    ...comparisonSections(measured),
    "## The suite",
    ...suite === null ? ["No run of all claims is stored."] : suiteSection(suite),
    ...faults === null ? [] : [
      `\`deno task verify:faults\` at ${faults.commit}: ${faults.planted} faults planted, ${faults.caught} caught.`,
    ],
    ...seeds === null ? [] : seedSection(seeds),
    ...published === null ? [] : [
      "## A published table of exact errors",
      "W₂ on the CIFAR-10 Gaussian by number of evaluations (Pierret & Galerne 2025), “published · ours”, by " +
      `\`${published.command}\`:`,
      tableOf(published.tables[0].header, published.tables.flatMap(({ rows }) => rows)),
    ],
    "## Speed",
    "[Engines](engines.md) has what `deno task bench` measured, and [the digits network](measurements.md) and " +
    "[the tutorial's network](measurements_tutorial.md) in full.",
  ].join("\n\n") + "\n";
}

function numbers(measured: ResultFiles["measured"]): string {
  const rows = measurements.flatMap((measurement) => {
    const stored = measured.get(measurement.name);
    if (stored === undefined) return [];
    return measurement.rows(stored.result).map(([what, value], i) => [
      what,
      value,
      i === 0 ? `\`${stored.command}\`` : "the same",
      stored.measured,
    ]);
  });
  return tableOf(["what", "value", "command", "measured"], rows);
}

/** What the page takes from the JSON of a comparison. */
interface ComparisonRows {
  readonly run: { readonly weights: string; readonly count: number; readonly guidance: number };
  readonly floor: { readonly frechet: number };
  readonly rows: readonly {
    readonly sde: string;
    readonly network: string;
    readonly sampler: string;
    readonly evaluations: number | null;
    readonly quality: { readonly frechet: number } | null;
  }[];
}

function comparisonSections(measured: ResultFiles["measured"]): string[] {
  const sections = comparisons.flatMap((comparison) => {
    const stored = measured.get(comparison.name);
    return stored === undefined ? [] : comparisonSection(comparison, stored);
  });
  return sections.length === 0 ? [] : [
    "## Samplers compared",
    "Fréchet distance by evaluations of the network, all from the same noise; in bold, the Pareto front: what no sampler of as many " +
    "or fewer evaluations reaches. Digits measure better than training images, since the classifier whose features are " +
    "compared was trained on those. [Samplers](samplers.md) says which to take.",
    ...sections,
    "![The same noise through every sampler](../fixtures/gallery/compare.png)",
    "![Fréchet distance against network evaluations](../fixtures/gallery/compare-plot.png)",
  ];
}

function comparisonSection({ title, budgets }: ComparisonMeasurement, stored: Measured): string[] {
  const { run, floor, rows } = stored.result as ComparisonRows;
  const [{ sde }] = rows;
  const known = measuredRows(rows, sde, run.weights);
  const front = new Set(paretoFront(known));
  const cells = [...new Set(rows.map(({ sampler }) => sampler))].map((name) => [
    name,
    ...budgets.map((budget, i) => {
      // A sampler may take fewer evaluations than its budget, and more than the budget before.
      const row = known.find(({ sampler, evaluations }) =>
        sampler === name && evaluations <= budget && evaluations > (budgets[i - 1] ?? 0)
      );
      if (row === undefined) return "–";
      const distance = row.quality.frechet.toPrecision(3);
      return front.has(row) ? `**${distance}**` : distance;
    }),
  ]);
  return [
    `### ${title}`,
    `${run.count} digits, ${sde}, guidance ${run.guidance}; as many training images read ${
      floor.frechet.toFixed(2)
    }. By ` +
    `\`${stored.command}\`, ${stored.measured}${stored.note === undefined ? "" : ` (${stored.note})`}.`,
    tableOf(["sampler", ...budgets.map(String)], cells),
  ];
}

function suiteSection({ command, when, commit, totals, subjects }: SuiteSummary): string[] {
  const { passed, failed, skipped, comparisons } = totals;
  const day = when.slice(0, 10);
  return [
    `\`${command}\` at ${commit}, ${day}: ${passed} claims held, ${failed} failed, ${skipped} were skipped; ` +
    `${comparisons.toLocaleString("en")} comparisons.`,
    ...subjects.length === 0 ? [] : [
      tableOf(
        ["subject", "claims that held", "comparisons"],
        subjects.map(([title, held, count]) => [title, String(held), count.toLocaleString("en")]),
      ),
    ],
  ];
}

function seedSection({ command, when, commit, chance }: SeedsRun): string[] {
  const { header, rows } = seedTable(chance.seeds);
  const sentences = chanceText(chance).map((text) => `${text[0].toUpperCase()}${text.slice(1)}.`);
  const share = chance.tenths.map((count) => count.toLocaleString("en")).join(", ");
  return [
    "### Under many seeds",
    `The claims that state a false-alarm rate, by \`${command}\` at ${commit}, ${when.slice(0, 10)}.`,
    tableOf(header, rows),
    sentences.join(" "),
    `P-values in each tenth of [0, 1], of claims that may share draws: ${share}.`,
  ];
}

function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}
