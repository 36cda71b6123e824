/**
 * What every sampler draws with real random numbers, against its own exact distribution: so chance is the only allowance. The data
 * are three modes on a line and a Gaussian across it, turned in the plane, and the run ends with the public denoising.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import type { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { histogram } from "../../../src/plots/marks.ts";
import { plot } from "../../../src/plots/plot.ts";
import { drawSamples, sample } from "../../../src/samplers/sample.ts";
import type { Sde } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { type Area, type Check, claim } from "../../suite/claim.ts";
import { impulseResponse, outputMean, outputVariance } from "../../instruments/impulse_response.ts";
import {
  acrossDistribution,
  alongDistribution,
  planeDistribution,
  projected,
  valleys,
} from "../../problems/plane_mixture.ts";
import {
  distributionFunction,
  distributionOfSum,
  ownDistributions,
  type ParticleDistribution,
  type RankedDistribution,
} from "../../instruments/sampler_distribution.ts";
import { type SamplerFacts, samplerFacts } from "../../problems/sampler_facts.ts";
import { allSdes } from "../../problems/sdes.ts";
import { scalarDistribution } from "../../reference/scalar_mixture.ts";
import {
  alarmRate,
  checkProportion,
  checkUniform,
  detectableDistance,
  dkwDistance,
  standardNormalCdf,
  uniformDistance,
} from "../../instruments/statistics.ts";

/** Where these claims are examined, and what the report says of their pictures. */
export const area: Area = {
  webgpu: "thorough",
  plots: {
    title: "What samplers draw with few steps",
    text:
      "A histogram of 200,000 draws (50,000 where the sampler adds no noise), the sampler's own exact distribution, which the draws must follow, and the data's distribution, which " +
      "so few steps do not reach.",
  },
};

/** How many draws: fewer of a sampler without noise, whose map the mixture claims know point by point. */
const countOf = ({ stochastic }: SamplerFacts) => stochastic ? 200_000 : 50_000;
/** How many of them are looked at in every direction, which takes a sort each. */
const projectedCount = 50_000;
const quarterTurn = Math.PI / 2;
const turns = Array.from({ length: 32 }, (_, i) => Math.PI * (i + 0.5) / 32);

for (const [i, facts] of samplerFacts.entries()) {
  if (facts.name === "ode-dopri5" || !facts.carried || !facts.drawn) continue; // the former's map is known rank by rank
  claim(`samples by ${facts.name} have its exact distribution in every direction`, async (check) => {
    // One SDE each in a usual run, all of them in turn.
    for (const sde of check.thorough ? allSdes : [allSdes[i % allSdes.length]]) {
      await checkDraws(check, facts, sde);
    }
  });
}

/** Data that every sampler's distribution is known for: two independent Gaussians. */
const gaussian = new Gaussian({ mean: [0.7, -0.3], variances: [0.25, 0.16] });

for (const [i, facts] of samplerFacts.filter(({ carried, drawn }) => !carried && drawn).entries()) {
  claim(
    `samples of a Gaussian by ${facts.name} have its exact distribution in every direction`,
    async (check) => {
      for (const sde of check.thorough ? allSdes : [allSdes[i % allSdes.length]]) {
        const model = scoreModel(gaussian, sde);
        const grid = timeGrid(sde, { kind: facts.grid, steps: facts.drawSteps });
        const sampler = () => facts.sampler(sde, facts.drawSteps);
        const distribution = await impulseResponse(model, sampler(), { grid, dimension: 2 });
        const rng = createRng(check.seed).fork(`gaussian ${facts.name} ${sde.config.kind}`);
        const x = await drawSamples(model, sampler(), { shape: [projectedCount, 2], grid, rng });
        const rows = await x.data();
        x.dispose();
        const distances = turns.map((turn) => {
          const [a, b] = [Math.cos(turn), Math.sin(turn)];
          const mean = a * outputMean(distribution, 0, 0) + b * outputMean(distribution, 0, 1);
          const start = sde.priorStd ** 2;
          const std = Math.sqrt(
            a * a * outputVariance(distribution, start, 0) + b * b * outputVariance(distribution, start, 1),
          );
          return uniformDistance(Float64Array.from(
            { length: projectedCount },
            (_, row) => standardNormalCdf((a * rows[2 * row] + b * rows[2 * row + 1] - mean) / std),
          ));
        });
        checkDistances(check, sde.config.kind, distances, "the impulse response of the sampler's own steps");
      }
    },
  );
}

async function checkDraws(check: Check, facts: SamplerFacts, sde: Sde): Promise<void> {
  const steps = facts.drawSteps;
  const count = countOf(facts);
  const times = timeGrid(sde, { kind: facts.grid, steps });
  const carried = (data: GaussianMixture, particles: number) =>
    ownDistributions(scoreModel(data, sde), facts.stages(sde, steps), times, undefined, particles);
  const along = await carried(alongDistribution, facts.particles);
  const across = await carried(acrossDistribution, 240);
  const rng = createRng(check.seed).fork(`${facts.name} ${sde.config.kind}`);
  const run = { shape: [count, 2], grid: times, rng };
  for await (
    const { x, step, done } of sample(scoreModel(planeDistribution, sde), facts.sampler(sde, steps), run)
  ) {
    if (!done && (step === 0 || step % (steps / 4) !== 0)) continue;
    const rows = await x.data() as Float32Array;
    if (done) x.dispose();
    const [u, v] = [projected(rows, 0), projected(rows, quarterTurn)];
    const where = `${sde.config.kind}, ${done ? "at the end, denoised" : `after ${step} of ${steps} steps`}`;
    const distributions = done
      ? [along.denoised, across.denoised]
      : [along.states[step], across.states[step]];
    const source = "the sampler's distribution, carried through its steps in one dimension";
    checkUniform(check, `${where}: ranks along the modes`, ranks(u, distributions[0]), source);
    checkUniform(check, `${where}: ranks across them`, ranks(v, distributions[1]), source);
    if (!done) continue;
    checkModes(check, sde.config.kind, u, distributions[0]);
    checkProjections(check, sde.config.kind, rows, distributions[0], distributions[1]);
    check.plot(
      `${facts.name} under ${sde.config.kind}, along the modes`,
      densityPlot(`${facts.name}, ${sde.config.kind}, ${steps} steps`, u, distributions[0]),
    );
  }
}

/** The probabilities of values under their distribution: uniform if it is theirs (Rosenblatt 1952). */
function ranks(values: Float64Array, distribution: RankedDistribution): Float64Array {
  return values.map((value) => distributionFunction(distribution, value));
}

function checkModes(
  check: Check,
  kind: string,
  values: Float64Array,
  distribution: RankedDistribution,
): void {
  const edges = [-Infinity, ...valleys, Infinity];
  const below = (x: number) =>
    x === -Infinity ? 0 : x === Infinity ? 1 : distributionFunction(distribution, x);
  for (let k = 0; k + 1 < edges.length; k++) {
    const inside = values.reduce((n, x) => n + Number(x > edges[k] && x <= edges[k + 1]), 0);
    const probability = below(edges[k + 1]) - below(edges[k]);
    const count = values.length;
    checkProportion(
      check,
      `${kind}, weight of mode ${k + 1}`,
      inside,
      count,
      probability,
      "the sampler's distribution",
    );
  }
}

/** Along a direction the draws are a sum of both axes' coordinates, which are independent. */
function checkProjections(
  check: Check,
  kind: string,
  rows: Float32Array,
  along: ParticleDistribution,
  across: ParticleDistribution,
): void {
  const distances = turns.map((turn) => {
    const distribution = distributionOfSum(Math.cos(turn), along, Math.sin(turn), across);
    return uniformDistance(ranks(projected(rows.subarray(0, 2 * projectedCount), turn), distribution));
  });
  checkDistances(check, kind, distances, "the sampler's distribution on each axis, convolved");
}

/** The largest distance of draws, projected in each direction, from their distribution there. */
function checkDistances(
  check: Check,
  kind: string,
  distances: readonly number[],
  distribution: string,
): void {
  const bound = dkwDistance(projectedCount, alarmRate / turns.length);
  check.atMost(
    `${kind}, ${turns.length} projections: largest distance from their distributions`,
    Math.max(...distances),
    bound,
    `${distribution}; Dvoretzky–Kiefer–Wolfowitz over ${projectedCount} values, ${turns.length} times`,
    {
      alarmRate,
      detectable: `distribution functions ${detectableDistance(bound, projectedCount).toFixed(4)} apart`,
    },
  );
}

function densityPlot(title: string, values: Float64Array, own: RankedDistribution): string {
  const range = [-1.9, 1.7] as const;
  const x = Float64Array.from({ length: 181 }, (_, i) => range[0] + (range[1] - range[0]) * i / 180);
  const data = scalarDistribution(alongDistribution, 0);
  const density = (cdf: (x: number) => number) => x.map((at) => (cdf(at + 0.01) - cdf(at - 0.01)) / 0.02);
  return plot([
    histogram(values, { bins: 90, range, label: "drawn" }),
    { kind: "line", x, y: density((at) => distributionFunction(own, at)), label: "own distribution" },
    { kind: "line", x, y: density(data.cdf), label: "data", dashed: true },
  ], { title, x: { label: "along the modes" }, y: { label: "density" } });
}
