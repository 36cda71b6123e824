/**
 * The tasks of models in discrete time: `ncsn:plan`, what `train` and `sample` do with a noise schedule and with a list of β, and `bound`.
 * @module
 */
import { linearBetas } from "../../../src/diffusion/beta_schedule.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { fromModel } from "../../../src/data/dataset.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import type { MnistSplit } from "../../../src/data/mnist.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { readNpy } from "../../../src/images/npy.ts";
import { annealedLangevin } from "../../../src/samplers/annealed_langevin.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { veSde } from "../../../src/diffusion/sde.ts";
import { readCheckpoint } from "../../../src/training/checkpoint.ts";
import { mnistFiles } from "../../reference/mnist_files.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { run } from "../../instruments/run_task.ts";
import { smallModel, withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { writeIdx } from "../../instruments/file_writers.ts";

const plan = {
  format: "score-sde noise plan 2",
  data: "mnist",
  kind: "ncsnv2",
  largest: 4,
  smallest: 0.5,
  levels: 4,
  moves: 2,
  epsilon: 0.02,
};

/** Digits as MNIST's files of a split. */
async function writeDigits(folder: string, split: MnistSplit, count: number): Promise<void> {
  const digits = proceduralDigits(count, createRng(1));
  const { images, labels } = mnistFiles[split];
  await Deno.writeFile(
    `${folder}/${images}`,
    writeIdx({ shape: [count, 28, 28], values: digits.images }),
  );
  await Deno.writeFile(`${folder}/${labels}`, writeIdx({ shape: [count], values: digits.labels }));
}

claim("ncsn:plan prints its reasons, and train and sample follow its file", {
  engines: ["wasm"],
}, (check) =>
  withCheckpoint(async (folder) => {
    await writeDigits(folder, "train", 50);
    const file = `${folder}/plan.json`;
    const made = await run(
      "ncsn:plan",
      "--data",
      folder,
      "--limit",
      "40",
      "--engine",
      "wasm",
      "--output",
      file,
    );
    check.equal("exit code", made.code, 0, "no error");
    for (const technique of [1, 2, 3, 4, 5]) {
      check.holds(
        `technique ${technique} is named`,
        made.stdout.includes(`(technique ${technique})`),
        "Song & Ermon 2020",
      );
    }
    const written = JSON.parse(await Deno.readTextFile(file));
    check.equal("kind and steps per level", [written.kind, written.moves], ["ncsnv2", 5], "the defaults");
    const old = await run("ncsn:plan", "--data", folder, "--kind", "ncsn", "--json", "--output", file);
    const { largest, smallest, levels, moves, epsilon } = JSON.parse(old.stdout);
    check.equal(
      "published plan",
      [largest, smallest, levels, moves, epsilon],
      [1, 0.01, 10, 100, 1e-5],
      "Song & Ermon 2019, section 5: ε = 2e-5 of moves x + (α/2) s + √α z, half of it of x + α s + √(2α) z",
    );

    await Deno.writeTextFile(file, JSON.stringify(plan));
    const train = [
      "train",
      "--data",
      folder,
      "--steps",
      "1",
      "--batch",
      "2",
      // The sample grid at the end takes most of the time: small pictures do.
      "--size",
      "8",
      "--engine",
      "wasm",
      "--out",
    ] as const;
    const trained = await run(...train, `${folder}/v2`, "--plan", file);
    check.equal(
      "training on a plan",
      [trained.code, trained.stdout.includes("1 steps")],
      [0, true],
      "one step",
    );
    const { config } = readCheckpoint(await Deno.readFile(`${folder}/v2/checkpoint.safetensors`));
    const [first, last] = [8, 1];
    check.equal(
      "its objective",
      config.objective.kind === "levels" &&
        config.objective.ratios.map((ratio) => Number(ratio.toPrecision(12))),
      [first, 4, 2, last],
      "geometric levels, doubled for pixels from −1 to 1",
    );
    check.equal(
      "its network",
      [
        config.model.preconditioning,
        config.model.network.kind === "unet" && config.model.network.noiseConditional,
      ],
      [null, false],
      "technique 3: s(x)/σ",
    );
    const chained = await run(...train, `${folder}/ddpm`, "--betas", "ddpm-linear");
    check.equal("training with a list of β", chained.code, 0, "one step");
    const withBetas = readCheckpoint(await Deno.readFile(`${folder}/ddpm/checkpoint.safetensors`)).config;
    const bars = linearBetas().reduce<number[]>((all, beta) => [...all, (all.at(-1) ?? 1) * (1 - beta)], []);
    const ratios = withBetas.objective.kind === "levels" ? withBetas.objective.ratios : [];
    const worst = Math.max(...bars.map((bar, n) => Math.abs(ratios[999 - n] / Math.sqrt(1 / bar - 1) - 1)));
    check.atMost("its noise ratios", worst, 1e-9, "√(1 − ᾱ_n)/√ᾱ_n for every n: L_simple");

    const npy = `${folder}/a.npy`;
    const flags = [
      "--checkpoint",
      `${folder}/model.safetensors`,
      "--count",
      "2",
      "--batch",
      "2",
      "--label",
      "none",
    ];
    const drawn = await run("sample", ...flags, "--engine", "wasm", "--plan", file, "--output", npy);
    check.equal("sampling by a plan", drawn.code, 0, "no error");
    const { config: modelConfig, weights } = smallModel();
    const noisePredictor = networkPredictor(modelConfig, weights).withLabels(null, 1);
    const model = scoreModel(noisePredictor, veSde({ sigmaMin: 1, sigmaMax: 16, tMin: 0 }));
    const sampler = annealedLangevin({ langevinStep: 0.08, steps: 2 });
    const grid = { kind: "uniform", steps: 4 } as const;
    const x = await drawSamples(model, sampler, { shape: [2, 28, 28, 1], grid, rng: createRng(0) });
    const expected = fromModel(await x.data<"float32">());
    x.dispose();
    const { values } = readNpy(await Deno.readFile(npy));
    const farthest = Math.max(...expected.map((value, i) => Math.abs(value - Number(values[i]))));
    check.atMost(
      "the digits",
      farthest,
      1e-6,
      "moves at σ = 8, 4, 2, 1 with ε = 4 · .02, from noise one level above; the same engine",
    );
    await Deno.writeTextFile(
      file,
      JSON.stringify({ ...plan, format: "score-sde noise plan 1", epsilon: 0.04 }),
    );
    const before = `${folder}/before.npy`;
    const again = await run("sample", ...flags, "--engine", "wasm", "--plan", file, "--output", before);
    check.equal("a plan of the format before", again.code, 0, "no error");
    const same = readNpy(await Deno.readFile(before)).values;
    check.equal("its digits", [...same], [...values], "its ε is of moves x + (α/2) s + √α z: twice as large");
  }));

claim(
  "elbo prints every term of the variational bound, and their sum",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      await writeDigits(folder, "test", 2);
      const flags = [
        "--checkpoint",
        `${folder}/model.safetensors`,
        "--data",
        folder,
        "--limit",
        "2",
        "--engine",
        "wasm",
        "--json",
      ];
      const { code, stdout } = await run("elbo", ...flags, "--batch", "2");
      check.equal("exit code", code, 0, "no error");
      const whole = JSON.parse(stdout);
      check.equal("terms between data and noise", whole.steps.length, 999, "L_1 … L_999 of a thousand steps");
      const sum = whole.steps.reduce(
        (total: number, value: number) => total + value,
        whole.prior + whole.reconstruction,
      );
      check.within("their sum", whole.bitsPerDimension, sum, 1e-9 * sum, "Ho et al. 2020, eq. 5");
      check.holds(
        "every term",
        whole.steps.every((value: number) => value >= 0),
        "a divergence is not negative",
      );
    }),
);

claim(
  "invalid noise plans, lists of β and bounds are refused in one sentence",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const file = `${folder}/plan.json`;
      const refused = async (what: string, code: number, message: RegExp, ...args: [string, ...string[]]) => {
        const result = await run(...args);
        check.equal(`${what}: exit code`, result.code, code, "2 for bad usage, 1 for a failure");
        check.holds(
          `${what}: ${result.stderr.trim()}`,
          message.test(result.stderr) && result.stderr.trim().split("\n").length === 1,
          String(message),
        );
      };
      await refused("no such plan", 1, /could not read ".*plan\.json"/, "sample", "--plan", file);
      await Deno.writeTextFile(file, "levels: 3");
      await refused("no JSON", 1, /is no noise plan: it is not JSON/, "sample", "--plan", file);
      await Deno.writeTextFile(file, JSON.stringify({ ...plan, largest: 0.1 }));
      await refused(
        "levels that grow",
        1,
        /largest must be a finite number above 0\.5 and up to 10000, got 0\.1$/m,
        "train",
        "--plan",
        file,
      );
      await Deno.writeTextFile(file, JSON.stringify({ ...plan, moves: 0 }));
      await refused("no moves", 1, /is no noise plan: .*got 0/, "sample", "--plan", file);
      await refused(
        "plan and weighting",
        2,
        /--plan gives all noise levels: leave out --weighting/,
        "train",
        "--plan",
        file,
        "--weighting",
        "edm",
      );
      await refused(
        "an overlap of 1",
        2,
        /--overlap must be a number from 0\.01 to 0\.98, got "1"/,
        "ncsn:plan",
        "--overlap",
        "1",
      );
      await refused(
        "unknown betas",
        2,
        /--betas must be one of ddpm-linear, ddpm-cosine, ddpm-scaled-linear, ddpm-sigmoid, got "sqrt"/,
        "elbo",
        "--betas",
        "sqrt",
      );
    }),
);
