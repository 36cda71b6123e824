/** Wrong arguments of distributions are refused by their names. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import { Banana } from "../../../src/distributions/banana.ts";
import { diffusedLogDensity, diffusedPosterior } from "../../../src/distributions/distribution.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { PointCloud } from "../../../src/distributions/point_cloud.ts";
import { gaussianRing, rings, swissRoll, twoGaussians, twoMoons } from "../../../src/distributions/toys.ts";
import { claim } from "../../suite/claim.ts";

claim("a wrong argument of a distribution is refused by its name", async (check) => {
  const none = null as never;
  const sde = vpSde();
  const unit = new Gaussian({ mean: [0], variances: [1] });
  const mixture = new GaussianMixture([1, 1], [unit, unit]);
  const cloud = new PointCloud([0], 1, 1);
  const x = tf.zeros([1, 1]);
  const cases: [string, () => unknown][] = [
    ["options", () => new Banana(none)],
    ["width", () => new Banana({ width: 0 })],
    ["thickness", () => new Banana({ thickness: 0 })],
    ["bend", () => new Banana({ bend: NaN })],
    ["options", () => new Gaussian(none)],
    ["mean", () => new Gaussian({ mean: none, variances: [1] })],
    ["variances", () => new Gaussian({ mean: [0], variances: none })],
    ["covariance", () => new Gaussian({ mean: [0], covariance: none })],
    ["covariance", () => new Gaussian({ mean: [0], covariance: [none] })],
    ["rng", () => unit.sample(none, 1)],
    ["count", () => unit.sample(createRng(1), 0.5)],
    ["y", () => unit.posterior(none, 1)],
    ["noiseRatio", () => unit.posterior([0], -1)],
    ["noiseRatio", () => unit.predictNoise(x, -1)],
    ["y", () => unit.predictNoise(none, 1)],
    ["operator", () => unit.affine(none)],
    ["operator", () => unit.affine([none])],
    ["offset", () => unit.affine([[1]], none)],
    ["values", () => unit.observing([[1]], none)],
    ["noiseVariance", () => unit.observing([[1]], [0], -1)],
    ["weights", () => new GaussianMixture(none, [unit])],
    ["components", () => new GaussianMixture([1], none)],
    ["components", () => new GaussianMixture([1], [none])],
    ["config", () => GaussianMixture.from(none)],
    ["means", () => GaussianMixture.from({ weights: [1], means: none, covariances: [] })],
    ["covariances", () => GaussianMixture.from({ weights: [1], means: [[0]], covariances: none })],
    ["rng", () => mixture.sample(none, 1)],
    ["count", () => mixture.sample(createRng(1), 0.5)],
    ["labels", () => mixture.withLabels(none)],
    ["coordinates", () => mixture.given(none, [])],
    ["values", () => mixture.given([0], none)],
    ["distribution", () => diffusedLogDensity(none, sde, x, 1)],
    ["sde", () => diffusedLogDensity(unit, none, x, 1)],
    ["x", () => diffusedLogDensity(unit, sde, none, 1)],
    ["distribution", () => diffusedPosterior(none, sde, [0], 1)],
    ["sde", () => diffusedPosterior(unit, none, [0], 1)],
    ["x", () => diffusedPosterior(unit, sde, none, 1)],
    ["points", () => new PointCloud([1e18], 1, 1)],
    ["points", () => new PointCloud(none, 1, 1)],
    ["dimension", () => new PointCloud([0], 0, 1)],
    ["std", () => new PointCloud([0], 1, -1)],
    ["rng", () => cloud.sample(none, 1)],
    ["count", () => cloud.sample(createRng(1), 0.5)],
    ["options", () => gaussianRing(none)],
    ["count", () => gaussianRing({ count: 0 })],
    ["radius", () => gaussianRing({ radius: -1 })],
    ["std", () => gaussianRing({ std: -1 })],
    ["options", () => twoGaussians(none)],
    ["weight", () => twoGaussians({ weight: 1.1 })],
    ["separation", () => twoGaussians({ separation: -1 })],
    ["std", () => twoGaussians({ std: -1 })],
    ["options", () => rings(none)],
    ["radii", () => rings({ radii: [-1] })],
    ["radii", () => rings({ radii: [] })],
    ["options", () => twoMoons(none)],
    ["noise", () => swissRoll({ noise: -1 })],
    ["rng", () => swissRoll().sample(none, 1)],
    ["count", () => swissRoll().sample(createRng(1), 0.5)],
  ];
  for (const [name, call] of cases) await check.throws(name, call, new RegExp(`^${name} must `));
  const pieces = () => new PointCloud([1, 2, 3], 2, 1);
  await check.throws("half a point", pieces, /^3 numbers are no positive number of 2-dimensional points$/);
  await check.throws(
    "no points",
    () => new PointCloud([], 2, 1),
    /^0 numbers are no positive number of 2-dim/,
  );
  x.dispose();
});
