/**
 * The adaptive Dormand–Prince solver against SciPy's, its own tolerance, and the independence of a batch's rows.
 * @module
 */
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { DormandPrince } from "../../../src/samplers/ode_dopri5.ts";
import type { SdeConfig } from "../../../src/diffusion/sde.ts";
import { sdeFromConfig } from "../../../src/diffusion/sde_registry.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { bumps, flowed, whole } from "../../instruments/flow_map.ts";
import { narrowSdes } from "../../problems/sdes.ts";
import reference from "../../../fixtures/reference/mixtures.json" with { type: "json" };

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

claim("Dormand–Prince follows the probability flow of mixtures as SciPy does", async (check) => {
  const counts = { ours: 0, theirs: 0 };
  for (const { sde: config, probability_flow: points, ...data } of reference.mixtures) {
    const sde = sdeFromConfig(config as SdeConfig);
    const problem = GaussianMixture.from(data);
    const run = async (states: number[][], tolerance: number) =>
      await flowed(problem, sde, states, "ode-dopri5", whole, { rtol: tolerance, atol: tolerance });
    const exact = points.flatMap((point) => point.x_at_0_001);
    const size = 1 + Math.max(...exact.map(Math.abs));
    for (const tolerance of [1e-6, 1e-7]) {
      const { values } = await run(points.map((point) => point.x_at_1), tolerance);
      check.atMost(
        `d = ${problem.dimension}, rtol ${tolerance}: largest error`,
        Math.max(...exact.map((value, i) => Math.abs(values[i] - value))),
        20 * (tolerance + 2 ** -23) * size,
        "SciPy's DOP853 at 1e-11; some 20 steps of the tolerance and of rounding",
        { detectable: "20 times the tolerance" },
      );
    }
    for (const { x_at_1, rk45_1e_5 } of points) {
      counts.ours += (await run([x_at_1], 1e-5)).evaluations;
      counts.theirs += rk45_1e_5.evaluations;
    }
  }
  check.within(
    "evaluations at rtol 1e-5, all points",
    counts.ours,
    counts.theirs,
    0.05 * counts.theirs,
    "SciPy's RK45, the same pair and controller; float32 moves a step now and then",
    { detectable: "error weights or a controller that change the step count by 5%" },
  );
});

/** x' = −y, y' = (1 + ½ sin t) x from (1, 0) at 0 to 20. */
async function oscillator(rtol: number, atol: number): Promise<{ evaluations: number; state: Float32Array }> {
  let evaluations = 0;
  const solver = new DormandPrince({ rtol, atol });
  const start = tf.tensor2d([[1, 0]]);
  const end = await solver.integrate(
    (x, t) => {
      evaluations++;
      const [first, second] = tf.split(x, 2, 1);
      return tf.concat([second.neg(), first.mul(1 + Math.sin(t[0]) / 2)], 1);
    },
    start,
    0,
    20,
  );
  const state = await end.data<"float32">();
  tf.dispose([start, end]);
  return { evaluations, state };
}

claim(
  "Dormand–Prince repeats SciPy's RK45 on an oscillator: states, evaluations and their growth",
  async (check) => {
    // scipy 1.17.1, solve_ivp(method="RK45"): state at 20 and function evaluations.
    const scipy = [
      { rtol: 1e-2, atol: 1e-2, evaluations: 116, state: [0.28198442551564495, 1.6356446710659425] },
      { rtol: 1e-3, atol: 1e-3, evaluations: 176, state: [0.2865662516437528, 1.4880154543522737] },
      { rtol: 1e-4, atol: 1e-4, evaluations: 236, state: [0.29337163770986063, 1.4751859307544812] },
      { rtol: 1e-5, atol: 1e-5, evaluations: 368, state: [0.2940082082586402, 1.474742795321196] },
      { rtol: 1e-6, atol: 1e-6, evaluations: 518, state: [0.2940589420942778, 1.4747683861705192] },
      { rtol: 1e-5, atol: 1e-3, evaluations: 170, state: [0.2906741705490251, 1.4813562203649924] },
      { rtol: 1e-3, atol: 1e-6, evaluations: 200, state: [0.2908411755563005, 1.4804275790325356] },
    ];
    const ours = [];
    for (const { rtol, atol, evaluations, state } of scipy) {
      const result = await oscillator(rtol, atol);
      ours.push(result);
      check.within(
        `rtol ${rtol}, atol ${atol}: evaluations`,
        result.evaluations,
        evaluations,
        6,
        "SciPy; float32 may turn one rejection",
      );
      for (const i of [0, 1]) {
        check.within(
          `rtol ${rtol}, atol ${atol}: coordinate ${i}`,
          result.state[i],
          state[i],
          0.2 * Math.max(rtol, atol) + 2e-6,
          "SciPy's steps in float64, so far closer than the tolerance",
          { detectable: "a fifth of the tolerance in a solution" },
        );
      }
    }
    const exponent = Math.log(ours[4].evaluations / ours[1].evaluations) / Math.log(1e-3 / 1e-6);
    check.within(
      "evaluations ~ tolerance^(−p): p",
      exponent,
      0.2,
      0.05,
      "a fifth-order pair: 1/5, less at loose tolerances",
    );
  },
);

claim(
  "Dormand–Prince ends exactly at its last time, and a shortened last step does not set the next step size",
  async (check) => {
    // dx/dt = w cos(w t) from 0: sin(w T), with steps of every length against the end.
    const rates = Float64Array.from({ length: 200 }, (_, i) => 1 + i / 40);
    const end = 7;
    const start = tf.zeros([rates.length, 1]);
    let evaluations = 0;
    const slope = (_: tf.Tensor, t: Float64Array) => {
      evaluations++;
      return tf.tensor2d(Float32Array.from(t, (t, row) => rates[row] * Math.cos(rates[row] * t)), [
        t.length,
        1,
      ]);
    };
    const solver = new DormandPrince({ rtol: 1e-5, atol: 1e-5 });
    const first = await solver.integrate(slope, start, 0, end);
    const values = await first.data();
    const worst = rates.reduce(
      (sup, rate, row) => Math.max(sup, Math.abs(values[row] - Math.sin(rate * end))),
      0,
    );
    check.atMost(
      "largest error of 200 rows",
      worst,
      5e-5,
      "some 50 steps of the tolerance each at most; 8e-6 came of them",
      {
        detectable: "a last step that is short of its end by 1e-5",
      },
    );
    const tiny = await solver.integrate(slope, first, end, end + 1e-5);
    evaluations = 0;
    const long = await solver.integrate(slope, tiny, end + 1e-5, 2 * end);
    const continued = evaluations;
    evaluations = 0;
    const again = await new DormandPrince({ rtol: 1e-5, atol: 1e-5 }).integrate(
      slope,
      tiny,
      end + 1e-5,
      2 * end,
    );
    tf.dispose([start, first, tiny, long, again]);
    check.atMost(
      "evaluations after a step of 1e-5",
      continued,
      evaluations,
      "those of a run that chooses its first step",
    );
  },
);

claim(
  "every row of a batch has Dormand–Prince steps of its own, in either direction and across the grid",
  async (check) => {
    const sde = narrowSdes["VP"];
    const states = [[-2.5], [-0.4], [0.05], [3]];
    const tolerances = { rtol: 1e-4, atol: 1e-4 };
    const together = await flowed(bumps, sde, states, "ode-dopri5", whole, tolerances);
    const alone = [];
    for (const state of states) {
      alone.push(
        await flowed(bumps, sde, [state], "ode-dopri5", whole, tolerances),
      );
    }
    check.equal(
      "states",
      Array.from(together.values),
      alone.map(({ values }) => values[0]),
      "a row's arithmetic is its own, bit for bit",
    );
    const most = Math.max(...alone.map(({ evaluations }) => evaluations));
    check.equal("evaluations", together.evaluations, most, "those of the slowest row");
    check.holds(
      "the rows differ in pace",
      new Set(alone.map((a) => a.evaluations)).size > 1,
      "else nothing was tested",
    );

    const many = await flowed(bumps, sde, states, "ode-dopri5", { kind: "uniform", steps: 20 }, tolerances);
    const bound = together.evaluations + 20 * 7;
    check.atMost(
      "evaluations over 20 grid steps",
      many.evaluations,
      bound,
      "one first slope and one cut step for each grid time",
    );

    const model = scoreModel(bumps, sde);
    const x = tf.tensor2d(states);
    const solver = new DormandPrince({ rtol: 1e-6, atol: 1e-6 });
    const down = await solver.integrate(model.odeDrift, x, sde.tMax, sde.tMin);
    const back = await new DormandPrince({ rtol: 1e-6, atol: 1e-6 }).integrate(
      model.odeDrift,
      down,
      sde.tMin,
      sde.tMax,
    );
    const difference = await back.sub(x).abs().max().data();
    tf.dispose([x, down, back]);
    check.atMost("there and back", difference[0], 4e-5, "two runs of some 15 steps at 1e-6, gain about 1");
  },
);
