/** TensorFlow.js, imported in this file alone: what programs beside the library make tensors with. @module */
export { grad, keep, tensor, tensor1d, tensor2d, tidy, tile } from "npm:@tensorflow/tfjs@4.22.0";
