/**
 * Claims about what `deno task sample` draws and writes.
 * @module
 */
import { drawLabels } from "../../../src/runs/sampling.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { readModel } from "../../../src/networks/model_file.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { readNpy } from "../../../src/images/npy.ts";
import { decodePng } from "../../../src/images/png.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { veSde } from "../../../src/diffusion/sde.ts";
import { claim } from "../../suite/claim.ts";
import { run } from "../../instruments/run_task.ts";
import { withCheckpoint } from "../../instruments/small_checkpoint.ts";

/** What `sample --seed 3 --sampler ancestral --steps 3` should draw first, [5 · 784] in [0, 1]. */
async function firstDigits(checkpoint: string): Promise<Float32Array> {
  const count = 5;
  const { config, weights } = readModel(await Deno.readFile(checkpoint));
  const noisePredictor = networkPredictor(config, weights);
  const rng = createRng(3);
  // ⌊10 u⌋ of the samples' uniform numbers .33, .80, …; the guidance that --help states.
  const labelled = noisePredictor.withLabels([3, 8, 2, 6, 2], { scale: 1.3, from: 0.6, to: 6 });
  const grid = { kind: "karras", steps: 3 } as const;
  const model = scoreModel(labelled, veSde({ sigmaMin: 0.005, sigmaMax: 40 }));
  const x = await drawSamples(model, samplerByName("ancestral"), { shape: [count, 28, 28, 1], grid, rng });
  const values = (await x.data<"float32">()).map((v) => Math.min(1, Math.max(0, 0.5 * v + 0.5)));
  x.dispose();
  noisePredictor.dispose();
  return values;
}

claim(
  "random labels are uniform, independent by sample, and the same for every split of the batch",
  (check) => {
    const rng = createRng(check.seed);
    const labels = (first: number, rows: number) =>
      drawLabels("random", 10, rng.startingAt(first), rows) as number[];
    const all = labels(0, 10_000);
    check.equal(
      "split in two",
      [...labels(0, 37), ...labels(37, 63)],
      all.slice(0, 100),
      "a sample's stream is its own",
    );
    const counts = Array.from({ length: 10 }, (_, label) => all.filter((other) => other === label).length);
    const distance = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    const source = "χ² with 9 degrees of freedom exceeds 60.7 with probability 1e-9";
    check.atMost("χ² of 10,000 labels", distance, 60.7, source, {
      detectable: "one class 40% too frequent",
      alarmRate: 1e-9,
    });
    const described = (["none", 4] as const).map((label) => drawLabels(label, 10, rng, 3));
    check.equal("none, and one class for all", described, [null, 4], "the flag's help");
    check.equal("a network without classes", drawLabels("random", 0, rng, 3), null, "there is none to draw");
  },
);

claim(
  "the first digits of a seed are the same however many are asked for, and no two are alike",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      const draw = async (name: string, ...args: string[]) => {
        const common = ["--checkpoint", `${folder}/model.safetensors`, "--engine", "wasm", "--steps", "3"];
        const { code, stderr } = await run("sample", ...common, ...args, "--output", `${folder}/${name}.npy`);
        if (code !== 0) throw new Error(stderr);
        return readNpy(await Deno.readFile(`${folder}/${name}.npy`));
      };
      const [few, many] = await Promise.all([
        draw("few", "--count", "5", "--seed", "3", "--sampler", "ancestral"),
        draw("many", "--count", "37", "--seed", "3", "--sampler", "ancestral"),
      ]);
      const other = await draw("other", "--count", "1", "--seed", "4", "--sampler", "ancestral");
      const source = "draw k of sample i is the same number for every batch split";
      const expected = await firstDigits(`${folder}/model.safetensors`);
      check.equal(
        "the first five, by the library",
        few.values,
        expected,
        "(x + 1)/2 of the same run, clipped",
      );
      check.equal("shapes", [few.shape, many.shape], [[5, 28, 28, 1], [37, 28, 28, 1]], "[N, 28, 28, 1]");
      check.equal("the first five", many.values.slice(0, few.values.length), few.values, source);
      check.holds(
        "another seed, another digit",
        String(other.values) !== String(few.values.slice(0, 784)),
        source,
      );
      const digits = Array.from({ length: 37 }, (_, i) => String(many.values.slice(784 * i, 784 * (i + 1))));
      check.equal("different digits among 37 over three batches", new Set(digits).size, 37, source);
      check.holds("values in [0, 1]", many.values.every((v) => v >= 0 && v <= 1), "pictures are in [0, 1]");
    }),
);

claim(
  "deno task sample writes the format of the file's ending, reports it in one line and leaves no partial file",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      const checkpoint = ["--checkpoint", `${folder}/model.safetensors`, "--engine", "wasm"];
      await Deno.writeTextFile(`${folder}/kept.png`, "older");
      await Deno.writeTextFile(`${folder}/broken.safetensors`, "no checkpoint at all");
      const guided = [
        "--label",
        "4",
        "--guidance",
        "2",
        "--guidance-min-sigma",
        "0.1",
        "--guidance-max-sigma",
        "3",
      ];
      const [png, gif, broken, late] = await Promise.all([
        run(
          "sample",
          ...checkpoint,
          ...guided,
          "--count",
          "5",
          "--steps",
          "4",
          "--output",
          `${folder}/a.png`,
          "--json",
        ),
        run(
          "sample",
          ...checkpoint,
          "--sde",
          "vp",
          "--count",
          "4",
          "--steps",
          "3",
          "--output",
          `${folder}/a.gif`,
        ),
        run(
          "sample",
          "--checkpoint",
          `${folder}/broken.safetensors`,
          "--engine",
          "wasm",
          "--output",
          `${folder}/kept.png`,
        ),
        // A corrector whose steps are too long for float32 fails on the way.
        run(
          "sample",
          ...checkpoint,
          "--sampler",
          "predictor-corrector",
          "--snr",
          "1e30",
          "--steps",
          "3",
          "--output",
          `${folder}/late.npy`,
        ),
      ]);
      const source = "the flags in the claim";
      check.equal("png: exit code and stderr", [png.code, png.stderr], [0, ""], source);
      const summary = JSON.parse(png.stdout);
      const stated = [
        summary.count,
        summary.sde,
        summary.sampler,
        summary.steps,
        summary.engine,
        summary.file,
      ];
      check.equal("png: stated", stated, [5, "ve", "dpm++2m", 4, "wasm", `${folder}/a.png`], source);
      check.equal(
        "png: evaluations",
        summary.evaluations,
        7,
        "4 steps and a last denoise, at ν = 40, 12.4, 2.7, 0.29 and 0.005 (Karras' grid, ρ = 5), two of them without label, too",
      );
      const { width, height } = await decodePng(await Deno.readFile(`${folder}/a.png`));
      check.equal(
        "png: five columns, one row",
        [width, height],
        [2 + 5 * 86, 2 + 86 + 17],
        "28·3 pixels and gaps of 2, below a title",
      );
      check.equal("gif: exit code", gif.code, 0, source);
      const line =
        /^4 digits, vp, dpm\+\+2m on a karras grid, 3 steps, 5 network evaluations, .* on wasm: .*a\.gif\n$/;
      const counted =
        "of ν = 152, 28, 2.2 and 0.01 one lies where the default guidance acts; and the flags in the claim";
      check.holds(`gif: ${gif.stdout.trim()}`, line.test(gif.stdout), counted);
      const bytes = await Deno.readFile(`${folder}/a.gif`);
      const frames = bytes.filter((_, i) =>
        bytes[i] === 0x21 && bytes[i + 1] === 0xf9 && bytes[i + 2] === 4
      ).length;
      check.equal("gif: frames", frames, 4, "the start and three steps, by their graphic control extensions");
      check.equal("broken checkpoint: exit code", broken.code, 1, source);
      check.holds(
        `broken checkpoint: ${broken.stderr.trim()}`,
        /^error: ".*broken\.safetensors" cannot be used: .*\n$/.test(broken.stderr),
        "one sentence",
      );
      check.equal(
        "what was there before",
        await Deno.readTextFile(`${folder}/kept.png`),
        "older",
        "a failure changes nothing",
      );
      check.equal("failure on the way: exit code", late.code, 1, source);
      check.holds(
        `failure on the way: ${late.stderr.trim()}`,
        /^error: .*step 1 of 3.*\n$/.test(late.stderr),
        "one sentence",
      );
      const left = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
      const expected = ["a.gif", "a.png", "broken.safetensors", "kept.png", "model.safetensors"];
      check.equal("files in the folder", left, expected, "no file of a failed run, no temporary one");
    }),
);
