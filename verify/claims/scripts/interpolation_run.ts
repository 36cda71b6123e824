/** Claims about `runInterpolation`: the task shows what it gives, and it does what its request says. @module */
import { task } from "../../../scripts/interpolate.ts";
import * as tf from "../../../src/compute/tf.ts";
import { toModel } from "../../../src/data/dataset.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import { withMinimumNoise } from "../../../src/diffusion/sde_registry.ts";
import { imageGrid } from "../../../src/images/grid.ts";
import { decodePng } from "../../../src/images/png.ts";
import { decodeLatent, encodeLatent } from "../../../src/likelihood/latents.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { type InterpolationRequest, runInterpolation } from "../../../src/runs/interpolation.ts";
import { printed } from "../../instruments/printed.ts";
import { checkEveryField } from "../../instruments/request_fields.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { silentPredictor } from "../../instruments/silent_predictor.ts";
import { smallModel, withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { smallMnist, writeMnist } from "../../instruments/small_mnist.ts";
import { claim } from "../../suite/claim.ts";

const sets = smallMnist({ train: 3, test: 6 });
const images = sets.test;
const size = 28 * 28;

function small() {
  const { config, weights } = smallModel();
  return networkPredictor(config, weights);
}

claim(
  "deno task interpolate prints and draws what runInterpolation gives for the request of its flags",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      await writeMnist(folder, sets);
      const output = `${folder}/walk.png`;
      const line =
        `--data ${folder} --checkpoint ${folder}/model.safetensors --engine wasm --output ${output} ` +
        "--images 4,1,5 --between 2 --sde vp --min-noise 0.3 --tolerance 0.1";
      const { request: asked, stdout } = await runInside(task, `${line} --json`);
      const noisePredictor = small();
      const { values, ...result } = await runInterpolation(asked, { noisePredictor, images });
      noisePredictor.dispose();
      const { seconds: _, ...numbers } = JSON.parse(stdout.join("\n"));
      const { images: places, tolerance } = asked;
      check.equal(
        "numbers",
        numbers,
        { ...result, images: places, sde: "vp", tolerance, engine: "wasm", file: output },
        "the printed request, carried out here on the same engine",
      );
      check.equal("labels", result.labels, [4, 1, 5].map((place) => images.labels[place]), "the data set's");
      const [sentence] = await printed(() =>
        task.report(asked, { ...result, seconds: 1.5, engine: "wasm" }, { json: false } as never)
      );
      check.equal(
        "the sentence",
        sentence,
        `2 walks of 2 digits between images that show ${
          result.labels.join(", ")
        }, vp; decoding undoes encoding to ` +
          `${result.largestError.toExponential(1)} of a pixel's range at most, ` +
          `${result.rootMeanSquareError.toExponential(1)} root mean square; 1.50 s on wasm: ${output}`,
        "the result",
      );

      const picture = await decodePng(await Deno.readFile(output));
      const [from, down] = [picture.width - 4 * 86, picture.height - 2 * 86];
      check.holds(
        `margins ${from} and ${down}`,
        from > 30 && down >= 2 * 17,
        "the walks' names, their title and places",
      );
      const named = imageGrid(Float32Array.from(values), [8, 28, 28, 1], {
        title: "walks between latent codes of vp",
        rowNames: [[4, 1], [1, 5]].map((ends) => ends.map((place) => images.labels[place]).join(" to ")),
        columnNames: ["0.00", "0.33", "0.67", "1.00"],
      });
      check.equal("bytes", [...picture.data], [...named.data], "ends of a walk to its left, places above");
      let farthest = 0;
      for (const at of values.keys()) {
        const [image, pixel] = [Math.floor(at / size), at % size];
        const left = from + image % 4 * 86 + 3 * (pixel % 28);
        const top = down + Math.floor(image / 4) * 86 + 3 * Math.floor(pixel / 28);
        const shown = picture.data[(top * picture.width + left) * 4];
        farthest = Math.max(farthest, Math.abs(shown - 255 * values[at]));
      }
      check.atMost("shown pixels less the values", farthest, 0.5 + 1e-4, "a walk to a row, rounded to bytes");
    }),
);

const base: InterpolationRequest = {
  images: [2, 0, 3],
  between: 2,
  sde: { kind: "vp", betaMin: 0.1, betaMax: 20, tMin: 0.01, tMax: 0.98 },
  minNoise: 0.4,
  tolerance: 0.2,
};

claim(
  "every field of a request changes what runInterpolation gives",
  { engines: ["wasm"] },
  async (check) => {
    const noisePredictor = small();
    const run = async (request: InterpolationRequest) => {
      const { values, largestError } = await runInterpolation(request, { noisePredictor, images });
      return [...values, largestError];
    };
    await checkEveryField(check, base, {
      "images.0": { value: 4 },
      "images.1": { value: 4 },
      "images.2": { value: 4 },
      "between": { value: 1 },
      "sde.kind": { value: "subvp" },
      "sde.betaMin": { value: 0.5 },
      "sde.betaMax": { value: 10 },
      "sde.tMin": { value: 0.02, same: "minNoise takes its place" },
      "sde.tMax": { value: 0.9 },
      "minNoise": { value: 0.6 },
      "tolerance": { value: 1e-3 },
    }, run);
    const { largestError, rootMeanSquareError } = await runInterpolation(base, { noisePredictor, images });
    const model = scoreModel(
      noisePredictor,
      withMinimumNoise(vpSde({ betaMin: 0.1, betaMax: 20, tMin: 0.01, tMax: 0.98 }), base.minNoise),
    );
    const bytes = [2, 0, 3].flatMap((place) => [...images.images.subarray(place * size, (place + 1) * size)]);
    const originals = toModel(Uint8Array.from(bytes));
    const x = tf.tensor(originals, [3, 28, 28, 1]);
    const method = { kind: "dopri5", rtol: base.tolerance, atol: base.tolerance } as const;
    const codes = await encodeLatent(model, x, method);
    const back = await decodeLatent(model, codes, method);
    const apart = (await back.data<"float32">()).map((value, i) => (value - originals[i]) / 2);
    tf.dispose([x, codes, back]);
    noisePredictor.dispose();
    const source = "images encoded and decoded here; a pixel's range is 2 in a model's units";
    const largest = apart.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    check.within("largest error", largestError, largest, 1e-4 * largest, source);
    const mean = Math.sqrt(apart.reduce((sum, value) => sum + value ** 2, 0) / apart.length);
    check.within("root of the mean square error", rootMeanSquareError, mean, 1e-4 * mean, source);
  },
);

claim(
  "walks along codes of a flow that stands still go from the first image to the second on the sphere",
  { engines: ["wasm"] },
  async (check) => {
    const noisePredictor = silentPredictor(images.shape);
    const request: InterpolationRequest = {
      images: [4, 1, 5],
      between: 3,
      sde: { kind: "ve", sigmaMin: 0.01, sigmaMax: 40 },
      minNoise: 0.01,
      tolerance: 1e-3,
    };
    const { values, largestError } = await runInterpolation(request, { noisePredictor, images });
    check.equal("pictures", values.length, 2 * 5 * size, "three images and two walks of three");
    const two = await runInterpolation({ ...request, images: [4, 1] }, { noisePredictor, images });
    check.equal("two images", two.values, values.slice(0, 5 * size), "the first walk of the three images");
    await check.throws(
      "one image",
      () => runInterpolation({ ...request, images: [4] }, { noisePredictor, images }),
      /^images must hold at least two places, got 1$/,
    );
    check.atMost("largest error", largestError, 1e-6, "codes are the images");
    const pixels = (place: number) =>
      Array.from(images.images.subarray(place * size, (place + 1) * size), (byte) => byte / 127.5 - 1);
    const dot = (a: readonly number[], b: readonly number[]) =>
      a.reduce((sum, value, i) => sum + value * b[i], 0);
    const expected = [[4, 1], [1, 5]].flatMap(([from, to]) => {
      const [a, b] = [pixels(from), pixels(to)];
      const angle = Math.acos(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)));
      return [0, 0.25, 0.5, 0.75, 1].flatMap((w) => {
        const [first, second] = [1 - w, w].map((part) => Math.sin(part * angle) / Math.sin(angle));
        return a.map((value, i) => Math.min(1, Math.max(0, (first * value + second * b[i] + 1) / 2)));
      });
    });
    check.atMost(
      "largest deviation of a pixel",
      Math.max(...expected.map((value, i) => Math.abs(value - values[i]))),
      1e-5,
      "Shoemake 1985: [sin((1 − w)θ) a + sin(wθ) b]/sin θ; float32's rounding of an angle near 0",
    );
  },
);
