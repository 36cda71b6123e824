/** Claims about the nearest points of another set. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { nearestNeighbours } from "../../../src/metrics/nearest_neighbours.ts";
import { claim } from "../../suite/claim.ts";

claim(
  "the nearest points are those of all distances, over more pairs than are held at once",
  async (check) => {
    const rng = createRng(check.seed);
    // Whole numbers, so that products are exact in float32; 3,000 × 1,500 pairs take two blocks.
    const draw = (label: string, count: number) =>
      rng.fork(label).normalValues([count, 5]).map((value) => Math.round(40 * value));
    const [points, among] = [draw("points", 3000), draw("among", 1500)];
    const { indices, distances } = await nearestNeighbours(points, among, 5);
    const squared = (i: number, j: number) =>
      [0, 1, 2, 3, 4].reduce((sum, axis) => sum + (points[5 * i + axis] - among[5 * j + axis]) ** 2, 0);
    const expected = Array.from({ length: 3000 }, (_, i) => {
      let found = 0;
      for (let j = 1; j < 1500; j++) if (squared(i, j) < squared(i, found)) found = j;
      return found;
    });
    const source = "the smallest of all squared distances, in whole numbers; of equal ones the first";
    check.equal("indices", [...indices], expected, source);
    check.equal("distances", [...distances], expected.map((j, i) => Math.sqrt(squared(i, j))), source);
    check.holds(
      "later blocks count",
      expected.some((j) => j >= 1398),
      "4,194,304 pairs are held, 1,398 rows",
    );
  },
);
