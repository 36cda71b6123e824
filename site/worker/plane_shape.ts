/** The exact distribution of a shape in the plane, and its density and fields over the square. @module */
import {
  Banana,
  diffusedLogDensity,
  type ExactDistribution,
  GaussianMixture,
  type ScoreModel,
  type Tensor,
} from "../../mod.ts";
import type { Field, PlaneShape } from "../protocol.ts";
import { HALF_SIDE } from "../settings/modes.ts";
import { ARROWS, CELLS } from "../settings/plane_grid.ts";
import { tensor2d, tidy } from "./tensors.ts";

/** Noise ratio at which scores without noise are taken; far below every width of the shapes. */
export const LEAST_NOISE = 0.01;

/** The distribution of a shape. */
export function distributionOf(shape: PlaneShape): ExactDistribution {
  if (shape.kind === "banana") return new Banana({ width: shape.width, bend: shape.bend });
  const variance = shape.spread ** 2;
  return GaussianMixture.from({
    weights: shape.modes.map(({ weight }) => weight),
    means: shape.modes.map(({ x, y }) => [x, y]),
    covariances: shape.modes.map(() => [[variance, 0], [0, variance]]),
  });
}

/** ∇ log p of the data, with the least noise. */
export function scoreAt(distribution: ExactDistribution, x: Tensor): Tensor {
  return tidy(() => distribution.predictNoise(x, LEAST_NOISE).mul(-1 / LEAST_NOISE) as Tensor);
}

/** The density of the data, and its score. */
export async function dataField(distribution: ExactDistribution): Promise<Field> {
  const [logs, score] = tidy(() => [
    distribution.logDensity(cellCentres(CELLS), LEAST_NOISE),
    scoreAt(distribution, cellCentres(ARROWS)),
  ]);
  return await fieldOf(logs, score);
}

/** The density at a time, with what moves particles back in time there: the reverse SDE's drift, and the flow's velocity. */
export async function fieldsAt(
  distribution: ExactDistribution,
  { sde, odeDrift }: ScoreModel,
  time: number,
): Promise<{ reverse: Field; flow: Field }> {
  const [logs, velocity, drift] = tidy(() => {
    const at = cellCentres(ARROWS);
    const flow = odeDrift(at, time);
    // f x − g² s is twice f x − ½ g² s, less f x.
    const reverse = flow.mul(2).sub(at.mul(sde.driftCoefficient(time)));
    return [
      diffusedLogDensity(distribution, sde, cellCentres(CELLS), time),
      flow.neg() as Tensor,
      reverse.neg() as Tensor,
    ];
  });
  const flow = await fieldOf(logs, velocity);
  const arrows = await drift.data<"float32">();
  drift.dispose();
  return { flow, reverse: { density: flow.density.slice(), arrows: Float32Array.from(arrows) } };
}

async function fieldOf(logs: Tensor, vectors: Tensor): Promise<Field> {
  const [values, arrows] = [await logs.data<"float32">(), Float32Array.from(await vectors.data<"float32">())];
  logs.dispose();
  vectors.dispose();
  const peak = values.reduce((most, value) => Math.max(most, value), -Infinity);
  // The root shows tails beside peaks.
  return {
    density: Uint8Array.from(values, (value) => Math.round(255 * Math.exp((value - peak) / 2))),
    arrows,
  };
}

/** Centres of side × side cells of the square, [side², 2], rows from the lowest up. */
function cellCentres(side: number): Tensor {
  const at = (i: number) => HALF_SIDE * ((2 * i + 1) / side - 1);
  const points = Float32Array.from(
    { length: 2 * side * side },
    (_, i) => at(i % 2 === 0 ? (i >> 1) % side : Math.floor((i >> 1) / side)),
  );
  return tensor2d(points, [side * side, 2]);
}
