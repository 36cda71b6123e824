/** The trained networks of this project. @module */
import type { NetworkPredictor } from "./networks/network_predictor.ts";
import { requireOptions, requireUrl } from "./input/require.ts";
import { fetchShipped, type SHIPPED_FILES } from "./input/shipped_file.ts";

/** Names of the trained noise predictors. */
export type PretrainedName = "mnist" | "mnist-likelihood" | "mnist-consistency" | "coloured-digits";

const FILES: Readonly<Record<PretrainedName, keyof typeof SHIPPED_FILES>> = {
  "mnist": "mnist.safetensors",
  "mnist-likelihood": "mnist_likelihood.safetensors",
  "mnist-consistency": "mnist_consistency.safetensors",
  "coloured-digits": "coloured_digits.safetensors",
};

/** All names that {@linkcode loadPretrained} knows. */
export const pretrainedNames: readonly PretrainedName[] = Object.keys(FILES) as PretrainedName[];

/**
 * Fetches a shipped trained network, from a file or over HTTP; call `useEngine` first. "mnist": digits [28, 28, 1] in
 * [−1, 1], with labels 0 to 9. "mnist-likelihood": the same network, trained further for likelihoods, from noise
 * ratio .0013 up. "mnist-consistency": a consistency function distilled from "mnist", which draws digits in one to
 * three evaluations with the sampler `consistency`. "coloured-digits": digits in colours, [28, 28, 3], with
 * labels 0 to 9.
 *
 * @param options.url The file's address, for hosts that serve it elsewhere; by default beside the modules.
 * @throws {RangeError} When the name is unknown.
 * @throws {TypeError} When `options.url` is not a URL.
 * @throws {Error} When the file cannot be fetched, or its SHA-256 differs from the shipped file's.
 */
export async function loadPretrained(
  name: PretrainedName,
  options: { readonly url?: string | URL } = {},
): Promise<NetworkPredictor> {
  if (!Object.hasOwn(FILES, name)) {
    throw new RangeError(`the pretrained networks are ${pretrainedNames.join(", ")}; got ${name}`);
  }
  requireOptions("options", options);
  if (options.url !== undefined) requireUrl("url", options.url);
  // Imported here, so that programs without networks do not load their modules.
  const { readModel } = await import("./networks/model_file.ts");
  const { networkPredictor } = await import("./networks/network_predictor.ts");
  const { config, weights } = readModel(await fetchShipped(FILES[name], options.url));
  return networkPredictor(config, weights);
}
