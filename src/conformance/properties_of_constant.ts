/** The first term of a sampler's error: leading_constant. @module */
import { BROAD_COORDINATES, type Examination, gaussianData } from "./examination.ts";
import { lawSeries } from "./properties_of_law.ts";
import { property, type PropertyResult, rounded } from "./property.ts";

/**
 * K of the variance's error K/Nᵖ on each of the broad data: what tells samplers of one order apart, and shows a score asked for at a
 * wrong time, whose error only has another K.
 */
export async function leadingConstant(exam: Examination): Promise<PropertyResult> {
  const part = exam.noisyPart === null ? "whole" : "noisy part";
  const { counts, variances } = await lawSeries(exam, part);
  const [coarse, fine] = variances.slice(-2);
  const [few, many] = counts.slice(-2);
  const orders = BROAD_COORDINATES.map((j) => Math.log2(Math.abs(coarse[j] / fine[j])));
  const order = Math.round(orders.toSorted((a, b) => a - b)[Math.floor(orders.length / 2)]);
  const floor = exam.description.precision === "float64" ? 1e-9 : 1e-4;
  if (!(order >= 1) || BROAD_COORDINATES.every((j) => Math.abs(fine[j]) < floor)) {
    return property({
      verdict: "not measured",
      words: "the variance's error does not fall with a whole order, or is too small to be seen",
    });
  }
  // One extrapolation takes the next term away: Nᵖ e = K + K'/N.
  const constants = BROAD_COORDINATES.map((j) => 2 * fine[j] * many ** order - coarse[j] * few ** order);
  const shown = BROAD_COORDINATES.map((j, i) =>
    `${rounded(Number(constants[i].toPrecision(3)))} on N(${gaussianData[j].means[0]}, ${
      gaussianData[j].deviations[0]
    }²)`
  );
  return property({
    verdict: "noted",
    observed: `the variance's relative error is K/N${order === 1 ? "" : `^${order}`} with K = ${
      shown.join(", ")
    }`,
    value: constants[0],
    source: `runs of ${few} and ${many} steps${part === "whole" ? "" : ", down to σ/α = 0.3"}`,
    detectable: "a few percent of K",
  });
}
