/** Claims about the task that runs the experiments in the plane. @module */
import { decodePng } from "../../../src/images/png.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { GifReader } from "../../instruments/gif_reader.ts";
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

claim("deno task toy draws its pictures and repeats its numbers", (check) =>
  withFolder(async (folder) => {
    const flags = ["--engine", "wasm", "--json", "--output", `${folder}/made`];
    const modes = ["modes", "--count", "40", "--steps", "16", ...flags];
    const [first, again, densities] = await Promise.all([
      run("toy", ...modes),
      run("toy", ...modes, "--output", `${folder}/again`),
      run("toy", "densities", "--data", "moons", "--steps", "2", "--count", "5", ...flags),
    ]);
    check.equal("exit codes", [first.code, again.code, densities.code], [0, 0, 0], "no failure");
    const { rows, files } = JSON.parse(first.stdout);
    check.equal("samplers", rows.length, 3, "plain, annealed, reverse SDE");
    check.equal(
      "the same seed",
      JSON.stringify(JSON.parse(again.stdout).rows),
      JSON.stringify(rows),
      "digit by digit",
    );
    check.equal("files", files, [`${folder}/made/modes.png`], "as asked");
    const { width, height } = await decodePng(await Deno.readFile(files[0]));
    check.equal(
      "three panels by two",
      [width, height],
      [1185, 833],
      "(3 · 316, 30 + 2 · 318) · 1.25, rounded up",
    );
    const gif = new GifReader(await Deno.readFile(`${folder}/made/densities_moons.gif`));
    check.equal("frames", gif.numFrames(), 4, "two moments forward, two back");
  }));
