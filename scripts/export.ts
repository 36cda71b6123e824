/**
 * Writes a checkpoint's noise predictor as an ONNX file: `deno task export`.
 * @module
 */
import { fileURLToPath } from "node:url";
import { useEngine } from "../src/compute/engine.ts";
import { networkFromConfig } from "../src/networks/registry.ts";
import { readModel } from "../src/networks/model_file.ts";
import { exportOnnx } from "../src/networks/onnx_export.ts";
import { atomicWrite, ensureWritable, readWhole } from "./cli/files.ts";
import { type FlagValues, messageOf, text, UsageError } from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import { formatBytes } from "./cli/terminal.ts";
import { networkFlags } from "./sampling/flags.ts";

const pretrained = fileURLToPath(new URL("../fixtures/models/mnist.safetensors", import.meta.url));

const usage = {
  name: "export",
  purpose:
    "Writes the noise predictor as an ONNX file for any number of rows. Inputs: y [batch, 28, 28, 1] (noisy images, the clean ones " +
    "in [-1, 1]), noise_ratio [batch] (σ/α), classes [batch, 11] (one-hot, the last for no label). Outputs: noise " +
    "((y − E[x0|y]) / noise_ratio) and denoised (E[x0|y]).",
  examples: ["deno task export --output model.onnx"],
  flags: {
    checkpoint: networkFlags.checkpoint,
    output: text({ help: "the .onnx file", placeholder: "FILE", default: "model.onnx" }),
  },
} as const;

/** A file to write, as plain data. */
interface ExportRequest {
  /** A checkpoint's file; null for the network of digits that comes with the project. */
  readonly checkpoint: string | null;
  /** The .onnx file. */
  readonly output: string;
}

/** What was written. */
interface ExportResult {
  /** [height, width, channels] of a sample. */
  readonly sampleShape: readonly number[];
  /** How many classes the network knows; 0 for none, and then it takes no input for them. */
  readonly classes: number;
  /** Bytes of the file. */
  readonly bytes: number;
}

function request({ checkpoint, output }: FlagValues<typeof usage.flags>): ExportRequest {
  if (!output.endsWith(".onnx")) throw new UsageError(`--output must end in .onnx, got "${output}"`);
  return { checkpoint: checkpoint ?? null, output };
}

async function carryOut({ checkpoint, output }: ExportRequest): Promise<ExportResult> {
  await ensureWritable(output);
  const path = checkpoint ?? pretrained;
  const bytes = await readWhole(path);
  await useEngine("cpu");
  const model = (() => {
    try {
      return readModel(bytes);
    } catch (error) {
      throw new Error(`"${path}" cannot be used: ${messageOf(error)}`);
    }
  })();
  const file = exportOnnx(model);
  await atomicWrite(output, file);
  const { sampleShape, classes } = networkFromConfig(model.config.network);
  return { sampleShape, classes, bytes: file.length };
}

/** The names and shapes of inputs and outputs, and the size of the file. */
function report({ output }: ExportRequest, { sampleShape, classes, bytes }: ExportResult): void {
  const labels = classes > 0 ? `, classes [batch, ${classes + 1}]` : "";
  console.log(
    `y [batch, ${sampleShape.join(", ")}], noise_ratio [batch]${labels} → noise, denoised; ${
      formatBytes(bytes)
    }: ${output}`,
  );
}

/** The task `export`. */
export const task: Task<typeof usage.flags, ExportRequest, ExportResult> = {
  usage,
  request,
  carryOut,
  report,
};

if (import.meta.main) await runTask(task);
