/** Draws what the hidden pixels of a digit could have been. @module */
import { type AnyScoreModel, dpmSolver2M, type Sampler, scoreModel } from "../../mod.ts";
import {
  diffpirModel,
  dpsSampler,
  type Known,
  type LinearObservation,
  linearObservation,
  maskOperator,
  posteriorScore,
  repaintSampler,
  replacementSampler,
  twistedSampler,
  withExactKnownValues,
} from "../../src/conditioning/mod.ts";
import type { CompleteRequest, ImagesStep } from "../protocol.ts";
import { fromBytes } from "./bytes.ts";
import { drawImages } from "./images.ts";
import type { JobContext } from "./job.ts";
import { network } from "./networks.ts";
import { trainedVe } from "./sdes.ts";
import { tensor, tidy, tile } from "./tensors.ts";

/** What a method makes of a model. */
interface Conditioned {
  readonly model: AnyScoreModel;
  readonly sampler: Sampler;
}

/** What completions agree with. */
interface Condition {
  readonly prior: AnyScoreModel;
  readonly part: Known;
  readonly seen: LinearObservation;
  readonly dataStd: number;
}

/** Of one population particles may descend from one, so that each completion is of a population of its own. */
const PARTICLES = 4;

/** Methods that take no gradient of the network. */
const withoutGradient: readonly CompleteRequest["method"][] = ["replacement", "repaint", "diffpir"];

/** What each method makes of a model, with the numbers that `deno task inpaint` has, but RePaint's and the particles, which take less time. */
const methods: {
  readonly [method in CompleteRequest["method"]]: (condition: Condition) => Conditioned;
} = {
  pigdm: (condition) => posterior(condition, "pigdm", 20),
  mmps: (condition) => posterior(condition, "mmps", 3),
  tmpd: (condition) => posterior(condition, "tmpd"),
  dps: ({ prior, part, seen }) => ({
    model: prior,
    sampler: withExactKnownValues(dpsSampler(dpmSolver2M(), seen, { scale: 8 }), part),
  }),
  diffpir: ({ prior, part, seen }) => ({
    model: diffpirModel(prior, seen),
    sampler: withExactKnownValues(dpmSolver2M(), part),
  }),
  twisted: ({ prior, part, seen, dataStd }) => ({
    model: prior,
    sampler: withExactKnownValues(twistedSampler(seen, { particles: PARTICLES, dataStd }), part),
  }),
  repaint: ({ prior, part }) => ({
    model: prior,
    sampler: repaintSampler(dpmSolver2M(), { ...part, resamplings: 5 }),
  }),
  replacement: ({ prior, part }) => ({ model: prior, sampler: replacementSampler(dpmSolver2M(), part) }),
};

/** The posterior's score, and the values that are known put in. */
function posterior(
  { prior, part, seen, dataStd }: Condition,
  method: "pigdm" | "mmps" | "tmpd",
  iterations?: number,
): Conditioned {
  return {
    model: posteriorScore(prior, seen, { method, iterations, dataStd }),
    sampler: withExactKnownValues(dpmSolver2M(), part),
  };
}

/** Completes one digit several times. */
export async function complete(request: CompleteRequest, context: JobContext<ImagesStep>): Promise<null> {
  const { image, method, count, steps, seed } = request;
  const digits = await network("mnist");
  const shape = digits.network.sampleShape;
  const spread = digits.config.preconditioning!;
  const mask = Float32Array.from(request.mask, (hidden) => 1 - hidden);
  const prior = scoreModel(digits, trainedVe());
  const each = method === "twisted" ? PARTICLES : 1;
  await digits.prepare(count * each, { gradients: !withoutGradient.includes(method) });
  const operator = maskOperator(shape, mask);
  const known = tensor(fromBytes(image), [1, ...shape]);
  const values = tidy(() => {
    const one = operator.apply(known);
    return tile(one, [count * each, ...one.shape.slice(1).map(() => 1)]);
  });
  try {
    const seen = await linearObservation(operator, values);
    const run = methods[method]({ prior, part: { mask, known }, seen, dataStd: spread.sigmaData });
    return await drawImages({ ...run, shape, count, each, steps, seed, spread }, context);
  } finally {
    known.dispose();
    values.dispose();
  }
}
