/** Draws what the hidden pixels of a digit could have been. @module */
import { dpmSolver2M, scoreModel } from "../../mod.ts";
import { linearObservation, maskOperator } from "../../src/conditioning/mod.ts";
import { DEFAULT_DPS_SCALE, DEFAULT_ITERATIONS, DEFAULT_LAMBDA } from "../../src/runs/defaults.ts";
import { conditioned, type PosteriorMethod, posteriorMethods } from "../../src/runs/posterior_method.ts";
import type { CompleteRequest, ImagesStep } from "../protocol.ts";
import { fromBytes } from "./bytes.ts";
import { drawImages } from "./images.ts";
import type { JobContext } from "./job.ts";
import { network } from "./networks.ts";
import { trainedVe } from "./sdes.ts";
import { tensor, tidy, tile } from "./tensors.ts";

/** The methods with the numbers that `deno task inpaint` has, but RePaint's and the particles, which take less time. */
const settings: { readonly [K in CompleteRequest["method"]]: PosteriorMethod & { readonly name: K } } = {
  pigdm: { name: "pigdm", iterations: DEFAULT_ITERATIONS.pigdm },
  mmps: { name: "mmps", iterations: DEFAULT_ITERATIONS.mmps },
  tmpd: { name: "tmpd" },
  dps: { name: "dps", scale: DEFAULT_DPS_SCALE },
  diffpir: { name: "diffpir", lambda: DEFAULT_LAMBDA },
  twisted: { name: "twisted", particles: 4 },
  repaint: { name: "repaint", resamplings: 5 },
  replacement: { name: "replacement" },
};

/** Completes one digit several times. */
export async function complete(request: CompleteRequest, context: JobContext<ImagesStep>): Promise<null> {
  const { image, count, steps, seed } = request;
  const method = settings[request.method];
  const digits = await network("mnist");
  const shape = digits.network.sampleShape;
  const spread = digits.config.preconditioning!;
  const mask = Float32Array.from(request.mask, (hidden) => 1 - hidden);
  const prior = scoreModel(digits, trainedVe());
  // Particles of one population may descend from one, so that each completion is of a population of its own.
  const each = method.name === "twisted" ? method.particles : 1;
  const rows = each * count;
  await digits.prepare(rows, { gradients: posteriorMethods[method.name].gradients });
  const operator = maskOperator(shape, mask);
  const known = tensor(fromBytes(image), [1, ...shape]);
  const seen = tidy(() => {
    const one = operator.apply(known);
    return tile(one, [rows, ...one.shape.slice(1).map(() => 1)]);
  });
  try {
    const run = conditioned(prior, dpmSolver2M(), method, {
      observation: await linearObservation(operator, seen),
      part: { mask, known },
      noiseStd: 0,
      dataStd: spread.sigmaData,
    });
    return await drawImages({ ...run, shape, count, each, steps, seed, spread }, context);
  } finally {
    known.dispose();
    seen.dispose();
  }
}
