/** Draws digits from noise, step by step. @module */
import {
  createRng,
  type NetworkPredictor,
  type NoisePredictor,
  noiseRatio,
  sample,
  samplerByName,
  samplerInfo,
  scoreModel,
  type Tensor,
} from "../../mod.ts";
import type { DrawRequest, DrawStep } from "../protocol.ts";
import { noisyBytes, toBytes } from "./bytes.ts";
import type { JobContext } from "./job.ts";
import { network } from "./networks.ts";
import { namedSde } from "./sdes.ts";
import { keep, tensor, tidy } from "./tensors.ts";

/** Where guidance is on: the interval of noise ratios that is best for the shipped network. */
const GUIDED = { from: 0.6, to: 6 } as const;
/** The data's spread, of a network that does not say. */
const SPREAD = { sigmaData: 0.6, centre: -0.7 } as const;

/** Draws digits; a request's numbers are checked by the library that they reach. */
export async function draw(
  request: DrawRequest,
  { step: tell, signal }: JobContext<DrawStep>,
): Promise<null> {
  const { sampler: name, count, seed, steps } = request;
  const { kind, grid } = samplerInfo(name);
  const consistent = kind === "consistency";
  const digits = await network(consistent ? "mnist-consistency" : "mnist");
  const sde = namedSde(request.sde);
  const rng = createRng(seed);
  const shape = [count, ...digits.network.sampleShape];
  const given = labelled(digits, request, consistent);
  await given.prepare(count);
  const watched = new WatchedPredictor(given);
  const spread = digits.config.preconditioning ?? SPREAD;
  const run = sample(scoreModel(watched, sde), samplerByName(name), {
    shape,
    grid: { ...grid, steps: steps ?? grid.steps },
    rng,
    signal,
  });
  try {
    let before = performance.now();
    for await (const { step, steps, time, x, evaluations, done } of run) {
      const values = await x.data<"float32">();
      if (done) x.dispose();
      const ratio = done ? 0 : noiseRatio(sde, time);
      const state = done ? toBytes(values) : noisyBytes(values, sde.alpha(time), ratio, spread);
      const guess = await watched.takeGuess();
      const milliseconds = performance.now() - before;
      await tell({ step, steps, noiseRatio: ratio, state, guess, milliseconds, evaluations });
      before = performance.now();
    }
  } finally {
    watched.dispose();
  }
  return null;
}

/** The network under the request's label; the consistency function has its teacher's guidance in it. */
function labelled(digits: NetworkPredictor, request: DrawRequest, consistent: boolean): NetworkPredictor {
  const { label, guidance, count, seed } = request;
  const uniforms = createRng(seed).fork("labels").uniformValues([count, 1]);
  const labels = label ?? Array.from(uniforms, (u) => Math.floor(u * digits.network.classes));
  return consistent ? digits.withLabels(labels) : digits.withLabels(labels, { scale: guidance, ...GUIDED });
}

/** A noise predictor that keeps what its last prediction takes the clean data for: y − ν ε̂. */
class WatchedPredictor implements NoisePredictor {
  readonly consistency?: true;
  #guess: Tensor | null = null;

  constructor(readonly inner: NoisePredictor) {
    if (inner.consistency) this.consistency = true;
  }

  predictNoise(y: Tensor, ratio: number | Float64Array): Tensor {
    const noise = this.inner.predictNoise(y, ratio);
    this.dispose();
    this.#guess = tidy(() => {
      const ratios = typeof ratio === "number"
        ? ratio
        : tensor(Float32Array.from(ratio), [ratio.length, ...y.shape.slice(1).map(() => 1)]);
      return keep(y.sub(noise.mul(ratios)) as Tensor);
    });
    return noise;
  }

  /** Its bytes; null before the first prediction. */
  async takeGuess(): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#guess === null ? null : toBytes(await this.#guess.data<"float32">());
  }

  dispose(): void {
    this.#guess?.dispose();
    this.#guess = null;
  }
}
