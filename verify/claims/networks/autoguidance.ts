/** Claims about autoguidance: its ends, its closed form on Gaussian data, its interval and its gradient. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { classifierFreeGuided } from "../../../src/conditioning/guidance.ts";
import { type NoisePredictor, scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { pullBackNoise } from "../../../src/diffusion/pull_back.ts";
import { noiseRatio, veSde } from "../../../src/diffusion/sde.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { tidied } from "../../../src/compute/tidied.ts";
import { autoguided } from "../../../src/networks/autoguidance.ts";
import { odeDormandPrince } from "../../../src/samplers/ode_dopri5.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { mixture } from "../../problems/mixtures.ts";
import { allSdes } from "../../problems/sdes.ts";
import { firstOf, scoped } from "../../instruments/tensor_scope.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const good = mixture;
const bad = new Gaussian({ mean: [0.2, -0.1, 0.3], variances: [1.5, 0.7, 2] });

/** A predictor that counts its evaluations. */
function counted(one: NoisePredictor): NoisePredictor & { calls: number } {
  const counting = {
    calls: 0,
    predictNoise: (y: tf.Tensor, ratio: number | Float64Array) => {
      counting.calls++;
      return one.predictNoise(y, ratio);
    },
  };
  return counting;
}

const furthest = (a: tf.Tensor, b: tf.Tensor) => scoped(() => firstOf(a.sub(b).abs().max()));

claim(
  "autoguidance at weight 1 is the good network alone, at 0 the bad one, and linear between and beyond",
  async (check) => {
    const y = createRng(check.seed).normal([4, 3]);
    for (const ratio of [0.05, 1, Float64Array.of(0.1, 0.5, 2, 20)]) {
      const where = typeof ratio === "number" ? `ν = ${ratio}` : "a ratio for each row";
      const ends = [good.predictNoise(y, ratio), bad.predictNoise(y, ratio)];
      for (const [weight, own, calls] of [[1, 0, [1, 0]], [0, 1, [0, 1]]] as const) {
        const parts = [counted(good), counted(bad)];
        const noise = autoguided(parts[0], parts[1], weight).predictNoise(y, ratio);
        check.equal(
          `${where}, w = ${weight}: difference`,
          await furthest(noise, ends[own]),
          0,
          "bit for bit its own",
        );
        check.equal(
          `${where}, w = ${weight}: evaluations`,
          parts.map(({ calls }) => calls),
          calls,
          "the other one is not asked",
        );
        noise.dispose();
      }
      for (const weight of [-1, 0.5, 2.5]) {
        const noise = autoguided(good, bad, weight).predictNoise(y, ratio);
        const line = tf.tidy(() => ends[0].mul(weight).add(ends[1].mul(1 - weight)));
        check.atMost(
          `${where}, w = ${weight}: off the line`,
          await furthest(noise, line),
          2e-5,
          "D_bad + w (D_good − D_bad); float32",
        );
        tf.dispose([noise, line]);
      }
      tf.dispose(ends);
    }
    y.dispose();
  },
);

claim("autoguidance outside its interval of noise ratios is the good network, row by row", async (check) => {
  const y = createRng(check.seed).normal([4, 3]);
  const ratio = Float64Array.of(0.5, 0.51, 2, 2.01);
  const noise = autoguided(good, bad, { scale: 3, from: 0.5, to: 2 }).predictNoise(y, ratio);
  const everywhere = autoguided(good, bad, 3).predictNoise(y, ratio);
  const plain = good.predictNoise(y, ratio);
  for (let row = 0; row < 4; row++) {
    const inside = row === 1 || row === 2;
    const off = await scoped(() =>
      firstOf(noise.sub(inside ? everywhere : plain).slice([row, 0], [1, 3]).abs().max())
    );
    check.atMost(`ν = ${ratio[row]}`, off, inside ? 0 : 1e-5, inside ? "guided" : "not guided; float32");
  }
  tf.dispose([y, noise, everywhere, plain]);
});

claim(
  "on Gaussians the autoguided flow ends at its closed form, s_g^w s_b^(1 − w) from much noise",
  async (check) => {
    const [sg, sb] = [0.5, 0.9];
    const sde = veSde({ sigmaMin: 1e-3, sigmaMax: 100 });
    const [a, b] = [sg, sb].map((std) => new Gaussian({ mean: [0], variances: [std ** 2] }));
    const one = tf.ones([1, 1]);
    const rows: string[][] = [];
    for (const w of [-0.5, 0, 0.5, 1, 2, 3]) {
      const grid = { kind: "log-snr", steps: 40 } as const;
      const run = { shape: [1, 1], grid, rng: createRng(1), initial: one, denoise: false };
      const x = await drawSamples(
        scoreModel(autoguided(a, b, w), sde),
        odeDormandPrince({ rtol: 1e-6, atol: 1e-7 }),
        run,
      );
      const gain = (await x.data())[0];
      x.dispose();
      const [most, least] = [sde.tMax, sde.tMin].map((t) => noiseRatio(sde, t));
      const factor = (std: number) => Math.sqrt((std ** 2 + least ** 2) / (std ** 2 + most ** 2));
      const expected = factor(sg) ** w * factor(sb) ** (1 - w);
      check.within(
        `w = ${w}: what the flow makes of 1`,
        gain / expected,
        1,
        1e-4,
        "dy/dν = ν y (w/(s_g² + ν²) + (1 − w)/(s_b² + ν²)), integrated by hand; the solver's tolerance, float32",
      );
      check.within(
        `w = ${w}: standard deviation from N(0, ${most.toFixed(0)}²)`,
        gain * most,
        sg ** w * sb ** (1 - w),
        3e-4,
        "the limit; s²/ν² of it is left",
      );
      rows.push([String(w), (gain * most).toFixed(4), (sg ** w * sb ** (1 - w)).toFixed(4)]);
    }
    check.table("Standard deviation of the autoguided flow, good .5, bad .9", [
      "w",
      "drawn",
      "s_g^w s_b^(1 − w)",
    ], rows);
    one.dispose();
  },
);

claim(
  "autoguidance is classifier-free guidance by the bad network in the unconditional one's place, gradients included",
  async (check) => {
    const x = createRng(check.seed).normal([4, 3]);
    const dy = createRng(check.seed).fork("dy").normal([4, 3]);
    const pulls: NoisePredictor = {
      predictNoise: (y, ratio) => tf.tidy(() => good.predictNoise(y, ratio).clone()),
      pullBack: (y, ratio, dy) => tf.tidy(() => tf.grad((y) => good.predictNoise(y, ratio))(y, dy)),
    };
    for (const sde of allSdes) {
      for (const [name, first] of [["by TensorFlow.js", good], ["of one by itself", pulls]] as const) {
        const own = scoreModel(autoguided(first, bad, 2.5), sde);
        const other = classifierFreeGuided(scoreModel(bad, sde), scoreModel(first, sde), 2.5);
        const [noise, expected] = [own.predictedNoise(x, 0.4), other.predictedNoise(x, 0.4)];
        const where = `${sde.config.kind}, gradient ${name}`;
        check.atMost(`${where}: ε̂`, await furthest(noise, expected), 1e-5, "the same sum; float32");
        const pulled = await tidied(pullBackNoise(own, x, 0.4, dy));
        const gradient = await tidied(pullBackNoise(other, x, 0.4, dy));
        check.atMost(
          `${where}: (∂ε̂/∂x)ᵀ dy`,
          await furthest(pulled, gradient),
          2e-5,
          "the same sum; float32",
        );
        tf.dispose([noise, expected, pulled, gradient]);
      }
    }
    tf.dispose([x, dy]);
  },
);
