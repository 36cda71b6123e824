/** Digits of given classes, as a picture. @module */
import type { Engine } from "../compute/engine.ts";
import { checkFields } from "../input/fields.ts";
import { quoted } from "../input/quoted.ts";
import { isList } from "../input/require.ts";
import { sizeOf } from "../math/shape.ts";
import { DEFAULT_GUIDANCE, DEFAULT_SAMPLER, defaultSampling, MOST_CONSISTENCY_STEPS } from "./defaults.ts";
import { type DigitsOptions, DrawnImages, followCall } from "./drawn_pictures.ts";
import { samplePicture, samplingTitle } from "./sample_picture.ts";
import type { SampledNetwork } from "./sampled_network.ts";
import { runSampling } from "./sampling.ts";

/** What computes. */
export interface CallParts {
  /** The network. */
  readonly noisePredictor: SampledNetwork;
  /** The engine. */
  readonly engine: Engine;
}

/** The network that draws unasked: the consistency function, unless guidance or more steps than it has levels for need a score. */
export function networkOfDigits({ guidance, steps = 1 }: DigitsOptions): "mnist" | "mnist-consistency" {
  return guidance === undefined && steps <= MOST_CONSISTENCY_STEPS ? "mnist-consistency" : "mnist";
}

/** Digits of given classes, by consistency sampling from a consistency function and by the default sampler from others. */
export async function drawDigitPicture(
  options: DigitsOptions,
  { noisePredictor, engine }: CallParts,
): Promise<DrawnImages> {
  checkFields("options", options as unknown, [], ["labels", "guidance", "seed", "steps", "signal", "onStep"]);
  const consistent = noisePredictor.consistency !== undefined;
  const { guidance = consistent ? 1 : DEFAULT_GUIDANCE.scale } = options;
  const sampling = defaultSampling(options.steps, consistent ? "consistency" : DEFAULT_SAMPLER);
  const { steps } = sampling.grid;
  const labels = readLabels(options.labels);
  const count = labels.length;
  const batch = Math.min(16, count);
  const onStep = followCall(options, { steps, batches: Math.ceil(count / batch) });
  const request = {
    ...sampling,
    label: labels,
    guidance: { ...DEFAULT_GUIDANCE, scale: guidance },
    classifierScale: 0,
    denoise: true,
    count,
    batch,
    seed: options.seed ?? 0,
    shard: { index: 1, shards: 1 },
    frames: false,
  } as const;
  const { sampleShape } = noisePredictor.network;
  const values = new Float32Array(count * sizeOf(sampleShape));
  for await (const drawn of runSampling(request, { noisePredictor, engine, onStep })) {
    values.set(drawn.values, drawn.first * sizeOf(sampleShape));
  }
  const shape = [count, ...sampleShape];
  const title = samplingTitle({ ...request, label: labels }, request.sde.kind);
  return new DrawnImages(samplePicture(values, shape, { title, labels }), { values, shape, labels });
}

/** @throws {RangeError | TypeError} Unless the labels are some digits. */
function readLabels(labels: unknown = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]): number[] {
  const list: unknown[] = isList(labels) ? Array.from(labels as ArrayLike<unknown>) : [labels];
  if (list.length === 0 || list.length > 10_000) {
    throw new RangeError(`labels must be 1 to 10000 digits, got ${list.length}`);
  }
  const wrong = list.findIndex((label) => !Number.isInteger(label) || Number(label) < 0 || Number(label) > 9);
  if (wrong >= 0) throw new RangeError(`labels must be digits from 0 to 9, got ${quoted(list[wrong])}`);
  return list as number[];
}
