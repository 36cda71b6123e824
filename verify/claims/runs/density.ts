/** Claims about log densities in the units of the data. @module */
import { createRng } from "../../../src/compute/rng.ts";
import type { ArrayDataset } from "../../../src/data/array_dataset.ts";
import { mlp } from "../../../src/networks/mlp.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { type DensityRequest, runDensity } from "../../../src/runs/density.ts";
import { toUnits } from "../../../src/data/units.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const network = { kind: "mlp", dimensions: 2, hidden: 4, layers: 1, noiseFeatures: 4, classes: 0 } as const;
const units = { offset: [10, -5], scale: [4, 0.5] };

/** The last layer of a new perceptron is 0: it predicts the noise of data N(0, ½²) exactly. */
const gaussian = () =>
  networkPredictor(
    { network, preconditioning: { sigmaData: 0.5, centre: 0 }, units },
    mlp(network).initialise(createRng(1)),
  );

const points = [10, -5, 12, -4.5, 3, -5.2];
const samples: ArrayDataset = {
  ...{ name: "points", count: 3, shape: [2], classes: 1, labels: new Uint8Array(3), units },
  values: toUnits(points, units),
};

const request: DensityRequest = {
  sde: { kind: "ve", sigmaMin: 0.005, sigmaMax: 40 },
  minNoise: 0.2,
  method: { kind: "rk4", steps: 50 },
  probes: 0,
  limit: 10,
  batch: 2,
  seed: 3,
};

/** ln N of each coordinate of a point, whose variance is that of data and first noise together, in the units of the data. */
function truth([x, y]: readonly number[]): number {
  const variance = 0.25 + 0.2 ** 2;
  return [x, y].reduce((sum, value, axis) => {
    const [scale, mean] = [units.scale[axis], units.offset[axis]];
    return sum - (value - mean) ** 2 / (2 * variance * scale ** 2) -
      0.5 * Math.log(2 * Math.PI * variance * scale ** 2);
  }, 0);
}

claim("log densities are those of the data's units, by the change of variables", async (check) => {
  const noisePredictor = gaussian();
  const expected = [0, 1, 2].map((at) => truth(points.slice(2 * at, 2 * at + 2)));
  const source = "of a Gaussian, in closed form; at t = 1 the data are N(0, 40²) to 1.6e-4 of its variance";
  const cases = {
    "Runge-Kutta": request,
    "Dormand-Prince": { ...request, method: { kind: "dopri5", tolerance: 1e-5 } },
    "one probe": { ...request, probes: 1 },
  } as const;
  for (const [what, own] of Object.entries(cases)) {
    const said: [number, number][] = [];
    const onBatch = (done: number, mean: number) => void said.push([done, mean]);
    const result = await runDensity(own, { noisePredictor, samples, onBatch });
    expected.forEach((value, at) =>
      check.within(`${what}, point ${at}`, result.logDensities[at], value, 2e-3, source)
    );
    const mean = result.logDensities.reduce((a, b) => a + b) / 3;
    check.within(`${what}: mean`, result.mean, mean, 1e-12, "of the three");
    check.within(`${what}: nats`, result.natsPerDimension, mean / 2, 1e-12, "of two coordinates");
    check.within(`${what}: bits`, result.bitsPerDimension, -mean / 2 / Math.LN2, 1e-12, "log to base 2");
    const squares = result.logDensities.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    check.within(
      `${what}: error`,
      result.standardError ?? NaN,
      Math.sqrt(squares / 6),
      1e-12,
      "of the mean of 3",
    );
    check.equal(`${what}: batches`, said.map(([done]) => done), [2, 3], "of two and one");
  }
  const one = await runDensity({ ...request, limit: 1 }, { noisePredictor, samples });
  check.equal("limit", [one.logDensities.length, one.standardError], [1, null], "the first alone");
  const refused = (what: string, change: object, message: RegExp) =>
    check.throws(what, () => runDensity({ ...request, ...change }, { noisePredictor, samples }), message);
  await refused("a method", { method: { kind: "elbo", draws: 2 } }, /the kind of a density's method/);
  await refused(
    "steps",
    { method: { kind: "rk4", steps: 0 } },
    /method\.steps must be a positive integer, got 0/,
  );
  await refused("probes", { probes: -1 }, /probes must be a whole number from 0 to 1000, got -1/);
  await check.throws(
    "another shape",
    () => runDensity(request, { noisePredictor, samples: { ...samples, shape: [1] } }),
    /^the network is for samples of shape \[2\], got \[1\]$/,
  );
  noisePredictor.dispose();
});
