/**
 * What a claim may need from the machine, and whether it is there.
 * @module
 */
import type { ClaimOptions } from "./claim.ts";

type Need = NonNullable<ClaimOptions["needs"]>[number];

const known = new Map<Need, Promise<string | null>>();

/** Null where the need is met, else one line that says what is missing. Looked up once per process. */
export function missing(need: Need): Promise<string | null> {
  const seen = known.get(need) ?? lookUp(need);
  known.set(need, seen);
  return seen;
}

async function lookUp(need: Need): Promise<string | null> {
  switch (need) {
    case "mnist":
      return await hasMnist() ? null : "no MNIST in SCORE_SDE_DATA";
    case "webgpu":
      return await navigator.gpu?.requestAdapter() ? null : "no WebGPU adapter";
    case "onnx":
      return await runs(Deno.execPath(), [
          "eval",
          "--no-lock",
          "--cached-only",
          'import "npm:onnxruntime-node@1.30.0"',
        ])
        ? null
        : "onnxruntime-node is not in the cache";
    case "pytorch":
      return await runs("python3", ["-c", "import torch"]) ? null : "no PyTorch in python3";
  }
}

async function hasMnist(): Promise<boolean> {
  const folder = Deno.env.get("SCORE_SDE_DATA");
  if (folder === undefined) return false;
  for (const place of [`${folder}/mnist`, folder]) {
    for (const ending of ["", ".gz"]) {
      if (await exists(`${place}/train-images-idx3-ubyte${ending}`)) return true;
    }
  }
  return false;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}

async function runs(command: string, args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}
