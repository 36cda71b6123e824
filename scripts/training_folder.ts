/**
 * The folder that a training run writes: checkpoint, model, metrics and sample grids.
 * @module
 */
import { createRng } from "../src/compute/rng.ts";
import { fromModel } from "../src/data/dataset.ts";
import { scoreModel } from "../src/denoiser.ts";
import { networkFromConfig } from "../src/networks/catalogue.ts";
import { writeModel } from "../src/networks/model_file.ts";
import { unflatten } from "../src/networks/network.ts";
import { networkDenoiser } from "../src/networks/network_denoiser.ts";
import { imageGrid } from "../src/pictures/grid.ts";
import { encodePng } from "../src/pictures/png.ts";
import { samplerByName } from "../src/samplers/catalogue.ts";
import { drawSamples } from "../src/samplers/sample.ts";
import { veSde } from "../src/sde.ts";
import { type Checkpoint, writeCheckpoint } from "../src/training/checkpoint.ts";
import { atomicWrite } from "./files.ts";

/** Rows of the sample grid. */
const GRID_ROWS = 5;

/** Columns of the sample grid, each of one class, at least if there are as many classes as this or fewer. */
const GRID_COLUMNS = 10;

/** Where a run's files are. */
export class TrainingFolder {
  constructor(readonly path: string) {}

  get checkpoint(): string {
    return `${this.path}/checkpoint.safetensors`;
  }

  get model(): string {
    return `${this.path}/model.safetensors`;
  }

  /** Makes the folder. Throws when there is something in it, unless the run that is in it goes on. */
  async open(resumed: boolean): Promise<void> {
    await Deno.mkdir(this.path, { recursive: true });
    for await (const { name } of Deno.readDir(this.path)) {
      if (resumed && await exists(this.checkpoint)) return;
      throw new Error(
        `${this.path} is not empty (it has ${name}): go on with --resume ${this.checkpoint}, or choose another --out`,
      );
    }
  }

  /** Drops metrics of steps that will be done again. */
  async rewindMetrics(step: number): Promise<void> {
    if (!await exists(this.#metrics)) return;
    const lines = (await Deno.readTextFile(this.#metrics)).split("\n");
    const kept = lines.filter((line) => line !== "" && JSON.parse(line).step <= step);
    await atomicWrite(this.#metrics, new TextEncoder().encode(kept.map((line) => `${line}\n`).join("")));
  }

  /** Appends one line of JSON. */
  async appendMetrics(metrics: Readonly<Record<string, number>>): Promise<void> {
    await Deno.writeTextFile(this.#metrics, `${JSON.stringify(metrics)}\n`, { append: true });
  }

  /**
   * Writes the checkpoint, and the moving average alone in half precision as a model to sample from.
   * @param keep Whether to write that model under a name of its own, too, which later ones leave alone.
   */
  async save(checkpoint: Checkpoint, keep = false): Promise<void> {
    const { config, state, data } = checkpoint;
    const network = networkFromConfig(config.model.network);
    const weights = unflatten(network.parameters, state.ema);
    const { model: _, ...training } = config;
    const card = { recipe: JSON.stringify(training), step: String(state.step), data };
    await atomicWrite(this.checkpoint, writeCheckpoint(checkpoint));
    const model = writeModel({ config: config.model, weights }, "F16", { metadata: card });
    await atomicWrite(this.model, model);
    if (keep) await atomicWrite(`${this.path}/model-${sixDigits(state.step)}.safetensors`, model);
  }

  /** Samples from the moving average into a PNG, columns of one class each; returns its path. */
  async drawGrid({ config, state }: Checkpoint): Promise<string> {
    const network = networkFromConfig(config.model.network);
    const classes = Math.max(1, network.classes);
    const columns = classes * Math.max(1, Math.floor(GRID_COLUMNS / classes));
    const count = GRID_ROWS * columns;
    const labels = Array.from(
      { length: count },
      (_, i) => network.classes > 0 ? i % columns % classes : null,
    );
    const denoiser = networkDenoiser(config.model, unflatten(network.parameters, state.ema));
    try {
      await denoiser.prepare(count);
      const sde = veSde({ sigmaMin: 0.005, sigmaMax: 40 });
      const samples = await drawSamples(
        scoreModel(denoiser.withLabels(labels), sde),
        samplerByName("dpm++2m"),
        {
          shape: [count, ...network.sampleShape],
          grid: { kind: "karras", steps: 15 },
          rng: createRng(config.seed).fork("snapshot"),
        },
      );
      const values = fromModel(await samples.data<"float32">());
      samples.dispose();
      const path = `${this.path}/samples-${sixDigits(state.step)}.png`;
      await atomicWrite(path, encodePng(imageGrid(values, [count, ...network.sampleShape], { columns })));
      return path;
    } finally {
      denoiser.dispose();
    }
  }

  get #metrics(): string {
    return `${this.path}/metrics.jsonl`;
  }
}

function sixDigits(step: number): string {
  return String(step).padStart(6, "0");
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
