/**
 * Averages the models that a training run kept: `deno task average`.
 * @module
 */
import { averageModels } from "../src/networks/average.ts";
import { readModel, writeModel } from "../src/networks/model_file.ts";
import { atomicWrite, ensureWritable, readWhole } from "./cli/files.ts";
import { deciding, type FlagValues, integer, messageOf, text, toggle, UsageError } from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import { keptModels } from "./training/kept_models.ts";

/** The most models of an average, which are in memory together. */
const MOST_MODELS = 1000;

const usage = {
  name: "average",
  purpose:
    "Averages the weights of the models that a run kept as model-STEP.safetensors and writes the average, in float16: it often " +
    "draws better than each of them (stochastic weight averaging, Izmailov et al. 2018).",
  examples: ["deno task average --checkpoints runs/unet-mnist --from 45000 --output average.safetensors"],
  flags: {
    checkpoints: deciding(
      ["checkpoints", "models"],
      text({ help: "folder of a run that deno task train --keep-models wrote", placeholder: "FOLDER" }),
    ),
    from: deciding(
      ["models"],
      integer({ help: "leave out the models of earlier steps", default: 0, min: 0 }),
    ),
    to: deciding(["models"], integer({ help: "leave out the models of later steps", min: 0 })),
    output: text({
      help: "the file to write",
      placeholder: "FILE.safetensors",
      default: "average.safetensors",
    }),
    json: deciding([], toggle({ help: "print the result as JSON" })),
  },
} as const;

/** A run of `average`, as plain data. */
interface AverageRequest {
  /** The folder of the models. */
  readonly checkpoints: string;
  /** Names of the models' files, in the order of their steps. */
  readonly models: readonly string[];
  /** The file that is written. */
  readonly output: string;
}

/** What a run averaged. */
interface AverageResult {
  /** How many models. */
  readonly models: number;
}

async function request(flags: FlagValues<typeof usage.flags>): Promise<AverageRequest> {
  const { checkpoints, from, to = Infinity, output } = flags;
  if (checkpoints === undefined) {
    throw new UsageError("--checkpoints FOLDER is needed: the folder of a training run");
  }
  if (!output.endsWith(".safetensors")) {
    throw new UsageError(`--output must end in .safetensors, got "${output}"`);
  }
  const kept = await keptModels(checkpoints);
  const models = kept.filter((name) => stepOf(name) >= from && stepOf(name) <= to);
  if (models.length === 0) {
    throw new UsageError(
      `no model of "${checkpoints}" is between --from ${from} and --to ${to}: it has ${kept[0]} to ${
        kept.at(-1)
      }`,
    );
  }
  if (models.length > MOST_MODELS) {
    throw new UsageError(
      `at most ${MOST_MODELS} models can be averaged, got ${models.length}: choose with --from and --to`,
    );
  }
  return { checkpoints, models, output };
}

/** The step in a model's name. */
function stepOf(name: string): number {
  return Number(/\d+/.exec(name)![0]);
}

async function carryOut({ checkpoints, models, output }: AverageRequest): Promise<AverageResult> {
  await ensureWritable(output);
  const read = [];
  for (const name of models) {
    const bytes = await readWhole(`${checkpoints}/${name}`);
    try {
      read.push(readModel(bytes));
    } catch (error) {
      throw new Error(`"${checkpoints}/${name}" cannot be used: ${messageOf(error)}`);
    }
  }
  const { format: _, model: __, ...metadata } = read.at(-1)!.metadata;
  const averaged = `${models.length} models, ${models[0]} to ${models.at(-1)}`;
  const bytes = writeModel(averageModels(read), "F16", { metadata: { ...metadata, averaged } });
  await atomicWrite(output, bytes);
  return { models: models.length };
}

/** A sentence, or the result as JSON. */
function report(
  { models, output }: AverageRequest,
  result: AverageResult,
  { json }: { readonly json: boolean },
): void {
  if (json) return console.log(JSON.stringify({ models: result.models, file: output }));
  console.log(`the average of ${result.models} models, ${models[0]} to ${models.at(-1)}: ${output}`);
}

/** The task `average`. */
export const task: Task<typeof usage.flags, AverageRequest, AverageResult> = {
  usage,
  request,
  carryOut,
  report,
};

if (import.meta.main) await runTask(task);
