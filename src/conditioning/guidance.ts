/**
 * Guidance toward a class: by the gradient of a noise-conditional classifier, or by a conditional model beside the
 * unconditional one.
 * @module
 */
import { gradientOf } from "../compute/gradient.ts";
import { checkLabels } from "../compute/labels.ts";
import { column, mapPerRow, type PerRow } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, type Pausing, tidied } from "../compute/tidied.ts";
import { requireScore, type ScoreModel, scoreModelFromNoise } from "../diffusion/noise_predictor.ts";
import { GaussianMixture } from "../distributions/gaussian_mixture.ts";
import { pullBackNoise } from "../diffusion/pull_back.ts";
import { noiseRatio } from "../diffusion/sde.ts";
import { requireMethods, requireNumbers } from "../input/require.ts";
import { requireModel } from "../input/require_parts.ts";
import { quoted } from "../input/quoted.ts";

/** A classifier of x_0 given y = x_0 + ν ε. One classifier serves every SDE, as one noise predictor does. */
export interface NoisyClassifier {
  /** Number of classes. */
  readonly classes: number;
  /**
   * log p(label_b | y_b) of each row, [B], differentiable in y by `tf.grad`; rows do not influence each other.
   *
   * @param y [B, …]
   * @param labels one a row, whole numbers below `classes`
   */
  logProbability(y: tf.Tensor, noiseRatio: PerRow, labels: readonly number[]): tf.Tensor;
}

/**
 * Classifier guidance (Song et al. 2021, eq. 14; Dhariwal & Nichol 2021): ∇ log p_t(x) + scale · ∇ log p_t(c | x).
 * Scale 1 gives the conditional distribution's score, if the classifier is exact; 0 the model's own; other scales
 * give the score of no distribution.
 *
 * @param labels the class, one for the batch or one a row
 * @throws {RangeError} When a label is not one of the classifier's or the scale is not finite; when used, if there is
 * not one label a row.
 */
export function classifierGuided<Result extends Awaitable<tf.Tensor>>(
  model: ScoreModel<Result>,
  classifier: NoisyClassifier,
  labels: number | readonly number[],
  scale = 1,
): ScoreModel<Result> {
  requireModel("model", model);
  requireMethods(
    "classifier",
    classifier,
    ["logProbability"],
    "a classifier, as mixtureClassifier() makes it",
  );
  const list: unknown = typeof labels === "number" ? [labels] : labels;
  requireNumbers("labels", list);
  if (list.length === 0) throw new RangeError("labels must hold at least one, got none");
  checkLabels(list, classifier.classes);
  requireScale(scale);
  if (scale === 0) return model;
  requireScore(model, "guidance by a classifier");
  const { sde } = model;
  return scoreModelFromNoise(sde, (x, t) =>
    tidied((function* () {
      const rows = x.shape[0];
      const ofRows = typeof labels === "number" ? new Array<number>(rows).fill(labels) : labels;
      checkLabels(ofRows, classifier.classes, rows);
      const ratio = mapPerRow(t, (t) => noiseRatio(sde, t));
      const y = x.div(column(mapPerRow(t, sde.alpha), x));
      const logProbability = (y: tf.Tensor) => classifier.logProbability(y, ratio, ofRows).sum();
      const gradient = gradientOf(logProbability, "the classifier's log probability")(y);
      const noise = yield* awaited<tf.Tensor>(model.predictedNoise(x, t));
      return noise.sub(gradient.mul(column(mapPerRow(ratio, (ratio) => scale * ratio), x)));
    })()) as Result);
}

/**
 * Classifier-free guidance (Ho & Salimans 2022, eq. 6) from two models under one SDE: score + scale · (conditional
 * score − score). `NetworkPredictor.withLabels` does the same in one batch.
 *
 * @throws {RangeError} When the scale is not finite.
 */
export function classifierFreeGuided<Result extends Awaitable<tf.Tensor>>(
  unconditional: ScoreModel<Result>,
  conditional: ScoreModel<Result>,
  scale: number,
): ScoreModel<Result> {
  requireModel("unconditional", unconditional);
  requireModel("conditional", conditional);
  requireScale(scale);
  for (const model of [unconditional, conditional]) requireScore(model, "guidance without a classifier");
  const guided = (of: (model: ScoreModel<Result>) => Pausing<tf.Tensor>) =>
    tidied((function* () {
      const plain = yield* of(unconditional);
      return plain.add((yield* of(conditional)).sub(plain).mul(scale));
    })()) as Result;
  return scoreModelFromNoise(
    unconditional.sde,
    (x, t) => guided((model) => awaited<tf.Tensor>(model.predictedNoise(x, t))),
    (unconditional.pullBack ?? conditional.pullBack) && {
      pullBack: (x, t, dy) => guided((model) => pullBackNoise(model, x, t, dy)),
    },
  );
}

/**
 * The exact classifier of a mixture's components: p(k | y) ∝ π_k N(y; μ_k, Σ_k + ν²).
 *
 * Its `logProbability` throws a RangeError when a label is not a component's index, or there is not one label for
 * each row.
 */
export function mixtureClassifier(mixture: GaussianMixture): NoisyClassifier {
  if (!(mixture instanceof GaussianMixture)) {
    throw new TypeError(`mixture must be a GaussianMixture, got ${quoted(mixture)}`);
  }
  const { components, weights } = mixture;
  return {
    classes: components.length,
    logProbability: (y, noiseRatio, labels) =>
      tf.tidy(() => {
        checkLabels(labels, components.length, y.shape[0]);
        const own = tf.stack(components.map((component) => component.logDensity(y, noiseRatio)), 1);
        const chosen = tf.oneHot(tf.tensor1d([...labels], "int32"), components.length).toFloat();
        const logWeights = tf.tensor1d(labels.map((label) => Math.log(weights[label])));
        return own.mul(chosen).sum(1).add(logWeights).sub(mixture.logDensity(y, noiseRatio));
      }),
  };
}

function requireScale(scale: number): void {
  if (!Number.isFinite(scale)) {
    throw new RangeError(`the guidance scale must be a finite number, got ${quoted(scale)}`);
  }
}
