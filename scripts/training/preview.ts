/**
 * Sample grids of a run that is going on, drawn over the noise levels of its training.
 * @module
 */
import { createRng } from "../../src/compute/rng.ts";
import { fromModel } from "../../src/data/dataset.ts";
import { type Dataset, someOf } from "../../src/data/held_out.ts";
import { fromUnits } from "../../src/data/units.ts";
import { scoreModel } from "../../src/diffusion/noise_predictor.ts";
import { networkFromConfig } from "../../src/networks/registry.ts";
import { unflatten } from "../../src/networks/network.ts";
import { networkPredictor } from "../../src/networks/network_predictor.ts";
import { imageGrid } from "../../src/images/grid.ts";
import { sample } from "../../src/samplers/sample.ts";
import type { Checkpoint } from "../../src/training/checkpoint.ts";
import { chainNames, chainRatios } from "../sampling/ddpm_chains.ts";
import { openSampling, type SamplingConfig } from "../../src/runs/sampling.ts";
import { createSampling } from "../sampling/sampling.ts";
import { DEFAULT_SAMPLER } from "../../src/runs/defaults.ts";
import { shownChannels } from "../sampling/channels.ts";
import { pointsPng } from "../sampling/point_picture.ts";
import { checkedPlan, planSampling } from "../sampling/noise_plan_file.ts";

/** Columns of the sample grid, each of one class, at least if there are as many classes as this or fewer. */
const GRID_COLUMNS = 10;

/** The most points of a picture. */
const MOST_POINTS = 1000;

/** A sampling, and the rows of a grid of its samples. */
interface Preview extends SamplingConfig {
  readonly rows: number;
}

/**
 * How samples of a run are drawn: annealed Langevin dynamics over all levels of its noise plan, or DDIM on its chain, a
 * consistency model in three steps, or in 15 steps of DPM-Solver++(2M) under VE. Langevin dynamics takes some thousand evaluations, so its grid has fewer rows.
 * @throws {Error} when the checkpoint's noise plan is invalid
 */
export function planPreview({ config: { objective }, plan }: Checkpoint): Preview {
  if (objective.kind === "consistency") {
    return { ...createSampling({ sde: "ve", sampler: "consistency" }), rows: 5 };
  }
  if (plan !== undefined) {
    return { ...planSampling(checkedPlan(plan, "the checkpoint's plan")), rows: 2 };
  }
  const chain = objective.kind === "levels"
    ? chainNames.find((name) => String(chainRatios(name)) === String(objective.ratios))
    : undefined;
  if (chain !== undefined) {
    // 37 divides the 999 steps between the chain's times, so every time is one of the chain's.
    return { ...createSampling({ sde: chain, sampler: "ddim", grid: "uniform", steps: 37 }), rows: 5 };
  }
  const sampling = createSampling({ sde: "ve", sampler: DEFAULT_SAMPLER });
  return { ...sampling, grid: { kind: "karras", steps: 15 }, rows: 5 };
}

/**
 * Samples from a checkpoint's moving average, columns of one class each, as a PNG; null when `stopped` says so on the way. Of
 * points, as many as the data has up to 1,000 beside those of the data; a sentence where points have one coordinate.
 * @throws {Error} when a sample is not finite
 */
export async function previewPng(
  checkpoint: Checkpoint,
  stopped: () => boolean,
  dataset?: Dataset,
): Promise<Uint8Array<ArrayBuffer> | string | null> {
  const { config, state } = checkpoint;
  const preview = planPreview(checkpoint);
  const { rows } = preview;
  const { sde, sampler, grid } = openSampling(preview);
  const network = networkFromConfig(config.model.network);
  const classes = Math.max(1, network.classes);
  const columns = classes * Math.max(1, Math.floor(GRID_COLUMNS / classes));
  const points = network.sampleShape.length === 1;
  if (points && network.sampleShape[0] === 1) return "no picture of points of one coordinate";
  const known = dataset !== undefined && "values" in dataset ? someOf(dataset, MOST_POINTS) : null;
  const count = points ? known?.count ?? MOST_POINTS : rows * columns;
  const labels = Array.from({ length: count }, (_, i) => network.classes > 0 ? i % columns % classes : null);
  const noisePredictor = networkPredictor(config.model, unflatten(network.parameters, state.ema));
  try {
    await noisePredictor.prepare(count);
    const shape = [count, ...network.sampleShape];
    const rng = createRng(config.seed).fork("snapshot");
    const model = scoreModel(noisePredictor.withLabels(labels), sde);
    for await (const { done, x } of sample(model, sampler, { shape, grid, rng })) {
      if (stopped()) return null;
      if (!done) continue;
      const values = await x.data<"float32">();
      x.dispose();
      if (points) {
        const units = config.model.units!;
        const drawn = { title: `${count} samples, step ${state.step}`, points: fromUnits(values, units) };
        const data = known === null
          ? []
          : [{ title: `${count} points of the data`, points: fromUnits(known.values, units) }];
        return await pointsPng([...data, drawn], units);
      }
      const { step } = state;
      const title = `step ${step}: ${preview.sampler.name}, ${grid.steps} steps`;
      const columnNames = network.classes === 0
        ? []
        : labels.slice(0, columns).map((label) => `class ${label}`);
      return imageGrid(...shownChannels(fromModel(values), shape), { columns, title, columnNames }).toPng();
    }
    return null;
  } finally {
    noisePredictor.dispose();
  }
}
