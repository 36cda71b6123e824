/** Claims about U-Nets for images whose size their levels do not divide. @module */
import * as tf from "../../../src/compute/tf.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { namedParameters, type Network } from "../../../src/networks/network.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import { paddedSize } from "../../../src/networks/unet.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { randomWeights, small } from "../../problems/small_networks.ts";
import { scoped } from "../../instruments/tensor_scope.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

claim(
  "a U-Net for images of any size is that of the next size that its levels divide, with zeros around the image",
  async (check) => {
    await scoped(async () => {
      const whole = networkFromConfig({ ...small, wavePeriods: [0.8] }) as Network;
      const weights = randomWeights(whole, check.seed);
      const features = tf.tensor2d(whole.noiseFeatures(Float64Array.of(-1, 0.5)), [
        2,
        whole.noiseFeatureCount,
      ]);
      const labels = tf.tensor2d([[1, 0, 0, 0], [0, 0, 0, 1]]);
      const forward = (network: Network, x: tf.Tensor) =>
        network.forward(namedParameters(network.parameters, weights), x, features, labels);
      for (const [height, width] of [[7, 13], [5, 16], [8, 14]]) {
        const config = { ...small, wavePeriods: [0.8], height, width };
        const network = networkFromConfig(config) as Network;
        const x = createRng(check.seed).fork(`${height}`).normal([2, height, width, 3]);
        const values = await x.data<"float32">();
        // The image in the middle of 8×16 zeros, the odd row and column below and on the right; pixel by pixel.
        const [top, left] = [Math.floor((8 - height) / 2), Math.floor((16 - width) / 2)];
        const framed = new Float32Array(2 * 8 * 16 * 3);
        const at = (image: number, row: number, column: number) => ((image * 8 + row) * 16 + column) * 3;
        for (let pixel = 0; pixel < 2 * height * width; pixel++) {
          const [image, row, column] = [
            Math.floor(pixel / (height * width)),
            Math.floor(pixel / width) % height,
            pixel % width,
          ];
          framed.set(values.subarray(3 * pixel, 3 * pixel + 3), at(image, row + top, column + left));
        }
        const expected = await forward(whole, tf.tensor(framed, [2, 8, 16, 3])).data<"float32">();
        const output = forward(network, x);
        check.equal(`${height}×${width}: shape`, output.shape, [2, height, width, 3], "that of its input");
        const found = await output.data<"float32">();
        let worst = 0;
        for (let pixel = 0; pixel < 2 * height * width; pixel++) {
          const [image, row, column] = [
            Math.floor(pixel / (height * width)),
            Math.floor(pixel / width) % height,
            pixel % width,
          ];
          for (let c = 0; c < 3; c++) {
            const want = expected[at(image, row + top, column + left) + c];
            worst = Math.max(worst, Math.abs(found[3 * pixel + c] - want));
          }
        }
        check.equal(
          `${height}×${width}: largest difference`,
          worst,
          0,
          "the same operations on the same numbers",
        );
        check.equal(`${height}×${width}: computed at`, paddedSize(config), [8, 16], "multiples of 2 · 2¹");
      }
    });
  },
);
