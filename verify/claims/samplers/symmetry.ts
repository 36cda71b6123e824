/**
 * Symmetries of the data are symmetries of the samples: rotating the plane rotates them, naming the components in another order changes
 * nothing, and shifting the data shifts them wherever the sampler is exact for a constant prediction.
 * @module
 */
import { createRng, type Rng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { samplerInfo } from "../../../src/samplers/registry.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import type { Sde } from "../../../src/diffusion/sde.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";
import { type SamplerFacts, samplerFacts } from "../../problems/sampler_facts.ts";
import { allSdes } from "../../problems/sdes.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const rows = 5;
const steps = 24;

/** A mixture in the plane, an SDE, and a motion to try on it. */
interface Trial {
  readonly kind: Sde["config"]["kind"];
  readonly weights: readonly number[];
  readonly means: readonly (readonly number[])[];
  /** Standard deviations along two axes, and the angle of the first. */
  readonly spreads: readonly (readonly number[])[];
  readonly turn: number;
  readonly shift: readonly number[];
}

const between = (min: number, max: number) => fc.double({ min, max, noNaN: true, noDefaultInfinity: true });

const trials: fc.Arbitrary<Trial> = fc.integer({ min: 1, max: 3 }).chain((components) => {
  const each = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: components, maxLength: components });
  return fc.record({
    kind: fc.constantFrom(...allSdes.map(({ config }) => config.kind)),
    weights: each(between(0.2, 1)),
    means: each(fc.tuple(between(-1, 1), between(-1, 1))),
    spreads: each(fc.tuple(between(0.2, 1), between(0.2, 1), between(0, 3))),
    turn: between(-3, 3),
    shift: fc.tuple(between(-1, 1), between(-1, 1)),
  });
});

function sdeOf(kind: Trial["kind"]): Sde {
  return allSdes.find(({ config }) => config.kind === kind)!;
}

/** The mixture of a trial, turned and shifted. */
function mixtureOf(
  { weights, means, spreads }: Trial,
  turn = 0,
  shift: readonly number[] = [0, 0],
): GaussianMixture {
  const components = means.map((mean, k) => {
    const [a, b, angle] = spreads[k];
    const [cos, sin] = [Math.cos(angle + turn), Math.sin(angle + turn)];
    const cross = cos * sin * (a * a - b * b);
    const [x, y] = turned(mean, turn);
    return new Gaussian({
      mean: [x + shift[0], y + shift[1]],
      covariance: [[(a * cos) ** 2 + (b * sin) ** 2, cross], [cross, (a * sin) ** 2 + (b * cos) ** 2]],
    });
  });
  return new GaussianMixture(weights, components);
}

function turned([x, y]: readonly number[], turn: number): [number, number] {
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  return [cos * x - sin * y, sin * x + cos * y];
}

/** The same draws, each pair of numbers turned. */
function turnedRng(rng: Rng, turn: number): Rng {
  const values = (shape: readonly number[]) => {
    const drawn = rng.normalValues(shape);
    for (let i = 0; i < drawn.length; i += 2) drawn.set(turned([drawn[i], drawn[i + 1]], turn), i);
    return drawn;
  };
  return {
    firstSample: rng.firstSample,
    state: rng.state,
    normalValues: values,
    normal: (shape) => tf.tensor(values(shape), [...shape]),
    uniform: (shape) => rng.uniform(shape),
    uniformValues: (shape) => rng.uniformValues(shape),
    rademacher: (shape) => rng.rademacher(shape),
    fork: (label) => turnedRng(rng.fork(label), turn),
    startingAt: (firstSample) => turnedRng(rng.startingAt(firstSample), turn),
  };
}

async function draw(
  facts: SamplerFacts,
  { kind }: Trial,
  data: GaussianMixture,
  rng: Rng = createRng(7),
  initial?: tf.Tensor,
): Promise<Float32Array> {
  const sde = sdeOf(kind);
  const grid = { kind: facts.grid, steps } as const;
  const options = { shape: [rows, 2], grid, rng, initial };
  const x = await drawSamples(scoreModel(data, sde), facts.sampler(sde, steps), options);
  const values = await x.data<"float32">();
  tf.dispose(initial === undefined ? x : [x, initial]);
  return values;
}

/** Whether two batches agree to rounding, amplified by the few unstable steps of a coarse grid. */
function agree(a: Float32Array, b: Float32Array): boolean {
  const scale = a.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  return a.every((value, i) => Math.abs(value - b[i]) <= 2e-3 * scale);
}

/** The adaptive solver may take other steps for turned data, and the annealed one leaves what it starts from. */
const judged = samplerFacts.filter(({ name, order }) =>
  order !== null || samplerInfo(name).kind === "multistep"
);

for (const facts of judged) {
  claim(
    `${facts.name} is equivariant to rotations, and invariant to the order of components`,
    async (check) => {
      const source = "scores turn with the data; the noise is turned by hand";
      await checkProperty(
        check,
        "turning the data turns the samples",
        trials,
        async (trial) => {
          const plain = await draw(facts, trial, mixtureOf(trial));
          const moved = await draw(
            facts,
            trial,
            mixtureOf(trial, trial.turn),
            turnedRng(createRng(7), trial.turn),
          );
          const expected = plain.slice();
          for (let i = 0; i < expected.length; i += 2) {
            expected.set(turned([plain[i], plain[i + 1]], trial.turn), i);
          }
          return agree(expected, moved);
        },
        source,
        check.thorough ? 60 : 6,
      );
      await checkProperty(
        check,
        "reversing the components changes nothing",
        trials,
        async (trial) => {
          const [weights, means, spreads] = [trial.weights, trial.means, trial.spreads].map((list) =>
            list.toReversed()
          );
          const reversed = mixtureOf({ ...trial, weights, means, spreads } as Trial);
          return agree(await draw(facts, trial, mixtureOf(trial)), await draw(facts, trial, reversed));
        },
        "a mixture is a sum",
        check.thorough ? 60 : 6,
      );
    },
  );
}

claim("samplers that are exact for a constant prediction are equivariant to shifts", async (check) => {
  for (const facts of judged.filter(({ lastStep }) => /data prediction|extrapolated/.test(lastStep))) {
    await checkProperty(
      check,
      `${facts.name}: shifting data and start shifts the samples`,
      trials,
      async (trial) => {
        const { kind, shift } = trial;
        const sde = sdeOf(kind);
        const start = createRng(3).normalValues([rows, 2]).map((z) => z * sde.priorStd);
        const shifted = start.map((value, i) => value + sde.alpha(sde.tMax) * shift[i % 2]);
        const initial = (values: Float32Array) => tf.tensor2d(values, [rows, 2]);
        const plain = await draw(facts, trial, mixtureOf(trial), createRng(7), initial(start));
        const moved = await draw(facts, trial, mixtureOf(trial, 0, shift), createRng(7), initial(shifted));
        return agree(plain.map((value, i) => value + shift[i % 2]), moved);
      },
      "x_t/α is data plus noise, whatever the data's origin",
      check.thorough ? 60 : 6,
    );
  }
});
