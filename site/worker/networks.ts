/** The shipped networks, each fetched once: their files while the engine opens, and made into tensors when it is there. @module */
import { type NetworkPredictor, networkPredictor, readModel } from "../../src/networks/mod.ts";

/** Where the networks are; bundles have the files beside the code. */
const FILES = {
  "mnist": new URL("../../fixtures/models/mnist.safetensors", import.meta.url),
  "mnist-consistency": new URL("../../fixtures/models/mnist_consistency.safetensors", import.meta.url),
  "mnist-likelihood": new URL("../../fixtures/models/mnist_likelihood.safetensors", import.meta.url),
  "coloured-digits": new URL("../../fixtures/models/coloured_digits.safetensors", import.meta.url),
} as const;

/** A network's name. */
export type NetworkName = keyof typeof FILES;

const files = new Map<NetworkName, Promise<Uint8Array>>();
const networks = new Map<NetworkName, Promise<NetworkPredictor>>();

/** Begins to fetch a network's file; one that did not come is asked for again the next time. */
export function fetchNetwork(name: NetworkName): Promise<Uint8Array> {
  const found = files.get(name) ?? fetchFile(FILES[name]);
  files.set(name, found);
  found.catch(() => files.delete(name));
  return found;
}

/** A network on the engine that is open. */
export function network(name: NetworkName): Promise<NetworkPredictor> {
  const found = networks.get(name) ?? open(name);
  networks.set(name, found);
  found.catch(() => networks.delete(name));
  return found;
}

async function open(name: NetworkName): Promise<NetworkPredictor> {
  const { config, weights } = readModel(await fetchNetwork(name));
  return networkPredictor(config, weights);
}

async function fetchFile(url: URL): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`the network at ${url} did not come: ${response.status} ${response.statusText}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
