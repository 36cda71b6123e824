/** Claims about Langevin dynamics in exact fields of the plane. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { toyDistribution, twoGaussians } from "../../../src/distributions/toys.ts";
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
import { energyDistance } from "../../../src/metrics/energy_distance.ts";
import { slicedWasserstein } from "../../../src/metrics/sliced_wasserstein.ts";
import { wilsonInterval } from "../../../src/metrics/wilson_interval.ts";
import { sample } from "../../../src/samplers/sample.ts";
import { scoped } from "../../instruments/tensor_scope.ts";
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

/** x + ε s + √(2ε) z in the field of a round Gaussian, in float64. */
function langevinStep(
  x: ArrayLike<number>,
  noise: ArrayLike<number>,
  { mean, variance, stepSize }: { mean: readonly number[]; variance: number; stepSize: number },
): number[] {
  return Array.from(
    x,
    (value, i) => value - stepSize * (value - mean[i % 2]) / variance + Math.sqrt(2 * stepSize) * noise[i],
  );
}

claim("a run of Langevin dynamics starts at N(0, 1.5²) and keeps snapshots and paths", async (check) => {
  const [mean, stepSize, steps] = [[0.5, -1], 0.05, 7];
  const gaussian = new Gaussian({ mean, variances: [0.25, 0.25] });
  const rng = createRng(check.seed);
  const options = { count: 5, steps, stepSize, rng };
  const all = await runLangevin(gaussian, { ...options, snapshots: 7, followed: 2 });
  const start = rng.fork("start").normalValues([5, 2]);
  const apart = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Math.max(Math.abs(a.length - b.length), ...Array.from(a, (value, i) => Math.abs(value - b[i])));
  const rounding = "float32";
  check.atMost("start", apart(all.states[0], start.map((z) => 1.5 * z)), 1e-6, rounding);
  const wide = await runLangevin(gaussian, { ...options, startStd: 3 });
  check.atMost("a start twice as wide", apart(wide.states[0], start.map((z) => 3 * z)), 1e-6, rounding);
  const noise = rng.fork("noise");
  const variance = 0.25 + 0.01 ** 2;
  for (let k = 0; k < steps; k++) {
    const z = await scoped(() => noise.normal([5, 2]).data());
    const next = langevinStep(all.states[k], z, { mean, variance, stepSize });
    check.atMost(`step ${k + 1}`, apart(all.states[k + 1], next), 1e-5, "x + ε s + √(2ε) z in float64");
  }
  for (const i of [0, 1]) {
    const path = all.states.flatMap((state) => [...state.subarray(2 * i, 2 * i + 2)]);
    check.equal(`path ${i}`, [...all.paths[i]], path, "the particle's state after every step");
  }
  check.equal("paths", all.paths.length, 2, "as asked for");
  check.equal(
    "paths of all",
    (await runLangevin(gaussian, { ...options, followed: 9 })).paths.length,
    5,
    "of 5",
  );
  check.equal("paths by default", wide.paths, [], "none");
  check.equal("snapshots by default", wide.steps, [0, 1, 2, 3, 4, 5, 6, 7], "ten, or every step");
  const three = await runLangevin(gaussian, { ...options, snapshots: 3 });
  check.equal("three snapshots", three.steps, [0, 3, 5, 7], "where k · 3/7 has a new whole part");
  check.equal("the second of them", [...three.states[1]], [...all.states[3]], "the state at its step");
  const line = await runLangevin(new Gaussian({ mean: [0], variances: [1] }), options);
  check.equal("on a line", line.states[0].length, 5, "[count, dimension]");
});

claim("a report on Langevin dynamics compares with true samples, and these with others", async (check) => {
  const mixture = toyDistribution("mixture") as GaussianMixture;
  const rng = createRng(check.seed);
  const options = { count: 30, steps: 4, stepSize: 0.0125, rng, snapshots: 2 };
  const report = await measureLangevin(mixture, options);
  const samples = async (label: string) => await scoped(() => mixture.sample(rng.fork(label), 30).data());
  const apart = (a: ArrayLike<number>, b: ArrayLike<number>) => ({
    energy: energyDistance(a, b, 2),
    sliced: slicedWasserstein(a, b, 2, 64, rng),
  });
  const { states, steps, paths } = await runLangevin(mixture, { ...options, followed: 5 });
  check.equal("run", report.run, { states, steps, paths }, "the same with five paths");
  const truth = await samples("truth");
  check.equal("truth", [...report.truth], [...truth], "samples of the mixture");
  const curve = states.map((state, i) => ({ step: steps[i], ...apart(state, truth) }));
  check.equal("curve", report.curve, curve, "every snapshot to the truth");
  check.equal("modes", report.modes, modeShares(mixture, states[2]), "of the last snapshot");
  const pairs = [];
  for (let i = 0; i < 6; i++) pairs.push(apart(await samples(`floor a ${i}`), await samples(`floor b ${i}`)));
  for (const key of ["energy", "sliced"] as const) {
    const values = pairs.map((pair) => pair[key]);
    const mean = values.reduce((a, b) => a + b) / 6;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 5;
    check.within(`${key}: floor`, report.floor.mean[key], mean, 1e-12, "the mean of six pairs of samples");
    check.within(`${key}: its deviation`, report.floor.std[key], Math.sqrt(variance), 1e-12, "n − 1");
  }
  const gaussian = new Gaussian({ mean: [0, 0], variances: [1, 1] });
  check.equal(
    "modes of one Gaussian",
    (await measureLangevin(gaussian, options)).modes,
    [],
    "there are none",
  );
  const shares = modeShares(mixture, Float32Array.from([-1, -1, 1, 1, 0.9, 1.1]));
  const wilson = [wilsonInterval(1, 3), wilsonInterval(2, 3)];
  check.equal(
    "shares of three points",
    shares,
    wilson.map((interval, i) => ({ ...interval, weight: mixture.weights[i] })),
    "Wilson's intervals",
  );
});

claim("samplers of separate modes are given about as many evaluations each", async (check) => {
  const rng = createRng(check.seed);
  for (const [steps, evaluations] of [[1, [1, 3, 2]], [16, [16, 17, 5]], [100, [100, 101, 26]]] as const) {
    const rows = await measureModes({ count: 3, steps, rng });
    check.equal(
      `${steps} steps`,
      rows.map((row) => row.evaluations),
      evaluations,
      "levels of √n/2 steps, n/4",
    );
  }
  const rows = await measureModes({ count: 20, steps: 16, weight: 0.7, separation: 5, rng });
  const mixture = twoGaussians({ weight: 0.7, separation: 5, std: 0.3 });
  const model = scoreModel(mixture, veSde({ sigmaMin: 0.05, sigmaMax: 10 }));
  const drawn = async (sampler: Sampler, steps: number, label: string) => {
    const states: number[][] = [];
    const options = { shape: [20, 2], grid: { kind: "uniform", steps }, rng: rng.fork(label) } as const;
    for await (const { x, done } of sample(model, sampler, options)) {
      states.push([...await x.data()]);
      if (done) x.dispose();
    }
    return states;
  };
  const plain = await runLangevin(mixture, {
    count: 20,
    steps: 16,
    stepSize: 0.05 * 0.09,
    rng: rng.fork("plain"),
    snapshots: 16,
  });
  const all = {
    "plain Langevin": plain.states.map((state) => [...state]),
    "annealed Langevin": await drawn(annealedLangevin({ steps: 8 }), 2, "annealed"),
    "reverse SDE": await drawn(eulerMaruyama(), 4, "reverse"),
  };
  check.equal("samplers", rows.map(({ sampler }) => sampler), Object.keys(all), "in this order");
  for (const { sampler, samples, paths, heavier } of rows) {
    const states = all[sampler as keyof typeof all];
    const last = states[states.length - 1];
    check.equal(`${sampler}: samples`, [...samples], last, "the sampler's own");
    check.equal(`${sampler}: paths`, paths.length, 8, "eight are followed");
    const path = (i: number) => states.flatMap((state) => state.slice(2 * i, 2 * i + 2));
    check.equal(`${sampler}: the last path`, [...paths[7]], path(7), "the sample after every step");
    const upper = Array.from({ length: 20 }, (_, i) => last[2 * i] + last[2 * i + 1] > -1e-9).filter(Boolean);
    const near = Math.abs(heavier.share - upper.length / 20);
    // Between equal modes the border is at 0; the heavier one's reaches a little beyond.
    check.atMost(`${sampler}: share`, near, 0.05, "the samples on its side, but for one between the modes");
  }
  const [first] = await measureModes({ count: 3, steps: 1, rng });
  check.equal("paths of three samples", first.paths.length, 3, "no more than there are");
});
