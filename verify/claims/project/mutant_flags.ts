/** Claims about the flags of verify:mutants. @module */
import { run } from "../../instruments/run_task.ts";
import { claim } from "../../suite/claim.ts";

claim("verify:mutants refuses what it cannot do in one sentence that names the value", async (check) => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [["--shard", "3/2"], /^error: --shard must be I\/N with I from 1 to N, such as 2\/8, got "3\/2"\n$/],
    [["--files", "("], /^error: --files must be a regular expression, got "\("\n$/],
    [["--files", "no/such"], /^error: --files: no file of src or scripts matches no\/such\n$/],
    [["--operators", "swap,burn"], /^error: --operators must be one of drop-property, .*, got "burn"\n$/],
    [["--since", "main"], /^error: --since is for --changed, which is not given\n$/],
    [["--json", "--markdown"], /^error: --json and --markdown are two ways to print: give one\n$/],
    [["--minutes", "-1"], /^error: --minutes must be a number from 0 up, got "-1"\n$/],
  ];
  for (const [flags, message] of wrong) {
    const { code, stderr } = await run("verify:mutants", ...flags);
    check.equal(`${flags.join(" ")}: exit code`, code, 2, "bad usage");
    check.holds(`${flags.join(" ")}: ${stderr.trim()}`, message.test(stderr), String(message));
  }
});
