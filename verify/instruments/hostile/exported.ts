/** All that the entries of the package export, in one namespace; a claim holds the list to deno.json. @module */
export * from "../../../mod.ts";
export * from "../../../src/conditioning/mod.ts";
export * from "../../../src/conformance/mod.ts";
export * from "../../../src/data/mod.ts";
export * from "../../../src/experiments/mod.ts";
export * from "../../../src/external/mod.ts";
export * from "../../../src/images/mod.ts";
export * from "../../../src/likelihood/mod.ts";
export * from "../../../src/metrics/mod.ts";
export * from "../../../src/networks/mod.ts";
export * from "../../../src/plots/mod.ts";
export * from "../../../src/runs/mod.ts";
export * from "../../../src/training/mod.ts";
// The core exports its type alone.
export { ShownPicture } from "../../../src/images/mod.ts";
