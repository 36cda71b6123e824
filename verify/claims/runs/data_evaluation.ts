/** Claims about distances of samples to data of any kind. @module */
import { createRng } from "../../../src/compute/rng.ts";
import type { ArrayDataset } from "../../../src/data/array_dataset.ts";
import { mlp } from "../../../src/networks/mlp.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { runDataEvaluation } from "../../../src/runs/data_evaluation.ts";
import { claim } from "../../suite/claim.ts";

const network = { kind: "mlp", dimensions: 2, hidden: 4, layers: 1, noiseFeatures: 4, classes: 0 } as const;
const units = { offset: [0, 0], scale: [100, 1] };

/** Points as model values. */
function cloud(values: Float32Array): ArrayDataset {
  const count = values.length / 2;
  return { name: "cloud", count, shape: [2], classes: 1, labels: new Uint8Array(count), values, units };
}

claim(
  "points are measured in standard deviations, samples and other data alike",
  { engines: ["wasm"] },
  async (check) => {
    // A perceptron whose last layer is 0 is exact for N(0, ½²), the model values of data of one standard deviation.
    const noisePredictor = networkPredictor(
      { network, preconditioning: { sigmaData: 0.5, centre: 0 }, units },
      mlp(network).initialise(createRng(1)),
    );
    const normals = createRng(check.seed).normalValues([400, 2]).map((z) => z / 2);
    const request = {
      sde: { kind: "ve", sigmaMin: 0.005, sigmaMax: 40 },
      sampler: { name: "dpm++2m", options: {} },
      grid: { kind: "karras", steps: 12 },
      guidance: { scale: 1 },
      classifierScale: 0,
      count: 400,
      batch: 400,
      seed: 2,
    } as const;
    const shifted = cloud(normals.map((value, i) => i % 2 === 0 ? value + 0.5 : value));
    const result = await runDataEvaluation(request, {
      noisePredictor,
      reference: cloud(normals),
      others: shifted,
    });
    check.within(
      "others, shifted by a standard deviation",
      result.floor.slicedWasserstein ?? NaN,
      Math.SQRT1_2,
      0.1,
      "|v|/√d; the mean of cos² over 256 directions has standard deviation .022",
    );
    // The energy distance of N(0, 1) and N(v, 1) in the plane by its definition, over all pairs.
    const [a, b] = [shifted.values, normals];
    const distance = (x: Float32Array, i: number, y: Float32Array, j: number) =>
      2 * Math.hypot(x[2 * i] - y[2 * j], x[2 * i + 1] - y[2 * j + 1]);
    let [between, within] = [0, 0];
    for (let i = 0; i < 400; i++) {
      for (let j = 0; j < 400; j++) {
        between += distance(a, i, b, j) / 400 ** 2;
        within += (distance(a, i, a, j) + distance(b, i, b, j)) / (400 * 399);
      }
    }
    check.within(
      "their energy distance",
      result.floor.energy ?? NaN,
      2 * between - within,
      1e-5,
      "its definition",
    );
    check.atMost(
      "samples of the same distribution",
      result.distances.slicedWasserstein ?? NaN,
      0.3,
      "400 and 400 points; 0.09 typically",
    );
    check.atMost(
      "their energy distance",
      Math.abs(result.distances.energy ?? NaN),
      0.05,
      "0 of equal distributions; .004 typically",
    );
    check.equal(
      "no Fréchet distance",
      [result.distances.frechet, result.floor.frechet],
      [null, null],
      "it is of images",
    );
    check.equal("numbers of points", [result.referenceCount, result.floorCount], [400, 400], "all");
    await check.throws(
      "other data",
      () =>
        runDataEvaluation(request, {
          noisePredictor,
          reference: cloud(normals),
          others: { ...shifted, shape: [1] },
        }),
      /^others must hold two or more samples of shape \[2\], got 400 of \[1\]$/,
    );
    noisePredictor.dispose();
  },
);
