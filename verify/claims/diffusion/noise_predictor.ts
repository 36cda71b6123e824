/**
 * The views of one noise predictor under every SDE, EDM preconditioning, and numbers by row.
 * @module
 */
import { column, mapPerRow } from "../../../src/compute/rows.ts";
import * as tf from "../../../src/compute/tf.ts";
import type { Awaitable } from "../../../src/compute/tidied.ts";
import { requireScore, scoreModel, scoreModelFromNoise } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { edmCoefficients, type Preconditioning } from "../../../src/diffusion/preconditioning.ts";
import { noiseRatio, type SdeConfig, subVpSde, veSde, vpSde } from "../../../src/diffusion/sde.ts";
import type { Network } from "../../../src/networks/network.ts";
import { predictionInputs, predictNoise } from "../../../src/networks/noise_prediction.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { sdeFromConfig } from "../../../src/diffusion/sde_registry.ts";
import { allSdes } from "../../problems/sdes.ts";
import reference from "../../../fixtures/reference/score_sde.json" with { type: "json" };

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

/** Rounding of a float32 number, relative. */
const float32 = 2 ** -24;

/** Values of a tensor, which is disposed. */
async function valuesOf(tensor: tf.Tensor): Promise<number[]> {
  const values = [...await tensor.data()];
  tensor.dispose();
  return values;
}

claim(
  "score, noise, clean data and the flow's drift of a Gaussian are their closed forms under every SDE",
  async (check) => {
    const [m0, s0] = [0.7, 0.5];
    const gaussian = new Gaussian({ mean: [m0], variances: [s0 ** 2] });
    for (const sde of allSdes) {
      const model = scoreModel(gaussian, sde);
      for (const t of [sde.tMin, 0.01, 0.3, 0.8, sde.tMax]) {
        const [alpha, sigma, f, g] = [
          sde.alpha(t),
          sde.sigma(t),
          sde.driftCoefficient(t),
          sde.diffusionCoefficient(t),
        ];
        const C = alpha ** 2 * s0 ** 2 + sigma ** 2;
        const points = Float32Array.of(-2, -0.1, 0.4, 3).map((z) => alpha * m0 + z * Math.sqrt(C));
        const x = tf.tensor2d(points, [4, 1]);
        const score = [...points].map((x) => -(x - alpha * m0) / C);
        const expected = {
          score,
          predictedNoise: score.map((s) => -sigma * s),
          denoised: score.map((s, i) => (points[i] + sigma ** 2 * s) / alpha),
          odeDrift: score.map((s, i) => f * points[i] - 0.5 * g ** 2 * s),
        };
        // Rounding of y and of y − m0 (relative to the offset's size), and of the two terms of a view.
        const loss = 8 * float32 * (Math.abs(m0) + 3 * Math.sqrt(C) / alpha) / (0.1 * Math.sqrt(C) / alpha);
        for (const view of ["score", "predictedNoise", "denoised", "odeDrift"] as const) {
          const observed = await valuesOf(model[view](x, t));
          const terms = view === "denoised"
            ? points.map((x) => Math.abs(x) / alpha + sigma / alpha)
            : view === "odeDrift"
            ? points.map((x, i) => Math.abs(f * x) + 0.5 * g ** 2 * Math.abs(score[i]))
            : score.map((s) => Math.abs(view === "score" ? s : sigma * s));
          const worst = Math.max(
            ...observed.map((value, i) => Math.abs(value - expected[view][i]) / terms[i]),
          );
          check.atMost(
            `${view} under ${sde.config.kind} at t = ${t}`,
            worst,
            loss,
            "float32 rounding of y − m0 and of the view",
            {
              detectable: `${loss.toExponential(1)} of the view's terms`,
            },
          );
        }
        x.dispose();
      }
    }
  },
);

claim("the velocity is score_sde_pytorch's probability-flow drift", async (check) => {
  for (const { kind, config, rows } of reference.sdes) {
    const sde = sdeFromConfig({ kind, ...config } as SdeConfig);
    for (const { t, x, score, ode_drift } of rows) {
      const model = scoreModelFromNoise(sde, () => tf.tensor2d([score.map((s) => -sde.sigma(t) * s)]));
      const observed = await valuesOf(tf.tidy(() => model.odeDrift(tf.tensor2d([x]), t)));
      const worst = Math.max(...observed.map((value, i) => {
        const scale = Math.abs(sde.driftCoefficient(t) * x[i]) +
          0.5 * sde.diffusionCoefficient(t) ** 2 * Math.abs(score[i]);
        return Math.abs(value - ode_drift[i]) / scale;
      }));
      check.atMost(
        `${kind} at t = ${t}`,
        worst,
        6 * float32,
        "published code in float64; six float32 roundings",
        {
          detectable: "4e-7 of the drift's terms",
        },
      );
    }
  }
});

claim("the predicted noise keeps its precision where the noise is small", async (check) => {
  const gaussian = new Gaussian({ mean: [0.25], variances: [1] });
  for (const sde of [vpSde({ tMin: 1e-5 }), subVpSde(), veSde({ sigmaMin: 1e-4 })]) {
    const nu = noiseRatio(sde, sde.tMin);
    const alpha = sde.alpha(sde.tMin);
    const point = Math.fround(1.7);
    const x = tf.tensor2d([point], [1, 1]);
    const [observed] = await valuesOf(scoreModel(gaussian, sde).predictedNoise(x, sde.tMin));
    x.dispose();
    const exact = nu * (point / alpha - 0.25) / (1 + nu ** 2);
    check.within(
      `${sde.config.kind}, ν = ${nu.toPrecision(3)}`,
      observed,
      exact,
      8 * float32 * exact,
      "eight float32 roundings",
      {
        detectable: `5e-7 relative, where (y − D)/ν would lose ${(float32 / nu ** 2).toExponential(0)}`,
      },
    );
  }
});

claim("a row with its own time equals the row alone, bit for bit", async (check) => {
  const gaussian = new Gaussian({ mean: [0.2, -1, 0.4, 0], variances: [0.3, 2, 1, 0.01] });
  for (const sde of allSdes) {
    const times = Float64Array.of(0.002, 0.4, sde.tMax);
    const model = scoreModel(gaussian, sde);
    const x = tf.tensor4d(Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)), [3, 2, 2, 1]);
    for (const view of ["predictedNoise", "score", "denoised", "odeDrift"] as const) {
      const together = model[view](x, times);
      check.equal(`${sde.config.kind} ${view}: shape`, together.shape, [3, 2, 2, 1], "the states' own");
      const batch = await valuesOf(together);
      const single: number[] = [];
      for (let row = 0; row < 3; row++) {
        const one = tf.slice(x, row, 1);
        single.push(...await valuesOf(model[view](one, times[row])));
        one.dispose();
      }
      check.equal(`${sde.config.kind} ${view}`, batch, single, "rows share nothing");
    }
    x.dispose();
  }
});

claim("the views of a score model leak no tensors and dispose of no argument", (check) => {
  const model = scoreModel(new Gaussian({ mean: [0, 1], covariance: [[1, 0.5], [0.5, 1]] }), vpSde());
  const x = tf.tensor2d([1, 2], [1, 2]);
  const before = tf.memory().numTensors;
  for (const view of ["predictedNoise", "score", "denoised", "odeDrift"] as const) {
    model[view](x, 0.5).dispose();
  }
  check.equal("tensors alive", tf.memory().numTensors - before, 0, "whoever gets a tensor owns it");
  check.holds("the state is alive", !x.isDisposed, "nobody disposes an argument");
  x.dispose();
});

claim("EDM's coefficients are those of its Table 1", (check) => {
  for (const [sigmaData, nu] of [[0.5, 1e-3], [0.5, 0.5], [0.616, 80]]) {
    const { skip, out, input, noise } = edmCoefficients(sigmaData, nu);
    const total = nu ** 2 + sigmaData ** 2;
    const near = (what: string, observed: number, expected: number) =>
      check.within(
        `${what} at ν = ${nu}`,
        observed,
        expected,
        1e-14 * Math.abs(expected),
        "Karras et al. 2022, Table 1",
        {
          detectable: "1e-14 relative",
        },
      );
    near("c_skip", skip, sigmaData ** 2 / total);
    near("c_out", out, nu * sigmaData / Math.sqrt(total));
    near("c_in", input, 1 / Math.sqrt(total));
    near("c_noise", noise, Math.log(nu) / 4);
  }
});

/** What a network is given, and the noise that is predicted, where its output is given, all [1, n]. */
async function predicted(
  preconditioning: Preconditioning | null,
  y: readonly number[],
  nu: number,
  output: readonly number[],
): Promise<{ input: number[]; noise: number[] }> {
  let input = tf.tensor2d([[0]]);
  const network: Network = {
    config: null,
    sampleShape: [y.length],
    classes: 0,
    parameters: [],
    noiseFeatureCount: 1,
    initialise: () => new Map(),
    noiseFeatures: (logs) => new Float32Array(logs.length),
    forward: (_, x) => {
      input = x as tf.Tensor2D;
      return tf.tensor2d([[...output]]);
    },
  };
  const both = tf.tidy(() => {
    const inputs = predictionInputs(network, preconditioning, Float64Array.of(nu), []);
    const noise = predictNoise(network, preconditioning, {}, tf.tensor2d([[...y]]), inputs);
    return tf.concat([input, noise], 0);
  });
  const values = await valuesOf(both);
  return { input: values.slice(0, y.length), noise: values.slice(y.length) };
}

claim(
  "a network whose output gives the clean data by EDM's D predicts the noise, at every ν",
  async (check) => {
    const preconditioning = { sigmaData: 0.616, centre: -0.7386 };
    const data = [-1, -0.3, 0.8];
    const noise = [0.6, -1.4, 0.02];
    for (const nu of [1e-4, 1e-2, 0.5, 3, 80]) {
      const total = nu ** 2 + 0.616 ** 2;
      const y = data.map((x, i) => x + nu * noise[i]);
      // F = (x_0 − c − c_skip (y − c))/c_out by Table 1 of Karras et al. 2022.
      const output = data.map((x, i) =>
        (x + 0.7386 - 0.616 ** 2 / total * (y[i] + 0.7386)) / (nu * 0.616 / Math.sqrt(total))
      );
      const observed = (await predicted(preconditioning, y, nu, output)).noise;
      const worst = Math.max(...observed.map((value, i) => Math.abs(value - noise[i])));
      // Terms of size (|x_0 − c| + ν|ε|)·ν c_in² and |ε|, at most 1.6 + 1.4 each.
      check.atMost(`ε̂ − ε at ν = ${nu}`, worst, 30 * float32, "float32 roundings of terms of size 3", {
        detectable: "2e-6",
      });
    }
  },
);

claim(
  "a network's input and output are those of D = centre + c_skip y' + c_out F(c_in y')",
  async (check) => {
    const [sigmaData, centre] = [0.616, -0.7386];
    for (const nu of [0.05, 0.5, 20]) {
      const { skip, out, input } = edmCoefficients(sigmaData, nu);
      const [y, F] = [-0.2 + nu * 1.3, 0.4];
      const near = (what: string, observed: number, expected: number) =>
        check.within(`${what} at ν = ${nu}`, observed, expected, 1e-5, "float32 rounding of terms up to 30", {
          detectable: "1e-5",
        });
      const observed = await predicted({ sigmaData, centre }, [y], nu, [F]);
      near("input", observed.input[0], input * (y - centre));
      near("noise", observed.noise[0], (y - (centre + skip * (y - centre) + out * F)) / nu);
    }
    const plain = await predicted(null, [1.5], 0.5, [0.25]);
    check.equal("without preconditioning", plain, { input: [1.5], noise: [0.25] }, "the output is the noise");
    for (const wrong of [0, -1, NaN]) {
      await check.throws(
        `sigmaData ${wrong}`,
        () => edmCoefficients(wrong, 1),
        /^sigmaData must be a positive number, got/,
      );
    }
  },
);

claim("per-row numbers broadcast over a batch, and another number of rows is refused", async (check) => {
  const like = tf.zeros([2, 3, 1]);
  const tensor = column(mapPerRow(Float64Array.of(1, 2), (value) => value / 2), like);
  check.equal("shape by row", tensor.shape, [2, 1, 1], "broadcasts against [2, 3, 1]");
  check.equal("values by row", await valuesOf(tensor), [0.5, 1], "halved");
  const scalar = column(mapPerRow(3, (value) => value + 1), like);
  check.equal("shape for all", scalar.shape, [], "a scalar");
  check.equal("value for all", await valuesOf(scalar), [4], "one more");
  await check.throws(
    "three values, two rows",
    () => column(Float64Array.of(1, 2, 3), like),
    /^expected one value per row, got 3 for 2 rows$/,
  );
  like.dispose();
});

claim(
  "a score model takes times to tMax and its rounding, and a consistency function has neither score nor drift",
  async (check) => {
    const sde = vpSde({ tMin: 0.1, tMax: 0.5 });
    const model = scoreModelFromNoise(sde, (x) => x.clone());
    const x = tf.ones([2, 1]);
    for (const name of ["predictedNoise", "score", "denoised", "odeDrift"] as const) {
      const at = (t: number | Float64Array) => () => model[name](x, t).dispose();
      for (const t of [0.25, 0.5 * (1 + 0.9e-9), Float64Array.of(0.1, 0.5), Float64Array.of(NaN, 0.5)]) {
        await check.throws(`${name} at ${t}`, at(t), /^no error$/);
      }
      for (const t of [-1e-9, 0.5 * (1 + 1.1e-9), NaN]) {
        const message = new RegExp(`^times must be from 0 to 0.5, got ${t}$`);
        await check.throws(`${name} at ${t}`, at(t), message);
        if (!Number.isNaN(t)) {
          await check.throws(`${name}, row 2 at ${t}`, at(Float64Array.of(0.2, t)), message);
        }
      }
      for (const t of [[0.1, 0.2], "0.2"]) {
        await check.throws(
          `${name} at ${JSON.stringify(t)}`,
          at(t as unknown as number),
          /^times must be a number or a Float64Array, one for each row, got /,
        );
      }
    }
    for (const name of ["score", "odeDrift"] as const) {
      const none = (t: number | Float64Array) => () => model[name](x, t);
      await check.throws(`${name} at 0`, none(0), /^there must be noise at the time, got none at 0$/);
      await check.throws(`${name}, row 2 at 0`, none(Float64Array.of(0.2, 0)), /got none at 0$/);
    }
    const consistent = scoreModelFromNoise(sde, (x) => x.clone(), { consistency: true });
    check.equal("marks", [model.consistency, consistent.consistency], [undefined, true], "as given");
    for (const name of ["score", "odeDrift"] as const) {
      await check.throws(
        `a consistency function's ${name}`,
        () => consistent[name](x, 0.2),
        new RegExp(`^a consistency function has no ${name}: use a score network$`),
      );
    }
    await check.throws(
      "where a score is needed",
      () => requireScore(consistent, "a test"),
      /^a test needs a score, and this model is a consistency function/,
    );
    await check.throws("where none is", () => requireScore(model, "a test"), /^no error$/);
    x.dispose();
  },
);

claim(
  "a function that returns its own argument, at once or later, leaves the argument to its owner",
  async (check) => {
    const sde = vpSde();
    const same = (x: tf.Tensor) => x;
    const later = async (x: tf.Tensor) => await Promise.resolve(x);
    for (const [label, noise] of [["at once", same], ["later", later]] as const) {
      const model = scoreModelFromNoise<Awaitable<tf.Tensor>>(sde, noise, { pullBack: (x) => noise(x) });
      const x = tf.tensor2d([[1, 2]]);
      const before = tf.memory().numTensors;
      const views = {
        predictedNoise: () => model.predictedNoise(x, 0.5),
        score: () => model.score(x, 0.5),
        denoised: () => model.denoised(x, 0.5),
        odeDrift: () => model.odeDrift(x, 0.5),
        pullBack: () => model.pullBack!(x, 0.5, x),
      };
      for (const [name, view] of Object.entries(views)) {
        const value = await view();
        check.equal(`${label}: ${name} is another tensor`, value === x, false, "the caller disposes it");
        value.dispose();
        check.equal(`${label}: x after ${name}`, x.isDisposed, false, "x is not disposed");
      }
      check.equal(`${label}: tensors left`, tf.memory().numTensors - before, 0, "what is made is disposed");
      if (!x.isDisposed) x.dispose();
    }
  },
);
