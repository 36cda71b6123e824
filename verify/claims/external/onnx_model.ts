/**
 * Models in ONNX files through a runtime that is written out: what a session is given, and what is refused.
 * @module
 */
import * as tf from "../../../src/compute/tf.ts";
import { linearBetas } from "../../../src/diffusion/beta_schedule.ts";
import { discreteDdpm, veSde } from "../../../src/diffusion/sde.ts";
import { onnxModel, type OnnxModelOptions } from "../../../src/external/onnx_model.ts";
import { smallRuntime, type SmallSession, SmallTensor } from "../../instruments/small_onnx_runtime.ts";
import { claim } from "../../suite/claim.ts";

const base = { sde: veSde({ sigmaMax: 20 }), prediction: "noise", conditioning: "sigma" } as const;
const bytes = new Uint8Array([1]);

/** A session whose output is 10 x + the row's condition; with fewer conditions than rows, the last one. */
function session(
  x: readonly (number | string)[],
  condition: readonly (number | string)[],
  type = "float32",
): SmallSession {
  return {
    inputMetadata: [{ name: "x", type: "float32", shape: x }, { name: "t", type, shape: condition }],
    run: ({ x, t }) => {
      const size = x.data.length / x.dims[0];
      const of = (i: number) => Number(t.data[Math.min(t.data.length - 1, Math.floor(i / size))]);
      const data = Float32Array.from(x.data, (value, i) => 10 * value + of(i));
      return { out: new SmallTensor("float32", data, x.dims) };
    },
  };
}

/** What the model predicts for y. */
async function predicted(
  of: SmallSession,
  y: tf.Tensor,
  ratio: number | Float64Array,
  options: Partial<OnnxModelOptions> = {},
) {
  const { runtime, seen } = smallRuntime(of);
  const model = await onnxModel(bytes, { ...base, runtime, ...options });
  const noise = await model.predictNoise(y, ratio);
  const values = Array.from(await noise.data());
  noise.dispose();
  await model.dispose();
  return { values, seen, model };
}

claim(
  "graphs of any or a fixed batch, with one condition or one for each row, predict the same rows",
  async (check) => {
    const y = tf.tensor2d([[1, 2], [3, 4], [5, 6]]);
    const ratios = Float64Array.of(0.5, 0.5, 4);
    const expected = [10.5, 20.5, 30.5, 40.5, 54, 64];
    const cases: [label: string, x: (number | string)[], condition: (number | string)[], runs: string[]][] = [
      ["any batch", ["batch", 2], ["batch"], ["3 of 3"]],
      ["a batch of two", [2, 2], [2], ["2 of 2", "2 of 2"]],
      ["a batch of two by its conditions", ["batch", 2], [2], ["2 of 2", "2 of 2"]],
      ["a batch of one", [1, 2], [1], ["1 of 1", "1 of 1", "1 of 1"]],
      ["a batch of five", [5, 2], [5], ["5 of 5"]],
      ["one condition as a list", ["batch", 2], [1], ["1 of 2", "1 of 1"]],
      ["one condition as a number", ["batch", 2], [], ["1 of 2", "1 of 1"]],
      ["a batch of two with one condition", [2, 2], [1], ["1 of 2", "1 of 2"]],
    ];
    const before = tf.memory().numTensors;
    for (const [label, x, condition, runs] of cases) {
      const { values, seen } = await predicted(session(x, condition), y, ratios);
      check.equal(`${label}: noise`, values, expected, "10 x + ν, whatever the batch");
      const own = seen.runs.map(({ x, t }) => `${t.data.length} of ${x.dims[0]}`);
      check.equal(`${label}: conditions and rows of each run`, own, runs, "the graph's shapes");
      check.equal(
        `${label}: axes of the condition`,
        seen.runs[0].t.dims.length,
        condition.length,
        "the graph's",
      );
      check.equal(`${label}: sessions released`, seen.released, 1, "dispose()");
    }
    check.equal("tensors left", tf.memory().numTensors - before, 0, "what runs make is disposed");
    y.dispose();
  },
);

claim("conditions have the type that the graph takes; whole ones are rounded indices", async (check) => {
  const y = tf.tensor2d([[1, 2]]);
  const sde = discreteDdpm(linearBetas(10));
  const ratio = sde.sigma(0.74) / sde.alpha(0.74);
  for (
    const [type, list] of [["float32", Float32Array], ["float64", Float64Array], ["int32", Int32Array], [
      "int64",
      BigInt64Array,
    ]] as const
  ) {
    const of = session(["batch", 2], ["batch"], type);
    const { seen } = await predicted(of, y, ratio, { sde, conditioning: "index" });
    const { t } = seen.runs[0];
    check.equal(`${type}: the tensor's type`, t.type, type, "the graph's");
    check.holds(`${type}: its elements`, t.data instanceof list, "onnxruntime's arrays by type");
    const expected = type.startsWith("int") ? 6 : 6.4;
    check.within(`${type}: the index at t = 0.74 of 10 steps`, Number(t.data[0]), expected, 1e-5, "10 t − 1");
  }
  y.dispose();
});

claim(
  "inputs are found by their axes, by their names, or by their order where nobody tells",
  async (check) => {
    const y = tf.tensor2d([[1, 2]]);
    const sized = (first: string, second: string, shapes: string[][]): SmallSession => ({
      inputMetadata: [{ name: first, type: "float32", shape: shapes[0] }, {
        name: second,
        type: "float32",
        shape: shapes[1],
      }],
      outputNames: ["out", "other"],
      run: (feeds) => ({
        out: new SmallTensor("float32", Float32Array.from(feeds.a.data), feeds.a.dims),
        other: new SmallTensor("float32", Float32Array.from(feeds.a.data, (v) => -v), feeds.a.dims),
      }),
    });
    const backwards = sized("s", "a", [["batch"], ["batch", "n"]]);
    const byAxes = await predicted(backwards, y, 3, { output: "out" });
    check.equal("the condition first", byAxes.values, [1, 2], "the states have more than one axis");
    const byOutput = await predicted(backwards, y, 3, { output: "other" });
    check.equal("another output", byOutput.values, [-1, -2], "the output by its name");
    const named = await predicted(backwards, y, 3, { output: "out", inputs: { x: "a", condition: "s" } });
    check.equal("by names", named.values, [1, 2], "the inputs by their names");
    const silent = { ...backwards, inputMetadata: undefined, inputNames: ["a", "s"] };
    const byOrder = await predicted(silent, y, 3, { output: "out" });
    check.equal("without metadata", byOrder.values, [1, 2], "states, then the condition");
    check.equal("sample's axes where nobody tells", byOrder.model.sampleShape, null, "no metadata");
    const images = session(["batch", 3, 8, "width"], ["batch"]);
    const { runtime } = smallRuntime(images);
    const model = await onnxModel(bytes, { ...base, runtime, layout: "nchw" });
    check.equal(
      "sample's axes of PyTorch's images",
      model.sampleShape,
      [8, null, 3],
      "height, width, channels",
    );
    y.dispose();
  },
);

claim("a pull-back's graph is given states, conditions and what is pulled back", async (check) => {
  // Noise 10 x + ν: its pull-back is 10 dy.
  const { runtime, seen } = smallRuntime({
    inputMetadata: [
      { name: "x", type: "float32", shape: ["batch", 2] },
      { name: "t", type: "float32", shape: ["batch"] },
      { name: "dy", type: "float32", shape: ["batch", 2] },
    ],
    run: ({ dy }) => ({
      out: new SmallTensor("float32", Float32Array.from(dy.data, (v) => 10 * v), dy.dims),
    }),
  });
  const forward = smallRuntime(session(["batch", 2], ["batch"]));
  let opened = 0;
  const create = () =>
    (opened++ === 0 ? forward.runtime : runtime).InferenceSession.create() as Promise<unknown>;
  const both = { InferenceSession: { create }, Tensor: SmallTensor };
  const model = await onnxModel(bytes, { ...base, runtime: both, pullBack: bytes });
  const [y, dy] = [tf.tensor2d([[1, 2]]), tf.tensor2d([[3, 4]])];
  const pulled = await model.pullBack!(y, 5, dy);
  check.equal("pulled back", Array.from(await pulled.data()), [30, 40], "10 dy");
  check.equal("its states", Array.from(seen.runs[0].x.data), [1, 2], "y");
  await model.dispose();
  check.equal("sessions released", [forward.seen.released, seen.released], [1, 1], "dispose()");
  tf.dispose([y, dy, pulled]);
});

claim("models and states that do not fit are refused in one sentence", async (check) => {
  const y = tf.ones([2, 8, 8, 1]);
  const image = (shape: (number | string)[], answer?: SmallSession["run"]): SmallSession => {
    const of = session(shape, ["batch"]);
    return answer ? { ...of, run: answer } : of;
  };
  const open = (of: SmallSession, options: object = {}) => () =>
    onnxModel(bytes, { ...base, runtime: smallRuntime(of).runtime, ...options });
  const use = (of: SmallSession, options: object = {}) => () => predicted(of, y, 2, options);
  const any = ["batch", 8, 8, 1];
  const constant = (value: number, dims: number[], type = "float32") => () => ({
    out: { type, dims, data: new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(value) },
  });
  const refused: [string, () => unknown, RegExp][] = [
    [
      "no bytes",
      () => onnxModel("model.onnx" as never, base),
      /^bytes must be bytes, a Uint8Array, got "model.onnx"$/,
    ],
    [
      "another runtime",
      () => onnxModel(bytes, { ...base, runtime: {} as never }),
      /^runtime must be the module onnxruntime-web or onnxruntime-node, with InferenceSession and Tensor, got an object$/,
    ],
    [
      "another prediction",
      open(image(any), { prediction: "epsilon" }),
      /^prediction must be "noise" or .*, got "epsilon"$/,
    ],
    [
      "a third input",
      open({
        ...image(any),
        inputMetadata: [...image(any).inputMetadata!, {
          name: "classes",
          type: "float32",
          shape: ["batch", 11],
        }],
      }),
      /^the ONNX model has the input "classes" float32 \[batch, 11\], for which there is nothing: it takes states and the condition$/,
    ],
    [
      "no condition",
      open({ ...image(any), inputMetadata: image(any).inputMetadata!.slice(0, 1) }),
      /^the ONNX model must have an input for the condition, it has "x" float32 \[batch, 8, 8, 1\]$/,
    ],
    [
      "another name than said",
      open(image(any), { inputs: { condition: "timestep" } }),
      /^the ONNX model has no input "timestep" for the condition, it has "x" float32 \[batch, 8, 8, 1\], "t" float32 \[batch\]$/,
    ],
    [
      "a condition of two axes",
      open(session(any, ["batch", 1]), { inputs: { x: "x", condition: "t" } }),
      /^the input "t" of the ONNX model for the condition must be \[batch\], \[1\] or \[\], got \[batch, 1\]$/,
    ],
    [
      "states in half precision",
      open({
        ...image(any),
        inputMetadata: image(any).inputMetadata!.map((input) => ({ ...input, type: "float16" })),
      }),
      /^the input "x" of the ONNX model for states must be float32, got float16$/,
    ],
    [
      "a condition of another type",
      open(session(any, ["batch"], "bool")),
      /^the input "t" of the ONNX model for the condition must be float32 or float64 or int32 or int64, got bool$/,
    ],
    [
      "whole conditions that are no index",
      open(session(any, ["batch"], "int64")),
      /^the ONNX model's condition is a whole number, so conditioning must be "index" or "whole-index", got "sigma"$/,
    ],
    [
      "two outputs",
      open({ ...image(any), outputNames: ["noise", "denoised"] }),
      /^the ONNX model has the outputs "noise", "denoised": say which by output$/,
    ],
    [
      "another output",
      open(image(any), { output: "eps" }),
      /^the ONNX model has no output "eps", it has "out"$/,
    ],
    [
      "NCHW given as NHWC",
      use(image(["batch", 1, 8, 8])),
      /^the ONNX model takes states of shape \[batch, 1, 8, 8\], got \[2, 8, 8, 1\]: give layout "nchw"$/,
    ],
    [
      "NHWC given as NCHW",
      use(image(any), { layout: "nchw" }),
      /^the ONNX model takes states of shape \[batch, 8, 8, 1\], got \[2, 1, 8, 8\]: give layout "nhwc"$/,
    ],
    [
      "another size",
      use(image(["batch", 9, 9, 1])),
      /^the ONNX model takes states of shape \[batch, 9, 9, 1\], got \[2, 8, 8, 1\]$/,
    ],
    [
      "another shape from the model",
      use(image(any, constant(0, [2, 8, 8, 2]))),
      /^the output of the ONNX model must have the shape of its states, \[2, 8, 8, 1\], got \[2, 8, 8, 2\]$/,
    ],
    [
      "NaN from the model",
      use(image(any, constant(NaN, [2, 8, 8, 1]))),
      /^the output of the ONNX model must be finite, got NaN in row 0, for the condition 2$/,
    ],
    [
      "another type from the model",
      use(image(any, () => ({ out: new SmallTensor("float64", new Float64Array(128), [2, 8, 8, 1]) }))),
      /^the output of the ONNX model must be float32, got float64$/,
    ],
    [
      "a run that fails",
      use(image(any, () => {
        throw new Error("out of memory\nat line 3");
      })),
      /^the ONNX model failed for states of shape \[2, 8, 8, 1\]: out of memory$/,
    ],
    [
      "use after disposal",
      async () => {
        const model = await open(image(any))() as Awaited<ReturnType<typeof onnxModel>>;
        await model.dispose();
        return await model.predictNoise(y, 2);
      },
      /^the ONNX model was disposed: open it again$/,
    ],
  ];
  const before = tf.memory().numTensors;
  for (const [label, action, message] of refused) await check.throws(label, action, message);
  check.equal("tensors left", tf.memory().numTensors - before, 0, "what failed runs make is disposed");
  y.dispose();
});
