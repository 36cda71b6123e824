/** The noise that a sampler adds: noise_draws, noise_at_end. @module */
import { correctorSteps } from "./corrector.ts";
import { type Examination, gaussianData, POINT_COORDINATE } from "./examination.ts";
import { stateMoments } from "./impulse_response.ts";
import { property, type PropertyResult, rounded } from "./property.ts";
import { hasRightLaw } from "./right_law.ts";
import { sampledNoiseAtEnd } from "./sampled_law.ts";
import { coefficientsOf, raisesNoise, typicalStep } from "./step_diagnosis.ts";
import { levelStates } from "./step_states.ts";

/** How often noise is drawn, whether a step has its own, and its size. */
export async function noiseDraws(exam: Examination): Promise<PropertyResult> {
  const steps = await exam.baseSteps();
  if (!await exam.repeats()) {
    return property({ verdict: "not measured", words: "the sampler draws its own noise" });
  }
  const response = await exam.response(steps);
  const { noiseAfter } = response.run;
  if (noiseAfter.length === 0) {
    const wrong = exam.declares.process === "sde";
    return property({
      verdict: wrong ? "fails" : "holds",
      observed: "no noise",
      value: 0,
      bound: wrong ? "noise in every step" : "",
      source: "the reverse SDE",
      detectable: "one draw",
      words: wrong ? "the sampler declares that it follows the reverse SDE, and adds no noise" : "",
    });
  }
  const raised = raisesNoise(response.run);
  const reused = raised ? "" : reusedNoise(exam, response);
  const dropped = response.end.noise.flatMap((coefficient, k) =>
    coefficient.every((c) => c === 0) &&
      response.evaluations.every(({ noise }) => noise[k].every((c) => c === 0))
      ? [k]
      : []
  );
  const corrections = correctorSteps(gaussianData, response);
  // Where corrections add noise at a level, a step has noise and score of both, and the corrections are judged alone.
  const typical = corrections.length > 0 || raised ? null : await typicalStep(exam);
  const size = typical === null ? "" : `, of ${rounded(Number(typical.noise.toPrecision(3)))} times g√h`;
  const wrongSize = typical === null
    ? ""
    : sizeWords(exam, typical.noise, typical.growth.noise, typical.score);
  const off = corrections.find(({ noiseOverPull }) =>
    Number.isFinite(noiseOverPull) && Math.abs(noiseOverPull - 1) > 0.03
  );
  // A sampler of the flow may draw noise that its options leave out.
  const churnsNot = dropped.length === noiseAfter.length && exam.declares.process === "ode";
  const lastOnly = dropped.length === 1 && dropped[0] === noiseAfter.length - 1;
  const words = reused !== ""
    ? reused
    : wrongSize !== ""
    ? wrongSize
    : off !== undefined
    ? `a correction at σ/α = ${rounded(off.ratio)} adds ${
      rounded(off.noiseOverPull)
    } times the noise √(2ε) that its step ε along the score asks for`
    : dropped.length > 0 && !lastOnly && !churnsNot
    ? `noise ${dropped[0] + 1} of ${noiseAfter.length} is asked for and not used`
    : "";
  const harmless = words !== "" && await hasRightLaw(exam);
  return property({
    verdict: words === "" ? "holds" : harmless ? "noted" : "fails",
    observed: `${rounded(noiseAfter.length / steps)} a step${size}`,
    value: typical?.noise ?? null,
    bound: "each noise enters one step, and noise η g√h goes with the score's weight ½(1 + η²) g²",
    source:
      "all SDEs with the marginals of the reverse one (Song et al. 2021, App. D; Karras et al. 2022, eq. 6)",
    detectable: "3% of the noise, and a noise that enters another step with 0.6 of its size",
    words: harmless
      ? `${words}; the law of the states is right all the same, as of methods whose history carries noise, of steps in stages, and ` +
        "of noise that would raise the highest level"
      : words,
  });
}

function sizeWords(exam: Examination, noise: number, growth: number, score: number): string {
  const balanced = (1 + noise ** 2) / 2;
  if (growth > 0.3) {
    return "the noise of a step does not shrink as √h: a factor √h is missing, or h stands in a root";
  }
  if (growth < -0.3 && exam.declares.process !== "ode" && noise < 0.9) {
    return "the noise of a step shrinks faster than √h: its factor is h where √h belongs";
  }
  if (Number.isFinite(score) && Math.abs(score - balanced) > 0.03) {
    return Math.abs(score - 1) < 0.05
      ? `the noise of a step is ${rounded(noise)} times g√h, for 1`
      : `the noise is ${rounded(noise)} times g√h while the score's weight is ${
        rounded(score)
      } g²: it needs noise of ${rounded(Math.sqrt(Math.max(0, 2 * score - 1)))} g√h`;
  }
  return "";
}

/** Words for a noise that enters two steps. */
function reusedNoise(exam: Examination, response: Awaited<ReturnType<Examination["response"]>>): string {
  const states = levelStates(response, exam.description.grid === "own");
  const j = 5;
  for (let i = 1; i + 1 < states.length; i++) {
    const [a, b] = [states[i].state, states[i + 1].state];
    if (Math.abs(a.gain[j]) < 1e-10) continue;
    const gain = b.gain[j] / a.gain[j];
    const fresh = Math.hypot(...b.noise.slice(states[i].draws, states[i + 1].draws).map((c) => c[j]));
    for (let k = 0; k < states[i].draws; k++) {
      const again = b.noise[k][j] - gain * a.noise[k][j];
      const own = Math.hypot(fresh, again);
      const entered = Math.abs(a.noise[k][j]);
      if (
        Math.abs(again) > 0.6 * own && Math.abs(again) > 0.6 * entered &&
        own > 1e-6 * Math.abs(b.offset[j] + 1)
      ) {
        return `the step from level ${states[i].index} to ${states[i + 1].index} adds the noise ${
          k + 1
        } of an earlier step once more: steps share noise`;
      }
    }
  }
  return "";
}

/** How much noise the output has that no later evaluation saw. */
export async function noiseAtEnd(exam: Examination): Promise<PropertyResult> {
  const steps = await exam.baseSteps();
  if (!await exam.repeats()) return await sampledNoiseAtEnd(exam);
  const response = await exam.response(steps);
  const { noiseAfter, evaluations, endLevel } = response.run;
  const late = noiseAfter.flatMap((after, k) => after >= evaluations.length ? [k] : []);
  const added = late.reduce((sum, k) => sum + response.end.noise[k][POINT_COORDINATE] ** 2, 0);
  const ratio = response.end.ratio;
  const { alpha } = endLevel;
  const exact = gaussianData[POINT_COORDINATE].deviations[0] ** 2 + ratio ** 2;
  const found = stateMoments(response.end, exam.startMoments).variance[POINT_COORDINATE];
  const inX = alpha ** 2;
  const step = coefficientsOf(exam, response).at(-1);
  const euler = step !== undefined && correctorSteps(gaussianData, response).length === 0 &&
    Math.abs(step.noise - 1) < 0.5 && step.to === ratio;
  if (!(added > 1e-12 * exact)) {
    return property({
      verdict: "holds",
      observed: `none after the last evaluation; on N(0.7, 0.01²) the variance is ${
        rounded(found / exact)
      } times the exact one at ${steps} steps`,
      value: 0,
      bound: "0",
      source: "the impulse response: the last noises alone",
      detectable: "noise of a millionth of the data's spread",
    });
  }
  const data = ratio === 0;
  const size = rounded(added * inX);
  return property({
    verdict: data ? "fails" : "noted",
    observed: `variance ${size} after the last evaluation`,
    value: added * inX,
    bound: data ? "0" : "",
    source: "the impulse response: the last noises alone",
    detectable: "noise of a millionth of the data's spread",
    words:
      `the last step adds noise of variance ${size} after the last evaluation: on data of N(0.7, 0.01²) the output's ` +
      `variance exceeds the exact ${rounded(exact * inX)} by ${rounded((found - exact) * inX)}, of which ${
        euler ? `g²h = ${size}` : size
      } is that noise: ${
        data
          ? "the end is said to be data, so leave the last noise out"
          : "end with the step's mean, or denoise"
      }`,
  });
}
