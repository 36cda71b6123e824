/**
 * What this project uses of TensorFlow.js, in the place of the whole library in bundles: the core with its gradients and the
 * methods of tensors, and no layers, no converter, and none of the backends, which engines load.
 * @module
 */
import "npm:@tensorflow/tfjs-core@4.22.0/dist/register_all_gradients.js";
import "npm:@tensorflow/tfjs-core@4.22.0/dist/public/chained_ops/register_all_chained_ops.js";

export * from "npm:@tensorflow/tfjs-core@4.22.0";
