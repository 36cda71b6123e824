/** Claims about runs that are divided into shards. @module */
import { shardBatches } from "../../../src/runs/batches.ts";
import { currentEngine } from "../../../src/compute/engine.ts";
import { claim } from "../../suite/claim.ts";
import { run } from "../../instruments/run_task.ts";
import { flagsFor, withCheckpoint } from "../../instruments/small_checkpoint.ts";

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
        const { first, end } = shardBatches({ count, batch: rows, shard: { index, shards } });
        if (first !== next || end <= first || end - first > Math.ceil(batches / shards)) wrong++;
        next = end;
      }
      if (next !== batches) wrong++;
    }
  }
  check.equal("gaps, overlaps, empty or overlong shards", wrong, 0, "contiguous parts, even to one batch");
});
