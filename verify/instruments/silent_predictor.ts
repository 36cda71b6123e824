/** Noise predictors that stand where a network's stands, and whose likelihoods are known in closed form. @module */
import type { NetworkPredictor } from "../../src/networks/network_predictor.ts";

/** Predicts no noise, whatever it is given: the probability flow of an SDE without drift stands still. */
export function silentPredictor(sampleShape: readonly number[]): NetworkPredictor {
  const predictor: Partial<NetworkPredictor> = {
    network: { sampleShape, classes: 0 } as unknown as NetworkPredictor["network"],
    predictNoise: (y) => y.mul(0),
    prepare: () => Promise.resolve(),
    withLabels: () => predictor as NetworkPredictor,
    calls: () => 1,
    dispose: () => {},
  };
  return predictor as NetworkPredictor;
}
