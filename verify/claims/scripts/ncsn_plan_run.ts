/** Claims about `runNcsnSchedule`: the task writes what it gives, and it does what its request says. @module */
import { task } from "../../../scripts/ncsn_plan.ts";
import { currentEngine, useEngine } from "../../../src/compute/engine.ts";
import { largestDistance } from "../../../src/data/largest_distance.ts";
import { levelOverlap } from "../../../src/diffusion/ncsn_levels.ts";
import { type NcsnScheduleRequest, runNcsnSchedule } from "../../../src/runs/ncsn_schedule.ts";
import { printed } from "../../instruments/printed.ts";
import { checkEveryField } from "../../instruments/request_fields.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { smallMnist, writeMnist } from "../../instruments/small_mnist.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { claim } from "../../suite/claim.ts";

const sets = smallMnist({ train: 12, test: 1 });
const images = sets.train;
const size = 28 * 28;

/** The distance of two images, for pixels from 0 to 1. */
function distance(bytes: Uint8Array, size: number, a: number, b: number): number {
  let sum = 0;
  for (let k = 0; k < size; k++) sum += (bytes[a * size + k] - bytes[b * size + k]) ** 2;
  return Math.sqrt(sum) / 255;
}

claim(
  "deno task ncsn:plan writes and prints what runNcsnSchedule gives for the request of its flags",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      await writeMnist(folder, sets);
      const output = `${folder}/plan.json`;
      for (const line of ["--limit 9 --overlap 0.3 --smallest 0.05 --moves 7", "--kind ncsn"]) {
        const flags = `--data ${folder} --engine wasm --output ${output} ${line} --json`;
        const { request: asked, stdout, bar } = await runInside(task, flags);
        const result = await runNcsnSchedule(asked, { images });
        const { schedule } = result;
        const plan = {
          format: "score-sde noise plan 2",
          data: folder,
          kind: asked.kind,
          largest: schedule.largest,
          smallest: schedule.smallest,
          levels: schedule.levels,
          moves: schedule.stepsPerLevel,
          epsilon: schedule.langevinStep,
        };
        const source = "the printed request, carried out here on the same engine";
        check.equal(`${line}: printed`, JSON.parse(stdout.join("\n")), plan, source);
        check.equal(`${line}: written`, JSON.parse(await Deno.readTextFile(output)), plan, source);
        const counts = asked.kind === "ncsn" ? [] : ["comparing pairs 1000/1000 ‰"];
        check.equal(`${line}: counts of the bar`, bar, counts, "all pairs of a few images are one block");
        const lines = await printed(() =>
          task.report(asked, { ...result, dataset: "mnist train" }, { json: false } as never)
        );
        const said = lines.join("\n");
        const stated = asked.kind === "ncsn"
          ? [`ratio ${schedule.ratio.toFixed(4)};`, "T = 100 steps", `written to ${output}`]
          : [
            "9 images of mnist train, 784 pixel values",
            `σ_1 = ${schedule.largest.toPrecision(4)}: `,
            `images ${result.pair?.join(" and ")} (technique 1)`,
            "σ_L = 0.05: ",
            `L = ${schedule.levels} levels, ratio γ = ${
              schedule.ratio.toPrecision(4)
            }: neighbours overlap by ` +
            `${result.overlap.toFixed(3)} ≥ 0.3 in 784 dimensions`,
            `T = 7 steps at each level; ε = ${schedule.langevinStep.toPrecision(4)} `,
            `${schedule.variance.toFixed(4)} σ_i²`,
            `written to ${output}`,
          ];
        check.equal(
          `${line}: numbers that the words lack`,
          stated.filter((part) => !said.includes(part)),
          [],
          "the result",
        );
      }
    }),
);

claim("ncsn:plan computes distances on the engine of --engine, and opens none for the published levels", {
  engines: ["wasm"],
}, (check) =>
  withFolder(async (folder) => {
    await writeMnist(folder, sets);
    const line = `--data ${folder} --output ${folder}/plan.json --engine cpu --kind`;
    try {
      await runInside(task, `${line} ncsn`);
      check.equal("as published", currentEngine()?.name, "wasm", "the claim's own");
      await runInside(task, `${line} ncsnv2`);
      check.equal("computed", currentEngine()?.name, "cpu", "--engine");
    } finally {
      await useEngine("wasm");
    }
  }));

const base: NcsnScheduleRequest = {
  kind: "ncsnv2",
  limit: 5,
  smallest: 0.02,
  overlap: 0.4,
  stepsPerLevel: 4,
};

async function numbersOf(request: NcsnScheduleRequest): Promise<number[]> {
  const { schedule, overlap, count } = await runNcsnSchedule(request, { images });
  const { largest, smallest, levels, stepsPerLevel, langevinStep, ratio, variance } = schedule;
  return [
    largest,
    smallest,
    levels,
    stepsPerLevel,
    langevinStep / smallest ** 2,
    ratio,
    variance,
    overlap,
    count,
  ];
}

claim("every field of a request changes what runNcsnSchedule gives", { engines: ["wasm"] }, async (check) => {
  await checkEveryField(check, base, {
    kind: { value: "ncsn" },
    limit: { value: null },
    smallest: { value: 0.03 },
    overlap: { value: 0.6 },
    stepsPerLevel: { value: 6 },
  }, numbersOf);
  const published = await numbersOf({ kind: "ncsn", stepsPerLevel: 100 });
  const expected = [1, 0.01, 10, 100, 0.1, 100 ** (1 / 9)];
  check.atMost(
    "the published levels and step size",
    Math.max(...expected.map((value, i) => Math.abs(published[i] / value - 1))),
    1e-12,
    "Song & Ermon 2019, section 5: σ from 1 to .01 in ten levels, T = 100, ε = 2e-5, half of it here",
  );
});

/** Φ by Simpson's rule on the density, from 0. */
function normalCdf(x: number): number {
  const steps = 2000;
  const end = Math.max(-12, Math.min(12, x));
  const density = (t: number) => Math.exp(-t * t / 2) / Math.sqrt(2 * Math.PI);
  let sum = density(0) + density(end);
  for (let i = 1; i < steps; i++) sum += (i % 2 === 0 ? 2 : 4) * density(i * end / steps);
  return 0.5 + sum * end / steps / 3;
}

claim(
  "a schedule's levels are the fewest that overlap as asked, from the largest distance on",
  { engines: ["wasm"] },
  async (check) => {
    const overlapOf = (largest: number, smallest: number, levels: number) => {
      const ratio = (largest / smallest) ** (1 / (levels - 1));
      const shift = Math.sqrt(2 * size) * (ratio - 1);
      return normalCdf(shift + 3 * ratio) - normalCdf(shift - 3 * ratio);
    };
    const pairs = Array.from({ length: 12 }, (_, a) => Array.from({ length: a }, (_, b) => [b, a])).flat();
    const distances = pairs.map(([a, b]) => distance(images.images, size, a, b));
    const farthest = Math.max(...distances);
    const source = "Song & Ermon 2020, techniques 1 and 2, with Φ by Simpson's rule";
    for (const overlap of [0.2, 0.35, 0.5, 0.65, 0.8]) {
      const request = { kind: "ncsnv2", limit: null, smallest: 0.01, overlap, stepsPerLevel: 5 } as const;
      const { schedule: { largest, levels }, pair, ...result } = await runNcsnSchedule(request, { images });
      check.within(`${overlap}: σ_1`, largest, farthest, 1e-9, "all pairs, from the bytes");
      check.equal(
        `${overlap}: the pair`,
        pair?.toSorted((a, b) => a - b),
        pairs[distances.indexOf(farthest)],
        "all pairs, from the bytes",
      );
      check.within(`${overlap}: overlap`, result.overlap, overlapOf(largest, 0.01, levels), 1e-7, source);
      check.atLeast(`${overlap}: overlap of ${levels} levels`, result.overlap, overlap, source);
      check.atMost(`${overlap}: overlap of one fewer`, overlapOf(largest, 0.01, levels - 1), overlap, source);
    }
  },
);

claim("the published schedule overlaps as its ratio and the images' size say", async (check) => {
  const four = { ...images, count: 1, shape: [2, 2, 1] as const };
  const { schedule, ...rest } = await runNcsnSchedule({ kind: "ncsn", stepsPerLevel: 7 }, { images: four });
  const ratio = 100 ** (1 / 9);
  const { largest, smallest, levels, langevinStep, stepsPerLevel } = schedule;
  check.equal(
    "levels",
    [largest, smallest, levels, langevinStep, stepsPerLevel],
    [1, 0.01, 10, 1e-5, 7],
    "Song & Ermon 2019, section 5",
  );
  check.within("ratio", schedule.ratio, ratio, 1e-12, "from 1 to .01 in nine steps");
  const { overlap, ...numbers } = rest;
  check.within("overlap", overlap, levelOverlap(ratio, 4), 1e-12, "of four pixels");
  check.equal("numbers", numbers, { dimension: 4, count: 0, pair: null }, "no image is compared");
});

claim(
  "the largest distance is found between an outer and an inner block of images",
  { engines: ["wasm"] },
  async (check) => {
    // A thousand points in two directions 100° apart, and more in the opposite one at all distances up to nearly theirs: all
    // pairs of the outermost thousand are nearer to each other than the farthest pair, but farther than the nearest points
    // of the others are from them.
    const count = 2100;
    const points = Array.from({ length: count }, (_, i) => {
      const outer = i < 1000;
      const angle = outer ? (i % 2 === 0 ? 50 : -50) : 180;
      const radius = outer ? 118 + i % 5 : 10 + (i * 7 % 1100) * 0.085;
      return [Math.cos(angle * Math.PI / 180), Math.sin(angle * Math.PI / 180)].map((part) =>
        127 + radius * part
      );
    });
    const bytes = Uint8Array.from(points.flat(), Math.round);
    let farthest = 0;
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < a; b++) farthest = Math.max(farthest, distance(bytes, 2, a, b));
    }
    const found = await largestDistance({
      name: "points",
      count,
      shape: [1, 2, 1],
      classes: 1,
      images: bytes,
      labels: new Uint8Array(count),
    });
    check.within("distance", found.distance, farthest, 1e-9, "all 2.2 million pairs");
  },
);
