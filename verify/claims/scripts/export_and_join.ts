/** Claims that `export` and `join` write and say what their requests ask for. @module */
import { readNpy, writeNpy } from "../../../src/images/npy.ts";
import { readModel } from "../../../src/networks/model_file.ts";
import { exportOnnx } from "../../../src/networks/onnx_export.ts";
import { claim } from "../../suite/claim.ts";
import { run } from "../../instruments/run_task.ts";
import { smallModel, withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";

claim("export writes what exportOnnx makes of the checkpoint, by default of the shipped network of digits", {
  engines: ["wasm"],
}, (check) =>
  withCheckpoint(async (folder) => {
    const shipped = new URL("../../../fixtures/models/mnist.safetensors", import.meta.url);
    const models = {
      own: { model: smallModel(), flags: ["--checkpoint", `${folder}/model.safetensors`] },
      shipped: { model: readModel(await Deno.readFile(shipped)), flags: [] },
    };
    for (const [name, { model, flags }] of Object.entries(models)) {
      const file = `${folder}/${name}.onnx`;
      const { code, stdout, stderr } = await run("export", ...flags, "--output", file);
      check.equal(`${name}: exit code`, code, 0, stderr);
      const expected = exportOnnx(model);
      check.equal(`${name}: bytes`, await Deno.readFile(file), expected, "exportOnnx");
      const [, size, unit] = /denoised; ([\d.]+) (k|M)B: /.exec(stdout) ?? [];
      const bytes = Number(size) * (unit === "k" ? 1e3 : 1e6);
      check.within(
        `${name}: size printed`,
        bytes / expected.length,
        1,
        0.05,
        `the file's, to the digits shown: ${stdout.trim()}`,
      );
    }
  }));

claim("join puts eleven shards of unequal length together in the order of their numbers", {
  engines: ["wasm"],
}, (check) =>
  withFolder(async (folder) => {
    const all: number[] = [];
    for (let shard = 1; shard <= 11; shard++) {
      const samples = 1 + shard % 3;
      const values = Float32Array.from({ length: samples * 6 }, (_, i) => shard + i / 64);
      all.push(...values);
      await Deno.writeFile(`${folder}/p-${shard}.npy`, writeNpy({ shape: [samples, 2, 3, 1], values }));
    }
    const line = ["--parts", `${folder}/p-%.npy`, "--shards", "11", "--output", `${folder}/whole.npy`];
    const { code, stdout, stderr } = await run("join", ...line);
    check.equal("exit code", code, 0, stderr);
    const { shape, values } = readNpy(await Deno.readFile(`${folder}/whole.npy`));
    const samples = all.length / 6;
    check.equal("shape", shape, [samples, 2, 3, 1], "all samples");
    check.equal("values", [...values], all, "shard 10 comes after shard 9");
    check.equal("line", stdout, `${samples} samples of 11 shards: ${folder}/whole.npy\n`, "the result");
    const fewer = await run("join", ...line.slice(0, 2), "--shards", "2", ...line.slice(4));
    check.equal("two of them", fewer.stdout.split(" ")[0], "5", "2 + 3 samples");
  }));
