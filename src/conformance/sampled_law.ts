/**
 * The law of a sampler's output by Monte Carlo, for samplers whose noise cannot be given or whose steps depend on the state: rows
 * of many runs, their means by z and their variances by χ², at N and 2N steps.
 * @module
 */
import { BROAD_COORDINATES, type Examination, gaussianData, POINT_COORDINATE } from "./examination.ts";
import { exactMoments } from "./impulse_response.ts";
import { normalNumbers } from "./normal_numbers.ts";
import type { RecordedRun } from "./recorded_run.ts";
import { percent, property, type PropertyResult, rounded } from "./property.ts";

/** What is said of a solver that goes by its tolerance alone. */
export const SAME_STEPS =
  "the sampler takes the same steps, whatever number it is given: its error follows from its tolerance";

/** Rows of a run. */
const ROWS = 6000;

const d = gaussianData.length;

/** The probability that one comparison of a correct sampler breaks its bound. */
const ALARM_RATE = 1e-9;

/** The normal quantile of the alarm rate, two-sided. */
const Z = 6.11;

/** Means and variances of the output's rows over the exact ones, and what chance alone does. */
interface SampledLaw {
  readonly counts: readonly number[];
  /** Deviation of the mean in standard deviations, [run][d]. */
  readonly means: readonly Float64Array[];
  /** Variance over the exact one less 1, [run][d]. */
  readonly variances: readonly Float64Array[];
  /** The largest correlation of neighbouring rows' outputs. */
  readonly rowCorrelation: number;
  /** The run of fewer steps, with its states. */
  readonly run: RecordedRun;
}

/** Bound of a relative variance's distance from 1 by chance: χ² of n − 1 by Laurent & Massart 2000, Lemma 1. */
function varianceChance(rows: number): number {
  const t = Math.log(2 / ALARM_RATE);
  return 2 * Math.sqrt(t / rows) + 2 * t / rows;
}

/** The runs, made once. */
function sampledLaw(exam: Examination): Promise<SampledLaw> {
  return exam.once("sampled law", async () => {
    const base = 2 * await exam.baseSteps();
    const counts = [base, 2 * base];
    const means: Float64Array[] = [];
    const variances: Float64Array[] = [];
    let rowCorrelation = 0;
    const runs: RecordedRun[] = [];
    for (const steps of counts) {
      const run = await exam.run({
        times: exam.times(steps),
        data: gaussianData,
        rows: ROWS,
        start: exam.startStates(gaussianData, ROWS, 41 + steps),
        noise: (request) => normalNumbers(ROWS * d, exam.seed, 100_000 + request),
        seed: exam.seed + 41,
        keep: runs.length === 0,
      });
      runs.push(run);
      const exact = exactMoments(gaussianData, run.endLevel);
      const mean = new Float64Array(d);
      const variance = new Float64Array(d);
      run.end.forEach((value, i) => mean[i % d] += value / ROWS);
      run.end.forEach((value, i) => variance[i % d] += (value - mean[i % d]) ** 2 / (ROWS - 1));
      for (const j of BROAD_COORDINATES) {
        let together = 0;
        for (let row = 0; row + 1 < ROWS; row++) {
          together += (run.end[row * d + j] - mean[j]) * (run.end[(row + 1) * d + j] - mean[j]);
        }
        rowCorrelation = Math.max(rowCorrelation, Math.abs(together / ROWS / variance[j]));
      }
      means.push(mean.map((value, j) => (value - exact.mean[j]) / Math.sqrt(exact.variance[j])));
      variances.push(variance.map((value, j) => value / exact.variance[j] - 1));
    }
    return { counts, means, variances, rowCorrelation, run: runs[0] };
  });
}

/** Judges values at N and 2N steps: what halves with the steps, and chance, is allowed. */
function judge(
  values: readonly Float64Array[],
  chance: number,
): { worst: number; coordinate: number; excess: number; bound: number } {
  const found = BROAD_COORDINATES.map((j) => {
    const [before, after] = values.map((run) => run[j]);
    // The error at 2N is at most the change from N, whose own chance is √5 of one.
    const bound = chance + 1.5 * Math.max(0, Math.abs(after - before) - 2.3 * chance / 6.11 * 2);
    return { worst: after, coordinate: j, excess: Math.abs(after) - bound, bound };
  });
  return found.reduce((most, one) => one.excess > most.excess ? one : most);
}

/** What a moment of samples says, where impulses cannot show it. */
export async function sampledMoment(exam: Examination, what: "mean" | "variance"): Promise<PropertyResult> {
  const law = await sampledLaw(exam);
  const chance = what === "mean" ? Z / Math.sqrt(ROWS) : varianceChance(ROWS);
  const { worst, coordinate, excess, bound } = judge(what === "mean" ? law.means : law.variances, chance);
  const { means, deviations } = gaussianData[coordinate];
  const right = excess <= 0;
  const refines = await exam.refines();
  const shown = what === "mean"
    ? `${rounded(worst)} standard deviations off`
    : `${rounded(1 + worst)} times the exact one`;
  return property({
    verdict: right ? "holds" : refines ? "fails" : "noted",
    observed: `${shown} on N(${means[0]}, ${deviations[0]}²) at ${law.counts[1]} steps, by ${ROWS} samples`,
    value: worst,
    bound: `${what === "mean" ? rounded(bound) : percent(bound)}, of which ${
      what === "mean" ? rounded(chance) : percent(chance)
    } by chance, the rest for what ${law.counts[0]} steps change`,
    source: what === "mean"
      ? "the normal distribution of a mean of independent rows"
      : "χ² of independent rows (Laurent & Massart 2000, Lemma 1)",
    detectable: what === "mean" ? rounded(2 * chance) : percent(2 * chance),
    alarmRate: ALARM_RATE,
    words: right
      ? ""
      : refines
      ? `the ${what} of samples is ${shown}, and runs of more steps do not change it enough`
      : SAME_STEPS,
  });
}

/** Mean and variance together, where impulses cannot show the limit. */
export async function sampledLimit(exam: Examination): Promise<PropertyResult> {
  const [mean, variance] = [await sampledMoment(exam, "mean"), await sampledMoment(exam, "variance")];
  const worse = mean.verdict === "fails" ? mean : variance;
  return { ...worse, words: [mean.words, variance.words].filter((words) => words !== "").join("; ") };
}

/** Whether rows of a sampler that draws its own noise are independent, by the correlation of neighbours. */
export async function sampledRows(exam: Examination): Promise<PropertyResult> {
  const { rowCorrelation, variances } = await sampledLaw(exam);
  const bound = 1.2 * Z / Math.sqrt(ROWS);
  const alike = BROAD_COORDINATES.every((j) => variances[1][j] < -0.99);
  const right = rowCorrelation <= bound && !alike;
  return property({
    verdict: right ? "holds" : "fails",
    observed: `a correlation of ${rounded(rowCorrelation)} between neighbouring rows, by ${ROWS} samples`,
    value: rowCorrelation,
    bound: rounded(bound),
    source: "the normal distribution of a correlation of independent rows",
    detectable: rounded(2 * bound),
    alarmRate: ALARM_RATE,
    words: right
      ? ""
      : alike
      ? "all rows of one run come out alike: they share noise"
      : "neighbouring rows of one run are correlated: rows share noise, or start alike",
  });
}

/** Which process the states follow, by the correlations of samples at two levels. */
export async function sampledProcess(exam: Examination): Promise<PropertyResult> {
  const { run } = await sampledLaw(exam);
  const steps = run.grid.times.length - 1;
  const at = (fraction: number) => {
    const index = Math.round(fraction * steps);
    const ratio = run.grid.sigmas[index] / run.grid.alphas[index];
    const found = run.evaluations.findLast((evaluation) => Math.abs(evaluation.ratio / ratio - 1) < 1e-4);
    return found === undefined ? null : { ratio, states: found.states! };
  };
  const [earlier, later] = [at(0.5), at(0.75)];
  if (earlier === null || later === null) {
    return property({
      verdict: "not measured",
      words: "the sampler does not visit the grid's levels on the way",
    });
  }
  const j = 0;
  const s2 = gaussianData[j].deviations[0] ** 2;
  const sde = Math.sqrt((s2 + later.ratio ** 2) / (s2 + earlier.ratio ** 2));
  const found = correlation(earlier.states, later.states, j);
  const chance = Z * (1 - sde ** 2) / Math.sqrt(ROWS);
  const margin = 0.2 * (1 - sde) + chance;
  const follows = Math.abs(found - sde) < margin ? "sde" : 1 - found < margin ? "ode" : "other";
  const declared = exam.declares.process;
  const names = {
    sde: "the reverse SDE",
    ode: "the probability flow",
    other: "neither the reverse SDE nor the flow",
  };
  const right = declared === undefined || declared === follows;
  return property({
    verdict: declared === undefined ? "noted" : right ? "holds" : "fails",
    observed: `${names[follows]}: a correlation of ${rounded(found)} between levels 1/2 and 3/4 of the way`,
    value: found,
    bound: declared === undefined ? "" : `${rounded(declared === "ode" ? 1 : sde)} within ${rounded(margin)}`,
    source: "Cov(x_s, x_t) is (α_t/α_s) C_s for the reverse SDE and √(C_s C_t) for the flow",
    detectable: rounded(2 * margin),
    alarmRate: ALARM_RATE,
    words: right ? "" : `the states follow ${names[follows]}, for ${names[declared!]} that is declared`,
  });
}

/** The correlation of one coordinate of two sets of states. */
function correlation(a: Float64Array, b: Float64Array, coordinate: number): number {
  const rows = a.length / d;
  let [ma, mb, aa, bb, ab] = [0, 0, 0, 0, 0];
  for (let row = 0; row < rows; row++) {
    ma += a[row * d + coordinate] / rows;
    mb += b[row * d + coordinate] / rows;
  }
  for (let row = 0; row < rows; row++) {
    const [x, y] = [a[row * d + coordinate] - ma, b[row * d + coordinate] - mb];
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  return ab / Math.sqrt(aa * bb);
}

/** The scale of a start that the sampler draws. */
export async function sampledStart(exam: Examination): Promise<PropertyResult> {
  const { run } = await sampledLaw(exam);
  const { alpha, ratio } = { alpha: run.evaluations[0].level.alpha, ratio: run.evaluations[0].ratio };
  const values = run.evaluations[0].states!.filter((_, i) => i % d === 1);
  const mean = values.reduce((sum, value) => sum + value, 0) / ROWS;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (ROWS - 1);
  const [kernel, exact] = [(alpha * ratio) ** 2, alpha ** 2 * (1 + ratio ** 2)];
  const prior = exam.sde.priorStd ** 2 * (alpha / run.grid.alphas[0]) ** 2;
  const chance = varianceChance(ROWS);
  const right = [kernel, exact, prior].some((expected) => Math.abs(variance / expected - 1) <= chance);
  return property({
    verdict: right ? "holds" : "fails",
    observed: `a standard deviation of ${rounded(Math.sqrt(variance))}, by ${ROWS} samples`,
    value: Math.sqrt(variance),
    bound: `${rounded(Math.sqrt(kernel))}, ${percent(chance)} of its variance allowed`,
    source: "x_T = α x₀ + σ ε at the first evaluation; χ²",
    detectable: percent(2 * chance),
    alarmRate: ALARM_RATE,
    words: right
      ? ""
      : `the start has standard deviation ${rounded(Math.sqrt(variance))}, ${
        rounded(Math.sqrt(variance / kernel))
      } times that of its level: it is not scaled by σ`,
  });
}

/** Noise after the last evaluation: what the last state that was asked about does not determine of the end. */
export async function sampledNoiseAtEnd(exam: Examination): Promise<PropertyResult> {
  const { run } = await sampledLaw(exam);
  const last = run.evaluations[run.evaluations.length - 1].states!;
  const j = POINT_COORDINATE;
  const values = run.end.filter((_, i) => i % d === j);
  const mean = values.reduce((sum, value) => sum + value, 0) / ROWS;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / ROWS;
  const left = variance * Math.max(0, 1 - correlation(last, run.end, j) ** 2);
  const exact = exactMoments(gaussianData, run.endLevel).variance[j];
  const none = left < 0.02 * exact;
  const data = run.endLevel.sigma === 0;
  return property({
    verdict: none ? "holds" : data ? "fails" : "noted",
    observed: none
      ? "the end follows from the last evaluation"
      : `variance ${rounded(left)} that the last evaluation did not see`,
    value: left,
    bound: data ? rounded(0.02 * exact) : "",
    source: "the regression of the end on the last state that the model was asked about",
    detectable: rounded(0.02 * exact),
    words: none
      ? ""
      : `the last step adds noise of variance ${
        rounded(left)
      } after the last evaluation: on data of N(0.7, 0.01²) the output's ` +
        `variance is ${rounded(variance)}, for ${rounded(exact)}: ${
          data
            ? "the end is said to be data, so leave the last noise out"
            : "end with the step's mean, or denoise"
        }`,
  });
}
