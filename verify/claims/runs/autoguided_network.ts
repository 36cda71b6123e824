/** Claims about networks that runs draw from, guided by worse ones. @module */
import * as tf from "../../../src/compute/tf.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { noiseRatio, vpSde } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { autoguidedNetwork } from "../../../src/runs/autoguided_network.ts";
import { type SampledNetwork, sampledNetwork } from "../../../src/runs/sampled_network.ts";
import { runSampling, type SamplingRequest } from "../../../src/runs/sampling.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";
import { claim } from "../../suite/claim.ts";

/** A network that is exact for normal numbers of a standard deviation. */
function exact(std: number, shape: readonly number[] = [1]): SampledNetwork {
  const numbers = shape.reduce((product, length) => product * length, 1);
  const variances = new Array(numbers).fill(std ** 2);
  return sampledNetwork(new Gaussian({ mean: variances.map(() => 0), variances }), shape);
}

claim(
  "runs draw from the flow of an autoguided network, inside its interval, and count both networks",
  async (check) => {
    const sde = vpSde();
    const grid = { kind: "karras", steps: 6 } as const;
    const [good, bad] = [0.5, 0.9];
    const drawn = async (network: SampledNetwork, guidance: { scale: number; from: number; to: number }) => {
      const request: SamplingRequest = {
        ...{
          sde: sde.config,
          sampler: { name: "ddim", options: {} },
          grid,
          label: "none" as const,
          guidance,
          classifierScale: 0,
        },
        ...{ denoise: true, count: 3, batch: 3, seed: 4, shard: { index: 1, shards: 1 }, frames: false },
      };
      // Values as the model has them, not within those of pixels.
      const plain = { ...network, config: { ...network.config, units: { offset: [0], scale: [1] } } };
      for await (
        const { values, evaluations } of runSampling(request, { noisePredictor: plain })
      ) {
        return { values: [...values], evaluations };
      }
      throw new Error("nothing was drawn");
    };
    const everywhere = { from: 0, to: Infinity };
    const both = autoguidedNetwork(exact(good), exact(bad));
    const { values: own } = await drawn(exact(good), { scale: 1, ...everywhere });
    // DDIM's steps of y, whose predicted noise is ν y/(s² + ν²), and of good and bad the weighted sum.
    const gain = (weight: (ratio: number) => number) => {
      const noise = (s: number, ratio: number) => ratio / (s ** 2 + ratio ** 2);
      const ratios = [...timeGrid(sde, grid)].map((t) => noiseRatio(sde, t));
      return ratios.reduce((total, ratio, i) => {
        const w = weight(ratio);
        return total *
          (1 + ((ratios[i + 1] ?? 0) - ratio) * (w * noise(good, ratio) + (1 - w) * noise(bad, ratio)));
      }, 1);
    };
    const cases = [
      { what: "w = 2", guidance: { scale: 2, ...everywhere }, weight: () => 2, evaluations: 14 },
      { what: "w = 0, the bad one", guidance: { scale: 0, ...everywhere }, weight: () => 0, evaluations: 7 },
      {
        what: "w = 3 from ν = 5 to 0.5",
        guidance: { scale: 3, from: 0.5, to: 5 },
        weight: (ratio: number) => ratio >= 0.5 && ratio <= 5 ? 3 : 1,
        evaluations: 7 +
          [...timeGrid(sde, grid)].map((t) => noiseRatio(sde, t)).filter((r) => r >= 0.5 && r <= 5).length,
      },
    ];
    for (const { what, guidance, weight, evaluations } of cases) {
      const { values, evaluations: counted } = await drawn(both, guidance);
      const expected = gain(weight) / gain(() => 1);
      const worst = Math.max(...values.map((value, i) => Math.abs(value / own[i] / expected - 1)));
      check.atMost(
        `${what}: samples over those of the good network`,
        worst,
        1e-5,
        "DDIM's gains in float64; float32",
      );
      check.equal(
        `${what}: evaluations`,
        counted,
        evaluations,
        "7 levels, and two networks where w is not 0 or 1",
      );
    }
    const { evaluations } = await drawn(both, { scale: 1, ...everywhere });
    check.equal("w = 1: evaluations", evaluations, 7, "the good network's");
  },
);

claim(
  "an autoguided network gives both the labels, and a guide without classes none",
  { engines: ["wasm"] },
  async (check) => {
    const networkOf = (classes: number, change: number) => {
      const { config, weights } = smallModel();
      const changed = new Map(
        [...weights].map(([name, values]) => [name, values.map((value) => value * change)]),
      );
      return classes === 10 ? networkPredictor(config, changed) : exact(0.7, [28, 28, 1]);
    };
    const y = tf.tensor4d(Float32Array.from({ length: 2 * 784 }, (_, i) => Math.sin(i)), [2, 28, 28, 1]);
    for (const classes of [10, 0]) {
      const [network, guide] = [
        networkOf(10, 1) as SampledNetwork,
        networkOf(classes, 0.9) as SampledNetwork,
      ];
      const [a, b, both] = await Promise.all(
        [
          network.withLabels([3, 8]),
          guide.withLabels(classes === 0 ? null : [3, 8]),
          autoguidedNetwork(network, guide).withLabels([3, 8], 2.5),
        ].map(async (one) => {
          const noise = await one.predictNoise(y, 0.8);
          const values = await noise.data();
          noise.dispose();
          return values;
        }),
      );
      const worst = Math.max(...both.map((value, i) => Math.abs(value - (b[i] + 2.5 * (a[i] - b[i])))));
      check.atMost(
        `a guide of ${classes} classes`,
        worst,
        2e-5,
        "Karras et al. 2024, eq. 3, of each row's own label",
      );
      await network.dispose();
      await guide.dispose();
    }
    y.dispose();
  },
);

claim("a guide of another shape, other units, other classes or without a score is refused", async (check) => {
  const own = exact(1);
  const changed = (fields: object) => ({ ...own, ...fields }) as SampledNetwork;
  const cases: readonly (readonly [string, SampledNetwork, RegExp])[] = [
    ["shape", exact(1, [2]), /^a guide must draw samples of the network's shape, \[1\], got \[2\]$/],
    [
      "units",
      changed({ config: { preconditioning: null, units: { offset: [0], scale: [2] } } }),
      /^a guide must have been trained on data in the network's units, got others$/,
    ],
    [
      "classes",
      changed({ network: { sampleShape: [1], classes: 3 } }),
      /^a guide must have the network's 0 classes or none, got 3$/,
    ],
    [
      "consistency",
      changed({ consistency: true, withLabels: () => changed({ consistency: true }) }),
      /^autoguidance needs scores, and a consistency function has none$/,
    ],
  ];
  for (const [what, guide, message] of cases) {
    await check.throws(what, () => autoguidedNetwork(own, guide), message);
  }
});
