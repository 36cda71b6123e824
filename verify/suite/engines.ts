/**
 * Puts the process on the engine that a claim is examined on.
 * @module
 */
import { type Engine, type EngineName, useEngine } from "../../src/compute/engine.ts";
import { Skip } from "./claim.ts";
import { missing } from "./needs.ts";

/** Selects the engine for what follows; an engine that this machine lacks skips the claim. */
export async function switchEngine(name: EngineName): Promise<Engine> {
  if (name === "webgpu" || name === "onnx") {
    const lacking = await missing(name);
    if (lacking !== null) throw new Skip(lacking);
  }
  return await useEngine(name);
}
