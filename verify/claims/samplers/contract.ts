/**
 * What every sampler of the registry promises, whatever it computes: the same sample for any batch, no memory left behind,
 * evaluations as announced.
 * @module
 */
import { limited } from "../../instruments/limited_predictor.ts";
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { type ScoreModel, scoreModel, scoreModelFromNoise } from "../../../src/diffusion/noise_predictor.ts";
import {
  nfeOfSteps,
  nfePerStep,
  samplerByName,
  samplerInfo,
  scoreSamplerNames,
} from "../../../src/samplers/registry.ts";
import { drawSamples, sample } from "../../../src/samplers/sample.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { narrowSdes } from "../../problems/sdes.ts";
import { samplerFacts } from "../../problems/sampler_facts.ts";
import { failsFrom, gentleVp, mixture, settings, shape } from "../../problems/short_runs.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

/** A model for one run, which a solver that never arrives does not ask for ever. */
const bounded = ({ sde }: ScoreModel) => scoreModel(limited(mixture, 3000), sde);

claim(
  "with every sampler, a sample depends neither on the rest of its batch nor on how draws are split",
  async (check) => {
    for (const sde of [gentleVp, narrowSdes["VE"]]) {
      const model = scoreModel(mixture, sde);
      for (const name of scoreSamplerNames) {
        const { grid, options } = settings(name);
        const draw = async (first: number, count: number) => {
          const rng = createRng(11).startingAt(first);
          const x = await drawSamples(bounded(model), samplerByName(name, options), {
            shape: [count, 3],
            grid,
            rng,
          });
          const values = Array.from(await x.data());
          x.dispose();
          return values;
        };
        const together = await draw(0, 6);
        const split = [...await draw(0, 1), ...await draw(1, 3), ...await draw(4, 2)];
        check.equal(
          `${sde.config.kind}, ${name}: 6 = 1 + 3 + 2`,
          split,
          together,
          "bit for bit: a row's arithmetic is its own",
        );
        const distinct = new Set(together).size === together.length;
        check.holds(
          `${sde.config.kind}, ${name}: samples differ`,
          distinct,
          "else equality would say nothing",
        );
      }
    }
  },
);

claim(
  "no sampler leaks tensors: not in a step, a run or an aborted run",
  async (check) => {
    const model = scoreModel(mixture, gentleVp);
    for (const name of scoreSamplerNames) {
      const { grid, options } = settings(name);
      const before = tf.memory().numTensors;
      const counts: number[] = [];
      for await (
        const { x, done } of sample(bounded(model), samplerByName(name, options), {
          shape,
          grid,
          rng: createRng(1),
        })
      ) {
        counts.push(tf.memory().numTensors);
        if (done) x.dispose();
      }
      const after = tf.memory().numTensors;
      // By then multistep solvers have all the predictions that they remember.
      const steady = new Set(counts.slice(3)).size;
      check.equal(`${name}: numbers of tensors seen after step 3`, steady, 1, "flat");
      check.equal(
        `${name}: tensors after the run`,
        after - before,
        0,
        "the caller owned the last state only",
      );

      for await (
        const { step } of sample(bounded(model), samplerByName(name, options), {
          shape,
          grid,
          rng: createRng(1),
        })
      ) {
        if (step === 2) break;
      }
      check.equal(
        `${name}: tensors after a break`,
        tf.memory().numTensors - before,
        0,
        "the generator cleans up",
      );

      const failing = failsFrom(model, 0.5, NaN);
      const run = drawSamples(failing, samplerByName(name, options), { shape, grid, rng: createRng(1) });
      await run.then(() => {}, () => {});
      check.equal(
        `${name}: tensors after an error`,
        tf.memory().numTensors - before,
        0,
        "the generator cleans up",
      );
    }
  },
);

claim(
  "every sampler's NFE is the registry's, plus one for the final denoising",
  async (check) => {
    const model = scoreModel(mixture, gentleVp);
    for (const name of scoreSamplerNames) {
      const { grid: own, stochastic } = samplerInfo(name);
      const { grid, options } = settings(name);
      let evaluations = 0, calls = 0, states = 0;
      const counted = scoreModelFromNoise(model.sde, (x, t) => {
        calls++;
        return model.predictedNoise(x, t);
      });
      for await (
        const state of sample(counted, samplerByName(name, options), { shape, grid, rng: createRng(1) })
      ) {
        evaluations = state.evaluations;
        states++;
        if (state.done) state.x.dispose();
      }
      const perStep = nfePerStep(name, options);
      check.equal(
        `${name}: evaluations`,
        evaluations,
        perStep === null ? calls : nfeOfSteps(name, grid.steps, options)! + 1,
        "counted at the model",
      );
      check.equal(`${name}: calls of the model`, calls, evaluations, "every call is counted");
      check.equal(`${name}: states`, states, grid.steps + 1, "the start and every step");
      check.holds(
        `${name}: its own grid exists`,
        timeGrid(model.sde, own).length === own.steps + 1,
        "its row",
      );
      const twice = [];
      for (const seed of [1, 2]) {
        const initial = tf.ones(shape);
        const x = await drawSamples(bounded(model), samplerByName(name, options), {
          shape,
          grid,
          rng: createRng(seed),
          initial,
        });
        twice.push(Array.from(await x.data()));
        tf.dispose([x, initial]);
      }
      const differs = JSON.stringify(twice[0]) !== JSON.stringify(twice[1]);
      check.equal(
        `${name}: two seeds from one start differ`,
        differs,
        stochastic,
        "its row says whether it adds noise",
      );
    }
  },
);

claim(
  "no sampler asks the network outside of the step that it takes, but for noise that it first adds",
  async (check) => {
    for (const sde of [gentleVp, narrowSdes["VE"]]) {
      const times = timeGrid(sde, { kind: "uniform", steps: 5 });
      for (const name of scoreSamplerNames.filter((name) => name !== "edm-stochastic")) {
        const asked: number[] = [];
        const model = scoreModelFromNoise(sde, (x, at) => {
          asked.push(typeof at === "number" ? at : at[0]);
          return x.clone();
        });
        const run = samplerByName(name).start(model, createRng(1));
        for (let k = 0; k < 5; k++) {
          asked.splice(0);
          const x = createRng(k).normal(shape);
          const next = await run.step(x, times[k], times[k + 1]);
          tf.dispose([x, next]);
          check.holds(
            `${name}, ${sde.config.kind}, step ${k + 1}`,
            asked.length > 0 && asked.every((at) => at >= times[k + 1] && at <= times[k]),
            "a network knows no noise below the last of the grid",
          );
        }
        run.dispose();
      }
    }
  },
);

claim("a step that does not continue the last one restarts a multistep solver", async (check) => {
  const model = scoreModel(mixture, gentleVp);
  const run = samplerByName("dpm++2m").start(model, createRng(1));
  const fresh = samplerByName("ddim").start(model, createRng(1));
  const x = createRng(3).normal(shape);
  const first = await run.step(x, 0.9, 0.8);
  const jumped = await run.step(first, 0.85, 0.7);
  const alone = await fresh.step(first, 0.85, 0.7);
  const difference = await jumped.sub(alone).abs().max().data();
  check.atMost(
    "a jump back in time is a DDIM step",
    difference[0],
    1e-6,
    "no history from another place; rounding",
  );
  run.dispose();
  tf.dispose([x, first, jumped, alone]);
});

claim(
  "samples are the same for the same seed, and start with the prior's standard deviation",
  async (check) => {
    for (const [name, sde] of Object.entries(narrowSdes)) {
      const model = scoreModel(mixture, sde);
      const runs: number[][] = [];
      for (let run = 0; run < 2; run++) {
        const options = { shape: [2000, 3], grid: { kind: "log-snr", steps: 3 }, rng: createRng(8) } as const;
        for await (const { step, time, x, done } of sample(model, samplerByName("ddim"), options)) {
          if (step === 0) {
            runs.push(Array.from(await x.data()));
            check.equal(`${name}: starting time`, time, sde.tMax, "the grid's first");
          }
          if (done) {
            check.equal(`${name}: last time`, time, sde.tMin, "the grid's last");
            x.dispose();
          }
        }
      }
      check.equal(`${name}: two runs`, runs[0], runs[1], "one seed");
      const expected = Array.from(
        createRng(8).normalValues([2000, 3]),
        (z) => Math.fround(z * Math.fround(sde.priorStd)),
      );
      const worst = Math.max(...expected.map((value, i) => Math.abs(value - runs[0][i]) / sde.priorStd));
      check.atMost(
        `${name}: start against priorStd·z`,
        worst,
        1e-6,
        "the first draw of the run's own stream",
      );
    }
  },
);

claim("a grid may end where sigma is zero, for every sampler that needs no score there", async (check) => {
  const sde = vpSde();
  const model = scoreModel(mixture, sde);
  const points = 24;
  const grid = Float64Array.from({ length: points + 1 }, (_, i) => 1 - i / points);
  const [last, h] = [grid[points - 1], grid[points - 1]];
  const nudged = grid.map((time, i) => i === points ? last * (1 - 1e-6) : time);
  for (const { name, lastStep, corrects } of samplerFacts) {
    /** The last state of a run, and the one before. */
    const run = async (grid: Float64Array): Promise<[tf.Tensor, tf.Tensor]> => {
      const settingsOf = { shape, grid, rng: createRng(2), denoise: false };
      const sampler = samplerByName(name, settings(name).options);
      let before = tf.zeros(shape);
      for await (const { step, steps, x, done } of sample(bounded(model), sampler, settingsOf)) {
        if (done) return [x, before];
        if (step === steps - 1) {
          before.dispose();
          before = x.clone();
        }
      }
      throw new Error("a run ended without a last state");
    };
    if (samplerInfo(name).needsScoreAtEnd) {
      await check.throws(
        `${name}: a score at σ = 0`,
        () => run(grid),
        /from time 0.04\d* to 0: .*(there must be noise at the time|sigma is zero)/,
      );
      continue;
    }
    const [ended, before] = await run(grid);
    if (lastStep === "Euler" || lastStep === "data prediction") {
      // UniPC corrects the state before it goes on, by the noise that it predicted for the uncorrected one; a step that
      // goes nowhere shows the corrected state.
      const [start, unused] = corrects ? await run(nudged) : [before.clone(), tf.zeros(shape)];
      const expected = tf.tidy(() =>
        lastStep === "Euler"
          ? before.sub(model.odeDrift(before, last).mul(h))
          : model.denoised(before, last).add(start.sub(before).div(sde.alpha(last)))
      );
      tf.dispose([start, unused]);
      const [difference] = await tf.tidy(() => ended.sub(expected).abs().max()).data();
      const rule = lastStep === "Euler"
        ? "Euler's step, as no slope exists at the end"
        : "the data prediction, as ν = 0";
      check.atMost(`${name}: last step`, difference, 1e-6, rule, { detectable: "any other last step" });
      expected.dispose();
    } else {
      check.holds(
        `${name}: finite`,
        (await ended.data()).every(Number.isFinite),
        "no score at σ = 0 is asked for",
      );
    }
    tf.dispose([ended, before]);
  }
});
