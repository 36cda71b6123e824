/** What the digits of the small network are measured against, computed once for each number of digits. @module */
import { readClassifier } from "../../src/classifiers/digit_classifier.ts";
import type { NetworkPredictor } from "../../src/networks/network_predictor.ts";
import { openQualityReference, type QualityReference } from "../../src/runs/evaluation.ts";
import type { smallMnist } from "./small_mnist.ts";

/** What gives, for `count` digits of a network, the reference by the shipped classifier and digits in the stead of MNIST's. */
export function referencesOf(
  sets: ReturnType<typeof smallMnist>,
): (noisePredictor: NetworkPredictor, count: number) => Promise<QualityReference> {
  const known = new Map<number, Promise<QualityReference>>();
  const opened = async (noisePredictor: NetworkPredictor, count: number) => {
    const file = new URL("../../fixtures/models/classifier.safetensors", import.meta.url);
    return await openQualityReference(noisePredictor, readClassifier(await Deno.readFile(file)), sets, count);
  };
  return (noisePredictor, count) => {
    const reference = known.get(count) ?? opened(noisePredictor, count);
    known.set(count, reference);
    return reference;
  };
}
