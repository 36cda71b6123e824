/** The law of a sampler's states on the way, and of two of them together: marginals, process. @module */
import { extrapolated } from "./convergence.ts";
import { correctorSteps } from "./corrector.ts";
import { BROAD_COORDINATES, type Examination, gaussianData } from "./examination.ts";
import { exactMoments, type ImpulseResponse, stateCovariance, stateMoments } from "./impulse_response.ts";
import { percent, property, type PropertyResult, rounded } from "./property.ts";
import { sampledProcess } from "./sampled_law.ts";
import { stepDiagnosis } from "./step_diagnosis.ts";
import { levelStates } from "./step_states.ts";
import type { AffineState } from "./impulse_response.ts";

/** Fractions of the way at which states are looked at; grids of 4, 8, 16, … steps have them all. */
const FRACTIONS = [0.25, 0.5, 0.75];

/** The states at the fractions of the way; null unless the sampler visits the grid's levels there. */
function statesOnTheWay(response: ImpulseResponse): AffineState[] | null {
  const states = levelStates(response, false);
  const steps = response.run.grid.times.length - 1;
  const found = FRACTIONS.map((fraction) => states.find(({ index }) => index === fraction * steps)?.state);
  return found.includes(undefined) ? null : found as AffineState[];
}

/** States on the way in all runs that have them. */
async function waysOf(exam: Examination): Promise<AffineState[][]> {
  if (exam.description.grid === "own") return [];
  return (await exam.responses()).filter(([steps]) => steps % 4 === 0)
    .flatMap(([, response]) => statesOnTheWay(response) ?? []).reduce<AffineState[][]>((runs, state, i) => {
      if (i % FRACTIONS.length === 0) runs.push([]);
      runs.at(-1)!.push(state);
      return runs;
    }, []);
}

/** Whether the states on the way have the exact law in the limit of short steps. */
export async function marginals(exam: Examination): Promise<PropertyResult> {
  const ways = await waysOf(exam);
  if (ways.length < 3) {
    return property({
      verdict: "not measured",
      words: "the sampler does not visit the grid's levels on the way",
    });
  }
  const finest = (await exam.responses()).at(-1)![1];
  const floor = exam.description.precision === "float64" ? 1e-10 : 3e-5;
  const corrections = correctorSteps(gaussianData, finest);
  let [worst, words, over, judged] = [0, "", 0, 0];
  FRACTIONS.forEach((fraction, at) => {
    const ratio = ways[0][at].ratio;
    const exact = exactMoments(gaussianData, { alpha: 1, sigma: ratio });
    const moments = ways.map((states) => stateMoments(states[at], exam.startMoments));
    const correction = corrections.find((step) => Math.abs(step.ratio / ratio - 1) < 1e-4);
    for (const j of BROAD_COORDINATES) {
      const variance = extrapolated(
        moments.map(({ variance }) => variance[j] / exact.variance[j] - 1),
        floor,
      );
      const mean = extrapolated(
        moments.map(({ mean }) => (mean[j] - exact.mean[j]) / Math.sqrt(exact.variance[j])),
        floor,
      );
      const bias = correction === undefined ? 0 : 3 * correction.size / (2 * exact.variance[j]);
      for (const [what, limit, allowed] of [["variance", variance, bias], ["mean", mean, 0]] as const) {
        if (!(limit.converges && limit.uncertainty < 0.02)) continue;
        judged++;
        worst = Math.max(worst, Math.abs(limit.value));
        const excess = Math.abs(limit.value) - allowed - 3e-3 - 4 * limit.uncertainty;
        if (excess > over) {
          over = excess;
          words = what === "variance"
            ? `at ${fraction} of the way (σ/α = ${rounded(ratio)}) the variance of coordinate ${j} is ${
              rounded(1 + limit.value)
            } times the exact one in the limit of short steps`
            : `at ${fraction} of the way (σ/α = ${rounded(ratio)}) the mean of coordinate ${j} is ${
              rounded(limit.value)
            } standard deviations from the exact one in the limit of short steps`;
        }
      }
    }
  });
  if (judged === 0) {
    return property({
      verdict: "not measured",
      words: "the runs do not show where the states on the way lead",
    });
  }
  const diagnosis = words === "" ? "" : await stepDiagnosis(exam);
  return property({
    verdict: words === "" ? "holds" : "fails",
    observed: `the exact law to ${percent(worst)} at ${FRACTIONS.join(", ")} of the way`,
    value: worst,
    bound: corrections.length > 0
      ? "0.3%, and what Langevin steps of this size add"
      : "0.3% and four times the limit's uncertainty",
    source: "x_t = α x₀ + σ ε at every level that is visited",
    detectable: "0.3%",
    words: [words, diagnosis].filter((text) => text !== "").join("; "),
  });
}

/** Which process the states follow, from the covariance of two of them. */
export async function process(exam: Examination): Promise<PropertyResult> {
  if (!await exam.showsImpulses()) return await sampledProcess(exam);
  const ways = await waysOf(exam);
  if (ways.length < 3) {
    return property({
      verdict: "not measured",
      words: "the sampler does not visit the grid's levels on the way",
    });
  }
  const floor = exam.description.precision === "float64" ? 1e-10 : 3e-5;
  const start = exam.startMoments;
  // The part of the variance at the earlier level that the state at the later one remembers, from 0 to 1 as between no
  // memory and the flow's: r = Cov(y_s, y_t)/√(C_s C_t); for the reverse SDE r is √(C_s/C_t).
  let [apart, toSde, toOde] = [0, 0, 0];
  const seen: string[] = [];
  for (const j of BROAD_COORDINATES) {
    for (const [later, earlier] of [[1, 0], [2, 1]] as const) {
      const values = ways.map((states) => {
        const [t, s] = [states[earlier], states[later]];
        const [varianceT, varianceS] = [t, s].map((state) => stateMoments(state, start).variance[j]);
        return stateCovariance(s, t, start)[j] / Math.sqrt(varianceS * varianceT);
      });
      const limit = extrapolated(values, floor);
      const [cs, ct] = [later, earlier].map((at) =>
        gaussianData[j].deviations[0] ** 2 + ways[0][at].ratio ** 2
      );
      const sde = Math.sqrt(cs / ct);
      if (!(limit.converges && limit.uncertainty < 0.01) || 1 - sde < 0.05) continue;
      apart++;
      toSde = Math.max(toSde, (Math.abs(limit.value - sde) - 4 * limit.uncertainty) / (1 - sde));
      toOde = Math.max(toOde, (Math.abs(limit.value - 1) - 4 * limit.uncertainty) / (1 - sde));
      seen.push(rounded(limit.value));
    }
  }
  if (apart === 0) {
    return property({ verdict: "not measured", words: "the runs do not show where the covariances lead" });
  }
  const found = toSde < 0.04 ? "sde" : toOde < 0.04 ? "ode" : "other";
  const names = {
    sde: "the reverse SDE",
    ode: "the probability flow",
    other: "neither the reverse SDE nor the probability flow",
  };
  const declared = exam.declares.process;
  return property({
    verdict: declared === undefined ? "noted" : declared === found ? "holds" : "fails",
    observed: names[found],
    value: Math.min(toSde, toOde),
    bound: declared === undefined ? "" : names[declared],
    source: "Cov(x_s, x_t) is (α_t/α_s) C_s for the reverse SDE and √(C_s C_t) for the flow",
    detectable: "4% of the difference between the two",
    words: declared === undefined || declared === found
      ? ""
      : `the states follow ${names[found]}, for ${
        names[declared]
      } that is declared: correlations between levels are ${seen.slice(0, 3).join(", ")}`,
  });
}
