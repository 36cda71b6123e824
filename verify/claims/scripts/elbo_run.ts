/** Claims about `runElbo`: the task prints what it gives, and it does what its request says. @module */
import { task } from "../../../scripts/elbo.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { linearBetas } from "../../../src/diffusion/beta_schedule.ts";
import { writeModel } from "../../../src/networks/model_file.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { NETWORK_PRESETS } from "../../../src/networks/registry.ts";
import { type ElboRequest, type ElboResult, runElbo } from "../../../src/runs/elbo.ts";
import { printed as printedLines } from "../../instruments/printed.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { silentPredictor } from "../../instruments/silent_predictor.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";
import { smallMnist, writeMnist } from "../../instruments/small_mnist.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { claim } from "../../suite/claim.ts";

const splits = smallMnist({ train: 3, test: 3 });

/** A network on maps of 7 × 7: a chain has a thousand steps. */
const model = smallModel({
  ...NETWORK_PRESETS.digits,
  unshuffle: 4,
  widths: [8],
  blocks: 1,
  middleBlocks: 1,
  embedding: 16,
  noiseFeatures: 8,
});

function small() {
  return networkPredictor(model.config, model.weights);
}

claim(
  "deno task elbo prints what runElbo gives for the request of its flags",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      await Deno.writeFile(`${folder}/model.safetensors`, writeModel(model));
      await writeMnist(folder, splits);
      const common =
        `--data ${folder} --checkpoint ${folder}/model.safetensors --engine wasm --batch 2 --limit 2`;
      const noisePredictor = small();
      for (const line of ["--variances learned --betas ddpm-cosine", "--split train --seed 5"]) {
        const { request: asked, stdout, bar } = await runInside(task, `${common} ${line} --json`);
        const result = await runElbo(asked, {
          noisePredictor,
          images: splits[asked.split],
          training: splits.train,
        });
        const source = "the printed request, carried out here on the same engine";
        const { bits, ...terms } = result;
        const printed = JSON.parse(stdout.join("\n"));
        for (const [name, value] of Object.entries(terms)) {
          check.equal(`${line}: ${name}`, printed[name], value, source);
        }
        check.equal(
          `${line}: settings`,
          [printed.images, printed.chain, printed.variances],
          line.includes("cosine")
            ? [bits.length, "ddpm-cosine", "learned"]
            : [bits.length, "ddpm-linear", "posterior"],
          "the flags",
        );
        const total = line.includes("learned") ? 2000 : 1000;
        const counts = Array.from({ length: total }, (_, n) => `bounding ${n + 1}/${total} steps`);
        check.equal(
          `${line}: counts of the bar`,
          bar,
          counts,
          "a thousand steps of one batch, and of one to learn from",
        );
        const lines = await printedLines(() =>
          task.report(asked, { ...result, dataset: "mnist", engine: "wasm" }, { json: false } as never)
        );
        const sum = (from: number, to: number) =>
          result.steps.slice(from, to).reduce((total, value) => total + value, 0).toFixed(5);
        check.equal(
          `${line}: numbers of the table`,
          lines.slice(1).map((row) => row.split(/ {2,}/).at(-1)!.replace(" bits/dim", "")),
          [
            result.prior.toFixed(5),
            sum(0, 999),
            ...[[998, 999], [990, 998], [950, 990], [800, 950], [500, 800], [0, 500]].map(([a, b]) =>
              sum(a, b)
            ),
            result.reconstruction.toFixed(5),
            `${result.bitsPerDimension.toFixed(4)} ± ${result.standardError.toFixed(4)}`,
          ],
          "L_T, their sum, L_1, to L_9, L_49, L_199, L_499, L_999, L_0, the bound; terms run from the noise down",
        );
      }
      noisePredictor.dispose();
    }),
);

const betas = linearBetas(12, 1e-3, 0.3);
const base: ElboRequest = { betas, variances: "posterior", limit: 3, batch: 2, seed: 1 };

claim("every field of a request changes what runElbo gives", { engines: ["wasm"] }, async (check) => {
  const noisePredictor = small();
  const [images, training] = [splits.test, splits.train];
  const measure = (request: Partial<ElboRequest>): Promise<ElboResult> =>
    runElbo({ ...base, ...request }, { noisePredictor, images, training });
  const least = (a: ElboResult, b: ElboResult) =>
    Math.min(...a.bits.map((bits, i) => Math.abs(bits / b.bits[i] - 1)));
  const [posterior, learned] = [await measure({}), await measure({ variances: "learned" })];
  const forward = await measure({ variances: "forward" });
  const source = "an untrained network, whose bits no two settings share";
  const changes = {
    "betas": least(posterior, await measure({ betas: [...betas.slice(0, 11), 0.4] })),
    "variances: forward for posterior": least(posterior, forward),
    "variances: learned for posterior": least(posterior, learned),
    "variances: learned for forward": least(forward, learned),
    "seed": least(posterior, await measure({ seed: 2 })),
    "seed of variances that are learned": least(learned, await measure({ variances: "learned", seed: 2 })),
    "batch, on which variances are learned": least(
      learned,
      await measure({ variances: "learned", batch: 3 }),
    ),
  };
  for (const [what, change] of Object.entries(changes)) {
    check.atLeast(`${what}: the least relative change of an image's bits`, change, 1e-6, source);
  }
  const inOne = await measure({ batch: 3 });
  check.atMost(
    "batch: relative change of bits",
    Math.max(...posterior.bits.map((bits, i) => Math.abs(bits / inOne.bits[i] - 1))),
    1e-5,
    "an image's draws are its own, and what fills up a batch is dropped; float32's rounding",
  );
  const steps: number[] = [];
  const two = await runElbo({ ...base, variances: "learned", limit: 2, batch: 1 }, {
    noisePredictor,
    images,
    training,
    onStep: (done) => steps.push(done),
  });
  check.equal("limit: images", two.bits.length, 2, "limit 2");
  check.equal("steps", steps, Array.from({ length: 36 }, (_, i) => i + 1), "12 to learn, 12 for each image");
  noisePredictor.dispose();
  await check.throws(
    "learned variances without training images",
    () =>
      runElbo({ ...base, variances: "learned" }, { noisePredictor: silentPredictor([28, 28, 1]), images }),
    /^variances "learned" need training images, which are not given$/,
  );
});

claim(
  "terms of the bound of a network that predicts no noise are those of its chain",
  { engines: ["wasm"] },
  async (check) => {
    const images = proceduralDigits(5, createRng(6));
    const noisePredictor = silentPredictor(images.shape);
    const betas = linearBetas(40, 1e-3, 0.2);
    const bars = betas.map((_, n) =>
      betas.slice(0, n + 1).reduce((product, beta) => product * (1 - beta), 1)
    );
    const last = bars.at(-1)!;
    const squares = images.images.reduce((sum, byte) => sum + (byte / 127.5 - 1) ** 2, 0) /
      images.images.length;
    const deviation = Math.sqrt(2 / images.images.length);
    for (const variances of ["posterior", "forward"] as const) {
      const request = { betas, variances, limit: 5, batch: 2, seed: check.seed } as const;
      const { prior, steps } = await runElbo(request, { noisePredictor, images });
      check.within(
        `${variances}: L_T`,
        prior,
        (last * squares - last - Math.log1p(-last)) / 2 / Math.LN2,
        1e-6,
        "KL(N(√ᾱ x, 1 − ᾱ) ‖ N(0, 1))",
      );
      const ratios = steps.map((bits, i) => {
        const n = betas.length - 1 - i; // β_{n+1}: the first term is that of the last step
        const posterior = betas[n] * (1 - bars[n - 1]) / (1 - bars[n]);
        const variance = variances === "posterior" ? posterior : betas[n];
        const weight = betas[n] ** 2 / (2 * variance * (1 - betas[n]) * (1 - bars[n]));
        const spread = (posterior / variance - 1 - Math.log(posterior / variance)) / 2;
        return (bits * Math.LN2 - spread) / weight;
      });
      check.atMost(
        `${variances}: the largest deviation of a term's E|ε|²/d from 1`,
        Math.max(...ratios.map((ratio) => Math.abs(ratio - 1))),
        6.5 * deviation,
        "Ho et al. 2020, eq. 12 and the KL of two Gaussians' variances: 6.5 standard deviations of |ε|²",
        { alarmRate: 39 * 8e-11 },
      );
      const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
      const spread = Math.sqrt(
        ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0) / (ratios.length - 1),
      );
      check.atLeast(
        `${variances}: spread of E|ε|²/d over steps`,
        spread,
        deviation / 3,
        "each step draws noise of its own: a χ² with 38 degrees of freedom below a ninth of its mean",
        { alarmRate: 2e-12, detectable: "one noise for all steps" },
      );
    }
  },
);
