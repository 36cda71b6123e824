/** Claims about Langevin dynamics in exact fields of the plane. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { toyDistribution } from "../../../src/distributions/toys.ts";
import {
  LOWEST_NOISE,
  measureLangevin,
  modeShares,
  runLangevin,
} from "../../../src/experiments/exact_langevin.ts";
import { measureModes, separatedModes } from "../../../src/experiments/mode_proportions.ts";
import { annealedLangevin } from "../../../src/samplers/annealed_langevin.ts";
import { eulerMaruyama } from "../../../src/samplers/euler_maruyama.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { distributionFunction, ownDistributions } from "../../instruments/sampler_distribution.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { veSde } from "../../../src/diffusion/sde.ts";
import { claim } from "../../suite/claim.ts";
import {
  alarmRate,
  binomialInterval,
  checkMean,
  checkProportion,
  checkVariance,
} from "../../instruments/statistics.ts";

claim(
  "Langevin dynamics in an exact field draws the distribution that its step size gives",
  async (check) => {
    const gaussian = new Gaussian({ mean: [0.5, -1], variances: [0.25, 0.25] });
    const [count, stepSize] = [4000, 0.05];
    // A step multiplies the offset by a = 1 − ε/C and adds 2ε: after many, 2ε/(1 − a²) = C/(1 − ε/2C).
    const variance = 0.25 + LOWEST_NOISE ** 2;
    const rng = createRng(check.seed);
    const run = await runLangevin(gaussian, { count, steps: 60, stepSize, rng, snapshots: 3, followed: 2 });
    check.equal("snapshots", run.steps, [0, 20, 40, 60], "evenly");
    const x = run.states[3];
    for (const i of [0, 1]) {
      const values = Float64Array.from({ length: count }, (_, k) => x[2 * k + i]);
      const expected = variance / (1 - stepSize / (2 * variance));
      const squares = values.reduce((sum, value) => sum + (value - gaussian.mean[i]) ** 2, 0) / count;
      checkVariance(check, `coordinate ${i}`, squares, expected, count, "C/(1 − ε/2C), exact");
      const mean = values.reduce((sum, value) => sum + value, 0) / count;
      checkMean(
        check,
        `coordinate ${i}: mean`,
        mean,
        gaussian.mean[i],
        Math.sqrt(expected),
        count,
        "N(μ, ·)",
      );
    }
    check.equal(
      "a path ends at its particle",
      [...run.paths[1].slice(-2)],
      [...x.slice(2, 4)],
      "the same state",
    );
    const again = await runLangevin(gaussian, { count: 10, steps: 60, stepSize, rng, snapshots: 3 });
    check.equal(
      "fewer particles, the same ones",
      [...again.states[3]],
      [...x.slice(0, 20)],
      "rows are apart",
    );
  },
);

claim("distances to true samples fall to those between two sets of true samples", async (check) => {
  const mixture = toyDistribution("mixture") as GaussianMixture;
  const options = { count: 500, steps: 300, stepSize: 0.0125, rng: createRng(check.seed), snapshots: 3 };
  const { curve, modes, truth, run } = await measureLangevin(mixture, options);
  const [start, end] = [curve[0], curve[curve.length - 1]];
  // Most of what chance does is to the share of a mode: Δp of two samples, six standard deviations, moved by the modes' distance.
  const share = 6.1 ** 2 * 2 * 0.2 * 0.8 / options.count;
  const bound = 1.1 * 2 * share * Math.hypot(2, 2);
  const source =
    "2 Δp² |μ_1 − μ_2| for two shares that differ by six standard deviations, and a tenth for what else differs, which is of order 1/n";
  check.atMost("energy at the end", end.energy, bound, source, { alarmRate });
  check.atLeast("energy at the start", start.energy, bound, "a distribution of another shape");
  check.within("shares of modes", modes.reduce((sum, { share }) => sum + share, 0), 1, 1e-12, "each has one");
  check.equal("weights", modes.map(({ weight }) => weight.toFixed(3)), ["0.200", "0.800"], "the mixture's");
  check.equal("sizes", [truth.length, run.states[3].length], [1000, 1000], "[count, 2]");
  const shares = modeShares(mixture, Float32Array.from([-1, -1, 1, 1, 0.9, 1.1]));
  check.equal("two of three", shares.map(({ share }) => share.toFixed(2)), ["0.33", "0.67"], "by eye");
});

claim(
  "plain Langevin dynamics gets the proportions of modes wrong; annealed and the reverse SDE get them right",
  async (check) => {
    const [count, weight] = [1000, 0.8];
    const rows = await measureModes({
      count,
      steps: 400,
      weight,
      separation: 12,
      rng: createRng(check.seed),
    });
    const [plain, annealed, reverse] = rows.map(({ heavier }) => Math.round(heavier.share * count));
    const { least } = binomialInterval(count, weight, alarmRate);
    check.atMost(
      "plain Langevin: samples in the heavier mode",
      plain,
      least - 1,
      `below what 0.8 of ${count} gives but for ${alarmRate}: it keeps its start's half`,
      { alarmRate, detectable: "a sampler that crosses between the modes" },
    );
    // Both modes lie on the diagonal and are round: along it the score is that of a mixture on a line.
    const line = scoreModel(
      GaussianMixture.from({
        weights: [1 - weight, weight],
        means: [[-1.8], [1.8]],
        covariances: [[[0.09]], [[0.09]]],
      }),
      veSde({ sigmaMin: 0.05, sigmaMax: 10 }),
    );
    const own = async (stages: Sampler[], steps: number) => {
      const { denoised } = await ownDistributions(
        line,
        stages,
        timeGrid(line.sde, { kind: "uniform", steps }),
        undefined,
        120,
      );
      return 1 - distributionFunction(denoised, 0);
    };
    const stages = Array.from({ length: 40 }, () => annealedLangevin({ steps: 1 }));
    const distributions = [["annealed Langevin", annealed, await own(stages, 10)], [
      "reverse SDE",
      reverse,
      await own([eulerMaruyama()], 100),
    ]] as const;
    for (const [name, drawn, share] of distributions) {
      checkProportion(
        check,
        name,
        drawn,
        count,
        share,
        "the sampler's own distribution, carried through its steps on a line",
      );
      check.within(
        `${name}: the weight in its own distribution`,
        share,
        weight,
        (weight - 0.5) / 8,
        "an eighth of what plain Langevin is wrong by; Song & Ermon 2019, Section 4.2; no chance in it",
      );
    }
    for (const { sampler, samples, paths, heavier } of rows) {
      check.equal(`${sampler}: samples`, samples.length, 2 * count, "[count, 2]");
      const end = paths[0].slice(-2);
      check.equal(
        `${sampler}: a path ends at its sample`,
        [...end],
        [...samples.slice(0, 2)],
        "the same point",
      );
      const far = samples.filter((x, i) => i % 2 === 0 && Math.abs(Math.abs(x) - 1.27) > 1.5).length;
      check.atMost(
        `${sampler}: samples more than five deviations from both modes`,
        far,
        3,
        "it converged in each mode; a normal variable is there with probability 5.7e-7, one a tenth wider with 5.4e-6, so four " +
          "of a thousand are with (5.4e-3)⁴/4! at most",
        { alarmRate: 4e-11, detectable: "two in a hundred between or beyond the modes" },
      );
      check.holds(
        `${sampler}: interval`,
        heavier.low < heavier.share && heavier.share < heavier.high,
        "Wilson",
      );
    }
    check.equal(
      "weights",
      [...separatedModes().weights].map((w) => w.toFixed(2)),
      ["0.20", "0.80"],
      "defaults",
    );
  },
);
