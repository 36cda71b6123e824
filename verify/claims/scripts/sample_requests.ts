/** Claims about the outputs that sample refuses, and about the record that it keeps beside an array. @module */
import { createHash } from "node:crypto";
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { task } from "../../../scripts/sample.ts";
import { PLAN_FORMAT } from "../../../scripts/sampling/noise_plan_file.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { smallModel, withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { claim } from "../../suite/claim.ts";

claim("the record beside an array has all that its bytes depend on, by the flags' values", {
  engines: ["wasm"],
}, (check) =>
  withCheckpoint(async (folder) => {
    const { config, weights } = smallModel();
    const text = createHash("sha256").update(JSON.stringify(config));
    const hash = [...weights.values()].reduce((sum, part) => sum.update(new Uint8Array(part.buffer)), text);
    const own = hash.digest("hex");
    const recordOf = async (line: string) => {
      const output = `${folder}/${crypto.randomUUID()}.npy`;
      const common = `--checkpoint ${folder}/model.safetensors --engine wasm --output ${output}`;
      await runInside(task, `${common} ${line}`);
      return JSON.parse(await Deno.readTextFile(`${output}.json`));
    };
    const usual = {
      ...{ weights: own, sde: "ve", sampler: "dpm++2m", steps: 2, grid: "karras", seed: 0, label: "random" },
      ...{ guidance: 1.3, guidanceFrom: 0.6, guidanceTo: 6, classifierScale: 0, denoise: true },
      ...{ count: 2, batch: 16, engine: "wasm", shard: "1/1" },
    };
    check.equal("defaults", await recordOf("--count 2 --steps 2"), usual, "--help");
    const line =
      "--count 17 --batch 1 --steps 1 --sampler edm-stochastic --gamma 0.3 --s-tmin 0.1 --s-tmax 9 --s-noise 1.01 " +
      "--seed 4 --label 7 --guidance 2 --guidance-min-sigma 0.3 --guidance-max-sigma 5 --classifier-scale 0.5 --no-denoise --shard 17/17";
    check.equal("all flags", await recordOf(line), {
      ...usual,
      ...{
        sampler: "edm-stochastic",
        gamma: 0.3,
        sTmin: 0.1,
        sTmax: 9,
        sNoise: 1.01,
        steps: 1,
        seed: 4,
        label: "7",
      },
      ...{ guidance: 2, guidanceFrom: 0.3, guidanceTo: 5, classifierScale: 0.5, denoise: false },
      ...{ count: 17, batch: 1, shard: "17/17" },
    }, "the flags");
    const levels = { steps: 3, grid: "levels", levels: "5,0.5", label: "none", guidance: 1 };
    check.equal(
      "levels",
      await recordOf("--count 2 --levels 5,0.5 --label none"),
      { ...usual, ...levels },
      "the flags",
    );
    const power = { sde: "sigma-power", sigma: 9 };
    check.equal("σ", await recordOf("--count 2 --steps 2 --sde sigma-power --sigma 9"), {
      ...usual,
      ...power,
    }, "the flags");
    const plan = {
      format: PLAN_FORMAT,
      data: "m",
      kind: "ncsn",
      largest: 8,
      smallest: 0.5,
      levels: 2,
      moves: 1,
      epsilon: 1e-3,
    };
    await Deno.writeTextFile(`${folder}/plan.json`, JSON.stringify(plan));
    check.equal("a plan", await recordOf(`--count 2 --plan ${folder}/plan.json`), {
      ...usual,
      ...{ sampler: "annealed-langevin", langevinStep: 0.004, correctorSteps: 1, steps: 2, grid: "uniform" },
      equation: '{"kind":"ve","sigmaMin":1,"sigmaMax":256,"tMin":0,"tMax":1}',
    }, "σ doubled, and one level of ratio 16 above 16");
  }));

claim("sample refuses outputs that cannot hold what is asked for, and takes the most that they can", {
  engines: ["wasm"],
}, async (check) => {
  const requestOf = (line: string) => task.request(parseFlags(task.usage, line.split(" ")));
  for (
    const [line, message] of [
      ["--output a.jpg", /^--output must end in \.png, \.npy, \.csv, \.gif, got "a\.jpg"$/],
      ["--count 10001", /^a \.png shows at most 10000 samples, got --count 10001$/],
      ["--count 401 --output a.gif", /^a \.gif shows at most 400 samples, got --count 401$/],
      ["--resume", /^--resume and --shard need an --output that ends in \.npy, got "samples\.png"$/],
      [
        "--shard 1/1 --output a.gif",
        /^--resume and --shard need an --output that ends in \.npy, got "a\.gif"$/,
      ],
      [
        "--shard 1/3 --count 32 --output a.npy",
        /^--shard splits between batches, and 32 digits are 2 batches of 16: at most 2 parts, got 3$/,
      ],
      ["--shard 0/2", /^--shard must be I\/N with I from 1 to N, such as 2\/8, got "0\/2"$/],
      ["--shard 3/2", /^--shard must be I\/N/],
      ["--shard 1", /^--shard must be I\/N/],
    ] as const
  ) await check.throws(line, () => requestOf(line), message);
  const most = [["--count 10000", 10_000], ["--count 400 --output a.gif", 400], [
    "--count 10001 --output a.npy",
    10_001,
  ]] as const;
  for (const [line, count] of most) check.equal(line, (await requestOf(line)).count, count, "it may be");
  const shard = (await requestOf("--shard 2/2 --count 32 --output a.npy")).shard;
  check.equal("--shard 2/2", shard, { index: 2, shards: 2 }, "two batches");
  const batches = [["--count 1 --batch 99", 16], ["--count 17 --batch 99", 32], [
    "--count 99 --batch 20",
    20,
  ]] as const;
  for (const [line, batch] of batches) {
    check.equal(line, (await requestOf(line)).batch, batch, "filled up by fifteen at most");
  }
  const frames = await Promise.all(["a.gif", "a.png", "a.npy"].map((name) => requestOf(`--output ${name}`)));
  check.equal("frames", frames.map(({ frames }) => frames), [true, false, false], "of an animation alone");
});
