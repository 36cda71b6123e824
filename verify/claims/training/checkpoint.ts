/** Claims about model files and checkpoints: what is written is read, and what is not one is refused. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { DIGITS, networkFromConfig } from "../../../src/networks/registry.ts";
import { readModel, writeModel } from "../../../src/networks/model_file.ts";
import { flatten } from "../../../src/networks/network.ts";
import { readSafetensors, writeSafetensors } from "../../../src/networks/safetensors.ts";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "../../../src/training/checkpoint.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { initialState, type TrainingConfig } from "../../../src/training/train.ts";
import { claim } from "../../suite/claim.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";

const config: TrainingConfig = {
  model: {
    network: { ...DIGITS, widths: [8, 16], blocks: 1, middleBlocks: 1, embedding: 8 },
    preconditioning: { sigmaData: 0.616, centre: -0.7386 },
  },
  objective: { kind: "edm", mean: -1, std: 1.2, sigmaData: 0.616 },
  optimizer: OPTIMIZER_DEFAULTS,
  steps: 100,
  batch: 8,
  labelDropout: 0.15,
  seed: 7,
};

/** A checkpoint whose four lists of numbers differ. */
function checkpoint(seed: number): Checkpoint {
  const network = networkFromConfig(config.model.network);
  const state = initialState(network, seed);
  const size = state.weights.length;
  const draw = (name: string) => createRng(seed).fork(name).normalValues([1, size]);
  return {
    config,
    state: {
      step: 42,
      weights: draw("w"),
      ema: draw("e"),
      mean: draw("m"),
      variance: draw("v").map((v) => v * v),
    },
    data: "digits",
  };
}

/** Positions at which two lists of numbers differ in bits; a list of another length differs everywhere. */
function differences(a: Float32Array | Uint8Array, b: Float32Array | Uint8Array): number {
  if (a.length !== b.length) return Math.max(a.length, b.length);
  let count = 0;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) count++;
  return count;
}

claim("a checkpoint is read as it was written, bit for bit", (check) => {
  const written = checkpoint(check.seed);
  const bytes = writeCheckpoint(written);
  const read = readCheckpoint(bytes);
  const source = "float32 in, float32 out; JSON in, JSON out";
  check.equal("config", read.config, written.config, source);
  check.equal("data", read.data, written.data, source);
  check.equal("step", read.state.step, written.state.step, source);
  for (const name of ["weights", "ema", "mean", "variance"] as const) {
    check.equal(`${name}, differences`, differences(read.state[name], written.state[name]), 0, source);
  }
  const again = differences(writeCheckpoint(read), bytes);
  check.equal("written again, differences", again, 0, "the same contents give the same bytes");
});

claim("the model in a checkpoint is its moving average", (check) => {
  const written = checkpoint(check.seed);
  const model = readModel(writeCheckpoint(written));
  const { parameters } = networkFromConfig(config.model.network);
  check.equal("config", model.config, config.model, "what sampling needs");
  const different = differences(flatten(parameters, model.weights), written.state.ema);
  check.equal("weights, differences", different, 0, "sampling uses the average");
});

claim("safetensors have the layout that the format specifies", (check) => {
  const tensors = new Map([["a", { shape: [2, 1], values: new Float32Array([1.5, -2]) }]]);
  const bytes = writeSafetensors({ tensors, metadata: { k: "v" } });
  const view = new DataView(bytes.buffer);
  const length = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const source = "the safetensors format: length, header, data";
  const expected = {
    __metadata__: { k: "v" },
    a: { dtype: "F32", shape: [2, 1], data_offsets: [0, 8] },
  };
  check.equal("header", header, expected, source);
  check.equal("size", bytes.length, 8 + length + 8, source);
  check.equal("alignment of the numbers", (8 + length) % 8, 0, "a multiple of 8");
  // IEEE 754 single precision: 1.5 is 3fc00000, −2 is c0000000.
  check.equal("numbers", bytes.slice(-8).toHex(), "0000c03f000000c0", "IEEE 754, little-endian");
  const half = writeSafetensors({ tensors, metadata: {} }, "F16");
  check.equal("half precision", half.slice(-4).toHex(), "003e00c0", "IEEE 754: 1.5 is 3e00, −2 is c000");
});

claim("numbers survive a safetensors file: float32 exactly, half precision to a half unit", async (check) => {
  const float = fc.float32Array({ maxLength: 50 });
  await checkProperty(check, "F32", fc.dictionary(fc.string(), float), (named) => {
    const tensors = new Map(
      Object.entries(named).filter(([name]) => name !== "__metadata__").map(([name, values]) => [
        name,
        { shape: [values.length], values },
      ]),
    );
    const { tensors: read } = readSafetensors(writeSafetensors({ tensors, metadata: {} }));
    return read.size === tensors.size &&
      [...tensors].every(([name, { values }]) =>
        values.every((v, i) => Object.is(v, read.get(name)!.values[i]))
      );
  }, "any names and any floats, NaN and infinities too");
  const inRange = fc.float32Array({ min: -60000, max: 60000, noNaN: true, maxLength: 50 });
  await checkProperty(check, "F16", inRange, (values) => {
    const tensors = new Map([["a", { shape: [values.length], values }]]);
    const read = readSafetensors(writeSafetensors({ tensors, metadata: {} }, "F16")).tensors.get("a")!.values;
    return values.every((v, i) => Math.abs(read[i] - v) <= Math.max(2 ** -11 * Math.abs(v), 2 ** -25));
  }, "11 bits of precision; the smallest step is 2⁻²⁴");
});

claim("files that hold no model are refused with a reason", async (check) => {
  const good = writeCheckpoint(checkpoint(check.seed));
  const refuses = (bytes: Uint8Array) => {
    try {
      readCheckpoint(bytes);
      return false;
    } catch (error) {
      return error instanceof TypeError && error.message.length > 20 && !error.message.includes("undefined");
    }
  };
  await checkProperty(
    check,
    "arbitrary bytes",
    fc.uint8Array({ maxLength: 300 }),
    refuses,
    "an error, no crash",
  );
  const headers = fc.json().map((text) => {
    const header = new TextEncoder().encode(text);
    const bytes = new Uint8Array(8 + header.length);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
    bytes.set(header, 8);
    return bytes;
  });
  await checkProperty(check, "arbitrary JSON headers", headers, refuses, "an error, no crash");
  const cuts = fc.nat({ max: good.length - 1 }).map((length) => good.subarray(0, length));
  await checkProperty(check, "a checkpoint cut anywhere", cuts, refuses, "an error, no crash", 50);
  const headerLength = Number(new DataView(good.buffer).getBigUint64(0, true));
  const changed = fc.tuple(fc.nat({ max: headerLength + 7 }), fc.nat({ max: 255 }));
  await checkProperty(
    check,
    "a changed byte in the header",
    changed,
    ([at, byte]) => {
      const bytes = good.slice();
      bytes[at] = byte;
      try {
        readCheckpoint(bytes);
        return true;
      } catch (error) {
        return error instanceof TypeError || error instanceof RangeError;
      }
    },
    "it still reads, or it is refused with a reason",
    300,
  );
  const tensors = new Map([["a", { shape: [1], values: new Float32Array(1) }]]);
  const foreign = writeSafetensors({ tensors, metadata: {} });
  await check.throws(
    "another project's file",
    () => readModel(foreign),
    /header does not say "score-sde model 1"/,
  );
  const { weights } = readModel(good);
  const model = writeModel({ config: config.model, weights });
  await check.throws("a model to resume", () => readCheckpoint(model), /can be sampled but not resumed/);
  const wrong = () =>
    writeSafetensors({
      tensors: new Map([["a", { shape: [2], values: new Float32Array(1) }]]),
      metadata: {},
    });
  await check.throws("shape against values", wrong, /tensor "a" of shape \[2\] cannot hold 1 values/);
  const huge = new Map([["a", { shape: [1], values: new Float32Array([1e5]) }]]);
  await check.throws(
    "too large for F16",
    () => writeSafetensors({ tensors: huge, metadata: {} }, "F16"),
    /holds 100000, which F16 cannot/,
  );
});
