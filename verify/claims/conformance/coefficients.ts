/** Claims about the affine coefficients that the measuring reads off a sampler. @module */
import { BROAD_COORDINATES, gaussianData } from "../../../src/conformance/examination.ts";
import { impulseResponse } from "../../../src/conformance/impulse_response.ts";
import { projectSampler } from "../../../src/conformance/project_sampler.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { samplerByName, samplerInfo } from "../../../src/samplers/registry.ts";
import { impulseResponse as tensorResponse } from "../../instruments/impulse_response.ts";
import { claim } from "../../suite/claim.ts";

claim("coefficients through the contract are those of the tensor code's impulse response", async (check) => {
  const sde = vpSde();
  const times = timeGrid(sde, { kind: "log-snr", steps: 8 });
  const alpha = sde.alpha(sde.tMin);
  const model = scoreModel(
    new Gaussian({
      mean: gaussianData.map(({ means }) => means[0]),
      variances: gaussianData.map(({ deviations }) => deviations[0] ** 2),
    }),
    sde,
  );
  for (const name of ["euler-maruyama", "ancestral", "dpm++2m", "edm-heun", "sde-dpm++2m"]) {
    const sampler = samplerByName(name);
    const draws = samplerInfo(name).stochastic ? 8 : 0;
    const ours = await impulseResponse(
      projectSampler(sampler, { denoise: false }),
      { sde, times, data: gaussianData },
      draws,
      1024,
    );
    const theirs = await tensorResponse(model, sampler, {
      grid: times,
      denoise: false,
      dimension: gaussianData.length,
    });
    check.equal(`${name}: draws`, ours.run.noiseAfter.length, theirs.noise.length, "both count requests");
    const worst = (a: Float64Array, b: Float64Array) =>
      Math.max(...BROAD_COORDINATES.map((j) => Math.abs(alpha * a[j] - b[j])));
    const source = "verify/instruments/impulse_response.ts, which has its own rows and random generator";
    check.atMost(`${name}: gain`, worst(ours.end.gain, theirs.gain), 1e-5, source);
    check.atMost(`${name}: offset`, worst(ours.end.offset, theirs.offset), 2e-5, source);
    theirs.noise.forEach((noise, k) =>
      check.atMost(`${name}: noise ${k + 1}`, worst(ours.end.noise[k], noise), 1e-5, source)
    );
  }
});
