/** Claims about drawing batch by batch: memory, labels and paths. @module */
import { createSampling } from "../../../scripts/sampling/sampling.ts";
import { runPosterior } from "../../../src/runs/posterior.ts";
import { runSampling, type SamplingRequest } from "../../../src/runs/sampling.ts";
import { useEngine } from "../../../src/compute/engine.ts";
import * as tf from "../../../src/compute/tf.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import { writeModel } from "../../../src/networks/model_file.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { claim } from "../../suite/claim.ts";
import { run, start } from "../../instruments/run_task.ts";
import { smallModel, withCheckpoint } from "../../instruments/small_checkpoint.ts";

claim("drawing keeps neither tensors nor pictures of a finished batch", async (check) => {
  const { config, weights } = smallModel();
  const noisePredictor = networkPredictor(config, weights);
  const request: SamplingRequest = {
    sde: { kind: "ve", sigmaMin: 0.005, sigmaMax: 40 },
    sampler: { name: "ancestral", options: {} },
    grid: { kind: "karras", steps: 2 },
    label: "random",
    guidance: { scale: 2 },
    classifierScale: 0,
    denoise: true,
    count: 40,
    batch: 2,
    seed: 0,
    shard: { index: 1, shards: 1 },
    frames: false,
  };
  const engine = await useEngine("wasm");
  const { memory } = (tf.backend() as unknown as { wasm: { asm: { memory: WebAssembly.Memory } } }).wasm.asm;
  const tensors: number[] = [];
  const bytes: number[] = [];
  let samples = 0;
  for await (const batch of runSampling(request, { noisePredictor, engine })) {
    tensors.push(tf.memory().numTensors);
    bytes.push(memory.buffer.byteLength);
    samples += batch.samples;
    check.equal(
      `values of batch ${tensors.length}`,
      batch.values.buffer.byteLength,
      4 * 784 * 2,
      "its own only",
    );
  }
  check.equal("samples", samples, 40, "--count");
  const flat = "what the first batch takes is the bound for any count";
  check.equal("tensors after each batch", tensors, new Array(20).fill(tensors[0]), flat);
  check.equal("the engine's memory after each batch", bytes, new Array(20).fill(bytes[0]), flat);
  noisePredictor.dispose();
});

claim(
  "a label that the network does not have is refused before anything is drawn",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      const { config, weights } = smallModel();
      const network = { ...config.network, classes: 0 } as typeof config.network;
      const names = new Set(networkFromConfig(network).parameters.map(({ name }) => name));
      const kept = new Map([...weights].filter(([name]) => names.has(name)));
      const plain = `${folder}/plain.safetensors`;
      await Deno.writeFile(plain, writeModel({ config: { ...config, network }, weights: kept }));
      const common = ["--engine", "wasm", "--steps", "2", "--count", "2", "--output", `${folder}/a.png`];
      const cases: [what: string, flags: string[], message: RegExp][] = [
        [
          "a class",
          ["--checkpoint", plain, "--label", "4"],
          /^error: --label 4: the network has no labels\n$/,
        ],
        [
          "random classes",
          ["--checkpoint", plain, "--label", "random"],
          /^error: --label random: the network has no labels\n$/,
        ],
        [
          "guidance",
          ["--checkpoint", plain, "--guidance", "2"],
          /^error: --guidance needs a label, got 2 with --label none\n$/,
        ],
        [
          "an eleventh class",
          ["--checkpoint", `${folder}/model.safetensors`, "--label", "10"],
          /^error: --label 10: the network's labels are 0 to 9\n$/,
        ],
      ];
      for (const [what, flags, message] of cases) {
        const { code, stderr } = await run("sample", ...common, ...flags);
        check.equal(`${what}: exit code`, code, 2, "bad usage");
        check.holds(`${what}: ${stderr.trim()}`, message.test(stderr), String(message));
      }
      const usual = await run("sample", ...common, "--checkpoint", plain);
      check.equal("without a flag: exit code", usual.code, 0, "no label is asked for");
    }),
);

claim(
  "paths are relative to the folder in which the task was called",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      const flags = ["--checkpoint", "model.safetensors", "--engine", "wasm", "--steps", "2", "--count", "2"];
      const child = await start("sample", { from: folder }, ...flags, "--output", "here.png");
      const { code, stderr } = await child.output();
      check.equal("exit code", code, 0, new TextDecoder().decode(stderr).slice(-300));
      check.holds(
        "the picture",
        await Deno.stat(`${folder}/here.png`).then(() => true, () => false),
        "beside the checkpoint",
      );
    }),
);

claim("drawing from a posterior frees what each batch is conditioned on", async (check) => {
  const { config, weights } = smallModel();
  const noisePredictor = networkPredictor(config, weights);
  const engine = await useEngine("wasm");
  const inputs = { count: 2, images: new Float32Array(2 * 784).fill(-1), labels: null };
  const drawn = async (count: number) => {
    const before = tf.memory().numTensors;
    await runPosterior({
      ...createSampling({ sde: "ve", sampler: "ode-euler", steps: 2 }),
      measurement: { kind: "pooling", factor: 4 },
      noise: 0.05,
      method: { name: "pigdm", iterations: 2 },
      label: "none",
      count,
      batch: 2,
      seed: 0,
    }, { noisePredictor, inputs, engine });
    return tf.memory().numTensors - before;
  };
  check.equal("tensors left by 1, 2 and 5 batches", [await drawn(1), await drawn(2), await drawn(5)], [
    0,
    0,
    0,
  ], "");
  noisePredictor.dispose();
});
