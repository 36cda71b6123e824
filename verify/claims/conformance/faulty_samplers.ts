/** Claims about the conformance kit: right samplers in numpy hold, and each of many planted mistakes is found. @module */
import { measuredNumpySampler, numpySamplers } from "../../instruments/numpy_sampler.ts";
import { type FaultySampler, faultySamplers } from "../../problems/faulty_samplers.ts";
import { type Check, claim } from "../../suite/claim.ts";

const needs = ["numpy"] as const;
const files = [
  "src/conformance",
  "examples/conformance/numpy_samplers.py",
  "examples/conformance/score_sde_conformance.py",
  "verify/problems/faulty_samplers.ts",
];

const sdes = {
  vp: { kind: "vp", betaMin: 0.1, betaMax: 20 },
  ve: { kind: "ve", sigmaMin: 0.01, sigmaMax: 50 },
} as const;

/** Holds the kit to finding a mistake by the property that the table names, in words that lead to it. */
async function finds(check: Check, faulty: FaultySampler): Promise<void> {
  const { fault, sampler, changes, property, words, noted = false, sde = "vp" } = faulty;
  const properties = await measuredNumpySampler(sampler, { changes, sde: sdes[sde], only: [property] });
  const found = properties.find(({ name }) => name === property)!;
  const verdict = noted ? "noted" : "fails";
  check.equal(`${fault}: ${property}`, found.verdict, verdict, "the mistake is planted");
  check.equal(`words on ${fault}`, words.test(`${found.observed} ${found.words}`), true, `${words}`);
}

claim("the numpy samplers of examples/conformance fail in no property", {
  needs,
  slow: { files },
}, async (check) => {
  const names = await numpySamplers();
  check.atLeast("samplers", names.length, 8, "the table of numpy_samplers.py");
  for (const name of names) {
    const failures = (await measuredNumpySampler(name)).filter(({ verdict }) => verdict === "fails");
    check.equal(`failures of ${name}`, failures.map(({ name, words }) => `${name}: ${words}`), [], "none");
  }
});

/** Mistakes that show in properties which take few runs. */
const quick = new Set(["first_level", "visited_levels", "evaluations", "rows", "repeat"]);

claim(
  "mistakes in levels, evaluations, rows and seeds of a sampler in numpy are found by their properties",
  { needs },
  async (check) => {
    for (const faulty of faultySamplers.filter(({ property }) => quick.has(property)).slice(0, 5)) {
      await finds(check, faulty);
    }
  },
);

claim(
  "each of more than 40 mistakes in samplers in numpy is found by its property, in words that lead to it",
  { needs, slow: { files } },
  async (check) => {
    check.atLeast("mistakes", faultySamplers.length, 40, "their table");
    for (const faulty of faultySamplers) await finds(check, faulty);
  },
);
