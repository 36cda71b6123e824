/**
 * Claims about the pictures of the experiments in the plane: each is drawn again from marks written out here, with the plots that
 * other claims hold, and the two are the same to the letter.
 * @module
 */
import * as tf from "../../../src/compute/tf.ts";
import type { ExactDistribution } from "../../../src/distributions/distribution.ts";
import { animationFrames } from "../../../src/experiments/density_animation.ts";
import { langevinPicture, type LangevinReport } from "../../../src/experiments/exact_langevin.ts";
import { errorsPicture, fieldsPicture, levelsPicture } from "../../../src/experiments/field_pictures.ts";
import type { FieldErrors, FieldsReport } from "../../../src/experiments/learned_fields.ts";
import { modesPicture, type ModesRow } from "../../../src/experiments/mode_proportions.ts";
import type { DensityMark, LineMark, Mark, PointsMark } from "../../../src/plots/marks.ts";
import { panels } from "../../../src/plots/panels.ts";
import { plot } from "../../../src/plots/plot.ts";
import { veSde, vpSde } from "../../../src/diffusion/sde.ts";
import { type Check, claim } from "../../suite/claim.ts";

/** 1 right of ν, e⁻² left of it, and nothing below −1. */
function terraces(x: number, y: number, noiseRatio: number): number {
  return y < -1 ? 0 : x > noiseRatio ? 1 : Math.exp(-2);
}

const distribution = {
  dimension: 2,
  sample: () => tf.zeros([1, 2]),
  predictNoise: (y: tf.Tensor) => tf.zerosLike(y),
  logDensity: (points: tf.Tensor, noiseRatio: number) =>
    tf.tidy(() => {
      const [x, y] = tf.split(points, 2, 1).map((axis) => tf.reshape(axis, [-1]));
      const sides = tf.mul(tf.lessEqual(x, noiseRatio).toFloat(), -2);
      return tf.add(sides, tf.mul(tf.less(y, -1).toFloat(), -1000));
    }),
} as unknown as ExactDistribution;

/** 80 × 80 cells of [−3, 3]² in shades of the root of a density, the lowest row first. */
function shade(density: (x: number, y: number) => number, shades: number): DensityMark {
  const centre = (i: number) => -3 + 6 * (i + 0.5) / 80;
  const roots = Array.from(
    { length: 6400 },
    (_, k) => Math.sqrt(density(centre(k % 80), centre(Math.floor(k / 80)))),
  );
  const most = Math.max(...roots);
  return square(roots.map((root) => Math.round(shades * root / most)), shades, "#5b8fb9");
}

function square(values: number[], peak: number, colour: string): DensityMark {
  const range = [-3, 3] as const;
  return { kind: "density", values, columns: 80, peak, smooth: false, xRange: range, yRange: range, colour };
}

const every = (values: ArrayLike<number>, first: number) =>
  Array.from(values).filter((_, i) => i % 2 === first);

function dots(points: ArrayLike<number>, radius: number, opacity: number): PointsMark {
  return {
    kind: "points",
    x: every(points, 0),
    y: every(points, 1),
    colour: "#222222",
    radius,
    opacity,
  };
}

function path(points: ArrayLike<number>, style: Partial<LineMark> = {}): LineMark {
  return { kind: "line", x: every(points, 0), y: every(points, 1), width: 0.8, ...style };
}

const panel = (title: string, ...marks: Mark[]) =>
  plot(marks, { width: 316, height: 318, title, x: { min: -3, max: 3 }, y: { min: -3, max: 3 } });

/** Points that lie apart, as many as asked for. */
const points = (count: number, seed: number) =>
  Float32Array.from({ length: 2 * count }, (_, i) => 2.5 * Math.sin(seed + 1.7 * i * i));

function checkDrawn(check: Check, what: string, drawn: string, expected: string): void {
  // The whole pictures are long: where they first differ says more.
  const at = Array.from(drawn).findIndex((letter, i) => letter !== expected[i]);
  const about = (text: string) => at < 0 ? text.length : text.slice(Math.max(0, at - 40), at + 20);
  check.equal(what, about(drawn), about(expected), "the same marks, written out");
}

claim(
  "the picture of Langevin dynamics shows true samples, its end, five paths and a curve",
  async (check) => {
    const last = points(7, 2);
    const paths = Array.from({ length: 6 }, (_, i) => points(200, 3 + i));
    const report: LangevinReport = {
      curve: [[0, 0.9], [50, 0.4], [120, 0.15]].map(([step, sliced]) => ({ step, sliced, energy: 7 })),
      floor: { mean: { energy: 8, sliced: 0.1 }, std: { energy: 9, sliced: 6 } },
      modes: [],
      run: { steps: [0, 50, 120], states: [points(7, 0), points(7, 1), last], paths },
      truth: points(7, 9),
    };
    const ground = shade((x, y) => terraces(x, y, 0.01), 12);
    const expected = panels([
      panel("True samples", ground, dots(report.truth, 1, 0.4)),
      panel("Langevin, 120 steps", ground, dots(last, 1, 0.4)),
      panel(
        "Five paths, first 120 steps",
        ground,
        ...paths.slice(0, 5).map((points) => path(points.subarray(0, 300))),
      ),
      plot([
        {
          kind: "line",
          x: [0, 50, 120],
          y: [0.9, 0.4, 0.15],
          dots: true,
          label: "Langevin",
          colour: "#d55e00",
        },
        { kind: "line", x: [0, 120], y: [0.1, 0.1], colour: "#7f7f7f", dashed: true, label: "true samples" },
      ], {
        width: 460,
        height: 318,
        title: "Sliced Wasserstein distance to true samples",
        x: { label: "steps" },
        y: { min: 0 },
      }),
    ]);
    checkDrawn(check, "picture", await langevinPicture(distribution, report), expected);
  },
);

/** Two learned fields with different numbers. */
const fields: readonly FieldErrors[] = (["implicit", "noise-conditional"] as const).map((method, i) => ({
  method,
  relative: 0.0234 * (i + 1),
  byLevel: [0.1, 0.02, 0.5].map((value) => value * (i + 1)),
  byDensity: [0.2, 0.3, 0.9].map((value) => value * (i + 2)),
  map: Float64Array.from({ length: 6400 }, (_, k) => (k * 7919 % 6401) / (i + 1)),
  vectors: points(400, 20 + i),
}));
const report: FieldsReport = {
  sigma: 0.3,
  levels: [0.1, 0.4, 1.6],
  share: [0.9, 0.1],
  fields,
  truth: points(400, 5),
  centres: points(400, 6),
};

claim("the picture of learned fields shows the true score and each field as arrows", async (check) => {
  const ground = shade((x, y) => terraces(x, y, 0.3), 12);
  const lengths = (vectors: Float32Array) =>
    every(vectors, 0).map((x, k) => Math.hypot(x, vectors[2 * k + 1]));
  const typical = lengths(report.truth).sort((a, b) => a - b)[200];
  const arrows = (vectors: Float32Array): Mark => {
    // A cell is a twentieth of the square, and the arrow of a very long vector a tenth longer.
    const scale = lengths(vectors).map((length) => 0.33 / (length + typical));
    return {
      kind: "arrows",
      x: every(report.centres, 0),
      y: every(report.centres, 1),
      dx: every(vectors, 0).map((value, k) => value * scale[k]),
      dy: every(vectors, 1).map((value, k) => value * scale[k]),
      colour: "#222222",
    };
  };
  const expected = panels([
    panel("True score", ground, arrows(report.truth)),
    panel("implicit: error 2.3%", ground, arrows(fields[0].vectors)),
    panel("noise-conditional: error 4.7%", ground, arrows(fields[1].vectors)),
  ], { columns: 3, title: "Scores at noise σ = 0.3; E‖s − s*‖² in percent of E‖s*‖²" });
  checkDrawn(check, "picture", await fieldsPicture(distribution, report), expected);
});

claim("the picture of errors is full red from nine tenths of all errors on", async (check) => {
  const data = points(30, 8);
  const all = fields.flatMap(({ map }) => Array.from(map)).sort((a, b) => a - b);
  const peak = all[11520];
  const map = (values: Float64Array) =>
    square(Array.from(values, (value) => Math.round(16 * Math.min(1, value / peak))), 16, "#b2182b");
  const expected = panels([
    panel("Density and data", shade((x, y) => terraces(x, y, 0.3), 12), dots(data, 0.8, 0.5)),
    panel("implicit", map(fields[0].map), dots(data, 0.8, 0.5)),
    panel("noise-conditional", map(fields[1].map), dots(data, 0.8, 0.5)),
  ], {
    columns: 3,
    title: `Distance ‖s − s*‖ from the true score at σ = 0.3: white is 0, full red ${
      peak.toPrecision(2)
    } and more`,
  });
  checkDrawn(check, "picture", await errorsPicture(distribution, report, data), expected);
});

claim("the picture of levels has a curve a field, by noise and by density", (check) => {
  const curves = (x: number[], key: "byLevel" | "byDensity"): Mark[] =>
    fields.map((field) => ({ kind: "line", x, y: field[key], label: field.method, dots: true }));
  const expected = panels([
    plot(curves([0.1, 0.4, 1.6], "byLevel"), {
      width: 560,
      height: 318,
      title: "½ E‖ν (s − s*)‖² on data noised by ν (trained at 0.3)",
      x: { label: "noise level ν", scale: "log" },
      y: { scale: "log" },
    }),
    plot(curves([1, 2, 3], "byDensity"), {
      width: 560,
      height: 318,
      title: "Median ‖s − s*‖ at σ = 0.3 by density",
      x: { label: "tenth of the square, densest first" },
      y: { scale: "log" },
    }),
  ]);
  checkDrawn(check, "picture", levelsPicture(report), expected);
});

claim("the picture of modes shows samples, shares and paths of each sampler", async (check) => {
  const rows: ModesRow[] = [["a", 1600, 0.75], ["b", 40, 0.5]].map(([sampler, count, share], i) => ({
    sampler: sampler as string,
    heavier: { share: share as number, low: 0.41, high: 0.77 },
    evaluations: 5,
    samples: points(count as number, i),
    paths: [points(10, 40 + i), points(11, 50 + i)],
  }));
  // Two round Gaussians of deviation .3, eight deviations apart on the diagonal, seen at noise .01.
  const variance = 0.3 ** 2 + 0.01 ** 2;
  const at = 8 * 0.3 / 2 * Math.SQRT1_2;
  const density = (x: number, y: number) =>
    [[-1, 0.3], [1, 0.7]].reduce(
      (sum, [sign, weight]) =>
        sum + weight * Math.exp(-((x - sign * at) ** 2 + (y - sign * at) ** 2) / (2 * variance)),
      0,
    );
  const ground = shade(density, 12);
  const expected = panels([
    panel("a: 75.0 ± 18.0%", ground, dots(rows[0].samples.subarray(0, 2 * 1500), 1, 0.4)),
    panel("b: 50.0 ± 18.0%", ground, dots(rows[1].samples, 1, 0.4)),
    ...rows.map(({ sampler, paths: [first, second] }) =>
      panel(
        `2 paths of ${sampler}`,
        ground,
        // Without the first four tenths of their points.
        path(first.subarray(8), { width: 0.6 }),
        path(second.subarray(8), { width: 0.6 }),
      )
    ),
  ], { columns: 2, title: "Share of the upper right mode: truth 70.0%, 95% intervals" });
  checkDrawn(check, "picture", await modesPicture(rows, { weight: 0.7, separation: 8 }), expected);
});

claim(
  "an animation's frames go from data to noise and back, beside the flow up to and from there",
  async (check) => {
    const times = Float64Array.of(0.1, 0.55, 1);
    const [forward, reverse] = [0, 10].map((seed) => [0, 1, 2].map((i) => points(6, seed + i)));
    const flow = [points(3, 60), points(3, 61)];
    const frames = async (options: object) => {
      const own = { moments: 3, count: 6, ...options } as Parameters<typeof animationFrames>[1];
      return await Array.fromAsync(animationFrames(distribution, own, { times, forward, reverse, flow }));
    };
    for (const [what, options, sde] of [["vp", {}, vpSde()], ["ve", { sde: veSde() }, veSde()]] as const) {
      const drawn = await frames(options);
      const ground = Array.from(times, (time) => {
        const [scale, ratio] = [sde.alpha(time), sde.sigma(time) / sde.alpha(time)];
        return shade((x, y) => terraces(x / scale, y / scale, ratio), 8);
      });
      const title = ["t = 0.10", "t = 0.55", "t = 1.00"];
      const orange = { colour: "#d55e00" };
      const frame = (direction: string, at: number, state: Float32Array, from: number, to: number) =>
        panels([
          panel(`${direction} SDE, ${title[at]}`, ground[at], dots(state, 1.2, 1)),
          panel(
            `probability flow, ${title[at]}`,
            ground[at],
            ...flow.map((points) => path(points.subarray(2 * from, 2 * to), orange)),
          ),
        ]);
      const expected = [
        ...[0, 1, 2].map((at) => frame("forward", at, forward[at], 0, at + 1)),
        ...[2, 1, 0].map((at) => frame("reverse", at, reverse[at], at, 3)),
      ];
      check.equal(`${what}: frames`, drawn.length, 6, "three moments there, three back");
      drawn.forEach((svg, i) => checkDrawn(check, `${what}: frame ${i + 1}`, svg, expected[i]));
    }
  },
);
