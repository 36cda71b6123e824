/** Claims about the folder that a training run writes: what is found in it, what is refused, what is left. @module */
import { TrainingFolder } from "../../../scripts/training/run_folder.ts";
import { readModel } from "../../../src/networks/model_file.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import { unflatten } from "../../../src/networks/network.ts";
import { type Checkpoint, readCheckpoint } from "../../../src/training/checkpoint.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { initialState } from "../../../src/training/train.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { claim } from "../../suite/claim.ts";

const { config: model, weights } = smallModel();
const network = networkFromConfig(model.network);

/** A checkpoint at a step. */
function checkpoint(step: number): Checkpoint {
  const objective = { kind: "edm", mean: -1, std: 1.2, sigmaData: 0.6 } as const;
  const recipe = { objective, optimizer: OPTIMIZER_DEFAULTS, steps: 9, batch: 2, labelDropout: 0.1, seed: 4 };
  return {
    config: { model, ...recipe },
    state: { ...initialState(network, 4, weights), step },
    data: "mnist",
  };
}

function filesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

claim("a run's folder is made and given back, holds its files alone, and is not taken where it is full", {
  engines: ["wasm"],
}, (check) =>
  withFolder(async (folder) => {
    const made = `${folder}/deep/run`;
    {
      using run = await TrainingFolder.open(made, null);
      check.equal("while it is claimed", filesIn(made), [".lock"], "the claim");
      check.equal("paths", [run.checkpoint, run.model, run.samples(7), run.samples(1_234_567)], [
        `${made}/checkpoint.safetensors`,
        `${made}/model.safetensors`,
        `${made}/samples-000007.png`,
        `${made}/samples-1234567.png`,
      ], "six digits, so that names sort");
      const own = [
        run.checkpoint,
        `${made}/../run/checkpoint.safetensors`,
        `${folder}/checkpoint.safetensors`,
      ];
      check.equal("its own checkpoint", own.map((path) => run.isOwn(path)), [true, true, false], "by place");
    }
    check.equal("a run that wrote nothing", filesIn(`${folder}/deep`), [], "its folder is removed");
    const kept = `${folder}/kept`;
    await Deno.mkdir(kept);
    (await TrainingFolder.open(kept, null))[Symbol.dispose]();
    check.equal("a folder that was there", filesIn(folder), ["deep", "kept"], "it stays");
    for (
      const name of [
        "checkpoint.safetensors.7.part",
        "model-000003.safetensors.8.part",
        "samples-3.png.9.part",
        "metrics.jsonl.1.part",
      ]
    ) {
      await Deno.writeTextFile(`${kept}/${name}`, "half");
    }
    await TrainingFolder.refuseFull(kept, null);
    check.equal("asking", filesIn(kept).length, 4, "it changes nothing");
    (await TrainingFolder.open(kept, null))[Symbol.dispose]();
    check.equal("what a killed run left half-written", filesIn(kept), [], "removed");

    const full = async (what: string, name: string, text: string, message: RegExp | null) => {
      const path = await Deno.makeTempDir({ dir: folder });
      await Deno.writeTextFile(`${path}/${name}`, text);
      if (message === null) {
        check.equal(
          `${what}: asked`,
          await TrainingFolder.refuseFull(path, null),
          undefined,
          "as good as empty",
        );
        (await TrainingFolder.open(path, null))[Symbol.dispose]();
        check.equal(`${what}: files`, filesIn(path), [name], "they stay");
        return;
      }
      await check.throws(`${what}: asked`, () => TrainingFolder.refuseFull(path, null), message);
      await check.throws(`${what}: opened`, () => TrainingFolder.open(path, null), message);
      check.equal(`${what}: files`, filesIn(path), [name], "no claim is left");
      const resumed = `${path}/checkpoint.safetensors`;
      check.equal(
        `${what}: asked for its own run`,
        await TrainingFolder.refuseFull(path, resumed),
        undefined,
        "it is its own",
      );
      (await TrainingFolder.open(path, resumed))[Symbol.dispose]();
      const elsewhere = `${folder}/checkpoint.safetensors`;
      await check.throws(
        `${what}: for a run of another folder`,
        () => TrainingFolder.open(path, elsewhere),
        message,
      );
    };
    await full(
      "a checkpoint",
      "checkpoint.safetensors",
      "",
      /^.* is not empty \(it has checkpoint\.safetensors\): go on with --resume .*\/checkpoint\.safetensors, or choose another --out$/,
    );
    await full(
      "another file",
      "notes.txt",
      "",
      /^.* is not empty \(it has notes\.txt\): choose another --out$/,
    );
    await full(
      "other metrics",
      "metrics.jsonl",
      '{"epoch":1}\n',
      /is not empty \(it has metrics\.jsonl\): choose another --out$/,
    );
    await full("a first line", "metrics.jsonl", '{"step":1,"loss":2}\n', null);
    await full("a torn first line", "metrics.jsonl", '{"st', null);
    await full(
      "a hidden part",
      "checkpoint.safetensors.x.part",
      "",
      /it has checkpoint\.safetensors\.x\.part/,
    );
    await Deno.writeTextFile(`${folder}/file`, "");
    await check.throws(
      "a file",
      () => TrainingFolder.open(`${folder}/file`, null),
      /^cannot write ".*file": /,
    );
    check.equal(
      "a file, asked",
      await TrainingFolder.refuseFull(`${folder}/file`, null),
      undefined,
      "opening says more",
    );
  }));

claim(
  "metrics of steps that are done again are dropped, and so are torn lines, which are counted",
  (check) =>
    withFolder(async (folder) => {
      using run = await TrainingFolder.open(`${folder}/run`, null);
      check.equal("none yet", await run.rewindMetrics(9), [], "no file");
      for (const step of [1, 2, 3, 4]) await run.appendMetrics({ step, loss: step / 4, rate: 0.5 });
      const lines = [1, 2, 3, 4].map((step) => `{"step":${step},"loss":${step / 4},"rate":0.5}\n`);
      const path = `${folder}/run/metrics.jsonl`;
      check.equal("lines", await Deno.readTextFile(path), lines.join(""), "one of JSON for each");
      await Deno.writeTextFile(
        path,
        `${lines[0]}{"step":2,"lo\n\n${lines[1]}null\n${lines.slice(2).join("")}{"step":2.5}`,
      );
      const said: string[] = [];
      const { error } = console;
      console.error = (line) => void said.push(line);
      const kept = await run.rewindMetrics(3).finally(() => console.error = error);
      check.equal(
        "what stays",
        kept.map(({ step, loss }) => [step, loss]),
        [[1, 0.25], [2, 0.5], [3, 0.75]],
        "up to step 3",
      );
      check.equal("the file", await Deno.readTextFile(path), lines.slice(0, 3).join(""), "what stays");
      check.equal("said", said, [`dropped 3 torn lines of ${path}`], "two that are cut, one that is no step");
      await Deno.writeTextFile(path, '{"', { append: true });
      console.error = (line) => void said.push(line);
      await run.rewindMetrics(3).finally(() => console.error = error);
      check.equal("said of one", said.at(-1), `dropped 1 torn line of ${path}`, "one");
      await Deno.remove(path);
      await Deno.mkdir(path);
      await check.throws(
        "a folder in their place",
        () => run.appendMetrics({ step: 1, loss: 1 }),
        /^could not write ".*metrics\.jsonl": /,
      );
      await Deno.remove(path);
    }),
);

claim(
  "a checkpoint is kept beside its moving average, in half precision, and what is there is not written again",
  {
    engines: ["wasm"],
  },
  (check) =>
    withFolder(async (folder) => {
      using run = await TrainingFolder.open(`${folder}/run`, null);
      const third = checkpoint(3);
      await run.save(third, false);
      const files = () => filesIn(`${folder}/run`).filter((name) => name !== ".lock");
      check.equal("files", files(), ["checkpoint.safetensors", "model.safetensors"], "no model of its own");
      const { state, config } = readCheckpoint(await Deno.readFile(run.checkpoint));
      check.equal(
        "checkpoint",
        [state.step, state.weights, config],
        [3, third.state.weights, third.config],
        "as given",
      );
      const read = readModel(await Deno.readFile(run.model));
      const halved = [...unflatten(network.parameters, third.state.ema)].map(([name, values]) =>
        [name, values.map(Math.f16round)] as const
      );
      check.equal("weights", [...read.weights], halved, "the moving average in half precision");
      const { model: _, ...recipe } = third.config;
      check.equal("card", [JSON.parse(read.metadata.recipe), read.metadata.step, read.metadata.data], [
        recipe,
        "3",
        "mnist",
      ], "the recipe, the step and the data");
      await run.save(checkpoint(12), true);
      const kept = "model-000012.safetensors";
      check.equal("files", files(), ["checkpoint.safetensors", kept, "model.safetensors"], "one is kept");
      check.equal(
        "kept",
        await Deno.readFile(`${folder}/run/${kept}`),
        await Deno.readFile(run.model),
        "the same model",
      );
      check.equal("nothing lacks", await run.complete(checkpoint(12), true), [], "both are there");
      await Deno.remove(`${folder}/run/${kept}`);
      check.equal("not asked for", await run.complete(checkpoint(12), false), [], "the other is there");
      check.equal(
        "one lacks",
        await run.complete(checkpoint(12), true),
        [`${folder}/run/${kept}`],
        "it is written",
      );
      const bytes = await Deno.readFile(run.model);
      await Deno.writeFile(run.model, bytes.subarray(0, 100));
      check.equal("one is torn", await run.complete(checkpoint(12), true), [run.model], "it is written");
      check.equal("its bytes", await Deno.readFile(run.model), bytes, "whole");
    }),
);
