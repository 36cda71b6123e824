/** Claims about the gradients of whole networks. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import type { Network } from "../../../src/networks/network.ts";
import { type Area, type Check, claim } from "../../suite/claim.ts";
import { firstOf, scoped } from "../../instruments/tensor_scope.ts";
import { fourierUNet, output, perceptron, randomWeights, small } from "../../problems/small_networks.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

claim(
  "the gradient of a whole small U-Net agrees with finite differences, parameter by parameter",
  (check) => compareGradients(check, networkFromConfig(small) as Network),
);

claim(
  "the gradient of a U-Net with Fourier features agrees with finite differences, parameter by parameter",
  (check) => compareGradients(check, networkFromConfig(fourierUNet) as Network),
);

claim(
  "the gradient of a perceptron agrees with finite differences, parameter by parameter",
  (check) => compareGradients(check, networkFromConfig(perceptron) as Network),
);

/** How many roundings of an output, all to one side, a slope may be off by: 7.6 at most in 18,000 of 3,000 seeds. */
const ROUNDINGS = 32;

/** Along each parameter's own gradient, which is the direction of largest slope, the slope is the gradient's norm. */
async function compareGradients(check: Check, network: Network): Promise<void> {
  await scoped(async () => {
    const weights = randomWeights(network, check.seed);
    const rows = 2;
    const cotangent = createRng(check.seed).fork("cotangent").normal([rows, ...network.sampleShape]);
    const value = (...w: tf.Tensor[]) =>
      tf.sum(tf.mul(output(network, w, check.seed, { rows }), cotangent)) as tf.Scalar;
    const gradients = tf.grads(value)(weights);
    // The sum of float32 terms is summed on the host in float64: only the terms are rounded.
    const precise = async (w: readonly tf.Tensor[]) => {
      const terms = tf.tidy(() => tf.mul(output(network, w, check.seed, { rows }), cotangent));
      return (await terms.data<"float32">()).reduce((sum, term) => sum + term, 0);
    };
    // What is rounded are sums of products, which are as large where they happen to cancel: the output's size over many samples.
    const many = 32;
    const scale = Math.sqrt(rows / many) *
      await firstOf(tf.norm(output(network, weights, check.seed, { rows: many }))) *
      await firstOf(tf.norm(cotangent));
    for (const [i, { name }] of network.parameters.entries()) {
      const norm = await firstOf(tf.norm(gradients[i]));
      const direction = tf.div(gradients[i], norm);
      const slope = async (h: number) => {
        const at = async (step: number) =>
          await precise(weights.map((w, j) => j === i ? tf.add(w, tf.mul(direction, step)) : w));
        return (await at(h) - await at(-h)) / (2 * h);
      };
      const h = 0.01;
      const [fine, middle, coarse] = [await slope(h), await slope(2 * h), await slope(4 * h)];
      // Central differences err by a h² + b h⁴ + …: (4f(h) − f(2h))/3 by −4b h⁴, and the same at twice the step by 16 times as
      // much. A third of the distance of the two is five times what is left.
      const [nearer, farther] = [(4 * fine - middle) / 3, (4 * middle - coarse) / 3];
      const tolerance = Math.abs(nearer - farther) / 3 + ROUNDINGS * 2 ** -24 * scale / h;
      check.within(
        name,
        norm,
        nearer,
        tolerance,
        "five times what two extrapolations leave, and roundings of float32, four times what 3,000 seeds had",
        { detectable: `a relative error of ${(tolerance / norm).toExponential(0)}` },
      );
    }
  });
}
