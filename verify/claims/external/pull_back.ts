/**
 * Vector-Jacobian products of models from elsewhere: those of a mixture, written out by hand for every prediction, give the
 * likelihoods, codes and posterior scores of the mixture itself.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { classifierFreeGuided } from "../../../src/conditioning/guidance.ts";
import { linearObservation } from "../../../src/conditioning/observation.ts";
import { maskOperator } from "../../../src/conditioning/operators.ts";
import { posteriorScore } from "../../../src/conditioning/posterior_score.ts";
import {
  type AnyScoreModel,
  scoreModel,
  scoreModelFromNoise,
} from "../../../src/diffusion/noise_predictor.ts";
import { subVpSde, veSde } from "../../../src/diffusion/sde.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { type Prediction, predictions } from "../../../src/diffusion/prediction.ts";
import { externalModel } from "../../../src/external/external_model.ts";
import { decodeLatent, encodeLatent } from "../../../src/likelihood/latents.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import { claim } from "../../suite/claim.ts";

const WEIGHTS = [0.3, 0.7];
const MEANS = [[-1, 0.5, 0.2, 0], [1, 0, -0.4, 0.3]];
const VARIANCES = [0.2, 0.4];

const mixture = GaussianMixture.from({
  weights: WEIGHTS,
  means: MEANS,
  covariances: VARIANCES.map((v) => MEANS[0].map((_, i) => MEANS[0].map((_, j) => i === j ? v : 0))),
});

/** [B, 2, 1, 2] images of the mixture's four numbers. */
const IMAGE = [2, 1, 2];

/** σ_data of the model that answers as EDM's networks do. */
const SIGMA_DATA = 0.7;

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * b[i], 0);

/** ε̂ = −ν s(y) of the mixture, and J w = −ν H w of its symmetric Jacobian, s and H the gradient and Hessian of log p_ν. */
function exact(y: readonly number[], ratio: number, w: readonly number[]) {
  const spreads = VARIANCES.map((v) => v + ratio ** 2);
  const scores = spreads.map((v, k) => y.map((value, i) => (MEANS[k][i] - value) / v));
  const logs = spreads.map((v, k) =>
    Math.log(WEIGHTS[k]) - 2 * Math.log(v) - v * dot(scores[k], scores[k]) / 2
  );
  const most = Math.max(...logs);
  const total = logs.reduce((sum, value) => sum + Math.exp(value - most), 0);
  const shares = logs.map((value) => Math.exp(value - most) / total);
  const score = y.map((_, i) => dot(shares, scores.map((own) => own[i])));
  const hessian = w.map((_, i) =>
    shares.reduce((sum, r, k) => sum + r * (scores[k][i] * dot(scores[k], w) - w[i] / spreads[k]), 0) -
    score[i] * dot(score, w)
  );
  return { noise: score.map((value) => -ratio * value), pulled: hessian.map((value) => -ratio * value) };
}

/** The SDEs, one of which does not shrink the data, and one whose α² + σ² is not 1. */
const sdes = { ve: veSde({ sigmaMax: 10 }), subvp: subVpSde() };

/** The mixture as a model that predicts that and answers later, with its pull-back; float64 on the host. */
function foreign(sde: typeof sdes.ve, prediction: Prediction, layout: "nhwc" | "nchw") {
  /** Output and Jᵀ dy of one row, by the definition of the prediction. */
  const row = (x: readonly number[], t: number, dy: readonly number[]) => {
    const [alpha, sigma] = [sde.alpha(t), sde.sigma(t)];
    const ratio = sigma / alpha;
    const total = Math.sqrt(ratio ** 2 + SIGMA_DATA ** 2);
    const scale = prediction === "edm" ? total : 1 / alpha;
    const y = x.map((value) => value * scale);
    const { noise, pulled } = exact(y, ratio, dy);
    const data = y.map((value, i) => value - ratio * noise[i]);
    const dataPulled = dy.map((value, i) => value - ratio * pulled[i]);
    const [skip, out] = [(SIGMA_DATA / total) ** 2, ratio * SIGMA_DATA / total];
    const forms: Record<Prediction, (noise: number, data: number, y: number) => number> = {
      noise: (noise) => noise,
      data: (_, data) => data,
      velocity: (noise, data) => alpha * noise - sigma * data,
      score: (noise) => -noise / sigma,
      edm: (_, data, y) => (data - skip * y) / out,
      flow: (noise, data) => noise - data,
    };
    // Every form is linear, and its derivative by y the same of the derivatives.
    const form = forms[prediction];
    return {
      output: y.map((value, i) => form(noise[i], data[i], value)),
      pulled: dy.map((value, i) => scale * form(pulled[i], dataPulled[i], value)),
    };
  };
  const apply = async (x: tf.Tensor, time: tf.Tensor, dy: tf.Tensor, part: "output" | "pulled") => {
    const places = layout === "nchw" ? [0, 2, 1, 3] : [0, 1, 2, 3]; // of [2, 1, 2] numbers in channels first
    const [states, vectors, times] = [await x.data(), await dy.data(), await time.data()];
    const values = Array.from(times, (t, b) => {
      const of = (values: ArrayLike<number>) => places.map((place) => values[4 * b + place]);
      const result = row(of(states), t, of(vectors))[part];
      return places.map((place) => result[place]);
    });
    return tf.tensor(values.flat(), x.shape);
  };
  return externalModel((x, time) => apply(x, time, x, "output"), {
    sde,
    prediction,
    conditioning: "time",
    layout,
    sigmaData: SIGMA_DATA,
    pullBack: (x, time, dy) => apply(x, time, dy, "pulled"),
  });
}

/** Largest difference of two tensors' numbers, which are disposed. */
async function difference(a: tf.Tensor, b: tf.Tensor): Promise<number> {
  const value = tf.tidy(() => a.reshape([-1]).sub(b.reshape([-1])).abs().max());
  const [most] = await value.data();
  tf.dispose([a, b, value]);
  return most;
}

const method = { kind: "rk4", grid: { kind: "log-snr", steps: 3 } } as const;

claim(
  "models that answer later have the mixture's likelihoods and codes, by any prediction",
  async (check) => {
    const x = tf.tidy(() => mixture.sample(createRng(4), 3));
    const images = x.reshape([3, ...IMAGE]);
    const before = tf.memory().numTensors;
    const traces = () => ({ exact: "exact", hutchinson: { rng: createRng(2), probes: 2 } }) as const;
    for (const [name, sde] of Object.entries(sdes)) {
      for (const [i, prediction] of predictions.entries()) {
        const layout = i % 2 === 0 ? "nchw" : "nhwc";
        const model = scoreModel(foreign(sde, prediction, layout), sde);
        const label = `${name}, ${prediction}, ${layout}`;
        for (const kind of ["exact", "hutchinson"] as const) {
          const own = await logLikelihood(scoreModel(mixture, sde), x, { trace: traces()[kind], method });
          const later = await logLikelihood(model, images, { trace: traces()[kind], method });
          check.equal(`${label}, ${kind}: evaluations`, later.evaluations, own.evaluations, "the same grid");
          const errors = own.logDensity.map((value, row) => Math.abs(value - later.logDensity[row]));
          check.atMost(
            `${label}, ${kind}: log density`,
            Math.max(...errors),
            5e-4,
            "float32 over 24 evaluations",
            {
              detectable: "a wrong factor of the chain rule: ln p changes by tenths",
            },
          );
        }
        const codes = await encodeLatent(model, images, method);
        const error = await difference(
          codes.clone(),
          await encodeLatent(scoreModel(mixture, sde), x, method),
        );
        check.atMost(`${label}: codes`, error, 1e-4 * sde.priorStd, "float32 over 24 evaluations");
        const decoded = await decodeLatent(model, codes, method);
        const flat = codes.reshape([3, 4]);
        const back = await difference(decoded, await decodeLatent(scoreModel(mixture, sde), flat, method));
        check.atMost(`${label}: data of codes`, back, 1e-3, "float32 over 24 evaluations");
        tf.dispose([codes, flat]);
      }
    }
    check.equal("tensors left", tf.memory().numTensors - before, 0, "answers and pull-backs are disposed");
    tf.dispose([x, images]);
  },
);

claim("models that answer later have the mixture's posterior scores, by any prediction", async (check) => {
  const x = tf.tidy(() => createRng(8).normal([3, 4]));
  const images = x.reshape([3, ...IMAGE]);
  const values = tf.tensor2d([[0.5, -0.2]]);
  const observed = await linearObservation(maskOperator([4], [1, 0, 0, 1]), values, 0.1);
  const seen = await linearObservation(maskOperator(IMAGE, [1, 0, 0, 1]), values, 0.1);
  const before = tf.memory().numTensors;
  for (const [name, sde] of Object.entries(sdes)) {
    for (const [i, prediction] of predictions.entries()) {
      for (const method of ["mmps", "tmpd", "pigdm"] as const) {
        const model = scoreModel(foreign(sde, prediction, i % 2 === 0 ? "nchw" : "nhwc"), sde);
        const own = posteriorScore(scoreModel(mixture, sde), observed, { method });
        const later = posteriorScore(model, seen, { method });
        for (const t of [0.6, Float64Array.of(0.3, 0.5, 0.9)]) {
          const error = await difference(await later.predictedNoise(images, t), own.predictedNoise(x, t));
          const times = typeof t === "number" ? "one time" : "a time for each row";
          check.atMost(
            `${name}, ${prediction}, ${method}, ${times}`,
            error,
            1e-3,
            "float32 and five gradients",
            {
              detectable: "a Jacobian without the factor α, or of the wrong prediction",
            },
          );
        }
      }
    }
  }
  check.equal("tensors left", tf.memory().numTensors - before, 0, "answers and pull-backs are disposed");
  tf.dispose([x, images, values, observed.y, seen.y]);
});

claim(
  "a pull-back of the model itself changes no bit of likelihoods and posterior scores, and serves guidance",
  async (check) => {
    const sde = sdes.subvp;
    const own = scoreModel(mixture, sde);
    const gradient = (x: tf.Tensor, t: number | Float64Array, dy: tf.Tensor) =>
      tf.grad((x) => own.predictedNoise(x, t))(x, dy);
    const later: AnyScoreModel = scoreModelFromNoise<Promise<tf.Tensor>>(
      sde,
      async (x, t) => await Promise.resolve(own.predictedNoise(x, t)),
      { pullBack: async (x, t, dy) => await Promise.resolve(gradient(x, t, dy)) },
    );
    const x = tf.tidy(() => mixture.sample(createRng(4), 2));
    const values = tf.tensor2d([[0.5, -0.2]]);
    const observed = await linearObservation(maskOperator([4], [1, 0, 0, 1]), values, 0.1);
    const before = tf.memory().numTensors;
    const results = async (model: AnyScoreModel) => {
      const noise = await posteriorScore(model, observed).predictedNoise(x, 0.4);
      const numbers = [...await noise.data()];
      noise.dispose();
      return {
        likelihood: [...(await logLikelihood(model, x, { method })).logDensity],
        posterior: numbers,
      };
    };
    check.equal("results", await results(later), await results(own), "the same arithmetic, later");
    const other = scoreModel(mixture.components[0], sde);
    const guided = async (model: AnyScoreModel) => {
      const both = classifierFreeGuided<tf.Tensor | Promise<tf.Tensor>>(other, model, 1.5);
      return (await logLikelihood(both, x, { method })).logDensity;
    };
    const byGradient = await guided(own);
    const errors = (await guided(later)).map((value, row) => Math.abs(value - byGradient[row]));
    check.atMost("guided: log density", Math.max(...errors), 1e-4, "the same sum, rounded otherwise", {
      detectable: "a pull-back of one of the two models alone, or without the scale",
    });
    const identity = scoreModel({
      predictNoise: async (y) => await Promise.resolve(y.clone()),
      pullBack: async (_y, _ratio, dy) => await Promise.resolve(dy),
    }, sde);
    const dy = tf.ones([2, 4]);
    const pulled = await identity.pullBack!(x, 0.5, dy);
    check.equal(
      "the argument of a pull-back that returns it is disposed",
      dy.isDisposed,
      false,
      "a caller's",
    );
    tf.dispose([dy, pulled]);
    check.equal("tensors left", tf.memory().numTensors - before, 0, "answers and pull-backs are disposed");
    tf.dispose([x, values, observed.y]);
  },
);

claim("pull-backs of another kind, shape or type are refused in one sentence", async (check) => {
  const good = { sde: sdes.subvp, prediction: "noise", conditioning: "time" } as const;
  const y = tf.ones([2, 3]);
  const pulledBy = (pullBack: () => unknown) => () =>
    externalModel((x) => x, { ...good, pullBack: pullBack as never }).pullBack!(y, 1, y);
  const refused: [string, () => unknown, RegExp][] = [
    [
      "no function",
      () => externalModel((x) => x, { ...good, pullBack: 1 as never }),
      /^pullBack must be a function, got 1$/,
    ],
    [
      "another shape",
      pulledBy(() => tf.ones([2])),
      /^the model's pull-back must have the shape of its input, \[2, 3\], got \[2\]$/,
    ],
    [
      "another type",
      pulledBy(() => tf.ones([2, 3], "int32")),
      /^the model's pull-back must be a float32 tensor, got int32 of shape \[2, 3\]: cast it$/,
    ],
    [
      "another shape of dy",
      () => externalModel((x) => x, { ...good, pullBack: (_x, _t, dy) => dy }).pullBack!(y, 1, tf.ones([3])),
      /^dy must be a float32 tensor of shape \[2, 3\], got float32 of shape \[3\]$/,
    ],
    [
      "another shape under an SDE",
      () => scoreModelFromNoise(good.sde, (x) => x, { pullBack: () => tf.ones([2]) }).pullBack!(y, 0.5, y),
      /^the pull-back must be a float32 tensor of shape \[2, 3\], got float32 of shape \[2\]$/,
    ],
    [
      "no function under an SDE",
      () => scoreModelFromNoise(good.sde, (x) => x, { pullBack: 2 as never }),
      /^pullBack must be a function, got 2$/,
    ],
  ];
  for (const [label, action, message] of refused) await check.throws(label, action, message);
});
