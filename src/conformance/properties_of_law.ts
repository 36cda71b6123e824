/** The law of a sampler's output on Gaussian data, exactly: mean, variance, limit, order. @module */
import { extrapolated, type Limit } from "./convergence.ts";
import { correctorSteps } from "./corrector.ts";
import { BROAD_COORDINATES, type Examination, gaussianData } from "./examination.ts";
import { stateMoments } from "./impulse_response.ts";
import { type LawAtEnd, lawAtEnd } from "./law_at_end.ts";
import { percent, property, type PropertyResult, rounded } from "./property_result.ts";
import { stepDiagnosis } from "./step_diagnosis.ts";

/** The limit of mean and variance of one coordinate, and how far outside the exact law it is. */
interface CoordinateLimit {
  readonly coordinate: number;
  /** Of the deviation of the mean, in standard deviations. */
  readonly mean: Limit;
  /** Of the variance over the exact one, less 1. */
  readonly variance: Limit;
  /** How far the variance may be below and above the exact one. */
  readonly lowest: number;
  readonly highest: number;
}

/** Output mean and variance at each number of steps against the exact law. */
export interface OutputSeries {
  readonly counts: readonly number[];
  readonly law: LawAtEnd;
  /** Deviations of the mean in standard deviations, [run][d]. */
  readonly means: readonly Float64Array[];
  /** Variance over the exact one less 1, [run][d]. */
  readonly variances: readonly Float64Array[];
  readonly limits: readonly CoordinateLimit[];
}

/** The series; rejects where the sampler is not affine or draws its own noise. */
export function outputSeries(exam: Examination): Promise<OutputSeries> {
  return exam.once("output series", async () => {
    const responses = await exam.responses();
    const start = exam.startMoments;
    const finest = responses[responses.length - 1][1];
    const { grid } = finest.run;
    const steps = grid.times.length - 1;
    const law = lawAtEnd(gaussianData, finest, grid.sigmas[steps] / grid.alphas[steps]);
    const moments = responses.map(([, response]) => stateMoments(response.end, start));
    const means = moments.map(({ mean }) =>
      mean.map((value, j) => (value - law.mean[j]) / Math.sqrt(law.highest[j]))
    );
    const exact = law.highest.map((_, j) => gaussianData[j].deviations[0] ** 2 + finest.end.ratio ** 2);
    const variances = moments.map(({ variance }) => variance.map((value, j) => value / exact[j] - 1));
    const floor = exam.description.precision === "float64" ? 1e-10 : 3e-5;
    const limits = gaussianData.map((_, coordinate): CoordinateLimit => ({
      coordinate,
      mean: extrapolated(means.map((mean) => mean[coordinate]), floor),
      variance: extrapolated(variances.map((variance) => variance[coordinate]), floor),
      lowest: law.lowest[coordinate] / exact[coordinate] - 1,
      highest: law.highest[coordinate] / exact[coordinate] - 1,
    }));
    return { counts: responses.map(([count]) => count), law, means, variances, limits };
  });
}

const DATA_WORDS = gaussianData.map(({ means, deviations }) => `N(${means[0]}, ${deviations[0]}²)`);

/** What is allowed beyond the uncertainty of a limit: of a variance's part, and of a mean in standard deviations. */
const ALLOWED = 2e-3;

/**
 * Limits of which enough is known that they can be judged. Where the data are narrow, steps may still be long against the time in
 * which they are resolved, and changes then shrink as if towards another limit.
 */
function judged({ uncertainty, converges, change }: Limit, coordinate: number): boolean {
  return converges && uncertainty < 0.05 && (change < 0.03 || BROAD_COORDINATES.includes(coordinate));
}

/** How far outside its allowance a limit is; at most 0 for one that may be right. */
function excess(limit: Limit, lowest: number, highest: number): number {
  const margin = ALLOWED + 4 * limit.uncertainty;
  return Math.max(limit.value - highest - margin, lowest - margin - limit.value);
}

/** Coordinates whose limit is wrong, and the words for the worst. */
export async function wrongLimits(
  exam: Examination,
): Promise<{ words: string; judged: number; worst: number }> {
  const { limits, counts, variances, means } = await outputSeries(exam);
  let [words, worst, size] = ["", 0, 0];
  let seen = 0;
  const note = (text: string, value: number) => {
    if (value > size) [words, size] = [text, value];
  };
  for (const { coordinate, mean, variance, lowest, highest } of limits) {
    const data = DATA_WORDS[coordinate];
    if (judged(variance, coordinate)) {
      seen++;
      if (coordinate !== 4) worst = Math.max(worst, Math.abs(variance.value));
      const over = excess(variance, lowest, highest);
      if (over > 0) {
        note(
          `on ${data} the variance goes to ${
            rounded(1 + variance.value)
          } times the exact one as steps get short`,
          over,
        );
      }
    } else if (!variance.converges && BROAD_COORDINATES.includes(coordinate)) {
      const last = variances.map((values) => values[coordinate]);
      const [before, after] = last.slice(-2);
      if (Math.abs(after) > 0.02 && Math.abs(after) > 0.9 * Math.abs(before)) {
        note(
          `on ${data} the variance does not settle: it is ${
            last.map((value) => rounded(1 + value)).join(", ")
          } times the exact one at ${counts.join(", ")} steps`,
          1 + Math.abs(after),
        );
      }
    }
    if (judged(mean, coordinate)) {
      const over = excess(mean, 0, 0);
      if (over > 0) {
        note(
          `on ${data} the mean goes to ${
            rounded(mean.value)
          } standard deviations from the exact one as steps get short`,
          over,
        );
      }
    } else if (!mean.converges && BROAD_COORDINATES.includes(coordinate)) {
      const last = means.map((values) => values[coordinate]);
      const [before, after] = last.slice(-2);
      if (Math.abs(after) > 0.02 && Math.abs(after) > 0.9 * Math.abs(before)) {
        note(
          `on ${data} the mean does not settle: it is ${
            last.map(rounded).join(", ")
          } standard deviations off at ${counts.join(", ")} steps`,
          1 + Math.abs(after),
        );
      }
    }
  }
  return { words, judged: seen, worst };
}

/** The mean of the output at the base's number of steps. */
export async function mean(exam: Examination): Promise<PropertyResult> {
  const { counts, means } = await outputSeries(exam);
  const at = Math.max(0, counts.indexOf(await exam.baseSteps()));
  const worst = BROAD_COORDINATES.reduce((most, j) => Math.max(most, Math.abs(means[at][j])), 0);
  return await momentOfOutput(
    exam,
    worst,
    `${rounded(worst)} standard deviations off at ${counts[at]} steps`,
  );
}

/** The variance of the output at the base's number of steps. */
export async function variance(exam: Examination): Promise<PropertyResult> {
  const { counts, variances } = await outputSeries(exam);
  const at = Math.max(0, counts.indexOf(await exam.baseSteps()));
  const worst = BROAD_COORDINATES.reduce((most, j) => Math.max(most, Math.abs(variances[at][j])), 0);
  return await momentOfOutput(exam, worst, `${percent(worst)} off at ${counts[at]} steps`);
}

async function momentOfOutput(exam: Examination, value: number, observed: string): Promise<PropertyResult> {
  const { words } = await wrongLimits(exam);
  const small = value < ALLOWED;
  return property({
    verdict: small || words === "" ? "holds" : "fails",
    observed: `at most ${observed}, over the broad coordinates`,
    value,
    bound: "what short steps take away",
    source: "the impulse response with the exact model of Gaussian data: no draws",
    detectable: `${ALLOWED}, where runs of more steps do not take it away`,
    words: small || words === "" ? "" : words,
  });
}

/** Whether mean and variance go to the exact ones as steps get short. */
export async function limit(exam: Examination): Promise<PropertyResult> {
  const series = await outputSeries(exam);
  const { words, judged, worst } = await wrongLimits(exam);
  const finest = (await exam.responses()).at(-1)![1];
  const corrections = correctorSteps(gaussianData, finest);
  const diagnosis = words === "" ? "" : await stepDiagnosis(exam);
  const unknown = judged === 0 && words === "";
  return property({
    verdict: unknown ? "not measured" : words === "" ? "holds" : "fails",
    observed: unknown
      ? `the variances at ${series.counts.join(", ")} steps do not show where they lead`
      : `the exact law to ${percent(worst)}, from ${series.counts.join(", ")} steps`,
    value: unknown ? null : worst,
    bound: corrections.length > 0
      ? "the exact law, and what Langevin steps of this size add: C/(1 − ε/2C)"
      : `the exact law within ${percent(ALLOWED)} and four times the limit's uncertainty`,
    source: "Richardson's extrapolation of exact variances and means",
    detectable: percent(ALLOWED),
    words: unknown
      ? "the sampler takes too few kinds of runs to extrapolate from"
      : [words, diagnosis].filter((text) => text !== "").join("; "),
  });
}

/** The order at which mean and variance approach their limits. */
export async function order(exam: Examination): Promise<PropertyResult> {
  const { counts, means, variances } = await outputSeries(exam);
  const floor = (exam.description.precision === "float64" ? 1e-11 : 1e-5) * 30;
  const norms = counts.slice(1).map((_, i) =>
    Math.hypot(...BROAD_COORDINATES.flatMap((j) => [
      variances[i + 1][j] - variances[i][j],
      2 * (means[i + 1][j] - means[i][j]),
    ]))
  );
  const usable = norms.flatMap((norm, i) => norm > floor ? [i] : []);
  const orders = usable.slice(1).map((i) => Math.log2(norms[i - 1] / norms[i]));
  const found = orders.at(-1);
  const { order: declared } = exam.declares;
  if (found === undefined) {
    const exact = norms.every((norm) => norm <= floor);
    return property({
      verdict: exact ? "holds" : "not measured",
      observed: exact ? "no error to see: the mean and the variance are exact at every number of steps" : "",
      words: exact ? "" : "the errors are lost in rounding before they show an order",
    });
  }
  // The orders of successive runs approach the true one from either side; one more extrapolation says where they lead.
  const previous = orders.at(-2);
  const led = previous === undefined ? found : found + (found - previous);
  const short = declared !== undefined && Math.max(found, led) < declared - 0.25;
  return property({
    verdict: declared === undefined ? "noted" : short ? "fails" : "holds",
    observed: `${rounded(Number(found.toFixed(2)))}, from ${counts[usable.at(-2)!]} to ${
      counts[usable.at(-1)! + 1]
    } steps`,
    value: found,
    bound: declared === undefined ? "" : `at least ${declared} − 0.25`,
    source: declared === undefined ? "" : "what the sampler declares",
    detectable: "an order lower by a half",
    words: short
      ? `the error falls as N^−${rounded(Number(found.toFixed(2)))}, for the declared order ${declared}`
      : "",
  });
}
