/** The distribution on data that are no Gaussian: mixture. @module */
import { gaussianOnLine, type LineMixture, type ProductData } from "./exact_model.ts";
import type { Examination } from "./examination.ts";
import { normalNumbers } from "./normal_numbers.ts";
import { normalCdf } from "../math/normal_distribution.ts";
import { property, type PropertyResult, rounded } from "./property.ts";

/** Two modes of different weight and width, which no Gaussian resembles. */
const mixture: LineMixture = { weights: [0.3, 0.7], means: [-1.5, 0.8], deviations: [0.3, 0.5] };

/** Rows of a run. One coordinate is the mixture; the others show that the model is not one Gaussian's. */
const ROWS = 8000;

const data: ProductData = [mixture, gaussianOnLine(0, 1), mixture];

/** P(x ≤ value) for x = x₀ + ν ε. */
function mixtureCdf(value: number, ratio: number): number {
  return mixture.weights.reduce(
    (sum, weight, k) =>
      sum + weight * normalCdf((value - mixture.means[k]) / Math.hypot(mixture.deviations[k], ratio)),
    0,
  );
}

/** The largest distance of the empirical distribution function from that of the mixture at a noise ratio. */
function kolmogorovDistance(values: Float64Array, ratio: number): number {
  const sorted = values.toSorted();
  let most = 0;
  sorted.forEach((value, i) => {
    const exact = mixtureCdf(value, ratio);
    most = Math.max(most, (i + 1) / sorted.length - exact, exact - i / sorted.length);
  });
  return most;
}

/** Starts from the exact law of the noisy mixture. */
function mixtureStart(exam: Examination): Float64Array<ArrayBuffer> | null {
  if (exam.description.start === "own") return null;
  const { tMax } = exam.sde;
  const [alpha, sigma] = [exam.sde.alpha(tMax), exam.sde.sigma(tMax)];
  const d = data.length;
  const noise = normalNumbers(ROWS * d, exam.seed, 21);
  const inside = normalNumbers(ROWS * d, exam.seed, 22);
  const choice = normalNumbers(ROWS * d, exam.seed, 23);
  return noise.map((z, i) => {
    const { weights, means, deviations } = data[i % d];
    const k = weights.length === 1 || normalCdf(choice[i]) < weights[0] ? 0 : 1;
    return alpha * (means[k] + deviations[k] * inside[i]) + sigma * z;
  });
}

/** What a sampler makes of the mixture. */
interface MixtureSamples {
  /** Samples y = x/α. */
  readonly values: Float64Array;
  /** σ/α of the noise that is left in them. */
  readonly ratio: number;
}

/** Samples of the mixture in a run of so many steps. */
export function mixtureSamples(exam: Examination, steps: number): Promise<MixtureSamples> {
  return exam.once(`mixture ${steps}`, async () => {
    const run = await exam.run({
      times: exam.times(steps),
      data,
      rows: ROWS,
      start: mixtureStart(exam),
      noise: (request) => normalNumbers(ROWS * data.length, exam.seed, 30_000 + request),
      seed: exam.seed,
      keep: false,
    });
    const { alpha, sigma } = run.endLevel;
    const values = new Float64Array(2 * ROWS);
    for (let row = 0; row < ROWS; row++) {
      values[2 * row] = run.end[row * data.length] / alpha;
      values[2 * row + 1] = run.end[row * data.length + 2] / alpha;
    }
    return { values, ratio: sigma / alpha };
  });
}

/** The density of x = x₀ + ν ε. */
export function mixtureDensity(value: number, ratio: number): number {
  return mixture.weights.reduce((sum, weight, k) => {
    const deviation = Math.hypot(mixture.deviations[k], ratio);
    const away = (value - mixture.means[k]) / deviation;
    return sum + weight * Math.exp(-away * away / 2) / (deviation * Math.sqrt(2 * Math.PI));
  }, 0);
}

/** Whether samples of a mixture with two modes have its distribution. */
export async function mixtureLaw(exam: Examination): Promise<PropertyResult> {
  const draws = 2 * ROWS;
  // Dvoretzky, Kiefer & Wolfowitz, with Massart's constant.
  const alarmRate = 1e-9;
  const chance = Math.sqrt(Math.log(2 / alarmRate) / (2 * draws));
  const base = await exam.baseSteps();
  const distances: number[] = [];
  for (const steps of [base, 2 * base, 4 * base]) {
    const { values, ratio } = await mixtureSamples(exam, steps);
    distances.push(kolmogorovDistance(values, ratio));
    if (distances[distances.length - 1] < 0.5 * chance) break;
  }
  const found = distances[distances.length - 1];
  const before = distances.at(-2) ?? found;
  // What steps of this length do falls by half at least with each doubling; what is left beyond it and chance is wrong.
  const discretization = Math.max(0, before - found);
  const bound = chance + 2 * discretization;
  const right = found <= bound;
  return property({
    verdict: right ? "holds" : "fails",
    observed: `a Kolmogorov distance of ${distances.map(rounded).join(", ")} at ${
      distances.map((_, i) => base * 2 ** i).join(", ")
    } steps`,
    value: found,
    bound: `${rounded(chance)} by chance${
      discretization > 0 ? `, and ${rounded(2 * discretization)} for what longer steps change` : ""
    }`,
    source:
      "the exact distribution function of 0.3 N(−1.5, 0.3²) + 0.7 N(0.8, 0.5²) with the noise of the end; Massart 1990",
    detectable: `a distance of ${rounded(2 * chance)}`,
    alarmRate,
    words: right
      ? ""
      : "samples of a mixture with two modes have another distribution, though runs of more steps do not change it",
  });
}
