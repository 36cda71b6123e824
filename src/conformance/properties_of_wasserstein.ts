/** The exact W₂ error on the CIFAR-10 Gaussian, beside a published table: wasserstein_cifar10. @module */
import { timeGrid } from "../diffusion/time_grid.ts";
import { vpSde } from "../diffusion/sde.ts";
import { publishedErrors, spectrumNodes, spectrumWeights } from "./cifar10_spectrum.ts";
import { gaussianOnLine, type ProductData } from "./exact_model.ts";
import type { Examination } from "./examination.ts";
import { stateMoments } from "./impulse_response.ts";
import { property, type PropertyResult, rounded } from "./property.ts";

/** The table's SDE, dx = −β x dt + √(2β) dw with β from 0.05 to 10, has half of this one's β. */
const sde = vpSde({ betaMin: 0.1, betaMax: 20, tMin: 1e-3 });

const data: ProductData = spectrumNodes.map((variance) => gaussianOnLine(0, Math.sqrt(variance)));

/** W₂ between the output of a run from N(0, I) and the data. */
async function wassersteinError(exam: Examination, steps: number): Promise<number> {
  const times = timeGrid(sde, { kind: "uniform", steps });
  const plain = await exam.run({
    sde,
    times,
    data,
    rows: 1,
    start: exam.description.start === "own" ? null : new Float64Array(data.length),
    keep: false,
  });
  const response = await exam.responseOn({ sde, times, data, ends: true }, plain.noiseAfter.length);
  const spread = response.ownStart ?? new Float64Array(data.length).fill(1);
  const start = { mean: new Float64Array(data.length), variance: spread.map((deviation) => deviation ** 2) };
  const { alpha } = response.run.endLevel;
  const { variance } = stateMoments(response.end, start);
  const squared = variance.reduce(
    (sum, value, k) =>
      sum + spectrumWeights[k] * (alpha * Math.sqrt(value) - Math.sqrt(spectrumNodes[k])) ** 2,
    0,
  );
  return Math.sqrt(Math.max(0, squared));
}

/** Steps of a run that the table calls one of `evaluations`. */
function stepsFor(evaluations: number, perStep: number): number {
  return Math.max(1, Math.floor(evaluations / (perStep <= 2 ? 1 : perStep)) - 1);
}

/** The exact W₂ errors at 50 and 250 evaluations; with 1000 where the examination is thorough. */
export async function wasserstein(exam: Examination): Promise<PropertyResult> {
  if (!await exam.showsImpulses()) {
    return property({ verdict: "not measured", words: "impulses do not show the sampler's law" });
  }
  const base = await exam.baseSteps();
  const perStep = Math.max(1, Math.round((await exam.plainRun(base)).evaluations.length / base));
  const columns = exam.thorough ? [50, 250, 1000] as const : [50, 250] as const;
  const errors: number[] = [];
  for (const evaluations of columns) {
    errors.push(await wassersteinError(exam, stepsFor(evaluations, perStep)));
  }
  const match = publishedErrors.filter(({ errors: published }) =>
    columns.every((column, i) => Math.abs(published[column] - errors[i]) <= 0.0051)
  );
  const table = publishedErrors.map(({ scheme, errors }) =>
    `${scheme} ${columns.map((column) => errors[column]).join(", ")}`
  );
  return property({
    verdict: "noted",
    observed: `W₂ = ${errors.map((error) => rounded(Number(error.toPrecision(3)))).join(", ")} at ${
      columns.map((column) => {
        const steps = stepsFor(column, perStep);
        return `${steps} steps`;
      }).join(", ")
    }${match.length > 0 ? `, as published for ${match.map(({ scheme }) => scheme).join(", ")}` : ""}`,
    value: errors[0],
    source: `Pierret & Galerne 2025, Table 5, at ${columns.join(", ")}: ${table.join("; ")}`,
    detectable: "a unit in the second decimal of W₂",
  });
}
