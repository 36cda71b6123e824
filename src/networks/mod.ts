/**
 * Networks that predict noise, and their files: a U-Net, the network of Song's tutorial, a perceptron; safetensors
 * and ONNX.
 *
 * @example A small network on pairs of numbers, written and read again
 * ```ts
 * import { createRng, useEngine } from "../../mod.ts";
 * import { networkFromConfig, networkPredictor, readModel, writeModel } from "./mod.ts";
 * await useEngine("wasm");
 * const network = { kind: "mlp", dimensions: 2, hidden: 32, layers: 2, noiseFeatures: 8, classes: 0 } as const;
 * const weights = networkFromConfig(network).initialise(createRng(0));
 * const file = writeModel({ config: { network, preconditioning: null }, weights });
 * const model = readModel(file);
 * const noise = networkPredictor(model.config, model.weights).predictNoise(createRng(1).normal([4, 2]), 0.5);
 * console.assert(String(noise.shape) === "4,2");
 * ```
 * @module
 */

// Networks by their configs.
export { NETWORK_PRESETS, type NetworkConfig, networkFromConfig } from "./registry.ts";
export { unet, type UNetConfig } from "./unet.ts";
export { type TutorialConfig, tutorialNetwork } from "./tutorial.ts";
export { mlp, type MlpConfig } from "./mlp.ts";
export { type Network, type Parameters, type ParameterSpec, unflatten, type Weights } from "./network.ts";

// Networks as noise predictors.
export {
  type Labels,
  type NetworkPredictor,
  networkPredictor,
  type PrepareOptions,
} from "./network_predictor.ts";
export { autoguided } from "./autoguidance.ts";
export type { Guidance } from "./guidance_interval.ts";
export type { ModelConfig } from "./noise_prediction.ts";
export type { Preconditioning } from "../diffusion/preconditioning.ts";

// Files.
export { type Model, readModel, writeModel } from "./model_file.ts";
export { averageModels } from "./average.ts";
export { modelFromStateDict, stateDict, type StateDictNames, type StateDictOptions } from "./state_dict.ts";
export {
  type NamedTensor,
  readSafetensors,
  type Safetensors,
  type StorageType,
  writeSafetensors,
} from "./safetensors.ts";
export { exportOnnx } from "./onnx_export.ts";
