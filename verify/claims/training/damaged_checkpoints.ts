/**
 * Checkpoints with one kind of damage each: a transposed parameter, moments of another network, an invalid step.
 * @module
 */
import { pixelMoments, slice } from "../../../src/data/dataset.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { gunzip } from "../../../src/data/gzip.ts";
import { useEngine } from "../../../src/compute/engine.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { DIGITS, networkFromConfig } from "../../../src/networks/registry.ts";
import { readModel, writeModel } from "../../../src/networks/model_file.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { exportOnnx } from "../../../src/networks/onnx_export.ts";
import {
  type NamedTensor,
  readSafetensors,
  tensorNamed,
  writeSafetensors,
} from "../../../src/networks/safetensors.ts";
import { readCheckpoint, writeCheckpoint } from "../../../src/training/checkpoint.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { initialState, type TrainingConfig } from "../../../src/training/train.ts";
import { claim } from "../../suite/claim.ts";
import { gzip } from "../../instruments/file_writers.ts";

const config: TrainingConfig = {
  model: {
    network: { kind: "mlp", dimensions: 2, hidden: 3, layers: 1, noiseFeatures: 4, classes: 0 },
    preconditioning: { sigmaData: 1, centre: 0 },
  },
  objective: { kind: "edm", mean: 0, std: 1, sigmaData: 1 },
  optimizer: OPTIMIZER_DEFAULTS,
  steps: 9,
  batch: 1,
  labelDropout: 0,
  seed: 0,
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

claim("each kind of damaged checkpoint is refused with an error that names the damage", async (check) => {
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
    /"head.weight" has shape \[2, 3\] instead of \[3, 2\]$/,
  );
  await check.throws(
    "a parameter lost",
    read(changed({ "head.bias": () => null })),
    /parameter "head.bias" is missing$/,
  );
  for (const name of ["weights", "mean", "variance"]) {
    const key = `training.${name}`;
    await check.throws(
      `${name} too short`,
      read(changed({ [key]: shorter })),
      new RegExp(`"${key}" has shape \\[\\d+\\] instead of \\[\\d+\\]$`),
    );
    await check.throws(
      `${name} lost`,
      read(changed({ [key]: () => null })),
      new RegExp(`"${key}" is missing$`),
    );
  }
  for (const step of ["-1", "1.5", "many"]) {
    await check.throws(
      `step ${step}`,
      read(changed({}, { step })),
      new RegExp(`step must be a whole number, got "${step}"$`),
    );
  }
  await check.throws(
    "no step",
    read(changed({}, { step: undefined })),
    /step is missing$/,
  );
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
      /config cannot be used: the preconditioning('s sigmaData must be a finite number above 0 and up to 1000000, got | has no centre)/,
    );
  }
});

claim("half precision refuses values beyond its range, and keeps infinities", async (check) => {
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
    const { tensors } = readSafetensors(model(value)());
    check.equal(
      `${value}`,
      tensors.get("head.bias")!.values[0],
      Math.f16round(value),
      "IEEE 754 half precision",
    );
  }
});

claim("gzip is recognized by both its bytes, and a slice of a data set stays inside it", async (check) => {
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

claim("every field of a checkpoint is checked, and no number in it is NaN", async (check) => {
  const refused = (what: string, bytes: () => Uint8Array, message: RegExp) =>
    check.throws(what, () => readCheckpoint(bytes()), message);
  for (const sigmaData of ["1", true, [1], null, -1, 0, 1e999]) {
    const preconditioning = { sigmaData, centre: 0 };
    const model = JSON.stringify({ ...config.model, preconditioning });
    const message = /the preconditioning's sigmaData must be a finite number above 0 and up to 1000000, got /;
    await refused(`sigmaData ${JSON.stringify(sigmaData)}`, () => changed({}, { model }), message);
  }
  const weights = networkFromConfig(config.model.network).initialise(createRng(1));
  await useEngine("cpu");
  for (const sigmaData of ["1", true, [1], NaN, -1, 0]) {
    const broken = { ...config.model, preconditioning: { sigmaData: sigmaData as number, centre: 0 } };
    const message =
      /^the preconditioning's sigmaData must be a finite number above 0 and up to 1000000, got /;
    await check.throws(`${sigmaData} to ONNX`, () => exportOnnx({ config: broken, weights }), message);
    await check.throws(`${sigmaData} as a noise predictor`, () => networkPredictor(broken, weights), message);
  }
  const networks: [change: object, message: RegExp][] = [
    [{ noiseConditional: "no" }, /noiseConditional must be true or false, got "no"$/],
    [{ noiseConditional: null }, /noiseConditional must be true or false, got null$/],
    [{ wavePeriods: 3 }, /wavePeriods must be a list of numbers, got 3$/],
    [{ wavePeriods: ["1"] }, /each of wavePeriods must be a positive number, got "1"$/],
    [{ widths: 32 }, /widths must be a list of numbers, got 32$/],
    [{ attention: null }, /attention must be a list of numbers, got null$/],
    [{ colour: 1 }, /its unet has an unknown field "colour"; its fields are kind, /],
  ];
  for (const [change, message] of networks) {
    const model = JSON.stringify({ ...config.model, network: { ...DIGITS, ...change } });
    await refused(JSON.stringify(change), () => changed({}, { model }), message);
  }
  const { model: _, ...training } = config;
  const recipes: [change: object, message: RegExp][] = [
    [{ objective: undefined }, /the training config has no objective$/],
    [{ objective: { kind: "edm", mean: 0, std: 1 } }, /the objective has no sigmaData$/],
    [
      { objective: { kind: "levels", ratios: [1, "2"] } },
      /each of the objective's ratios must be a positive number, got "2"$/,
    ],
    [
      { objective: { kind: "sde", weighting: "variance", sde: null } },
      /the objective's sde must be an object, got null$/,
    ],
    [{ steps: "10" }, /steps must be a positive integer, got "10"$/],
    [{ seed: 1.5 }, /seed must be a whole number from 0 up, got 1\.5$/],
    [{ flip: "yes" }, /flip must be true or false, got "yes"$/],
    [{ optimizer: { ...training.optimizer, rate: "1" } }, /rate must be a finite number, got "1"$/],
    [{ optimizer: { ...training.optimizer, betas: [0.9] } }, /betas must be two numbers, got \[0\.9\]$/],
    [{ speed: 1 }, /the training config has an unknown field "speed"; its fields are /],
  ];
  for (const [change, message] of recipes) {
    const words = { training: JSON.stringify({ ...training, ...change }) };
    await refused(JSON.stringify(change), () => changed({}, words), message);
  }
  for (const name of ["head.weight", "training.weights", "training.mean", "training.variance"]) {
    const broken = ({ shape, values }: NamedTensor) => ({
      shape,
      values: values.map((v, i) => i === 1 ? NaN : v),
    });
    const message = new RegExp(`"${name.replace(".", "\\.")}" holds NaN, where numbers must be finite$`);
    await refused(`NaN in ${name}`, () => changed({ [name]: broken }), message);
  }
  const negative = ({ shape, values }: NamedTensor) => ({
    shape,
    values: values.map((v, i) => i === 1 ? -0.5 : v),
  });
  await refused(
    "a negative second moment",
    () => changed({ "training.variance": negative }),
    /tensor "training\.variance" must not hold negative numbers, got -0\.5$/,
  );
});

claim("a tensor of an unsupported type is an error only when it is read", async (check) => {
  const header = (name: string) => {
    const [first, second] = [{ dtype: "F32", shape: [1], data_offsets: [0, 4] }, {
      dtype: "I64",
      shape: [1],
      data_offsets: [4, 12],
    }];
    const text = new TextEncoder().encode(JSON.stringify({ a: first, [name]: second }));
    const bytes = new Uint8Array(8 + text.length + 12);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(text, 8);
    new DataView(bytes.buffer).setFloat32(8 + text.length, 2.5, true);
    return bytes;
  };
  const file = readSafetensors(header("counts"));
  check.equal("the other one", file.tensors.get("a")?.values[0], 2.5, "the file's bytes");
  check.equal("its type", file.others?.get("counts"), "I64", "the file's header");
  await check.throws(
    "asked for",
    () => tensorNamed(file, "counts", "the tensor"),
    /^the tensor "counts" has type "I64", not F32 or F16$/,
  );
});
