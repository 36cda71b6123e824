/**
 * Takes PyTorch's state_dicts to checkpoints and back: `deno task convert`.
 * @module
 */
import { type Model, readModel, writeModel } from "../src/networks/model_file.ts";
import { readSafetensors, writeSafetensors } from "../src/networks/safetensors.ts";
import {
  modelFromStateDict,
  stateDict,
  type StateDictNames,
  stateDictNames,
} from "../src/networks/state_dict.ts";
import { atomicWrite, ensureWritable, readWhole } from "./cli/files.ts";
import {
  choice,
  deciding,
  type FlagValues,
  messageOf,
  notWith,
  number,
  onlyWith,
  text,
  UsageError,
} from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";

const pixelRanges = ["unit", "signed"] as const;

const usage = {
  name: "convert",
  purpose:
    "Takes a state_dict of PyTorch, as safetensors, to a checkpoint, or a checkpoint to a state_dict: of the ScoreNet of Song's " +
    "MNIST tutorial, or of this project's networks as pytorch/score_sde_torch has them. Values are not changed. " +
    "pytorch/state_dict.py turns .pth files into safetensors and back.",
  examples: [
    "deno task convert --input score_net.safetensors --output score_net.model.safetensors",
    "deno task convert --input model.safetensors --to state-dict --output model.torch.safetensors",
  ],
  flags: {
    input: text({ help: "a state_dict in safetensors, or a checkpoint", placeholder: "FILE" }),
    to: choice(["checkpoint", "state-dict"], { help: "what is made of it", default: "checkpoint" }),
    names: onlyWith(
      choice(stateDictNames, {
        help: "names of the state_dict (default score-net of a tutorial network, own of others)",
      }),
      "to",
      ["state-dict"],
    ),
    like: onlyWith(
      text({
        help: "a checkpoint with the network that the state_dict is of, where its file does not say",
        placeholder: "FILE",
      }),
      "to",
      ["checkpoint"],
    ),
    ...notWith("like", {
      sigma: onlyWith(
        number({
          help: "σ of dx = σ^t dw that a ScoreNet was trained on (default 25)",
          min: 1.0001,
          max: 1e6,
        }),
        "to",
        ["checkpoint"],
      ),
      pixels: deciding(
        ["unitRange"],
        onlyWith(
          choice(pixelRanges, {
            help:
              "pixels that a ScoreNet was trained on: unit, in [0, 1] as in the tutorial, or signed, in [-1, 1] (default unit)",
          }),
          "to",
          ["checkpoint"],
        ),
      ),
    }),
    output: text({ help: "the .safetensors file to write", placeholder: "FILE" }),
  },
} as const;

/** A conversion, as plain data. */
interface ConvertRequest {
  /** The file that is read. */
  readonly input: string;
  /** What is made of it. */
  readonly to: "checkpoint" | "state-dict";
  /** Names of the state_dict; null for those that suit the network. */
  readonly names: StateDictNames | null;
  /** A checkpoint with the network's config; null where the state_dict says it. */
  readonly like: string | null;
  /** σ of a ScoreNet's SDE. */
  readonly sigma: number;
  /** Whether a ScoreNet was trained on pixels in [0, 1]. */
  readonly unitRange: boolean;
  /** The file to write. */
  readonly output: string;
}

/** What was written. */
interface ConvertResult {
  /** The network's kind. */
  readonly kind: string;
  /** Tensors in the file. */
  readonly tensors: number;
  /** Numbers in them. */
  readonly parameters: number;
}

function request(flags: FlagValues<typeof usage.flags>): ConvertRequest {
  const { input, to, names, like, sigma, pixels, output } = flags;
  if (input === undefined || output === undefined) throw new UsageError("--input and --output are needed");
  if (!output.endsWith(".safetensors")) {
    throw new UsageError(`--output must end in .safetensors, got "${output}"`);
  }
  return {
    input,
    to,
    names: names ?? null,
    like: like ?? null,
    sigma: sigma ?? 25,
    unitRange: pixels !== "signed",
    output,
  };
}

async function carryOut(request: ConvertRequest): Promise<ConvertResult> {
  await ensureWritable(request.output);
  const [model, file] = request.to === "state-dict"
    ? await toStateDict(request)
    : await toCheckpoint(request);
  await atomicWrite(request.output, file);
  const { tensors } = readSafetensors(file);
  const parameters = [...tensors.values()].reduce((sum, { values }) => sum + values.length, 0);
  return { kind: model.config.network.kind, tensors: tensors.size, parameters };
}

async function toStateDict({ input, names }: ConvertRequest): Promise<[Model, Uint8Array]> {
  const model = await read(input, readModel);
  const tensors = named(input, () => stateDict(model, names ?? undefined));
  // PyTorch's readers of safetensors ask for this format; the config makes the way back complete.
  const metadata = { format: "pt", model: JSON.stringify(model.config) };
  return [model, writeSafetensors({ tensors, metadata })];
}

async function toCheckpoint(
  { input, like, sigma, unitRange }: ConvertRequest,
): Promise<[Model, Uint8Array]> {
  const config = like === null ? undefined : (await read(like, readModel)).config;
  const model = await read(
    input,
    (bytes) => modelFromStateDict(readSafetensors(bytes), { ...config && { config }, sigma, unitRange }),
  );
  return [model, writeModel(model)];
}

/** What a function makes of a file; an error of its names the file. */
async function read<T>(path: string, parse: (bytes: Uint8Array) => T): Promise<T> {
  const bytes = await readWhole(path);
  return named(path, () => parse(bytes));
}

function named<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new Error(`"${path}" cannot be used: ${messageOf(error)}`);
  }
}

/** What the file holds. */
function report({ output, to }: ConvertRequest, { kind, tensors, parameters }: ConvertResult): void {
  console.log(
    `${
      to === "checkpoint" ? to : "state_dict"
    } of a ${kind} network, ${tensors} tensors, ${parameters} numbers: ${output}`,
  );
}

/** The task `convert`. */
export const task: Task<typeof usage.flags, ConvertRequest, ConvertResult> = {
  usage,
  request,
  carryOut,
  report,
};

if (import.meta.main) await runTask(task);
