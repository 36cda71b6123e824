/**
 * Group normalization where its ε decides: on groups that hardly vary.
 * @module
 */
import { compile } from "../../../src/compute/compile.ts";
import { groupNorm } from "../../../src/compute/group_norm.ts";
import * as tf from "../../../src/compute/tf.ts";
import { claim } from "../../suite/claim.ts";

claim("group norm adds 1e-5 to the variance, under the root, whatever a group's spread", {
  engines: ["wasm", "webgpu", "cpu", "onnx"],
}, async (check) => {
  const [positions, channels, groups] = [6, 4, 2];
  const shape: [number, number, number, number] = [3, positions, 1, channels];
  // Spreads of 1, of √ε and of far less, one to a sample.
  const spreads = [1, 3e-3, 1e-4];
  const values = Float32Array.from({ length: 3 * positions * channels }, (_, i) => {
    const sample = Math.floor(i / (positions * channels));
    return spreads[sample] * Math.sin(1.7 * i);
  });
  const expected = Float64Array.from(values);
  const width = channels / groups;
  for (let sample = 0; sample < 3; sample++) {
    for (let group = 0; group < groups; group++) {
      const places = Array.from({ length: positions * width }, (_, j) => {
        const [position, channel] = [Math.floor(j / width), j % width];
        return (sample * positions + position) * channels + group * width + channel;
      });
      const mean = places.reduce((sum, i) => sum + values[i], 0) / places.length;
      const variance = places.reduce((sum, i) => sum + (values[i] - mean) ** 2, 0) / places.length;
      for (const i of places) expected[i] = (values[i] - mean) / Math.sqrt(variance + 1e-5);
    }
  }
  const compiled = await compile(
    (x) => [groupNorm(x as tf.Tensor4D, tf.ones([1, channels]), tf.zeros([1, channels]), groups)],
    [{ shape, dtype: "float32" }],
  );
  const x = tf.tensor4d(values, shape);
  const [y] = compiled.run([x]);
  const observed = await y.data();
  tf.dispose([x, y]);
  compiled.dispose();
  for (const [sample, spread] of spreads.entries()) {
    const size = positions * channels;
    const range = Array.from({ length: size }, (_, i) => sample * size + i);
    const scale = Math.max(...range.map((i) => Math.abs(expected[i])));
    const error = Math.max(...range.map((i) => Math.abs(observed[i] - expected[i]))) / scale;
    check.atMost(
      `spread ${spread}: largest relative error`,
      error,
      1e-6,
      "the definition in float64; float32 sums of 12: 6.6e-8 on wasm and webgpu",
    );
  }
});
