/** How adaptive solvers choose their steps: the loop of attempts, and the controllers' factors, from listed errors. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModelFromNoise } from "../../../src/diffusion/noise_predictor.ts";
import { veSde } from "../../../src/diffusion/sde.ts";
import { adaptiveSde } from "../../../src/samplers/adaptive_sde.ts";
import { adaptiveSteps, rootMeanSquare } from "../../../src/samplers/adaptive_steps.ts";
import { DormandPrince, type ToleranceOptions } from "../../../src/samplers/ode_dopri5.ts";
import { claim } from "../../suite/claim.ts";

/** An attempt of two rows: their errors, and the lengths that they would take next. */
interface Listed {
  readonly errors: readonly [number, number];
  readonly next: readonly [number, number];
}

/** Runs listed attempts from one time to another; a row's state is the way that it has gone. */
async function run(attempts: readonly Listed[], from: number, to: number, lengths: number[], most = 9) {
  const ends: number[][] = [];
  const own = Float64Array.from(lengths);
  const [state] = await adaptiveSteps([tf.zeros([2, 1])], from, to, own, most, {
    name: "the probe",
    attempt: ([x], times, until) => {
      ends.push([...until]);
      const way = tf.tensor2d(Float32Array.from(until, (end, row) => end - times[row]), [2, 1]);
      const next = x.add(way);
      way.dispose();
      return [[next], tf.tensor1d([...attempts[ends.length - 1].errors])];
    },
    nextLength: (_, row) => attempts[ends.length - 1].next[row],
  });
  const ways = [...await state.data()];
  state.dispose();
  return { ends, ways, lengths: [...own] };
}

claim(
  "each row of an adaptive solver goes on after an accepted step, again after a rejected one",
  async (check) => {
    const attempts: Listed[] = [
      { errors: [0.5, 3], next: [0.75, 0.5] },
      { errors: [1, 0.2], next: [0.25, 0.25] },
      { errors: [NaN, 0], next: [9, 0.25] },
      { errors: [5, 1], next: [9, 0.875] },
    ];
    for (const direction of [1, -1]) {
      const from = direction > 0 ? 0 : 1;
      const place = (way: number) => from + direction * way;
      const before = tf.memory().numTensors;
      const { ends, ways, lengths } = await run(attempts, from, place(1), [0.5, 2]);
      const source = "by hand; a step that the end cuts short does not shorten the next";
      const expected = [[0.5, 1], [1, 0.5], [1, 0.75], [1, 1]];
      check.equal(`from ${from}: ends`, ends, expected.map((row) => row.map(place)), source);
      check.equal(`from ${from}: ways`, ways, [direction, direction], "all of it, once");
      check.equal(`from ${from}: lengths left`, lengths, [0.75, 0.875], source);
      const run3 = () => run(attempts, from, place(1), [0.5, 2], 3);
      await check.throws(
        `from ${from}: three attempts`,
        run3,
        new RegExp(
          `^the probe did not reach time ${place(1)} in 3 attempts, it is at ${place(0.75)}, ` +
            "where the last step's error was 0\\.00 times the tolerance$",
        ),
      );
      await check.throws(
        `from ${from}: no attempt`,
        () => run([], from, place(1), [1, 1], 0),
        /error was unknown times/,
      );
      const broken = (errors: [number, number], lengths: number[]) => () =>
        run([{ errors, next: [1, 1] }], from, place(1), lengths);
      for (const error of [NaN, Infinity]) {
        await check.throws(
          `from ${from}: ${error}`,
          broken([0, error], [1, 1]),
          new RegExp(`^the probe cannot go on from time ${from}: the error estimate is NaN or infinite$`),
        );
      }
      if (from === 1) {
        await check.throws("no way at all", broken([0, 0.5], [1, 1e-20]), /from time 1: .* estimate is 0.5$/);
      }
      check.equal(`from ${from}: tensors left`, tf.memory().numTensors - before, 0, "runs that fail, too");
    }
    const rows = tf.tensor3d([[[3], [4]], [[0], [1]]]);
    const roots = rootMeanSquare(rows);
    const values = [...await roots.data()];
    check.equal("root mean squares", values, [Math.sqrt(12.5), Math.SQRT1_2].map(Math.fround), "by hand");
    tf.dispose([rows, roots]);
  },
);

/** The times at which Dormand–Prince asks for slopes; the slope of each call is given, by its number from 0. */
async function timesAsked(
  x: number,
  slope: (x: tf.Tensor, call: number) => tf.Tensor,
  [from, to]: readonly [number, number],
  options: ToleranceOptions,
): Promise<number[]> {
  const times: number[] = [];
  const start = tf.tensor2d([[x]]);
  const end = await new DormandPrince(options).integrate(
    (x, t) => {
      times.push(t[0]);
      return slope(x, times.length - 1);
    },
    start,
    from,
    to,
  ).catch((error) => error);
  tf.dispose([start, end]);
  return times;
}

/** The lengths of attempts: six slopes each, the last two at the end, after the first slope and that of the trial. */
function lengthsOf(times: readonly number[], from: number): { starts: number[]; lengths: number[] } {
  const [starts, lengths]: number[][] = [[], []];
  for (let at = 2; at + 5 < times.length; at += 6) {
    const length = (times[at + 5] - times[at]) / 0.8;
    starts.push(Math.abs(times[at + 5] - length - from));
    lengths.push(Math.abs(length));
  }
  return { starts, lengths };
}

claim("Dormand–Prince's first step is that of Hairer's rule", async (check) => {
  const source = "Hairer, Nørsett & Wanner 1993, II.4, by hand";
  const tolerances = { rtol: 0.1, atol: 0.2, maxAttempts: 1 };
  const still = (x: tf.Tensor) => tf.zerosLike(x);
  for (const [from, to] of [[0, 1], [1, 0]] as const) {
    // |x| = 5 tolerances, |v| = 15, |v'| = 45: (0.01/45)^(1/5).
    const decay = await timesAsked(2, (x) => x.mul(-3 * Math.sign(to - from)), [from, to], tolerances);
    const trial = Math.abs(decay[1] - from);
    check.within(`from ${from}: trial step`, trial, 0.01 * 5 / 15, 1e-8, source);
    const [first] = lengthsOf(decay, from).lengths;
    check.within(`from ${from}: first step`, first, (0.01 / 45) ** 0.2, 1e-5, source);
    const nodes = [1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1];
    const worst = Math.max(...nodes.map((node, i) => Math.abs(Math.abs(decay[2 + i] - from) - node * first)));
    check.atMost(`from ${from}: nodes`, worst, 1e-12, "Dormand & Prince 1980, Table 2");
  }
  // A state far smaller than its slope: a hundred times the trial step, .01 · (.01/.201)/(6/.201).
  const fast = await timesAsked(0.01, (x) => tf.onesLike(x).mul(6), [0, 1], tolerances);
  check.within("a small state", lengthsOf(fast, 0).lengths[0], 100 * 0.01 * 0.01 / 6, 1e-8, source);
  const none = await timesAsked(2, still, [0, 1], tolerances);
  check.within("no slope: trial step", none[1], 1e-6, 1e-18, source);
  check.within("no slope: first step", lengthsOf(none, 0).lengths[0], 1e-6, 1e-15, source);
  const short = await timesAsked(2, (x) => x.mul(-3), [0, 1e-3], tolerances);
  check.within("a short way: trial step", short[1], 1e-3, 1e-12, "not beyond the end");
});

claim("Dormand–Prince's next step is 0.9 error^(−1/5) times as long, within its bounds", async (check) => {
  // Slopes are 0 but for an attempt's last, which enters its error alone: |v| h/40 in tolerances.
  const errors = [1e6, 0, 0, 32, 0, (0.9 / 3) ** 5, 0];
  const expected = [1e-6, 2e-7, 2e-7, 2e-6, 9e-7, 9e-7, 2.7e-6];
  const atol = 0.5;
  const times = await timesAsked(
    0,
    (x, call) => {
      const attempt = Math.floor((call - 2) / 6);
      const isLast = call >= 2 && (call - 2) % 6 === 5;
      return tf.onesLike(x).mul(isLast ? 40 * errors[attempt] * atol / expected[attempt] : 0);
    },
    [0, 1],
    { atol, maxAttempts: errors.length },
  );
  const { starts, lengths } = lengthsOf(times, 0);
  check.equal("attempts", lengths.length, errors.length, "as many as are allowed");
  let start = 0;
  for (const [i, length] of expected.entries()) {
    check.within(
      `length ${i + 1}`,
      lengths[i] / length,
      1,
      1e-4,
      "a fifth at least after a rejection, no more than before after the next, ten times at most; float32",
    );
    check.within(`start ${i + 1}`, starts[i], start, 1e-4 * length, "only accepted steps advance");
    if (errors[i] <= 1) start += length;
  }
});

claim(
  "Dormand–Prince's coefficients fulfil the conditions of order 5, and its error is that of order 4",
  async (check) => {
    // Every stage's slope is a unit vector of its own, so that a stage's state lists its coefficients.
    const states: Float32Array[] = [];
    const times: number[] = [];
    const start = tf.zeros([1, 7]);
    const end = await new DormandPrince({ rtol: 1e-12, atol: 1e-6, maxAttempts: 2 }).integrate(
      (x, t) => {
        const call = states.push(x.dataSync<"float32">().slice()) - 1;
        times.push(t[0]);
        const stage = call < 2 ? 0 : 1 + (call - 2) % 6;
        return tf.oneHot(tf.tensor1d([stage], "int32"), 7).cast("float32");
      },
      start,
      0,
      1,
    ).catch((error) => error);
    tf.dispose([start, end]);
    const h = times[7];
    const a = [[], ...states.slice(2, 8).map((state) => Array.from(state, (value) => value / h))];
    const c = [0, ...times.slice(2, 8).map((t) => t / h)];
    const sum = (weights: readonly number[], values: readonly number[]) =>
      weights.reduce((total, weight, j) => total + weight * values[j], 0);
    const near = (what: string, value: number, expected: number) =>
      check.within(
        what,
        value,
        expected,
        4e-6,
        "Hairer, Nørsett & Wanner 1993, II.5; float32 of numbers up to 12",
      );
    for (let stage = 1; stage < 7; stage++) {
      near(
        `Σ a_${stage + 1}j`,
        sum(a[stage], c.map(() => 1)),
        c[stage],
      );
    }
    const weights = a[6];
    const power = (k: number) => c.map((node) => node ** k);
    for (let k = 1; k < 5; k++) near(`Σ b c^${k}`, sum(weights, power(k)), 1 / (k + 1));
    const inner = (values: readonly number[]) => a.map((row) => sum(row, values));
    const product = (x: readonly number[], y: readonly number[]) => x.map((value, i) => value * y[i]);
    near("Σ b a c", sum(weights, inner(c)), 1 / 6);
    near("Σ b c a c", sum(weights, product(c, inner(c))), 1 / 8);
    near("Σ b a c²", sum(weights, inner(power(2))), 1 / 12);
    near("Σ b a a c", sum(weights, inner(inner(c))), 1 / 24);
    near("Σ b a c³", sum(weights, inner(power(3))), 1 / 20);
    near("Σ b c² a c", sum(weights, product(power(2), inner(c))), 1 / 10);
    // The weights of the fourth-order solution.
    const fourth = [5179 / 57600, 0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40];
    const size = Math.sqrt(
      fourth.reduce((total, weight, i) => total + ((weights[i] ?? 0) - weight) ** 2, 0) / 7,
    );
    const ratio = times[13] / h;
    check.within(
      "next step",
      ratio,
      0.9 * (size * h / 1e-6) ** -0.2,
      1e-4,
      "Dormand & Prince 1980, Table 2, b − b̂",
    );
  },
);

claim("the adaptive SDE solver's next step is 0.9 error^(−0.9) times as long", async (check) => {
  const sde = veSde({ sigmaMin: 0.01, sigmaMax: 5 });
  for (const [rtol, atol] of [[0.05, 0.01], [1e-6, 0.5], [4, 0.01]]) {
    const times: number[] = [];
    const model = scoreModelFromNoise(sde, (x, t) => {
      times.push((t as Float64Array)[0]);
      return tf.zerosLike(x);
    });
    const run = adaptiveSde({ rtol, atol, firstStep: 0.125, maxAttempts: 2 }).start(model, createRng(4));
    const x = tf.tensor2d([[1]]);
    await Promise.resolve(run.step(x, 1, 0.25)).then((end) => end.dispose(), () => {});
    run.dispose();
    x.dispose();
    // Without a score and without drift: x' = x + g(t) Δw, x̃ = x + g(s) Δw.
    const increment = createRng(4).fork("step 0").normalValues([1, 1])[0] * Math.sqrt(0.125);
    const [g, later] = [sde.diffusionCoefficient(1), sde.diffusionCoefficient(0.875)];
    const near = 1 + g * increment;
    const scale = Math.max(atol, rtol * Math.max(Math.abs(near), 1));
    const error = Math.abs((g - later) * increment / 2) / scale;
    const from = error <= 1 ? 0.875 : 1;
    check.equal(
      `rtol ${rtol}, atol ${atol}: start of the second attempt`,
      times[2],
      from,
      "Alg. 1, accepted if E ≤ 1",
    );
    const length = Math.min(0.125 * 0.9 * error ** -0.9, from - 0.25);
    check.within(
      `rtol ${rtol}, atol ${atol}: its length`,
      (from - times[3]) / length,
      1,
      1e-5,
      "Alg. 1; float32",
    );
  }
});
