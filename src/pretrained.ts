/** Trained networks that come with this project. @module */
import { type NetworkDenoiser, networkDenoiser } from "./networks/network_denoiser.ts";
import { readModel } from "./networks/model_file.ts";
import { NoisyDigitClassifier, readNoisyClassifier } from "./networks/noisy_classifier.ts";

/** Names of the trained denoisers. */
export type PretrainedName = "mnist" | "mnist-likelihood" | "coloured-digits";

const FILES: Readonly<Record<PretrainedName, string>> = {
  "mnist": "../fixtures/mnist.safetensors",
  "mnist-likelihood": "../fixtures/mnist_likelihood.safetensors",
  "coloured-digits": "../fixtures/coloured_digits.safetensors",
};

/** All names that {@linkcode loadPretrained} knows. */
export const pretrainedNames: readonly PretrainedName[] = Object.keys(FILES) as PretrainedName[];

/**
 * Fetches a trained network that lies beside this module, from a file or over HTTP; call `useEngine` first. "mnist":
 * digits [28, 28, 1] in [−1, 1], with labels 0 to 9. "mnist-likelihood": the same, trained on from there for likelihoods,
 * from noise ratio .0013 on. "coloured-digits": digits in colours, [28, 28, 3], without labels.
 *
 * @throws {RangeError} For an unknown name.
 * @throws {Error} When the file cannot be fetched.
 */
export async function loadPretrained(name: PretrainedName): Promise<NetworkDenoiser> {
  if (!Object.hasOwn(FILES, name)) {
    throw new RangeError(`the pretrained networks are ${pretrainedNames.join(", ")}; got ${name}`);
  }
  const { config, weights } = readModel(await fetchBeside(FILES[name]));
  return networkDenoiser(config, weights);
}

/**
 * Fetches the classifier of noisy digits that lies beside this module; call `useEngine` first.
 *
 * @throws {Error} When the file cannot be fetched.
 */
export async function loadNoisyClassifier(): Promise<NoisyDigitClassifier> {
  return new NoisyDigitClassifier(
    readNoisyClassifier(await fetchBeside("../fixtures/noisy_classifier.safetensors")),
  );
}

async function fetchBeside(file: string): Promise<Uint8Array> {
  const url = new URL(file, import.meta.url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`could not fetch ${url}: ${response.status} ${response.statusText}`);
  return await response.bytes();
}
