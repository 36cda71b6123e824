/**
 * What `deno task train` does to a run: the recipe it begins with, the steps it takes, what it leaves, how it goes on.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import { shuffledBatches } from "../../../src/data/batches.ts";
import { fromModel, type ImageDataset } from "../../../src/data/dataset.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { DIGITS, networkFromConfig } from "../../../src/networks/registry.ts";
import { readModel } from "../../../src/networks/model_file.ts";
import { unflatten } from "../../../src/networks/network.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { imageGrid } from "../../../src/images/grid.ts";
import { decodePng } from "../../../src/images/png.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { subVpSde, veSde } from "../../../src/diffusion/sde.ts";
import { readCheckpoint, writeCheckpoint } from "../../../src/training/checkpoint.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { train, type TrainingConfig, type TrainingState } from "../../../src/training/train.ts";
import type { Check } from "../../suite/claim.ts";
import { mnistFiles } from "../../reference/mnist_files.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { run, start } from "../../instruments/run_task.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";
import { writeIdx } from "../../instruments/file_writers.ts";

/** As many digits as make an epoch of a few batches. */
const digits: ImageDataset = { ...proceduralDigits(7, createRng(9)), name: "mnist train" };

/** Writes the digits as MNIST's training files into a folder. */
async function writeDigits(folder: string): Promise<void> {
  const { images, labels } = mnistFiles.train;
  const pixels = { shape: [digits.count, 28, 28], values: digits.images };
  await Deno.writeFile(`${folder}/${images}`, writeIdx(pixels));
  await Deno.writeFile(
    `${folder}/${labels}`,
    writeIdx({ shape: [digits.count], values: digits.labels }),
  );
}

/** What the library makes of a run: its state after `until` steps, and the losses since it began. */
async function trained(
  config: TrainingConfig,
  until: number,
  resume?: TrainingState,
): Promise<{ state: TrainingState; losses: number[] }> {
  const batches = shuffledBatches(digits, config.batch, createRng(config.seed).fork("batches"));
  const losses: number[] = [];
  for await (const { step, loss, snapshot } of train(config, batches, { resume, reportEvery: 1 })) {
    losses.push(loss!);
    if (step === until) return { state: await snapshot(), losses };
  }
  throw new Error(`the run ended before step ${until}`);
}

function checkState(check: Check, what: string, observed: TrainingState, expected: TrainingState): void {
  for (const name of ["step", "weights", "ema", "mean", "variance"] as const) {
    check.equal(
      `${what}: ${name}`,
      observed[name],
      expected[name],
      "train() on the same batches, bit for bit",
    );
  }
}

/** Lines of metrics.jsonl, without the seconds, which no one can foretell. */
async function metricsIn(folder: string): Promise<Record<string, number>[]> {
  const lines = (await Deno.readTextFile(`${folder}/metrics.jsonl`)).trim().split("\n");
  return lines.map((line) => {
    const { seconds: _, ...rest } = JSON.parse(line);
    return rest;
  });
}

/** Starts a run, stops it with Ctrl-C after its first line of metrics, and gives what is left in its folder. */
async function interrupted(folder: string, ...flags: string[]) {
  const out = `${folder}/fresh`;
  const common = ["--data", folder, "--engine", "wasm", "--log-every", "1", "--out", out];
  const child = await start("train", ...common, ...flags);
  const output = child.output();
  let ended = false;
  output.then(() => ended = true);
  while (!ended && !await Deno.stat(`${out}/metrics.jsonl`).then(({ size }) => size > 0, () => false)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  if (!ended) child.kill("SIGINT");
  const { code, stderr } = await output;
  const words = new TextDecoder().decode(stderr);
  if (code !== 130) throw new Error(`exit code ${code}: ${words}`);
  return { words, ...readCheckpoint(await Deno.readFile(`${out}/checkpoint.safetensors`)) };
}

claim(
  "deno task train resumes a run as the library does, and writes its moving average, metrics and samples",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      await writeDigits(folder);
      const config: TrainingConfig = {
        model: smallModel().config,
        objective: { kind: "edm", mean: -1, std: 1.2, sigmaData: 0.6 },
        optimizer: { ...OPTIMIZER_DEFAULTS, warmup: 3, ema: 0.3 },
        steps: 6,
        batch: 3,
        labelDropout: 0.5,
        seed: 4,
      };
      const { state: begun } = await trained(config, 3);
      const out = `${folder}/run`;
      const checkpoint = `${out}/checkpoint.safetensors`;
      await Deno.mkdir(out);
      await Deno.writeFile(checkpoint, writeCheckpoint({ config, state: begun, data: folder }));
      const earlier = [1, 2, 3, 4].map((step) => ({ step, loss: 9, gradientNorm: 9, rate: 9, seconds: 9 }));
      await Deno.writeTextFile(`${out}/metrics.jsonl`, earlier.map((l) => `${JSON.stringify(l)}\n`).join(""));
      const flags = ["--resume", checkpoint, "--engine", "wasm", "--log-every", "1"];
      const { code, stdout, stderr } = await run("train", ...flags);
      check.equal("exit code", code, 0, stderr);
      check.holds(
        stdout.trim(),
        /^3 steps in .*, loss [\d.]+: .*run\/model\.safetensors\n$/.test(stdout),
        "one line, which ends with the model",
      );

      const { state: expected, losses } = await trained(config, 6, begun);
      const written = readCheckpoint(await Deno.readFile(checkpoint));
      checkState(check, "after three steps more", written.state, expected);
      check.equal("config", written.config, config, "a resumed run keeps its recipe");
      check.equal("data", written.data, folder, "a resumed run keeps its data");
      const metrics = await metricsIn(out);
      check.equal(
        "steps in the metrics",
        metrics.map(({ step }) => step),
        [1, 2, 3, 4, 5, 6],
        "steps done again are dropped",
      );
      check.equal("losses", metrics.slice(3).map(({ loss }) => loss), losses, "of each step");
      for (const [i, rate] of [0.0015, 0.0005, 0].entries()) {
        const source = "0.002 (1 + cos(π k/3))/2, k = 1, 2, 3 of the three steps after the warmup";
        check.within(`rate of step ${i + 4}`, metrics[i + 3].rate, rate, 1e-15, source);
      }

      const model = readModel(await Deno.readFile(`${out}/model.safetensors`));
      const network = networkFromConfig(config.model.network);
      const average = unflatten(network.parameters, expected.ema);
      const halved = [...average].map(([name, values]) => [name, values.map(Math.f16round)] as const);
      check.equal("the model", [...model.weights], halved, "the moving average in half precision");
      const { model: _, ...recipe } = config;
      check.equal("its card", JSON.parse(model.metadata.recipe), recipe, "the recipe");
      check.equal("its step", model.metadata.step, "6", "steps done");

      const labels = Array.from({ length: 50 }, (_, i) => i % 10);
      const noisePredictor = networkPredictor(config.model, average);
      const x = await drawSamples(
        scoreModel(noisePredictor.withLabels(labels), veSde({ sigmaMin: 0.005, sigmaMax: 40 })),
        samplerByName("dpm++2m"),
        {
          shape: [50, 28, 28, 1],
          grid: { kind: "karras", steps: 15 },
          rng: createRng(config.seed).fork("snapshot"),
        },
      );
      const grid = imageGrid(fromModel(await x.data<"float32">()), [50, 28, 28, 1], {
        title: "step 6: dpm++2m, 15 steps",
        columnNames: Array.from({ length: 10 }, (_, digit) => `class ${digit}`),
      });
      x.dispose();
      noisePredictor.dispose();
      const picture = await decodePng(await Deno.readFile(`${out}/samples-000006.png`));
      check.equal(
        "the sample grid",
        [...picture.data],
        [...grid.data],
        "the average asked for 0 to 9 in columns, five of each",
      );
      const files = [...Deno.readDirSync(out)].map(({ name }) => name).sort();
      const names = ["checkpoint.safetensors", "metrics.jsonl", "model.safetensors", "samples-000006.png"];
      check.equal("files", files, names, "nothing else is left");

      const done = await run("train", "--resume", checkpoint, "--engine", "wasm");
      check.equal(
        "a run that is done",
        [done.code, /has done 6 of 6 steps/.test(done.stderr)],
        [2, true],
        "bad usage",
      );
      const other = await run("train", "--resume", checkpoint, "--batch", "5");
      check.equal(
        "a batch size beside --resume",
        [other.code, /leave out --batch/.test(other.stderr)],
        [2, true],
        "bad usage",
      );
    }),
);

claim(
  "a run without flags has the recipe that --help states, and Ctrl-C leaves a checkpoint to resume from",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      await writeDigits(folder);
      const { words, config, state, data } = await interrupted(folder);
      const pixels = Array.from(digits.images, (byte) => byte / 127.5 - 1);
      const mean = pixels.reduce((sum, value) => sum + value) / pixels.length;
      const variance = pixels.reduce((sum, value) => sum + (value - mean) ** 2, 0) / pixels.length;
      const sigmaData = Number(Math.sqrt(variance).toFixed(4));
      const source = "deno task train --help, and the data's moments to four digits";
      check.equal("network", config.model, {
        network: DIGITS,
        preconditioning: { sigmaData, centre: Number(mean.toFixed(4)) },
      }, source);
      check.equal("objective", config.objective, { kind: "edm", mean: -1, std: 1.2, sigmaData }, source);
      check.equal("optimizer", config.optimizer, {
        rate: 0.002,
        warmup: 200,
        decay: "cosine",
        betas: [0.9, 0.99],
        epsilon: 1e-8,
        clip: 1,
        ema: 0.999,
      }, source);
      const { steps, batch, labelDropout, seed } = config;
      check.equal(
        "steps, batch, dropout, seed",
        [steps, batch, labelDropout, seed],
        [15_000, 64, 0.15, 0],
        source,
      );
      check.equal("data", data, folder, "the flag");
      check.atLeast("steps done", state.step, 1, "there was a line of metrics");
      const sentence = new RegExp(
        `stopped after step ${state.step}; go on from step ${state.step} with --resume `,
      );
      check.holds(words.trim().slice(-120), sentence.test(words), "it says where to go on");
      const blocked = await run("train", "--data", folder, "--out", `${folder}/fresh`, "--engine", "wasm");
      check.equal("a new run into the same folder", blocked.code, 1, "nothing is overwritten");
    }),
);

claim(
  "a run with flags has the recipe that they give, and takes the library's steps",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      await writeDigits(folder);
      const flags = "--weighting likelihood --sde subvp --batch 2 --rate 0.003 --warmup 0 --decay constant " +
        "--label-dropout 0.4 --seed 6 --steps 9";
      const given = await interrupted(folder, ...flags.split(" "));
      check.equal(
        "objective given",
        given.config.objective,
        { kind: "sde", sde: subVpSde().config, weighting: "likelihood" },
        flags,
      );
      const { rate, warmup, decay } = given.config.optimizer;
      check.equal("optimizer given", [rate, warmup, decay], [0.003, 0, "constant"], flags);
      const numbers = [given.config.steps, given.config.batch, given.config.labelDropout, given.config.seed];
      check.equal("numbers given", numbers, [9, 2, 0.4, 6], flags);
      checkState(check, "a run by flags", given.state, (await trained(given.config, given.state.step)).state);
    }),
);
