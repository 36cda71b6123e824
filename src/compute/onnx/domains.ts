/** Sets of operations beside ONNX's own. @module */

/** The runtime's operations on images whose channels lie in blocks. */
export const BLOCKED = "com.microsoft.nchwc";
