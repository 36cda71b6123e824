/** Draws what the hidden pixels of a digit could have been. @module */
import { dpmSolver2M, scoreModel } from "../../mod.ts";
import {
  type Known,
  linearObservation,
  maskOperator,
  posteriorScore,
  repaintSampler,
  replacementSampler,
  withExactKnownValues,
} from "../../src/conditioning/mod.ts";
import type { CompleteRequest, ImagesStep } from "../protocol.ts";
import { fromBytes } from "./bytes.ts";
import { drawImages } from "./images.ts";
import type { JobContext } from "./job.ts";
import { network } from "./networks.ts";
import { trainedVe } from "./sdes.ts";
import { tensor, tidy, tile } from "./tensors.ts";

/** Iterations of the linear solver, as `deno task inpaint` has them. */
const ITERATIONS = { pigdm: 20, mmps: 3 } as const;

/** Completes one digit several times. */
export async function complete(request: CompleteRequest, context: JobContext<ImagesStep>): Promise<null> {
  const { image, method, count, steps, seed } = request;
  const digits = await network("mnist");
  const shape = digits.network.sampleShape;
  const spread = digits.config.preconditioning!;
  const mask = Float32Array.from(request.mask, (hidden) => 1 - hidden);
  const prior = scoreModel(digits, trainedVe());
  const known = tensor(fromBytes(image), [1, ...shape]);
  const part: Known = { mask, known };
  const run = { shape, count, steps, seed, spread };
  try {
    if (method === "replacement" || method === "repaint") {
      await digits.prepare(count);
      const sampler = method === "repaint"
        ? repaintSampler(dpmSolver2M(), { ...part, resamplings: 5 })
        : replacementSampler(dpmSolver2M(), part);
      return await drawImages({ ...run, model: prior, sampler }, context);
    }
    await digits.prepare(count, { gradients: true });
    const operator = maskOperator(shape, mask);
    const seen = tidy(() => {
      const one = operator.apply(known);
      return tile(one, [count, ...one.shape.slice(1).map(() => 1)]);
    });
    try {
      const model = posteriorScore(prior, await linearObservation(operator, seen), {
        method,
        iterations: ITERATIONS[method],
        dataStd: spread.sigmaData,
      });
      return await drawImages({ ...run, model, sampler: withExactKnownValues(dpmSolver2M(), part) }, context);
    } finally {
      seen.dispose();
    }
  } finally {
    known.dispose();
  }
}
