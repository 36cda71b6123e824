/** Claims about the exact model that samplers under test are answered by. @module */
import { exactAnswer, gaussianOnLine, type LineMixture } from "../../../src/conformance/exact_model.ts";
import { claim } from "../../suite/claim.ts";

const mixture: LineMixture = { weights: [0.3, 0.7], means: [-1.5, 0.8], deviations: [0.3, 0.5] };

/** Posterior mean and ln density of x = α x₀ + σ ε by Simpson's rule over x₀. */
function byQuadrature(x: number, alpha: number, sigma: number): { denoised: number; density: number } {
  const [low, high, pieces] = [-8, 8, 64_000];
  let [mass, moment] = [0, 0];
  for (let i = 0; i <= pieces; i++) {
    const x0 = low + (high - low) * i / pieces;
    const prior = mixture.weights.reduce((sum, weight, k) => {
      const z = (x0 - mixture.means[k]) / mixture.deviations[k];
      return sum + weight / mixture.deviations[k] * Math.exp(-z * z / 2);
    }, 0);
    const z = (x - alpha * x0) / sigma;
    const weight = (i === 0 || i === pieces ? 1 : i % 2 === 1 ? 4 : 2) * prior * Math.exp(-z * z / 2);
    mass += weight;
    moment += weight * x0;
  }
  return { denoised: moment / mass, density: Math.log(mass) };
}

claim("the exact model's four answers are the posterior mean and the score of x = α x₀ + σ ε", (check) => {
  const source = "Simpson's rule over x₀, and a central difference of ln p";
  for (const [alpha, sigma] of [[1, 0.4], [0.6, 0.8], [0.1, 0.99]]) {
    for (const x of [-1.2, 0.1, 1.7]) {
      const at = (answer: Parameters<typeof exactAnswer>[3]) =>
        exactAnswer([mixture], Float64Array.of(x), [{ alpha, sigma }], answer)[0];
      const { denoised } = byQuadrature(x, alpha, sigma);
      const h = 1e-4;
      const slope = (byQuadrature(x + h, alpha, sigma).density - byQuadrature(x - h, alpha, sigma).density) /
        (2 * h);
      const where = `x = ${x}, α = ${alpha}, σ = ${sigma}`;
      const noise = (x - alpha * denoised) / sigma;
      check.within(`denoised, ${where}`, at("denoised"), denoised, 1e-9, source);
      check.within(`score, ${where}`, at("score"), slope, 1e-6, source);
      check.within(`noise, ${where}`, at("noise"), noise, 1e-9, source);
      check.within(
        `velocity, ${where}`,
        at("velocity"),
        alpha * noise - sigma * denoised,
        1e-9,
        "Salimans & Ho 2022",
      );
    }
  }
});

claim("rows at noise levels of their own are answered each at its own", (check) => {
  const levels = [{ alpha: 1, sigma: 0.4 }, { alpha: 0.6, sigma: 0.8 }, { alpha: 0.1, sigma: 0.99 }];
  const states = Float64Array.of(-1.2, 0.1, 1.7);
  const answers = exactAnswer([mixture], states, levels, "denoised");
  levels.forEach(({ alpha, sigma }, row) =>
    check.within(
      `row ${row}, α = ${alpha}, σ = ${sigma}`,
      answers[row],
      byQuadrature(states[row], alpha, sigma).denoised,
      1e-9,
      "Simpson's rule over x₀",
    )
  );
});

claim("the exact model keeps its digits at tiny σ and in far tails", (check) => {
  const point = gaussianOnLine(0.7, 0.01);
  const x = 0.7 + 0.01;
  for (const sigma of [1e-3, 1e-8, 1e-150, 0]) {
    const scales = { alpha: 1, sigma };
    const noise = exactAnswer([point], Float64Array.of(x), [scales], "noise")[0];
    // u/C with u = 0.01 but for the rounding of x.
    check.within(
      `noise over σ at σ = ${sigma}`,
      sigma === 0 ? noise + 1 : noise / sigma * (1e-4 + sigma ** 2) / (x - 0.7),
      1,
      1e-12,
      "ε̂ = σ (x − α m)/C",
    );
  }
  for (const far of [1e3, -1e6, 1e150]) {
    const score = exactAnswer([mixture], Float64Array.of(far), [{ alpha: 1, sigma: 0.1 }], "score")[0];
    // The component that is wider governs both tails.
    check.within(
      `score at ${far} over the wider component's`,
      score / (-(far - 0.8) / 0.26),
      1,
      1e-12,
      "r → 1 in the tail",
    );
  }
});
