/** Claims about runs that are aborted, or whose caller's function throws. @module */
import * as tf from "../../../src/compute/tf.ts";
import { longRuns, type Watch } from "../../problems/long_runs.ts";
import { claim } from "../../suite/claim.ts";

/** What a run came to: the error that it ended with, how often it told of its progress, and how many tensors it left. */
interface Ended {
  readonly error: unknown;
  readonly calls: number;
  readonly left: number;
}

/** Runs with a function that acts at its n-th call. */
async function ended(
  run: (watch: Watch) => Promise<unknown>,
  action: (call: number) => void,
  signal?: AbortSignal,
): Promise<Ended> {
  let calls = 0;
  const before = tf.memory().numTensors;
  const error = await run({
    onProgress: () => action(++calls),
    signal,
  }).then(() => null, (error) => error);
  return { error, calls, left: tf.memory().numTensors - before };
}

claim("every long run passes on what its caller's function throws, and leaves no tensor", async (check) => {
  for (const { name, run, whole = true } of longRuns) {
    const first = await ended(run, () => {});
    if (whole) {
      check.equal(`${name}: the whole run`, first.error, null, "it comes to its end");
      check.equal(`${name}: tensors that it leaves`, first.left, 0, "results are numbers");
      check.atLeast(`${name}: calls`, first.calls, 2, "it tells of its progress");
    }
    for (const at of new Set([1, 2, ...whole ? [first.calls] : []])) {
      const reason = new Error(`at call ${at}`);
      const { error, calls, left } = await ended(run, (call) => {
        if (call === at) throw reason;
      });
      check.holds(`${name}: thrown at call ${at}`, error === reason, `the very error, not ${error}`);
      check.equal(`${name}: calls until then`, calls, at, "the run ends there");
      check.equal(`${name}: tensors left after call ${at}`, left, 0, "those of the run are disposed");
    }
  }
});

claim("every long run ends with the reason of its signal, and leaves no tensor", async (check) => {
  for (const { name, run } of longRuns) {
    for (const at of [0, 1]) {
      const controller = new AbortController();
      const reason = new Error("enough");
      if (at === 0) controller.abort(reason);
      const { error, calls, left } = await ended(run, (call) => {
        if (call === at) controller.abort(reason);
      }, controller.signal);
      check.holds(`${name}: aborted at call ${at}`, error === reason, `the signal's reason, not ${error}`);
      check.equal(`${name}: calls until then`, calls, at, "nothing more is done");
      check.equal(`${name}: tensors left, aborted at call ${at}`, left, 0, "those of the run are disposed");
    }
    await check.throws(
      `${name}: no signal`,
      () => run({ onProgress: () => {}, signal: "soon" as unknown as AbortSignal }),
      /^signal must be an AbortSignal, as new AbortController\(\)\.signal is, got "soon"$/,
    );
  }
});
