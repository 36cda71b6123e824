/** Trained networks that come with this project. @module */
import { type NetworkDenoiser, networkDenoiser } from "./networks/network_denoiser.ts";
import { readModel } from "./networks/model_file.ts";

/** Names of the trained networks. */
export type PretrainedName = "mnist";

const FILES: Readonly<Record<PretrainedName, string>> = { mnist: "../fixtures/mnist.safetensors" };

/**
 * Fetches a trained network that lies beside this module, from a file or over HTTP; call `useEngine` first. "mnist":
 * digits [28, 28, 1] in [−1, 1], with labels 0 to 9.
 *
 * @throws {RangeError} For an unknown name.
 * @throws {Error} When the file cannot be fetched.
 */
export async function loadPretrained(name: PretrainedName): Promise<NetworkDenoiser> {
  const file = FILES[name];
  if (file === undefined) {
    throw new RangeError(`the pretrained networks are ${Object.keys(FILES).join(", ")}; got ${name}`);
  }
  const url = new URL(file, import.meta.url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`could not fetch ${url}: ${response.status} ${response.statusText}`);
  const { config, weights } = readModel(await response.bytes());
  return networkDenoiser(config, weights);
}
