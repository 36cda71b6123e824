/** The average of several models' weights. @module */
import { requireArray } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";
import { type Model, requireModelFile } from "./model_file.ts";

/**
 * The model whose weights are the means of several models' weights, computed in float64: of models from the last part of one
 * training run it often draws better than each of them (stochastic weight averaging, Izmailov et al. 2018, eq. 2).
 *
 * @example
 * ```ts
 * import { averageModels, networkFromConfig, readModel } from "./mod.ts";
 * const average = (files: Uint8Array[]) => averageModels(files.map((bytes) => readModel(bytes)));
 * ```
 * @param models One or more models of one config.
 * @throws {RangeError} When there is none, or their configs differ.
 */
export function averageModels(models: readonly Model[]): Model {
  requireArray("models", models);
  if (models.length === 0) throw new RangeError("an average needs at least one model, got none");
  for (const model of models) requireModelFile(model);
  const { config, weights } = models[0];
  const other = models.findIndex((model) => JSON.stringify(model.config) !== JSON.stringify(config));
  if (other > 0) {
    throw new RangeError(
      `models to average must have one config, and model ${other} has ${
        quoted(JSON.stringify(models[other].config))
      } where the first has ${quoted(JSON.stringify(config))}`,
    );
  }
  const averages = new Map<string, Float32Array>();
  for (const [name, values] of weights) {
    const sums = new Float64Array(values.length);
    for (const model of models) {
      const added = model.weights.get(name)!;
      for (let i = 0; i < sums.length; i++) sums[i] += added[i];
    }
    averages.set(name, Float32Array.from(sums, (sum) => sum / models.length));
  }
  return { config, weights: averages };
}
