/** Claims about the optimum of the consistency objectives, and that training arrives there. @module */
import * as tf from "../../../src/compute/tf.ts";
import { consistencyMethod } from "../../../src/training/consistency_step.ts";
import { scalarTensors, startState, stateTensors } from "../../../src/training/optimizer.ts";
import { trainingStep } from "../../../src/training/step.ts";
import type { TrainingConfig } from "../../../src/training/train.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { configOf, images, network, objective, stepOf } from "../../problems/linear_consistency.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

claim(
  "the exact consistency function is the loss's optimum: it vanishes there with the gap's cube",
  async (check) => {
    const lossAt = async (gain: number, gap: number) => {
      const chosen = { ...objective, huber: 10, gap: { first: gap, last: gap, settled: 1 } };
      const { loss } = await stepOf(chosen, { weights: [gain, 0], ema: [gain, 0], teacher: [0, 0] });
      return loss;
    };
    const exact = [await lossAt(1, 0.2), await lossAt(1, 0.1)];
    check.within(
      "half the gap",
      Math.log2(exact[0] / exact[1]),
      3,
      0.25,
      "Euler's error is of order (t − r)², so ‖Δ‖²/(t − r) of order 3",
      { detectable: "an error of order t − r, which gives 1" },
    );
    for (const gain of [0.8, 1.2]) {
      const away = [await lossAt(gain, 0.04), await lossAt(gain, 0.02)];
      check.within(`gain ${gain}: half the gap`, Math.log2(away[0] / away[1]), 1, 0.2, "‖Δ‖ of order t − r");
      check.atLeast(`gain ${gain} over the exact one`, away[1] / await lossAt(1, 0.02), 100, "gap² smaller");
    }
  },
);

claim(
  "distillation of an exact score from its own weights arrives at the exact consistency function",
  async (check) => {
    const steps = 300;
    const chosen = { ...objective, huber: 1, gap: { first: 0.5, last: 0.02, settled: 0.5 } };
    const usual = configOf(chosen);
    const optimizer = { ...usual.optimizer, rate: 0.05, ema: 0.5 };
    const config: TrainingConfig = { ...usual, optimizer, steps };
    const method = consistencyMethod(config, chosen, network, Float32Array.of(0, 0));
    const step = trainingStep(method.lossAndGradient, optimizer);
    let state = stateTensors(startState(new Float32Array(2)));
    for (let done = 0; done < steps; done++) {
      const next = tf.tidy(() => {
        const scalars = scalarTensors(optimizer, done + 1, steps);
        return step({ state, scalars, batch: method.batch(images(done), done) }).state;
      });
      tf.dispose(state);
      state = next;
    }
    const [gain, shift] = await state.ema.data();
    tf.dispose(state);
    method.dispose();
    check.within(
      "gain of the moving average",
      gain,
      1,
      0.03,
      "f = mean + (y − mean) s/√(s² + ν²); Euler's bias, of the order of the last gap, .02",
      {
        detectable: "the teacher, which has 0",
      },
    );
    check.within("shift", shift, 0, 0.03, "the data have no classes");
  },
);
