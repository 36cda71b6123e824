/** Counts the bits that a picture takes under the network of digits. @module */
import { createRng, type NoisePredictor, scoreModel, type Tensor, withMinimumNoise } from "../../mod.ts";
import {
  bitsPerDimension,
  continuousElbo,
  decoderNats,
  logLikelihood,
  truncatedNormalDequantize,
  unitWidthBin,
} from "../../src/likelihood/mod.ts";
import type { BitsRequest, BitsResult, BitsStep } from "../protocol.ts";
import { fromBytes } from "./bytes.ts";
import type { JobContext } from "./job.ts";
import { network } from "./networks.ts";
import { pause } from "./pause.ts";
import { trainedVe } from "./sdes.ts";
import { grad, tensor } from "./tensors.ts";

/** The noise ratio at which likelihoods are taken, as `deno task likelihood` has it. */
const LEAST_NOISE = 0.0013;
/** Noise levels of the bound for one step of the flow, which costs about as much. */
const LEVELS_A_STEP = 4;

/** Bits per dimension by the probability flow, or bounded by the likelihood-weighted loss. */
export async function bits(
  request: BitsRequest,
  { step: tell, signal }: JobContext<BitsStep>,
): Promise<BitsResult> {
  const digits = await network("mnist-likelihood");
  const shape = [1, ...digits.network.sampleShape];
  const size = request.image.length;
  await digits.prepare(1, { gradients: request.method === "flow" });
  const before = performance.now();
  const calls = LEVELS_A_STEP * request.steps;
  const counted = new CountedPredictor(digits, async (calls_) => {
    signal.throwIfAborted();
    await tell({ step: Math.min(calls_, calls), steps: calls });
  });
  const model = scoreModel(counted, withMinimumNoise(trainedVe(), LEAST_NOISE));
  const rng = createRng(request.seed);
  const finished = (value: Pick<BitsResult, "bits" | "error">) => ({
    ...value,
    evaluations: counted.calls,
    milliseconds: performance.now() - before,
  });
  if (request.method === "bound") {
    const x0 = tensor(fromBytes(request.image), shape);
    try {
      const { bound, variance } = await continuousElbo(model, x0, { rng, draws: calls });
      const inBits = size * Math.LN2;
      return finished({
        bits: bound[0] / inBits + decoderNats(model.sde) / Math.LN2,
        error: Math.sqrt(variance[0] / calls) / inBits,
      });
    } finally {
      x0.dispose();
    }
  }
  const { x, logDensity: logNoise } = truncatedNormalDequantize(
    request.image,
    shape,
    rng.fork("dequantization"),
    model.sde,
  );
  try {
    const { logDensity } = await logLikelihood(model, x, {
      trace: { rng: rng.fork("probes"), probes: 1 },
      method: { kind: "rk4", grid: { kind: "log-snr", steps: request.steps } },
      signal,
    });
    return finished({ bits: bitsPerDimension(logDensity[0] - logNoise[0], size, unitWidthBin), error: null });
  } finally {
    x.dispose();
  }
}

/** A noise predictor that counts its predictions, and lets messages in before each. */
class CountedPredictor implements NoisePredictor<Promise<Tensor>> {
  calls = 0;

  constructor(readonly inner: NoisePredictor, readonly called: (calls: number) => Promise<void>) {}

  async predictNoise(y: Tensor, noiseRatio: number | Float64Array): Promise<Tensor> {
    this.calls++;
    await this.called(this.calls);
    return this.inner.predictNoise(y, noiseRatio);
  }

  async pullBack(y: Tensor, noiseRatio: number | Float64Array, dy: Tensor): Promise<Tensor> {
    await pause();
    return grad((y: Tensor) => this.inner.predictNoise(y, noiseRatio))(y, dy);
  }
}
