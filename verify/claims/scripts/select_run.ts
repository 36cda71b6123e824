/** Claims that `deno task select` says what runSelection measures for its request, in which every field counts. @module */
import { sigmaPowerSde } from "../../../src/diffusion/sde.ts";
import { modelToBytes } from "../../../src/data/dataset.ts";
import { featureMoments, frechetDistance } from "../../../src/metrics/frechet.ts";
import { patchStatistics } from "../../../src/metrics/pooled_features.ts";
import { type Model, writeModel } from "../../../src/networks/model_file.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { drawDigits } from "../../../src/runs/evaluation.ts";
import { runSelection, type SelectionRequest, type SelectionResult } from "../../../src/runs/selection.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { task } from "../../../scripts/select.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { printed } from "../../instruments/printed.ts";
import { checkEveryField } from "../../instruments/request_fields.ts";
import { smallColoured, smallModel } from "../../instruments/small_checkpoint.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { writePets } from "../../problems/pet_pictures.ts";
import { claim } from "../../suite/claim.ts";

/** Networks that differ in the value around which they expect pixels, by the names of their files. */
const centres = { "model-000001.safetensors": -0.7, "model-000002.safetensors": -0.2 };
const models: Readonly<Record<string, Model>> = Object.fromEntries(
  Object.entries(centres).map(([name, centre]) => [
    name,
    {
      ...smallModel(smallColoured),
      config: { network: smallColoured, preconditioning: { sigmaData: 0.5, centre } },
    },
  ]),
);
const open = (name: string) => networkPredictor(models[name].config, models[name].weights);

/** The random pictures, and what is in their folder. */
function pets() {
  return withFolder(writePets);
}

async function selected(request: SelectionRequest): Promise<SelectionResult> {
  return await runSelection(request, { dataset: await pets(), load: open });
}

/** Two models with an SDE each, ten images in batches of six. */
const request: SelectionRequest = {
  models: [
    { name: "model-000001.safetensors", sde: sigmaPowerSde({ sigma: 9 }).config },
    { name: "model-000002.safetensors", sde: sigmaPowerSde({ sigma: 30 }).config },
  ],
  sampler: { name: "ddim", options: { eta: 0.3 } },
  grid: { kind: "uniform", steps: 3 },
  count: 10,
  batch: 6,
  seed: 3,
};

claim(
  "every field of a selection's request changes what it measures",
  { engines: ["wasm"] },
  async (check) => {
    const [first, second] = request.models;
    const numbers = async (request: SelectionRequest) => {
      const { models, floor } = await selected(request);
      return [...models.map(({ frechet }) => 100 * frechet), 100 * floor];
    };
    await checkEveryField(check, { ...request, models: [{ ...first, sde: { ...first.sde } }] }, {
      "models.0.name": { value: second.name },
      "models.0.sde.kind": { value: "sigma-power", same: "an SDE of another kind has other fields" },
      ...Object.fromEntries(
        Object.entries(first.sde).filter(([key]) => key !== "kind").map(([key, value]) => [
          `models.0.sde.${key}`,
          { value: key === "sigma" ? 12 : 2 * (value as number) },
        ]),
      ),
      "sampler.name": { value: "ddim", same: "no other sampler has η; the next claim takes another" },
      "sampler.options.eta": { value: 0.9 },
      "grid.kind": { value: "karras" },
      "grid.steps": { value: 4 },
      "count": { value: 11 },
      "batch": { value: 10, same: "an image's random numbers are its own, whatever batch it is in" },
      "seed": { value: 4 },
    }, numbers);
  },
);

claim(
  "a selection measures each model's images by its own SDE, and chooses the nearest to the data",
  { engines: ["wasm"] },
  async (check) => {
    const data = await pets();
    const moments = (images: Uint8Array, count: number) => {
      const { features, dimension } = patchStatistics({ ...data, count, images });
      return featureMoments(features, dimension);
    };
    for (const models of [request.models, request.models.toReversed()]) {
      const asked: SelectionRequest = { ...request, models, sampler: { name: "dpm++2m", options: {} } };
      const disposed: string[] = [];
      const taken: number[] = [];
      const result = await runSelection(asked, {
        dataset: data,
        load: (name) => {
          const noisePredictor = open(name);
          const dispose = () => {
            disposed.push(name);
            noisePredictor.dispose();
          };
          return { ...noisePredictor, dispose } as typeof noisePredictor;
        },
        onStep: (steps) => void taken.push(steps),
      });
      const expected: { name: string; frechet: number }[] = [];
      for (const { name, sde } of models) {
        const noisePredictor = open(name);
        const { sampler, grid, count, batch, seed } = asked;
        const { images } = await drawDigits({
          ...{ sde, sampler, grid, count, batch, seed },
          guidance: { scale: 1 },
          classifierScale: 0,
        }, { noisePredictor });
        noisePredictor.dispose();
        const frechet = frechetDistance(moments(modelToBytes(images), 10), moments(data.images, 12));
        expected.push({ name, frechet });
      }
      check.equal("distances", result.models, expected, "the same images, drawn one model after the other");
      check.equal(
        "the best",
        result.best,
        expected.reduce((a, b) => a.frechet < b.frechet ? a : b).name,
        "the smallest distance",
      );
      check.equal("disposed", disposed, models.map(({ name }) => name), "every model, once");
      check.equal(
        "steps",
        [...new Set(taken)],
        Array.from({ length: 13 }, (_, i) => i),
        "from 0 to those of 2 models, 2 batches, 3 steps",
      );
    }
    // Of 12 images in 96 dimensions covariances are singular: roots of eigenvalues that are 0 but for rounding remain.
    const rounding = 96 * Math.sqrt(Number.EPSILON);
    const all = await selected({ ...request, count: 12 });
    check.atMost("the floor of all images", Math.abs(all.floor), rounding, "the data beside itself");
    const { floor } = await selected(request);
    const floors = Array.from({ length: 12 * 11 / 2 }, (_, at) => at).map((at) => {
      // Without the images i < j: all that ten of twelve can be.
      let [i, rest] = [0, at];
      while (rest >= 11 - i) rest -= 11 - i++;
      const j = i + 1 + rest;
      const kept = Array.from({ length: 12 }, (_, k) => k).filter((k) => k !== i && k !== j);
      const images = Uint8Array.from(kept.flatMap((k) => [...data.images.subarray(192 * k, 192 * (k + 1))]));
      return frechetDistance(moments(images, 10), moments(data.images, 12));
    });
    const nearest = Math.min(...floors.map((each) => Math.abs(each - floor)));
    check.atMost(
      "the floor, from that of ten different images of the twelve",
      nearest,
      rounding,
      "all 66 choices",
    );
  },
);

claim(
  "select says what runSelection measures for the request of --dry-run: each model by the σ of its training",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const data = await writePets(folder);
      const out = `${folder}/run`;
      await Deno.mkdir(out);
      const sigmas = [9, 30];
      for (const [at, [name, model]] of Object.entries(models).entries()) {
        const recipe = {
          objective: { kind: "sde", sde: sigmaPowerSde({ sigma: sigmas[at] }).config, weighting: "variance" },
          optimizer: OPTIMIZER_DEFAULTS,
          steps: 50,
          batch: 3,
          labelDropout: 0.2,
          seed: 4,
        };
        const metadata = { recipe: JSON.stringify(recipe), data: `${folder}/pets` };
        await Deno.writeFile(`${out}/${name}`, writeModel(model, "F32", { metadata }));
      }
      const flags =
        `--checkpoints ${out} --count 101 --batch 64 --sde sigma-power --sampler ddim --eta 0.3 --grid uniform --steps 3 ` +
        "--seed 5 --engine wasm";
      const { request, stdout, bar } = await runInside(task, `${flags} --json`);
      check.equal("the request", request, {
        checkpoints: out,
        models: Object.keys(centres).map((name, at) => ({
          name,
          sde: JSON.parse(JSON.stringify(sigmaPowerSde({ sigma: sigmas[at] }).config)),
        })),
        data: `${folder}/pets`,
        size: 8,
        skipCorrupt: false,
        sampler: { name: "ddim", options: { eta: 0.3 } },
        grid: { kind: "uniform", steps: 3 },
        count: 101,
        batch: 64,
        seed: 5,
        engine: "wasm",
      }, "the flags, and what the models' files say of their training");
      const drawn = 6 * request.models.length;
      check.equal("counts of the bars", [...new Set(bar)], [
        ...Array.from({ length: 12 }, (_, n) => `reading pets ${n + 1}/12 pictures`),
        ...Array.from({ length: drawn + 1 }, (_, n) => `drawing ${n}/${drawn} steps`),
      ], "twelve pictures; three steps of two batches for each model");
      const { models: measured, best, floor } = await selected(request);
      check.equal("what is said", JSON.parse(stdout.join("\n")), {
        models: measured,
        best,
        floor,
        count: 101,
        data: data.name,
      }, "runSelection, of the same models");
      check.equal(
        "best.safetensors",
        await Deno.readFile(`${out}/best.safetensors`),
        await Deno.readFile(`${out}/${best}`),
        "the chosen model's bytes",
      );
    }),
);

claim("select's words are those of its request and its result", async (check) => {
  const all = {
    ...request,
    checkpoints: "runs/a",
    data: "mnist",
    size: null,
    skipCorrupt: false,
    engine: "wasm",
  } as const;
  const result = {
    models: [{ name: "a", frechet: 1.5 }, { name: "b", frechet: 0.25 }],
    best: "b",
    floor: 0.125,
    dataset: "mnist train",
  };
  const words = await printed(() =>
    task.report(all, result, parseFlags(task.usage, ["--checkpoints", "runs/a"]))
  );
  check.equal("a table", words, [
    "model                Fréchet, 10 images",
    "a                                1.5000",
    "b                                0.2500",
    "as many of the data              0.1250",
    "best: b, copied to runs/a/best.safetensors",
  ], "written out");
});
