/**
 * Every sampler's exact distribution on data of three modes, where scores are not linear: it reaches p_t at the sampler's order, at
 * the end and on the way. Deterministic: the distribution is carried through the sampler's own tensor code.
 * @module
 */
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { noiseRatio, type Sde } from "../../../src/diffusion/sde.ts";
import type { LineMark } from "../../../src/plots/marks.ts";
import { plot } from "../../../src/plots/plot.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { alongDistribution } from "../../problems/plane_mixture.ts";
import { differences, ownDistributions } from "../../instruments/sampler_distribution.ts";
import { type SamplerFacts, samplerFacts, unclaimed } from "../../problems/sampler_facts.ts";
import { allSdes } from "../../problems/sdes.ts";
import { scalarDistribution } from "../../reference/scalar_mixture.ts";
import { standardNormalCdf } from "../../instruments/statistics.ts";

/** Where these claims are examined, and what the report says of their pictures. */
export const area: Area = {
  webgpu: "thorough",
  plots: {
    title: "Error against steps, on data of three modes",
    text:
      "The largest distance between the sampler's own distribution, carried exactly through its steps, and the data's. The " +
      "dashed line has the slope of the order claimed; the numbers are the orders read off the last two points.",
  },
};

/** The fractions of the steps after which distributions are compared. */
const fractions = [1 / 4, 1 / 2, 3 / 4, 1];

/** P(X ≤ x) of the sampler's distribution less that of p_t, after each of these fractions, for a run that starts from p_T itself. */
async function distributionErrors(
  facts: SamplerFacts,
  sde: Sde,
  steps: number,
  particles = 160,
): Promise<Float64Array[]> {
  const times = timeGrid(sde, { kind: facts.grid, steps });
  const marginal = (t: number) => scalarDistribution(alongDistribution, noiseRatio(sde, t));
  const start = marginal(times[0]);
  const { states } = await ownDistributions(
    scoreModel(alongDistribution, sde),
    facts.stages(sde, steps),
    times,
    (score) => sde.alpha(times[0]) * start.quantile(standardNormalCdf(score)),
    particles,
  );
  return fractions.map((fraction) => {
    const k = Math.round(steps * fraction);
    const distribution = marginal(times[k]);
    return differences(states[k], (x) => distribution.cdf(x / sde.alpha(times[k])));
  });
}

function largest(values: Float64Array): number {
  return values.reduce((sup, value) => Math.max(sup, Math.abs(value)), 0);
}

claim("every registered sampler has a row in the table of facts", (check) => {
  check.equal("samplers without facts", unclaimed, [], "verify/problems/sampler_facts.ts has a row for each");
});

/** Below this, float32 states decide the error. */
const floor = 1e-6;

for (const facts of samplerFacts) {
  const { name, order } = facts;
  // Samplers without an order, adaptive ones among them, are held to distributions of their own elsewhere.
  if (order === null || !facts.carried) continue;
  claim(
    `${name} draws three modes with an error of the order that its row states, at the end and on the way`,
    async (check) => {
      const steps = facts.counts;
      const curves: LineMark[] = [];
      for (const sde of allSdes) {
        const { kind } = sde.config;
        const runs: Float64Array[][] = [];
        for (const count of steps) runs.push(await distributionErrors(facts, sde, count));
        for (const [i, fraction] of fractions.entries()) {
          const [coarse, fine] = [largest(runs[1][i]), largest(runs[2][i])];
          const where = fraction === 1 ? "at the end" : `after ${fraction} of the steps`;
          if (fine <= floor) {
            check.atMost(
              `${kind}, ${where}: error of the distribution`,
              fine,
              floor,
              "rounding of float32 states",
            );
            continue;
          }
          check.within(
            `${kind}, ${where}: order from ${steps[1]} to ${steps[2]} steps`,
            Math.log2(coarse / fine),
            order,
            0.5,
            "the nearest whole number is the order; the error is sup|F − F_t| of exact distributions",
            // What stays when the steps vanish would lower the order.
            {
              detectable: `a distribution that stays ${
                ((2 ** 0.5 - 1) * 2 ** -order * coarse).toExponential(1)
              } away`,
            },
          );
        }
        const ends = runs.map((errors) => largest(errors[3]));
        const label = `${kind}: ${Math.log2(ends[1] / ends[2]).toFixed(2)}`;
        curves.push({ kind: "line", label, x: steps, y: ends, dots: true });
      }
      const anchor = curves[0].y[0];
      curves.push({
        kind: "line",
        label: `order ${order}`,
        x: steps,
        y: steps.map((count) => anchor * (steps[0] / count) ** order),
        dashed: true,
      });
      check.plot(
        `${name}: distance of its distribution from the data's`,
        plot(curves, {
          title: `${name} (${facts.grid} grid)`,
          x: { label: "steps", scale: "log" },
          y: { label: "sup |F − F_exact|", scale: "log" },
        }),
      );
    },
  );
}
