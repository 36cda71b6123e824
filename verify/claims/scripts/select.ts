/** Claims about `deno task select`. @module */
import { loadCheckpoint } from "../../../scripts/sampling/checkpoint.ts";
import { drawDigits } from "../../../src/runs/evaluation.ts";
import { currentEngine } from "../../../src/compute/engine.ts";
import { type ImageDataset, modelToBytes } from "../../../src/data/dataset.ts";
import { featureMoments, frechetDistance } from "../../../src/metrics/frechet.ts";
import { patchStatistics } from "../../../src/metrics/pooled_features.ts";
import { writeModel } from "../../../src/networks/model_file.ts";
import { samplerInfo } from "../../../src/samplers/registry.ts";
import { veSde } from "../../../src/diffusion/sde.ts";
import { claim } from "../../suite/claim.ts";
import { run } from "../../instruments/run_task.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { smallColoured, smallModel } from "../../instruments/small_checkpoint.ts";
import { writePets } from "../../problems/pet_pictures.ts";

claim(
  "deno task select copies the model whose images are nearest to the data",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const pets = await writePets(folder);
      const out = `${folder}/run`;
      await Deno.mkdir(out);
      const known = moments(pets);
      const engine = currentEngine()!;
      const expected: { name: string; frechet: number }[] = [];
      for (const [step, centre] of [[1, -0.7], [2, -0.2], [3, 0.6]]) {
        const model = {
          ...smallModel(smallColoured),
          config: { network: smallColoured, preconditioning: { sigmaData: 0.5, centre } },
        };
        const name = `model-00000${step}.safetensors`;
        await Deno.writeFile(`${out}/${name}`, writeModel(model));
        const noisePredictor = await loadCheckpoint(`${out}/${name}`);
        const sampling = {
          sde: veSde({ sigmaMin: 0.005, sigmaMax: 40 }).config,
          sampler: { name: "dpm++2m", options: {} },
          grid: { ...samplerInfo("dpm++2m").grid, steps: 4 },
        } as const;
        const { images } = await drawDigits({
          ...sampling,
          guidance: { scale: 1 },
          classifierScale: 0,
          count: 100,
          batch: 100,
          seed: 0,
        }, { noisePredictor, engine });
        noisePredictor.dispose();
        const drawn = { ...pets, count: 100, images: modelToBytes(images) };
        expected.push({ name, frechet: frechetDistance(moments(drawn), known) });
      }
      const flags =
        `--checkpoints ${out} --data ${folder}/pets --count 100 --batch 100 --steps 4 --engine wasm --json`;
      const { code, stdout, stderr } = await run("select", ...flags.split(" "));
      check.equal("exit code", code, 0, stderr);
      const { models, best } = JSON.parse(stdout);
      for (const [i, { name, frechet }] of expected.entries()) {
        check.equal(`${name}: its place`, models[i].name, name, "in the order of steps");
        check.within(
          `${name}: distance`,
          models[i].frechet,
          frechet,
          1e-9 * frechet,
          "the library's, same images",
        );
      }
      const [nearest] = expected.toSorted((a, b) => a.frechet - b.frechet);
      check.equal("the best", best, nearest.name, "the smallest distance");
      check.equal(
        "best.safetensors",
        await Deno.readFile(`${out}/best.safetensors`),
        await Deno.readFile(`${out}/${nearest.name}`),
        "its bytes",
      );
    }),
);

function moments(images: ImageDataset) {
  const { features, dimension } = patchStatistics(images);
  return featureMoments(features, dimension);
}
