/** The law of a sampler's output on Gaussian data, exactly: mean, variance, limit, order. @module */
import { extrapolated, type Limit } from "./convergence.ts";
import { correctorSteps } from "./corrector.ts";
import { BROAD_COORDINATES, type Examination, gaussianData, NOISY_RATIO, type Part } from "./examination.ts";
import { exactMoments, stateMoments } from "./impulse_response.ts";
import { lawAtEnd } from "./law_at_end.ts";
import { percent, property, type PropertyResult, rounded } from "./property.ts";
import { SAME_STEPS, sampledLimit, sampledMoment } from "./sampled_law.ts";
import { oddStep, stepDiagnosis } from "./step_diagnosis.ts";

/** The limit of mean and variance of one coordinate, and where it may be. */
interface CoordinateLimit {
  readonly coordinate: number;
  /** Of the deviation of the mean, in standard deviations. */
  readonly mean: Limit;
  /** Of the variance over the exact one, less 1. */
  readonly variance: Limit;
  /** How far the variance may be below and above the exact one. */
  readonly lowest: number;
  readonly highest: number;
  /** Whether the finest run's steps are short against the coordinate's changes. */
  readonly resolved: boolean;
}

/** Mean and variance at each number of steps against the exact law. */
interface LawSeries {
  readonly part: Part;
  readonly counts: readonly number[];
  /** Deviations of the mean in standard deviations, [run][d]. */
  readonly means: readonly Float64Array[];
  /** Variance over the exact one less 1, [run][d]. */
  readonly variances: readonly Float64Array[];
  readonly limits: readonly CoordinateLimit[];
  /** What is allowed beyond the uncertainty of a limit. */
  readonly allowed: number;
}

/**
 * The series of the output; or, on the part with much noise, of the last state with noise. Rejects where the sampler is not affine or
 * draws its own noise.
 */
export function lawSeries(exam: Examination, part: Part = "whole"): Promise<LawSeries> {
  return exam.once(`law series ${part}`, async () => {
    const responses = await exam.responses(part);
    const start = exam.startMoments;
    const finest = responses[responses.length - 1][1];
    const ratios = finest.run.grid.sigmas.map((sigma, i) => sigma / finest.run.grid.alphas[i]);
    const states = responses.map(([, response]) =>
      part === "whole" || response.end.ratio > 0
        ? response.end
        : response.evaluations[response.evaluations.length - 1]
    );
    const law = lawAtEnd(gaussianData, finest, ratios[ratios.length - 1]);
    const exact = states.map(({ ratio }) => exactMoments(gaussianData, { alpha: 1, sigma: ratio }));
    const moments = states.map((state) => stateMoments(state, start));
    const means = moments.map(({ mean }, run) =>
      mean.map((value, j) => (value - exact[run].mean[j]) / Math.sqrt(exact[run].variance[j]))
    );
    const variances = moments.map(({ variance }, run) =>
      variance.map((value, j) => value / exact[run].variance[j] - 1)
    );
    const floor = exam.description.precision === "float64" ? 1e-10 : 3e-5;
    const data = exactMoments(gaussianData, { alpha: 1, sigma: finest.end.ratio }).variance;
    const limits = gaussianData.map(({ deviations }, coordinate): CoordinateLimit => ({
      coordinate,
      mean: extrapolated(means.map((mean) => mean[coordinate]), floor),
      variance: extrapolated(variances.map((variance) => variance[coordinate]), floor),
      lowest: part === "whole" ? law.lowest[coordinate] / data[coordinate] - 1 : 0,
      highest: part === "whole" || finest.end.ratio > 0 ? law.highest[coordinate] / data[coordinate] - 1 : 0,
      resolved: longestStep(ratios, deviations[0]) < 0.25,
    }));
    return {
      part,
      counts: responses.map(([count]) => count),
      means,
      variances,
      limits,
      allowed: allowed(exam),
    };
  });
}

/** The longest step's (ν_t² − ν_s²)/(s² + ν_s²), by which it changes the variance of a coordinate. */
function longestStep(ratios: Float64Array, deviation: number): number {
  let longest = 0;
  for (let i = 0; i + 1 < ratios.length; i++) {
    const [from, to] = [ratios[i], ratios[i + 1]];
    longest = Math.max(longest, (from ** 2 - to ** 2) / (deviation ** 2 + to ** 2));
  }
  return longest;
}

const DATA_WORDS = gaussianData.map(({ means, deviations }) => `N(${means[0]}, ${deviations[0]}²)`);

/** What is allowed beyond the uncertainty of a limit: of a variance's part, and of a mean in standard deviations. */
function allowed({ description }: Examination): number {
  return description.precision === "float64" ? 5e-4 : 2e-3;
}

/** How far outside its allowance a limit is; at most 0 for one that may be right. */
function excess(limit: Limit, lowest: number, highest: number, allowed: number): number {
  const margin = allowed + 4 * limit.uncertainty;
  return Math.max(limit.value - highest - margin, lowest - margin - limit.value);
}

/** Words for the values of one coordinate that lead to a wrong limit or to none, with their size; size 0 for right ones. */
function wrong(
  series: LawSeries,
  { coordinate, resolved, ...one }: CoordinateLimit,
  what: "mean" | "variance",
): { words: string; size: number; judged: boolean; limit: number } {
  const limit = one[what];
  const values = (what === "mean" ? series.means : series.variances).map((run) => run[coordinate]);
  const shown = what === "mean" ? values : values.map((value) => 1 + value);
  const unit = what === "mean" ? "standard deviations off" : "times the exact one";
  const where = `on ${DATA_WORDS[coordinate]}${
    series.part === "whole" ? "" : `, down to σ/α = ${NOISY_RATIO},`
  }`;
  const broad = BROAD_COORDINATES.includes(coordinate);
  const nothing = { words: "", size: 0, judged: false, limit: limit.value };
  if (!resolved && !(broad && limit.uncertainty < 0.05)) return nothing;
  if (limit.converges && limit.uncertainty < 0.05) {
    // What Langevin steps add to the variance moves the mean on its way, too.
    const moved = 0.3 * Math.max(0, one.highest);
    const [lowest, highest] = what === "mean" ? [-moved, moved] : [one.lowest, one.highest];
    const size = Math.max(0, excess(limit, lowest, highest, broad ? series.allowed : 5e-3));
    const goes = what === "mean" ? limit.value : 1 + limit.value;
    const words = `${where} the ${what} goes to ${rounded(goes)} ${unit} as steps get short`;
    return { words, size, judged: true, limit: limit.value };
  }
  const [before, after] = values.slice(-2);
  if (!(broad && Math.abs(after) > 0.02 && Math.abs(after) > 0.9 * Math.abs(before))) return nothing;
  const counts = series.counts.slice(-3).join(", ");
  const last = shown.slice(-3).map(rounded).join(", ");
  const words = `${where} the ${what} does not settle: it is ${last} ${unit} at ${counts} steps`;
  return { words, size: 1 + Math.abs(after), judged: true, limit: after };
}

/** The worst of the limits that are wrong, how many were judged, and the largest distance from the exact law. */
async function wrongLimits(
  exam: Examination,
  moments: readonly ("mean" | "variance")[],
): Promise<{ words: string; judged: number; worst: number }> {
  const found = [];
  for (const part of exam.noisyPart === null ? ["whole"] as const : ["whole", "noisy part"] as const) {
    const series = await lawSeries(exam, part);
    for (const limit of series.limits) {
      for (const what of moments) found.push(wrong(series, limit, what));
    }
  }
  const largest = found.reduce((most, one) => one.size > most.size ? one : most);
  const judged = found.filter((one) => one.judged);
  return {
    words: largest.size > 0 ? largest.words : "",
    judged: judged.length,
    worst: Math.max(0, ...judged.map(({ limit }) => Math.abs(limit))),
  };
}

/** The mean of the output at the base's number of steps. */
export async function mean(exam: Examination): Promise<PropertyResult> {
  if (!await exam.showsImpulses()) return await sampledMoment(exam, "mean");
  const { counts, means } = await lawSeries(exam);
  const at = Math.max(0, counts.indexOf(await exam.baseSteps()));
  const worst = BROAD_COORDINATES.reduce((most, j) => Math.max(most, Math.abs(means[at][j])), 0);
  return await momentOfOutput(
    exam,
    "mean",
    worst,
    `${rounded(worst)} standard deviations off at ${counts[at]} steps`,
  );
}

/** The variance of the output at the base's number of steps. */
export async function variance(exam: Examination): Promise<PropertyResult> {
  if (!await exam.showsImpulses()) return await sampledMoment(exam, "variance");
  const { counts, variances } = await lawSeries(exam);
  const at = Math.max(0, counts.indexOf(await exam.baseSteps()));
  const worst = BROAD_COORDINATES.reduce((most, j) => Math.max(most, Math.abs(variances[at][j])), 0);
  return await momentOfOutput(exam, "variance", worst, `${percent(worst)} off at ${counts[at]} steps`);
}

async function momentOfOutput(
  exam: Examination,
  what: "mean" | "variance",
  value: number,
  observed: string,
): Promise<PropertyResult> {
  if (!await exam.refines()) {
    return property({
      verdict: value < allowed(exam) ? "holds" : "noted",
      observed: `at most ${observed}, over the broad coordinates`,
      value,
      words: SAME_STEPS,
    });
  }
  const { words: wrong } = await wrongLimits(exam, [what]);
  const words = wrong === "" && what === "variance" ? await oddStep(exam) : wrong;
  const small = value < allowed(exam);
  return property({
    verdict: words === "" || (small && words === wrong) ? "holds" : "fails",
    observed: `at most ${observed}, over the broad coordinates`,
    value,
    bound: "what short steps take away",
    source: "the impulse response with the exact model of Gaussian data: no draws",
    detectable: `${allowed(exam)}, where runs of more steps do not take it away`,
    words: small && words === wrong ? "" : words,
  });
}

/** Whether mean and variance go to the exact ones as steps get short. */
export async function limit(exam: Examination): Promise<PropertyResult> {
  if (!await exam.refines()) return property({ verdict: "not measured", words: SAME_STEPS });
  if (!await exam.showsImpulses()) return await sampledLimit(exam);
  const series = await lawSeries(exam);
  const { words, judged, worst } = await wrongLimits(exam, ["variance", "mean"]);
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
      : `the exact law within ${percent(allowed(exam))} and four times the limit's uncertainty`,
    source: "Richardson's extrapolation of exact variances and means",
    detectable: percent(allowed(exam)),
    words: unknown
      ? "the sampler takes too few kinds of runs to extrapolate from"
      : [words, diagnosis].filter((text) => text !== "").join("; "),
  });
}

/** The order at which mean and variance approach their limits. */
export async function order(exam: Examination): Promise<PropertyResult> {
  if (!await exam.refines()) return property({ verdict: "not measured", words: SAME_STEPS });
  const { counts, means, variances } = await lawSeries(
    exam,
    exam.noisyPart === null ? "whole" : "noisy part",
  );
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
  const previous = orders.at(-2);
  const steady = previous !== undefined && Math.abs(found - previous) < 0.4;
  const short = declared !== undefined && found < declared - 0.3 && (previous ?? found) < declared - 0.3;
  return property({
    verdict: declared === undefined || (short && !steady) ? "noted" : short ? "fails" : "holds",
    observed: `${rounded(Number(found.toFixed(2)))}, from ${counts[usable.at(-2)!]} to ${
      counts[usable.at(-1)! + 1]
    } steps`,
    value: found,
    bound: declared === undefined ? "" : `at least ${declared} − 0.3`,
    source: declared === undefined ? "" : "what the sampler declares",
    detectable: "an order lower by a half",
    words: short && !steady
      ? `orders of successive runs still change: ${
        orders.map((value) => rounded(Number(value.toFixed(2)))).join(", ")
      }`
      : short
      ? `the error falls as N^−${rounded(Number(found.toFixed(2)))}, for the declared order ${declared}`
      : "",
  });
}
