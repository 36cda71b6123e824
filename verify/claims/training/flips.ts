/** Claims about images that training reverses from left to right. @module */
import * as tf from "../../../src/compute/tf.ts";
import { flipRows } from "../../../src/data/flips.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { denoisingBatch } from "../../../src/training/denoising_step.ts";
import { train, type TrainingConfig, type TrainingState } from "../../../src/training/train.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";
import { checkProportion } from "../../instruments/statistics.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const objective = { kind: "edm", mean: -1, std: 1.2, sigmaData: 0.5 } as const;
const config: TrainingConfig = {
  model: {
    network: { ...smallModel().config.network, ...{ height: 4, width: 4, channels: 3, classes: 2 } },
    preconditioning: { sigmaData: 0.5, centre: 0 },
  },
  objective,
  optimizer: { ...OPTIMIZER_DEFAULTS, warmup: 2, ema: 0.3 },
  ...{ steps: 4, batch: 6, labelDropout: 0, seed: 3, flip: true },
};
const network = networkFromConfig(config.model.network);

/** Images of which no two values are alike. */
const images = Float32Array.from({ length: 6 * 48 }, (_, i) => i / 288 - 0.5);
const labels = [0, 1, 0, 1, 1, 0];

/** Value [image, y, x, c] of images of 4×4 pixels. */
const at = (values: ArrayLike<number>, image: number, y: number, x: number, c: number) =>
  values[((image * 4 + y) * 4 + x) * 3 + c];

/** Whether each image of a step is as it was, or reversed from left to right; null where it is neither. */
async function reversed(setting: TrainingConfig, step: number): Promise<(boolean | null)[]> {
  const batch = denoisingBatch(setting, objective, network, { images, labels }, step);
  const values = await batch.data.data();
  tf.dispose(batch);
  return labels.map((_, image) => {
    const all = (x: (column: number) => number) =>
      [0, 1, 2, 3].every((row) =>
        [0, 1, 2, 3].every((column) =>
          [0, 1, 2].every((c) => at(values, image, row, column, c) === at(images, image, row, x(column), c))
        )
      );
    return all((x) => x) ? false : all((x) => 3 - x) ? true : null;
  });
}

claim("a flipped image has its columns in reverse, its rows and channels as they were", async (check) => {
  const wide = Float32Array.from({ length: 2 * 2 * 3 * 2 }, (_, i) => i);
  const flipped = flipRows(wide, [2, 3, 2], [0.5, 0.49]);
  const expected = [...wide.subarray(0, 12), ...[16, 17, 14, 15, 12, 13, 22, 23, 20, 21, 18, 19]];
  check.equal("two images of 2×3, the second below ½", [...flipped], expected, "written by hand");
  check.equal("what was given", wide[12], 12, "left as it is");
  await check.throws(
    "a perceptron's rows",
    () => flipRows(wide, [2], [0]),
    /only images .* got the shape \[2\]/,
  );
});

claim(
  "training flips each image of each step with probability ½, independently, and only on request",
  async (check) => {
    const steps = 200;
    const seen = await Promise.all(
      Array.from({ length: steps }, (_, step) => reversed({ ...config, seed: check.seed }, step)),
    );
    const all = seen.flat();
    check.equal(
      "images that are neither",
      all.filter((value) => value === null).length,
      0,
      "reversed or not",
    );
    const count = (values: boolean[]) => values.filter(Boolean).length;
    const flags = all.map((value) => value === true);
    checkProportion(check, "flipped", count(flags), flags.length, 0.5, "probability ½");
    const agree = (shift: number) => flags.slice(shift).map((value, i) => value === flags[i]);
    for (const [what, shift] of [["a row and the next", 1], ["a step and the next", 6]] as const) {
      const same = agree(shift);
      checkProportion(check, `${what} alike`, count(same), same.length, 0.5, "independent");
    }
    const plain = await reversed({ ...config, flip: undefined }, 0);
    check.equal("without the flag", plain, Array(6).fill(false), "off by default");
  },
);

claim("flips leave noise, noise levels and labels as they were, and repeat with the seed", async (check) => {
  const drawn = async (flip: boolean) => {
    const tensors = denoisingBatch({ ...config, flip }, objective, network, { images, labels }, 7);
    const { noise, noiseRatio, prediction } = tensors;
    const values = await Promise.all([noise, noiseRatio, ...Object.values(prediction)].map((t) => t.data()));
    tf.dispose(tensors);
    return values.map((each) => [...each]);
  };
  check.equal(
    "noise, ν, coefficients, features, classes",
    await drawn(true),
    await drawn(false),
    "only data are flipped",
  );
  check.equal(
    "step 5 again",
    await reversed(config, 5),
    await reversed(config, 5),
    "a function of seed and step",
  );
});

claim("a run with flips that is resumed equals one that is not interrupted, bit for bit", async (check) => {
  const states: TrainingState[] = [];
  const go = async (resume?: TrainingState) => {
    for await (const { snapshot } of train(config, () => ({ images, labels }), { resume })) {
      states.push(await snapshot());
    }
    return states.at(-1)!;
  };
  const whole = await go();
  const halfway = states[1];
  check.equal("halfway", halfway.step, 2, "steps done");
  const resumed = await go(halfway);
  check.equal("weights", resumed.weights, whole.weights, "the same flips");
  check.equal("moving average", resumed.ema, whole.ema, "the same flips");
});
