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
import { messageOf, parseFlags, runScript, text, UsageError } from "./cli/flags.ts";
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

async function main(): Promise<void> {
  const { checkpoint = pretrained, output } = parseFlags(usage, Deno.args);
  if (!output.endsWith(".onnx")) throw new UsageError(`--output must end in .onnx, got "${output}"`);
  await ensureWritable(output);
  const bytes = await readWhole(checkpoint);
  await useEngine("cpu");
  const model = (() => {
    try {
      return readModel(bytes);
    } catch (error) {
      throw new Error(`"${checkpoint}" cannot be used: ${messageOf(error)}`);
    }
  })();
  const file = exportOnnx(model);
  await atomicWrite(output, file);
  const { sampleShape, classes } = networkFromConfig(model.config.network);
  const labels = classes > 0 ? `, classes [batch, ${classes + 1}]` : "";
  console.log(
    `y [batch, ${sampleShape.join(", ")}], noise_ratio [batch]${labels} → noise, denoised; ${
      formatBytes(file.length)
    }: ${output}`,
  );
}

if (import.meta.main) await runScript(main);
