/**
 * What NCSNv2 computes from data (Song & Ermon 2020): the largest distance, the overlap of levels, the step size; and that the
 * sampler does with a plan what the plan says.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { imageSize } from "../../../src/data/dataset.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { largestDistance } from "../../../src/data/largest_distance.ts";
import {
  bestLangevinStep,
  geometricLevels,
  levelOverlap,
  ncsnSchedule,
  ratioOfOverlap,
  varianceAfter,
} from "../../../src/diffusion/ncsn_levels.ts";
import { drawNoiseLevels } from "../../../src/objectives/denoising.ts";
import { annealedLangevin } from "../../../src/samplers/annealed_langevin.ts";
import { veSde } from "../../../src/diffusion/sde.ts";
import { unet } from "../../../src/networks/unet.ts";
import { DIGITS } from "../../../src/networks/registry.ts";
import { type NetworkPredictor, networkPredictor } from "../../../src/networks/network_predictor.ts";
import { claim } from "../../suite/claim.ts";
import { impulseResponse, outputVariance } from "../../instruments/impulse_response.ts";
import { checkProportion, chiSquareProbability } from "../../instruments/statistics.ts";

claim("the largest distance between images is that of a search through all pairs", async (check) => {
  const dataset = proceduralDigits(1_300, createRng(check.seed));
  const size = imageSize(dataset);
  let [best, pair] = [0, ""];
  for (let i = 0; i < dataset.count; i++) {
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let k = 0; k < size; k++) {
        sum += (dataset.images[i * size + k] - dataset.images[j * size + k]) ** 2;
      }
      if (sum > best) [best, pair] = [sum, `${j} ${i}`];
    }
  }
  const found = await largestDistance(dataset);
  check.within(
    "distance",
    found.distance,
    Math.sqrt(best) / 255,
    1e-12,
    "brute force over all pairs, float64",
  );
  check.equal(
    "pair",
    [...found.pair].sort((a, b) => a - b).join(" "),
    pair,
    "brute force; more than one block of images",
  );
  // 1,100 images far out along an axis each, one farther out, and one opposite to that and near the mean: the farthest pair is of
  // the outermost image and the innermost, which no block has together.
  const count = 1_102;
  const crossed = {
    ...dataset,
    count,
    shape: [count, 1, 1] as const,
    images: new Uint8Array(count * count).fill(128),
  };
  for (let i = 0; i < count - 2; i++) crossed.images[i * count + i + 2] += 90;
  crossed.images[(count - 2) * count] += 100;
  crossed.images[(count - 1) * count] -= 60;
  const across = await largestDistance(crossed);
  check.equal(
    "pair of two blocks",
    [...across.pair].sort((a, b) => a - b),
    [count - 2, count - 1],
    "160 apart; all others less than 135",
  );
  check.within("their distance", across.distance, 160 / 255, 1e-12, "100 + 60 levels of 255");
  const two = { ...dataset, count: 2, images: dataset.images.subarray(0, 2 * size) };
  check.equal("two images", [...(await largestDistance(two)).pair].sort(), [0, 1], "the only pair");
  await check.throws(
    "one image",
    () => largestDistance({ ...dataset, count: 1 }),
    /at least two images, got 1/,
  );
});

claim(
  "the overlap of two noise levels is the probability that χ's distribution gives",
  (check) => {
    for (const dimension of [784, 3072]) {
      for (const ratio of [1.02, 1.05, 1.1]) {
        // The norm of σ_i's noise is σ_i χ_D; three standard deviations σ_{i−1}/√2 around σ_{i−1} √D.
        const edge = (side: number) => ((Math.sqrt(dimension) + side * 3 / Math.SQRT2) * ratio) ** 2;
        const exact = chiSquareProbability(edge(1), dimension) - chiSquareProbability(edge(-1), dimension);
        check.within(
          `D = ${dimension}, γ = ${ratio}`,
          levelOverlap(ratio, dimension),
          exact,
          0.02,
          "χ distribution; its normal limit, proposition 2, is off by O(1/√D) = .018 for D = 3072 at most",
        );
      }
      const ratio = ratioOfOverlap(0.5, dimension);
      check.within(
        `D = ${dimension}: overlap at the ratio found`,
        levelOverlap(ratio, dimension),
        0.5,
        1e-9,
        "its inverse",
      );
    }
    const ratio = (50 / 0.01) ** (1 / 231);
    // A trifle below the published levels' own overlap, so that rounding does not ask for one level more.
    const overlap = levelOverlap(ratio, 3072) - 1e-6;
    check.equal(
      "CIFAR-10: levels",
      ncsnSchedule({ largest: 50, dimension: 3072, overlap }).levels,
      232,
      "Song & Ermon 2020, Table 3",
    );
    check.within(
      "CIFAR-10: ε",
      bestLangevinStep(ratio, 0.01, 5),
      6.2e-6,
      0.05e-6,
      "Song & Ermon 2020, Table 3, two digits",
    );
  },
);

claim(
  "T Langevin steps of the sampler leave the variance that the noise schedule's formula gives",
  async (check) => {
    const levels = geometricLevels(8, 0.05, 24);
    check.within("ratio of neighbours", levels[3] / levels[4], (8 / 0.05) ** (1 / 23), 1e-12, "geometric");
    check.equal("ends", [levels[0], levels[23]], [8, 0.05], "σ_1 and σ_L");
    const steps = 6;
    const ratio = levels[0] / levels[1];
    for (const epsilon of [2e-4, bestLangevinStep(ratio, 0.05, steps), 1.2e-3]) {
      // By iteration: one step x + α s + √(2α) z with s = −x/σ².
      let variance = ratio ** 2;
      const step = epsilon / 0.05 ** 2;
      for (let k = 0; k < steps; k++) variance = (1 - step) ** 2 * variance + 2 * step;
      const formula = varianceAfter({ ratio, smallest: 0.05, langevinStep: epsilon, stepsPerLevel: steps });
      check.within(
        `ε = ${epsilon.toPrecision(3)}: formula`,
        formula,
        variance,
        1e-12,
        "iterated: Song & Ermon 2020, eq. 4",
      );
      // Data at a point: the score of a level is −x/σ². From the level before, at σ_{i−1}, one step of the sampler.
      const sde = veSde({ sigmaMin: levels[1], sigmaMax: levels[0], tMin: 0 });
      const model = scoreModel(new Gaussian({ mean: [0], variances: [1e-12] }), sde);
      const sampler = annealedLangevin({ langevinStep: step * levels[1] ** 2, steps });
      const response = await impulseResponse(model, sampler, { grid: Float64Array.of(1, 0), denoise: false });
      check.within(
        `ε = ${epsilon.toPrecision(3)}: sampler`,
        outputVariance(response, levels[0] ** 2) / levels[1] ** 2,
        variance,
        1e-5 * variance,
        "impulse probe: the plan's ε and the sampler's are of the same steps, x + α s + √(2α) z",
      );
    }
    const best = bestLangevinStep(ratio, 0.05, steps);
    const distance = (epsilon: number) =>
      Math.abs(varianceAfter({ ratio, smallest: 0.05, langevinStep: epsilon, stepsPerLevel: steps }) - 1);
    for (const factor of [0.9, 0.99, 1.01, 1.1]) {
      check.holds(
        `no nearer to 1 at ${factor} ε`,
        distance(best * factor) >= distance(best),
        "technique 4: the best",
      );
    }
    for (
      const [name, action, message] of [
        [
          "σ_1 below σ_L",
          () => ncsnSchedule({ largest: 0.001, dimension: 10 }),
          /largest noise level must exceed the smallest/,
        ],
        ["an overlap of 1", () => ratioOfOverlap(1, 10), /overlap must be above 0 and below \.99, got 1/],
        ["no dimension", () => ratioOfOverlap(0.5, 0), /dimension must be a positive integer, got 0/],
        [
          "no steps",
          () => ncsnSchedule({ largest: 1, dimension: 10, stepsPerLevel: 0 }),
          /^stepsPerLevel must be a positive integer, got 0$/,
        ],
        [
          "more levels than are allowed",
          () => geometricLevels(2, 1, 1e7 + 1),
          /^levels must be at most 10000000, got 10000001$/,
        ],
        [
          "levels that always overlap",
          () => ratioOfOverlap(0.5, 1),
          /^in 1 dimensions all levels overlap by more than 0.5: give the number of levels instead$/,
        ],
        ["one level", () => geometricLevels(2, 1, 1), /levels must be a whole number from 2 up, got 1/],
      ] as const
    ) await check.throws(name, action, message);
  },
);

claim("noise levels of a list are drawn uniformly and weighted equally: λ = σ², L_simple", (check) => {
  const ratios = [0.1, 0.5, 2, 30];
  const rows = 40_000;
  const { noiseRatio, weight } = drawNoiseLevels({ kind: "levels", ratios }, createRng(check.seed), rows);
  for (const ratio of ratios) {
    const count = noiseRatio.filter((value) => value === ratio).length;
    checkProportion(
      check,
      `ν = ${ratio}`,
      count,
      rows,
      0.25,
      "Song & Ermon 2019, eq. 6; Ho et al. 2020, Algorithm 1",
    );
  }
  check.holds("weights", weight.every((w) => w === 1), "λ(σ_i) = σ_i² on the score is 1 on the noise");
});

claim("a network without noise conditioning has the score s(x)/σ", async (check) => {
  const config = {
    ...DIGITS,
    height: 8,
    width: 8,
    widths: [8, 8],
    groups: 4,
    embedding: 8,
    noiseFeatures: 4,
    classes: 0,
    blocks: 1,
    middleBlocks: 1,
    noiseConditional: false,
  };
  const network = unet(config);
  const rng = createRng(3);
  const weights = new Map(
    [...network.initialise(rng)].map(([name, values]) => [
      name,
      values.map((v, i) => v + 0.05 * Math.sin(i + 1)),
    ]),
  );
  const noisePredictor = networkPredictor({ network: config, preconditioning: null }, weights);
  const x = rng.normal([2, 8, 8, 1]);
  const read = async (noisePredictor: NetworkPredictor, noiseRatio: number) => {
    const noise = noisePredictor.predictNoise(x, noiseRatio);
    const values = await noise.data<"float32">();
    noise.dispose();
    return values;
  };
  check.equal(
    "ε̂ at ν = .01 and at 30",
    await read(noisePredictor, 0.01),
    await read(noisePredictor, 30),
    "Song & Ermon 2020, technique 3: −σ times the score is one function of x",
  );
  const conditional = networkPredictor(
    { network: { ...config, noiseConditional: true }, preconditioning: null },
    weights,
  );
  const [low, high] = [await read(conditional, 0.01), await read(conditional, 30)];
  check.holds(
    "a network with noise conditioning gives another score",
    low.some((value, i) => value !== high[i]),
    "or this would show nothing",
  );
  x.dispose();
  noisePredictor.dispose();
  conditional.dispose();
});
