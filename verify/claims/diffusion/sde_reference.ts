/**
 * The SDEs against the numbers of published code.
 * @module
 */
import { forwardStep } from "../../../src/diffusion/forward_step.ts";
import { priorLogDensity, type SdeConfig } from "../../../src/diffusion/sde.ts";
import { sdeFromConfig } from "../../../src/diffusion/sde_registry.ts";
import { claim } from "../../suite/claim.ts";
import reference from "../../../fixtures/reference/score_sde.json" with { type: "json" };

for (const { kind, config, N, rows } of reference.sdes) {
  const sde = sdeFromConfig({ kind, ...config } as SdeConfig);
  claim(`the ${kind} SDE agrees with score_sde_pytorch`, (check) => {
    const source = "score_sde_pytorch in float64; its 1 − exp leaves 1.1e-16/B(t), B(1e-5) = 1e-6";
    // A difference of neighbouring σ_i² is 1.7% of σ_i².
    const tolerance = kind === "ve" ? 2e-5 : 1e-6;
    const table =
      "score_sde_pytorch's float32 tables, whose rounding is 6e-8 of √β or of σ_i (1e-5 of a difference)";
    for (const { t, x, score, mean, std, drift, diffusion, reverse_drift, ode_drift, ...row } of rows) {
      const f = sde.driftCoefficient(t);
      const g2 = sde.diffusionCoefficient(t) ** 2;
      const near = (what: string, observed: number, expected: number, tolerance: number, source: string) =>
        check.within(
          `${what} at t = ${t}`,
          observed,
          expected,
          tolerance * (Math.abs(expected) + 1e-12),
          source,
          {
            detectable: `${tolerance} relative`,
          },
        );
      near("std", sde.sigma(t), std, 1e-9, source);
      near("diffusion", sde.diffusionCoefficient(t), diffusion, 1e-9, source);
      x.forEach((value, i) => {
        near(`mean[${i}]`, sde.alpha(t) * value, mean[i], 1e-12, source);
        near(`drift[${i}]`, f * value, drift[i], 1e-12, source);
        near(`reverse_drift[${i}]`, f * value - g2 * score[i], reverse_drift[i], 1e-8, source);
        near(`ode_drift[${i}]`, f * value - 0.5 * g2 * score[i], ode_drift[i], 1e-8, source);
      });
      const squaredNorm = x.reduce((sum, value) => sum + value ** 2, 0);
      near("prior_logp", priorLogDensity(sde, squaredNorm, x.length), row.prior_logp_of_x, 1e-12, source);
      // Its tables hold N noise levels at the times i/(N−1); Euler's rule (sub-VP) uses t itself.
      const index = Math.floor(t * (N - 1));
      const level = kind === "subvp" ? t : index / (N - 1);
      const before = kind === "ve" ? Math.max(0, index - 1) / (N - 1) : level - 1 / N;
      const { scale, std: noise } = forwardStep(sde, before, level);
      // SMLD's first step starts from clean data, not from the level before the first.
      near(
        "discretized_diffusion",
        kind === "ve" && index === 0 ? sde.sigma(0) : noise,
        row.discretized_diffusion,
        tolerance,
        table,
      );
      x.forEach((value, i) => {
        const expected = row.discretized_drift[i];
        check.within(
          `discretized_drift[${i}] at t = ${t}`,
          scale * value - value,
          expected,
          1e-7 * Math.abs(value),
          table,
          {
            detectable: "1e-7 of x",
          },
        );
      });
    }
  });
}
