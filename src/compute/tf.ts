/** TensorFlow.js, named once for the whole project; everything else imports it from here. @module */
import type * as tfjs from "npm:@tensorflow/tfjs@4.22.0";
import { enableProdMode, Tensor as TensorClass } from "npm:@tensorflow/tfjs@4.22.0";

export * from "npm:@tensorflow/tfjs@4.22.0";

// The types that this project's own interfaces speak of are named here, so that its documentation can show them.

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
