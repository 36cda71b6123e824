/**
 * Pictures of what was measured: the error against steps, the levels that were visited, the coefficients of each step, and how
 * states on the way are related.
 * @module
 */
import { histogram, type LineMark } from "../plots/marks.ts";
import { plot } from "../plots/plot.ts";
import { BROAD_COORDINATES, type Examination, gaussianData } from "./examination.ts";
import { type ImpulseResponse, stateCovariance, stateMoments } from "./impulse_response.ts";
import { mixtureDensity, mixtureSamples } from "./properties_of_mixture.ts";
import type { ConformancePlot } from "./property.ts";
import { lawSeries } from "./properties_of_law.ts";
import { rounded } from "./property.ts";
import { levelStates, stepCoefficients } from "./step_states.ts";

/** The coordinate with data of N(0, 1), whose states on the way are shown. */
const SHOWN = 1;

/** A picture, with the properties without which it is not drawn. */
type Drawing = readonly [
  properties: readonly string[],
  draw: (exam: Examination) => Promise<ConformancePlot>,
];

const drawings: readonly Drawing[] = [
  [["mean", "variance", "limit", "order"], errors],
  [["first_level", "visited_levels", "last_level"], levels],
  [["noise_draws"], coefficients],
  [["process"], memory],
  [["mixture"], density],
];

/**
 * The pictures that go with properties.
 * @param names Those that were measured.
 */
export async function conformancePlots(
  exam: Examination,
  names: readonly string[],
): Promise<ConformancePlot[]> {
  const plots: ConformancePlot[] = [];
  for (const [properties, draw] of drawings) {
    if (!properties.some((name) => names.includes(name))) continue;
    // What could not be measured cannot be shown; the property says why.
    const drawn = await draw(exam).catch(() => null);
    if (drawn !== null) plots.push(drawn);
  }
  return plots;
}

/** Largest error of the output's mean and variance over the broad coordinates, against the number of steps. */
async function errors(exam: Examination): Promise<ConformancePlot> {
  const { counts, means, variances } = await lawSeries(exam);
  const largest = (series: readonly Float64Array[]) =>
    series.map((values) => Math.max(...BROAD_COORDINATES.map((j) => Math.abs(values[j]))));
  const shown = [["mean, in deviations", largest(means)], [
    "variance, relative",
    largest(variances),
  ]] as const;
  const slope = (values: readonly number[]) =>
    Math.log(values.at(-2)! / values.at(-1)!) / Math.log(counts.at(-1)! / counts.at(-2)!);
  const lines = shown.map(([label, y]): LineMark => ({
    kind: "line",
    x: counts,
    y,
    dots: true,
    label: `${label}: slope ${rounded(-slope(y))}`,
  }));
  const order = exam.declares.order ?? Math.max(1, Math.round(Math.min(...shown.map(([, y]) => slope(y)))));
  const guide: LineMark = {
    kind: "line",
    x: counts,
    y: counts.map((steps) => 1.5 * Math.max(...shown.map(([, y]) => y[0])) * (counts[0] / steps) ** order),
    dashed: true,
    colour: "#7f7f7f",
    label: `order ${order}`,
  };
  return {
    title:
      "Largest error of the output over data that these steps resolve: of the mean in standard deviations, of the variance as a share",
    svg: plot([...lines, guide], {
      x: { label: "steps", scale: "log" },
      y: { label: "error of the output's law", scale: "log" },
      width: 640,
    }),
  };
}

/** Noise levels of all evaluations in their order, beside those of the grid. */
async function levels(exam: Examination): Promise<ConformancePlot> {
  const steps = await exam.baseSteps();
  const { evaluations, grid } = await exam.plainRun(steps);
  const ratios = evaluations.map(({ ratio }) => ratio);
  const places = [...grid.sigmas].map((sigma, i) => sigma / grid.alphas[i]);
  // Evaluations of a step begin where its share of all of them does.
  const share = ratios.length / steps;
  return {
    title: `Noise levels σ/α of the model's evaluations in ${steps} steps, and those of the grid`,
    svg: plot([
      {
        kind: "line",
        x: places.map((_, i) => i * share),
        y: places,
        colour: "#7f7f7f",
        dashed: true,
        label: "grid",
      },
      { kind: "points", x: ratios.map((_, i) => i), y: ratios, radius: 3, label: "evaluations" },
    ], { x: { label: "evaluation" }, y: { label: "σ/α", scale: "log" }, width: 560 }),
  };
}

/** Weight of the score and size of the noise in each step, beside those of the SDE and of the flow. */
async function coefficients(exam: Examination): Promise<ConformancePlot> {
  const response = await finest(exam);
  const steps = stepCoefficients(gaussianData, levelStates(response, exam.description.grid === "own"));
  const x = steps.map(({ from }) => from);
  const ends = [Math.min(...x), Math.max(...x)];
  const level = (value: number, label: string): LineMark => ({
    kind: "line",
    x: ends,
    y: [value, value],
    dashed: true,
    colour: "#7f7f7f",
    label,
  });
  return {
    title: `Coefficients of each of ${steps.length} steps: the SDE has 1 and 1, the flow ½ and 0`,
    svg: plot([
      level(1, "SDE"),
      level(0.5, "flow: score"),
      {
        kind: "line",
        x,
        y: steps.map(({ score, width }) => width < 0.3 ? score : NaN),
        label: "score / g²",
        dots: true,
      },
      { kind: "line", x, y: steps.map(({ noise }) => noise), label: "noise / g√h", dots: true },
    ], { x: { label: "σ/α of the step", scale: "log" }, y: { label: "coefficient", min: -0.1 }, width: 560 }),
  };
}

/** Correlation of the states with the one half-way, beside those of the SDE and of the flow. */
async function memory(exam: Examination): Promise<ConformancePlot> {
  const response = await finest(exam);
  const states = levelStates(response, exam.description.grid === "own").map(({ state }) => state);
  const start = exam.startMoments;
  const middle = states[Math.floor(states.length / 2)];
  const spread = (ratio: number) => Math.sqrt(gaussianData[SHOWN].deviations[0] ** 2 + ratio ** 2);
  const deviation = (state: typeof middle) => Math.sqrt(stateMoments(state, start).variance[SHOWN]);
  const shown = states.filter(({ ratio }) => ratio > 0);
  const x = shown.map(({ ratio }) => ratio);
  const seen = shown.map((state) =>
    stateCovariance(state, middle, start)[SHOWN] / (deviation(state) * deviation(middle))
  );
  const sde = x.map((ratio) => {
    const [small, large] = [ratio, middle.ratio].map(spread).sort((a, b) => a - b);
    return small / large;
  });
  return {
    title: `Correlation of states with that at σ/α = ${rounded(middle.ratio)}, for data of N(0, 1)`,
    svg: plot([
      { kind: "line", x, y: sde, colour: "#7f7f7f", dashed: true, label: "SDE" },
      { kind: "line", x, y: x.map(() => 1), colour: "#56b4e9", dashed: true, label: "flow" },
      { kind: "points", x, y: seen, radius: 2.5, label: "sampler" },
    ], {
      x: { label: "σ/α of the other state", scale: "log" },
      y: { label: "correlation", min: 0, max: 1.1 },
      width: 560,
    }),
  };
}

/** Samples of the mixture beside its density. */
async function density(exam: Examination): Promise<ConformancePlot> {
  const steps = await exam.baseSteps();
  const { values, ratio } = await mixtureSamples(exam, steps);
  const range = [-3.2, 3.2] as const;
  const x = Array.from({ length: 201 }, (_, i) => range[0] + (range[1] - range[0]) * i / 200);
  return {
    title:
      `${values.length} samples of a mixture in ${steps} steps, and its density with the noise of the end`,
    svg: plot([
      histogram(values, { bins: 64, range, label: "samples" }),
      { kind: "line", x, y: x.map((value) => mixtureDensity(value, ratio)), label: "exact" },
    ], { x: { label: "x/α" }, y: { label: "density", min: 0 }, width: 560 }),
  };
}

/** The response of the run with the most steps. */
async function finest(exam: Examination): Promise<ImpulseResponse> {
  return (await exam.responses()).at(-1)![1];
}
