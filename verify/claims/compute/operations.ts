/** Claims about what the engines compute: every operation the networks use, forwards and backwards. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { type Check, claim } from "../../suite/claim.ts";
import { type Array64, centralDifferences } from "../../reference/float64_operations.ts";
import { caseInputs, type OperationCase, operationCases } from "../../problems/operation_cases.ts";

/**
 * Rounding of float32 results relative to the largest: a sum of n ≤ 100 products has an error of at most n u Σ|ab|
 * with u = 2⁻²⁴ (Higham 2002, §3.1), and Σ|ab| is about √n times the sum where signs are random: 100^1.5 u = 6e-5.
 * WGSL's exp, log and tanh add up to some 10 ulp = 1e-6.
 */
const TOLERANCE = 6e-5;

const kinds: Record<OperationCase["kind"], string> = {
  convolution: "convolutions",
  normalization: "group normalizations",
  rearrangement: "rearrangements",
  attention: "matrix products and attention",
  arithmetic: "element-wise operations and reductions",
};

for (const [kind, words] of Object.entries(kinds)) {
  claim(`${words} and their gradients agree with float64 and its finite differences`, {
    engines: ["wasm", "webgpu", "cpu"],
  }, async (check) => {
    for (const operation of operationCases.filter((one) => one.kind === kind)) {
      await checkOperation(check, operation);
    }
  });
}

async function checkOperation(
  check: Check,
  { name, operation, reference, ...rest }: OperationCase,
): Promise<void> {
  const rng = createRng(check.seed).fork(name);
  const inputs = caseInputs({ name, operation, reference, ...rest }, (shape) => rng.normalValues(shape));
  const expected = reference(...inputs);
  const weights = Float64Array.from(rng.normalValues([1, expected.values.length]));
  const slopes = centralDifferences(reference, inputs, weights);

  const tensors = inputs.map(tensorOf);
  const output = tf.tidy(() => operation(...tensors));
  const dy = tensorOf({ shape: expected.shape, values: weights });
  const gradients = tf.grads(operation)(tensors, dy);
  check.equal(`${name}: shape`, output.shape, [...expected.shape], "the definition");
  await checkClose(check, name, output, expected.values, "the definition in float64");
  // tfjs's cpu backend has a wrong gradient here for batches; it is only a witness.
  const isWrongThere = tf.getBackend() === "cpu" && name.startsWith("nearest");
  for (let i = 0; i < tensors.length && !isWrongThere; i++) {
    await checkClose(
      check,
      `${name}: gradient ${i + 1}`,
      gradients[i],
      slopes[i],
      "central differences in float64",
    );
  }
  tf.dispose([...tensors, output, dy, ...gradients]);
}

async function checkClose(
  check: Check,
  what: string,
  observed: tf.Tensor,
  expected: Float64Array,
  source: string,
) {
  const values = await observed.data();
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const error = expected.reduce((max, value, i) => Math.max(max, Math.abs(values[i] - value)), 0);
  const detectable = `one element wrong by ${TOLERANCE} of the largest`;
  check.atMost(what, values.length === expected.length ? error / largest : NaN, TOLERANCE, source, {
    detectable,
  });
}

function tensorOf({ shape, values }: Array64): tf.Tensor {
  return tf.tensor(Float32Array.from(values), [...shape]);
}
