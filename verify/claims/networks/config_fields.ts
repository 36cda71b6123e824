/** Every field of the networks' configs: left out, of another type, or unknown, it is refused by name. @module */
import { readModel, writeModel } from "../../../src/networks/model_file.ts";
import { NETWORK_PRESETS, type NetworkConfig, networkFromConfig } from "../../../src/networks/registry.ts";
import type { Network } from "../../../src/networks/network.ts";
import { readSafetensors, writeSafetensors } from "../../../src/networks/safetensors.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { claim } from "../../suite/claim.ts";
import { perceptron, small } from "../../problems/small_networks.ts";
import { changed, errorOf, type Json, pathsOf } from "../../instruments/json_fields.ts";

claim(
  "each field of a network's config in a file is refused by name where it is missing, unknown or of another type",
  (check) => {
    const narrow = {
      ...NETWORK_PRESETS.tutorial,
      ...{ widths: [32, 32, 32, 32], embedding: 4, frequencies: [0.5, 30], unitRange: true },
    } as NetworkConfig;
    const networks: [string, NetworkConfig, string[]][] = [
      ["U-Net", { ...small, noiseConditional: true, wavePeriods: [1] }, ["noiseConditional", "wavePeriods"]],
      ["tutorial", narrow, ["frequencies", "unitRange"]],
      ["perceptron", perceptron, []],
    ];
    for (const [what, network, optional] of networks) {
      const config = { network, preconditioning: { sigmaData: 0.5, centre: 0.25 } };
      const weights = (networkFromConfig(network) as Network).initialise(createRng(1));
      const whole = readSafetensors(writeModel({ config, weights }));
      const bytesOf = (model: Json) =>
        writeSafetensors({
          tensors: whole.tensors,
          metadata: { ...whole.metadata, model: JSON.stringify(model) },
        });
      const given = JSON.parse(whole.metadata.model) as Json;
      check.equal(`${what}: as written`, readModel(bytesOf(given)).config, config, "its header");
      for (const path of pathsOf(given)) {
        const name = path.at(-1)!;
        const left = errorOf(() => readModel(bytesOf(changed(given, path, undefined))));
        // Without its waves the network has other parameters, which the file has, too: they are left over.
        const expected = optional.includes(name)
          ? /^no error$/
          : new RegExp(`^the model's config cannot be used: .*\\bno ${name}$`);
        check.holds(
          `${what} without ${path.join(".")}: ${left}`,
          expected.test(left),
          "a field that must be there",
        );
        for (const other of [{}, "1", ["a"]]) {
          const error = errorOf(() => readModel(bytesOf(changed(given, path, other))));
          check.holds(
            `${what}: ${path.join(".")} is ${JSON.stringify(other)}: ${error}`,
            /^the model's config cannot be used: /.test(error),
            "of another type",
          );
        }
      }
      for (const path of [["colour"], ["network", "colour"], ["preconditioning", "colour"]]) {
        const error = errorOf(() => readModel(bytesOf(changed(given, path, 1))));
        check.holds(
          `${what} with ${path.join(".")}: ${error}`,
          /unknown field "colour"/.test(error),
          "a misspelt name",
        );
      }
      check.equal(
        `${what} without preconditioning`,
        readModel(bytesOf({ ...given, preconditioning: null })).config.preconditioning,
        null,
        "ε̂ itself",
      );
      check.equal(
        `${what} as a consistency function`,
        readModel(bytesOf({ ...given, consistency: true })).config.consistency,
        true,
        "its header",
      );
      const error = errorOf(() => readModel(bytesOf({ ...given, consistency: false })));
      check.holds(
        `${what}: consistency false: ${error}`,
        /its consistency must be true or absent, got false$/.test(error),
        "true or absent",
      );
    }
  },
);
