/** Claims about runs of many hours, with networks so small that they take a minute. @module */
import { PartialNpy } from "../../../scripts/sampling/resumable_npy.ts";
import { useEngine } from "../../../src/compute/engine.ts";
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { mlp } from "../../../src/networks/mlp.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { runSampling, type SamplingRequest } from "../../../src/runs/sampling.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { train, type TrainingConfig } from "../../../src/training/train.ts";
import { collectedHeap } from "../../instruments/collected_heap.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { type Check, claim } from "../../suite/claim.ts";

const network = { kind: "mlp", dimensions: 2, hidden: 16, layers: 1, noiseFeatures: 8, classes: 0 } as const;

/** What a run holds after some of its rounds. */
class Held {
  readonly #tensors = new Set<number>();
  readonly #engine = new Set<number>();
  /** The collected heap after a fifth of the rounds, and after all. */
  readonly #heap: number[] = [];
  readonly #before = tf.memory().numTensors;

  /** @param rounds Of the whole run; what the first hundred take is the bound for all. */
  constructor(readonly rounds: number) {}

  /** Looks at what is held after a round, counted from 1. */
  look(round: number): void {
    if (round <= 100) return;
    const { memory } =
      (tf.backend() as unknown as { wasm: { asm: { memory: WebAssembly.Memory } } }).wasm.asm;
    this.#tensors.add(tf.memory().numTensors - this.#before);
    this.#engine.add(memory.buffer.byteLength);
    const due = this.#heap.length === 0 ? this.rounds / 5 : this.rounds;
    if (round >= due) this.#heap.push(collectedHeap());
  }

  /** Holds it to what it was; `bytes` is what a round that is kept would take. */
  check(check: Check, bytes: number): void {
    check.equal(
      "numbers of tensors, after every round",
      this.#tensors.size,
      1,
      "what the first takes is the bound",
    );
    check.equal("sizes of the engine's memory", this.#engine.size, 1, "what the first takes is the bound");
    check.equal("tensors left at the end", tf.memory().numTensors - this.#before, 0, "all are disposed");
    const kept = 0.8 * this.rounds * bytes;
    check.atMost(
      "growth of the heap from a fifth of the rounds to the end, MB",
      (this.#heap[1] - this.#heap[0]) / 1e6,
      kept / 1e6,
      `what ${0.8 * this.rounds} rounds that are kept, ${bytes} bytes each, would take`,
      { detectable: "one round in each that is not let go" },
    );
  }
}

/** Does something on wasm, whose memory can be looked at. */
const onWasm = { engines: ["wasm"] } as const;

claim("20,000 training steps leave memory as after the first, and no tensor at the end", {
  ...onWasm,
  slow: { files: ["src/training", "src/compute", "src/objectives"] },
}, async (check) => {
  const config: TrainingConfig = {
    model: { network, preconditioning: { sigmaData: 1, centre: 0 } },
    objective: { kind: "edm", mean: -1, std: 1.2, sigmaData: 1 },
    optimizer: { ...OPTIMIZER_DEFAULTS, warmup: 5 },
    ...{ steps: 20_000, batch: 64, labelDropout: 0, seed: 3 },
  };
  const rng = createRng(11);
  const points = (step: number) => ({
    images: rng.fork(`points ${step}`).normalValues([config.batch, 2]),
    labels: new Array(config.batch).fill(0),
  });
  const held = new Held(config.steps);
  let last = 0;
  for await (const { step, loss } of train(config, points, { reportEvery: 100 })) {
    // In between, losses wait on the engine for the next report.
    if (loss !== null) held.look(step);
    last = step;
  }
  check.equal("steps", last, 20_000, "as asked");
  held.check(check, 4 * 2 * config.batch);
});

claim(
  "batches as many as eight hours have leave memory as after the first, and of files the array and its record",
  {
    ...onWasm,
    slow: { files: ["src/runs", "src/samplers", "src/compute", "scripts/sampling/resumable_npy.ts"] },
  },
  async (check) => {
    await withFolder(async (folder) => {
      // Eight hours of a batch in three seconds: as many take with the digits network at 17 evaluations.
      const [batches, rows] = [9600, 32];
      const config = { network, preconditioning: { sigmaData: 1, centre: 0 } };
      const held = new Held(batches);
      const noisePredictor = networkPredictor(config, mlp(network).initialise(createRng(1)));
      const request: SamplingRequest = {
        sde: { kind: "ve", sigmaMin: 0.01, sigmaMax: 10 },
        sampler: { name: "ancestral", options: {} },
        grid: { kind: "karras", steps: 2 },
        guidance: { scale: 1 },
        shard: { index: 1, shards: 1 },
        ...{ label: "none", classifierScale: 0, denoise: true, seed: 0, frames: false },
        ...{ count: batches * rows, batch: rows },
      };
      const engine = await useEngine("wasm");
      const path = `${folder}/points.npy`;
      {
        using file = await PartialNpy.open({
          path,
          shape: [request.count, 2],
          run: { seed: 0 },
          resume: false,
        });
        let round = 0;
        for await (const { values, samples } of runSampling(request, { noisePredictor, engine })) {
          await file.append(Float32Array.from(values), samples);
          held.look(++round);
        }
        await file.finish();
      }
      noisePredictor.dispose();
      held.check(check, 4 * 2 * rows);
      const files = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
      check.equal("files", files, ["points.npy", "points.npy.json"], "neither partial files nor locks");
      check.equal(
        "bytes",
        (await Deno.stat(path)).size,
        128 + 8 * request.count,
        "a header and two float32 each",
      );
    });
  },
);
