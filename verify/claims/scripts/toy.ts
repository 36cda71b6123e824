/** Claims about the task that runs the experiments in the plane. @module */
import { claim } from "../../suite/claim.ts";
import { run } from "../../instruments/run_task.ts";

claim("deno task toy has a help text, and refuses an unknown experiment", async (check) => {
  const runs = await Promise.all([
    run("toy", "--help"),
    run("toy", "walk"),
    run("toy", "langevin", "--data", "spiral"),
    run("toy", "modes", "--count", "0"),
    run("toy", "modes", "--output", "/dev/null/pictures"),
  ]);
  const [help, walk, data, count, output] = runs;
  check.equal("exit codes", runs.map(({ code }) => code), [0, 2, 2, 2, 1], "2 for bad usage, 1 for failure");
  check.holds(
    "help",
    help.stdout.includes("langevin|matching|modes|densities|all"),
    "the experiments are listed",
  );
  const one = (text: string) => text.trim().split("\n").length === 1;
  check.holds(
    "an experiment",
    /one of langevin, .* got "walk"/.test(walk.stderr) && one(walk.stderr),
    "one line",
  );
  check.holds(
    "a distribution",
    /--data must be one of mixture, .* got "spiral"/.test(data.stderr),
    "one line",
  );
  check.holds("a count", /--count must be .* from 2 to 20000, got "0"/.test(count.stderr), "one line");
  check.holds(
    "a folder",
    /cannot make the folder "\/dev\/null\/pictures"/.test(output.stderr) && one(output.stderr),
    "one line",
  );
});
