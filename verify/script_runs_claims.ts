/**
 * Claims about how every script treats its command line.
 * @module
 */
import { claim } from "./claim.ts";
import { run } from "./script_run.ts";

for (const task of ["sample", "train", "evaluate", "bench", "verify"]) {
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
