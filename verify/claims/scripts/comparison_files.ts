/** Claims about what deno task compare draws and keeps on the disk, from results that are written out. @module */
import { digitRows, qualityPlot } from "../../../scripts/comparison/pictures.ts";
import { measuredRows, paretoFront } from "../../../scripts/comparison/pareto_front.ts";
import { earlierRows, type Results, samplerText, writeResults } from "../../../scripts/comparison/results.ts";
import { fromModel } from "../../../src/data/dataset.ts";
import { imageGrid } from "../../../src/images/grid.ts";
import { decodePng } from "../../../src/images/png.ts";
import type { Row } from "../../../src/runs/comparison.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { claim } from "../../suite/claim.ts";

const quality = {
  frechet: 10,
  kernelDistance: 0.125,
  kernelError: 0.002,
  precision: 0.75,
  recall: 0.5,
  accuracy: 0.875,
};

function row(sampler: string, evaluations: number, frechet: number | null, more: Partial<Row> = {}): Row {
  return {
    ...{ network: "n", sde: "vp", sampler, grid: "uniform", steps: evaluations - 1, options: {} },
    ...{ evaluations, seconds: 1, failure: frechet === null ? "it failed" : null },
    quality: frechet === null ? null : { ...quality, frechet },
    ...more,
  } as Row;
}

const results: Results = {
  run: { weights: "n", count: 12 },
  floor: { ...quality, frechet: 1 },
  rows: [
    row("ddim", 100, 10),
    row("ddim", 10, 100),
    row("ddpm", 10, 1000),
    row("ddpm", 100, null),
    row("ddim", 1000, 10, { sde: "ve" }),
    row("euler-maruyama", 31, 31, { network: "other", sde: "sigma-power" }),
  ],
  refused: [],
};

/** The pen's positions in the paths of a line of an SVG, by the line's colour. */
function pathOf(svg: string, colour: string): [number, number][] {
  const element = [...svg.matchAll(/<(?:path|polyline)[^>]*>/g)].map(([text]) => text)
    .find((text) => text.includes(`stroke="${colour}"`)) ?? "";
  const points = / (?:d|points)="([^"]*)"/.exec(element)?.[1] ?? "";
  return [...points.matchAll(/(-?[\d.]+)[ ,](-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
}

claim("the Pareto front has the settings that no setting of as many or fewer evaluations equals", (check) => {
  const rows = [
    row("ddim", 20, 12),
    row("ddim", 5, 40),
    row("ddpm", 5, 30),
    row("ddpm", 10, 30),
    row("unipc", 10, 31),
    row("unipc", 20, 8),
    row("dpm++2m", 20, 8),
    row("dpm++2m", 40, 7),
    row("ancestral", 50, null),
    row("ancestral", 2, 1, { sde: "ve" }),
    row("ancestral", 3, 1, { network: "other" }),
  ];
  const front = paretoFront(measuredRows(rows, "vp", "n"));
  const places = front.map(({ sampler, evaluations }) => `${evaluations} ${sampler}`);
  check.equal("its places", places, ["5 ddpm", "20 unipc", "40 dpm++2m"], "read off the rows by hand");
});

claim(
  "a plot of quality has a line for each sampler of its SDE, in the order of evaluations, and what all compare with",
  (check) => {
    const svg = qualityPlot(results, "vp");
    for (
      const words of [
        "Fréchet distance of 12 digits, vp",
        "network evaluations",
        "ddim",
        "ddpm",
        "baseline: euler-maruyama",
        "12 training images",
      ]
    ) {
      check.holds(words, svg.includes(`>${words}<`), "the results");
    }
    const size = /<svg[^>]*width="(\d+)"[^>]*height="(\d+)"/.exec(svg)?.slice(1).map(Number);
    check.equal("size", size, [760, 360], "the least height");
    const many = Array.from(
      { length: 16 },
      (_, i) => row("euler-maruyama", 31 + i, 31, { network: "other" }),
    );
    const tall = qualityPlot({ ...results, rows: [...results.rows, ...many] }, "vp");
    check.equal(
      "height of many lines",
      Number(/<svg[^>]*height="(\d+)"/.exec(tall)?.[1]),
      100 + 18 * 21,
      "two samplers, their front, seventeen baselines and the floor",
    );
    const ddim = pathOf(svg, "hsl(0, 70%, 45%)");
    check.equal("points of ddim", ddim.length, 2, "those of vp");
    const [first, last] = ddim;
    check.holds(
      "ddim goes right and down",
      first[0] < last[0] && first[1] < last[1],
      "from 10 evaluations and 100 to 100 and 10",
    );
    const floor = pathOf(svg, "#7f7f7f");
    check.holds(
      "the floor",
      floor.length === 2 && floor[0][1] === floor[1][1] && floor[0][1] > last[1],
      "level, below all",
    );
    check.equal(
      "its ends",
      [floor[0][0], floor[1][0]],
      [first[0], last[0]],
      "the fewest evaluations and the most",
    );
    const tenfold = qualityPlot(
      { ...results, rows: [10, 100, 1000].map((at) => row("ddim", at, 1e4 / at)) },
      "vp",
    );
    const steps = pathOf(tenfold, "hsl(0, 70%, 45%)");
    for (const axis of [0, 1] as const) {
      const [near, far] = [steps[1][axis] - steps[0][axis], steps[2][axis] - steps[1][axis]];
      const what = `${["x", "y"][axis]}: the second tenfold step over the first`;
      check.within(what, far / near, 1, 0.02, "both axes are logarithmic; rounding of coordinates");
    }
    const labels = [...svg.matchAll(/>(network evaluations|Fréchet distance)</g)].map(([, text]) => text);
    check.equal("labels of axes", labels.sort(), ["Fréchet distance", "network evaluations"], "y and x");
    const dashed = (colour: string) =>
      [...svg.matchAll(/<(?:path|polyline)[^>]*>/g)].some(([text]) =>
        text.includes(`stroke="${colour}"`) && text.includes("stroke-dasharray")
      );
    check.equal(
      "dashed: ddim, the floor",
      ["hsl(0, 70%, 45%)", "#7f7f7f"].map(dashed),
      [false, true],
      "ddim adds no noise",
    );
    const noisy = qualityPlot({ ...results, rows: [row("ddpm", 10, 100), row("ddpm", 100, 10)] }, "vp");
    check.holds(
      "dashed: ddpm",
      /stroke="hsl\(0, 70%, 45%\)"[^>]*stroke-dasharray|stroke-dasharray[^>]*stroke="hsl\(0, 70%, 45%\)"/
        .test(noisy),
      "it adds noise",
    );
  },
);

claim(
  "a picture of digits has a named row for each setting and a named column for each class",
  async (check) => {
    const images = [0, 1].map((from) => Float32Array.from({ length: 3 * 4 }, (_, at) => (at + from) / 8 - 1));
    const shown = [row("ddim", 10, 1), row("ddpm", 7, 1)].map((own, at) => ({
      row: own,
      images: images[at],
      labels: Uint8Array.of(0, 1, 2),
    }));
    const picture = await decodePng(digitRows(shown, [2, 2, 1]));
    const values = fromModel(Float32Array.from([...images[0], ...images[1]]));
    const expected = imageGrid(values, [6, 2, 2, 1], {
      title: "samplers under vp, with their network evaluations",
      rowNames: ["ddim 10", "ddpm 7"],
      columnNames: ["class 0", "class 1", "class 2"],
    });
    check.equal(
      "size",
      [picture.width, picture.height],
      [expected.width, expected.height],
      "three columns, two rows",
    );
    const lines = 3 * 17;
    check.equal(
      "height",
      picture.height,
      lines + 2 * 84 + 3 * 2,
      "a title of two lines and the classes, two rows of 84 pixels, gaps of two",
    );
    check.equal(
      "bytes",
      [...picture.data],
      [...expected.data],
      "a row for each setting, with its sampler and evaluations",
    );
  },
);

claim(
  "a file of results is gone on with on request, if it is of the same run",
  (check) =>
    withFolder(async (folder) => {
      const path = `${folder}/c.json`;
      check.equal("no file", await earlierRows(path, results.run, false), [], "nothing is measured");
      await writeResults(path, results);
      check.equal(
        "as JSON",
        await Deno.readTextFile(path),
        `${JSON.stringify(results, null, 1)}\n`,
        "a line for each value",
      );
      check.equal("rows", await earlierRows(path, results.run, true), results.rows, "as written");
      await check.throws(
        "unasked",
        () => earlierRows(path, results.run, false),
        /c\.json" holds 6 measured rows: --resume keeps them and measures what is missing; remove it to measure anew$/,
      );
      for (
        const [run, message] of [
          [{ weights: "n", count: 13 }, /^cannot resume ".*c\.json": its count is 12, now it is 13$/],
          [{ weights: "n" }, /its count is 12, now it is undefined$/],
          [{ weights: "n", count: 12, seed: 1 }, /its seed is undefined, now it is 1$/],
        ] as const
      ) {
        await check.throws(JSON.stringify(run), () =>
          earlierRows(path, run as typeof results.run, true), message);
      }
      for (const text of ["{", "[]", '{"run":{},"rows":3}', '{"run":3,"rows":[]}', '{"run":{},"rows":[3]}']) {
        await Deno.writeTextFile(path, text);
        await check.throws(text, () =>
          earlierRows(path, {}, true), /c\.json" is not a file of deno task compare$/);
      }
      await Deno.writeTextFile(path, '{"run":{},"rows":[]}');
      check.equal("a file without rows", await earlierRows(path, {}, true), [], "none");
      await Deno.mkdir(`${folder}/d.json`);
      await check.throws("a folder", () =>
        earlierRows(`${folder}/d.json`, {}, true), /directory/i);
      const text = (more: Partial<Row>) =>
        samplerText(row("ddim", 3, 1, more), results.run);
      check.equal(
        "names of samplers",
        [
          text({}),
          text({ options: { eta: 0.5, snr: undefined } }),
          text({ network: "o", options: { predictor: "ddpm", snr: 0.1 } }),
        ],
        ["ddim", "ddim (eta 0.5)", "baseline: ddim (ddpm, snr 0.1)"],
        "the options that are given",
      );
    }),
);
