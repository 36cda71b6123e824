/** Claims about samplers that break the rules of a run: one clear sentence, and no rejection. @module */
import { conform } from "../../../src/conformance/conform.ts";
import type { SamplerRun, SamplerUnderTest } from "../../../src/conformance/sampler_under_test.ts";
import { eulerMaruyamaUnderTest } from "../../problems/samplers_under_test.ts";
import { claim } from "../../suite/claim.ts";

const { description } = eulerMaruyamaUnderTest();

const broken: readonly (readonly [what: string, SamplerUnderTest["run"], words: RegExp])[] = [
  ["an error", () => Promise.reject(new Error("my own words")), /^my own words$/],
  ["no end", () => Promise.resolve(null as never), /^the run ended without a state$/],
  [
    "a state that is not finite",
    ({ start }) => Promise.resolve({ state: start!.fill(NaN, 7, 8) }),
    /^the last state must be finite, got NaN in row 1, coordinate 1$/,
  ],
  [
    "too few numbers",
    async ({ model }) => ({ state: await model(new Float64Array(5), { time: 1 }, "score") }),
    /^evaluation 1: the state must have 24 numbers, the shape \[4, 6\], got 5$/,
  ],
  [
    "a time outside the SDE",
    async ({ model, start }) => ({ state: await model(start!, { time: 1.5 }, "score") }),
    /^evaluation 1: the time must be from 0 to 1, got 1\.5$/,
  ],
  [
    "a level far above the first",
    async ({ model, start }) => ({ state: await model(start!, { sigma: 1e9 }, "noise") }),
    /^evaluation 1: the noise level sigma\/alpha must be at most a thousand times the largest/,
  ],
  [
    "evaluations without end",
    async ({ model, start }) => {
      for (;;) await model(start!, { time: 1 }, "score");
    },
    /^the sampler asks for more than \d+ evaluations in a run of 32 steps$/,
  ],
  [
    "another name of the answer",
    async ({ model, start }) => ({ state: await model(start!, { time: 1 }, "epsilon" as never) }),
    /^evaluation 1: the answer asked for must be one of noise, denoised, score, velocity, got epsilon$/,
  ],
];

claim(
  "a sampler that breaks a run's rules fails the conversation in one sentence, and nothing else is measured",
  async (check) => {
    for (const [what, run, words] of broken) {
      const { properties } = await conform({ description, run }, { only: ["limit"] });
      const [conversation, limit] = properties;
      check.equal(`${what}: verdict`, conversation.verdict, "fails", "the contract of SamplerRun");
      check.holds(`${what}: “${conversation.words}”`, words.test(conversation.words), String(words));
      check.equal(`${what}: limit`, limit.verdict, "not measured", "there is no run");
    }
  },
);

claim("a sampler that refuses few steps, with an error of its own, is measured with more", async (check) => {
  const { run, description } = eulerMaruyamaUnderTest();
  const picky: SamplerUnderTest = {
    description,
    run: (given: SamplerRun) =>
      given.steps < 50 ? Promise.reject(new RangeError("use 50 steps at least")) : run(given),
  };
  const { properties } = await conform(picky, { only: ["evaluations", "limit"] });
  const [conversation, evaluations, limit] = properties;
  check.equal("conversation", conversation.verdict, "holds", "64 steps run");
  check.holds(
    conversation.words,
    /32 steps are refused: use 50 steps at least/.test(conversation.words),
    "its words",
  );
  check.equal("evaluations", evaluations.verdict, "holds", "one a step");
  check.equal("limit", limit.verdict, "holds", "runs of 64, 128 and 256 steps");
});
