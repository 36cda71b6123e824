/**
 * Group normalization and its gradient as WebGPU programs; sums are trees within a workgroup, so that results do not
 * vary from run to run.
 * @module
 */
import { sizeOf } from "../../math/shape.ts";
import type { GroupNormAttributes } from "../group_norm.ts";
import type * as tf from "../tf.ts";
import type { WebGPUBackend } from "./backend.ts";
import { runComputation } from "./program.ts";

const THREADS = 256;
/** Channels that one workgroup sums side by side. */
const LANES = 16;

/** The kernel "GroupNorm". */
export function webGpuGroupNorm(
  backend: WebGPUBackend,
  x: tf.TensorInfo,
  scale: tf.TensorInfo,
  offset: tf.TensorInfo,
  attributes: GroupNormAttributes,
): tf.TensorInfo {
  const run = runner(backend, x, scale, attributes);
  const moments = run(
    "moments",
    { x },
    [x.shape[0], attributes.groups, 2],
    MOMENTS,
    x.shape[0] * attributes.groups,
  );
  const y = run("normalise", { x, scale, offset, moments }, x.shape, NORMALISE);
  backend.disposeData(moments.dataId);
  return y;
}

/** The kernel "GroupNormGrad". */
export function webGpuGroupNormGrad(
  backend: WebGPUBackend,
  dy: tf.TensorInfo,
  x: tf.TensorInfo,
  scale: tf.TensorInfo,
  offset: tf.TensorInfo,
  attributes: GroupNormAttributes,
): tf.TensorInfo[] {
  const batch = x.shape[0], channels = x.shape[x.shape.length - 1], { groups } = attributes;
  const run = runner(backend, x, scale, attributes);
  const moments = run("moments", { x }, [batch, groups, 2], MOMENTS, batch * groups);
  const tiles = batch * Math.ceil(channels / LANES);
  const sums = run("sums", { dy, x, scale, offset, moments }, [batch, channels, 2], CHANNEL_SUMS, tiles);
  const means = run("means", { scale, sums }, [batch, groups, 2], GROUP_MEANS);
  const dx = run("dx", { dy, x, scale, offset, moments, means }, x.shape, INPUT_GRADIENT);
  const dScale = run("dScale", { sums }, scale.shape, parameterGradient(1));
  const dOffset = run("dOffset", { sums }, offset.shape, parameterGradient(0));
  for (const { dataId } of [moments, sums, means]) backend.disposeData(dataId);
  return [dx, dScale, dOffset];
}

/** Runs a program over all elements of its output, or with a number of workgroups. */
function runner(
  backend: WebGPUBackend,
  x: tf.TensorInfo,
  scale: tf.TensorInfo,
  { groups, silu }: GroupNormAttributes,
) {
  const [batch, channels] = [x.shape[0], x.shape[x.shape.length - 1]];
  const positions = sizeOf(x.shape.slice(1, -1));
  const integers = { batch, positions, channels, groups, rows: scale.shape[0] };
  return (
    name: string,
    inputs: Record<string, tf.TensorInfo>,
    shape: number[],
    code: string,
    workgroups?: number,
  ) =>
    runComputation(backend, {
      name: `groupNorm ${name} ${silu}`,
      code: `const SILU = ${silu};\n${code}`,
      inputs,
      shape,
      integers,
      threads: THREADS,
      workgroups,
    });
}

const TREE_SUM = `
var<workgroup> partial : array<f32, ${THREADS}>;

/** Sums partial over the threads with equal localId.x mod lanes; the result is in partial[lane]. */
fn treeSum(lanes : u32) {
  workgroupBarrier();
  for (var half = ${THREADS / 2}u; half >= lanes; half = half >> 1u) {
    if (localId.x < half) { partial[localId.x] = partial[localId.x] + partial[localId.x + half]; }
    workgroupBarrier();
  }
}
`;

const SIGMOID = `
fn sigmoidOf(v : f32) -> f32 { return 1.0 / (1.0 + exp(min(-v, 87.0))); }
`;

/** moments[b, g] = (mean, 1/√(variance + ε)); one workgroup to a group of a sample. */
const MOMENTS = `
${TREE_SUM}
fn main(index : i32) {
  let group = index / ${THREADS};
  let width = uniforms.channels / uniforms.groups;
  let count = uniforms.positions * width;
  let isThere = group < uniforms.batch * uniforms.groups;
  let first = (group / uniforms.groups) * uniforms.positions * uniforms.channels + (group % uniforms.groups) * width;
  let end = select(0, count, isThere);
  var sum = 0.0;
  for (var i = i32(localId.x); i < end; i += ${THREADS}) {
    sum += x[first + (i / width) * uniforms.channels + i % width];
  }
  partial[localId.x] = sum;
  treeSum(1u);
  let mean = partial[0] / f32(count);
  workgroupBarrier();
  var squares = 0.0;
  for (var i = i32(localId.x); i < end; i += ${THREADS}) {
    let d = x[first + (i / width) * uniforms.channels + i % width] - mean;
    squares += d * d;
  }
  partial[localId.x] = squares;
  treeSum(1u);
  if (localId.x == 0u && isThere) {
    result[2 * group] = mean;
    result[2 * group + 1] = 1.0 / sqrt(partial[0] / f32(count) + 1e-5);
  }
}
`;

/** The indices of the channel, the sample, the group's moments and the row of scale of element `index` of x. */
const PLACE = `
struct Place { channel : i32, sample : i32, group : i32, row : i32 };
fn placeOf(sample : i32, channel : i32) -> Place {
  let group = sample * uniforms.groups + channel / (uniforms.channels / uniforms.groups);
  let row = select(0, sample, uniforms.rows > 1) * uniforms.channels + channel;
  return Place(channel, sample, group, row);
}
`;

const NORMALISE = `
${SIGMOID}
${PLACE}
fn main(index : i32) {
  if (index < uniforms.size) {
    let at = placeOf(index / (uniforms.positions * uniforms.channels), index % uniforms.channels);
    let v = (x[index] - moments[2 * at.group]) * moments[2 * at.group + 1] * scale[at.row] + offset[at.row];
    result[index] = select(v, v * sigmoidOf(v), SILU);
  }
}
`;

/** The gradient before the activation. */
const BEFORE_ACTIVATION = `
${SIGMOID}
${PLACE}
fn beforeActivation(index : i32, normal : f32, row : i32) -> f32 {
  let v = normal * scale[row] + offset[row];
  let s = sigmoidOf(v);
  return dy[index] * select(1.0, s * (1.0 + v * (1.0 - s)), SILU);
}
`;

/** sums[b, c] = (Σ d, Σ d·x̂) over positions; one workgroup to ${LANES} channels of a sample. */
const CHANNEL_SUMS = `
${TREE_SUM}
${BEFORE_ACTIVATION}
fn main(index : i32) {
  let tiles = (uniforms.channels + ${LANES - 1}) / ${LANES};
  let tile = index / ${THREADS};
  let sample = tile / tiles;
  let channel = (tile % tiles) * ${LANES} + i32(localId.x % ${LANES}u);
  let isThere = sample < uniforms.batch && channel < uniforms.channels;
  var sum = 0.0;
  var product = 0.0;
  if (isThere) {
    let at = placeOf(sample, channel);
    for (var p = i32(localId.x / ${LANES}u); p < uniforms.positions; p += ${THREADS / LANES}) {
      let i = (sample * uniforms.positions + p) * uniforms.channels + channel;
      let normal = (x[i] - moments[2 * at.group]) * moments[2 * at.group + 1];
      let d = beforeActivation(i, normal, at.row);
      sum += d;
      product += d * normal;
    }
  }
  partial[localId.x] = sum;
  treeSum(${LANES}u);
  let total = partial[localId.x % ${LANES}u];
  workgroupBarrier();
  partial[localId.x] = product;
  treeSum(${LANES}u);
  if (localId.x < ${LANES}u && isThere) {
    result[2 * (sample * uniforms.channels + channel)] = total;
    result[2 * (sample * uniforms.channels + channel) + 1] = partial[localId.x];
  }
}
`;

/** means[b, g] = the group's means of d·scale and d·scale·x̂. */
const GROUP_MEANS = `
fn main(index : i32) {
  if (2 * index < uniforms.size) {
    let width = uniforms.channels / uniforms.groups;
    let sample = index / uniforms.groups;
    var ones = 0.0;
    var normals = 0.0;
    for (var c = (index % uniforms.groups) * width; c < (index % uniforms.groups + 1) * width; c++) {
      let weight = scale[select(0, sample, uniforms.rows > 1) * uniforms.channels + c];
      ones += weight * sums[2 * (sample * uniforms.channels + c)];
      normals += weight * sums[2 * (sample * uniforms.channels + c) + 1];
    }
    result[2 * index] = ones / f32(uniforms.positions * width);
    result[2 * index + 1] = normals / f32(uniforms.positions * width);
  }
}
`;

const INPUT_GRADIENT = `
${BEFORE_ACTIVATION}
fn main(index : i32) {
  if (index < uniforms.size) {
    let at = placeOf(index / (uniforms.positions * uniforms.channels), index % uniforms.channels);
    let inverse = moments[2 * at.group + 1];
    let normal = (x[index] - moments[2 * at.group]) * inverse;
    let d = beforeActivation(index, normal, at.row) * scale[at.row];
    result[index] = inverse * (d - means[2 * at.group] - normal * means[2 * at.group + 1]);
  }
}
`;

/** Part 0 of the sums is offset's gradient, part 1 scale's; summed over the batch where the samples share a row. */
function parameterGradient(part: 0 | 1): string {
  return `
fn main(index : i32) {
  if (index < uniforms.size) {
    var sum = 0.0;
    let step = uniforms.rows * uniforms.channels;
    for (var i = index; i < uniforms.batch * uniforms.channels; i += step) { sum += sums[2 * i + ${part}]; }
    result[index] = sum;
  }
}
`;
}
