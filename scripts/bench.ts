/**
 * Times this project, with `--against pytorch` side by side with PyTorch: `deno task bench`.
 * @module
 */
import { dirname } from "node:path";
import { availableParallelism, cpus, totalmem } from "node:os";
import * as tf from "../src/compute/tf.ts";
import { type Engine, useEngine } from "../src/compute/engine.ts";
import { ONNX_RUNTIME } from "../src/compute/onnx/runtime.ts";
import { NETWORK_PRESETS, networkFromConfig } from "../src/networks/registry.ts";
import { type Network, parameterCount } from "../src/networks/network.ts";
import type { ModelConfig } from "../src/networks/noise_prediction.ts";
import { type Action, type Contender, DIGITS_COUNT, openOurs, type Ours } from "./bench/contender.ts";
import { measureSize, SIZES } from "./bench/growth.ts";
import { profile } from "./bench/profile.ts";
import { actionTable, growthTable, profileTable, titles } from "./bench/table.ts";
import { openTwin } from "./bench/pytorch_process.ts";
import { DEFAULT_SAMPLER } from "./sampling/sampling.ts";
import { engineNames } from "./sampling/flags.ts";
import { formatBytes, ProgressBar } from "./cli/terminal.ts";
import { atomicWrite, ensureWritable } from "./cli/files.ts";
import {
  choice,
  type FlagValues,
  integer,
  list,
  parseFlags,
  runScript,
  text,
  toggle,
  UsageError,
} from "./cli/flags.ts";

const usage = {
  name: "bench",
  purpose:
    "Times a forward pass (weights baked in, as in sampling) and a training step (noise, loss, gradients, clipping, Adam, " +
    "moving average), contenders in turn, so that what else the machine does hits all alike.",
  examples: [
    "deno task bench",
    "deno task bench --engine wasm,onnx --against pytorch --digits --growth --profile --output docs/measurements.md",
  ],
  flags: {
    network: choice(["digits", "tutorial"], { help: "what to run", default: "digits" }),
    batch: integer({ help: "images in a batch; default 64 for digits, 32 for tutorial", min: 1, max: 4096 }),
    side: integer({
      help: "pixels of an image's side, for digits a multiple of 4",
      default: 28,
      min: 4,
      max: 1024,
    }),
    engine: list(
      choice(engineNames, { help: "compute engine, one or several" }),
      ["auto"],
    ),
    against: choice(["pytorch"], {
      help: "the same network in PyTorch, in the same run (needs python3 with torch)",
    }),
    rounds: integer({ help: "measurements of each", default: 7, min: 1, max: 1000 }),
    digits: toggle({
      help:
        `also the time for ${DIGITS_COUNT} finished digits, ours with the default sampler and PyTorch's with the ` +
        "tutorial's network and its Euler–Maruyama",
    }),
    checkpoint: text({
      help: "what --digits draws with; by default what comes with the project",
      placeholder: "FILE",
    }),
    digitsRounds: integer({ help: "measurements of the digits", default: 3, min: 1, max: 100 }),
    twinSteps: integer({
      help: "Euler–Maruyama steps of PyTorch; 500 are the tutorial's",
      default: 500,
      min: 1,
    }),
    growth: toggle({ help: "also how time and memory grow with the batch (16 to 512) and with the images" }),
    profile: toggle({ help: "also where the time goes, by operation" }),
    output: text({ help: "write the results to this Markdown file, too", placeholder: "FILE" }),
    json: toggle({ help: "print all measurements as JSON" }),
  },
} as const;

type Flags = FlagValues<typeof usage.flags>;

function modelFor(flags: Flags): ModelConfig {
  const preset = NETWORK_PRESETS[flags.network];
  if (preset.kind === "tutorial") {
    if (flags.side !== 28) {
      throw new UsageError(`the tutorial's images are 28 pixels wide, got --side ${flags.side}`);
    }
    return { network: preset, preconditioning: null };
  }
  if (flags.side % 4 !== 0) throw new UsageError(`--side must be a multiple of 4, got ${flags.side}`);
  const network = { ...preset, height: flags.side, width: flags.side };
  return { network, preconditioning: { sigmaData: 0.5, centre: 0 } };
}

/** Runs actions of all contenders in turn; the first round warms everything up and does not count. */
async function measure<A extends Action>(
  contenders: readonly Contender[],
  actions: readonly A[],
  rounds: number,
): Promise<Record<A, number[]>[]> {
  const times = contenders.map(() =>
    Object.fromEntries(actions.map((action) => [action, []])) as unknown as Record<A, number[]>
  );
  using progress = new ProgressBar({ label: "timing", total: rounds + 1, unit: "rounds" });
  for (let round = 0; round <= rounds; round++) {
    for (const action of actions) {
      for (const [i, contender] of contenders.entries()) {
        const milliseconds = await contender.time(action);
        if (round > 0) times[i][action].push(milliseconds);
      }
    }
    progress.update(round + 1);
  }
  return times;
}

/** All sections of the results, as lines of text; prints each as it is done. */
class Report {
  readonly sections: string[] = [];

  constructor(readonly silent: boolean) {}

  add(section: string): void {
    this.sections.push(section);
    if (!this.silent) console.log(`${this.sections.length > 1 ? "\n" : ""}${section}`);
  }

  /** Markdown with the command that made it. */
  markdown(): string {
    const command = ["deno task bench", ...Deno.args].join(" ");
    const day = new Date().toISOString().slice(0, 10);
    const blocks = this.sections.map((section) => `\`\`\`text\n${section}\n\`\`\`\n`);
    return [`# Measured speed\n\nMeasured on ${day} by\n\n\`\`\`sh\n${command}\n\`\`\`\n`, ...blocks].join(
      "\n",
    );
  }
}

function machineFacts(): Record<string, string | number> {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    threads: availableParallelism(),
    memory: formatBytes(totalmem()),
    deno: Deno.version.deno,
    tfjs: tf.version.tfjs,
    load: Deno.loadavg()[0].toFixed(1),
  };
}

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  const model = modelFor(flags);
  if (flags.output !== undefined) {
    await Deno.mkdir(dirname(flags.output), { recursive: true });
    await ensureWritable(flags.output);
  }
  const batch = flags.batch ?? (flags.network === "digits" ? 64 : 32);
  const machine = machineFacts();
  const ours: Ours[] = [];
  const contenders: Contender[] = [];
  const report = new Report(flags.json);
  try {
    for (const engine of flags.engine) {
      const opened = await openOurs(engine, model, batch, flags.checkpoint);
      ours.push(opened);
      contenders.push(opened);
    }
    const engines = ours.map(({ name }) => name);
    if (flags.against === "pytorch") contenders.push(await openTwin(model.network, batch, flags.twinSteps));
    const parameters = parameterCount(networkFromConfig(model.network) as Network);
    report.add(
      [
        `${flags.network}, ${parameters} parameters, batch ${batch}, images ${flags.side}×${flags.side}, ` +
        `${flags.rounds} rounds in turn`,
        `${machine.cpu}, ${machine.threads} threads, ${machine.memory} memory, load ${machine.load} before, Deno ` +
        `${machine.deno}, TensorFlow.js ${machine.tfjs}` +
        (engines.includes("onnx") ? `, onnxruntime ${ONNX_RUNTIME.version}` : ""),
        ...contenders.map(({ name, about }) => `${name}: ${about}`),
      ].join("\n"),
    );
    const times = await measure(contenders, ["forward", "step"], flags.rounds);
    for (const action of ["forward", "step"] as const) {
      const rows = contenders.map(({ name }, i) => ({ name, milliseconds: times[i][action] }));
      report.add(actionTable(titles[action], batch, rows));
    }
    const digits = flags.digits ? await timeDigits(contenders, flags, report) : null;
    const memory = await Promise.all(contenders.map((contender) => contender.memory()));
    report.add(memoryLine(ours, contenders, memory));
    if (flags.profile) await addProfiles(engines, model, batch, report);
    if (flags.growth) await addGrowth(engines, flags, report);
    if (flags.output !== undefined) {
      await atomicWrite(flags.output, new TextEncoder().encode(report.markdown()));
    }
    if (flags.json) {
      const results = contenders.map(({ name, about }, i) => ({
        name,
        about,
        memory: memory[i],
        milliseconds: { ...times[i], ...(digits === null ? {} : { digits: digits[i] }) },
      }));
      console.log(JSON.stringify({ network: flags.network, parameters, batch, machine, results }));
    }
  } finally {
    for (const contender of contenders) await contender.close();
  }
}

async function timeDigits(
  contenders: readonly Contender[],
  flags: Flags,
  report: Report,
): Promise<number[][]> {
  const times = await measure(contenders, ["digits"], flags.digitsRounds);
  const rows = contenders.map(({ name }, i) => ({ name, milliseconds: times[i].digits }));
  const notes = [
    `Here: ${DEFAULT_SAMPLER}, its default steps and the default guidance, which evaluates the network twice at some of them.`,
  ];
  if (flags.against !== undefined) {
    notes.push(
      `PyTorch: the tutorial's network and Euler–Maruyama, ${flags.twinSteps} steps` +
        (flags.twinSteps === 500 ? "." : " where the tutorial has 500."),
    );
  }
  report.add(`${actionTable(titles.digits, DIGITS_COUNT, rows)}\n${notes.join(" ")}`);
  return times.map(({ digits }) => digits);
}

function memoryLine(
  ours: readonly Ours[],
  contenders: readonly Contender[],
  memory: readonly number[],
): string {
  const twins = contenders.slice(ours.length).map(({ name }, i) =>
    `${name} ${formatBytes(memory[ours.length + i])}`
  );
  const here = `${ours.map(({ name }) => name).join(" and ")} ${formatBytes(memory[0])}`;
  return `peak memory of the process: ${[here, ...twins].join(", ")}`;
}

async function addProfiles(
  engines: readonly Engine["name"][],
  model: ModelConfig,
  batch: number,
  report: Report,
): Promise<void> {
  for (const name of engines) {
    const shares = await profile(await useEngine(name), model, batch);
    for (const action of ["forward", "step"] as const) {
      report.add(`${titles[action]} on ${name}, by operation\n${profileTable(shares[action])}`);
    }
  }
}

async function addGrowth(engines: readonly string[], flags: Flags, report: Report): Promise<void> {
  const sizes = [];
  const wanted = flags.network === "digits" ? SIZES : SIZES.filter(({ side }) => side === 28);
  const total = engines.length * wanted.length;
  using progress = new ProgressBar({ label: "growth", total, unit: "sizes" });
  for (const engine of engines) {
    for (const size of wanted) {
      sizes.push(await measureSize(engine, flags.network, size, Math.min(2, flags.rounds)));
      progress.update(sizes.length);
    }
  }
  report.add(`growth, each size in a process of its own\n${growthTable(sizes)}`);
}

if (import.meta.main) await runScript(main);
