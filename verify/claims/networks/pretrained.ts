/** Claims about the network that is shipped. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { slice, toModel } from "../../../src/data/dataset.ts";
import type { NoisePredictor } from "../../../src/diffusion/noise_predictor.ts";
import { DIGITS } from "../../../src/networks/registry.ts";
import { denoisingLossOf } from "../../../src/objectives/denoising.ts";
import { loadPretrained, type PretrainedName } from "../../../src/pretrained.ts";
import { noiseRatio, vpSde } from "../../../src/diffusion/sde.ts";
import { loadMnist } from "../../../scripts/datasets/mnist.ts";
import { classify, readClassifier } from "../../../src/classifiers/digit_classifier.ts";
import { drawDigits } from "../../../src/runs/evaluation.ts";
import { binomialInterval } from "../../instruments/statistics.ts";
import { claim } from "../../suite/claim.ts";
import { firstOf, scoped } from "../../instruments/tensor_scope.ts";

claim("the shipped network loads by its name, and no other name does", async (check) => {
  const noisePredictor = await loadPretrained("mnist");
  check.equal("network", noisePredictor.config.network, DIGITS, "the digits preset");
  const noise = noisePredictor.withLabels(4).predictNoise(createRng(check.seed).normal([2, 28, 28, 1]), 1);
  check.equal("shape", noise.shape, [2, 28, 28, 1], "digits");
  check.holds("finite", (await noise.data()).every(Number.isFinite), "trained weights");
  noise.dispose();
  noisePredictor.dispose();
  await check.throws(
    "another",
    () => loadPretrained("imagenet" as PretrainedName),
    /are mnist, mnist-likelihood, mnist-consistency, coloured-digits; got imagenet/,
  );
  const file = new URL("../../../fixtures/models/mnist.safetensors", import.meta.url);
  const elsewhere = await loadPretrained("mnist", { url: file.href });
  check.equal("from an address", elsewhere.config, noisePredictor.config, "the same file");
  elsewhere.dispose();
  const other = new URL("coloured_digits.safetensors", file);
  await check.throws(
    "another file at the address",
    () => loadPretrained("mnist", { url: other }),
    /coloured_digits\.safetensors is not the file that belongs to this version/,
  );
  await check.throws(
    "no address",
    () => loadPretrained("mnist", { url: "mnist" }),
    /^url must be a URL, got "mnist"$/,
  );
});

claim(
  "the shipped network beats every linear noise predictor on test digits",
  { needs: ["mnist"] },
  async (check) => {
    const [count, rows] = [256, 64];
    const test = slice(await loadMnist("test"), 0, count);
    const images = toModel(test.images);
    const sde = vpSde();
    const noisePredictor = await loadPretrained("mnist");
    const rng = createRng(check.seed);
    // Image i is noised to the middle of the i-th of `count` slices of time, which are visited in a scattered order.
    const times = Float64Array.from(test.labels, (_, i) => {
      return sde.tMin + (sde.tMax - sde.tMin) * ((i * 197) % count + 0.5) / count;
    });
    const losses = { "with labels": 0, "without labels": 0 };
    for (let start = 0; start < count; start += rows) {
      const labels = Array.from(test.labels.subarray(start, start + rows));
      const levels = {
        noiseRatio: times.slice(start, start + rows).map((t) => noiseRatio(sde, t)),
        weight: new Float64Array(rows).fill(1),
      };
      await scoped(async () => {
        const data = tf.tensor(images.subarray(start * 784, (start + rows) * 784), [rows, 28, 28, 1]);
        const noise = rng.startingAt(start).normal([rows, 28, 28, 1]);
        const loss = async (asked: NoisePredictor) =>
          784 * await firstOf(denoisingLossOf(asked, data, noise, levels));
        losses["without labels"] += await loss(noisePredictor) * rows / count;
        losses["with labels"] += await loss(noisePredictor.withLabels(labels)) * rows / count;
      });
    }
    noisePredictor.dispose();
    for (const [what, loss] of Object.entries(losses)) {
      check.atMost(
        `loss ${what}, summed over 784 pixels, λ = σ²`,
        loss,
        58.9,
        "what the best linear noise predictor (Wiener's, of the images' mean and covariance) scores under VP on [−1, 1]",
        { detectable: "a network with output 0 scores 784" },
      );
    }
  },
);

claim(
  "the shipped consistency function draws digits of their labels in one to three evaluations",
  async (check) => {
    const noisePredictor = await loadPretrained("mnist-consistency");
    const classifier = readClassifier(
      await Deno.readFile(new URL("../../../fixtures/models/classifier.safetensors", import.meta.url)),
    );
    const count = 200;
    for (const [steps, accuracy] of [[1, 0.985], [2, 0.984], [3, 0.985]]) {
      const { images, labels, evaluations } = await drawDigits({
        sde: { kind: "ve", sigmaMin: 0.005, sigmaMax: 40 },
        sampler: { name: "consistency", options: {} },
        grid: { kind: "levels", steps },
        guidance: { scale: 1 },
        classifierScale: 0,
        count,
        batch: 100,
        seed: check.seed,
      }, { noisePredictor });
      const { labels: found } = await classify(classifier, images);
      const right = found.reduce((sum, label, i) => sum + Number(label === labels![i]), 0);
      const { least } = binomialInterval(count, accuracy, 2e-9);
      check.equal(`evaluations of ${steps} steps`, evaluations, steps, "one a step");
      check.atLeast(
        `digits of ${count} that the classifier takes for their label`,
        right,
        least,
        "the card's share",
        {
          detectable: "a share below 80%",
          alarmRate: 1e-9,
        },
      );
    }
    noisePredictor.dispose();
  },
);
