/** Claims that `deno task toy` says and draws what runPlaneExperiment gives for its request, in which every field counts. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { toyDistribution } from "../../../src/distributions/toys.ts";
import { animationFrames, densityAnimation } from "../../../src/experiments/density_animation.ts";
import { langevinPicture, measureLangevin } from "../../../src/experiments/exact_langevin.ts";
import { errorsPicture, fieldsPicture, levelsPicture } from "../../../src/experiments/field_pictures.ts";
import { learnFields, measureFields } from "../../../src/experiments/learned_fields.ts";
import { measureModes, modesPicture } from "../../../src/experiments/mode_proportions.ts";
import { encodeGif } from "../../../src/images/gif.ts";
import { decodePng, encodePng } from "../../../src/images/png.ts";
import { loadRasterizer } from "../../../src/plots/rasterizer.ts";
import {
  type DensitiesRequest,
  type LangevinRequest,
  type MatchingRequest,
  type ModesRequest,
  type PlanePicture,
  runPlaneExperiment,
} from "../../../src/runs/plane_experiment.ts";
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { task } from "../../../scripts/toy.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { GifReader } from "../../instruments/gif_reader.ts";
import { printed } from "../../instruments/printed.ts";
import { checkEveryField, type FieldRow } from "../../instruments/request_fields.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { claim } from "../../suite/claim.ts";

const langevin: LangevinRequest = {
  ...{ experiment: "langevin", data: "mixture", count: 30, steps: 20, stepSize: 0.01, seed: 3 },
};
const matching: MatchingRequest = {
  experiment: "matching",
  data: "banana",
  count: 40,
  steps: 4,
  sigma: 0.4,
  methods: ["denoising", "noise-conditional"],
  seed: 3,
};
const modes: ModesRequest = {
  ...{ experiment: "modes", count: 30, steps: 16, separation: 4, weight: 0.7, seed: 3 },
};
const densities: DensitiesRequest = {
  ...{ experiment: "densities", data: "moons", count: 6, moments: 2, seed: 3 },
};

/** All numbers of a picture. */
function drawnNumbers({ frames }: PlanePicture): number[] {
  return frames.flatMap((svg) => [...svg.matchAll(/\d+(?:\.\d+)?/g)].map(([digits]) => Number(digits)));
}

claim(
  "every field of an experiment's request changes what it measures or draws",
  { engines: ["wasm"] },
  async (check) => {
    const experiment = (value: string): FieldRow => ({ value, same: "another experiment has other fields" });
    await checkEveryField(check, langevin, {
      experiment: experiment("langevin"),
      data: { value: "banana" },
      count: { value: 40 },
      steps: { value: 30 },
      stepSize: { value: 0.02 },
      seed: { value: 4 },
    }, async (request) => {
      const { curve, floor, modes } = await runPlaneExperiment(request);
      return [
        ...curve.flatMap(({ step, energy, sliced }) => [step, energy, sliced]),
        ...[floor.mean.energy, floor.mean.sliced, floor.std.energy, floor.std.sliced],
        ...modes.map(({ share }) => share),
      ];
    });
    const one: MatchingRequest = { ...matching, methods: ["denoising"] };
    await checkEveryField(check, one, {
      experiment: experiment("matching"),
      data: { value: "mixture" },
      count: { value: 50 },
      steps: { value: 9 },
      sigma: { value: 0.5 },
      "methods.0": { value: "sliced" },
      seed: { value: 4 },
    }, async (request) => {
      const { fields } = await runPlaneExperiment(request);
      return fields.flatMap(({ relative, byLevel, byDensity }) => [relative, ...byLevel, ...byDensity]);
    });
    await checkEveryField(check, modes, {
      experiment: experiment("modes"),
      count: { value: 40 },
      steps: { value: 30 },
      separation: { value: 9 },
      weight: { value: 0.9 },
      seed: { value: 4 },
    }, async (request) => {
      const { rows, pictures } = await runPlaneExperiment(request);
      return [
        ...rows.flatMap(({ share, low, high, evaluations }) => [share, low, high, evaluations]),
        ...drawnNumbers(pictures[0]),
      ];
    });
    await checkEveryField(check, densities, {
      experiment: experiment("densities"),
      data: { value: "rings" },
      count: { value: 7 },
      moments: { value: 3 },
      seed: { value: 4 },
    }, async (request) => drawnNumbers((await runPlaneExperiment(request)).pictures[0]));
  },
);

claim(
  "an experiment's numbers and pictures are those of its own function, with each value where it belongs",
  { engines: ["wasm"] },
  async (check) => {
    const source = "the experiment's functions, called here";
    const one = (svg: string) => [{ name: "", frames: [svg] }];
    {
      const distribution = toyDistribution("mixture");
      const options = { count: 30, steps: 20, stepSize: 0.01, rng: createRng(3) };
      const report = await measureLangevin(distribution, options);
      const { curve, floor, modes } = report;
      const pictures = one(await langevinPicture(distribution, report));
      check.equal("langevin", await runPlaneExperiment(langevin), {
        ...{ experiment: "langevin", curve, floor, modes, pictures },
      }, source);
    }
    {
      const distribution = toyDistribution("banana");
      const training = { sigma: 0.4, steps: 4, seed: 3, methods: matching.methods };
      const learned = await learnFields(distribution, training);
      const report = await measureFields(distribution, learned, { sigma: 0.4, seed: 3, count: 40 });
      for (const field of learned) field.dispose();
      const drawn = distribution.sample(createRng(3).fork("picture"), 1000);
      const points = await drawn.data<"float32">();
      drawn.dispose();
      const done: [number, string | undefined][] = [];
      const result = await runPlaneExperiment(matching, {
        onStep: (steps, method) => void done.push([steps, method]),
      });
      check.equal("matching", result, {
        experiment: "matching",
        levels: report.levels,
        share: report.share,
        fields: report.fields.map(({ method, relative, byLevel, byDensity }) => ({
          ...{ method, relative, byLevel, byDensity },
        })),
        pictures: [
          { name: "fields", frames: [await fieldsPicture(distribution, report)] },
          { name: "errors", frames: [await errorsPicture(distribution, report, points)] },
          { name: "levels", frames: [levelsPicture(report)] },
        ],
      }, source);
      check.holds(
        `steps ${done.join(" ")}`,
        done.every(([steps, method]) => method === "denoising" ? steps <= 4 : steps > 4 && steps <= 8),
        "the second method's come after the first one's four",
      );
    }
    {
      const rows = await measureModes({
        ...{ count: 30, steps: 16, separation: 4, weight: 0.7, rng: createRng(3) },
      });
      const pictures = one(await modesPicture(rows, { separation: 4, weight: 0.7 }));
      check.equal("modes", await runPlaneExperiment(modes), {
        experiment: "modes",
        rows: rows.map(({ sampler, heavier, evaluations }) => ({ sampler, ...heavier, evaluations })),
        pictures,
      }, source);
    }
    {
      const distribution = toyDistribution("moons");
      const options = { moments: 2, count: 6, rng: createRng(3) };
      const animation = await densityAnimation(distribution, options);
      const frames = await Array.fromAsync(animationFrames(distribution, options, animation));
      const done: number[] = [];
      const result = await runPlaneExperiment(densities, { onStep: (steps) => void done.push(steps) });
      check.equal(
        "densities",
        result,
        { experiment: "densities", pictures: [{ name: "", frames }] },
        source,
      );
      check.equal("frames as they are drawn", done, [1, 2, 3, 4], "two forward, two back");
    }
  },
);

claim(
  "toy says, and writes as pictures, what runPlaneExperiment gives for the request of --dry-run",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const flags =
        "--data moons --count 24 --steps 4 --step-size 0.002 --sigma 0.3 --methods sliced,denoising " +
        `--separation 6 --weight 0.7 --seed 5 --engine wasm --output ${folder}`;
      const { request, stdout, bar } = await runInside(task, `${flags} --json`);
      const { experiments } = request;
      check.equal("the experiments", experiments, [
        { experiment: "langevin", data: "moons", count: 24, steps: 4, stepSize: 0.002, seed: 5 },
        {
          ...{ experiment: "matching", data: "moons", count: 24, steps: 4, sigma: 0.3 },
          ...{ methods: ["sliced", "denoising"], seed: 5 },
        },
        { experiment: "modes", count: 24, steps: 4, separation: 6, weight: 0.7, seed: 5 },
        { experiment: "densities", data: "moons", count: 24, moments: 4, seed: 5 },
      ], "the flags");
      const rasterize = await loadRasterizer();
      const lines = stdout.map((line) => JSON.parse(line));
      check.equal("counts of the bars", [...new Set(bar)], [
        "training 4/8 steps, sliced",
        "training 8/8 steps, denoising",
        ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `drawing ${n}/8 frames`),
      ], "four steps of two methods, four frames there and four back");
      check.equal("lines", lines.length, 4, "one an experiment");
      const files = [
        ["langevin_moons.png"],
        ["matching_moons_fields.png", "matching_moons_errors.png", "matching_moons_levels.png"],
        ["modes.png"],
        ["densities_moons.gif"],
      ];
      for (const [at, experiment] of experiments.entries()) {
        const { pictures, ...numbers } = await runPlaneExperiment(experiment);
        const name = experiment.experiment;
        const { seconds, engine, ...said } = lines[at];
        check.holds(
          `${name}: seconds ${seconds}, engine ${engine}`,
          seconds > 0 && engine === "wasm",
          "wasm",
        );
        const paths = files[at].map((file) => `${folder}/${file}`);
        // Matching does not say its count and its methods beside their errors.
        const { count: _, methods: __, ...spoken } = experiment as MatchingRequest;
        const asked = name === "matching" ? spoken : experiment;
        const frames = name === "densities" ? { frames: 8 } : {};
        check.equal(
          `${name}: said`,
          said,
          { ...asked, ...numbers, ...frames, files: paths },
          "runPlaneExperiment",
        );
        for (const [k, { frames }] of pictures.entries()) {
          const bytes = name === "densities"
            ? encodeGif(frames.map((svg) => rasterize(svg)), { delay: 120 })
            : encodePng(rasterize(frames[0], { scale: 1.25 }));
          check.equal(
            files[at][k],
            await Deno.readFile(paths[k]),
            bytes,
            "runPlaneExperiment's frames, in order",
          );
        }
      }
      const { width, height } = await decodePng(await Deno.readFile(`${folder}/modes.png`));
      check.equal(
        "modes: three panels by two",
        [width, height],
        [1185, 833],
        "(3 · 316, 30 + 2 · 318) · 1.25, rounded up",
      );
      const gif = new GifReader(await Deno.readFile(`${folder}/densities_moons.gif`));
      check.equal("frames", gif.numFrames(), 8, "four moments forward, four back");
      const written = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
      check.equal("files", written, files.flat().sort(), "nothing else");
    }),
);

claim(
  "the step size of Langevin dynamics is a twentieth of the narrowest variance of its distribution",
  async (check) => {
    const sizes = {
      ...{ mixture: 0.0125, banana: 0.0045, gaussians: 0.001125, moons: 0.000125, rings: 0.000125 },
      ...{ checkerboard: 0.00008, "swiss-roll": 0.000125 },
    };
    for (const [data, expected] of Object.entries(sizes)) {
      const { experiments } = await task.request(parseFlags(task.usage, ["--data", data]));
      const [langevin] = experiments;
      const size = langevin.experiment === "langevin" ? langevin.stepSize : 0;
      check.within(data, size / expected, 1, 1e-9, "σ = 0.5, 0.3, 0.15, 0.05, 0.05, 0.04 and 0.05");
    }
  },
);

claim("toy's words are those of its requests and results", async (check) => {
  const request = {
    experiments: [langevin, matching, modes, densities],
    output: "toy",
    engine: "wasm",
  } as const;
  const distances = (energy: number, sliced: number) => ({ energy, sliced });
  const more = (files: string[], seconds: number) => ({ pictures: [], files, seconds });
  const share = { successes: 1, count: 2, share: 0.5, low: 0.25, high: 0.75, weight: 0.625 };
  const lines = await printed(() =>
    task.report(request, {
      experiments: [
        {
          experiment: "langevin",
          curve: [{ step: 0, ...distances(9, 8) }, { step: 20, ...distances(0.5, 0.25) }],
          floor: { mean: distances(0.125, 0.75), std: distances(0.375, 0.0625) },
          modes: [share],
          ...more(["a.png"], 3),
        },
        {
          experiment: "matching",
          levels: [],
          share: [0.25, 0.75],
          fields: [{ method: "sliced", relative: 0.125, byLevel: [], byDensity: [0.5, 9, 2.5] }],
          ...more(["b.png", "c.png"], 4),
        },
        {
          experiment: "modes",
          rows: [{ sampler: "plain", ...share, evaluations: 17 }],
          ...more(["d.png"], 5),
        },
        {
          experiment: "densities",
          ...more(["e.gif"], 6),
          pictures: [{ name: "", frames: ["", "", ""] }],
        },
      ],
      engine: "onnx",
    }, parseFlags(task.usage, []))
  );
  check.equal("words", lines, [
    "langevin on mixture: 30 particles, 20 steps of 0.0100",
    "  energy distance to true samples 0.50000; true against true 0.12500 ± 0.37500",
    "  sliced Wasserstein 0.2500; true against true 0.7500 ± 0.0625",
    "  mode 1: 50.0%, 95% interval 25.0% to 75.0%; truth 62.5%",
    "  a.png in 3.00 s on onnx",
    "matching on banana at σ = 0.4: 4 steps each; E‖s − s*‖²/E‖s*‖², and the median ‖s − s*‖ in the",
    "  densest tenth of the square (25.0% of the data) and in the sparsest",
    "  sliced              12.5%  0.500  2.500",
    "  b.png, c.png in 4.00 s on onnx",
    "modes: 70.0% of the data in one of two modes, 4 standard deviations apart; 30 samples",
    "  plain              50.0%, 95% interval 25.0% to 75.0%; 17 evaluations",
    "  d.png in 5.00 s on onnx",
    "densities of moons: 3 frames, 6 particles",
    "  e.gif in 6.00 s on onnx",
  ], "written out");
});
