/**
 * A runtime in the place of ONNX Runtime, for claims on every machine: one session, whose function is written out.
 * @module
 */

/** A tensor of the runtime. */
export class SmallTensor {
  constructor(readonly type: string, readonly data: ArrayLike<number>, readonly dims: readonly number[]) {}
}

/** What a session tells of an input or output. */
interface Info {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/** A session to be: what it tells, and what it answers to tensors by name. */
export interface SmallSession {
  /** Left out, the runtime does not tell types and shapes. */
  readonly inputMetadata?: readonly Info[];
  readonly inputNames?: readonly string[];
  readonly outputNames?: readonly string[];
  run(feeds: Record<string, SmallTensor>): Record<string, unknown>;
}

/** The runtime, and what became of its session. */
export function smallRuntime(session: SmallSession) {
  const seen = { released: 0, runs: [] as Record<string, SmallTensor>[] };
  const opened = {
    inputNames: session.inputNames ?? session.inputMetadata!.map(({ name }) => name),
    outputNames: session.outputNames ?? ["out"],
    ...session.inputMetadata && { inputMetadata: session.inputMetadata },
    run: async (feeds: Record<string, SmallTensor>) => {
      await Promise.resolve();
      seen.runs.push(feeds);
      return session.run(feeds);
    },
    release: () => Promise.resolve(void seen.released++),
  };
  const runtime = { InferenceSession: { create: () => Promise.resolve(opened) }, Tensor: SmallTensor };
  return { runtime, seen };
}
