/**
 * What a claim may need from the machine, and whether it is there.
 * @module
 */
import { fileURLToPath } from "node:url";
import { COMPILER } from "../../scripts/build/wasm_kernels.ts";
import { OLDEST_DENO } from "../../scripts/cli/flags.ts";
import { ONNX_RUNTIME } from "../../src/compute/onnx/runtime.ts";
import { hasNpmTools, NPM_TOOLS } from "./npm_tools.ts";
import { hasOldestDeno } from "./oldest_deno.ts";
import { isInstalled, type Program, programs } from "./program.ts";

/** A resource without which a claim is skipped: data, an engine, a package or a program. */
export type Need =
  | "assemblyscript"
  | "mnist"
  | "npm-tools"
  | "numpy"
  | "oldest-deno"
  | "onnx"
  | "pytorch"
  | "webgpu"
  | Program;

/** The programs among the needs of a claim, which it may start. */
export function programsOf(needs: readonly Need[]): Program[] {
  return programs.filter((program) =>
    needs.includes(program) ||
    (program === "python3" && (needs.includes("numpy") || needs.includes("pytorch")))
  );
}

const nativeLock = fileURLToPath(new URL("../../scripts/onnx.lock", import.meta.url));
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
    case "assemblyscript":
      return await isCached(COMPILER) ? null : "AssemblyScript is not in the cache";
    case "onnx":
      return await isCached(`npm:${ONNX_RUNTIME.name}@${ONNX_RUNTIME.version}`, nativeLock)
        ? null
        : "onnxruntime-node is not in the cache";
    case "npm-tools":
      return await hasNpmTools() ? null : `${Object.keys(NPM_TOOLS).join(", ")} are not in the cache`;
    case "oldest-deno":
      return await hasOldestDeno() ? null : `Deno ${OLDEST_DENO} is not in the cache`;
    case "numpy":
      if (!await isInstalled("python3")) return "python3 is not installed";
      return await runs("python3", ["-c", "import numpy"]) ? null : "no numpy in python3";
    case "pytorch":
      if (!await isInstalled("python3")) return "python3 is not installed";
      return await runs("python3", ["-c", "import numpy, torch"]) ? null : "no PyTorch in python3";
    default:
      return await isInstalled(need) ? null : `${need} is not installed`;
  }
}

/** Whether a package can be imported without a download. */
async function isCached(specifier: string, lock?: string): Promise<boolean> {
  const code = `import ${JSON.stringify(specifier)}`;
  const locked = lock === undefined ? ["--no-lock"] : [`--lock=${lock}`, "--frozen"];
  return await runs(Deno.execPath(), ["eval", ...locked, "--cached-only", code]);
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

/** Whether a program is there and ends with code 0. `Deno.Command` throws for a program that is missing. */
async function runs(command: string, args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}
