/**
 * What is wrong with a sampler's steps, in words: the weight of the score, the size of the noise and the drift's factor that its
 * impulse response shows, against those of the reverse SDE and of the probability flow.
 * @module
 */
import { correctorSteps } from "./corrector.ts";
import { type Examination, gaussianData } from "./examination.ts";
import type { ImpulseResponse } from "./impulse_response.ts";
import type { RecordedRun } from "./recorded_run.ts";
import { rounded } from "./property.ts";
import { levelStates, type StepCoefficients, stepCoefficients } from "./step_states.ts";

/** Coefficients of short steps, by the medians over a run. */
interface TypicalStep {
  /** w, the weight of g² times the score: 1 for the reverse SDE, ½ for the flow. */
  readonly score: number;
  /** η, the noise over g√h: 1 for the reverse SDE, 0 for the flow. */
  readonly noise: number;
  /** κ, the drift's factor over f; NaN where f is 0. */
  readonly drift: number;
  /** The exponents of N with which they grow as steps get shorter: 0 for a sampler that converges. */
  readonly growth: { readonly score: number; readonly noise: number };
}

/** Whether a sampler adds noise before a step and asks its model at a raised level: its steps go from levels of no grid. */
export function raisesNoise({ evaluations, noiseAfter }: RecordedRun): boolean {
  return noiseAfter.length > 0 &&
    evaluations.some(({ ratio }, i) => i > 0 && ratio > evaluations[i - 1].ratio * (1 + 1e-6));
}

/** The coefficients of all steps of one run. */
export function coefficientsOf(exam: Examination, response: ImpulseResponse): StepCoefficients[] {
  return stepCoefficients(gaussianData, levelStates(response, exam.description.grid === "own"));
}

/** What the steps come to as they get short, from the two finest runs; null where the response shows too little. */
export async function typicalStep(exam: Examination): Promise<TypicalStep | null> {
  const responses = (await exam.responses()).slice(-2);
  if (responses.length < 2) return null;
  const [coarse, fine] = responses.map(([, response]) => {
    const { times, alphas } = response.run.grid;
    const steps = coefficientsOf(exam, response).filter(({ width }) => width < 0.3);
    const drifts = steps.flatMap(({ index, scale }) => {
      const change = exam.description.grid === "own" || index + 1 >= times.length
        ? 0
        : Math.log(alphas[index] / alphas[index + 1]);
      return Math.abs(change) < 1e-6 ? [] : [1 - scale / change];
    });
    return {
      count: steps.length,
      score: median(steps.map(({ score }) => score)),
      noise: median(steps.map(({ noise }) => noise)),
      drift: median(drifts),
    };
  });
  if (coarse.count < 3 || fine.count < 3) return null;
  const led = (name: "score" | "noise" | "drift") => 2 * fine[name] - coarse[name];
  const growth = (name: "score" | "noise") =>
    Math.abs(coarse[name]) < 1e-9 ? 0 : Math.log2(Math.abs(fine[name] / coarse[name]));
  return {
    score: led("score"),
    noise: led("noise"),
    drift: led("drift"),
    growth: { score: growth("score"), noise: growth("noise") },
  };
}

/** What leads to the line: which coefficient is wrong by which factor, or which step differs from its neighbours. */
export async function stepDiagnosis(exam: Examination): Promise<string> {
  const [, response] = (await exam.responses()).at(-1)!;
  const exact = response.defect.relative < (exam.description.precision === "float64" ? 1e-8 : 1e-3);
  if (!exact || raisesNoise(response.run) || correctorSteps(gaussianData, response).length > 0) return "";
  const typical = await typicalStep(exam);
  const words = typical === null ? [] : wordsOfTypical(typical);
  return words.length > 0 ? words.join("; ") : await oddStep(exam);
}

function wordsOfTypical({ score, noise, drift, growth }: TypicalStep): string[] {
  const words: string[] = [];
  if (growth.noise > 0.3) {
    words.push("the noise of a step does not shrink as √h: a factor √h is missing, or h stands in a root");
  } else if (growth.noise < -0.3 && noise < 0.9) {
    words.push("the noise of a step shrinks faster than √h: its factor is h where √h belongs");
  }
  if (growth.score > 0.3) {
    words.push("the score's part of a step does not shrink as h: √h stands for h, or h is missing");
  } else if (growth.score < -0.3) {
    words.push("the score's part of a step shrinks faster than h: h is multiplied in twice");
  }
  if (words.length > 0) return words;
  const stochastic = noise > 0.02;
  const balanced = (1 + noise ** 2) / 2;
  if (score < -0.05) {
    words.push(
      `the score enters with the wrong sign: its weight is ${rounded(score)} g², for ${rounded(balanced)}`,
    );
  } else if (Math.abs(score - balanced) > 0.006) {
    if (stochastic && Math.abs(score - 1) < 0.05 && Math.abs(noise - 1) > 0.006) {
      words.push(
        `the noise of a step is ${rounded(noise)} times g√h, for 1, while the score's weight is right`,
      );
    } else if (stochastic && Math.abs(noise - 1) < 0.02) {
      words.push(
        `the score's weight is ${rounded(score)} g², for 1, while the noise is that of the SDE${
          Math.abs(score - 0.5) < 0.05 ? ": half of it belongs to the flow, which adds no noise" : ""
        }`,
      );
    } else if (!stochastic) {
      words.push(
        `the score's weight is ${rounded(score)} g², for the ½ of a sampler that adds no noise${
          Math.abs(score - 1) < 0.05 ? ": the noise is left out, or the flow's half is missing" : ""
        }`,
      );
    } else {
      words.push(
        `the score's weight is ${rounded(score)} g² and the noise ${
          rounded(noise)
        } times g√h: noise of this size needs the weight ${rounded(balanced)}`,
      );
    }
  }
  if (Math.abs(drift - 1) > 0.006) {
    words.push(
      drift < -0.5
        ? "the drift f x enters with the wrong sign"
        : `the drift is ${rounded(drift)} times f x: all states are scaled wrongly from step to step`,
    );
  }
  return words;
}

/**
 * Words for a step in the midst of a run whose coefficients are not those of its neighbours, in a run of 64 steps and one of 128;
 * empty where there is none.
 */
export async function oddStep(exam: Examination): Promise<string> {
  const found: string[] = [];
  for (
    const [steps, response] of (await exam.responses()).filter(([steps]) => steps === 64 || steps === 128)
  ) {
    if (raisesNoise(response.run) || correctorSteps(gaussianData, response).length > 0) return "";
    found.push(wordsOfOddStep(coefficientsOf(exam, response), steps));
  }
  return found.length === 2 && found.every((words) => words !== "") ? found[0] : "";
}

function wordsOfOddStep(coefficients: readonly StepCoefficients[], steps: number): string {
  let [words, largest] = ["", 0];
  // The first steps of multistep methods differ, and the last of many grids are long.
  for (let i = 4; i < coefficients.length - 4; i++) {
    const step = coefficients[i];
    const near = [-3, -2, -1, 1, 2, 3].map((offset) => coefficients[i + offset]);
    for (
      const [name, what] of [["noise", "noise over g√h"], [
        "pull",
        "pull towards the data over g² times the score",
      ]] as const
    ) {
      const usual = median(near.map((other) => other[name]));
      const spread = Math.max(...near.map((other) => Math.abs(other[name] - usual)));
      const off = Math.abs(step[name] - usual);
      if (!(off > largest && off > 0.1 * Math.max(Math.abs(usual), 0.2) && off > 4 * spread)) continue;
      largest = off;
      words = `step ${step.index + 1} of ${steps} (σ/α from ${rounded(step.from)} to ${
        rounded(step.to)
      }) is not like its neighbours: its ${what} is ${rounded(step[name])}, theirs ${rounded(usual)}`;
    }
  }
  return words;
}

function median(values: readonly number[]): number {
  const known = values.filter(Number.isFinite).sort((a, b) => a - b);
  return known.length === 0 ? NaN : known[Math.floor(known.length / 2)];
}
