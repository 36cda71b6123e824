/**
 * Engines against each other: what is proved of samplers and likelihoods on one holds on the others, to rounding.
 * @module
 */
import { currentEngine } from "../../../src/compute/engine.ts";
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import { samplerByName, samplerInfo, scoreSamplerNames } from "../../../src/samplers/registry.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { compareReplays, replay } from "../../instruments/engine_replay.ts";
import { switchEngine } from "../../suite/engines.ts";
import { failsFrom, gentleVp, mixture, settings, shape } from "../../problems/short_runs.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const engines = ["webgpu", "cpu"] as const;

/** The numbers that an action makes on the claim's engine and on wasm. */
async function onBoth(action: () => Promise<ArrayLike<number>>): Promise<[number[], number[]]> {
  const { name } = currentEngine()!;
  const here = Array.from(await action());
  await switchEngine("wasm");
  const there = Array.from(await action());
  await switchEngine(name);
  return [here, there];
}

function furthest(a: readonly number[], b: readonly number[]): number {
  return a.length === b.length ? Math.max(...a.map((value, i) => Math.abs(value - b[i]))) : NaN;
}

/** Units of 2⁻²³ of a row by which one step may differ between engines. */
const allowed = { median: 3, largest: 64 };

claim(
  "every step of every sampler agrees on any engine with wasm, to rounding",
  { engines },
  async (check) => {
    const { name: here } = currentEngine()!;
    for (const name of scoreSamplerNames) {
      await switchEngine("wasm");
      const first = await replay(name, check.seed);
      await switchEngine(here);
      const { units, shifts, parted } = compareReplays(first, await replay(name, check.seed, first));
      const { kind, stochastic } = samplerInfo(name);
      const adaptive = kind === "adaptive";
      if (adaptive) {
        check.atMost(
          `${name}: rows of which one engine kept a step that the other took back`,
          parted,
          2,
          "error estimates differ by up to 2e-5 of themselves, so 100 to 200 attempts meet 1 between two engines' in fewer " +
            "than one run of a thousand, three rows in one of 10^10; none did in 40,000 attempts",
          { detectable: "an error estimate that is wrong by a tenth on one engine", alarmRate: 1e-10 },
        );
      }
      const sorted = units.toSorted((a, b) => a - b);
      check.atMost(
        `${name}: median difference after one step from the same state, in units of 2⁻²³ of the row`,
        sorted[sorted.length >> 1],
        allowed.median,
        "rounding; over 100 seeds on cpu and 39 on webgpu the medians were 1.02 and 0.72 at most",
        { detectable: `a kernel that moves states by ${allowed.median} · 2⁻²³` },
      );
      // The noise of a step that ends δ later is another by |z| √δ at most: a Brownian bridge is cut elsewhere.
      const beyond = units.map((unit, i) =>
        unit - (stochastic && adaptive ? 24 * Math.sqrt(shifts[i]) * 2 ** 23 : 0)
      );
      check.atMost(
        `${name}: largest difference${
          stochastic && adaptive ? ", less 24 √δ for evaluations δ apart in time" : ""
        }, in the same units`,
        Math.max(...beyond),
        allowed.largest,
        "rounding, carried on by a score that changes fast between two modes: over these seeds 9.2 and 6.2 at most; " +
          "|z| < 6, two cuts in a step, g ≤ 2",
        { detectable: `one state in a run that is wrong by ${allowed.largest} · 2⁻²³` },
      );
    }
  },
);

claim(
  "a NaN or an infinity in one number of a score is an error on any engine",
  { engines },
  async (check) => {
    for (const [i, name] of scoreSamplerNames.entries()) {
      const { grid, options } = settings(name);
      const value = [NaN, Infinity, -Infinity][i % 3];
      await check.throws(
        `${name}: ${value}`,
        () =>
          drawSamples(
            failsFrom(scoreModel(mixture, gentleVp), gentleVp.tMax, value),
            samplerByName(name, options),
            {
              shape,
              grid,
              rng: createRng(1),
            },
          ),
        /: step 1 of \d+, from time 1 to [\d.]+: .*(NaN|infinite)/,
      );
    }
  },
);

claim("likelihoods are the same on any engine, to rounding", { engines }, async (check) => {
  const method = { kind: "rk4", grid: { kind: "log-snr", steps: 4 } } as const;
  for (const trace of ["exact", "estimated"] as const) {
    const [here, there] = await onBoth(async () => {
      const x = tf.tensor2d([[0.1, 0.4, 0.2], [-1.5, 0.6, 0.1], [1.2, -0.5, 0.4]]);
      const { logDensity } = await logLikelihood(scoreModel(mixture, vpSde()), x, {
        method,
        trace: trace === "exact" ? trace : { rng: createRng(check.seed), probes: 2 },
      });
      x.dispose();
      return logDensity;
    });
    const size = Math.max(...there.map(Math.abs));
    check.atMost(
      `${trace} trace: largest relative difference`,
      furthest(here, there) / size,
      1e-5,
      "16 evaluations, each with rounding of float32",
      { detectable: "a divergence that is wrong by 1e-5 of the whole" },
    );
  }
});
