/** Claims about animations of densities. @module */
import { createRng, type Rng } from "../../../src/compute/rng.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { densityAnimation } from "../../../src/experiments/density_animation.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { type Sde, veSde, vpSde } from "../../../src/diffusion/sde.ts";
import { toyDistribution } from "../../../src/distributions/toys.ts";
import { eulerMaruyama } from "../../../src/samplers/euler_maruyama.ts";
import { odeRk4 } from "../../../src/samplers/ode_rk4.ts";
import { sample } from "../../../src/samplers/sample.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import { scoped } from "../../instruments/tensor_scope.ts";
import { claim } from "../../suite/claim.ts";
import { checkMean, checkVariance } from "../../instruments/statistics.ts";

claim(
  "a density animation shows the forward distribution, the prior and the flow of a Gaussian",
  async (check) => {
    const distribution = GaussianMixture.from({
      weights: [1],
      means: [[0.5, -0.5]],
      covariances: [[[0.5, 0], [0, 0.5]]],
    });
    const [sde, moments, count] = [vpSde(), 5, 2000];
    const options = { moments, count, rng: createRng(check.seed) };
    const { times, forward, reverse, flow } = await densityAnimation(distribution, options);
    check.equal(
      "times",
      [times.length, times[0], times[moments - 1]],
      [moments, sde.tMin, sde.tMax],
      "increasing",
    );
    const moment = (state: Float32Array, centre: number) =>
      state.reduce((sum, value, i) => sum + (i % 2 === 0 ? (value - centre) ** 2 : 0), 0) / count;
    times.forEach((t, k) => {
      const expected = sde.alpha(t) ** 2 * 0.5 + sde.sigma(t) ** 2;
      checkVariance(
        check,
        `forward at ${t.toFixed(3)}`,
        moment(forward[k], 0.5 * sde.alpha(t)),
        expected,
        count,
        "α²C + σ²",
      );
    });
    checkVariance(check, "reverse at the prior", moment(reverse[moments - 1], 0), 1, count, "N(0, 1)");
    // Euler–Maruyama on a Gaussian: x_s = x − h (f x + g² (x − α m)/C) + g √h z, whose moments follow step by step.
    let [mean, variance] = [0, 1];
    const fine = timeGrid(sde, { kind: "quadratic", steps: 32 });
    for (let k = 0; k < 32; k++) {
      const [t, h] = [fine[k], fine[k] - fine[k + 1]];
      const pull = h * sde.diffusionCoefficient(t) ** 2 / (sde.alpha(t) ** 2 * 0.5 + sde.sigma(t) ** 2);
      const gain = 1 - h * sde.driftCoefficient(t) - pull;
      mean = gain * mean + pull * sde.alpha(t) * 0.5;
      variance = gain ** 2 * variance + h * sde.diffusionCoefficient(t) ** 2;
    }
    const source = "Euler–Maruyama's moments on a Gaussian, 32 steps in float64";
    checkVariance(check, "reverse at the data: variance", moment(reverse[0], mean), variance, count, source);
    const first = reverse[0].reduce((sum, value, i) => sum + (i % 2 === 0 ? value : 0), 0) / count;
    checkMean(check, "reverse at the data: mean", first, mean, Math.sqrt(variance), count, source);
    const spread = (t: number) => Math.sqrt(sde.alpha(t) ** 2 * 0.5 + sde.sigma(t) ** 2);
    const worst = Math.max(...flow.map((path) => {
      const [start, end] = [path[2 * moments - 2], path[0]];
      const expected = 0.5 * sde.alpha(times[0]) +
        spread(times[0]) / spread(1) * (start - 0.5 * sde.alpha(1));
      return Math.abs(end - expected);
    }));
    check.atMost(
      "flow from noise to data",
      worst,
      2e-3,
      "x_s = μ_s + √(C_s/C_t)(x_t − μ_t); RK4 at 32 steps",
    );
    const again = await densityAnimation(distribution, options);
    check.equal("again", String(again.reverse[0]) === String(reverse[0]), true, "the same generator");
  },
);

claim("a density animation keeps every eighth state of the samplers and of a diffusion", async (check) => {
  const distribution = toyDistribution("moons");
  const [moments, count] = [3, 4];
  const keep = async (sde: Sde, sampler: Sampler, rows: number, rng: Rng) => {
    const grid = timeGrid(sde, { kind: "quadratic", steps: 16 });
    const states: number[][] = [];
    const options = { shape: [rows, 2], grid, rng, denoise: false };
    for await (const { x, step, done } of sample(scoreModel(distribution, sde), sampler, options)) {
      if (step % 8 === 0) states.push([...await x.data()]);
      if (done) x.dispose();
    }
    return { states: states.reverse(), times: [grid[16], grid[8], grid[0]] };
  };
  for (
    const [what, given, sde] of [["by default", {}, vpSde()], ["ve", { sde: veSde() }, veSde()]] as const
  ) {
    const rng = createRng(check.seed);
    const before = tf.memory().numTensors;
    const drawn = await densityAnimation(distribution, { moments, count, rng, ...given });
    check.equal(`${what}: tensors left`, tf.memory().numTensors - before, 0, "numbers alone are returned");
    const { states, times } = await keep(sde, eulerMaruyama(), count, rng.fork("reverse"));
    check.equal(`${what}: times`, [...drawn.times], times, "every eighth of 16 quadratic steps");
    check.equal(`${what}: reverse`, drawn.reverse.map((x) => [...x]), states, "Euler–Maruyama's states");
    const flow = (await keep(sde, odeRk4(), 40, rng.fork("flow"))).states;
    const paths = Array.from({ length: 40 }, (_, i) => flow.flatMap((x) => x.slice(2 * i, 2 * i + 2)));
    check.equal(`${what}: flow`, drawn.flow.map((x) => [...x]), paths, "40 paths by Runge–Kutta 4");
    const [data, noise] = [rng.fork("forward").fork("data"), rng.fork("forward").fork("noise")];
    let x = await scoped(() => distribution.sample(data, count).data());
    let [alpha, sigma] = [1, 0];
    for (const [k, time] of times.entries()) {
      const z = await scoped(() => noise.normal([count, 2]).data());
      const scale = sde.alpha(time) / alpha;
      const std = Math.sqrt(sde.sigma(time) ** 2 - (scale * sigma) ** 2);
      const next = Array.from(x, (value, i) => scale * value + std * z[i]);
      const worst = Math.max(...next.map((value, i) => Math.abs(value - drawn.forward[k][i])));
      const largest = Math.max(...next.map(Math.abs));
      check.atMost(
        `${what}: forward at ${time.toFixed(3)}`,
        worst / largest,
        1e-6,
        "x_t = αₜ/αₛ xₛ + … z, float32",
      );
      [x, alpha, sigma] = [drawn.forward[k], sde.alpha(time), sde.sigma(time)];
    }
  }
});
