/**
 * Claims about consistency functions in tasks: training one from a score network, drawing from it by default, and what is said
 * where one of the two is given in the other's place.
 * @module
 */
import { shuffledBatches } from "../../../src/data/batches.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import { readModel } from "../../../src/networks/model_file.ts";
import { flatten, type Network } from "../../../src/networks/network.ts";
import { readCheckpoint } from "../../../src/training/checkpoint.ts";
import { initialState, train } from "../../../src/training/train.ts";
import { mnistFiles } from "../../reference/mnist_files.ts";
import { claim } from "../../suite/claim.ts";
import { run } from "../../instruments/run_task.ts";
import { withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { task as evaluate } from "../../../scripts/evaluate.ts";
import { task as sample } from "../../../scripts/sample.ts";
import { PLAN_FORMAT } from "../../../scripts/sampling/noise_plan_file.ts";
import { writeIdx } from "../../instruments/file_writers.ts";

const digits = proceduralDigits(8, createRng(2));

/** Trains a consistency function in run/ of a folder, from its model.safetensors and digits in MNIST's files. */
async function distil(folder: string): Promise<void> {
  const { images, labels } = mnistFiles.train;
  const pixels = { shape: [digits.count, 28, 28], values: digits.images };
  await Deno.writeFile(`${folder}/${images}`, writeIdx(pixels));
  await Deno.writeFile(
    `${folder}/${labels}`,
    writeIdx({ shape: [digits.count], values: digits.labels }),
  );
  const { code, stderr } = await run(
    "train",
    "--data",
    folder,
    "--objective",
    "consistency",
    "--from",
    `${folder}/model.safetensors`,
    "--steps",
    "3",
    "--batch",
    "4",
    "--engine",
    "wasm",
    "--guidance",
    "1.5",
    "--out",
    `${folder}/run`,
  );
  if (code !== 0) throw new Error(stderr);
}

claim(
  "deno task train distils a model as the library does, and the result is drawn from in three evaluations",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      await distil(folder);
      const checkpoint = readCheckpoint(await Deno.readFile(`${folder}/run/checkpoint.safetensors`));
      const { config } = checkpoint;
      const from = readModel(await Deno.readFile(`${folder}/model.safetensors`));
      const network = networkFromConfig(from.config.network) as Network;
      const teacher = flatten(network.parameters, from.weights);
      check.equal("model", config.model, { ...from.config, consistency: true }, "the teacher's network");
      check.equal("teacher", checkpoint.teacher, teacher, "the weights of --from");
      const { objective, optimizer } = config;
      check.equal(
        "guidance",
        objective.kind === "consistency" && objective.teacher,
        { scale: 1.5, from: 0.6, to: 6 },
        "--guidance in the default's interval",
      );
      const files = Array.from(Deno.readDirSync(`${folder}/run`), ({ name }) => name);
      check.holds("a sample grid", files.includes("samples-000003.png"), files.join(", "));
      check.equal("rate", optimizer.rate, 6e-4, "the recipe");
      const batches = shuffledBatches(digits, 4, createRng(config.seed).fork("batches"));
      const resume = initialState(network, config.seed, from.weights);
      for await (const { step, snapshot } of train(config, batches, { resume, teacher })) {
        if (step < 3) continue;
        const { weights, ema } = await snapshot();
        check.equal("weights", checkpoint.state.weights, weights, "train() on the same batches, bit for bit");
        check.equal("average", checkpoint.state.ema, ema, "train() on the same batches, bit for bit");
      }
      const more = await run(
        "train",
        "--resume",
        `${folder}/run/checkpoint.safetensors`,
        "--steps",
        "4",
        "--engine",
        "wasm",
      );
      check.equal("resumed", more.code, 0, more.stderr);
      const model = ["--checkpoint", `${folder}/run/model.safetensors`, "--engine", "wasm", "--json"];
      for (
        const [flags, steps] of [[[], 3], [["--steps", "1"], 1], [["--levels", "3,1,0.5,0.2"], 5]] as const
      ) {
        const output = `${folder}/few.png`;
        const drawn = await run("sample", ...model, "--count", "3", ...flags, "--output", output);
        if (drawn.code !== 0) throw new Error(drawn.stderr);
        const { sampler, grid, evaluations } = JSON.parse(drawn.stdout);
        check.equal(
          `drawn with ${flags.join(" ") || "no flags"}`,
          { sampler, grid, steps: JSON.parse(drawn.stdout).steps, evaluations },
          { sampler: "consistency", grid: "levels", steps, evaluations: steps },
          "one evaluation a step, no guidance, no denoising",
        );
      }
    }),
);

claim(
  "digits are drawn and measured unasked by the consistency function in three evaluations, and by the score network where a flag needs a score",
  async (check) => {
    const few = ["mnist-consistency", "consistency", "levels", 3, 1];
    const score = ["mnist", "dpm++2m", "karras", 10, 1.3];
    const lines: [string, unknown[]][] = [
      ["", few],
      ["--sde ve --seed 4 --count 100", few],
      ["--sampler consistency", few],
      ["--steps 1", ["mnist-consistency", "consistency", "levels", 1, 1]],
      ["--steps 4", ["mnist-consistency", "consistency", "levels", 4, 1]],
      ["--levels 3,1,0.5,0.2", ["mnist-consistency", "consistency", "levels", 5, 1]],
      ["--checkpoint mnist", score],
      ["--steps 5", ["mnist", "dpm++2m", "karras", 5, 1.3]],
      ["--grid karras", score],
      ["--sde vp", score],
      ["--guidance 1.3", score],
      ["--checkpoint mnist-consistency --guidance 2", ["mnist-consistency", "consistency", "levels", 3, 2]],
      ["--guidance-min-sigma 0.6", score],
      ["--guidance-max-sigma 6", score],
      ["--classifier-scale 2", ["mnist", "dpm++2m", "karras", 10, 0]],
      ["--sampler ddim", ["mnist", "ddim", "log-snr", 50, 1.3]],
    ];
    const source = "written out: what each flag needs";
    for (const [line, expected] of lines) {
      const words = line.split(" ").filter((word) => word !== "");
      const requests = [
        await sample.request(parseFlags(sample.usage, words)),
        await evaluate.request(parseFlags(evaluate.usage, words)),
      ];
      for (const [at, { checkpoint, sampler, grid, guidance }] of requests.entries()) {
        check.equal(
          `${["sample", "evaluate"][at]} ${line}`,
          [checkpoint, sampler.name, grid.kind, grid.steps, guidance.scale],
          expected,
          source,
        );
      }
    }
    await withFolder(async (folder) => {
      const file = `${folder}/plan.json`;
      await Deno.writeTextFile(
        file,
        JSON.stringify({
          ...{ format: PLAN_FORMAT, data: "mnist", kind: "ncsnv2", largest: 8, smallest: 0.5, levels: 5 },
          ...{ moves: 3, epsilon: 1e-3 },
        }),
      );
      const request = await sample.request(parseFlags(sample.usage, ["--plan", file]));
      check.equal(
        "sample --plan",
        [request.checkpoint, request.sampler.name],
        ["mnist", "annealed-langevin"],
        source,
      );
    });
  },
);

claim(
  "tasks refuse a consistency function or a score network in one sentence where they need the other",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      await distil(folder);
      const [score, few] = [`${folder}/model.safetensors`, `${folder}/run/model.safetensors`];
      const png = ["--count", "1", "--engine", "wasm", "--output", `${folder}/none.png`];
      const sample = (
        checkpoint: string,
        ...flags: string[]
      ) => ["sample", "--checkpoint", checkpoint, ...png, ...flags];
      const distilling = [
        "train",
        "--data",
        folder,
        "--out",
        `${folder}/other`,
        "--objective",
        "consistency",
      ];
      const cases: [words: string[], said: RegExp][] = [
        [
          sample(few, "--sampler", "dpm++2m"),
          /^error: --sampler dpm\+\+2m needs a score, and ".*" is a consistency/,
        ],
        [
          sample(score, "--sampler", "consistency"),
          /^error: --sampler consistency needs a consistency function, and /,
        ],
        [
          sample(few, "--steps", "9"),
          /^error: the levels grid has default ratios for at most 4 steps, got 9/,
        ],
        [
          sample(few, "--levels", "1,2"),
          /^error: the ratios of a levels grid must decrease strictly between /,
        ],
        [
          sample(few, "--levels", "1", "--steps", "4"),
          /^error: --levels says where to stop .* leave out --steps/,
        ],
        [sample(few, "--classifier-scale", "1"), /^error: --classifier-scale needs a score, /],
        [
          ["likelihood", "--checkpoint", few, "--engine", "wasm"],
          /^error: ".*" is a consistency function, which has no score/,
        ],
        [
          ["inpaint", "--checkpoint", few, "--engine", "wasm", "--output", `${folder}/none.png`],
          /^error: ".*" is a consistency function, which has no score/,
        ],
        [distilling, /^error: --objective consistency needs --from with the model to distil/],
        [
          [...distilling, "--from", few, "--engine", "wasm"],
          /^error: --from is a consistency function already: a teacher must/,
        ],
        [
          [...distilling, "--from", score, "--sde", "vp"],
          /^error: --objective consistency draws its own noise levels: leave out --sde/,
        ],
        [
          [...distilling, "--from", score, "--network", "digits"],
          /^error: .* keeps the network of --from: leave out --network/,
        ],
        [
          ["train", "--guidance", "2"],
          /^error: --guidance is the teacher's: it needs --objective consistency/,
        ],
        [
          ["train", "--resume", `${folder}/run/checkpoint.safetensors`, "--objective", "denoising"],
          /^error: --resume keeps the recipe of its checkpoint, .*: leave out --objective/,
        ],
      ];
      for (const [words, said] of cases) {
        const [task, ...flags] = words;
        const { code, stderr } = await run(task, ...flags);
        const last = stderr.split("\n").find((line) => line.startsWith("error: ")) ?? stderr;
        check.equal(
          `${words.filter((word) => !word.includes("/")).join(" ")}: exit code`,
          code,
          2,
          "bad usage",
        );
        check.holds(last, said.test(last), String(said));
      }
    }),
);
