/**
 * Files that are almost right: a parameter turned on its side, moments of another network, steps that are none.
 * @module
 */
import { pixelMoments, slice } from "../src/data/dataset.ts";
import { proceduralDigits } from "../src/data/digits.ts";
import { gunzip, gzip } from "../src/data/gzip.ts";
import { createRng } from "../src/compute/rng.ts";
import { networkFromConfig } from "../src/networks/catalogue.ts";
import { readModel, writeModel } from "../src/networks/model_file.ts";
import { type NamedTensor, readSafetensors, writeSafetensors } from "../src/networks/safetensors.ts";
import { readCheckpoint, writeCheckpoint } from "../src/training/checkpoint.ts";
import { OPTIMIZER_DEFAULTS } from "../src/training/optimizer.ts";
import { initialState, type TrainingConfig } from "../src/training/train.ts";
import { claim } from "./claim.ts";

const config: TrainingConfig = {
  model: {
    network: { kind: "mlp", dimensions: 2, hidden: 3, layers: 1, noiseFeatures: 4, classes: 0 },
    preconditioning: { sigmaData: 1, centre: 0 },
  },
  objective: { kind: "edm", mean: 0, std: 1, sigmaData: 1 },
  optimizer: OPTIMIZER_DEFAULTS,
  ...{ steps: 9, batch: 1, labelDropout: 0, seed: 0 },
};
const state = initialState(networkFromConfig(config.model.network), 0);

/** A checkpoint with some of its tensors and words changed. */
function changed(
  tensors: Record<string, (tensor: NamedTensor) => NamedTensor | null>,
  words: Record<string, string | undefined> = {},
): Uint8Array {
  const whole = readSafetensors(writeCheckpoint({ config, state, data: "points" }));
  const kept = [...whole.tensors].flatMap(([name, tensor]) => {
    const other = name in tensors ? tensors[name](tensor) : tensor;
    return other === null ? [] : [[name, other] as const];
  });
  const metadata = Object.fromEntries(
    Object.entries({ ...whole.metadata, ...words }).filter((entry): entry is [string, string] =>
      entry[1] !== undefined
    ),
  );
  return writeSafetensors({ tensors: new Map(kept), metadata });
}

claim("a checkpoint with one thing wrong is refused with what it is", async (check) => {
  const turned = ({ shape, values }: NamedTensor) => ({ shape: [...shape].reverse(), values });
  const shorter = ({ values }: NamedTensor) => ({ shape: [values.length - 1], values: values.subarray(1) });
  const read = (bytes: Uint8Array) => () => readCheckpoint(bytes);
  const same = readCheckpoint(changed({}));
  check.equal("unchanged: state", same.state, state, "it is read as it was");
  check.equal("unchanged: data", same.data, "points", "its header");
  check.equal(
    "no word about data",
    readCheckpoint(changed({}, { data: undefined })).data,
    "unknown",
    "older files",
  );
  await check.throws(
    "a parameter turned",
    read(changed({ "head.weight": turned })),
    /head.weight has shape \[2,3\] instead of \[3,2\]/,
  );
  await check.throws(
    "a parameter lost",
    read(changed({ "head.bias": () => null })),
    /no parameter head.bias/,
  );
  for (const name of ["weights", "mean", "variance"]) {
    const key = `training.${name}`;
    await check.throws(
      `${name} too short`,
      read(changed({ [key]: shorter })),
      new RegExp(`${key} is missing or has the wrong size`),
    );
    await check.throws(
      `${name} lost`,
      read(changed({ [key]: () => null })),
      new RegExp(`${key} is missing or has the wrong size`),
    );
  }
  for (const step of ["-1", "1.5", "many"]) {
    await check.throws(`step ${step}`, read(changed({}, { step })), new RegExp(`step is ${step}`));
  }
  await check.throws("no step", read(changed({}, { step: undefined })), /step is undefined/);
  await check.throws("no recipe", read(changed({}, { training: undefined })), /no training state/);
  await check.throws("a torn recipe", read(changed({}, { training: "{" })), /training config is not JSON/);
  for (
    const preconditioning of [{ sigmaData: 0, centre: 0 }, { sigmaData: -1, centre: 0 }, { sigmaData: 1 }]
  ) {
    const model = JSON.stringify({ ...config.model, preconditioning });
    const use = () => readModel(changed({}, { model }));
    await check.throws(
      `preconditioning ${JSON.stringify(preconditioning)}`,
      use,
      /config cannot be used: its preconditioning/,
    );
  }
});

claim("half precision refuses what it cannot hold, and keeps infinities that were there", async (check) => {
  const model = (value: number) => {
    const weights = new Map(
      networkFromConfig(config.model.network).parameters.map(({ name, shape }) =>
        [name, new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(value)] as const
      ),
    );
    return () => writeModel({ config: config.model, weights }, "F16");
  };
  for (const value of [1e5, -65520]) await check.throws(`${value}`, model(value), /which F16 cannot/);
  for (const value of [65504, 65519, Infinity, 2 ** -24]) {
    const { weights } = readModel(model(value)());
    check.equal(`${value}`, weights.get("head.bias")![0], Math.f16round(value), "IEEE 754 half precision");
  }
});

claim("gzip is known by both its bytes, and a slice of a data set stays inside it", async (check) => {
  for (const bytes of [[0x1f], [0x1f, 0], [0, 0x8b], []]) {
    const plain = Uint8Array.from(bytes);
    check.equal(`[${bytes}]`, await gunzip(plain), plain, "only 1f 8b begins gzip");
  }
  const words = new TextEncoder().encode("digits");
  check.equal("there and back", await gunzip(await gzip(words)), words, "gzip");
  const digits = proceduralDigits(5, createRng(1));
  for (const [from, to, first, count] of [[1, 3, 1, 2], [3, 99, 3, 2], [-2, 2, 0, 2]]) {
    const part = slice(digits, from, to);
    check.equal(`${from} to ${to}: count`, [part.count, part.labels.length, part.images.length], [
      count,
      count,
      784 * count,
    ], "what is there");
    check.equal(
      `${from} to ${to}: labels`,
      part.labels,
      digits.labels.slice(first, first + count),
      "from the first on",
    );
    check.equal(
      `${from} to ${to}: images`,
      part.images,
      digits.images.slice(784 * first, 784 * (first + count)),
      "from the first on",
    );
  }
  const two = {
    ...digits,
    count: 1,
    shape: [1, 2, 1] as const,
    images: Uint8Array.of(0, 255),
    labels: Uint8Array.of(0),
  };
  check.equal("moments of black and white", pixelMoments(two), { mean: 0, std: 1 }, "in model units, over n");
});
