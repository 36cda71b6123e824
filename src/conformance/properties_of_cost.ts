/** What runs at the ends do, and what a run takes: ends, cost. @module */
import { type Examination, gaussianData, wordsOf } from "./examination.ts";
import { normalNumbers } from "./normal_numbers.ts";
import { property, type PropertyResult, rounded } from "./property.ts";
import { ConformanceError } from "./recorded_run.ts";

const ROWS = 4;

/** Whether runs of one, two and a thousand steps end with finite states of a sensible size. */
export async function ends(exam: Examination): Promise<PropertyResult> {
  const told: string[] = [];
  const refused: string[] = [];
  const wrong: string[] = [];
  for (const steps of [1, 2, 1000]) {
    const what = steps === 1 ? "one step" : `${steps} steps`;
    try {
      const run = await exam.run({
        times: exam.times(steps),
        data: gaussianData,
        rows: ROWS,
        start: exam.startStates(gaussianData, ROWS, 1),
        noise: (request) => normalNumbers(ROWS * gaussianData.length, exam.seed, 5000 + request),
        seed: exam.seed,
        keep: false,
      });
      const largest = run.end.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      told.push(`${what}: ${run.evaluations.length} evaluations, states up to ${rounded(largest)}`);
      if (run.evaluations.length === 0) wrong.push(`${what}: the model is never asked`);
      // The data's largest deviation is 2; a thousand steps leave nothing of the start's size.
      if (steps === 1000 && largest > 30) wrong.push(`${what} end with states of ${rounded(largest)}`);
    } catch (error) {
      // A sampler may say that it needs more steps; it may not break.
      if (error instanceof ConformanceError || steps === 1000) wrong.push(`${what}: ${wordsOf(error)}`);
      else refused.push(`${what}: ${wordsOf(error)}`);
    }
  }
  return property({
    verdict: wrong.length > 0 ? "fails" : refused.length > 0 ? "noted" : "holds",
    observed: told.join("; "),
    bound: "finite states, and after 1000 steps below 30",
    source: "the data are within 2.5 of 0 but for deviations of 2",
    detectable: "a number that is not finite",
    words: [...wrong, ...refused.map((words) => `refused: ${words}`)].join("; "),
  });
}

/** The time of an evaluation beside the model's own. */
export function cost(exam: Examination): Promise<PropertyResult> {
  const { seconds, evaluations } = exam.cost;
  const each = evaluations === 0 ? 0 : 1000 * Math.max(0, seconds) / evaluations;
  return Promise.resolve(property({
    verdict: "noted",
    observed: `${rounded(each)} ms an evaluation, without the model, over ${evaluations} evaluations`,
    value: each,
    source: "the clock of this machine",
  }));
}
