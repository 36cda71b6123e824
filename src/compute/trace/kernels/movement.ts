/**
 * Kernels that move, repeat, select or make elements.
 * @module
 */
import { sameList, sizeOf } from "../../../math/shape.ts";
import * as tf from "../../tf.ts";
import { blocksOf, fromBlocks, slicedBlocks } from "../blocks.ts";
import type { Value } from "../graph.ts";
import { axesOf, listOf, type TraceKernels } from "../kernel.ts";
import { filled, identity, inOrder, natural, NCHW, reshaped, stored, type Traced } from "../traced.ts";
import { cast, onnxType } from "./elementwise.ts";

/** The tensors in one storage order, that of the first tensor which is not one repeated number. */
function alike(tensors: readonly Traced[]): { perm: readonly number[]; values: Value[] } {
  const perm = tensors.find((x) => x.fill === undefined)?.perm ?? tensors[0].perm;
  return { perm, values: tensors.map((x) => stored(x, perm)) };
}

/** Elements from `begin` (included) to `end` (excluded) in steps of `strides`, all per axis. */
export function sliced(
  x: Traced,
  begin: readonly number[],
  end: readonly number[],
  strides: readonly number[] = begin.map(() => 1),
): Traced {
  const shape = x.shape.map((_, axis) => Math.max(0, Math.ceil((end[axis] - begin[axis]) / strides[axis])));
  if (x.fill !== undefined) return { ...x, shape };
  const axes = identity(shape.length).filter((axis) =>
    begin[axis] !== 0 || end[axis] !== x.shape[axis] || strides[axis] !== 1
  );
  if (axes.length === 0) return x;
  const inBlocks = strides.every((stride) => stride === 1) ? slicedBlocks(x, begin, end) : null;
  if (inBlocks !== null) return inBlocks;
  // ONNX counts a negative end from the back; before the first element is −∞.
  const ends = axes.map((axis) => end[axis] < 0 ? -Number.MAX_SAFE_INTEGER : end[axis]);
  const lists = [
    axes.map((axis) => begin[axis]),
    ends,
    axes.map((axis) => x.perm.indexOf(axis)),
    axes.map((axis) => strides[axis]),
  ];
  const inputs = [stored(x, x.perm), ...lists.map((list) => x.graph.integers(list))];
  return { ...x, shape, value: x.graph.node("Slice", inputs, x.perm.map((axis) => shape[axis])) };
}

/** A border around the tensor: before and after each axis. */
export function padded(
  x: Traced,
  paddings: readonly (readonly number[])[],
  constant = 0,
  mode = "constant",
): Traced {
  const shape = x.shape.map((size, axis) => size + paddings[axis][0] + paddings[axis][1]);
  if (sameList(shape, x.shape)) return x;
  if (x.fill === constant) return { ...x, shape };
  const amounts = [0, 1].flatMap((side) => x.perm.map((axis) => paddings[axis][side]));
  const inputs = [stored(x, x.perm), x.graph.integers(amounts)];
  if (constant !== 0) inputs.push(x.graph.scalar(constant, x.value.type));
  const value = x.graph.node("Pad", inputs, x.perm.map((axis) => shape[axis]), { attributes: { mode } });
  return { graph: x.graph, shape, perm: x.perm, value };
}

function concatenated(tensors: readonly Traced[], axis: number): Traced {
  const full = tensors.filter((x) => x.shape[axis] > 0);
  if (full.length === 1) return full[0];
  const shape = full[0].shape.map((size, index) =>
    index === axis ? full.reduce((total, x) => total + x.shape[axis], 0) : size
  );
  const graph = full[0].graph;
  const blocks = full.map(blocksOf);
  if (axis === 3 && blocks.every((value) => value !== undefined)) {
    return fromBlocks(
      graph,
      graph.node("Concat", blocks, NCHW.map((index) => shape[index]), { attributes: { axis: 1 } }),
    );
  }
  const { perm, values } = alike(full);
  const attributes = { axis: perm.indexOf(axis) };
  const value = graph.node("Concat", values, perm.map((index) => shape[index]), { attributes });
  return { graph, shape, perm, value };
}

/** The parts of an image in blocks; null where one would cut a block, or for others. */
function splitBlocks(x: Traced, sizes: readonly number[], axis: number): Traced[] | null {
  let start = 0;
  const parts = sizes.map((size) => {
    const begin = x.shape.map((_, index) => index === axis ? start : 0);
    start += size;
    return slicedBlocks(x, begin, x.shape.map((length, index) => index === axis ? start : length));
  });
  return parts.every((part) => part !== null) ? parts : null;
}

function split(x: Traced, sizes: readonly number[], axis: number): Traced[] {
  const shapes = sizes.map((size) => x.shape.map((old, index) => index === axis ? size : old));
  if (x.fill !== undefined) return shapes.map((shape) => ({ ...x, shape }));
  const inBlocks = splitBlocks(x, sizes, axis);
  if (inBlocks !== null) return inBlocks;
  const values = x.graph.nodes(
    "Split",
    [x.value, x.graph.integers(sizes)],
    shapes.map((shape) => x.perm.map((index) => shape[index])),
    { attributes: { axis: x.perm.indexOf(axis) } },
  );
  return values.map((value, index) => ({ graph: x.graph, shape: shapes[index], perm: x.perm, value }));
}

function tiled(x: Traced, reps: readonly number[]): Traced {
  const shape = x.shape.map((size, axis) => size * reps[axis]);
  if (x.fill !== undefined) return { ...x, shape };
  const repeats = x.graph.integers(x.perm.map((axis) => reps[axis]));
  const value = x.graph.node("Tile", [x.value, repeats], x.perm.map((axis) => shape[axis]));
  return { ...x, shape, value };
}

function withAxis(x: Traced, axis: number): Traced {
  return reshaped(x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]);
}

function withoutAxis(x: Traced, axis: number): Traced {
  return reshaped(x, x.shape.filter((_, index) => index !== axis));
}

/** Movement kernels. */
export const movementKernels: TraceKernels = {
  Reshape: ({ x }, { shape }: tf.ReshapeAttrs) => {
    return reshaped(x, tf.util.inferFromImplicitShape(shape, sizeOf(x.shape)));
  },
  ExpandDims: ({ input }, { dim }: tf.ExpandDimsAttrs) =>
    withAxis(input, dim < 0 ? dim + input.shape.length + 1 : dim),
  Transpose: ({ x }, { perm }: tf.TransposeAttrs) => {
    // Only the names of the axes change: new axis j is old axis perm[j].
    const shape = perm.map((axis) => x.shape[axis]);
    if (x.fill !== undefined) return { ...x, shape };
    return { ...x, shape, perm: x.perm.map((axis) => perm.indexOf(axis)) };
  },
  Slice: ({ x }, { begin, size }: tf.SliceAttrs) => {
    const starts = listOf(begin);
    const sizes = listOf(size);
    const ends = x.shape.map((length, axis) => sizes[axis] < 0 ? length : starts[axis] + sizes[axis]);
    return sliced(x, starts, ends);
  },
  StridedSlice: ({ x }, attributes: tf.StridedSliceAttrs) => {
    const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attributes;
    const info = tf.slice_util.sliceInfo(
      [...x.shape],
      begin,
      end,
      strides,
      beginMask,
      endMask,
      ellipsisMask,
      newAxisMask,
      shrinkAxisMask,
    );
    return reshaped(sliced(x, info.begin, info.end, info.strides), info.finalShape);
  },
  PadV2: ({ x }, { paddings, constantValue }: tf.PadV2Attrs) => padded(x, paddings, constantValue),
  MirrorPad: ({ x }, { paddings, mode }: tf.MirrorPadAttrs) => {
    if (mode !== "reflect") throw new TypeError("only reflecting mirror padding has a traced form");
    return padded(x, paddings, 0, "reflect");
  },
  Concat: (inputs, { axis }: tf.ConcatAttrs) => {
    const tensors = Object.values(inputs);
    return concatenated(tensors, axesOf(axis, tensors[0].shape.length)[0]);
  },
  Pack: (inputs, { axis }: tf.PackAttrs) => {
    const tensors = Object.values(inputs);
    const [along] = axesOf(axis, tensors[0].shape.length + 1);
    return concatenated(tensors.map((x) => withAxis(x, along)), along);
  },
  Unpack: ({ value }, { axis }: tf.UnpackAttrs) => {
    const [along] = axesOf(axis, value.shape.length);
    const sizes = new Array<number>(value.shape[along]).fill(1);
    return split(value, sizes, along).map((part) => withoutAxis(part, along));
  },
  SplitV: ({ x }, { numOrSizeSplits, axis }: tf.SplitVAttrs) => {
    const [along] = axesOf(axis, x.shape.length);
    const sizes = tf.backend_util.prepareSplitSize(
      { shape: [...x.shape] } as tf.Tensor,
      numOrSizeSplits,
      along,
    );
    return split(x, sizes, along);
  },
  Tile: ({ x }, { reps }: tf.TileAttrs) => tiled(x, reps),
  Reverse: ({ x }, { dims }: tf.ReverseAttrs) => {
    const axes = axesOf(dims, x.shape.length);
    const pick = (reverse: number, straight: (axis: number) => number) =>
      x.shape.map((_, axis) => axes.includes(axis) ? reverse : straight(axis));
    const begin = x.shape.map((size, axis) => axes.includes(axis) ? size - 1 : 0);
    return sliced(x, begin, pick(-1, (axis) => x.shape[axis]), pick(-1, () => 1));
  },
  GatherV2: ({ x, indices }, { axis, batchDims }: tf.GatherV2Attrs) => {
    if (batchDims !== 0) throw new TypeError("gather with batchDims has no traced form");
    const [along] = axesOf(axis, x.shape.length);
    const shape = [...x.shape.slice(0, along), ...indices.shape, ...x.shape.slice(along + 1)];
    const inputs = [stored(x), stored(cast(indices, "int32"))];
    return natural(x.graph, x.graph.node("Gather", inputs, shape, { attributes: { axis: along } }));
  },
  UnsortedSegmentSum: ({ x, segmentIds }, { numSegments }: tf.UnsortedSegmentSumAttrs) => {
    const shape = [numSegments, ...x.shape.slice(segmentIds.shape.length)];
    const zeros = stored(filled(x.graph, shape, 0, x.value.type));
    const ids = cast(segmentIds, "int64");
    const indices = x.graph.reshape(stored(ids), [...segmentIds.shape, 1]);
    const attributes = { reduction: "add" };
    return natural(x.graph, x.graph.node("ScatterND", [zeros, indices, stored(x)], shape, { attributes }));
  },
  OneHot: ({ indices }, { depth, onValue, offValue, dtype }: tf.OneHotAttrs) => {
    const graph = indices.graph;
    const type = onnxType(dtype);
    const shape = [...indices.shape, depth];
    const classes = graph.constant(Int32Array.from(identity(depth)), [depth]);
    const spread = graph.reshape(stored(cast(indices, "int32")), [...indices.shape, 1]);
    const hit = graph.node("Equal", [spread, classes], shape, { type: "bool" });
    const choice = [hit, graph.scalar(onValue, type), graph.scalar(offValue, type)];
    return natural(graph, graph.node("Where", choice, shape, { type }));
  },
  DepthToSpace: ({ x }, { blockSize, dataFormat }: tf.DepthToSpaceAttrs) => {
    if (dataFormat !== "NHWC") throw new TypeError(`depthToSpace in ${dataFormat} has no traced form`);
    const [batch, height, width, depth] = x.shape;
    const channels = depth / blockSize ** 2;
    const stored4 = stored(x, [0, 3, 1, 2]);
    const value = x.graph.node("DepthToSpace", [stored4], [
      batch,
      channels,
      height * blockSize,
      width * blockSize,
    ], {
      attributes: { blocksize: blockSize },
    });
    return inOrder(x.graph, value, [0, 3, 1, 2]);
  },
};
