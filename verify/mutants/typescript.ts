/** The TypeScript compiler, which reads, checks and prints nothing else here. @module */
export { default as ts } from "npm:typescript@6.0.3";
