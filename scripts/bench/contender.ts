/**
 * What is timed beside others: this project on its engines, and PyTorch.
 * @module
 */
import { type Engine, type EngineName, useEngine } from "../../src/compute/engine.ts";
import { createRng } from "../../src/compute/rng.ts";
import { networkFromConfig } from "../../src/networks/registry.ts";
import type { Network } from "../../src/networks/network.ts";
import { networkPredictor } from "../../src/networks/network_predictor.ts";
import type { ModelConfig } from "../../src/networks/noise_prediction.ts";
import { OPTIMIZER_DEFAULTS } from "../../src/training/optimizer.ts";
import { train, type TrainingConfig } from "../../src/training/train.ts";
import { createSampling } from "../sampling/sampling.ts";
import { DEFAULT_GUIDANCE, DEFAULT_SAMPLER } from "../../src/runs/defaults.ts";
import { runSampling, type SamplingRequest } from "../../src/runs/sampling.ts";
import { loadCheckpoint } from "../sampling/checkpoint.ts";
import { openEngine } from "../cli/engine.ts";
import { peakMemory } from "../cli/memory.ts";

/** What can be timed. */
export type Action = "forward" | "step" | "digits";

/** PyTorch operation by operation, and with the kernels that torch.compile makes of the network and the loss. */
export const rivals = ["pytorch", "torch-compile"] as const;

/** What this project is timed beside. */
export type Rival = typeof rivals[number];

/** Digits in a run of the action `digits`. */
export const DIGITS_COUNT = 64;

/** What is timed beside others. */
export interface Contender {
  readonly name: string;
  /** One line about device and versions. */
  readonly about: string;
  /**
   * Milliseconds that a forward pass, a training step, or the drawing of {@link DIGITS_COUNT} digits from noise to
   * pictures takes, its result included; what is loaded and compiled once is not.
   */
  time(action: Action): Promise<number>;
  /** The most memory in bytes that its process ever held. */
  memory(): Promise<number>;
  close(): Promise<void>;
}

/** This project on one engine. */
export interface Ours extends Contender {
  readonly name: Engine["name"];
}

/** This project on one engine, for a model without training; `checkpoint` is what the digits are drawn with. */
export async function openOurs(
  name: EngineName,
  model: ModelConfig,
  batch: number,
  checkpoint: string | undefined,
): Promise<Ours> {
  const engine = await openEngine(name);
  const network = networkFromConfig(model.network) as Network;
  const rng = createRng(1);
  const noisePredictor = networkPredictor(model, network.initialise(rng));
  await noisePredictor.prepare(batch);
  const shape = [batch, ...network.sampleShape];
  const y = rng.normal(shape);
  const config: TrainingConfig = {
    model,
    objective: { kind: "edm", mean: -1, std: 1.2, sigmaData: 0.5 },
    optimizer: OPTIMIZER_DEFAULTS,
    steps: 1_000_000,
    batch,
    labelDropout: 0.15,
    seed: 1,
  };
  const data = {
    images: Float32Array.from(rng.uniformValues(shape), (u) => 2 * u - 1),
    labels: Array.from({ length: batch }, (_, row) => row % Math.max(1, network.classes)),
  };
  const steps = train(config, () => data, { reportEvery: 1 });
  let trained: Awaited<ReturnType<typeof loadCheckpoint>> | null = null;
  const act: Record<Action, () => Promise<void>> = {
    async forward() {
      const noise = noisePredictor.predictNoise(y, 0.5);
      await noise.data();
      noise.dispose();
    },
    async step() {
      await steps.next();
    },
    async digits() {
      const consistent = trained!.consistency;
      const request: SamplingRequest = {
        ...createSampling({ sde: "ve", sampler: consistent ? "consistency" : DEFAULT_SAMPLER }),
        label: "random",
        guidance: consistent ? { scale: 1 } : DEFAULT_GUIDANCE,
        classifierScale: 0,
        denoise: true,
        count: DIGITS_COUNT,
        batch: DIGITS_COUNT,
        seed: 0,
        shard: { index: 1, shards: 1 },
        frames: false,
      };
      await Array.fromAsync(runSampling(request, { noisePredictor: trained!, engine }));
    },
  };
  return {
    name: engine.name,
    about: engine.reason,
    async time(action) {
      await useEngine(engine.name);
      if (action === "digits" && trained === null) {
        trained = await loadCheckpoint(checkpoint, "mnist-consistency", "either");
        await trained.prepare(DIGITS_COUNT);
      }
      const started = performance.now();
      await act[action]();
      const milliseconds = performance.now() - started;
      engine.check();
      return milliseconds;
    },
    memory: peakMemory,
    async close() {
      await steps.return();
      noisePredictor.dispose();
      trained?.dispose();
      y.dispose();
    },
  };
}
