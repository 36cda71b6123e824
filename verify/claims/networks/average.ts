/** Claims about the average of several models' weights. @module */
import { averageModels } from "../../../src/networks/average.ts";
import { readModel, writeModel } from "../../../src/networks/model_file.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { smallColoured, smallModel } from "../../instruments/small_checkpoint.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { task } from "../../../scripts/average.ts";
import { claim } from "../../suite/claim.ts";

/** The small model with every weight `scale` times as large. */
function scaled(scale: number) {
  const { config, weights } = smallModel();
  return {
    config,
    weights: new Map([...weights].map(([name, values]) => [name, values.map((value) => value * scale)])),
  };
}

claim("an average of models has the mean of each of their weights", async (check) => {
  const { config, weights } = averageModels([scaled(1), scaled(2), scaled(6)]);
  check.equal("config", config, smallModel().config, "that of all");
  check.equal("names", [...weights.keys()], [...smallModel().weights.keys()], "those of all");
  for (const [name, values] of smallModel().weights) {
    const largest = Math.max(...values.map((value, i) => Math.abs(weights.get(name)![i] - 3 * value)));
    const size = Math.max(...values.map(Math.abs));
    check.atMost(
      name,
      largest,
      3 * 2 ** -22 * size,
      "(1 + 2 + 6)/3 = 3, rounded to float32 in the models and at the end",
    );
  }
  await check.throws("none", () => averageModels([]), /at least one model, got none/);
  await check.throws(
    "another config",
    () => averageModels([scaled(1), smallModel(smallColoured)]),
    /must have one config, and model 1 has .*channels.*:3.* where the first has .*channels.*:1,/,
  );
});

claim(
  "deno task average averages the models of the steps that it is asked for",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      for (const step of [1, 2, 3, 4]) {
        const file = writeModel(scaled(step), "F32", { metadata: { step: `${step}000`, data: "mnist" } });
        await Deno.writeFile(`${folder}/model-00${step}000.safetensors`, file);
      }
      const output = `${folder}/average.safetensors`;
      const flags = `--checkpoints ${folder} --from 2000 --to 3000 --output ${output}`;
      const { request, stdout } = await runInside(task, flags);
      check.equal(
        "models",
        request.models,
        ["model-002000.safetensors", "model-003000.safetensors"],
        "2,000 to 3,000",
      );
      check.equal("words", stdout, [
        `the average of 2 models, model-002000.safetensors to model-003000.safetensors: ${output}`,
      ], "written out");
      const { weights, metadata } = readModel(await Deno.readFile(output));
      check.equal(
        "metadata",
        [metadata.step, metadata.data, metadata.averaged],
        ["3000", "mnist", "2 models, model-002000.safetensors to model-003000.safetensors"],
        "those of the last, and what was averaged",
      );
      for (const [name, values] of smallModel().weights) {
        const largest = Math.max(...values.map((value, i) => Math.abs(weights.get(name)![i] - 2.5 * value)));
        const size = Math.max(...values.map(Math.abs));
        check.atMost(name, largest, 2.5 * 2 ** -10 * size + 2 ** -24, "(2 + 3)/2, rounded to float16");
      }
      const refused = `--checkpoints ${folder} --from 5000`;
      await check.throws(
        "no model so late",
        () => runInside(task, refused),
        /no model of ".*" is between --from 5000 and --to Infinity: it has model-001000.* to model-004000/,
      );
      await check.throws(
        "another ending",
        () => runInside(task, `--checkpoints ${folder} --output a.npy`),
        /must end in/,
      );
    }),
);
