/** Operator sets beside the ONNX standard. @module */

/** The runtime's operations on images with channels in blocks. */
export const BLOCKED = "com.microsoft.nchwc";
