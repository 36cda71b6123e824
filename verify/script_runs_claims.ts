/**
 * Claims about how every script treats its command line.
 * @module
 */
import { claim } from "./claim.ts";
import { run } from "./script_run.ts";

for (const task of ["sample", "join", "train", "evaluate", "export", "bench", "verify"]) {
  claim(
    `deno task ${task} explains itself and refuses an unknown flag with one sentence and exit code 2`,
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
  ];
  const { code, stdout, stderr } = await run("bench", ...args, "--json");
  check.equal("exit code and stderr", [code, stderr], [0, ""], "the flags in the claim");
  const { parameters, batch, results } = JSON.parse(stdout) as {
    parameters: number;
    batch: number;
    results: { name: string; milliseconds: { forward: number[]; step: number[] } }[];
  };
  check.equal("batch and parameters", [batch, parameters], [2, 462_788], "the digits network");
  const counts = results.map(({ name, milliseconds: { forward, step } }) =>
    `${name.split(" ")[0]}: ${forward.length} and ${step.length}`
  );
  check.equal(
    "measurements",
    counts,
    ["wasm: 2 and 2", "PyTorch: 2 and 2"],
    "two rounds, the warm-up not counted",
  );
  const times = results.flatMap(({ milliseconds: { forward, step } }) => [...forward, ...step]);
  check.holds("all times are positive", times.every((time) => time > 0 && time < Infinity), "milliseconds");
});
