/** Wrong arguments of samplers are refused by their names. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { scoreModelFromNoise } from "../../../src/diffusion/noise_predictor.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import { adaptiveSde } from "../../../src/samplers/adaptive_sde.ts";
import { annealedLangevin } from "../../../src/samplers/annealed_langevin.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { edmStochastic } from "../../../src/samplers/edm_stochastic.ts";
import { langevin } from "../../../src/samplers/langevin.ts";
import { stepsForNfe } from "../../../src/samplers/nfe_budget.ts";
import { odeDormandPrince } from "../../../src/samplers/ode_dopri5.ts";
import { predictorCorrector } from "../../../src/samplers/predictor_corrector.ts";
import { nfePerStep, samplerByName } from "../../../src/samplers/registry.ts";
import { drawSamples, type SampleOptions } from "../../../src/samplers/sample.ts";
import { statelessStepper } from "../../../src/samplers/sampler.ts";
import { claim } from "../../suite/claim.ts";

claim("a wrong argument of a sampler is refused by its name", async (check) => {
  const none = null as never;
  const model = scoreModelFromNoise(vpSde(), (x) => x.clone());
  const whole = { shape: [1, 1], grid: Float64Array.of(1, 0.5), rng: createRng(1) };
  const draw = (options: Partial<Record<keyof SampleOptions, unknown>>) => () =>
    drawSamples(model, ddim(), { ...whole, ...options } as SampleOptions);
  const [predictor, corrector] = [ddim(), langevin()];
  const cases: [string, () => unknown][] = [
    ["options", () => langevin(none)],
    ["snr", () => langevin({ snr: 0 })],
    ["steps", () => langevin({ steps: 0 })],
    ["stepSize", () => langevin({ stepSize: none })],
    ["rule", () => langevin({ rule: "other" as "ald" })],
    ["options", () => odeDormandPrince(none)],
    ["rtol", () => odeDormandPrince({ rtol: 0 })],
    ["atol", () => odeDormandPrince({ atol: 0 })],
    ["evaluations", () => stepsForNfe("ddim", 2.5)],
    ["options", () => stepsForNfe("ddim", 5, none)],
    ["options", () => samplerByName("ddim", none)],
    ["options", () => nfePerStep("ddim", none)],
    ["correctorSteps", () => nfePerStep("predictor-corrector", { correctorSteps: 0 })],
    ["model", () => drawSamples(none, predictor, whole)],
    ["sampler", () => drawSamples(model, none, whole)],
    ["options", () => drawSamples(model, predictor, none)],
    ["rng", draw({ rng: null })],
    ["denoise", draw({ denoise: 1 })],
    ["initial", draw({ initial: 1 })],
    ["shape", draw({ shape: 1 })],
    ["options", () => predictorCorrector(none)],
    ["predictor", () => predictorCorrector({ predictor: none, corrector })],
    ["corrector", () => predictorCorrector({ predictor, corrector: none })],
    ["options", () => adaptiveSde(none)],
    ["rtol", () => adaptiveSde({ rtol: 0 })],
    ["firstStep", () => adaptiveSde({ firstStep: 0 })],
    ["maxAttempts", () => adaptiveSde({ maxAttempts: 0 })],
    ["options", () => ddim(none)],
    ["eta", () => ddim({ eta: -0.1 })],
    ["options", () => edmStochastic(none)],
    ["gamma", () => edmStochastic({ gamma: 0.5 })],
    ["sNoise", () => edmStochastic({ sNoise: 0 })],
    ["sTmin", () => edmStochastic({ sTmin: -1 })],
    ["sTmin and sTmax", () => edmStochastic({ sTmin: 2, sTmax: 1 })],
    ["step", () => statelessStepper(none)],
    ["options", () => annealedLangevin(none)],
    ["steps", () => annealedLangevin({ steps: 0 })],
    ["langevinStep", () => annealedLangevin({ langevinStep: 0 })],
  ];
  for (const [name, call] of cases) await check.throws(name, call, new RegExp(`^${name} must `));
  const nothing = () => drawSamples(model, predictor, { ...whole, other: 1 } as SampleOptions);
  await check.throws(
    "an unknown option",
    nothing,
    /^options has an unknown field "other"; its fields are shape, grid, rng, /,
  );
  for (const value of [0, Math.SQRT2 - 1]) {
    await check.throws(`γ of ${value}`, () => edmStochastic({ gamma: value }), /^no error$/);
  }
  await check.throws("S_tmin at S_tmax", () => edmStochastic({ sTmin: 2, sTmax: 2 }), /^no error$/);
  for (const eta of [0, 1]) await check.throws(`η of ${eta}`, () => ddim({ eta }), /^no error$/);
  const late = () => drawSamples(model, predictor, { ...whole, grid: Float64Array.of(1.1, 0.5) });
  await check.throws(
    "a late start",
    late,
    /^a time grid must not begin before the diffusion's end, tMax = 1, got 1\.1$/,
  );
  const listed = draw({ grid: [1, 0.5] });
  await check.throws("a list of times", listed, /^times of a grid must be a Float64Array, got \[1, 0\.5\]$/);
});
