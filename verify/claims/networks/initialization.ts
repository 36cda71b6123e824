/**
 * How networks start: weights with the variance of their fan-in, gains of one, offsets and last layers of zero.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import { NETWORK_PRESETS, type NetworkConfig, networkFromConfig } from "../../../src/networks/registry.ts";
import type { ParameterSpec } from "../../../src/networks/network.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { checkUniform, checkVariance, standardNormalCdf } from "../../instruments/statistics.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const networks: Record<string, NetworkConfig> = {
  digits: NETWORK_PRESETS.digits,
  attending: { ...NETWORK_PRESETS.digits, attention: [7] },
  tutorial: NETWORK_PRESETS.tutorial,
  mlp: { kind: "mlp", dimensions: 2, hidden: 16, layers: 2, noiseFeatures: 8, classes: 3 },
};

/** Layers that begin with output 0: each residual branch's last, FiLM, and the head. */
const zeroLayers = /(conv2|film|attention\.project|head\.conv|^head)\.weight$/;

/** Numbers that one output is a sum of. */
function fanIn({ name, shape }: ParameterSpec, kind: string): number {
  if (shape.length === 2) return shape[0];
  const transposed = kind === "tutorial" && name.startsWith("up.");
  return shape[0] * shape[1] * shape[transposed ? 3 : 2];
}

claim(
  "weights start with the variance that keeps their layer's outputs at one, gains at 1, the rest at 0",
  (check) => {
    for (const [title, config] of Object.entries(networks)) {
      const network = networkFromConfig(config);
      const wrong: string[] = [];
      for (const spec of network.parameters) {
        const [, last] = /([^.]+)$/.exec(spec.name)!;
        const isNorm = /norm\d?\.[a-z]+$/.test(spec.name);
        const zero = last === "bias" || (config.kind !== "tutorial" && zeroLayers.test(spec.name));
        const std = isNorm || zero ? 0 : 1 / Math.sqrt(fanIn(spec, config.kind));
        const mean = isNorm && last === "weight" ? 1 : 0;
        if (spec.mean !== mean || Math.abs(spec.std - std) > 1e-12) {
          wrong.push(
            `${spec.name} N(${spec.mean}, ${spec.std}²)`,
          );
        }
      }
      check.equal(
        `${title}: other starts`,
        wrong,
        [],
        "LeCun's 1/√(fan-in); residual branches begin as nothing",
      );
    }
  },
);

claim(
  "each parameter's initial values have their distribution, independent of every other parameter's",
  (check) => {
    for (const [title, config] of Object.entries(networks)) {
      if (title === "attending") continue;
      const network = networkFromConfig(config);
      const values = network.initialise(createRng(check.seed));
      const standard: number[] = [];
      const first = new Set<number>();
      let drawn = 0;
      for (const { name, mean, std } of network.parameters) {
        const own = values.get(name)!;
        if (std === 0) {
          check.holds(`${title}: ${name}`, own.every((value) => value === mean), `all ${mean}`);
          continue;
        }
        drawn++;
        first.add((own[0] - mean) / std);
        for (let i = 0; i < own.length; i += Math.ceil(own.length / 500)) {
          standard.push(
            (own[i] - mean) / std,
          );
        }
      }
      const z = Float64Array.from(standard);
      checkUniform(check, `${title}: distribution`, z.map(standardNormalCdf), "N(mean, std²)");
      const squares = z.reduce((sum, value) => sum + value * value, 0) / z.length;
      checkVariance(check, `${title}: variance`, squares, 1, z.length, "N(mean, std²)");
      check.equal(`${title}: different first numbers`, first.size, drawn, "a fork for each name");
    }
  },
);
