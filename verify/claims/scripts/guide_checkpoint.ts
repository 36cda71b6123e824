/** Claims about --guide-checkpoint: that tasks draw by it, and refuse what cannot guide. @module */
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { task as compare } from "../../../scripts/compare.ts";
import { task as evaluate } from "../../../scripts/evaluate.ts";
import { task as sample } from "../../../scripts/sample.ts";
import { readNpy } from "../../../src/images/npy.ts";
import { writeModel } from "../../../src/networks/model_file.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { smallColoured, smallModel, withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { smallMnist, writeMnist } from "../../instruments/small_mnist.ts";
import { claim } from "../../suite/claim.ts";

/** Gives an action a folder with model.safetensors, worse.safetensors and coloured.safetensors. */
const withNetworks = (action: (folder: string) => Promise<void>) =>
  withCheckpoint(async (folder) => {
    const { config, weights } = smallModel();
    const worse = new Map([...weights].map(([name, values]) => [name, values.map((value) => 0.8 * value)]));
    await Deno.writeFile(`${folder}/worse.safetensors`, writeModel({ config, weights: worse }));
    await Deno.writeFile(`${folder}/coloured.safetensors`, writeModel(smallModel(smallColoured)));
    await action(folder);
  });

claim(
  "a guide changes what sample, evaluate and compare draw; the network as its own guide does not",
  { engines: ["wasm"] },
  (check) =>
    withNetworks(async (folder) => {
      await writeMnist(folder, smallMnist({ train: 120, test: 130 }));
      const common = `--checkpoint ${folder}/model.safetensors --engine wasm`;
      const drawing = `${common} --sde vp --sampler ddim --steps 2`;
      const runs: Readonly<Record<string, (flags: string) => Promise<unknown>>> = {
        "sample --label none": async (flags) => {
          const output = `${folder}/${crypto.randomUUID()}.npy`;
          await runInside(sample, `${drawing} --count 4 --label none ${flags} --output ${output}`);
          return [...readNpy(await Deno.readFile(output)).values];
        },
        evaluate: async (flags) => {
          const line = `${drawing} --data ${folder} --count 100 ${flags} --json`;
          return JSON.parse((await runInside(evaluate, line)).stdout.join("\n")).frechet;
        },
        compare: async (flags) => {
          const line =
            `${common} --sde vp --data ${folder} --samplers ddim --steps 2 --count 20 --batch 20 ${flags} ` +
            `--output ${folder}/${crypto.randomUUID()} --json`;
          return JSON.parse((await runInside(compare, line)).stdout.join("\n")).rows[0].quality.frechet;
        },
      };
      for (const [name, run] of Object.entries(runs)) {
        const plain = await run("--guidance 1");
        const guided = (guide: string) =>
          run(`--guidance 3 --guide-checkpoint ${folder}/${guide}.safetensors`);
        if (name.startsWith("sample")) {
          check.equal(
            `${name}, its own guide`,
            await guided("model"),
            plain,
            "D + 3 (D − D) = D, bit for bit",
          );
        }
        check.holds(`${name}, another`, String(await guided("worse")) !== String(plain), "it has an effect");
      }
    }),
);

claim(
  "a guide that cannot guide, or has no effect, is refused in one sentence",
  { engines: ["wasm"] },
  (check) =>
    withNetworks(async (folder) => {
      const own = `--checkpoint ${folder}/model.safetensors`;
      const worse = `--guide-checkpoint ${folder}/worse.safetensors`;
      const asked = (line: string) => async () =>
        await sample.request(parseFlags(sample.usage, line.split(" ")));
      const cases: readonly (readonly [string, RegExp])[] = [
        [
          `${own} ${worse} --guidance 1`,
          /^--guide-checkpoint has no effect at --guidance 1: give another weight$/,
        ],
        [
          `${own} ${worse} --classifier-scale 2`,
          /^--guide-checkpoint and --classifier-scale exclude each other: leave one of them out$/,
        ],
        [
          `--checkpoint mnist-consistency ${worse}`,
          /^--guide-checkpoint needs a score, and "mnist-consistency" is a consistency function: leave it out$/,
        ],
        [
          `${own} --guide-checkpoint worse.onnx`,
          /^--guide-checkpoint may be an ONNX file beside one as --checkpoint, got "worse.onnx" beside ".*model.safetensors"$/,
        ],
        [`${own} ${worse} --label none --guidance 2`, /^no error$/],
        [`${own} --label none --guidance 2`, /^--guidance needs a label, got 2 with --label none$/],
      ];
      for (const [line, message] of cases) await check.throws(line, asked(line), message);
      await check.throws(
        "compare, whose guidance is 1",
        () => compare.request(parseFlags(compare.usage, `${own} ${worse}`.split(" "))),
        /^--guide-checkpoint has no effect at --guidance 1: give another weight$/,
      );
      const unasked = await sample.request(parseFlags(sample.usage, worse.split(" ")));
      check.equal("the network unasked", unasked.checkpoint, "mnist", "a guide needs a score");
      const run = (guide: string) => () =>
        runInside(
          sample,
          `${own} --guide-checkpoint ${guide} --sde vp --steps 1 --count 1 --engine wasm --output ${folder}/a.npy`,
        );
      await check.throws(
        "coloured",
        run(`${folder}/coloured.safetensors`),
        /^--guide-checkpoint ".*coloured.safetensors" cannot guide: a guide must draw samples of the network's shape, \[28, 28, 1\], got \[8, 8, 3\]$/,
      );
      await check.throws(
        "a consistency function",
        run("mnist-consistency"),
        /^"mnist-consistency" is a consistency function, which has no score/,
      );
      await check.throws("no file", run(`${folder}/none.safetensors`), /none\.safetensors/);
    }),
);
