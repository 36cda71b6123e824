/** Claims about the input of the tasks that sample posteriors. @module */
import { inputFlag } from "../../../scripts/posterior/inputs.ts";
import { encodePng } from "../../../src/images/png.ts";
import { claim } from "../../suite/claim.ts";
import { run } from "../../instruments/run_task.ts";
import { drawn, inFolder, quick } from "../../instruments/posterior_task.ts";

claim("invalid input to the posterior tasks is one sentence and exit code 2, a damaged file exit code 1", {
  engines: ["wasm"],
}, (check) =>
  inFolder(async (folder) => {
    const small = { width: 20, height: 28, data: new Uint8Array(20 * 28 * 4).fill(255) };
    await Deno.writeFile(`${folder}/small.png`, encodePng(small));
    await Deno.writeFile(`${folder}/torn.png`, encodePng(small).slice(0, 60));
    const model = ["--checkpoint", `${folder}/model.safetensors`];
    const out = (name: string) => ["--output", `${folder}/${name}`];
    const cases: [string, string[], number, RegExp][] = [
      [
        "inpaint",
        [...model, "--mask", `${folder}/small.png`],
        2,
        /images of 28×28 must be of that size, got 20×28/,
      ],
      [
        "inpaint",
        [...model, "--input", `${folder}/small.png`],
        2,
        /20×28 pixels, but the model takes 28×28: pass --resize/,
      ],
      ["inpaint", [...model, "--input", `${folder}/torn.png`], 1, /torn\.png: not a complete PNG file/],
      ["inpaint", [...model, "--input", `${folder}/none.png`], 1, /could not read ".*none\.png"/],
      [
        "inpaint",
        ["--mask", "diagonal"],
        2,
        /--mask must be one of left, .*, random, or end in \.png, got "diagonal"/,
      ],
      [
        "inpaint",
        ["--mask", "left", "--hidden-fraction", "0.5"],
        2,
        /--hidden-fraction is for --mask random/,
      ],
      [
        "inpaint",
        ["--method", "magic"],
        2,
        /--method must be one of replacement, repaint, pigdm, mmps, tmpd, dps, diffpir, twisted, got "magic"/,
      ],
      ["restore", ["--operator", "pool2", "--blur", "2"], 2, /--blur is for --operator blur/],
      [
        "restore",
        ["--method", "repaint"],
        2,
        /--method must be one of pigdm, mmps, tmpd, dps, diffpir, twisted, got "repaint"/,
      ],
      [
        "restore",
        ["--method", "twisted", "--sampler", "ddim"],
        2,
        /ancestral steps: leave out --sampler, got ddim/,
      ],
      [
        "restore",
        ["--method", "twisted", "--count", "17"],
        2,
        /--count must be at most the 16 of --particles, got 17/,
      ],
      [
        "restore",
        ["--method", "twisted", "--batch", "8"],
        2,
        /--batch must be at least the 16 of --particles, got 8/,
      ],
      ["colorize", ["--output", "colours.gif"], 2, /--output must end in \.png or \.npy, got "colours\.gif"/],
      [
        "sample",
        ["--label", "none", "--classifier-scale", "2"],
        2,
        /--classifier-scale needs a label, got 2/,
      ],
    ];
    for (const text of ["cifar", "mnist:9-3", "mnist:-1", "mnist:0-10000", "picture.bmp"]) {
      const message = /^--input must (be samples, digits or mnist|name 1 to 10000 images)/;
      await check.throws(`--input ${text}`, () => inputFlag.parse(text, "--input"), message);
    }
    check.equal(
      "--input digits",
      inputFlag.parse("digits", "--input"),
      { kind: "digits", from: 0, to: 9 },
      "ten",
    );
    for (const [at, [task, args, code, message]] of cases.entries()) {
      const output = args.includes("--output") ? [] : out(`${at}.png`);
      const result = await run(task, "--engine", "wasm", "--steps", "2", ...args, ...output);
      const what = `${task} ${args.filter((arg) => !arg.includes("/") && arg !== "--checkpoint").join(" ")}`;
      check.equal(`${what}: exit code`, result.code, code, "2 for bad usage, 1 for failure");
      check.holds(
        `${what}: message`,
        message.test(result.stderr) && !/\n.+/.test(result.stderr.trim()),
        result.stderr.trim(),
      );
    }
  }));

claim(
  "MNIST's test images are selected by their number, and a number beyond the last is refused",
  { engines: ["wasm"], needs: ["mnist"] },
  (check) =>
    inFolder(async (folder) => {
      const common = ["--checkpoint", `${folder}/model.safetensors`, "--count", "1", "--mask", "none"];
      const data = ["--data", Deno.env.get("SCORE_SDE_DATA")!];
      const [[summary], beyond] = await Promise.all([
        drawn("inpaint", `${folder}/a.npy`, ...common, ...data, "--input", "mnist:0-9"),
        run("inpaint", ...quick, ...common, ...data, "--input", "mnist:10000", "--output", `${folder}/b.png`),
      ]);
      check.equal(
        "classes kept with all known",
        summary.kept,
        1,
        "the first ten are known to the classifier",
      );
      check.equal("beyond: exit code", beyond.code, 2, "bad usage");
      check.holds("beyond: message", /test images are 0 to 9999/.test(beyond.stderr), beyond.stderr.trim());
    }),
);
