/** The WebAssembly backend, imported in this file alone; loaded only when an engine needs it. @module */
export { type BackendWasm, setWasmPaths } from "npm:@tensorflow/tfjs-backend-wasm@4.22.0";
