/**
 * What models predict, each from each other, and the noise levels at which a prediction says nothing.
 * @module
 */
import {
  type Prediction,
  predictionFactors,
  predictions,
  predictionTarget,
} from "../../../src/diffusion/prediction.ts";
import { edmWeight } from "../../../src/objectives/denoising.ts";
import { claim } from "../../suite/claim.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";

/** Data, noise and a level. */
interface Point {
  readonly x0: number;
  readonly noise: number;
  readonly alpha: number;
  readonly sigma: number;
  readonly sigmaData: number;
}

/** What each prediction is of a datum and its noise, by the papers' definitions. */
const definitions: Readonly<Record<Prediction, (point: Point) => number>> = {
  noise: ({ noise }) => noise,
  data: ({ x0 }) => x0,
  velocity: ({ x0, noise, alpha, sigma }) => alpha * noise - sigma * x0,
  score: ({ noise, sigma }) => -noise / sigma,
  edm: ({ x0, noise, alpha, sigma, sigmaData }) => {
    const ratio = sigma / alpha;
    const square = ratio ** 2 + sigmaData ** 2;
    const [skip, out] = [sigmaData ** 2 / square, ratio * sigmaData / Math.sqrt(square)];
    return (x0 - skip * (x0 + ratio * noise)) / out;
  },
  flow: ({ x0, noise }) => noise - x0,
};

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const anyPoint: fc.Arbitrary<Point> = fc.record({
  x0: number(-3, 3),
  noise: number(-3, 3),
  alpha: number(0.05, 2),
  sigma: number(0.01, 20),
  sigmaData: number(0.2, 3),
});

claim("every prediction follows from every other, by the papers' definitions of each", async (check) => {
  for (const from of predictions) {
    await checkProperty(
      check,
      `from ${from}`,
      anyPoint,
      (point) => {
        const x = point.alpha * point.x0 + point.sigma * point.noise;
        const given = definitions[from](point);
        return predictions.every((to) => {
          const { state, output } = predictionFactors(from, to, point);
          const terms = Math.abs(state * x) + Math.abs(output * given);
          // The definition of F loses the digits by which its two terms differ; x those by which its terms do.
          const size = 1 + Math.abs(state) * 50 + Math.abs(output) * 400;
          return Math.abs(state * x + output * given - definitions[to](point)) <= 1e-13 * (terms + size);
        });
      },
      "two equations for x_0 and ε; float64 of terms as large as they are",
    );
  }
});

claim("a prediction turned into another and back is the prediction", async (check) => {
  for (const from of predictions) {
    await checkProperty(
      check,
      `from ${from}`,
      fc.tuple(anyPoint, fc.constantFrom(...predictions)),
      ([point, other]) => {
        const [there, back] = [predictionFactors(from, other, point), predictionFactors(other, from, point)];
        const state = back.state + back.output * there.state;
        return Math.abs(back.output * there.output - 1) <= 1e-13 &&
          Math.abs(state) <= 1e-13 * (Math.abs(back.state) + Math.abs(back.output * there.state) + 1);
      },
      "inverse functions",
    );
  }
});

claim("the data are those of the papers' own formulas", (check) => {
  const [alpha, sigma] = [0.8, 0.6];
  const factors = (from: Prediction, sigmaData?: number) => {
    const { state, output } = predictionFactors(from, "data", { alpha, sigma, sigmaData });
    return [state, output];
  };
  const near = (what: string, seen: readonly number[], expected: readonly number[], source: string) => {
    for (const [i, value] of expected.entries()) {
      check.within(`${what}, factor ${i}`, seen[i], value, 1e-14, source);
    }
  };
  near("velocity", factors("velocity"), [0.8, -0.6], "Salimans & Ho 2022: α x − σ v");
  near("noise", factors("noise"), [1 / 0.8, -0.6 / 0.8], "Ho et al. 2020, eq. 15");
  near("score", factors("score"), [1 / 0.8, 0.36 / 0.8], "Tweedie: (x + σ² s)/α");
  const [ratio, sigmaData] = [0.75, 0.5];
  const square = ratio ** 2 + sigmaData ** 2;
  near(
    "edm",
    factors("edm", sigmaData),
    [sigmaData ** 2 / square / alpha, ratio * sigmaData / Math.sqrt(square)],
    "Karras et al. 2022, Table 1: c_skip y + c_out F",
  );
  const t = 0.3;
  const straight = predictionFactors("flow", "data", { alpha: 1 - t, sigma: t });
  near("flow", [straight.state, straight.output], [1, -t], "Liu et al. 2023: x − t u");
});

claim("trained on any prediction the loss weighs the noise's error by the square of one factor", (check) => {
  for (const ratio of [0.02, 1, 30]) {
    const alpha = 1 / Math.hypot(1, ratio);
    const level = { alpha, sigma: ratio * alpha, sigmaData: 0.6 };
    const weights: Record<Prediction, number> = {
      noise: 1,
      data: ratio ** 2,
      velocity: 1 + ratio ** 2,
      score: 1 / level.sigma ** 2,
      edm: edmWeight(ratio, 0.6),
      flow: (1 + ratio) ** 2,
    };
    for (const prediction of predictions) {
      const { output } = predictionFactors("noise", prediction, level);
      const expected = weights[prediction];
      check.within(`${prediction} at ν = ${ratio}`, output ** 2 / expected, 1, 1e-13, "1/SNR, 1 + 1/SNR, …");
      const { data, noise } = predictionTarget(prediction, level);
      const target = definitions[prediction]({ x0: 0.7, noise: -0.4, ...level });
      const size = Math.abs(data) + Math.abs(noise);
      check.within(`${prediction}: target`, 0.7 * data - 0.4 * noise, target, 1e-12 * size, "its definition");
    }
  }
});

claim("where no signal is left, four predictions give the data, and two are refused", async (check) => {
  const level = { alpha: 0, sigma: 1, sigmaData: 0.5 };
  const [x0, noise] = [0.7, -1.3];
  // F's limit: c_skip y → 0 and c_out → σ_d.
  const outputs = { data: x0, velocity: -x0, edm: x0 / 0.5, flow: noise - x0 } as const;
  for (const [from, output] of Object.entries(outputs)) {
    const factors = predictionFactors(from as Prediction, "data", level);
    const data = factors.state * noise + factors.output * output;
    check.within(`${from} at α = 0`, data, x0, 1e-15, "Lin et al. 2024, Section 3.2");
  }
  for (const from of ["noise", "score"] as const) {
    await check.throws(
      `${from} at α = 0`,
      () => predictionFactors(from, "data", level),
      new RegExp(
        `^a prediction of ${from} says nothing of the data at α = 0, where x is noise alone: predict data, velocity, edm or flow$`,
      ),
    );
  }
  await check.throws(
    "data at σ = 0",
    () => predictionFactors("data", "noise", { alpha: 1, sigma: 0 }),
    /^a prediction of data says nothing of the noise at σ = 0, where x is data alone: predict noise, velocity, edm or flow$/,
  );
  await check.throws(
    "a score at σ = 0",
    () => predictionTarget("score", { alpha: 1, sigma: 0 }),
    /^a score /,
  );
  await check.throws(
    "nothing",
    () => predictionTarget("data", { alpha: 0, sigma: 0 }),
    /^alpha and sigma must not both be 0$/,
  );
});
