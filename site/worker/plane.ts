/** Particles in the plane under Langevin dynamics, the reverse SDE and the probability flow, beside each other. @module */
import {
  createRng,
  eulerMaruyama,
  type ExactDistribution,
  odeHeun,
  type Rng,
  sample,
  type Sampler,
  scoreModel,
  type Tensor,
  vpSde,
} from "../../mod.ts";
import { energyDistance, slicedWasserstein } from "../../src/metrics/mod.ts";
import type { Field, PlaneRequest, PlaneResult, PlaneShape, PlaneStep } from "../protocol.ts";
import type { JobContext } from "./job.ts";
import { dataField, distributionOf, fieldsAt, scoreAt } from "./plane_shape.ts";
import { tidy } from "./tensors.ts";

/** Directions of the sliced Wasserstein distance. */
const DIRECTIONS = 32;
/** How often distances are measured in a run, the start included. */
const MEASUREMENTS = 50;
/** Pairs of sets of exact samples that the floor is the mean of. */
const PAIRS = 8;

/** The density of a shape, and its score. */
export function field(shape: PlaneShape): Promise<Field> {
  return dataField(distributionOf(shape));
}

/** Follows particles from noise; all three ways begin with the same. */
export async function plane(
  request: PlaneRequest,
  { step: tell, signal }: JobContext<PlaneStep>,
): Promise<PlaneResult> {
  const { particles: count, steps, stepSize, seed } = request;
  const distribution = distributionOf(request.shape);
  const model = scoreModel(distribution, vpSde());
  const rng = createRng(seed);
  const distance = distanceOf(request, rng);
  const truth = await exactSamples(distribution, rng.fork("truth"), count);
  const still = await dataField(distribution);
  const begin = (sampler: Sampler) =>
    sample(model, sampler, {
      shape: [count, 2],
      grid: { kind: "quadratic", steps },
      rng: createRng(seed),
      signal,
    });
  const [reverse, flow] = [begin(eulerMaruyama()), begin(odeHeun())];
  const langevin = langevinStates(distribution, { count, stepSize, seed });
  try {
    for (let step = 0; step <= steps; step++) {
      const time = await timeOf(reverse, flow);
      const particles = { langevin: (await langevin.next()).value!, reverse: time.reverse, flow: time.flow };
      const fields = { langevin: still, ...await fieldsAt(distribution, model, time.time) };
      const every = Math.ceil(steps / MEASUREMENTS);
      const measured = step % every === 0 || step === steps;
      const distances = measured
        ? {
          langevin: distance(particles.langevin, truth),
          reverse: distance(particles.reverse, truth),
          flow: distance(particles.flow, truth),
        }
        : null;
      await tell({ step, steps, time: time.time, particles, fields, distances });
    }
    return { floor: await floorOf(distribution, distance, rng, count, signal) };
  } finally {
    await Promise.all([reverse.return(), flow.return(), langevin.return()]);
  }
}

/** The states of both runs after their next step, and their time. */
async function timeOf(reverse: ReturnType<typeof sample>, flow: ReturnType<typeof sample>) {
  const [first, second] = [await nextState(reverse), await nextState(flow)];
  return { time: first.time, reverse: first.values, flow: second.values };
}

async function nextState(run: ReturnType<typeof sample>) {
  const { value } = await run.next();
  if (value === undefined) throw new Error("a run ended before its last step");
  const values = Float32Array.from(await value.x.data<"float32">());
  if (value.done) value.x.dispose();
  return { time: value.time, values };
}

/** x ← x + ε ∇log p(x) + √(2ε) z, from the noise that the other ways begin with. */
async function* langevinStates(
  distribution: ExactDistribution,
  { count, stepSize, seed }: { readonly count: number; readonly stepSize: number; readonly seed: number },
): AsyncGenerator<Float32Array<ArrayBuffer>, void, void> {
  const shape = [count, 2];
  const noise = createRng(seed).fork("langevin");
  let x: Tensor = createRng(seed).normal(shape);
  try {
    for (;;) {
      yield Float32Array.from(await x.data<"float32">());
      const moved: Tensor = tidy(() =>
        x.add(scoreAt(distribution, x).mul(stepSize)).add(noise.normal(shape).mul(Math.sqrt(2 * stepSize)))
      );
      x.dispose();
      x = moved;
    }
  } finally {
    x.dispose();
  }
}

/** A distance between two sets of points [N, 2]. */
type Distance = (a: Float32Array, b: Float32Array) => number;

function distanceOf({ distance }: PlaneRequest, rng: Rng): Distance {
  const measure: Distance = distance === "energy"
    ? (a, b) => energyDistance(a, b, 2)
    : (a, b) => slicedWasserstein(a, b, 2, DIRECTIONS, rng);
  // Langevin dynamics with a long step leaves every bound.
  return (a, b) => a.every(Number.isFinite) ? measure(a, b) : Infinity;
}

async function exactSamples(distribution: ExactDistribution, rng: Rng, count: number): Promise<Float32Array> {
  const x = distribution.sample(rng, count);
  const values = Float32Array.from(await x.data<"float32">());
  x.dispose();
  return values;
}

/** The distance between two sets of exact samples, over independent pairs. */
async function floorOf(
  distribution: ExactDistribution,
  distance: Distance,
  rng: Rng,
  count: number,
  signal: AbortSignal,
): Promise<PlaneResult["floor"]> {
  const distances: number[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    signal.throwIfAborted();
    const [a, b] = [
      await exactSamples(distribution, rng.fork(`floor a ${pair}`), count),
      await exactSamples(distribution, rng.fork(`floor b ${pair}`), count),
    ];
    distances.push(distance(a, b));
  }
  const mean = distances.reduce((sum, value) => sum + value) / PAIRS;
  const variance = distances.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (PAIRS - 1);
  return { mean, std: Math.sqrt(variance) };
}
