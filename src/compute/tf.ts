/** TensorFlow.js, imported in this file alone; all other files import it from here. @module */
import type * as tfjs from "npm:@tensorflow/tfjs@4.22.0";
import {
  concat,
  customGrad as tfjsCustomGrad,
  dispose as tfjsDispose,
  enableProdMode,
  equal,
  expandDims,
  oneHot as tfjsOneHot,
  registerGradient,
  Tensor as TensorClass,
  tidy as tfjsTidy,
} from "npm:@tensorflow/tfjs@4.22.0";

export * from "npm:@tensorflow/tfjs@4.22.0";

// The types in this project's public interfaces are declared here, so that its documentation can show them.

/** A tensor of any rank. */
export type Tensor = ReturnType<(typeof tfjs)["tensor"]>;
/** The class, for `instanceof`. */
export const Tensor: (typeof tfjs)["Tensor"] = TensorClass;
/** A tensor of rank 0. */
export type Scalar = ReturnType<(typeof tfjs)["scalar"]>;
/** A tensor of rank 1. */
export type Tensor1D = ReturnType<(typeof tfjs)["tensor1d"]>;
/** A tensor of rank 2. */
export type Tensor2D = ReturnType<(typeof tfjs)["tensor2d"]>;
/** A tensor of rank 4; images are [batch, height, width, channels]. */
export type Tensor4D = ReturnType<(typeof tfjs)["tensor4d"]>;

// Production mode skips per-kernel NaN checks and the banner that the cpu backend prints on its first kernel.
enableProdMode();

/** Runs a function and disposes the tensors that it makes but does not return; it may return an object of tensors. */
export const tidy = tfjsTidy as <Result>(fn: () => Result) => Result;

/** A function of a tensor with a custom gradient, which gets the tensors that were passed to `save`. */
export const customGrad = tfjsCustomGrad as (
  f: (x: Tensor, save: (tensors: Tensor[]) => void) => {
    value: Tensor;
    gradFunc: (dy: Tensor, saved: Tensor[]) => Tensor;
  },
) => (x: Tensor) => Tensor;

/** Disposes a tensor, or all tensors of a list or an object. */
export const dispose = tfjsDispose as (tensors: object) => void;

/** One-hot rows, as of TensorFlow.js, but also for a single class, for which it throws. */
export const oneHot: (typeof tfjs)["oneHot"] = (indices, depth, onValue = 1, offValue = 0, dtype = "int32") =>
  depth === 1 && onValue === 1 && offValue === 0
    ? expandDims(equal(indices, 0).cast(dtype), -1)
    : tfjsOneHot(indices, depth, onValue, offValue, dtype);

// For a split into one part TensorFlow.js passes the gradient as a tensor, where this function needs a list.
registerGradient({
  kernelName: "SplitV",
  gradFunc: (dy, _saved, attributes) => ({
    x: () => concat(Array.isArray(dy) ? dy : [dy], attributes.axis as unknown as number),
  }),
});
