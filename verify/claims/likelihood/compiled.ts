/**
 * The likelihood of a network whose derivative is compiled.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { type ScoreModel, scoreModel, scoreModelFromNoise } from "../../../src/diffusion/noise_predictor.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import { DIGITS, networkFromConfig } from "../../../src/networks/registry.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import { type Area, type Check, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

claim(
  "the compiled derivative of a network agrees with automatic differentiation, and gives the same likelihood",
  { engines: ["onnx"] },
  async (check) => {
    const config = {
      network: {
        ...DIGITS,
        height: 4,
        width: 4,
        widths: [8, 16],
        blocks: 1,
        middleBlocks: 1,
        embedding: 16,
        classes: 3,
        wavePeriods: [1.5],
      },
      preconditioning: { sigmaData: 0.5, centre: -0.7 },
    };
    // The same networks in every run: how much weights amplify rounding is a matter of luck.
    const rng = createRng(1);
    const x = rng.normal([3, 4, 4, 1]);
    // Layers that start at 0 get weights of this spread: large ones, and ones that leave the flow well-conditioned.
    for (const spread of [0.2, 0.02]) {
      const weights = new Map(
        networkFromConfig(config.network).parameters.map(({ name, shape, mean, std }) => {
          const normals = rng.fork(name).normalValues([1, shape.reduce((a, b) => a * b, 1)]);
          return [name, normals.map((z) => mean + (std === 0 ? spread : std) * z)];
        }),
      );
      const noisePredictors = [networkPredictor(config, weights), networkPredictor(config, weights)];
      await noisePredictors[1].prepare(3, { gradients: true });
      const before = tf.memory().numTensors;
      const [plain, prepared] = noisePredictors.map((noisePredictor) =>
        scoreModel(noisePredictor.withLabels([0, 1, null]), vpSde())
      );
      const gradient = async (model: ScoreModel) => {
        const pulled = tf.tidy(() => tf.grad((x) => model.predictedNoise(x, 0.3))(x, x));
        const values = await pulled.data();
        pulled.dispose();
        return values;
      };
      const [eager, compiled] = [await gradient(plain), await gradient(prepared)];
      const size = Math.max(...eager.map(Math.abs));
      check.atMost(
        `spread ${spread}: largest difference of a vector-Jacobian product, relative`,
        Math.max(...eager.map((value, i) => Math.abs(value - compiled[i]))) / size,
        2e-5,
        "the same float32 operations in another order: some 50 deep, sums of a hundred terms",
        { detectable: "a derivative off by 2e-5" },
      );
      if (spread === 0.02) await compareLikelihoods(check, plain, prepared, x);
      check.equal(`spread ${spread}: tensors left behind`, tf.memory().numTensors - before, 0, "none");
      for (const noisePredictor of noisePredictors) noisePredictor.dispose();
    }
    x.dispose();
  },
);

/** Two models that should be one, by their likelihoods; how much rounding may move those is measured on the first. */
async function compareLikelihoods(
  check: Check,
  plain: ScoreModel,
  prepared: ScoreModel,
  x: tf.Tensor,
): Promise<void> {
  const method = { kind: "rk4", grid: { kind: "log-snr", steps: 6 } } as const;
  const likelihood = async (model: ScoreModel) =>
    (await logLikelihood(model, x, { method, trace: { rng: createRng(2) } })).logDensity;
  const [expected, observed] = [await likelihood(plain), await likelihood(prepared)];
  const wrong = 1e-3;
  const moved = await likelihood(
    scoreModelFromNoise(plain.sde, (x, t) => tf.tidy(() => plain.predictedNoise(x, t).mul(1 + wrong))),
  );
  for (const [row, value] of observed.entries()) {
    const gain = Math.abs(moved[row] - expected[row]) / wrong;
    const allowed = 3e-6 * gain + 2 ** -21 * Math.abs(expected[row]);
    check.within(
      `row ${row}: log likelihood`,
      value,
      expected[row],
      allowed,
      "what predictions wrong by 3e-6, some 50 roundings, do to it, and rounding of the likelihood itself",
      { detectable: `predictions wrong by ${(2 * allowed / gain).toExponential(0)}` },
    );
  }
}
