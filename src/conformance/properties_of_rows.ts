/** What a row of a batch depends on: affine, rows, repeat. @module */
import { type Examination, gaussianData, PLAIN_ROWS } from "./examination.ts";
import { normalNumbers } from "./normal_numbers.ts";
import { property, type PropertyResult, rounded } from "./property.ts";
import type { RecordedRun } from "./recorded_run.ts";
import { sampledRows } from "./sampled_law.ts";
import type { States } from "./sampler_under_test.ts";

const d = gaussianData.length;
const ROWS = PLAIN_ROWS;

/** Whether states are an affine function of start and noise, to the precision that the sampler says it has. */
export async function affine(exam: Examination): Promise<PropertyResult> {
  const steps = await exam.baseSteps();
  if (!await exam.repeats()) {
    return property({ verdict: "not measured", words: "the sampler draws its own noise" });
  }
  const { defect, run } = await exam.response(steps);
  const { precision } = exam.description;
  const bound = precision === "float64" ? 1e-10 : 2e-3;
  const unit = { float64: 2 ** -53, float32: 2 ** -24 }[precision];
  const right = defect.relative <= bound;
  const where = defect.evaluation < 0
    ? "at the end"
    : `at evaluation ${defect.evaluation + 1} of ${run.evaluations.length}`;
  const size = rounded(defect.relative);
  const clipped = right ? null : clippedValue(run);
  const kind = right
    ? ""
    : defect.mixesCoordinates
    ? "a coordinate moves others: a norm or a mean over a row enters the step, as in a step size that adapts"
    : clipped !== null
    ? `states are cut off at ${rounded(clipped)}`
    : defect.relative < 3e-6
    ? `states are rounded to float32, and ${precision} is declared`
    : defect.relative < 0.02
    ? "states are rounded as float16 or bfloat16 rounds, or a small part of a step depends on the state in another way"
    : "a step's coefficients depend on the state: it adapts, or is cut off";
  const rounding = !right && !defect.mixesCoordinates && clipped === null && defect.relative < 0.02;
  return property({
    verdict: right ? "holds" : rounding ? "fails" : "noted",
    observed: `${size} of a row's size, ${where}`,
    value: defect.relative,
    bound: `${bound} (a rounding is ${rounded(unit)})`,
    source: "with the exact model of Gaussian data each step of a published sampler is affine",
    detectable: `${rounded(bound)} of a row's size`,
    words: kind,
  });
}

/** The value at which a start of 1 and one of 2 both end up, or null where they stay apart. */
function clippedValue({ evaluations, end }: RecordedRun): number | null {
  for (const states of [...evaluations.map(({ states }) => states!), end]) {
    for (let j = 0; j < d; j++) {
      const [none, once, twice] = [states[j], states[d + j], states[2 * d + j]];
      if (once === twice && Math.abs(once - none) > 0.1 * Math.abs(once)) return Math.abs(once);
    }
  }
  return null;
}

/** A run whose row 0 has another start, or whose first or second row has other noise. */
async function changedRun(
  exam: Examination,
  change: { start?: number; noise?: number },
): Promise<RecordedRun> {
  const steps = await exam.baseSteps();
  const start = exam.startStates(gaussianData, ROWS, 1);
  if (start !== null && change.start !== undefined) {
    for (let j = 0; j < d; j++) start[change.start * d + j] = 3 * start[change.start * d + j] + 1;
  }
  const noise = (request: number): States => {
    const values = normalNumbers(ROWS * d, exam.seed, 1000 + request);
    if (change.noise !== undefined) {
      for (let j = 0; j < d; j++) values[change.noise * d + j] = 1 - 2 * values[change.noise * d + j];
    }
    return values;
  };
  return await exam.run({
    times: exam.times(steps),
    data: gaussianData,
    rows: ROWS,
    start,
    noise,
    seed: exam.seed,
  });
}

/** The largest difference of rows at the end, over the size of the states. */
function rowDifferences(a: RecordedRun, b: RecordedRun): number[] {
  const size = Math.hypot(...a.end) / Math.sqrt(a.end.length);
  return Array.from({ length: ROWS }, (_, row) => {
    let most = 0;
    for (let i = row * d; i < (row + 1) * d; i++) most = Math.max(most, Math.abs(a.end[i] - b.end[i]) / size);
    return most;
  });
}

/** Whether rows of a batch are computed without each other. */
export async function rows(exam: Examination): Promise<PropertyResult> {
  const steps = await exam.baseSteps();
  const plain = await exam.plainRun(steps);
  const bound = exam.description.precision === "float64" ? 1e-12 : 1e-5;
  const given = exam.description.noise === "given" && plain.noiseAfter.length > 0;
  const startGiven = exam.description.start === "given";
  const others = (differences: number[], changed: number) =>
    Math.max(...differences.filter((_, row) => row !== changed));
  // Where the seed does not set the noise, other states say nothing of other rows.
  const alike = exam.description.noise === "given" ||
    Math.max(...rowDifferences(plain, await changedRun(exam, {}))) === 0;
  const byStart = startGiven && alike ? rowDifferences(plain, await changedRun(exam, { start: 0 })) : null;
  const byFirst = given ? rowDifferences(plain, await changedRun(exam, { noise: 0 })) : null;
  const bySecond = given ? rowDifferences(plain, await changedRun(exam, { noise: 1 })) : null;
  const drawn = !await exam.repeats() && (byStart === null || others(byStart, 0) <= bound);
  if (drawn || (byStart === null && byFirst === null)) return await sampledRows(exam);
  const worst = Math.max(
    byStart === null ? 0 : others(byStart, 0),
    byFirst === null ? 0 : others(byFirst, 0),
    bySecond === null ? 0 : others(bySecond, 1),
  );
  // A sampler of the flow may draw noise that its options leave out; a row that is changed by nothing is no influence.
  const unused = byFirst !== null && byFirst.every((difference) => difference <= bound) &&
    exam.declares.process === "ode";
  const ignored = bySecond !== null && bySecond[1] <= bound && !unused;
  const words = byFirst !== null && others(byFirst, 0) > 1e-3 && ignored
    ? "every row gets the noise of row 0: rows share noise"
    : ignored
    ? "row 1 does not depend on its noise: noise is asked for and not used, or rows share it"
    : byFirst !== null && others(byFirst, 0) > bound
    ? "the noise of row 0 changes other rows: a statistic of the batch's noise or states enters the step"
    : worst > bound
    ? "the start of row 0 changes other rows: a statistic of the batch, such as a mean, a norm or a maximum over all rows, enters the step"
    : "";
  return property({
    verdict: words === "" ? "holds" : "fails",
    observed: `other rows change by ${rounded(worst)} of their size`,
    value: worst,
    bound: String(bound),
    source: "samples are independent: a row is a function of its own start and noise",
    detectable: `${bound} of a row's size`,
    words,
  });
}

/** Whether a run repeats, whatever ran before it. */
export async function repeat(exam: Examination): Promise<PropertyResult> {
  const steps = await exam.baseSteps();
  const first = await exam.plainRun(steps);
  const again = await changedRun(exam, {});
  await changedRun(exam, { start: 0, noise: 1 });
  const later = await changedRun(exam, {});
  const twice = Math.max(...rowDifferences(first, again));
  const after = Math.max(...rowDifferences(first, later));
  const worst = Math.max(twice, after);
  const count = first.evaluations.length === again.evaluations.length &&
    first.noiseAfter.length === again.noiseAfter.length;
  let words = "";
  if (worst > 0 || !count) {
    words = exam.description.noise === "own"
      ? "the same seed gives other states: the sampler draws from a generator that the run's seed does not set"
      : "the same start and noise give other states: something of an earlier run is kept, as a history that is not cleared, or numbers are drawn that the run does not give";
  }
  if (words === "" && exam.description.noise === "own") {
    const other = await exam.run({
      times: exam.times(steps),
      data: gaussianData,
      rows: ROWS,
      start: exam.startStates(gaussianData, ROWS, 1),
      seed: exam.seed + 1,
    });
    if (Math.max(...rowDifferences(first, other)) === 0) {
      const stochastic = exam.declares.process === "sde" || exam.description.start === "own";
      if (stochastic) words = "another seed gives the same states: the run's seed is not used";
    }
  }
  return property({
    verdict: words === "" ? "holds" : "fails",
    observed: worst === 0
      ? "the same states, bit for bit"
      : `states differ by ${rounded(worst)} of their size`,
    value: worst,
    bound: "0",
    source: "a run is a function of start, noise and seed",
    detectable: "the last bit",
    words,
  });
}
