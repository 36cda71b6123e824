/**
 * The Brownian paths of the adaptive SDE solver: steps that are taken back stay on one path, and every increment keeps the distribution of
 * Brownian motion, however a path was cut.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import { BrownianPaths } from "../../../src/samplers/brownian_paths.ts";
import type { Area, Check } from "../../suite/claim.ts";
import { claim } from "../../suite/claim.ts";
import { scoped } from "../../instruments/tensor_scope.ts";
import {
  checkCovariance,
  checkUniform,
  checkVariance,
  standardNormalCdf,
} from "../../instruments/statistics.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const rows = 10_000;
const source = "increments of Brownian motion";

/** Paths that are asked for steps of one length in all rows. */
function pathsFor(seed: number) {
  const paths = new BrownianPaths(createRng(seed), [rows, 1]);
  return {
    next: (length: number) =>
      scoped(async () =>
        Float64Array.from(await paths.next(new Float64Array(rows).fill(length)).data<"float32">())
      ),
    takeBack: () => {
      for (let row = 0; row < rows; row++) paths.takeBack(row);
    },
  };
}

/** Independent normal increments of given lengths. */
function checkIncrements(
  check: Check,
  what: string,
  increments: readonly Float64Array[],
  lengths: number[],
): void {
  increments.forEach((values, i) => {
    const [name, variance] = [`${what}: increment ${i + 1} over ${lengths[i]}`, lengths[i]];
    const normal = values.map((value) => standardNormalCdf(value / Math.sqrt(variance)));
    checkUniform(check, name, normal, source);
    const squares = values.reduce((sum, value) => sum + value * value, 0) / rows;
    checkVariance(check, `${name}: variance`, squares, variance, rows, source);
    for (let j = 0; j < i; j++) {
      const distribution = { varianceA: variance, varianceB: lengths[j], covariance: 0 };
      checkCovariance(
        check,
        `${what}: increments ${j + 1} and ${i + 1}`,
        values,
        increments[j],
        distribution,
        source,
      );
    }
  });
}

function checkSum(check: Check, what: string, parts: readonly Float64Array[], whole: Float64Array): void {
  const worst = whole.reduce(
    (most, value, row) => Math.max(most, Math.abs(value - parts.reduce((sum, part) => sum + part[row], 0))),
    0,
  );
  check.atMost(what, worst, 2e-6, "what was seen stays as it was; float32 of numbers up to 6", {
    detectable: "noise drawn anew",
  });
}

claim(
  "a rejected step is retried in any pieces, each distributed as Brownian motion",
  async (check) => {
    const { next, takeBack } = pathsFor(check.seed);
    const whole = await next(1);
    takeBack();
    const parts = [await next(0.2), await next(0.5), await next(0.3)];
    checkSum(check, "three steps over what one had seen", parts, whole);
    checkIncrements(check, "a path cut in three", parts, [0.2, 0.5, 0.3]);
  },
);

claim(
  "an increment that is split, rejected and split again stays one path, and the path continues beyond its drawn end",
  async (check) => {
    const { next, takeBack } = pathsFor(check.seed + 1);
    const whole = await next(1);
    takeBack();
    const half = await next(0.5);
    takeBack();
    const first = await next(0.2);
    // Over the rest of the half, and a part of what lies behind it.
    const across = await next(0.5);
    takeBack();
    const second = await next(0.3);
    checkSum(check, "0.2 and 0.3 over the half", [first, second], half);
    const third = await next(0.2);
    checkSum(check, "0.3 and 0.2 over the step across the half's end", [second, third], across);
    // Known to 1: the last part of this one is new.
    const beyond = await next(0.8);
    takeBack();
    const fourth = await next(0.3);
    checkSum(check, "four steps over the whole", [first, second, third, fourth], whole);
    const fifth = await next(0.5);
    checkSum(check, "0.3 and 0.5 over the step beyond the end", [fourth, fifth], beyond);
    checkIncrements(check, "a path cut again", [first, second, third, fourth, fifth], [
      0.2,
      0.3,
      0.2,
      0.3,
      0.5,
    ]);
  },
);

claim("a row's path does not depend on which steps of other rows are rejected", async (check) => {
  const run = async (others: boolean) => {
    const paths = new BrownianPaths(createRng(5), [3, 2]);
    const seen: number[] = [];
    for (
      const [length, back] of [[1, true], [0.25, false], [0.5, true], [0.125, false], [2, false]] as const
    ) {
      const lengths = Float64Array.of(others ? 0.7 : length, length, others ? 0.1 : length);
      const values = await scoped(async () => await paths.next(lengths).data<"float32">());
      seen.push(...values.subarray(2, 4));
      if (back) paths.takeBack(1);
      if (back !== others) paths.takeBack(0);
    }
    return seen;
  };
  check.equal(
    "the second of three rows",
    await run(true),
    await run(false),
    "a stream and a path of its own",
  );
});
