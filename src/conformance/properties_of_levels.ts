/** Which noise levels a sampler visits, and how it begins: evaluations, first_level, visited_levels, last_level, start_scale. @module */
import { type Examination, gaussianData, PLAIN_ROWS } from "./examination.ts";
import type { RecordedRun } from "./recorded_run.ts";
import { hasRightLaw } from "./right_law.ts";
import { sampledStart } from "./sampled_law.ts";
import { property, type PropertyResult, rounded } from "./property.ts";

/** ν = σ/α of a run's grid. */
function gridRatios({ grid }: RecordedRun): Float64Array {
  return grid.sigmas.map((sigma, i) => sigma / grid.alphas[i]);
}

/** How many evaluations a run of N steps takes. */
export async function evaluations(exam: Examination): Promise<PropertyResult> {
  const base = await exam.baseSteps();
  const few = (await exam.plainRun(base)).evaluations.length;
  const many = (await exam.plainRun(2 * base)).evaluations.length;
  const perStep = (many - few) / base;
  const beside = few - perStep * base;
  const whole = Number.isInteger(perStep);
  const observed = whole
    ? `${perStep} a step${beside === 0 ? "" : ` and ${beside} beside`}`
    : `${few} in ${base} steps, ${many} in ${2 * base}`;
  const declared = exam.declares.evaluationsPerStep;
  const right = declared === undefined ? whole : perStep === declared;
  return property({
    verdict: right ? declared === undefined ? "noted" : "holds" : declared === undefined ? "noted" : "fails",
    observed,
    value: perStep,
    bound: declared === undefined ? "" : `${declared} a step`,
    source: declared === undefined ? "" : "what the sampler declares",
    detectable: `one evaluation in ${2 * base} steps`,
    words: declared !== undefined && perStep !== declared
      ? `the sampler declares ${declared} evaluations a step and takes ${rounded(perStep)}`
      : whole
      ? ""
      : "the number of evaluations is no multiple of the steps: the sampler chooses its own steps",
  });
}

/** Whether the first evaluation is at the grid's first level. */
export async function firstLevel(exam: Examination): Promise<PropertyResult> {
  const run = await exam.plainRun(await exam.baseSteps());
  const ratios = gridRatios(run);
  const first = run.evaluations[0];
  if (first === undefined) {
    return property({
      verdict: "fails",
      observed: "no evaluation",
      words: "the sampler never asks its model",
    });
  }
  const off = first.ratio / ratios[0] - 1;
  const right = Math.abs(off) < levelTolerance(exam);
  const drawn = run.noiseAfter.some((after) => after === 0) && exam.description.start === "given";
  const at = nearest(ratios, first.ratio);
  const shifted = at > 0 && Math.abs(first.ratio / ratios[at] - 1) < levelTolerance(exam);
  const own = exam.description.grid === "own";
  return property({
    verdict: right ? "holds" : drawn && off > 0 ? "noted" : own && Math.abs(off) < 0.05 ? "noted" : "fails",
    observed: `σ/α = ${rounded(first.ratio)}`,
    value: first.ratio,
    bound: `${rounded(ratios[0])}, within ${levelTolerance(exam)} of it`,
    source: "the run's grid, where the start is",
    detectable: `a level off by ${levelTolerance(exam)} of itself`,
    words: right
      ? ""
      : drawn && off > 0
      ? "noise is added before the first evaluation, which is at the raised level"
      : shifted
      ? `the first evaluation is at level ${at} of the grid, not at level 0, where the start is: the grid is used from index ${at}, or the model is asked at the end of the step`
      : `the first evaluation is at σ/α = ${rounded(first.ratio)}, ${
        off > 0 ? "above" : "below"
      } the start's ${rounded(ratios[0])}: the start is not at the level that the model is told`,
  });
}

/** The levels at which a multistep method may begin by steps of another kind. */
const START_LEVELS = 4;

/** Whether every level of the grid is visited in its order, none twice as often as the others. */
export async function visitedLevels(exam: Examination): Promise<PropertyResult> {
  const steps = await exam.baseSteps();
  const run = await exam.plainRun(steps);
  const ratios = gridRatios(run);
  const visits = ratios.map((ratio) =>
    run.evaluations.filter((evaluation) => Math.abs(evaluation.ratio / ratio - 1) < levelTolerance(exam))
      .length
  );
  const at = [...visits].slice(0, steps);
  const missing = at.flatMap((count, i) => count === 0 ? [i] : []);
  const usual = median(at.slice(1));
  // The first level of a multistep or two-stage sampler may have fewer evaluations, never more.
  const often = at.flatMap((count, i) => count > usual && usual > 0 ? [i] : []);
  const jumps = run.evaluations.flatMap(({ ratio }, i) =>
    i > 0 && ratio > run.evaluations[i - 1].ratio * (1 + 1e-6) ? [i] : []
  );
  const observed = `${at.length - missing.length} of ${steps} levels, ${
    usual === 1 ? "once" : `${usual} times`
  } each${often.length > 0 ? `; more often: ${listed(often)}` : ""}`;
  if (exam.description.grid === "own") {
    return property({
      verdict: "noted",
      observed: `${
        new Set(run.evaluations.map(({ ratio }) => ratio)).size
      } levels of the sampler's own, from σ/α = ${rounded(run.evaluations[0]?.ratio ?? NaN)} to ${
        rounded(run.evaluations.at(-1)?.ratio ?? NaN)
      }`,
      words: "the sampler chooses its own levels",
    });
  }
  const levelOf = (ratio: number) =>
    ratios.findIndex((level) => Math.abs(ratio / level - 1) < levelTolerance(exam));
  const [back] = jumps.map((i) => [levelOf(run.evaluations[i].ratio), levelOf(run.evaluations[i - 1].ratio)])
    .filter(([level, before]) => level >= 0 && before >= 0);
  const wrong = missing.length > 0 || often.length > 0 || back !== undefined;
  const raised = jumps.length > 0 && run.noiseAfter.length > 0 && back === undefined;
  // Steps that the sampler chooses by the state: it leaves levels out, or asks more often where it tries again.
  const adaptive = run.evaluations.length > 0 && !Number.isInteger(run.evaluations.length / steps) &&
    (missing.length > steps / 2 ||
      missing.length === 0 && await exam.repeats() && !await exam.showsImpulses());
  // Runge–Kutta starts and trial steps ask again at the first levels; there a step that is taken twice would spoil the law.
  const again = wrong && missing.length === 0 && !raised && !adaptive &&
    [...often, ...back ?? []].every((level) => level <= START_LEVELS) && await hasRightLaw(exam);
  return property({
    verdict: !wrong ? "holds" : raised || adaptive || again ? "noted" : "fails",
    observed,
    value: at.length - missing.length,
    bound: `levels 0 to ${steps - 1}, one as often as the others`,
    source: "a step begins at each level but the last",
    detectable: "one level left out or visited twice",
    words: !wrong
      ? ""
      : raised
      ? "the sampler raises the noise before a step and asks its model between levels of the grid"
      : adaptive
      ? "the sampler chooses its own steps between levels"
      : again
      ? `the model is asked again at level ${
        listed(often.length > 0 ? often : back)
      }, and the law of the states is right, as of a start by Runge–Kutta steps or a trial step`
      : missing.length > 0 && often.length > 0
      ? `level ${listed(missing)} is never asked for and level ${
        listed(often)
      } more often than others: a step asks its model at a stale time`
      : missing.length > 0
      ? `the model is never asked at level ${
        listed(missing)
      }: steps are left out or asked for at other levels`
      : often.length > 0
      ? `the model is asked at level ${listed(often)} more often than at others: a step is taken twice`
      : `the model is asked at level ${back[0]} after level ${
        back[1]
      }: levels are visited out of their order`,
  });
}

/** Whether the last evaluation is at the last level but one, or after it. */
export async function lastLevel(exam: Examination): Promise<PropertyResult> {
  const steps = await exam.baseSteps();
  const run = await exam.plainRun(steps);
  const ratios = gridRatios(run);
  const last = run.evaluations.at(-1)?.ratio ?? NaN;
  const tolerance = levelTolerance(exam, ratios[steps]);
  const early = last > ratios[steps - 1] * (1 + tolerance);
  const late = last < ratios[steps] * (1 - tolerance);
  const end = run.endLevel.sigma / run.endLevel.alpha;
  const own = exam.description.grid === "own";
  const at = nearest(ratios, last);
  const above = end > ratios[steps] * (1 + tolerance);
  const wrong = early || late || above;
  return property({
    verdict: !wrong ? "holds" : own ? "noted" : "fails",
    observed: `the last evaluation is at σ/α = ${rounded(last)}, the end ${
      end === 0 ? "is data" : `at ${rounded(end)}`
    }`,
    value: last,
    bound: `from ${rounded(ratios[steps - 1])} (level ${steps - 1}) to ${
      rounded(ratios[steps])
    } (level ${steps})`,
    source: "the run's grid: the last step begins at its last level but one",
    detectable: `a level off by ${tolerance} of itself`,
    words: !wrong
      ? ""
      : own
      ? "the sampler ends at a level of its own"
      : early
      ? `the last evaluation is at level ${at}: the last ${
        steps - 1 - at
      } steps are missing, and the noise of level ${at} is left`
      : late
      ? "the model is asked below the grid's last level: there is a step too many"
      : `the end is said to be at σ/α = ${rounded(end)}, above the grid's last ${rounded(ratios[steps])}`,
  });
}

/** Whether the start has the scale of its level. */
export async function startScale(exam: Examination): Promise<PropertyResult> {
  const steps = await exam.baseSteps();
  if (!await exam.repeats()) {
    if (exam.description.start === "own") return await sampledStart(exam);
    return await givenStartScale(exam);
  }
  const response = await exam.response(steps);
  const { alpha, sigma } = scalesOfStart(exam);
  const scale = exam.description.precision === "float64" ? 1e-9 : 1e-5;
  if (response.ownStart !== null) {
    const size = response.ownStart[1];
    const exact = Math.hypot(alpha, sigma);
    const right = Math.abs(size / sigma - 1) < 0.01 || Math.abs(size / exact - 1) < 0.01 ||
      Math.abs(size / exam.sde.priorStd - 1) < 0.01;
    return property({
      verdict: right ? "holds" : "fails",
      observed: `a standard deviation of ${rounded(size)}`,
      value: size,
      bound: `the prior's ${rounded(exam.sde.priorStd)} or the kernel's ${rounded(sigma)}, within 1%`,
      source: "x_T = α x₀ + σ ε",
      detectable: "1%",
      words: right
        ? ""
        : `the start is drawn with standard deviation ${rounded(size)}, ${
          rounded(size / sigma)
        } times that of its level: it is not scaled by σ`,
    });
  }
  const first = response.evaluations[0];
  // A sampler that asks at times, or with an α, keeps x; one that asks at σ alone keeps x/α.
  const asked = response.run.evaluations[0].level.alpha;
  const factor = asked === 1 ? alpha : asked;
  const gain = first.gain[1] * factor;
  const off = Math.max(...first.gain.map((value) => Math.abs(value * factor - 1)));
  const shift = Math.max(...first.offset.map(Math.abs)) * factor / Math.hypot(alpha, sigma);
  const raised = response.run.noiseAfter.some((after) => after === 0);
  const right = off < scale && shift < scale;
  return property({
    verdict: right ? "holds" : "fails",
    observed: `${rounded(gain)} times the given start${raised ? ", with noise added" : ""}`,
    value: gain,
    bound: `1, within ${scale}`,
    source:
      "the start is a state of the first level as it stands, divided by α where the model is asked at a σ alone",
    detectable: String(scale),
    words: right
      ? ""
      : shift >= scale && off < scale
      ? "the first state is shifted against the given start"
      : `the first state is ${rounded(gain)} times the given start${
        near(gain, sigma)
          ? ": it is multiplied by σ though it has that scale already"
          : near(gain, 1 / sigma)
          ? ": it is divided by σ"
          : near(gain, alpha)
          ? ": it is given to the model with α = 1 but not divided by α"
          : near(gain, 1 / alpha)
          ? ": it is divided by α though the model is asked with its α"
          : ""
      }`,
  });
}

/** Whether the first state is the given start, for a sampler that draws its own noise. */
async function givenStartScale(exam: Examination): Promise<PropertyResult> {
  const run = await exam.plainRun(await exam.baseSteps());
  const start = exam.startStates(gaussianData, PLAIN_ROWS, 1)!;
  const { states, level } = run.evaluations[0];
  const alpha = run.grid.alphas[0];
  const factor = level.alpha === 1 ? alpha : 1;
  const size = Math.hypot(...start);
  const off = Math.hypot(...start.map((value, i) => value - factor * states![i])) / size;
  const bound = exam.description.precision === "float64" ? 1e-9 : 1e-5;
  return property({
    verdict: off <= bound ? "holds" : "fails",
    observed: `the first state differs from the given start by ${rounded(off)} of its size`,
    value: off,
    bound: String(bound),
    source:
      "the start is a state of the first level as it stands, divided by α where the model is asked at a σ alone",
    detectable: String(bound),
    words: off <= bound
      ? ""
      : `the first state is not the given start: it is ${
        rounded(factor * Math.hypot(...states!) / size)
      } times as large`,
  });
}

function scalesOfStart({ sde }: Examination): { alpha: number; sigma: number } {
  return { alpha: sde.alpha(sde.tMax), sigma: sde.sigma(sde.tMax) };
}

function near(a: number, b: number): boolean {
  return Math.abs(a / b - 1) < 1e-3;
}

/**
 * How far a level may be from the grid's, as a fraction. A table of α² in float32 has σ² = 1 − α² to 2⁻²⁴, and so a small noise
 * ratio to 2⁻²⁵ over its square.
 */
function levelTolerance({ description }: Examination, ratio = Infinity): number {
  return description.precision === "float64" ? 1e-6 : 1e-4 + 2 ** -24 / ratio ** 2;
}

function nearest(ratios: Float64Array, ratio: number): number {
  let best = 0;
  ratios.forEach((value, i) => {
    if (Math.abs(Math.log(value / ratio)) < Math.abs(Math.log(ratios[best] / ratio))) best = i;
  });
  return best;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function listed(indices: readonly number[]): string {
  return indices.length <= 3
    ? indices.join(", ")
    : `${indices.slice(0, 3).join(", ")}, … (${indices.length} in all)`;
}
