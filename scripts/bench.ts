/**
 * Times this project, with `--against pytorch` side by side with PyTorch: `deno task bench`.
 * @module
 */
import { dirname } from "node:path";
import { availableParallelism, cpus, totalmem } from "node:os";
import { useEngine } from "../src/compute/engine.ts";
import { ONNX_RUNTIME } from "../src/compute/onnx/runtime.ts";
import * as tf from "../src/compute/tf.ts";
import { DIGITS_COUNT, openOurs, rivals } from "./bench/contender.ts";
import { measureSize, SIZES } from "./bench/growth.ts";
import { profile } from "./bench/profile.ts";
import { openTwin } from "./bench/pytorch_process.ts";
import { type BenchRequest, type BenchResult, runBench } from "./bench/run.ts";
import { actionTable, growthTable, profileTable, titles } from "./bench/table.ts";
import { atomicWrite, ensureWritable } from "./cli/files.ts";
import {
  choice,
  deciding,
  type Flag,
  type FlagValues,
  integer,
  list,
  onlyWith,
  text,
  toggle,
  UsageError,
} from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import { formatBytes, ProgressBar } from "./cli/terminal.ts";
import { engineNames } from "./sampling/flags.ts";
import { DEFAULT_SAMPLER } from "../src/runs/defaults.ts";

/** Euler–Maruyama steps of the tutorial. */
const TUTORIAL_STEPS = 500;

const usage = {
  name: "bench",
  purpose:
    "Times a forward pass (weights baked in, as in sampling) and a training step (noise, loss, gradients, clipping, Adam, " +
    "moving average), contenders in turn, so that what else the machine does hits all alike.",
  examples: [
    "deno task bench",
    "deno task bench --engine wasm,onnx --against pytorch,torch-compile --digits --growth --profile --output docs/measurements.md",
  ],
  flags: {
    network: deciding(
      ["network", "batch", "growth"],
      choice(["digits", "tutorial"], { help: "what to run", default: "digits" }),
    ),
    batch: integer({ help: "images in a batch; default 64 for digits, 32 for tutorial", min: 1, max: 4096 }),
    side: integer({
      help: "pixels of an image's side, for digits a multiple of 4",
      default: 28,
      min: 4,
      max: 1024,
    }),
    engine: deciding(
      ["engines"],
      list(choice(engineNames, { help: "compute engine, one or several" }), ["auto"]),
    ),
    against: list(
      choice(rivals, {
        help:
          "the same network in PyTorch, eager or compiled, in the same run; needs python3 with torch, for torch-compile " +
          "a C++ compiler, too",
      }),
      [],
    ),
    rounds: integer({ help: "measurements of each", default: 7, min: 1, max: 1000 }),
    digits: toggle({
      help:
        `also the time for ${DIGITS_COUNT} finished digits, ours as deno task sample draws them and PyTorch's with the ` +
        "tutorial's network and its Euler–Maruyama",
    }),
    checkpoint: ofDigits(
      ["digits.checkpoint"],
      text({
        help: "what --digits draws with; by default what comes with the project",
        placeholder: "FILE",
      }),
    ),
    digitsRounds: ofDigits(
      ["digits.rounds"],
      integer({ help: "measurements of the digits", default: 3, min: 1, max: 100 }),
    ),
    twinSteps: ofDigits(
      ["digits.twinSteps"],
      integer({
        help: `Euler–Maruyama steps of PyTorch, for --against (default ${TUTORIAL_STEPS}, the tutorial's)`,
        min: 1,
      }),
    ),
    growth: toggle({ help: "also how time and memory grow with the batch (16 to 512) and with the images" }),
    profile: toggle({ help: "also where the time goes, by operation" }),
    output: text({ help: "write the results to this Markdown file, too", placeholder: "FILE" }),
    json: deciding([], toggle({ help: "print all measurements as JSON" })),
  },
} as const;

/** A flag of the drawing of digits. */
function ofDigits<T>(fields: readonly string[], flag: Flag<T>): Flag<T> {
  return onlyWith(deciding(fields, flag), "digits");
}

/** A run of `bench`, as plain data. */
interface RunRequest extends BenchRequest {
  /** The Markdown file that is written; null for none. */
  readonly output: string | null;
}

/** What a run measured, and on which machine. */
interface RunResult extends BenchResult {
  readonly machine: Readonly<Record<string, string | number>>;
}

function request(flags: FlagValues<typeof usage.flags>): RunRequest {
  const { network, side, engine: engines, against, rounds, checkpoint = null, digitsRounds } = flags;
  if (network === "tutorial" && side !== 28) {
    throw new UsageError(`the tutorial's images are 28 pixels wide, got --side ${side}`);
  }
  if (network === "digits" && side % 4 !== 0) {
    throw new UsageError(`--side must be a multiple of 4, got ${side}`);
  }
  if (flags.twinSteps !== undefined && against.length === 0) {
    throw new UsageError("--twin-steps is for --against, which is not given");
  }
  return {
    network,
    batch: flags.batch ?? (network === "digits" ? 64 : 32),
    side,
    engines,
    against,
    rounds,
    digits: flags.digits
      ? { checkpoint, rounds: digitsRounds, twinSteps: flags.twinSteps ?? TUTORIAL_STEPS }
      : null,
    profile: flags.profile,
    growth: flags.growth ? SIZES.filter(({ side }) => network === "digits" || side === 28) : [],
    output: flags.output ?? null,
  };
}

function machineFacts(): RunResult["machine"] {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    threads: availableParallelism(),
    memory: formatBytes(totalmem()),
    deno: Deno.version.deno,
    tfjs: tf.version.tfjs,
    load: Deno.loadavg()[0].toFixed(1),
  };
}

async function carryOut(request: RunRequest): Promise<RunResult> {
  const { output } = request;
  if (output !== null) {
    await Deno.mkdir(dirname(output), { recursive: true });
    await ensureWritable(output);
  }
  const machine = machineFacts();
  let soFar: BenchResult | null = null;
  try {
    const result = await runBench(request, {
      openOurs,
      openTwin,
      profile: async (engine, model, batch) => await profile(await useEngine(engine), model, batch),
      measureSize,
      async withProgress(bar, action) {
        using progress = new ProgressBar(bar);
        return await action((done) => progress.update(done));
      },
      onResult: (result) => soFar = result,
    });
    return { ...result, machine };
  } catch (error) {
    // What took minutes to measure is not lost with what failed.
    if (soFar !== null) console.error(sections(request, { ...soFar as BenchResult, machine }).join("\n\n"));
    throw error;
  }
}

/** Prints the tables, or all measurements as JSON, and writes the tables to a file. */
async function report(
  request: RunRequest,
  result: RunResult,
  { json }: { readonly json: boolean },
): Promise<void> {
  const { network, batch, output } = request;
  const tables = sections(request, result);
  if (output !== null) await atomicWrite(output, new TextEncoder().encode(markdown(tables)));
  if (!json) return console.log(tables.join("\n\n"));
  const { parameters, machine, contenders, profiles, growth } = result;
  const results = contenders.map(({ name, about, memory, milliseconds }) => ({
    ...{ name, about, memory, milliseconds },
  }));
  console.log(JSON.stringify({ network, parameters, batch, machine, results, profiles, growth }));
}

/** The tables as Markdown, with the command that made them. */
function markdown(tables: readonly string[]): string {
  const command = ["deno task bench", ...Deno.args].join(" ");
  const day = new Date().toISOString().slice(0, 10);
  const blocks = tables.map((table) => `\`\`\`text\n${table}\n\`\`\`\n`);
  return [`# Measured speed\n\nMeasured on ${day} by\n\n\`\`\`sh\n${command}\n\`\`\`\n`, ...blocks].join(
    "\n",
  );
}

/** The tables of what is measured, each with its heading. */
function sections(request: RunRequest, result: RunResult): string[] {
  const { contenders, profiles, growth } = result;
  const found = [heading(request, result)];
  for (const action of ["forward", "step", "digits"] as const) {
    const rows = contenders.flatMap(({ name, engine, milliseconds: { [action]: milliseconds } }) =>
      milliseconds === undefined ? [] : [{ name, rival: engine === null, milliseconds }]
    );
    if (rows.length === 0) continue;
    const images = action === "digits" ? DIGITS_COUNT : request.batch;
    const table = actionTable(titles[action], images, rows);
    found.push(action === "digits" ? `${table}\n${digitsNotes(request)}` : table);
  }
  if (contenders.length > 0 && contenders.every(({ memory }) => memory !== null)) {
    found.push(memoryLine(result));
  }
  for (const { engine, ...shares } of profiles) {
    for (const action of ["forward", "step"] as const) {
      found.push(`${titles[action]} on ${engine}, by operation\n${profileTable(shares[action])}`);
    }
  }
  if (growth.length > 0) found.push(`growth, each size in a process of its own\n${growthTable(growth)}`);
  return found;
}

function heading(
  { network, batch, side, rounds }: RunRequest,
  { parameters, machine, contenders }: RunResult,
): string {
  const onnx = contenders.some(({ engine }) => engine === "onnx");
  return [
    `${network}, ${parameters} parameters, batch ${batch}, images ${side}×${side}, ${rounds} rounds in turn`,
    `${machine.cpu}, ${machine.threads} threads, ${machine.memory} memory, load ${machine.load} before, Deno ` +
    `${machine.deno}, TensorFlow.js ${machine.tfjs}${onnx ? `, onnxruntime ${ONNX_RUNTIME.version}` : ""}`,
    ...contenders.map(({ name, about }) => `${name}: ${about}`),
  ].join("\n");
}

function digitsNotes({ against, digits }: RunRequest): string {
  const here = digits?.checkpoint === null
    ? "Here: what deno task sample draws unasked, three evaluations of a consistency function."
    : `Here: ${digits?.checkpoint}; of a score network ${DEFAULT_SAMPLER}, its default steps and the default guidance, which ` +
      "evaluates the network twice at some of them.";
  if (against.length === 0) return here;
  const steps = digits?.twinSteps;
  return `${here} PyTorch: the tutorial's network and Euler–Maruyama, ${steps} steps` +
    (steps === TUTORIAL_STEPS ? "." : ` where the tutorial has ${TUTORIAL_STEPS}.`);
}

/** This project's engines are in one process, each rival is in its own. */
function memoryLine({ contenders }: RunResult): string {
  const ours = contenders.filter(({ engine }) => engine !== null);
  const twins = contenders.filter(({ engine }) => engine === null);
  const here = `${ours.map(({ name }) => name).join(" and ")} ${formatBytes(ours[0].memory!)}`;
  const others = twins.map(({ name, memory }) => `${name} ${formatBytes(memory!)}`);
  return `peak memory of the process: ${[here, ...others].join(", ")}`;
}

/** The task `bench`. */
export const task: Task<typeof usage.flags, RunRequest, RunResult> = { usage, request, carryOut, report };

if (import.meta.main) await runTask(task);
