/**
 * Engines against each other: what is proved of samplers and likelihoods on one holds on the others, to rounding.
 * @module
 */
import { currentEngine } from "../src/compute/engine.ts";
import { createRng } from "../src/compute/rng.ts";
import * as tf from "../src/compute/tf.ts";
import { scoreModel } from "../src/denoiser.ts";
import { logLikelihood } from "../src/likelihood.ts";
import { samplerByName, samplerEntry, samplerNames } from "../src/samplers/catalogue.ts";
import { drawSamples } from "../src/samplers/sample.ts";
import { vpSde } from "../src/sde.ts";
import { claim } from "./claim.ts";
import { switchEngine } from "./engines.ts";
import { failsFrom, gentleVp, mixture, settings, shape } from "./sampler_runs.ts";

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

const fixed = {
  tolerance: 1e-5,
  source: "the same float32 operations, perhaps in another order, on numbers up to 3",
};
const moved = {
  tolerance: 1e-4,
  source: "rounding moves steps, and these the state by a part of the tolerance",
};
const redrawn = {
  tolerance: 0.03,
  source:
    "rounding moves the ends of steps by δ up to 1e-4 of the way, and noise of variance g² δ is drawn anew",
};

claim("every sampler draws on any engine what it draws on wasm, to rounding", { engines }, async (check) => {
  for (const name of samplerNames) {
    const { grid, options } = settings(name);
    const [here, there] = await onBoth(async () => {
      const x = await drawSamples(scoreModel(mixture, gentleVp), samplerByName(name, options), {
        shape,
        grid,
        rng: createRng(check.seed).fork(name),
      });
      const values = await x.data();
      x.dispose();
      return values;
    });
    const { evaluationsPerStep, stochastic } = samplerEntry(name);
    const { tolerance, source } = evaluationsPerStep(options) !== null ? fixed : stochastic ? redrawn : moved;
    const what = `${name}: largest difference of ${here.length} numbers`;
    check.atMost(what, furthest(here, there), tolerance, source, {
      detectable: `a kernel, or a step on one engine only, that moves a state by ${2 * tolerance}`,
    });
  }
});

claim(
  "a NaN or an infinity in one number of a score is an error on any engine",
  { engines },
  async (check) => {
    for (const [i, name] of samplerNames.entries()) {
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
