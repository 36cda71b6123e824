/** Claims about verdicts: right samplers pass, and each fault is told by the property that it breaks. @module */
import { conform } from "../../../src/conformance/conform.ts";
import type { Property } from "../../../src/conformance/property.ts";
import type { SamplerUnderTest } from "../../../src/conformance/sampler_under_test.ts";
import { normalNumbers } from "../../../src/conformance/normal_numbers.ts";
import { ddimUnderTest, eulerMaruyamaUnderTest, type Tampering } from "../../problems/samplers_under_test.ts";
import { narrowSdes } from "../../problems/sdes.ts";
import { claim } from "../../suite/claim.ts";

/** Faults, the property that must fail, and a part of its words. */
const faults: readonly (readonly [what: string, Tampering, property: string, words: RegExp])[] = [
  ["half the score", { score: 0.5 }, "limit", /score's weight is 0\.5\d* g², for 1/],
  ["a score of the wrong sign", { score: -1 }, "limit", /score enters with the wrong sign/],
  ["a score times 1.01", { score: 1.01 }, "variance", /goes to 0\.98/],
  [
    "noise times 2",
    { noise: (h) => 2 * Math.sqrt(h) },
    "noise_draws",
    /noise of a step is 2\.?\d* times g√h/,
  ],
  ["noise h for √h", { noise: (h) => h }, "noise_draws", /factor is h where √h belongs/],
  ["noise without √h", { noise: () => 1 }, "noise_draws", /√h is missing/],
  ["a drift of the wrong sign", { drift: -1 }, "limit", /drift f x enters with the wrong sign/],
  ["the score at the next level", { later: 1 }, "first_level", /at level 1 of the grid, not at level 0/],
  ["the score at the last level", { later: -1 }, "visited_levels", /stale time/],
  ["a step that is left out", { missing: 1 }, "last_level", /steps are missing/],
  ["a start that is scaled", { start: 1.1 }, "start_scale", /1\.1 times the given start/],
  ["one noise for all steps", { reuse: true }, "noise_draws", /steps share noise/],
  ["one noise for all rows", { shared: true }, "rows", /rows share noise/],
  ["the batch's mean in a step", { batch: true }, "rows", /a statistic of the batch/],
  ["states of eleven bits", { coarse: true }, "affine", /float16/],
  ["a state of the run before", { history: true }, "repeat", /earlier run/],
  [
    "noise in what is said to be data",
    { saysData: true },
    "noise_at_end",
    /adds noise .* leave the last noise out/,
  ],
  ["an odd step", { oddStep: 20 }, "variance", /step 21 of 64 .* not like its neighbours/],
];

async function verdictsOf(
  sampler: SamplerUnderTest,
  only?: readonly string[],
): Promise<Map<string, Property>> {
  const { properties } = await conform(sampler, { only });
  return new Map(properties.map((property) => [property.name, property]));
}

/** Without those that compare with nothing exact, which take longest. */
const exact = [
  "evaluations",
  "first_level",
  "visited_levels",
  "last_level",
  "start_scale",
  "affine",
  "rows",
  "repeat",
  "noise_draws",
  "mean",
  "variance",
  "limit",
  "order",
  "process",
  "marginals",
];

claim(
  "each fault in Euler–Maruyama fails the property that it breaks, in words that lead to it",
  async (check) => {
    const rows: string[][] = [];
    for (const [what, tampering, name, words] of faults) {
      const found = (await verdictsOf(eulerMaruyamaUnderTest(tampering), [name])).get(name)!;
      check.equal(
        `${what}: verdict of ${name}`,
        found.verdict,
        "fails",
        "the fault is planted in the sampler",
      );
      check.holds(`${what}: “${found.words}”`, words.test(found.words), String(words));
      rows.push([what, name, found.words]);
    }
    check.table("Faults in Euler–Maruyama", ["fault", "property", "words"], rows);
  },
);

claim("a plain Euler–Maruyama and a DDIM at σ/α alone fail nothing, on every SDE and grid", async (check) => {
  const sdes = check.thorough ? Object.values(narrowSdes) : [narrowSdes.VP, narrowSdes.VE];
  for (const sde of sdes) {
    for (const grid of ["uniform", "log-snr", "karras"] as const) {
      for (const sampler of [eulerMaruyamaUnderTest(), ddimUnderTest()]) {
        const { properties } = await conform(sampler, { sde: sde.config, grid, only: exact });
        const failed = properties.filter(({ verdict }) => verdict === "fails" || verdict === "not measured");
        check.equal(
          `${sampler.description.name} on ${sde.config.kind}, ${grid}`,
          failed.map(({ name, words }) => `${name}: ${words}`),
          [],
          "the equations of the papers",
        );
      }
    }
  }
});

claim(
  "the last step's noise of Euler–Maruyama is noted with its size g²h, and fails nothing",
  async (check) => {
    const { verdict, value, words } = (await verdictsOf(eulerMaruyamaUnderTest(), ["noise_at_end"])).get(
      "noise_at_end",
    )!;
    check.equal("verdict", verdict, "noted", "the end is at tMin, where the equation has noise");
    // The last of 32 steps on [1e-3, 1] begins at tMin + h, where g² = β.
    const h = 0.999 / 32;
    check.within(
      "its variance over g²h",
      (value ?? NaN) / (h * (0.1 + 19.9 * (1e-3 + h))),
      1,
      1e-9,
      "g² = β of VP",
    );
    check.holds(words, /exceeds the exact .* g²h/.test(words), "words that lead to the line");
  },
);

claim("an end from a float32 table of α² is the grid's, and one a hundredth off is not", async (check) => {
  const base = eulerMaruyamaUnderTest();
  const ending = (factor: number): SamplerUnderTest => ({
    description: { ...base.description, precision: "float32" },
    run: async (run) => {
      const end = await base.run(run);
      // The float32 number next below α² of the grid's last level.
      const kept = Math.fround(run.grid.alphas.at(-1)! ** 2) - 2 ** -24;
      return { ...end, level: { alpha: Math.sqrt(kept), sigma: factor * Math.sqrt(1 - kept) } };
    },
  });
  for (const [factor, verdict] of [[1, "holds"], [1.01, "fails"]] as const) {
    const found = (await verdictsOf(ending(factor), ["last_level"])).get("last_level")!;
    check.equal(`σ times ${factor}`, found.verdict, verdict, "σ² = 1 − α² has an error of 2⁻²⁴ then");
  }
});

claim("a sampler with noise of its own is held to means, variances and rows of samples", async (check) => {
  // Its own generator, seeded by the run; the tampering's factor makes its noise too large.
  const own = (factor: number, seeded: boolean): SamplerUnderTest => {
    const { description, run } = eulerMaruyamaUnderTest({ noise: (h) => factor * Math.sqrt(h) }, {
      noise: "own",
    });
    let unseeded = 0;
    return {
      description,
      run: (given) => {
        const [rows, d] = given.shape;
        let request = 0;
        const noise = () =>
          Promise.resolve(normalNumbers(rows * d, seeded ? given.seed : ++unseeded, 500_000 + request++));
        return run({ ...given, noise });
      },
    };
  };
  const names = ["rows", "repeat", "mean", "variance", "process"];
  const right = await verdictsOf(own(1, true), names);
  for (const name of names) {
    check.equal(name, right.get(name)!.verdict, "holds", "a correct sampler; alarm rates 1e-9");
  }
  check.equal(
    "noise of 1.2: variance",
    (await verdictsOf(own(1.2, true), ["variance"])).get("variance")!.verdict,
    "fails",
    "the output's variance is 1.44 times the exact one",
  );
  check.equal(
    "no seed: repeat",
    (await verdictsOf(own(1, false), ["repeat"])).get("repeat")!.verdict,
    "fails",
    "the run's seed is not used",
  );
});
