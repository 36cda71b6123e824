/**
 * Where the time of a forward pass and of a training step goes, by operation.
 * @module
 */
import { compileRecord, recordOf, type ShapesOf } from "../../src/compute/compile_record.ts";
import type { Engine } from "../../src/compute/engine.ts";
import { createRng } from "../../src/compute/rng.ts";
import * as tf from "../../src/compute/tf.ts";
import { networkFromConfig } from "../../src/networks/registry.ts";
import { type Network, parameterCount } from "../../src/networks/network.ts";
import { networkPredictor } from "../../src/networks/network_predictor.ts";
import type { ModelConfig } from "../../src/networks/noise_prediction.ts";
import { OPTIMIZER_DEFAULTS } from "../../src/training/optimizer.ts";
import {
  type DenoisingBatch,
  denoisingGradient,
  denoisingShapes,
} from "../../src/training/denoising_step.ts";
import { stepShapes, trainingStep } from "../../src/training/step.ts";
import type { Share } from "./table.ts";

/** Runs that are averaged, after one to warm up. */
const RUNS = 3;

/**
 * Milliseconds by operation of a forward pass and a training step: TensorFlow.js' own profile, or on the onnx engine the
 * runtime's, which it writes to a temporary file.
 */
export async function profile(
  engine: Engine,
  model: ModelConfig,
  batch: number,
): Promise<{ forward: Share[]; step: Share[] }> {
  const network = networkFromConfig(model.network) as Network;
  const noisePredictor = networkPredictor(model, network.initialise(createRng(1)));
  const step = trainingStep(denoisingGradient(network, model.preconditioning), OPTIMIZER_DEFAULTS);
  const measure = engine.name === "onnx" ? profileNative : profileEager;
  const result = {
    forward: await measure(
      ({ y }: { y: tf.Tensor }) => ({ noise: noisePredictor.predictNoise(y, 0.5) }),
      { y: [batch, ...network.sampleShape] },
    ),
    step: await measure(
      step,
      stepShapes<DenoisingBatch>(parameterCount(network), denoisingShapes(network, batch)),
    ),
  };
  noisePredictor.dispose();
  return result;
}

/** Positive numbers, as variances and noise ratios are. */
function inputsOf<Inputs extends object>(shapes: ShapesOf<Inputs>): Inputs {
  const rng = createRng(2);
  return recordOf<Inputs>(shapes, (shape, index) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const values = rng.fork(String(index)).uniformValues([1, size]);
    return tf.tensor(Float32Array.from(values), shape);
  });
}

async function profileEager<Inputs extends object>(
  fn: (inputs: Inputs) => object,
  shapes: ShapesOf<Inputs>,
): Promise<Share[]> {
  const inputs = inputsOf(shapes);
  tf.dispose(tf.tidy(() => fn(inputs)));
  const shares = new Map<string, Share>();
  for (let run = 0; run < RUNS; run++) {
    let outputs: object = [];
    const { kernels } = await tf.profile(() => {
      outputs = tf.tidy(() => fn(inputs));
      return {};
    });
    for (const kernel of kernels) add(shares, kernel.name, await kernel.kernelTimeMs as number);
    tf.dispose(outputs);
  }
  tf.dispose(inputs);
  return averaged(shares);
}

/** One event of the runtime's profile; times are in microseconds. */
interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

async function profileNative<Inputs extends object>(
  fn: (inputs: Inputs) => object,
  shapes: ShapesOf<Inputs>,
): Promise<Share[]> {
  const folder = await Deno.makeTempDir();
  try {
    const compiled = await compileRecord(fn, shapes, { profile: `${folder}/profile` });
    const inputs = inputsOf(shapes);
    for (let run = 0; run <= RUNS; run++) tf.dispose(compiled.run(inputs));
    compiled.dispose();
    tf.dispose(inputs);
    const [file] = [...Deno.readDirSync(folder)];
    const events: TraceEvent[] = JSON.parse(await Deno.readTextFile(`${folder}/${file.name}`));
    const shares = new Map<string, Share>();
    const seen = new Set<string>();
    for (const { cat, name, dur, args } of events) {
      if (cat !== "Node" || !name.endsWith("_kernel_time") || args?.op_name === undefined) continue;
      // A node's first run warms up.
      if (seen.has(name)) add(shares, args.op_name, dur / 1000);
      seen.add(name);
    }
    return averaged(shares);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function add(shares: Map<string, Share>, operation: string, milliseconds: number): void {
  const known = shares.get(operation) ?? { operation, calls: 0, milliseconds: 0 };
  shares.set(operation, {
    operation,
    calls: known.calls + 1,
    milliseconds: known.milliseconds + (Number.isFinite(milliseconds) ? milliseconds : 0),
  });
}

function averaged(shares: ReadonlyMap<string, Share>): Share[] {
  return [...shares.values()].map(({ operation, calls, milliseconds }) => ({
    operation,
    calls: calls / RUNS,
    milliseconds: milliseconds / RUNS,
  }));
}
