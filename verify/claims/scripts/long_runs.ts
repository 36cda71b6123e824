/**
 * Claims about long runs of `deno task sample`: streamed to the disk, killed, resumed, split into shards and joined.
 * @module
 */
import { drawPosterior, measureInputs } from "../../../scripts/posterior/draw.ts";
import { poolingOperator } from "../../../src/conditioning/operators.ts";
import { createSampling, sdes } from "../../../scripts/sampling/sampling.ts";
import { drawBatches } from "../../../scripts/sampling/draw_batches.ts";
import { shardBatches } from "../../../scripts/sampling/run_batches.ts";
import { PartialNpy } from "../../../scripts/sampling/resumable_npy.ts";
import { currentEngine, useEngine } from "../../../src/compute/engine.ts";
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import { writeModel } from "../../../src/networks/model_file.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { readNpy } from "../../../src/images/npy.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { run, start } from "../../instruments/run_task.ts";
import { smallModel, withCheckpoint } from "../../instruments/small_checkpoint.ts";

/** Flags of a run that depends on all that could go wrong: noise in every step, random labels, an incomplete last batch. */
function flagsFor(folder: string, engine = "wasm"): string[] {
  const flags = `--checkpoint ${folder}/model.safetensors --engine ${engine} --sampler ancestral --steps 12`;
  return `${flags} --count 30 --batch 4 --guidance 1.5`.split(" ");
}

function fileNames(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.includes("npy")).sort();
}

claim("a killed run that is resumed writes the bytes of an uninterrupted one, partial writes included", {
  engines: ["wasm"],
}, (check) =>
  withCheckpoint(async (folder) => {
    const flags = flagsFor(folder);
    const [whole, killed] = [`${folder}/whole.npy`, `${folder}/killed.npy`];
    const process = await start("sample", ...flags, "--output", killed);
    // Killed without warning when at least two batches are finished.
    const enough = 128 + 2 * 4 * 784 * 4;
    while ((await Deno.stat(`${killed}.partial`).catch(() => ({ size: 0 }))).size < enough) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    process.kill("SIGKILL");
    await process.output();
    const left = ["killed.npy.lock", "killed.npy.partial", "killed.npy.partial.json"];
    check.equal("what a kill leaves", fileNames(folder), left, "never a .npy with missing samples");
    const { size } = await Deno.stat(`${killed}.partial`);
    await Deno.writeFile(`${killed}.partial`, new Uint8Array(4 * 784 * 5 / 2).fill(7), { append: true });

    const other = await run("sample", ...flags, "--output", killed, "--resume", "--seed", "1");
    check.equal("another seed: exit code", other.code, 1, "samples of two seeds do not go into one file");
    check.holds(
      `another seed: ${other.stderr.trim()}`,
      /its seed is "0", now it is "1"\n$/.test(other.stderr),
      "",
    );
    const anew = await run("sample", ...flags, "--output", killed);
    check.equal("without --resume: exit code", anew.code, 1, "hours of work are not overwritten unasked");
    check.holds(
      `without --resume: ${anew.stderr.trim()}`,
      /holds \d+ finished of 30: go on/.test(anew.stderr),
      "",
    );
    // The half sample was dropped only when it went on; whole samples of an incomplete batch are drawn again.
    check.atLeast(
      "samples kept",
      Math.floor((size - 128) / (4 * 784)),
      8,
      "two batches of 4 were on the disk",
    );

    const resumed = await run("sample", ...flags, "--output", killed, "--resume");
    const straight = await run("sample", ...flags, "--output", whole);
    check.equal("exit codes", [resumed.code, straight.code], [0, 0], "0 is success");
    const bytes = await Deno.readFile(whole);
    const source = "a sample's draws depend on the seed and its index alone";
    check.equal("bytes of the resumed run", await Deno.readFile(killed), bytes, source);
    check.equal("shape", readNpy(bytes).shape, [30, 28, 28, 1], "--count 30");
    check.equal(
      "files",
      fileNames(folder),
      ["killed.npy", "killed.npy.json", "whole.npy", "whole.npy.json"],
      "the arrays and what they are of",
    );
    const again = await run("sample", ...flags, "--output", killed, "--resume");
    check.equal("--resume of a finished file: exit code", again.code, 0, "there is nothing to do");
    check.holds(again.stderr.trim(), /is finished: all 30 digits are there/.test(again.stderr), "it says so");
    const different = await run("sample", ...flags, "--output", killed, "--resume", "--seed", "1");
    check.equal(
      "--resume of a finished file by another seed: exit code",
      different.code,
      1,
      "it is another run's",
    );
    const nothing = await run("sample", ...flags, "--output", `${folder}/new.npy`, "--resume");
    check.equal("--resume with nothing there: exit code", nothing.code, 0, "it starts from the beginning");
    check.equal("its bytes", await Deno.readFile(`${folder}/new.npy`), bytes, source);
  }));

claim("sampling that is killed at random times ends with the bytes of an uninterrupted run", {
  engines: ["wasm"],
}, (check) =>
  withCheckpoint(async (folder) => {
    const flags = flagsFor(folder);
    const [whole, killed] = [`${folder}/whole.npy`, `${folder}/killed.npy`];
    const straight = await run("sample", ...flags, "--output", whole);
    check.equal("an undisturbed run", straight.code, 0, straight.stderr.slice(-300));
    const rng = createRng(check.seed).fork("kills");
    let [kills, finished] = [0, 0];
    for (const wanted = check.thorough ? 60 : 3; kills < wanted;) {
      const child = await start("sample", ...flags, "--output", killed, "--resume");
      const [share] = rng.uniformValues([1]);
      const timer = setTimeout(() => child.kill("SIGKILL"), 250 + 1500 * share);
      const { signal, code } = await child.output();
      clearTimeout(timer);
      if (signal === "SIGKILL") kills++;
      else if (code !== 0) throw new Error(`exit code ${code} after ${kills} kills`);
      // The next kill needs something to disturb.
      if (await Deno.stat(killed).then(() => true, () => false)) {
        finished++;
        check.equal(
          `bytes of finished run ${finished}`,
          await Deno.readFile(killed),
          await Deno.readFile(whole),
          "the same samples",
        );
        for (const ending of ["", ".json"]) await Deno.remove(killed + ending).catch(() => {});
      }
    }
    // A kill between a temporary file and its new name leaves one; here are those of two files, and one of another run's.
    for (const name of ["killed.npy.7.part", "killed.npy.partial.json.7.part", "killed.npyx.7.part"]) {
      await Deno.writeTextFile(`${folder}/${name}`, "half");
    }
    const last = await run("sample", ...flags, "--output", killed, "--resume");
    check.equal("the last resume", last.code, 0, last.stderr.slice(-300));
    check.equal("its bytes", await Deno.readFile(killed), await Deno.readFile(whole), "the same samples");
    check.equal(
      "files",
      fileNames(folder),
      ["killed.npy", "killed.npy.json", "killed.npyx.7.part", "whole.npy", "whole.npy.json"],
      "the arrays and what they are of; no locks, no partial files, and what is another run's",
    );
  }));

claim("a second run into a file that is being written is refused, and names the first one's process", {
  engines: ["wasm"],
}, (check) =>
  withCheckpoint(async (folder) => {
    const output = `${folder}/digits.npy`;
    const flags = [...flagsFor(folder), "--steps", "300", "--output", output];
    const first = await start("sample", ...flags);
    const ended = first.output();
    let running = true;
    ended.then(() => running = false);
    while (running && !await Deno.stat(`${output}.lock`).then(({ size }) => size > 0, () => false)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const second = await run("sample", ...flags, "--seed", "1");
    if (running) first.kill("SIGKILL");
    await ended;
    check.equal("exit code", second.code, 1, "never samples of two runs in one file");
    check.holds(
      second.stderr.trim(),
      new RegExp(`digits\\.npy" is being written by process ${first.pid} on `).test(second.stderr),
      "it names the first one",
    );
  }));

claim(
  "joined shards equal the unsharded run, byte for byte",
  { engines: ["wasm", "onnx"] },
  (check) =>
    withCheckpoint(async (folder) => {
      const flags = flagsFor(folder, currentEngine()!.name);
      const draw = async (...args: string[]) => {
        const { code, stderr } = await run("sample", ...flags, ...args);
        if (code !== 0) throw new Error(stderr);
      };
      await Promise.all([
        draw("--output", `${folder}/whole.npy`),
        draw("--output", `${folder}/part-1.npy`, "--shard", "1/3"),
      ]);
      await Promise.all([
        draw("--output", `${folder}/part-2.npy`, "--shard", "2/3", "--resume"),
        draw("--output", `${folder}/part-3.npy`, "--shard", "3/3"),
      ]);
      const join = [
        "join",
        "--parts",
        `${folder}/part-%.npy`,
        "--output",
        `${folder}/joined.npy`,
        "--shards",
      ];
      const { code, stdout, stderr } = await run(join[0], ...join.slice(1), "3");
      check.equal("join: exit code", [code, stderr], [0, ""], "three shards are there");
      check.holds(stdout.trim(), stdout.startsWith("30 samples of 3 shards: "), "--count 30");
      const bytes = await Deno.readFile(`${folder}/whole.npy`);
      check.equal(
        "joined",
        await Deno.readFile(`${folder}/joined.npy`),
        bytes,
        "every sample is drawn in the same batch",
      );
      await Deno.copyFile(`${folder}/part-3.npy`, `${folder}/part-4.npy`);
      await Deno.copyFile(`${folder}/part-3.npy.json`, `${folder}/part-4.npy.json`);
      const twice = await run(join[0], ...join.slice(1), "4");
      check.equal("a shard twice: exit code", twice.code, 1, "no sample twice");
      check.holds(
        twice.stderr.trim(),
        /part-1\.npy" is shard 1\/3 of its run, not 1\/4$/.test(twice.stderr.trim()),
        "named",
      );
      for (const ending of ["", ".json"]) {
        await Deno.rename(`${folder}/part-4.npy${ending}`, `${folder}/part-2.npy${ending}`);
      }
      const same = await run(join[0], ...join.slice(1), "3");
      check.holds(
        same.stderr.trim(),
        /part-2\.npy" is shard 3\/3 of its run, not 2\/3$/.test(same.stderr.trim()),
        "named",
      );
      await draw("--output", `${folder}/part-2.npy`, "--shard", "2/3", "--seed", "1");
      const mixed = await run(join[0], ...join.slice(1), "3");
      check.holds(
        mixed.stderr.trim(),
        /part-2\.npy" is of another run: its seed is 1, that of ".*part-1\.npy" 0$/.test(mixed.stderr.trim()),
        "named",
      );
      const missing = await run(join[0], ...join.slice(1), "4");
      check.equal("a shard that is missing: exit code", missing.code, 1, "no file with a hole");
      check.holds(
        missing.stderr.trim(),
        /^error: could not read ".*part-4\.npy"/.test(missing.stderr),
        "named",
      );
    }),
);

claim("shards cover every batch once, in order, for any count, batch size and number of shards", (check) => {
  let wrong = 0;
  for (const [count, rows] of [[1, 1], [64, 16], [10_000, 16], [37, 16], [100, 7]]) {
    const batches = Math.ceil(count / rows);
    for (let shards = 1; shards <= Math.min(batches, 40); shards++) {
      let next = 0;
      for (let index = 1; index <= shards; index++) {
        const { first, end } = shardBatches(index, shards, count, rows);
        if (first !== next || end <= first || end - first > Math.ceil(batches / shards)) wrong++;
        next = end;
      }
      if (next !== batches) wrong++;
    }
  }
  check.equal("gaps, overlaps, empty or overlong shards", wrong, 0, "contiguous parts, even to one batch");
});

claim(
  "a partial array is renamed only when complete, and an empty one leaves no file",
  (check) =>
    withFolder(async (folder) => {
      const options = { path: `${folder}/a.npy`, shape: [3, 2], run: { seed: 1 }, resume: true };
      (await PartialNpy.open(options))[Symbol.dispose]();
      check.equal("after a run without a sample", fileNames(folder), [], "nothing to go on with");
      {
        using file = await PartialNpy.open(options);
        await file.append(Float32Array.of(1, 2, 3, 4), 2);
        await check.throws("finishing too early", () => file.finish(), /holds 2 of 3 and is not complete$/);
      }
      {
        using file = await PartialNpy.open(options);
        check.equal("samples to go on with", file.finished, 2, "one batch of 2");
        await file.append(Float32Array.of(5, 6), 1);
        await file.finish();
      }
      {
        using file = await PartialNpy.open({ ...options, path: `${folder}/b.npy` });
        await file.append(Float32Array.of(1, 2), 1);
        await file.append(Float32Array.of(3, 4), 1);
      }
      const [partial, record] = [`${folder}/b.npy.partial`, `${folder}/b.npy.partial.json`];
      const flipped = await Deno.readFile(partial);
      flipped[flipped.length - 3] ^= 1;
      await Deno.writeFile(partial, flipped);
      await check.throws(
        "a flipped bit of the second sample",
        () => PartialNpy.open({ ...options, path: `${folder}/b.npy` }),
        /samples from 2 on in ".*b\.npy\.partial" are not what was written$/,
      );
      const problems: string[] = [];
      {
        const kept = {
          ...options,
          path: `${folder}/b.npy`,
          onDamage: (problem: string) => void problems.push(problem),
        };
        using file = await PartialNpy.open(kept);
        check.equal("samples kept", [file.finished, problems.length], [1, 1], "those before the damage");
      }
      await Deno.writeFile(partial, new Uint8Array(10_000), { append: true });
      for (
        const [what, write] of [
          ["damaged", () => Deno.writeTextFile(record, '{"seed":')],
          ["gone", () => Deno.remove(record)],
        ] as const
      ) {
        await write();
        for (const resume of [false, true]) {
          await check.throws(
            `a record that is ${what}, resume ${resume}`,
            () => PartialNpy.open({ ...options, path: `${folder}/b.npy`, resume }),
            new RegExp(`holds samples, but its record ".*" is ${what}: remove both to draw them again$`),
          );
        }
      }
      const { shape, values } = readNpy(await Deno.readFile(options.path));
      check.equal("the array", [shape, [...values]], [[3, 2], [1, 2, 3, 4, 5, 6]], "what was appended");
    }),
);

claim("drawing keeps neither tensors nor pictures of a finished batch", async (check) => {
  const { config, weights } = smallModel();
  const noisePredictor = networkPredictor(config, weights);
  const options = {
    sde: sdes.ve(),
    sampler: samplerByName("ancestral"),
    grid: { kind: "karras", steps: 2 } as const,
    seed: 0,
    label: "random",
    guidance: 2,
    denoise: true,
    frames: false,
    onStep: () => {},
    count: 40,
    rows: 2,
  };
  const engine = await useEngine("wasm");
  const { memory } = (tf.backend() as unknown as { wasm: { asm: { memory: WebAssembly.Memory } } }).wasm.asm;
  const tensors: number[] = [];
  const bytes: number[] = [];
  let samples = 0;
  for await (const batch of drawBatches(noisePredictor, engine, { first: 0, end: 20 }, options)) {
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
  const shape = noisePredictor.network.sampleShape;
  const inputs = { count: 2, images: new Float32Array(2 * 784).fill(-1), labels: null };
  const model = { operator: poolingOperator(shape, 4), noiseStd: 0.1, known: null };
  const seen = measureInputs(inputs, model, 0);
  const drawn = async (count: number) => {
    const before = tf.memory().numTensors;
    await drawPosterior(noisePredictor, engine, inputs, seen, model, {
      ...createSampling({ sde: "ve", sampler: "ode-euler", steps: 2 }),
      method: "pigdm",
      iterations: 2,
      classes: null,
      count,
      rows: 2,
      seed: 0,
      onStep: () => {},
    });
    return tf.memory().numTensors - before;
  };
  check.equal("tensors left by 1, 2 and 5 batches", [await drawn(2), await drawn(4), await drawn(10)], [
    0,
    0,
    0,
  ], "");
  seen.dispose();
  noisePredictor.dispose();
});
