/** Draws colours for a grey digit. @module */
import { dpmSolver2M, scoreModel } from "../../mod.ts";
import { greyBasis, greyMask, replacementSampler } from "../../src/conditioning/mod.ts";
import type { ColourRequest, ImagesStep } from "../protocol.ts";
import { fromBytes } from "./bytes.ts";
import { drawImages } from "./images.ts";
import type { JobContext } from "./job.ts";
import { network } from "./networks.ts";
import { trainedVe } from "./sdes.ts";
import { tensor } from "./tensors.ts";

/** Colours one digit several times, by Song et al.'s replacement in the basis of grey and two colours. */
export async function colour(request: ColourRequest, context: JobContext<ImagesStep>): Promise<null> {
  const { image, count, steps, seed } = request;
  const digits = await network("coloured-digits");
  const shape = digits.network.sampleShape;
  await digits.prepare(count);
  const grey = fromBytes(image);
  const known = tensor(Float32Array.from({ length: 3 * grey.length }, (_, at) => grey[Math.floor(at / 3)]), [
    1,
    ...shape,
  ]);
  try {
    const sampler = replacementSampler(dpmSolver2M(), { mask: greyMask(shape), known, basis: greyBasis() });
    const spread = digits.config.preconditioning!;
    return await drawImages(
      { model: scoreModel(digits, trainedVe()), sampler, shape, count, steps, seed, spread },
      context,
    );
  } finally {
    known.dispose();
  }
}
