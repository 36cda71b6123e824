/**
 * Runs ONNX models through the native runtime's synchronous binding.
 * @module
 */
import { loadOnnxRuntime, loadOnnxTensors } from "./runtime.ts";
import { type OnnxModel, writeOnnx } from "./writer.ts";

/** A tensor of the runtime. */
interface RuntimeTensor {
  readonly data: Float32Array | Int32Array | Uint8Array;
  readonly dims: readonly number[];
}

interface NativeSession {
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: Record<string, unknown>): void;
  run(
    feeds: Record<string, RuntimeTensor>,
    fetches: Record<string, RuntimeTensor | null>,
    options: Record<string, unknown>,
  ): Record<string, RuntimeTensor>;
  endProfiling(): void;
  dispose(): void;
}

/** The parts of onnxruntime-node and onnxruntime-common that are used here. */
interface Runtime {
  readonly binding: { readonly InferenceSession: new () => NativeSession };
  readonly Tensor: new (type: string, data: ArrayBufferView, dims: readonly number[]) => RuntimeTensor;
  /** Channels per block of the blocked convolutions; 0 for a processor without them. */
  readonly blockSize: number;
}

/** Options of a session. */
interface SessionOptions {
  /** Path prefix for a profile of every operation, written when the session is disposed. */
  readonly profile?: string;
}

let loading: Promise<Runtime> | null = null;

/** Loads the runtime once. */
export function loadRuntime(): Promise<Runtime> {
  return loading ??= load();
}

async function load(): Promise<Runtime> {
  const { binding, initOrt } = await loadOnnxRuntime() as unknown as Runtime & { initOrt(): void };
  initOrt();
  const { Tensor } = await loadOnnxTensors() as unknown as Pick<Runtime, "Tensor">;
  const runtime = { binding, Tensor, blockSize: 0 };
  return { ...runtime, blockSize: findBlockSize(runtime) };
}

/** Measures the runtime's block size: in a blocked image of two pixels, the second follows one block later. */
function findBlockSize(runtime: Runtime): number {
  const shape = [1, 64, 1, 2];
  const values = Float32Array.from({ length: 128 }, (_, index) => index % 2);
  const node = {
    op: "ReorderInput",
    domain: "com.microsoft.nchwc",
    inputs: ["x"],
    outputs: ["y"],
    attributes: {},
  };
  const info = { type: "float32" as const, shape };
  const model = {
    nodes: [node],
    inputs: [{ name: "x", ...info }],
    outputs: [{ name: "y", ...info }],
    initializers: [],
  };
  try {
    const session = new Session(runtime, model);
    const [ordered] = session.run([values]);
    session.dispose();
    return ordered.indexOf(1);
  } catch {
    return 0;
  }
}

/** A loaded model; inputs and outputs by position. */
export class Session {
  readonly #runtime: Runtime;
  readonly #model: OnnxModel;
  readonly #session: NativeSession;
  readonly #profiled: boolean;

  constructor(runtime: Runtime, model: OnnxModel, options: SessionOptions = {}) {
    this.#runtime = runtime;
    this.#model = { ...model, nodes: [], initializers: [] };
    this.#profiled = options.profile !== undefined;
    const bytes = writeOnnx(model);
    this.#session = new runtime.binding.InferenceSession();
    this.#session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, {
      // Node before 21 does not tell; 0 leaves the choice to the runtime.
      intraOpNumThreads: globalThis.navigator?.hardwareConcurrency ?? 0,
      // Threads that spin while they wait take the processor from others: half the speed on a shared machine.
      extra: { session: { intra_op: { allow_spinning: "0" } } },
      // Errors only: the shape inference warns of the blocked operations, which it does not know.
      logSeverityLevel: 3,
      ...(this.#profiled ? { enableProfiling: true, profileFilePrefix: options.profile } : {}),
    });
  }

  /** Computes the outputs' elements from the inputs' elements. */
  run(inputs: readonly ArrayBufferView[]): (Float32Array | Int32Array | Uint8Array)[] {
    const { Tensor } = this.#runtime;
    const feeds: Record<string, RuntimeTensor> = {};
    this.#model.inputs.forEach(({ name, type, shape }, index) => {
      feeds[name] = new Tensor(type, inputs[index], shape as number[]);
    });
    const fetches = Object.fromEntries(this.#model.outputs.map(({ name }) => [name, null]));
    const results = this.#session.run(feeds, fetches, {});
    return this.#model.outputs.map(({ name }) => results[name].data);
  }

  /** Releases the native session. */
  dispose(): void {
    if (this.#profiled) this.#session.endProfiling();
    this.#session.dispose();
  }
}
