/** Claims about twisted sequential Monte Carlo: exact in the limit of particles, on a mixture, whatever it is twisted by. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { linearObservation } from "../../../src/conditioning/observation.ts";
import { maskOperator, projectionOperator } from "../../../src/conditioning/operators.ts";
import { resampled, shuffled } from "../../../src/conditioning/populations.ts";
import { twistedSampler } from "../../../src/conditioning/twisted.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { ownDistributions } from "../../instruments/sampler_distribution.ts";
import { alarmRate, chiSquareInterval, standardNormalQuantile } from "../../instruments/statistics.ts";
import { alongDistribution, valleys } from "../../problems/plane_mixture.ts";
import { gentleVp, mixture, settings } from "../../problems/short_runs.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const [seen, noiseStd] = [0.5, 0.6];

/** What is averaged over a population: whether a number is in the last mode, and the number. */
const quantities: Record<string, (x: number) => number> = {
  "weight of the last mode": (x) => Number(x > valleys[1]),
  "mean": (x) => x,
};

claim(
  "twisted sampling is exact in the limit of particles: its error on a mixture falls as 1/√K",
  async (check) => {
    const steps = 32;
    const populations = 256;
    const y = tf.tensor2d([[seen]]);
    const observation = await linearObservation(maskOperator([1], [1]), y, noiseStd);
    const rows: string[][] = [];
    // The time ends where noise is left (ν = .4), so that the denoised x_0 and its likelihood differ from the last twisting function's.
    for (const sde of [vpSde({ tMin: 0.12 })]) {
      const times = timeGrid(sde, { kind: "log-snr", steps });
      const model = scoreModel(alongDistribution, sde);
      // The posterior when x_0 is drawn by the same ancestral steps: their own distribution, weighted by the likelihood.
      const { denoised: { points, weights } } = await ownDistributions(model, [ddim({ eta: 1 })], times);
      const likelihood = points.map((x, i) => weights[i] * Math.exp(-0.5 * ((seen - x) / noiseStd) ** 2));
      const total = likelihood.reduce((sum, value) => sum + value);
      const truth = (h: (x: number) => number) =>
        points.reduce((sum, x, i) => sum + likelihood[i] * h(x), 0) / total;
      /** Errors of a quantity's averages, one a population. */
      const errors: Record<number, Record<string, Float64Array>> = {};
      for (const particles of [1, 16, 256]) {
        // The twisting function takes the data for one Gaussian: only the weights make up for that.
        const sampler = twistedSampler(observation, { particles });
        const rng = createRng(check.seed).fork(`${sde.config.kind} ${particles}`);
        const x = await drawSamples(model, sampler, {
          shape: [populations * particles, 1],
          grid: times,
          rng,
        });
        const values = await x.data();
        x.dispose();
        errors[particles] = Object.fromEntries(
          Object.entries(quantities).map(([name, h]) => {
            const exact = truth(h);
            return [
              name,
              Float64Array.from({ length: populations }, (_, population) => {
                let sum = 0;
                for (let i = 0; i < particles; i++) sum += h(values[population * particles + i]);
                return sum / particles - exact;
              }),
            ];
          }),
        );
      }
      for (const name of Object.keys(quantities)) {
        const squares = (particles: number) =>
          errors[particles][name].reduce((sum, error) => sum + error ** 2, 0) / populations;
        const where = `${sde.config.kind}, ${name}`;
        const bias = (particles: number) =>
          errors[particles][name].reduce((sum, error) => sum + error, 0) / populations;
        rows.push([
          where,
          truth(quantities[name]).toFixed(4),
          ...[1, 16, 256].map((particles) => Math.sqrt(squares(particles)).toFixed(4)),
          ...[1, 16, 256].map((particles) => bias(particles).toFixed(4)),
        ]);
        // Each mean square is χ² of as many degrees as there are populations, but for terms of order 1/K.
        const { low, high } = chiSquareInterval(populations, alarmRate / 2);
        const fall = squares(16) / squares(256);
        const source =
          "16 by 1/√K; χ² of 256 populations above and below, and half as much for terms of order 1/K";
        check.atLeast(
          `${where}: mean square error of 16 particles over that of 256`,
          fall,
          16 * low / high / 1.5,
          source,
          {
            alarmRate,
          },
        );
        check.atMost(`${where}: the same`, fall, 16 * high / low * 1.5, source, { alarmRate });
        const deviation = standardNormalQuantile(1 - alarmRate / 2) * Math.sqrt(squares(256) / populations);
        check.within(
          `${where}: mean over all populations of 256`,
          bias(256),
          0,
          deviation + 0.25 / 256,
          "unbiased but for order 1/K; z over 256 populations",
          {
            alarmRate,
            detectable: "a weight without one of its factors",
          },
        );
      }
    }
    check.table(
      "Three modes on a line, seen with noise .6: root mean square errors of averages over K particles, and their means",
      ["", "truth", "K = 1", "K = 16", "K = 256", "mean, 1", "mean, 16", "mean, 256"],
      rows,
    );
    y.dispose();
  },
);

claim(
  "systematic resampling gives K w offspring, rounded, to a particle, and leaves even weights alone",
  (check) => {
    const logWeights = Float64Array.of(...[0.1, 0.2, 0.3, 0.4].map(Math.log), ...[7, 7, 7, 7], ...[
      0,
      -Infinity,
      -Infinity,
      -Infinity,
    ]);
    for (const u of [0.01, 0.3, 0.6, 0.99]) {
      const { ancestors, logWeights: after } = resampled(logWeights, 4, new Float64Array(12).fill(u), 4);
      const offspring = [0, 1, 2, 3].map((i) => ancestors.subarray(0, 4).filter((a) => a === i).length);
      offspring.forEach((count, i) =>
        check.holds(
          `u = ${u}: offspring of particle ${i + 1}: ${count}`,
          Math.abs(count - 4 * (i + 1) / 10) < 1,
          "Kitagawa 1996",
        )
      );
      check.equal(
        `u = ${u}: even weights`,
        Array.from(ancestors.subarray(4, 8)),
        [4, 5, 6, 7],
        "no population is worse off",
      );
      check.equal(
        `u = ${u}: one of weight`,
        Array.from(ancestors.subarray(8)),
        [8, 8, 8, 8],
        "all descend from it",
      );
      check.equal(
        `u = ${u}: weights`,
        Array.from(after),
        [0, 0, 0, 0, 7, 7, 7, 7, 0, 0, 0, 0],
        "1 after a resampling",
      );
    }
    const mean = [0, 0, 0, 0];
    const count = 1000;
    for (let k = 0; k < count; k++) {
      const { ancestors } = resampled(
        logWeights.slice(0, 4),
        4,
        new Float64Array(4).fill((k + 0.5) / count),
        4,
      );
      for (const a of ancestors) mean[a] += 1 / count;
    }
    mean.forEach((offspring, i) =>
      check.within(`mean offspring of ${i + 1}`, offspring, 0.4 * (i + 1), 2e-3, "K w, over even uniforms")
    );
    const uneven = logWeights.slice(0, 4);
    const both = resampled(
      Float64Array.of(...uneven, ...uneven),
      4,
      Float64Array.of(0.01, 0.5, 0.5, 0.5, 0.99, 0.5, 0.5, 0.5),
      4,
    ).ancestors;
    const alone = (u: number) => resampled(uneven, 4, new Float64Array(4).fill(u), 4).ancestors;
    check.equal(
      "two populations",
      Array.from(both),
      [...alone(0.01), ...alone(0.99).map((row) => row + 4)],
      "each by its own uniform number",
    );
    check.holds("their offspring differ", String(alone(0.01)) !== String(alone(0.99)), "by the numbers");
    const order = shuffled(4, Float64Array.of(0.3, 0.1, 0.2, 0.9, 0.4, 0.3, 0.2, 0.1));
    check.equal(
      "an order",
      Array.from(order),
      [1, 2, 0, 3, 7, 6, 5, 4],
      "by the uniforms, each population by itself",
    );
  },
);

claim(
  "populations do not influence each other, leak no tensors, and refuse what cannot be",
  async (check) => {
    const model = scoreModel(mixture, gentleVp);
    const values = tf.tensor2d([[0.4, -0.3]]);
    const observation = await linearObservation(
      projectionOperator([3], [[1, 1, 0], [0, 1, -1]]),
      values,
      0.2,
    );
    const draw = async (
      particles: number,
      first: number,
      count: number,
      of = observation,
      denoise = true,
    ) => {
      const options = {
        shape: [count, 3],
        grid: settings("ddim").grid,
        rng: createRng(17).startingAt(first),
        denoise,
      };
      const x = await drawSamples(model, twistedSampler(of, { particles }), options);
      const values = Array.from(await x.data());
      x.dispose();
      return values;
    };
    const before = tf.memory().numTensors;
    const together = await draw(4, 0, 12);
    check.equal("tensors left", tf.memory().numTensors - before, 0, "none is the run's");
    const apart = [...await draw(4, 0, 4), ...await draw(4, 4, 8)];
    check.equal("12 = 4 + 8", apart, together, "bit for bit: a population's arithmetic is its own");
    check.holds(
      "as it stands",
      (await draw(4, 0, 4, observation, false)).every(Number.isFinite),
      "without a denoising the last ψ stays",
    );
    const nothing = await linearObservation(maskOperator([3], [0, 0, 0]), tf.zeros([1, 0]));
    const plain = await drawSamples(model, ddim({ eta: 1 }), {
      shape: [1, 3],
      grid: settings("ddim").grid,
      rng: createRng(17),
    });
    const unseen = await draw(1, 0, 1, nothing);
    const furthest = Math.max(...Array.from(await plain.data(), (value, i) => Math.abs(value - unseen[i])));
    check.atMost("nothing seen, one particle", furthest, 2e-6, "ancestral sampling; float32");
    await check.throws(
      "ten rows of four",
      () => draw(4, 0, 10),
      /rows must be a multiple of the 4 particles of a population, got 10$/,
    );
    await check.throws(
      "no particles",
      () => twistedSampler(observation, { particles: 0 }),
      /^particles must be a positive integer, got 0$/,
    );
    await check.throws(
      "no spread",
      () => twistedSampler(observation, { dataStd: 0 }),
      /^dataStd must be a positive number, got 0$/,
    );
    tf.dispose([values, nothing.y, plain]);
  },
);
