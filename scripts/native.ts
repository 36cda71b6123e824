/** Prints the flags of `deno run` with which the native engine may be loaded: `deno task native`, which other tasks call. @module */
import { nativeEngineFlags } from "./cli/native_engine.ts";

if (import.meta.main) console.log((await nativeEngineFlags()).join(" "));
