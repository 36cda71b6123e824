/** Claims that `deno task train` does what its printed request says: recipe, first weights, intervals, data, words. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { shuffledBatches } from "../../../src/data/batches.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import { readCheckpoint } from "../../../src/training/checkpoint.ts";
import { initialState, train, type TrainingConfig } from "../../../src/training/train.ts";
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { task } from "../../../scripts/train.ts";
import { claim } from "../../suite/claim.ts";
import { printed } from "../../instruments/printed.ts";
import { checkEveryField } from "../../instruments/request_fields.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { smallModel, withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { smallMnist, writeMnist } from "../../instruments/small_mnist.ts";

const parameters = [...smallModel().weights.values()].reduce((sum, values) => sum + values.length, 0);

const sets = smallMnist({ train: 7, test: 5 });

claim(
  "train does the steps of its printed request from the weights of --from, and writes when its intervals say",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      await writeMnist(folder, sets);
      const out = `${folder}/run`;
      const line =
        `--data ${folder} --engine wasm --objective consistency-training --from ${folder}/model.safetensors ` +
        `--steps 8 --batch 3 --seed 2 --out ${out} --log-every 4 --checkpoint-every 3 --keep-models`;
      const { request: { config }, stdout, stderr, bar } = await runInside(task, line);
      check.equal(
        "lines on stderr",
        stderr.map((text) => text.replace(/: 0 \(.*\)$/, ": …")),
        [
          "mnist train: 7 images of 28×28 with 1 channel, 10 classes: …",
          `training ${parameters} parameters on 7 images of mnist train, engine wasm, as asked`,
        ],
        "the data, the network and the engine",
      );
      check.holds(
        stdout.join("\n"),
        /^8 steps in \d+\.\d+ s, loss [\d.]+: .*\/run\/model\.safetensors$/.test(stdout[0]),
        "--steps",
      );
      check.equal(
        "counts of the bar, and the lines above it",
        bar.map((text) => text.replace(/loss \d+\.\d{4}/, "loss …")),
        [1, 2, 3, 4, 5, 6, 7, 8].flatMap((step) => [
          ...step === 4 || step === 7
            ? [`step ${step - 1}: loss …, ${out}/samples-00000${step - 1}.png`]
            : [],
          ...step === 8 ? [] : [`training ${step}/8 steps, loss …`],
          ...step === 8 ? ["training 8/8 steps, loss …", `step 8: loss …, ${out}/samples-000008.png`] : [],
        ]),
        "--steps and --checkpoint-every 3: a checkpoint is judged by the next step's loss",
      );
      const written = readCheckpoint(await Deno.readFile(`${out}/checkpoint.safetensors`));
      check.equal("config", written.config, config, "the printed request");
      const batches = shuffledBatches(sets.train, 3, createRng(2).fork("batches"));
      const resume = initialState(networkFromConfig(config.model.network), 2, smallModel().weights);
      for await (const { step, snapshot } of train(config, batches, { resume })) {
        if (step === 8) {
          check.equal("weights", written.state.weights, (await snapshot()).weights, "train(), bit for bit");
        }
      }
      const names = (await Array.fromAsync(Deno.readDir(out))).map(({ name }) => name).sort();
      const each = [3, 6, 8];
      check.equal("files", names, [
        "checkpoint.safetensors",
        "metrics.jsonl",
        ...each.map((step) => `model-00000${step}.safetensors`),
        "model.safetensors",
        ...each.map((step) => `samples-00000${step}.png`),
      ], "--checkpoint-every 3 of 8 steps, and the last");
      const lines = (await Deno.readTextFile(`${out}/metrics.jsonl`)).trim().split("\n");
      const seconds = lines.map((line) => JSON.parse(line).seconds);
      const rising = seconds.every((value, i) => Number.isInteger(value) && value > (seconds[i - 1] ?? 0));
      check.holds(
        `seconds of metrics: ${seconds}`,
        rising && seconds.at(-1) < 100,
        "one passes at each look",
      );
      check.equal(
        "lines of metrics",
        lines.map((line) => JSON.parse(line).step),
        [1, 3, 4, 6, 7, 8],
        "--log-every 4; the first and the last, those with a checkpoint, and those that judge one",
      );
    }),
);

/** Three steps of two digits. */
const config: TrainingConfig = {
  model: smallModel().config,
  objective: { kind: "edm", mean: -1, std: 1.2, sigmaData: 0.6 },
  optimizer: { rate: 0.01, warmup: 2, decay: "cosine", betas: [0.9, 0.99], epsilon: 1e-8, clip: 1, ema: 0.2 },
  steps: 3,
  batch: 2,
  labelDropout: 0.5,
  seed: 1,
  flip: false,
};

claim("every field of a training's recipe changes its weights", { engines: ["wasm"] }, async (check) => {
  const { model, ...recipe } = config;
  const trained = (begun: number) => async (recipe: Omit<TrainingConfig, "model">) => {
    const batches = shuffledBatches(sets.train, recipe.batch, createRng(begun).fork("batches"));
    const resume = initialState(networkFromConfig(model.network), begun, smallModel().weights);
    for await (const { step, snapshot } of train({ model, ...recipe }, batches, { resume })) {
      if (step === recipe.steps) return (await snapshot()).ema;
    }
    throw new Error("the run ended early");
  };
  await checkEveryField(check, recipe, {
    "objective.kind": { value: "edm", same: "the same kind: others have other fields" },
    "objective.mean": { value: 0 },
    "objective.std": { value: 0.5 },
    "objective.sigmaData": { value: 0.3 },
    "optimizer.rate": { value: 0.02 },
    "optimizer.warmup": { value: 0 },
    "optimizer.decay": { value: "constant" },
    "optimizer.betas.0": { value: 0.5 },
    "optimizer.betas.1": { value: 0.5 },
    "optimizer.epsilon": { value: 0.1 },
    "optimizer.clip": { value: 1e-7 },
    "optimizer.ema": { value: 0.1 },
    "steps": { value: 4 },
    "batch": { value: 3 },
    "labelDropout": { value: 1 },
    "seed": { value: 2 },
    "flip": { value: true },
  }, trained(1));
});

claim("train's words are those of its request and its result", async (check) => {
  const all = someRequest();
  const said = (result: Parameters<typeof task.report>[1]) =>
    printed(() => task.report(all, result, parseFlags(task.usage, [])));
  const model = "r/model.safetensors";
  const done = { steps: 3, seconds: 12.5, loss: 0.123456, model, completed: [], exported: [] };
  check.equal(
    "steps",
    await said(done),
    ["3 steps in 12.5 s, loss 0.1235: r/model.safetensors"],
    "written out",
  );
  check.equal(
    "files that were left out",
    await said({ ...done, steps: 0, completed: ["r/model.safetensors", "r/model-000003.safetensors"] }),
    ["all of 3 steps were done; now written: r/model.safetensors, r/model-000003.safetensors"],
    "written out",
  );
  check.equal(
    "a recipe",
    await said({ ...done, steps: 0, exported: ["recipe.json", "recipe.data"] }),
    ["written: recipe.json, recipe.data"],
    "written out",
  );
});

/** A request with the recipe above. */
function someRequest(): Parameters<typeof task.report>[0] {
  return {
    config,
    data: "mnist",
    size: null,
    labels: null,
    heldOut: 0,
    skipCorrupt: false,
    from: null,
    plan: null,
    resume: null,
    out: "r",
    engine: "wasm",
    checkpointEvery: { count: 500, epochs: false },
    keepModels: false,
    logEvery: 10,
    exportRecipe: null,
  };
}
