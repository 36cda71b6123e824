/** The files that rows of verify/problems/tasks.ts name. @module */
import { fromModel, slice, toModel } from "../../src/data/dataset.ts";
import { imageGrid } from "../../src/images/grid.ts";
import { encodePng } from "../../src/images/png.ts";
import { networkFromConfig } from "../../src/networks/registry.ts";
import { writeModel } from "../../src/networks/model_file.ts";
import { writeCheckpoint } from "../../src/training/checkpoint.ts";
import { OPTIMIZER_DEFAULTS } from "../../src/training/optimizer.ts";
import { initialState } from "../../src/training/train.ts";
import { PLAN_FORMAT } from "../../scripts/sampling/noise_plan_file.ts";
import { smallModel } from "./small_checkpoint.ts";
import { smallMnist, writeMnist } from "./small_mnist.ts";

/** Fills in the files that rows speak of. */
export function withFiles(text: string, folder: string): string {
  return text.replaceAll("$CHECKPOINT", `${folder}/model.safetensors`)
    .replaceAll("$PLAN", `${folder}/plan.json`).replaceAll("$FOLDER", folder);
}

const plan = {
  format: PLAN_FORMAT,
  data: "mnist",
  kind: "ncsnv2",
  largest: 8,
  smallest: 0.5,
  levels: 5,
  moves: 3,
  epsilon: 1e-3,
};

/** Writes what rows name beside the network. */
export async function writeFiles(folder: string): Promise<void> {
  await Deno.writeTextFile(`${folder}/plan.json`, JSON.stringify(plan));
  const points = ["x,y,kind", "1,2,0", "3,5,1", "4,1,1", "6,9,0"].join("\n");
  await Deno.writeTextFile(`${folder}/points.csv`, points);
  const scheduler = { _class_name: "DDPMScheduler", num_train_timesteps: 20 };
  await Deno.writeTextFile(`${folder}/scheduler_config.json`, JSON.stringify(scheduler));
  const sets = smallMnist({ train: 7, test: 8 });
  await writeMnist(folder, sets);
  await Deno.mkdir(`${folder}/more`);
  await writeMnist(`${folder}/more`, { train: sets.test, test: sets.train });
  for (const [run, steps] of Object.entries({ run: [1], later: [2], two: [1, 2], three: [1, 2, 3] })) {
    await Deno.mkdir(`${folder}/${run}`);
    for (const step of steps) {
      await Deno.writeFile(`${folder}/${run}/model-00000${step}.safetensors`, writeModel(smallModel()));
    }
  }
  await Deno.mkdir(`${folder}/pictures`);
  for (const at of [0, 1]) {
    const picture = imageGrid(fromModel(toModel(slice(sets.train, at, at + 1).images)), [1, 28, 28, 1], {
      scale: 1,
    });
    await Deno.writeFile(`${folder}/pictures/${at}.png`, encodePng(picture));
  }
  const config = {
    model: smallModel().config,
    objective: { kind: "edm", mean: 0, std: 1, sigmaData: 0.5 },
    optimizer: OPTIMIZER_DEFAULTS,
    steps: 50,
    batch: 3,
    labelDropout: 0.2,
    seed: 4,
  } as const;
  const state = initialState(networkFromConfig(config.model.network), 4);
  await Deno.writeFile(`${folder}/checkpoint.safetensors`, writeCheckpoint({ config, state, data: folder }));
}
