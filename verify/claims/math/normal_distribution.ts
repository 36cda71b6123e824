/** The standard normal distribution on the host against numbers of 40 digits. @module */
import {
  logNormalProbability,
  normalCdf,
  normalMass,
  truncatedNormal,
} from "../../../src/math/normal_distribution.ts";
import { claim } from "../../suite/claim.ts";

const source = "mpmath at 40 digits, rounded to 17";

claim("the normal distribution's function and its mass about 0 have all their digits", (check) => {
  for (
    const [x, expected] of [
      [-8, 6.2209605742717841e-16],
      [-3, 0.0013498980316300945],
      [-0.5, 0.3085375387259869],
      [0, 0.5],
      [1, 0.84134474606854295],
      [5, 0.99999971334842812],
      [-Infinity, 0],
      [Infinity, 1],
    ]
  ) {
    check.within(
      `Φ(${x})`,
      normalCdf(x),
      expected,
      3e-16,
      `${source}; the sum of the mass and a rounding of 1.1e-16`,
    );
  }
  for (
    const [bound, expected] of [
      [0, 0],
      [0.5, 0.38292492254802621],
      [1, 0.6826894921370859],
      [3, 0.99730020393673981],
      [8, 0.99999999999999876],
      [40, 1],
    ]
  ) {
    check.within(
      `P(|Z| ≤ ${bound})`,
      normalMass(bound),
      expected,
      3e-16,
      `${source}; sums of up to 100 terms`,
    );
  }
});

claim("the log of a normal probability keeps its digits on both sides and in the tails", (check) => {
  for (
    const [low, high, expected] of [
      [-1, 2, -0.20016629432446258],
      [-Infinity, 0.5, -0.36894641528865639],
      [0.25, Infinity, -0.91306176481113506],
      [-4.5, -4.25, -11.82889005716393],
      [-10, -9, -43.628216632280822],
      [-12.5, -12.4375, -81.401379057899485],
      [-50, -8, -35.01343715991455],
      [6, 6.5, -20.778326599127094],
      [20, Infinity, -203.91715537109726],
      [-Infinity, -37, -689.03058557689059],
      [5, 5.001, -20.329192936978384],
    ]
  ) {
    check.within(
      `ln P(${low} < Z < ${high})`,
      logNormalProbability(low, high),
      expected,
      2e-8,
      `${source}; Simpson's rule on 1,000 pieces of e^{−40u}: 0.04⁴/180`,
    );
  }
});

claim("the truncated normal's quantiles are odd about the middle and end at the bound", (check) => {
  for (const bound of [0.1, 1, 4, 8]) {
    for (const u of [2 ** -53, 1e-6, 0.1, 0.4999]) {
      const [below, above] = [truncatedNormal(u, bound), truncatedNormal(1 - u, bound)];
      check.within(`bound ${bound}, ${u}`, below, -above, 1e-9 * bound, "1 − u has the opposite quantile");
      check.holds(`bound ${bound}, ${u}: its sign and its size`, below < 0 && -below <= bound, "u < ½");
    }
    check.equal(`bound ${bound}, the middle`, Math.abs(truncatedNormal(0.5, bound)), 0, "the median");
  }
});
