/** Claims about state_dicts of PyTorch: they become checkpoints and come back bit for bit, and compute the same. @module */
import { fileURLToPath } from "node:url";
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { sizeOf } from "../../../src/math/shape.ts";
import { type Model, readModel, writeModel } from "../../../src/networks/model_file.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import type { ModelConfig } from "../../../src/networks/noise_prediction.ts";
import { NETWORK_PRESETS, type NetworkConfig, networkFromConfig } from "../../../src/networks/registry.ts";
import {
  type NamedTensor,
  readSafetensors,
  type Safetensors,
  writeSafetensors,
} from "../../../src/networks/safetensors.ts";
import { modelFromStateDict, stateDict } from "../../../src/networks/state_dict.ts";
import type { Network } from "../../../src/networks/network.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { fourierUNet, perceptron, small } from "../../problems/small_networks.ts";
import { claim } from "../../suite/claim.ts";
import { runProgram } from "../../suite/program.ts";

const tutorial: NetworkConfig = {
  ...NETWORK_PRESETS.tutorial,
  ...{ widths: [32, 64, 32, 64], embedding: 6 },
};

/** A model whose weights are all different; the first is −0, whose sign is a bit as well. */
function modelOf(network: NetworkConfig, preconditioning: ModelConfig["preconditioning"] = null): Model {
  const rng = createRng(3);
  const weights = new Map((networkFromConfig(network) as Network).parameters.map(({ name, shape }) => {
    const values = rng.fork(name).normalValues([1, sizeOf(shape)]);
    values[0] = -0;
    return [name, Float32Array.from(values, (z) => 0.3 * z)] as const;
  }));
  return { config: { network, preconditioning }, weights };
}

/** The tensors as they are in a file, whose bytes are read again. */
const file = (tensors: Map<string, NamedTensor>, metadata: Record<string, string> = {}): Safetensors =>
  readSafetensors(writeSafetensors({ tensors, metadata }));

const bytesOf = ({ values }: NamedTensor) => new Uint32Array(values.buffer, values.byteOffset, values.length);

claim("a model becomes a state_dict and comes back bit for bit, and so does a state_dict", (check) => {
  const edm = { sigmaData: 0.6, centre: -0.7 };
  const models: [string, Model, "own" | undefined][] = [
    ["U-Net", modelOf(small, edm), undefined],
    ["U-Net with waves", modelOf(fourierUNet, edm), undefined],
    ["perceptron", modelOf(perceptron), undefined],
    ["tutorial", modelOf(tutorial), undefined],
    [
      "tutorial of another range",
      modelOf({ ...tutorial, frequencies: [1, 2.5, -30], unitRange: true }),
      undefined,
    ],
    ["tutorial by its own names", modelOf(tutorial), "own"],
  ];
  for (const [what, model, names] of models) {
    const tensors = stateDict(model, names);
    const back = modelFromStateDict(file(tensors), { config: model.config });
    check.equal(
      `${what}: the checkpoint's bytes`,
      writeModel(back, "F32"),
      writeModel(model, "F32"),
      "nothing is computed",
    );
    const again = stateDict(back, names);
    check.equal(`${what}: names`, [...again.keys()], [...tensors.keys()], "as they were");
    const same = [...tensors].every(([name, tensor]) =>
      String(again.get(name)!.shape) === String(tensor.shape) &&
      bytesOf(tensor).every((word, i) => word === bytesOf(again.get(name)!)[i])
    );
    check.holds(`${what}: the state_dict's bits`, same, "nothing is computed");
    const stated = modelFromStateDict(file(tensors, { format: "pt", model: JSON.stringify(model.config) }));
    check.equal(`${what}: config from the header`, stated.config, model.config, "deno task convert's");
  }
});

claim("tensors of a state_dict have PyTorch's names and order of axes", (check) => {
  const at = (model: Model, name: string, i: number) => model.weights.get(name)![i];
  const source = "PyTorch's documentation of Conv2d, ConvTranspose2d and Linear";
  const model = modelOf(small);
  const tensors = stateDict(model);
  // [height, width, in, out] = [3, 3, 12, 4] here.
  const stem = tensors.get("stem.weight")!;
  check.equal("stem: shape", stem.shape, [4, 12, 3, 3], source);
  check.equal(
    "stem: out 3, in 5, row 2, column 1",
    stem.values[((3 * 12 + 5) * 3 + 2) * 3 + 1],
    at(model, "stem.weight", ((2 * 3 + 1) * 12 + 5) * 4 + 3),
    source,
  );
  const noise = tensors.get("embedding.noise1.weight")!;
  check.equal("noise1: shape", noise.shape, [8, 4], source);
  check.equal(
    "noise1: out 6, in 3",
    noise.values[6 * 4 + 3],
    at(model, "embedding.noise1.weight", 3 * 8 + 6),
    source,
  );
  check.holds(
    "strided convolutions",
    tensors.has("down.0.half_.weight") && tensors.has("up.0.double_.weight"),
    "a Module's methods have the names half and double",
  );

  const net = modelOf(tutorial);
  const score = stateDict(net);
  const expected = [
    "embed.0.W",
    "embed.1.weight",
    "embed.1.bias",
    ...[1, 2, 3, 4].flatMap((n) => [
      `conv${n}.weight`,
      `dense${n}.dense.weight`,
      `dense${n}.dense.bias`,
      `gnorm${n}.weight`,
      `gnorm${n}.bias`,
    ]),
    ...[[4, 5], [3, 6], [2, 7]].flatMap(([n, d]) => [
      `tconv${n}.weight`,
      `dense${d}.dense.weight`,
      `dense${d}.dense.bias`,
      `tgnorm${n}.weight`,
      `tgnorm${n}.bias`,
    ]),
    "tconv1.weight",
    "tconv1.bias",
  ];
  check.equal("ScoreNet: names", [...score.keys()], expected, "the tutorial");
  // ConvTranspose2d is [in, out, height, width]: 64 + … in, and here [3, 3, out, in].
  check.equal("tconv3: shape", score.get("tconv3.weight")!.shape, [64, 64, 3, 3], source);
  check.equal("tconv4: shape", score.get("tconv4.weight")!.shape, [64, 32, 3, 3], source);
  check.equal(
    "tconv4: in 50, out 20, row 1, column 2",
    score.get("tconv4.weight")!.values[((50 * 32 + 20) * 3 + 1) * 3 + 2],
    at(net, "up.3.conv.weight", ((1 * 3 + 2) * 32 + 20) * 64 + 50),
    source,
  );
  check.equal("tconv1: its sign", score.get("tconv1.bias")!.values[0], 0, "the score is −ε/σ: −(−0) is 0");
  // Sines come first there, cosines here; [in, out] = [6, 6] here.
  check.equal(
    "embed.1: out 4, sine 1",
    score.get("embed.1.weight")!.values[4 * 6 + 1],
    at(net, "embed.weight", (3 + 1) * 6 + 4),
    "the tutorial's GaussianFourierProjection",
  );
  const drawn = [...createRng(0).fork("frequencies").normalValues([1, 3])].map((z) => Math.fround(30 * z));
  check.equal("embed.0.W", [...score.get("embed.0.W")!.values], drawn, "the frequencies, in float32");
});

claim("a state_dict of the tutorial's names says the network by its shapes", (check) => {
  const { config, weights } = modelOf(tutorial);
  const frequencies = [0.5, -12.25, 31];
  const network = { ...tutorial, frequencies } as NetworkConfig;
  const tensors = stateDict({ config: { ...config, network }, weights });
  const plain = modelFromStateDict(file(tensors));
  const expected = {
    network: { ...tutorial, ...{ sigma: 25, frequencies, unitRange: true } },
    preconditioning: null,
  };
  check.equal("config", plain.config as unknown, expected, "the shapes, and the tutorial's own σ and pixels");
  const other = modelFromStateDict(file(tensors), { sigma: 7, unitRange: false });
  check.equal(
    "with σ = 7 and pixels in [−1, 1]",
    other.config.network as unknown,
    { ...tutorial, sigma: 7, frequencies },
    "as said",
  );
  for (const prefix of ["module.", "_orig_mod.", "_orig_mod.module."]) {
    const wrapped = new Map([...tensors].map(([name, tensor]) => [prefix + name, tensor]));
    check.equal(`names with ${prefix}`, modelFromStateDict(file(wrapped)), plain, "PyTorch's wrappers");
  }
});

claim("a state_dict that does not fit is refused in one sentence that names the tensor", async (check) => {
  const tensors = stateDict(modelOf(tutorial));
  const with_ = (change: Record<string, NamedTensor | undefined>) => {
    const changed = new Map(tensors);
    for (const [name, tensor] of Object.entries(change)) {
      if (tensor === undefined) changed.delete(name);
      else changed.set(name, tensor);
    }
    return changed;
  };
  const typed = (name: string, dtype: string): Safetensors => {
    const bytes = writeSafetensors({ tensors, metadata: {} });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    header[name].dtype = dtype;
    bytes.set(new TextEncoder().encode(JSON.stringify(header).padEnd(length)), 8);
    return readSafetensors(bytes);
  };
  const zeros = (...shape: number[]) => ({ shape, values: new Float32Array(sizeOf(shape)) });
  const own = modelOf(small);
  const cases: [string, () => unknown, RegExp][] = [
    [
      "a missing tensor",
      () => modelFromStateDict(file(with_({ "conv3.weight": undefined }))),
      /^the state_dict lacks the tensor "conv3\.weight" of the ScoreNet$/,
    ],
    [
      "missing frequencies",
      () => modelFromStateDict(file(with_({ "embed.0.W": undefined }))),
      /^the state_dict lacks the tensor "embed\.0\.W" of the ScoreNet$/,
    ],
    [
      "another name",
      () => modelFromStateDict(file(with_({ "gnorm2.gain": zeros(64) }))),
      /^the state_dict has the tensor "gnorm2\.gain", which the ScoreNet has not$/,
    ],
    [
      "some names with a prefix",
      () => modelFromStateDict(file(with_({ "module.conv1.weight": zeros(32, 1, 3, 3) }))),
      /^the state_dict has the tensor "module\.conv1\.weight", which the ScoreNet has not$/,
    ],
    [
      "another shape",
      () => modelFromStateDict(file(with_({ "dense2.dense.weight": zeros(6, 64) }))),
      /^the tensor "dense2\.dense\.weight" has shape \[6, 64\] instead of \[64, 6\]$/,
    ],
    [
      "TensorFlow's order of axes",
      () => modelFromStateDict(file(with_({ "conv2.weight": zeros(3, 3, 32, 64) }))),
      /^the tensor "conv2\.weight" has shape \[3, 3, 32, 64\] instead of \[out, in, 3, 3\] with whole groups of 32 out$/,
    ],
    [
      "frequencies of two axes",
      () => modelFromStateDict(file(with_({ "embed.0.W": zeros(1, 3) }))),
      /^the tensor "embed\.0\.W" has shape \[1, 3\] instead of \[3\]$/,
    ],
    [
      "NaN",
      () => modelFromStateDict(file(with_({ "tconv1.bias": { shape: [1], values: Float32Array.of(NaN) } }))),
      /^the tensor "tconv1\.bias" holds NaN, where numbers must be finite$/,
    ],
    [
      "float64",
      () => modelFromStateDict(typed("gnorm4.bias", "F64")),
      /^the tensor "gnorm4\.bias" has type "F64", not F32 or F16: convert it by \.float\(\)$/,
    ],
    [
      "whole numbers",
      () => modelFromStateDict(typed("gnorm4.bias", "I32")),
      /^the tensor "gnorm4\.bias" has type "I32", not F32 or F16: convert it by \.float\(\)$/,
    ],
    [
      "another network without a config",
      () => modelFromStateDict(file(stateDict(own))),
      /^the state_dict has no tensor of the tutorial's ScoreNet, such as "embed\.1\.weight": of another network its config is needed$/,
    ],
    [
      "another network's config",
      () =>
        modelFromStateDict(file(stateDict(own)), { config: { network: fourierUNet, preconditioning: null } }),
      /^the state_dict lacks the tensor "stem\.waves\.gate\.weight" of the unet network$/,
    ],
    [
      "a ScoreNet with a U-Net's config",
      () => modelFromStateDict(file(tensors), { config: own.config }),
      /^the state_dict is of the tutorial's ScoreNet, which predicts noise itself, and the config of a "unet"$/,
    ],
    [
      "a U-Net as a ScoreNet",
      () => stateDict(own, "score-net"),
      /^a ScoreNet is a tutorial network that predicts noise itself, this model is a unet of another kind: take the names "own"$/,
    ],
    [
      "a preconditioned network as a ScoreNet",
      () => stateDict(modelOf(tutorial, { sigmaData: 1, centre: 0 }), "score-net"),
      /^a ScoreNet is a tutorial network .* this model is a tutorial with preconditioning: take the names "own"$/,
    ],
  ];
  for (const [what, action, message] of cases) await check.throws(what, action, message);
});

/** The largest difference of a tensor from given values, over the largest of them. */
async function relativeError(found: tf.Tensor, expected: NamedTensor): Promise<number> {
  const error = tf.tidy(() => {
    const truth = tf.tensor(expected.values, [...expected.shape]);
    return found.sub(truth).abs().max().div(truth.abs().max());
  });
  const [value] = await error.data();
  error.dispose();
  return value;
}

claim(
  "PyTorch's ScoreNet and networks written in PyTorch predict what they predict here",
  { needs: ["pytorch"], engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const models = {
        unet: modelOf(fourierUNet, { sigmaData: 0.6, centre: -0.7 }),
        perceptron: modelOf(perceptron),
      };
      const rng = createRng(check.seed);
      for (const [name, model] of Object.entries(models)) {
        const metadata = { model: JSON.stringify(model.config) };
        const dict = writeSafetensors({ tensors: stateDict(model), metadata });
        await Deno.writeFile(`${folder}/${name}.torch.safetensors`, dict);
        const shape = [3, ...(networkFromConfig(model.config.network) as Network).sampleShape];
        const given = new Map([
          ["y", { shape, values: rng.fork(name).normalValues([1, sizeOf(shape)]) }],
          ["ratio", { shape: [3], values: Float32Array.of(0.125, 1, 16) }],
          ["labels", { shape: [3], values: Float32Array.of(0, 2, 3) }],
        ]);
        await Deno.writeFile(`${folder}/${name}.in`, writeSafetensors({ tensors: given, metadata: {} }));
      }
      const path = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
      await runProgram(
        "python3",
        [path("verify/reference/score_net.py"), path("pytorch"), folder],
        { env: { OMP_NUM_THREADS: "1" } },
      );
      const read = async (name: string) => readSafetensors(await Deno.readFile(`${folder}/${name}`));

      const net = await read("score_net.safetensors");
      check.holds(
        "names of DataParallel",
        net.tensors.has("module.embed.0.W"),
        "verify/reference/score_net.py",
      );
      const model = modelFromStateDict(net);
      const back = stateDict(readModel(writeModel(model)));
      const same = [...back].every(([name, tensor]) =>
        bytesOf(net.tensors.get(`module.${name}`)!).every((word, i) => word === bytesOf(tensor)[i])
      );
      check.holds(
        "the ScoreNet's bits, to a checkpoint and back",
        same && back.size === net.tensors.size,
        "F32",
      );
      const { tensors } = await read("score_net.out");
      const [x, t, score] = ["x", "t", "score"].map((name) => tensors.get(name)!);
      const predictor = networkPredictor(model.config, model.weights);
      const std = Array.from(t.values, (t) => Math.sqrt((25 ** (2 * t) - 1) / (2 * Math.log(25))));
      const noise = tf.tidy(() => {
        // Pixels in [0, 1] as those in [−1, 1], which have twice the noise.
        const y = tf.tensor4d(x.values, [3, 28, 28, 1]).mul(2).sub(1);
        const predicted = predictor.predictNoise(y, Float64Array.from(std, (s) => 2 * s));
        return predicted.div(tf.tensor4d(std, [3, 1, 1, 1])).neg().reshape([3, 1, 28, 28]);
      });
      check.atMost(
        "ScoreNet: largest difference of scores, relative",
        await relativeError(noise, score),
        2e-5,
        "float32 beside PyTorch in float64: some 30 roundings of 2⁻²⁴ in a row, each of a sum of up to 2,304 terms",
      );
      noise.dispose();
      predictor.dispose();

      for (const [name, model] of Object.entries(models)) {
        const dict = stateDict(model);
        const { tensors } = await read(`${name}.back.safetensors`);
        const same = [...dict].every(([key, tensor]) =>
          bytesOf(tensors.get(key)!).every((word, i) => word === bytesOf(tensor)[i])
        );
        check.holds(
          `${name}: bits by way of a .pth file`,
          same && tensors.size === dict.size,
          "state_dict.py",
        );
        const given = (await read(`${name}.in`)).tensors;
        const own = networkPredictor(model.config, model.weights);
        // The last class is that of no label.
        const noise = tf.tidy(() =>
          own.withLabels([0, 2, null]).predictNoise(
            tf.tensor(given.get("y")!.values, [...given.get("y")!.shape]),
            Float64Array.of(0.125, 1, 16),
          )
        );
        check.atMost(
          `${name}: largest difference of noise, relative`,
          await relativeError(noise, (await read(`${name}.out`)).tensors.get("noise")!),
          2e-5,
          "float32 beside PyTorch in float64",
        );
        noise.dispose();
        own.dispose();
      }
    }),
);
