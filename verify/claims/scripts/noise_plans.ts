/** Claims about files of noise plans: what is taken and refused, and how they are drawn by. @module */
import { type NoisePlanFile, parsePlan, planSampling } from "../../../scripts/sampling/noise_plan_file.ts";
import { claim } from "../../suite/claim.ts";

const plan: NoisePlanFile = {
  ...{ format: "score-sde noise plan 2", data: "mnist", kind: "ncsnv2", largest: 8, smallest: 0.5 },
  ...{ levels: 5, moves: 3, epsilon: 1e-3 },
} as const;

claim("a noise plan is taken within its bounds, and drawn by in a model's units", async (check) => {
  const read = (changed: object, pad = 0) =>
    parsePlan(new TextEncoder().encode(JSON.stringify({ ...plan, ...changed }) + " ".repeat(pad)), "it");
  check.equal("as written", read({}), plan, "the format");
  check.equal(
    "the format before",
    read({ format: "score-sde noise plan 1" }),
    { ...plan, epsilon: 5e-4 },
    "ε is halved",
  );
  check.equal("sampling", planSampling(plan), {
    sde: { kind: "ve", sigmaMin: 1, sigmaMax: 32, tMin: 0, tMax: 1 },
    sampler: { name: "annealed-langevin", options: { langevinStep: 0.004, correctorSteps: 3 } },
    grid: { kind: "uniform", steps: 5 },
  }, "pixels from −1 to 1: σ doubled, ε fourfold; one level of ratio 2 above σ_1 = 16");
  const allowed: readonly Partial<NoisePlanFile>[] = [
    { smallest: 1e-6, epsilon: 1e-13 },
    { largest: 1e4 },
    { levels: 2 },
    { levels: 100_000 },
    { moves: 1 },
    { moves: 100_000 },
    { kind: "ncsn" },
    { epsilon: 0.25 },
  ];
  for (const changed of allowed) {
    check.equal(JSON.stringify(changed), read(changed), { ...plan, ...changed }, "allowed");
  }
  const size = JSON.stringify(plan).length;
  check.equal("100,000 bytes", read({}, 100_000 - size), plan, "the longest");
  const refused: readonly (readonly [object, RegExp, number?])[] = [
    [{}, /^it is no noise plan: it has 100001 bytes$/, 100_001 - size],
    [{ format: "plan" }, /^it is no noise plan: it does not say "format": "score-sde noise plan 2"$/],
    [{ more: 1 }, /^it is no noise plan: .*more/],
    [{ data: 3 }, /^it is no noise plan: data must be/],
    [{ kind: "ddpm" }, /^it is no noise plan: kind must be "ncsn" or "ncsnv2", got "ddpm"$/],
    [{ smallest: 0.9e-6 }, /smallest must be .*9e-7$/],
    [{ smallest: 8 }, /largest must be .*8$/],
    [{ largest: 10_001 }, /largest must be .*10001$/],
    [{ levels: 1 }, /levels must be .*1$/],
    [{ levels: 100_001 }, /levels must be .*100001$/],
    [{ levels: 2.5 }, /levels must be .*2\.5$/],
    [{ moves: 0 }, /moves must be .*0$/],
    [{ moves: 100_001 }, /moves must be .*100001$/],
    [{ moves: 1.5 }, /moves must be .*1\.5$/],
    [{ epsilon: 0 }, /epsilon must be .*0$/],
    [{ epsilon: 65 }, /epsilon must be .*65$/],
  ];
  for (const [changed, message, pad] of refused) {
    await check.throws(JSON.stringify(changed), () => read(changed, pad), message);
  }
});
