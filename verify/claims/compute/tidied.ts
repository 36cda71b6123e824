/**
 * Computations that may wait for promises: their results, and the tensors that they leave.
 * @module
 */
import * as tf from "../../../src/compute/tf.ts";
import { awaited, type Pausing, tidied } from "../../../src/compute/tidied.ts";
import { type Area, type Check, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

/** 3 after a turn of the event loop. */
async function later(value: number): Promise<tf.Tensor> {
  await new Promise((resolve) => setTimeout(resolve));
  return tf.scalar(value);
}

/** 2·(x + 1)·(what each answer gives, one after another), with intermediate tensors between. */
function* product(x: tf.Tensor, answers: (() => tf.Tensor | Promise<tf.Tensor>)[]): Pausing<tf.Tensor> {
  let result = x.add(1).mul(2);
  for (const answer of answers) result = result.mul(yield* awaited(answer())).add(0);
  return result;
}

/** Runs an action and holds the number of tensors after it to that before and some more. */
async function leaves(check: Check, label: string, more: number, action: () => unknown): Promise<void> {
  const before = tf.memory().numTensors;
  await action();
  check.equal(`${label}: tensors left`, tf.memory().numTensors - before, more, "the result and what is kept");
}

claim("a computation without promises is done at once, and leaves its result alone", async (check) => {
  const x = tf.scalar(4);
  let result: unknown;
  await leaves(check, "a tensor", 1, () => result = tidied(product(x, [() => tf.scalar(3)])));
  check.holds("the result is no promise", result instanceof tf.Tensor, "nothing was waited for");
  check.equal("its value", (await (result as tf.Tensor).data())[0], 30, "2·(4 + 1)·3");
  await leaves(check, "an error", 0, () => {
    try {
      tidied(product(x, [() => {
        throw new Error("no answer");
      }]));
    } catch (error) {
      check.equal("the error", (error as Error).message, "no answer", "as it was thrown");
    }
  });
});

claim("a computation that waits has the same result, and leaves its result alone", async (check) => {
  const x = tf.scalar(4);
  const answers = [() => later(3), () => tf.scalar(5), () => later(7)];
  let result: tf.Tensor | undefined;
  await leaves(check, "a tensor", 1, async () => result = await tidied(product(x, answers)));
  check.equal("its value", (await result!.data())[0], 1050, "2·(4 + 1)·3·5·7");
  result!.dispose();

  let pair: tf.Tensor[] = [];
  await leaves(check, "a list", 2, async () => {
    pair = await tidied((function* (): Pausing<tf.Tensor[]> {
      const early = x.add(1);
      const late = (yield* awaited(later(3))).mul(early);
      return [early, late];
    })());
  });
  check.equal(
    "the list",
    [(await pair[0].data())[0], (await pair[1].data())[0]],
    [5, 15],
    "4 + 1, (4 + 1)·3",
  );
  tf.dispose(pair);

  const kept: tf.Tensor[] = [];
  await leaves(check, "kept tensors", 3, async () => {
    await tidied((function* (): Pausing<tf.Tensor> {
      kept.push(tf.keep(x.add(1)));
      const answer = yield* awaited(later(3));
      kept.push(tf.keep(answer));
      return answer.add(kept[0]).add(0);
    })());
  });
  check.equal(
    "those kept",
    await Promise.all(kept.map(async (k) => (await k.data())[0])),
    [5, 3],
    "not disposed",
  );
});

claim("errors of a computation that waits can be caught in it, and leave nothing behind", async (check) => {
  const x = tf.scalar(4);
  const failing = async (): Promise<tf.Tensor> => {
    await new Promise((resolve) => setTimeout(resolve));
    throw new Error("no answer");
  };
  for (const [label, answers] of [["first", [failing]], ["second", [() => later(3), failing]]] as const) {
    await leaves(check, `the ${label} promise rejects`, 0, async () => {
      const outcome = Promise.resolve(tidied(product(x, [...answers]))).then(() => "a result", String);
      check.equal(`the ${label} promise rejects`, await outcome, "Error: no answer", "the promise's reason");
    });
  }
  let result: tf.Tensor | undefined;
  await leaves(check, "a caught error", 1, async () => {
    result = await tidied((function* (): Pausing<tf.Tensor> {
      const early = x.add(1);
      try {
        return yield* awaited(failing());
      } catch {
        return early.mul(9);
      }
    })());
  });
  check.equal("what follows a caught error", (await result!.data())[0], 45, "(4 + 1)·9");
});

claim("computations within and beside each other keep their own tensors", async (check) => {
  const x = tf.scalar(4);
  let results: tf.Tensor[] = [];
  await leaves(check, "beside each other", 3, async () => {
    const runs = [2, 3, 5].map((value) => tidied(product(x, [() => later(value), () => later(value)])));
    results = await Promise.all(runs);
  });
  const values = await Promise.all(results.map(async (result) => (await result.data())[0]));
  check.equal("beside each other", values, [40, 90, 250], "10·v²");
  tf.dispose(results);

  let whole: tf.Tensor | undefined;
  await leaves(check, "within each other", 1, async () => {
    whole = await tidied((function* (): Pausing<tf.Tensor> {
      const early = x.add(1);
      const inner = yield* awaited(tidied(product(early, [() => later(3)])));
      return inner.add(yield* awaited(tidied(product(early, [() => later(2)])))).add(early);
    })());
  });
  check.equal("within each other", (await whole!.data())[0], 65, "12·3 + 12·2 + 5");
});
