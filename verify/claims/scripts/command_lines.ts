/**
 * Claims about how every script treats its command line.
 * @module
 */
import { measureSize } from "../../../scripts/bench/growth.ts";
import { claim } from "../../suite/claim.ts";
import { run } from "../../instruments/run_task.ts";
import { withCheckpoint } from "../../instruments/small_checkpoint.ts";

for (
  const task of [
    "sample",
    "join",
    "train",
    "evaluate",
    "select",
    "average",
    "compare",
    "tune",
    "likelihood",
    "interpolate",
    "export",
    "bench",
    "build",
    "site",
    "conform",
    "verify",
  ]
) {
  claim(
    `deno task ${task} has a help text, and refuses an unknown flag with one sentence and exit code 2`,
    { engines: ["wasm"] },
    async (check) => {
      const [help, wrong] = await Promise.all([run(task, "--help"), run(task, "--stpes", "4")]);
      const source = "bad usage is 2, failure is 1, results go to stdout and the rest to stderr";
      check.equal("--help: exit code and stderr", [help.code, help.stderr], [0, ""], source);
      check.holds("--help: usage", help.stdout.includes(`deno task ${task} [flags]`), source);
      check.equal("unknown flag: exit code and stdout", [wrong.code, wrong.stdout], [2, ""], source);
      const sentence = /^error: unknown flag --stpes: the flags are --.*\n$/;
      check.holds(`unknown flag: ${wrong.stderr.trim()}`, sentence.test(wrong.stderr), source);
    },
  );
}

claim(
  "deno task bench writes what it measured, where the time went and how, and measures a size in its own process",
  {
    engines: ["wasm"],
  },
  (check) =>
    withCheckpoint(async (folder) => {
      const flags = `--engine wasm --batch 1 --side 8 --rounds 1 --profile --digits --digits-rounds 1`.split(
        " ",
      );
      const paths = ["--checkpoint", `${folder}/model.safetensors`, "--output", `${folder}/new/RESULTS.md`];
      const { code, stdout, stderr } = await run("bench", ...flags, ...paths);
      check.equal("exit code and stderr", [code, stderr], [0, ""], "the flags in the claim");
      const markdown = await Deno.readTextFile(`${folder}/new/RESULTS.md`);
      const expected = [
        "deno task bench --engine wasm",
        "threads",
        "TensorFlow.js",
        "forward pass",
        "training step",
        "64 finished digits",
        "dpm++2m",
        "peak memory",
        "on wasm, by operation",
        "Conv2DBackpropFilter",
      ];
      const absent = expected.filter((words) => !markdown.includes(words));
      check.equal("absent from the file", absent, [], "command, machine, versions, results");
      const tables = [...markdown.matchAll(/```text\n([^]*?)\n```/g)].map(([, table]) => table);
      check.holds("all tables on stdout too", tables.every((table) => stdout.includes(table)), "one report");
      const profiles = tables.filter((table) => table.includes("by operation"));
      const sums = profiles.map((table) =>
        [...table.matchAll(/ ([\d.]+)%/g)].reduce((sum, [, share]) => sum + Number(share), 0)
      );
      check.equal("profiles", sums.length, 2, "forward pass and training step");
      check.atMost(
        "shares add up to 100%",
        Math.max(...sums.map((sum) => Math.abs(sum - 100))),
        1,
        "rounded to 0.1%",
      );
      const ballast = new Uint8Array(1e9).fill(1);
      const size = await measureSize("wasm", "digits", { batch: 1, side: 8 }, 1);
      check.equal("size", [size.engine, size.batch, size.side], ["wasm", 1, 8], "as asked");
      check.holds(
        `${size.forward} ms, ${size.step} ms`,
        size.forward > 0 && size.step > size.forward,
        "a step holds a forward pass, its gradient and the update",
      );
      check.within(
        `memory, GB, measured by a process that holds ${ballast.length / 1e9} itself`,
        size.memory / 1e9,
        0.5,
        0.49,
        "Deno alone takes 0.04, the network and its batch little; none of it is the measuring process's",
      );
    }),
);

claim("deno task bench times this project and PyTorch, forward and step, as often as asked", {
  engines: ["wasm"],
  needs: ["pytorch"],
}, async (check) => {
  const args = [
    "--engine",
    "wasm",
    "--against",
    "pytorch",
    "--network",
    "digits",
    "--batch",
    "2",
    "--rounds",
    "2",
    "--digits",
    "--digits-rounds",
    "1",
    "--twin-steps",
    "2",
  ];
  const { code, stdout, stderr } = await withCheckpoint((folder) =>
    run("bench", ...args, "--checkpoint", `${folder}/model.safetensors`, "--json")
  );
  // A busy machine takes long enough for a line of progress.
  check.equal("exit code", code, 0, stderr);
  const { parameters, batch, results } = JSON.parse(stdout) as {
    parameters: number;
    batch: number;
    results: {
      name: string;
      milliseconds: Record<"forward" | "step" | "digits", number[]>;
      memory: number;
    }[];
  };
  check.equal("batch and parameters", [batch, parameters], [2, 462_788], "the digits network");
  const counts = results.map(({ name, milliseconds: { forward, step, digits } }) =>
    `${name.split(" ")[0]}: ${forward.length}, ${step.length}, ${digits.length}`
  );
  check.equal(
    "measurements",
    counts,
    ["wasm: 2, 2, 1", "PyTorch: 2, 2, 1"],
    "two rounds, the warm-up not counted",
  );
  const times = results.flatMap(({ milliseconds }) => Object.values(milliseconds).flat());
  check.holds("all times are positive", times.every((time) => time > 0 && time < Infinity), "milliseconds");
});
