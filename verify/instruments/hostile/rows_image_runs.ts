/** Rows of runs that measure images: requests of plain data and what carries them out. @module */
import * as m from "./exported.ts";
import { callable, list, number, optional, options, positive, type Rows, thing, whole } from "./argument.ts";
import { smallModel } from "../small_checkpoint.ts";

const images = m.proceduralDigits(3, m.createRng(4));
const parts = {
  noisePredictor: thing(() => {
    const { config, weights } = smallModel();
    return m.networkPredictor(config, weights);
  }),
  images: thing(() => images),
};
const measured = {
  limit: whole(3, 1),
  batch: whole(2, 1),
  seed: whole(3, 0, Number.MAX_SAFE_INTEGER),
};
/** A noise ratio at which a flow begins, below that at its end. */
const minNoise = number(0.1, (v) => v > 0 && v < 10);
/** Or null for the SDE's own start. */
const ownStart = { ...minNoise, allows: (v: unknown) => v === null || minNoise.allows(v) };

export const imageRunRows: Rows = {
  runLikelihood: {
    arguments: [
      options({
        sde: thing(() => ({ kind: "ve", sigmaMin: 0.01, sigmaMax: 10 })),
        minNoise: ownStart,
        method: options({ kind: thing(() => "elbo"), draws: whole(2, 2, 10_000) }),
        ...measured,
      }),
      options({ ...parts, onBatch: optional(callable(() => () => {})) }),
    ],
  },
  "runLikelihood by the flow": {
    call: m.runLikelihood,
    arguments: [
      options({
        sde: thing(() => ({ kind: "vp", betaMin: 0.1, betaMax: 20 })),
        minNoise: ownStart,
        method: options({
          kind: thing(() => "rk4"),
          steps: whole(1, 1, 10_000),
          probes: whole(1, 1, 1000),
          dequantization: thing(() => "uniform"),
        }),
        ...measured,
      }),
      options(parts),
    ],
  },
  runElbo: {
    arguments: [
      options({
        betas: list(() => [0.1, 0.2, 0.3], number(0.1, (v) => v > 0 && v < 1)),
        variances: thing(() => "learned"),
        ...measured,
        batch: whole(2, 1, 3),
      }),
      options({
        ...parts,
        training: thing(() => images),
        onStep: optional(callable(() => () => {})),
      }),
    ],
  },
  runInterpolation: {
    arguments: [
      options({
        images: list(() => [2, 0], whole(1, 1, 2)),
        between: whole(1, 1, 64),
        sde: thing(() => ({ kind: "ve", sigmaMin: 0.01, sigmaMax: 10 })),
        minNoise,
        tolerance: number(0.5, (v) => v >= 1e-9 && v <= 1),
      }),
      options(parts),
    ],
  },
  runNcsnSchedule: {
    arguments: [
      options({
        kind: thing(() => "ncsnv2"),
        limit: { ...whole(2, 2), allows: (v) => v === null || whole(2, 2).allows(v) },
        smallest: positive(0.01),
        overlap: number(0.5, (v) => v > 0 && v < 0.99),
        stepsPerLevel: whole(5, 1),
      }),
      options({ images: parts.images, onProgress: optional(callable(() => () => {})) }),
    ],
  },
  "runNcsnSchedule as published": {
    call: m.runNcsnSchedule,
    arguments: [
      options({ kind: thing(() => "ncsn"), stepsPerLevel: whole(5, 1) }),
      options({ images: parts.images }),
    ],
  },
};
