/** Wrong arguments of SDEs, grids and score models are refused by their names. @module */
import * as tf from "../../../src/compute/tf.ts";
import { cosineBetas } from "../../../src/diffusion/beta_schedule.ts";
import { geometricLevels, ncsnSchedule } from "../../../src/diffusion/ncsn_levels.ts";
import { requireScore, scoreModel, scoreModelFromNoise } from "../../../src/diffusion/noise_predictor.ts";
import {
  edmSde,
  halfLogSnr,
  noiseRatio,
  sigmaPowerSde,
  subVpSde,
  veSde,
  vpSde,
} from "../../../src/diffusion/sde.ts";
import { sdeFromConfig, withMinimumNoise } from "../../../src/diffusion/sde_registry.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { claim } from "../../suite/claim.ts";

claim("a wrong argument of an SDE, a grid or a score model is refused by its name", async (check) => {
  const none = null as never;
  const sde = vpSde();
  const model = scoreModelFromNoise(sde, (x) => x.clone());
  const cases: [string, () => unknown][] = [
    ["options", () => veSde(none)],
    ["sigmaMin", () => veSde({ sigmaMin: 0 })],
    ["sigmaMax", () => veSde({ sigmaMax: NaN })],
    ["tMin", () => veSde({ tMin: NaN })],
    ["tMin", () => veSde({ tMin: -1 })],
    ["tMax", () => veSde({ tMax: NaN })],
    ["options", () => vpSde(none)],
    ["betaMin", () => vpSde({ betaMin: 0 })],
    ["betaMax", () => subVpSde({ betaMax: NaN })],
    ["tMin", () => subVpSde({ tMin: 0 })],
    ["options", () => sigmaPowerSde(none)],
    ["sigma", () => sigmaPowerSde({ sigma: NaN })],
    ["sigma", () => sigmaPowerSde({ sigma: 1 })],
    ["tMin", () => sigmaPowerSde({ tMin: 0 })],
    ["options", () => edmSde(none)],
    ["tMin", () => edmSde({ tMin: 0 })],
    ["tMax", () => edmSde({ tMax: NaN })],
    ["sde", () => noiseRatio(none, 1)],
    ["sde", () => halfLogSnr(none, 1)],
    ["sde", () => withMinimumNoise(none, 1)],
    ["an SDE's config", () => sdeFromConfig(none)],
    ["sde", () => timeGrid(none, { kind: "uniform", steps: 1 })],
    ["grid", () => timeGrid(sde, none)],
    ["steps", () => timeGrid(sde, { kind: "uniform", steps: 0 })],
    ["rho", () => timeGrid(sde, { kind: "karras", steps: 1, rho: 0 })],
    ["rho", () => timeGrid(sde, { kind: "polyexponential", steps: 1, rho: 0 })],
    ["shape", () => timeGrid(sde, { kind: "beta", steps: 1, shape: 0 })],
    ["model", () => timeGrid(sde, { kind: "align-your-steps", steps: 1, model: none })],
    ["ratios", () => timeGrid(sde, { kind: "levels", steps: 2, ratios: none })],
    ["offset", () => cosineBetas(5, -1)],
    ["options", () => ncsnSchedule(none)],
    ["the smallest noise level", () => ncsnSchedule({ largest: 1, smallest: 0, dimension: 9 })],
    ["the largest noise level", () => ncsnSchedule({ largest: 0.01, dimension: 9 })],
    ["the largest noise level", () => ncsnSchedule({ largest: Infinity, dimension: 9 })],
    ["the overlap", () => ncsnSchedule({ largest: 1, dimension: 9, overlap: 0.99 })],
    ["the overlap", () => ncsnSchedule({ largest: 1, dimension: 9, overlap: 0 })],
    ["the dimension", () => ncsnSchedule({ largest: 1, dimension: 0 })],
    ["levels", () => geometricLevels(2, 1, 1.5)],
    ["the largest noise level", () => geometricLevels(1, 1, 2)],
    ["noise predictor", () => scoreModel(none, sde)],
    ["sde", () => scoreModelFromNoise(none, (x) => x)],
    ["noise", () => scoreModelFromNoise(sde, none)],
    ["model", () => requireScore(none, "this")],
    ["x", () => model.predictedNoise(none, 0.5)],
    ["x", () => model.score(none, 0.5)],
    ["x", () => model.denoised(none, 0.5)],
  ];
  for (const [name, call] of cases) await check.throws(name, call, new RegExp(`^${name} must `));
  const x = tf.ones([2, 1]);
  const other = scoreModelFromNoise(sde, () => tf.ones([1, 2]));
  await check.throws(
    "another shape",
    () => other.denoised(x, 0.5),
    /^the predicted noise must be a float32 tensor of shape/,
  );
  x.dispose();
});
