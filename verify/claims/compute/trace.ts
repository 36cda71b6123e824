/** Claims about compiled functions: every traced kernel against its eager self. @module */
import { compile } from "../../../src/compute/compile.ts";
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { TRACE_BACKEND, traceBackend } from "../../../src/compute/trace/backend.ts";
import { type Check, claim } from "../../suite/claim.ts";
import type { TraceCase } from "../../problems/trace_case.ts";
import { traceCases } from "../../problems/trace_cases.ts";

/** Both sides compute in float32, and the sums here have at most a few thousand terms. */
const tolerance = 1e-5;
const source =
  "float32 on both sides: dozens of roundings of 2⁻²⁴ and sums of n ≤ 3,000 terms in another order, " +
  "each about √n·2⁻²⁴ of the largest element: below 1e-5 of it";

/** Deterministic values in an interval. */
function draw(
  shapes: TraceCase["shapes"],
  [low, high]: readonly [number, number],
  seed: number,
): tf.Tensor[] {
  return shapes.map((shape, index) => {
    const size = shape.reduce((product, n) => product * n, 1);
    const values = createRng(seed).fork(`trace ${index}`).uniformValues([1, size]);
    return tf.tensor(Float32Array.from(values, (u) => low + (high - low) * u), [...shape]);
  });
}

/** The outputs and, where there is one, the gradient of a sum over the first output with uneven weights. */
function withGradient(c: TraceCase): (...xs: tf.Tensor[]) => tf.Tensor[] {
  const outputs = (...xs: tf.Tensor[]) => [c.apply(...xs)].flat();
  if (c.differentiable === false) return outputs;
  return (...xs) => {
    const weighted = (...ys: tf.Tensor[]) =>
      outputs(...ys).filter((y) => y.dtype === "float32").map((y) => {
        const ramp = Float32Array.from({ length: y.size }, (_, i) => 0.5 + i % 7 / 5);
        return tf.sum(tf.mul(y, tf.tensor(ramp, y.shape)));
      }).reduce((a, b) => tf.add(a, b)) as tf.Scalar;
    return [...outputs(...xs), ...tf.grads(weighted)(xs)];
  };
}

/** Largest difference over the largest finite element; infinite where one side alone is not finite. */
function relativeError(observed: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(observed[i], expected[i]) || observed[i] === expected[i]) continue;
    const d = Math.abs(observed[i] - expected[i]);
    difference = Number.isNaN(d) ? Infinity : Math.max(difference, d);
  }
  for (let i = 0; i < expected.length; i++) {
    if (Number.isFinite(expected[i])) largest = Math.max(largest, Math.abs(expected[i]));
  }
  return difference === 0 ? 0 : difference / largest;
}

/** Calls a function eagerly where its kernels are right; its outputs and the kernels it called. */
async function eager(c: TraceCase, fn: (...xs: tf.Tensor[]) => tf.Tensor[], inputs: tf.Tensor[]) {
  await tf.setBackend(c.reference ?? "cpu");
  let outputs: tf.Tensor[] = [];
  const { kernelNames } = await tf.profile(() => outputs = fn(...inputs));
  await Promise.all(outputs.map((y) => y.data()));
  await tf.setBackend("wasm");
  return { outputs, kernelNames };
}

async function compare(check: Check, c: TraceCase): Promise<void> {
  const fn = withGradient(c);
  const inputs = draw(c.shapes, c.interval ?? [-2, 2], check.seed);
  const compiled = await compile(fn, inputs.map(({ shape }) => ({ shape, dtype: "float32" })));
  const observed = compiled.run(inputs).map((y) => ({
    values: y.dataSync(),
    shape: y.shape,
    dtype: y.dtype,
  }));
  compiled.dispose();
  const { outputs: expected } = await eager(c, fn, inputs);
  check.equal(
    `${c.name}: shapes and types`,
    observed.map(({ shape, dtype }) => `${dtype} [${shape}]`),
    expected.map(({ shape, dtype }) => `${dtype} [${shape}]`),
    "the eager function",
  );
  const errors = expected.map((y, index) => relativeError(observed[index].values, y.dataSync()));
  check.atMost(`${c.name}: largest relative difference`, Math.max(...errors), tolerance, source, {
    detectable: "an element wrong by 1e-5 of the largest",
  });
}

for (const [kind, cases] of Object.entries(traceCases)) {
  claim(`every traced ${kind} kernel and its gradient agree with the eager ones`, {
    engines: ["onnx"],
  }, async (check) => {
    for (const c of cases) await compare(check, c);
  });
}

claim("every kernel that can be traced is compared with its eager version", async (check) => {
  const used = new Set<string>();
  for (const c of Object.values(traceCases).flat()) {
    const inputs = draw(c.shapes, c.interval ?? [-2, 2], check.seed);
    for (const name of (await eager(c, withGradient(c), inputs)).kernelNames) used.add(name);
  }
  traceBackend();
  const traced = tf.getKernelsForBackend(TRACE_BACKEND).map(({ kernelName }) => kernelName);
  check.atLeast("kernels that can be traced", traced.length, 30, "the list is not empty");
  check.equal(
    "traced kernels that no case calls",
    traced.filter((name) => !used.has(name)),
    [],
    "the kernels registered for tracing, less those that the eager runs of all cases call",
  );
  check.equal(
    "kernels of the cases that cannot be traced",
    // Operations that are made of kernels are counted, too, under names of their own.
    [...used].filter((name) => !traced.includes(name) && !name.endsWith("__op")),
    [],
    "compiled, they would be refused",
  );
});
