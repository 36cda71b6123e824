/**
 * Whether data fit a network, and are those that a run was trained on.
 * @module
 */
import { datasetChange, type DatasetIdentity, describeSamples } from "../../src/data/identity.ts";
import { networkFromConfig } from "../../src/networks/registry.ts";
import type { Network } from "../../src/networks/network.ts";
import type { Checkpoint } from "../../src/training/checkpoint.ts";

/**
 * Throws, with one sentence that says what has changed, when data are not those that a checkpoint was trained on. For a
 * checkpoint of an older version, which does not say, only the shape and the number of classes are compared.
 * @param path The checkpoint's.
 * @param data What --data calls the data.
 */
export function checkSameData(
  path: string,
  { config, dataset }: Checkpoint,
  data: string,
  identity: DatasetIdentity,
): void {
  if (dataset === undefined) {
    checkFits(networkFromConfig(config.model.network), identity, data);
    console.error(
      `${path} is of an older version and says nothing about its images: that these are the same is not checked`,
    );
    return;
  }
  const change = datasetChange(dataset, identity);
  if (change === null) return;
  throw new Error(
    `"${data}" has changed since ${path}: ${change}; give its former state, or begin a new run with --from its model`,
  );
}

/**
 * Throws, with one sentence, when images have another shape than a network's samples or more or fewer classes.
 * @param data What --data calls the data.
 */
export function checkFits(
  network: Pick<Network, "sampleShape" | "classes">,
  { shape, classes }: DatasetIdentity,
  data: string,
): void {
  if (String(network.sampleShape) !== String(shape)) {
    throw new Error(
      `the network is for ${describeSamples(network.sampleShape)}, "${data}" has ${describeSamples(shape)}`,
    );
  }
  if (network.classes > 0 && network.classes !== classes.length) {
    throw new Error(`the network has ${network.classes} classes, "${data}" has ${classes.length}`);
  }
}
