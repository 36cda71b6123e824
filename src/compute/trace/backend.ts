/**
 * A TensorFlow.js backend that records graph nodes instead of computing.
 * @module
 */
import * as tf from "../tf.ts";
import { registerKernel } from "../register_kernel.ts";
import type { TraceKernels } from "./kernel.ts";
import { Graph } from "./graph.ts";
import { convolutionKernels } from "./kernels/convolution.ts";
import { cast, elementwiseKernels, onnxType } from "./kernels/elementwise.ts";
import { groupNormKernels } from "./kernels/group_norm.ts";
import { movementKernels } from "./kernels/movement.ts";
import { poolingKernels } from "./kernels/pooling.ts";
import { reductionKernels } from "./kernels/reduction.ts";
import { filled, natural, type Traced } from "./traced.ts";

/** Name under which the backend is registered. */
export const TRACE_BACKEND = "trace";

const KERNELS: TraceKernels = {
  ...elementwiseKernels,
  ...reductionKernels,
  ...movementKernels,
  ...convolutionKernels,
  ...poolingKernels,
  ...groupNormKernels,
};

const READS_VALUES =
  "the traced function reads a tensor's values; only operations on tensors can be compiled, so read outside of it";

type Values = Float32Array | Int32Array | Uint8Array;

/** The recording backend; it has a recorded tensor for every data id. */
class TraceBackend extends tf.KernelBackend {
  graph = new Graph();
  readonly #tensors = new Map<object, { traced: Traced; references: number }>();
  /** Tensors of other backends, stored in the graph when first used. */
  readonly #foreign = new Map<object, Traced>();

  /** Starts a new graph. */
  begin(blockSize: number, standard: boolean): Graph {
    this.graph = new Graph(blockSize, standard);
    this.#foreign.clear();
    return this.graph;
  }

  /** Drops the graph, which may hold large constants. */
  end(): void {
    this.graph = new Graph();
    this.#foreign.clear();
  }

  /** The recorded tensor behind a kernel's operand. */
  traced(info: tf.TensorInfo): Traced {
    const own = this.#tensors.get(info.dataId);
    if (own !== undefined) return own.traced;
    let traced = this.#foreign.get(info.dataId);
    if (traced === undefined) {
      // Read through its own backend, so that the tensor stays there.
      const values = tf.engine().readSync(info.dataId);
      traced = this.#store(values as Values, info.shape, info.dtype);
      this.#foreign.set(info.dataId, traced);
    }
    return traced;
  }

  /** A data id for a recorded tensor. */
  keep(traced: Traced): tf.TensorInfo {
    const dataId = {};
    this.#tensors.set(dataId, { traced, references: 1 });
    const type = traced.value.type;
    if (type === "int64") throw new TypeError("64-bit integers do not leave the graph");
    return { dataId, shape: [...traced.shape], dtype: type };
  }

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    return this.keep(this.#store(values as Values, shape, dtype)).dataId;
  }

  override move(
    dataId: object,
    values: tf.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    references: number,
  ) {
    this.#tensors.set(dataId, { traced: this.#store(values as Values, shape, dtype), references });
  }

  override readSync(): never {
    throw new Error(READS_VALUES);
  }

  override read(): never {
    throw new Error(READS_VALUES);
  }

  override refCount(dataId: object): number {
    return this.#tensors.get(dataId)?.references ?? 0;
  }

  override incRef(dataId: object): void {
    const entry = this.#tensors.get(dataId);
    if (entry !== undefined) entry.references++;
  }

  override disposeData(dataId: object, force = false): boolean {
    const entry = this.#tensors.get(dataId);
    if (entry === undefined) return true;
    entry.references--;
    if (!force && entry.references > 0) return false;
    this.#tensors.delete(dataId);
    return true;
  }

  override numDataIds(): number {
    return this.#tensors.size;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override dispose(): void {}

  #store(values: Values, shape: readonly number[], dtype: tf.DataType): Traced {
    const type = onnxType(dtype);
    const first = Number(values[0] ?? 0);
    // Gradients make large tensors of zeros and ones: each is stored as one number.
    if (values.every((value) => Object.is(Number(value), first))) {
      return filled(this.graph, shape, first, type);
    }
    const array = type === "float32"
      ? Float32Array.from(values)
      : type === "int32"
      ? Int32Array.from(values)
      : Uint8Array.from(values);
    return natural(this.graph, this.graph.constant(array, shape));
  }
}

let registered: TraceBackend | null = null;

/** The backend, with its kernels, registered on first use. */
export function traceBackend(): TraceBackend {
  if (registered !== null) return registered;
  const backend = registered = new TraceBackend();
  // The lowest priority, so that TensorFlow.js does not choose it.
  tf.registerBackend(TRACE_BACKEND, () => backend, -1);
  for (const [kernelName, record] of Object.entries(KERNELS)) {
    registerKernel(kernelName, TRACE_BACKEND, ({ inputs, attributes }) => {
      const traced = Object.fromEntries(
        Object.entries(inputs).filter(([, info]) => info != null)
          .map(([name, info]) => [name, backend.traced(info)]),
      );
      const result = record(traced, attributes);
      return Array.isArray(result) ? result.map((one) => backend.keep(one)) : backend.keep(result);
    });
  }
  const make = <Attributes>(kernelName: string, values: (attributes: Attributes) => Traced) =>
    registerKernel<Attributes>(
      kernelName,
      TRACE_BACKEND,
      ({ attributes }) => backend.keep(values(attributes)),
    );
  const list = (length: number, value: (index: number) => number) =>
    natural(
      backend.graph,
      backend.graph.constant(Float32Array.from({ length }, (_, i) => value(i)), [length]),
    );
  make<tf.FillAttrs & { value: number }>(
    "Fill",
    ({ shape, value, dtype }) => filled(backend.graph, shape, value, onnxType(dtype ?? "float32")),
  );
  make<tf.RangeAttrs>("Range", ({ start, stop, step, dtype }) => {
    const length = Math.max(0, Math.ceil((stop - start) / step));
    return cast(list(length, (index) => start + index * step), onnxType(dtype));
  });
  make<tf.LinSpaceAttrs>("LinSpace", ({ start, stop, num }) => {
    const gap = num > 1 ? (stop - start) / (num - 1) : 0;
    return list(num, (index) => start + index * gap);
  });
  return backend;
}
