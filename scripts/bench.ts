/**
 * Times the forward pass and the training step, side by side with PyTorch if asked: `deno task bench`.
 * @module
 */
import { availableParallelism, cpus } from "node:os";
import { type EngineName, useEngine } from "../src/compute/engine.ts";
import { createRng } from "../src/compute/rng.ts";
import * as tf from "../src/compute/tf.ts";
import { NETWORK_PRESETS, networkFromConfig } from "../src/networks/catalogue.ts";
import { type Network, parameterCount } from "../src/networks/network.ts";
import { networkDenoiser } from "../src/networks/network_denoiser.ts";
import type { ModelConfig } from "../src/networks/noise_prediction.ts";
import { OPTIMIZER_DEFAULTS } from "../src/training/optimizer.ts";
import { train, type TrainingConfig } from "../src/training/train.ts";
import { choice, integer, list, parseFlags, runScript, toggle } from "./flags.ts";
import { ProgressBar } from "./terminal.ts";
import { openTwin } from "./twin.ts";

const actions = ["forward", "step"] as const;
type Action = typeof actions[number];

/** What is timed beside others. */
export interface Contender {
  readonly name: string;
  /** One line about device and versions. */
  readonly about: string;
  /** Milliseconds that one forward pass or one training step takes, its result included. */
  time(action: Action): Promise<number>;
  close(): Promise<void>;
}

const usage = {
  name: "bench",
  purpose:
    "Times a forward pass (weights baked in, as in sampling) and a training step (noise, loss, gradients, clipping, Adam, " +
    "moving average), contenders in turn, so that what else the machine does hits all alike.",
  examples: ["deno task bench", "deno task bench --engine wasm,onnx --against pytorch"],
  flags: {
    network: choice(["digits", "tutorial"], { help: "what to run", default: "digits" }),
    batch: integer({ help: "images in a batch; default 64 for digits, 32 for tutorial", min: 1, max: 4096 }),
    engine: list(
      choice(["auto", "webgpu", "onnx", "wasm", "cpu"], { help: "what computes, one or several" }),
      ["auto"],
    ),
    against: choice(["pytorch"], {
      help: "the same network in PyTorch, in the same run (needs python3 with torch)",
    }),
    rounds: integer({ help: "measurements of each", default: 7, min: 1, max: 1000 }),
    json: toggle({ help: "print all measurements as JSON" }),
  },
} as const;

/** This project on one engine. */
async function openOurs(name: EngineName, model: ModelConfig, batch: number): Promise<Contender> {
  const engine = await useEngine(name);
  const network = networkFromConfig(model.network) as Network;
  const rng = createRng(1);
  const denoiser = networkDenoiser(model, network.initialise(rng));
  await denoiser.prepare(batch);
  const shape = [batch, ...network.sampleShape];
  const images = rng.uniformValues(shape);
  const y = rng.normal(shape);
  const labels = Array.from({ length: batch }, (_, row) => row % Math.max(1, network.classes));
  const config: TrainingConfig = {
    model,
    objective: { kind: "edm", mean: -1, std: 1.2, sigmaData: 0.5 },
    optimizer: OPTIMIZER_DEFAULTS,
    steps: 1_000_000,
    batch,
    labelDropout: 0.15,
    seed: 1,
  };
  const data = { images: Float32Array.from(images, (u) => 2 * u - 1), labels };
  const steps = train(config, () => data, { reportEvery: 1 });
  return {
    name: engine.name,
    about: engine.reason,
    async time(action) {
      await useEngine(engine.name);
      const started = performance.now();
      if (action === "step") await steps.next();
      else {
        const noise = denoiser.noise(y, 0.5);
        await noise.data();
        noise.dispose();
      }
      const milliseconds = performance.now() - started;
      engine.check();
      return milliseconds;
    },
    async close() {
      await steps.return();
      denoiser.dispose();
      y.dispose();
    },
  };
}

/** Smallest, middle and largest of some numbers. */
export function spread(values: readonly number[]): { min: number; median: number; max: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const median = (sorted[Math.floor(half)] + sorted[Math.ceil(half) - 1]) / 2;
  return { min: sorted[0], median, max: sorted[sorted.length - 1] };
}

function table(
  batch: number,
  contenders: readonly Contender[],
  times: readonly Record<Action, number[]>[],
): string {
  const digits = (value: number) =>
    value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
  const width = Math.max(...contenders.map(({ name }) => name.length)) + 2;
  const lines: string[] = [];
  for (const action of actions) {
    const title = action === "forward" ? "forward pass" : "training step";
    const head = [
      title.padEnd(Math.max(width, 15)),
      ...["min ms", "median", "max", "images/s"].map((c) => c.padStart(9)),
    ];
    lines.push("", head.join(""));
    const last = contenders.length - 1;
    const reference = contenders[last].name.startsWith("PyTorch") ? times[last][action] : null;
    for (const [i, { name }] of contenders.entries()) {
      const { min, median, max } = spread(times[i][action]);
      const cells = [digits(min), digits(median), digits(max), digits(1000 * batch / median)];
      const ratios = reference === null || i === last
        ? null
        : spread(times[i][action].map((t, k) => reference[k] / t));
      const ratio = ratios === null
        ? ""
        : `   ${ratios.median.toFixed(2)} × PyTorch's speed (${ratios.min.toFixed(2)} to ${
          ratios.max.toFixed(2)
        })`;
      lines.push(name.padEnd(Math.max(width, 15)) + cells.map((cell) => cell.padStart(9)).join("") + ratio);
    }
  }
  return lines.join("\n");
}

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  const batch = flags.batch ?? (flags.network === "digits" ? 64 : 32);
  const network = NETWORK_PRESETS[flags.network];
  const model: ModelConfig = {
    network,
    preconditioning: flags.network === "digits" ? { sigmaData: 0.5, centre: 0 } : null,
  };
  const load = Deno.loadavg()[0].toFixed(1);
  const contenders: Contender[] = [];
  try {
    for (const engine of flags.engine) contenders.push(await openOurs(engine, model, batch));
    if (flags.against === "pytorch") contenders.push(await openTwin(network, batch));
    const times = contenders.map(() => ({ forward: [] as number[], step: [] as number[] }));
    {
      using progress = new ProgressBar({ label: "timing", total: flags.rounds + 1, unit: "rounds" });
      for (let round = 0; round <= flags.rounds; round++) {
        for (const action of actions) {
          for (const [i, contender] of contenders.entries()) {
            const milliseconds = await contender.time(action);
            // The first round warms everything up.
            if (round > 0) times[i][action].push(milliseconds);
          }
        }
        progress.update(round + 1);
      }
    }
    const machine = {
      cpu: cpus()[0]?.model ?? "unknown",
      threads: availableParallelism(),
      deno: Deno.version.deno,
      tfjs: tf.version.tfjs,
      load,
    };
    const parameters = parameterCount(networkFromConfig(network) as Network);
    if (flags.json) {
      const results = contenders.map(({ name, about }, i) => ({ name, about, milliseconds: times[i] }));
      console.log(JSON.stringify({ network: flags.network, parameters, batch, machine, results }));
      return;
    }
    console.log(
      `${flags.network}, ${parameters} parameters, batch ${batch}, ${flags.rounds} rounds in turn\n` +
        `${machine.cpu}, ${machine.threads} threads, load ${machine.load} before, Deno ${machine.deno}, TensorFlow.js ${machine.tfjs}`,
    );
    for (const { name, about } of contenders) console.log(`${name}: ${about}`);
    console.log(table(batch, contenders, times));
  } finally {
    for (const contender of contenders) await contender.close();
  }
}

if (import.meta.main) await runScript(main);
