/** The shipped networks, each fetched once. @module */
import { loadPretrained, type NetworkPredictor, type PretrainedName } from "../../mod.ts";

const loaded = new Map<PretrainedName, Promise<NetworkPredictor>>();

/** A shipped network; one that did not come is asked for again the next time. */
export function network(name: PretrainedName): Promise<NetworkPredictor> {
  const found = loaded.get(name) ?? loadPretrained(name);
  loaded.set(name, found);
  found.catch(() => loaded.delete(name));
  return found;
}
