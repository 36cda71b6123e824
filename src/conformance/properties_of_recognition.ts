/** Which of this project's samplers has the same coefficients: recognised. @module */
import { samplerByName, samplerInfo, samplerNames } from "../samplers/registry.ts";
import { type Examination, gaussianData, wordsOf } from "./examination.ts";
import { type AffineState, type ImpulseResponse, impulseResponse } from "./impulse_response.ts";
import { projectSampler } from "./project_sampler.ts";
import { property, type PropertyResult, rounded } from "./property.ts";
import { levelStates } from "./step_states.ts";

/** A sampler of the project beside the one that is measured. */
interface Comparison {
  readonly name: string;
  /** The largest difference of coefficients at the end, over their size. */
  readonly difference: number;
  /** The index of the first level at which the states differ; null where none do. */
  readonly firstLevel: number | null;
}

/** What float32 leaves of a coefficient. */
const SAME = 1e-3;

/** The project's samplers whose steps are given by the grid alone, with their default options. */
const comparable: readonly string[] = samplerNames.filter((name) => {
  const { kind } = samplerInfo(name);
  return (kind === "one-step" || kind === "multistep" || name === "predictor-corrector");
});

/** Compares the responses of all comparable samplers with this one's. */
async function comparisons(
  exam: Examination,
  response: ImpulseResponse,
  steps: number,
): Promise<Comparison[]> {
  const found: Comparison[] = [];
  const draws = response.run.noiseAfter.length;
  for (const name of comparable) {
    const stochastic = samplerInfo(name).stochastic;
    if (stochastic !== draws > 0) continue;
    for (const denoise of response.end.ratio === 0 ? [true, false] : [false]) {
      try {
        const sampler = projectSampler(samplerByName(name), { denoise });
        const request = { sde: exam.sde, times: exam.times(steps), data: gaussianData };
        // A denoising takes the last noise's place in some.
        const own = await impulseResponse(sampler, request, draws, 1024);
        if (own.run.noiseAfter.length !== draws) continue;
        const difference = stateDifference(own.end, response.end);
        found.push({ name, difference, firstLevel: firstDifferentLevel(own, response) });
      } catch (error) {
        // A sampler may refuse a grid; it is not this one then.
        void wordsOf(error);
      }
    }
  }
  return found.sort((a, b) => a.difference - b.difference);
}

/** The largest difference of two states' coefficients, over the size of the larger, over coordinates. */
function stateDifference(a: AffineState, b: AffineState): number {
  let most = 0;
  for (let j = 0; j < gaussianData.length; j++) {
    const spread = Math.hypot(gaussianData[j].deviations[0], a.ratio);
    const parts = [
      [a.gain[j], b.gain[j], 1],
      [a.offset[j], b.offset[j], spread],
      ...a.noise.map((coefficient, k) => [coefficient[j], b.noise[k]?.[j] ?? 0, spread]),
    ];
    for (const [x, y, size] of parts) {
      const scale = size === 1
        ? Math.max(Math.abs(x), Math.abs(y), 1e-4)
        : Math.max(size, Math.abs(x), Math.abs(y));
      most = Math.max(most, Math.abs(x - y) / scale);
    }
  }
  return most;
}

function firstDifferentLevel(a: ImpulseResponse, b: ImpulseResponse): number | null {
  const others = new Map(levelStates(b, false).map(({ index, state }) => [index, state]));
  for (const { index, state } of levelStates(a, false)) {
    const other = others.get(index);
    if (other !== undefined && Math.abs(other.ratio - state.ratio) <= 1e-4 * state.ratio) {
      if (stateDifference(state, other) > SAME) return index;
    }
  }
  return null;
}

/** The sampler of this project that has the same coefficients, or the nearest, and where they part. */
export async function recognised(exam: Examination): Promise<PropertyResult> {
  const steps = await exam.baseSteps();
  const { declares, description } = exam;
  if (description.grid === "own") {
    return property({ verdict: "not measured", words: "the sampler visits levels of its own" });
  }
  if (!await exam.showsImpulses()) {
    return property({ verdict: "not measured", words: "impulses do not show the sampler's coefficients" });
  }
  const response = await exam.response(steps);
  const found = await comparisons(exam, response, steps);
  const wanted = declares.sampler;
  if (wanted !== undefined && !comparable.includes(wanted)) {
    return property({
      verdict: "not measured",
      words: `${wanted} is none of the samplers that can be compared: ${comparable.join(", ")}`,
    });
  }
  const named = wanted === undefined ? found[0] : found.find(({ name }) => name === wanted);
  if (named === undefined) {
    return property({
      verdict: wanted === undefined ? "noted" : "fails",
      observed: "none",
      words: wanted === undefined
        ? "none of this project's samplers draws as much noise"
        : `${wanted} draws another amount of noise, or does not run on this grid`,
    });
  }
  const same = found.filter(({ difference }) => difference < SAME).map(({ name }) => name);
  const right = named.difference < SAME;
  const where = named.firstLevel === null
    ? "only in what comes after the last level"
    : `first in the step to level ${named.firstLevel} of ${steps}`;
  return property({
    verdict: wanted === undefined ? "noted" : right ? "holds" : "fails",
    observed: same.length > 0
      ? `the coefficients are those of ${[...new Set(same)].join(", ")}`
      : `none; the nearest is ${named.name}, from which the output differs by ${rounded(named.difference)}`,
    value: named.difference,
    bound: wanted === undefined ? "" : `those of ${wanted}, within ${SAME}`,
    source: "this project's samplers on the same grid, in float32",
    detectable: `${SAME} of a coefficient`,
    words: right ? "" : `the coefficients are not those of ${named.name}: they differ ${where}`,
  });
}
