/** Rows of the calls that go from nothing to a picture; what a case leaves out is small, so that its answer takes no time. @module */
import * as m from "./exported.ts";
import {
  type Argument,
  callable,
  list,
  name,
  number,
  optional,
  options,
  type Rows,
  thing,
  whole,
} from "./argument.ts";

const common: Readonly<Record<string, Argument>> = {
  seed: optional(whole(3, 0, Number.MAX_SAFE_INTEGER)),
  steps: optional(whole(1, 1, 2)),
  signal: optional(thing(() => new AbortController().signal)),
  onStep: optional(callable(() => () => {})),
};
const completion = {
  images: optional(options({
    values: thing(() => new Float32Array(784)),
    shape: list(() => [1, 28, 28, 1], whole(28, 28, 28)),
  })),
  samples: optional(whole(1, 1, 2)),
  ...common,
};

/** A call whose options are filled in by small ones. */
function quick(call: (options: never) => unknown, small: object): (options: unknown) => unknown {
  return (given) => {
    const plain = given === undefined ||
      typeof given === "object" && given !== null && Object.getPrototypeOf(given) === Object.prototype;
    if (!plain) return call(given as never);
    const kept = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
    return call({ ...small, ...Object.fromEntries(kept) } as never);
  };
}

const image = { values: new Float32Array(784), shape: [1, 28, 28, 1] };

export const callRows: Rows = {
  digits: {
    call: quick(m.digits, { labels: 7, steps: 1 }),
    // Both networks that it keeps.
    prepare: async () => [
      await m.digits({ labels: 7, steps: 1 }),
      await m.digits({ labels: 7, steps: 1, guidance: 1 }),
    ],
    arguments: [
      optional(options({
        labels: optional({ ...list(() => [3, 5], whole(3, 0, 9)), allows: whole(3, 0, 9).allows }),
        guidance: optional(number(1)),
        ...common,
      })),
    ],
  },
  inpaint: {
    call: quick(m.inpaint, { images: image, samples: 1, steps: 1 }),
    prepare: () => m.digits({ labels: 7, steps: 1 }),
    arguments: [optional(options({ mask: optional(name("top")), ...completion }))],
  },
  colorize: {
    call: quick(m.colorize, { images: image, samples: 1, steps: 1 }),
    prepare: () => m.colorize({ images: image, samples: 1, steps: 1 }),
    arguments: [optional(options(completion))],
  },
};
