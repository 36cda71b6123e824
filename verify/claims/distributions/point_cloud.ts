/** Claims about point clouds: the mixture of Gaussians around points. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { PointCloud } from "../../../src/distributions/point_cloud.ts";
import { toyByName, toyDistribution } from "../../../src/distributions/toys.ts";
import { claim } from "../../suite/claim.ts";
import { checkUniform, standardNormalCdf } from "../../instruments/statistics.ts";

claim("a point cloud's density is the mixture of Gaussians around its points", (check) => {
  const points = [[-1, 0.5], [0.2, 1], [0.3, 0.9], [2, -1]];
  const covariances = points.map(() => [[0.09, 0], [0, 0.09]]);
  const mixture = GaussianMixture.from({ weights: points.map(() => 1), means: points, covariances });
  const cloud = new PointCloud(points.flat(), 2, 0.3);
  const y = [[0, 0], [0.25, 0.95], [-3, 2], [6, 6], [1, -0.2]];
  const ratios = Float64Array.from([0.01, 0.1, 0.5, 2, 40]);
  const worst = tf.tidy(() => {
    const rows = tf.tensor2d(y);
    const apart = (a: tf.Tensor, b: tf.Tensor) =>
      tf.max(tf.div(tf.abs(tf.sub(a, b)), tf.add(tf.abs(b), 1))).dataSync()[0];
    return {
      noise: apart(cloud.predictNoise(rows, ratios), mixture.predictNoise(rows, ratios)),
      mean: apart(cloud.posteriorMean(rows, ratios), mixture.posteriorMean(rows, ratios)),
      density: apart(cloud.logDensity(rows, ratios), mixture.logDensity(rows, ratios)),
    };
  });
  for (const [what, error] of Object.entries(worst)) {
    check.atMost(
      what,
      error,
      2e-5,
      "GaussianMixture, written apart from it; float32 at exponents of hundreds",
    );
  }
});

claim(
  "the exact distributions of curves and boards are those that their data sets draw from",
  async (check) => {
    const count = 1500;
    for (const name of ["moons", "rings", "checkerboard", "swiss-roll"] as const) {
      const distribution = toyDistribution(name);
      if (!(distribution instanceof PointCloud)) throw new TypeError(`${name} is no cloud`);
      const drawn = toyByName(name).sample(createRng(check.seed).fork(name), count);
      const x = await drawn.data();
      drawn.dispose();
      const [cos, sin] = [Math.cos(0.7), Math.sin(0.7)];
      const places = Float64Array.from(
        { length: distribution.points.length / 2 },
        (_, k) => cos * distribution.points[2 * k] + sin * distribution.points[2 * k + 1],
      );
      const values = Float64Array.from({ length: count }, (_, i) => {
        const at = cos * x[2 * i] + sin * x[2 * i + 1];
        return places.reduce((sum, place) => sum + standardNormalCdf((at - place) / distribution.std), 0) /
          places.length;
      });
      checkUniform(
        check,
        `${name} along (cos 0.7, sin 0.7)`,
        values,
        "the projection is a mixture of normals",
      );
    }
  },
);

claim("the exact checkerboard is points a sixteenth apart on all dark squares", (check) => {
  const { points, std } = toyDistribution("checkerboard") as PointCloud;
  const expected = Array.from({ length: 64 * 64 }, (_, at) => [Math.floor(at / 64), at % 64])
    .filter(([i, j]) => (Math.floor(i / 16) + Math.floor(j / 16)) % 2 === 0)
    .map(([i, j]) => [(i + 0.5) / 16 - 2, (j + 0.5) / 16 - 2].join());
  const found = Array.from(
    { length: points.length / 2 },
    (_, k) => [points[2 * k], points[2 * k + 1]].join(),
  );
  check.equal(
    "points",
    found.sort(),
    expected.sort(),
    "the middles of 16 × 16 cells of eight squares, dyadic",
  );
  check.equal("standard deviation", std, 0.04, "the function's documentation");
});
