/**
 * Models in ONNX files, run by ONNX Runtime in Deno, Node and browsers.
 * @module
 */
import { loadOnnxSessions } from "../compute/onnx/runtime.ts";
import { requireBytes, requireOptions, requireText } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";
import { type ExternalModel, externalModel, type ExternalModelOptions } from "./external_model.ts";
import { type GraphNames, OnnxGraph, reasonOf, type Role, type RuntimeModule } from "./onnx_graph.ts";

/** The module onnxruntime-web or onnxruntime-node, as `import * as runtime` gives it. */
export interface OnnxRuntimeModule {
  /** What opens models. */
  readonly InferenceSession: object;
  /** The class of its tensors. */
  readonly Tensor: object;
}

/** How an ONNX file is to be run and understood. */
export interface OnnxModelOptions extends Omit<ExternalModelOptions, "pullBack"> {
  /** The runtime; default onnxruntime-node, which is loaded from npm. */
  readonly runtime?: OnnxRuntimeModule;
  /** The runtime's options of a session, such as `{ executionProviders: ["webgpu"] }`. */
  readonly sessionOptions?: Readonly<Record<string, unknown>>;
  /** Names of the inputs for states and conditions; by default the one with more than one axis, and the other. */
  readonly inputs?: { readonly x?: string; readonly condition?: string };
  /** The output's name; it may be left out where there is one output. */
  readonly output?: string;
  /** The bytes of an ONNX file with the vector-Jacobian product: x, condition and dy, of x's shape, to dx. */
  readonly pullBack?: Uint8Array;
}

/** The noise predictor of an ONNX file. */
export interface OnnxNoisePredictor extends ExternalModel {
  /** A sample's axes, those of images as [height, width, channels], null where free; null where the runtime does not tell them. */
  readonly sampleShape: readonly (number | null)[] | null;
  /** Releases the runtime's sessions; the noise predictor cannot be used afterwards. */
  dispose(): Promise<void>;
}

/** A session whose threads leave the processor to others while they wait, and which says nothing but errors. */
const QUIET = { extra: { session: { intra_op: { allow_spinning: "0" } } }, logSeverityLevel: 3 };

/**
 * The noise predictor of a model in an ONNX file of one input for states, float32 [batch, …], and one for the condition, a number
 * or [1] for all rows or [batch], float32, float64, int32 or int64. Its batch may be fixed: any number of rows is predicted.
 *
 * Conditions of whole numbers are indices, rounded. Prediction, conditioning and layout are those of {@linkcode externalModel},
 * and `readSchedulerConfig` gives them for models of diffusers.
 *
 * @example The sum of x and the condition, with a runtime that knows nothing else
 * ```ts
 * import * as tf from "../compute/tf.ts";
 * import { vpSde } from "../diffusion/sde.ts";
 * import { onnxModel } from "./onnx_model.ts";
 * type Inputs = Record<string, { dims: number[]; data: Float32Array }>;
 * const session = {
 *   inputNames: ["x", "t"],
 *   outputNames: ["sum"],
 *   run: ({ x, t }: Inputs) => Promise.resolve({ sum: { dims: x.dims, data: x.data.map((value) => value + t.data[0]) } }),
 *   release: () => Promise.resolve(),
 * };
 * const runtime = {
 *   InferenceSession: { create: () => Promise.resolve(session) },
 *   Tensor: class {
 *     constructor(type: string, data: unknown, dims: readonly number[]) {
 *       Object.assign(this, { type, data, dims });
 *     }
 *   },
 * };
 * const options = { runtime, sde: vpSde(), prediction: "noise", conditioning: "sigma" } as const;
 * const model = await onnxModel(new Uint8Array([0]), options);
 * const noise = await model.predictNoise(tf.zeros([1, 2]), 3);
 * console.assert((await noise.data())[0] === 3);
 * await model.dispose();
 * ```
 * @throws {TypeError | RangeError} When an option is missing or not one of those allowed, or the model has other inputs or outputs,
 * naming them. When used, for states of another shape, and unless the output is finite, float32 and of the states' shape.
 * @throws {Error} When the runtime does not load, or finds no model in the bytes.
 */
export async function onnxModel(bytes: Uint8Array, options: OnnxModelOptions): Promise<OnnxNoisePredictor> {
  requireBytes("bytes", bytes);
  requireOptions("options", options);
  const { sessionOptions, inputs = {}, output, layout = "nhwc", pullBack, conditioning } = options;
  requireOptions("inputs", inputs);
  for (const [role, name] of Object.entries(inputs)) {
    if (name !== undefined) requireText(`inputs.${role}`, name);
  }
  if (output !== undefined) requireText("output", output);
  if (sessionOptions !== undefined) requireOptions("sessionOptions", sessionOptions);
  if (pullBack !== undefined) requireBytes("pullBack", pullBack);
  const graphs: Partial<Record<"model" | "pullBack", OnnxGraph>> = {};
  // Its options are checked before anything is loaded.
  const predictor = externalModel((x, condition) => graphs.model!.run({ x, condition }), {
    ...options,
    pullBack: pullBack && ((x, condition, dy) => graphs.pullBack!.run({ x, condition, dy })),
  });
  const runtime =
    (options.runtime === undefined ? await loadOnnxSessions() : options.runtime) as unknown as RuntimeModule;
  requireRuntime(runtime);
  const settings = sessionOptions ?? (options.runtime === undefined ? QUIET : {});
  const open = async (what: string, file: Uint8Array, roles: readonly Role[], names: GraphNames) => {
    const session = await runtime.InferenceSession.create(file, settings).catch((cause: unknown) => {
      throw new Error(`${what} cannot be opened by the runtime: ${reasonOf(cause)}`, { cause });
    });
    try {
      return new OnnxGraph({ runtime, session, what, roles, names, layout });
    } catch (error) {
      await session.release();
      throw error;
    }
  };
  const dispose = async () => {
    await graphs.model?.dispose();
    await graphs.pullBack?.dispose();
  };
  try {
    graphs.model = await open("the ONNX model", bytes, ["x", "condition"], { inputs, output });
    if (pullBack) graphs.pullBack = await open("the ONNX pull-back", pullBack, ["x", "condition", "dy"], {});
    if (graphs.model.takesWholeConditions && !/index$/.test(conditioning)) {
      throw new RangeError(
        `the ONNX model's condition is a whole number, so conditioning must be "index" or "whole-index", got ${
          quoted(conditioning)
        }`,
      );
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  return { ...predictor, sampleShape: graphs.model.sampleShape, dispose };
}

function requireRuntime(runtime: RuntimeModule): void {
  if (
    typeof runtime === "object" && runtime !== null && typeof runtime.Tensor === "function" &&
    typeof runtime.InferenceSession?.create === "function"
  ) return;
  throw new TypeError(
    `runtime must be the module onnxruntime-web or onnxruntime-node, with InferenceSession and Tensor, got ${
      quoted(runtime)
    }`,
  );
}
