/**
 * The Gaussian that has the covariance of CIFAR-10's images, of Pierret & Galerne, "Diffusion models for Gaussian distributions:
 * exact solutions and Wasserstein errors" (ICML 2025), and the W₂ errors that their Table 5 has for samplers on it.
 *
 * The covariance's 3,072 eigenvalues λ enter a W₂ error by a sum of a function that is smooth in ln λ. The sum over its
 * interpolating polynomial on 48 Chebyshev nodes is one with weights over the nodes, which are all that is kept here.
 * Eigenvalues below 1e-6, ten of them 0, count as 1e-6.
 * @module
 */

/** The range of the nodes. */
const LOWEST = 1e-6;
const HIGHEST = 221.45329;

/** Σ_i ℓ_k(ln λ_i) over the eigenvalues, with ℓ_k Lagrange's polynomials on the nodes. */
export const spectrumWeights: readonly number[] = [
  1.28382063607,
  -0.457141346747,
  0.312901749203,
  -0.273210934106,
  0.283482260081,
  -0.364050713859,
  0.969193404065,
  0.253084520905,
  0.93283246961,
  0.233337625851,
  3.27015980767,
  2.37458555857,
  2.8843173973,
  6.60474202012,
  9.71193043203,
  11.9324898471,
  22.7769316446,
  34.2799545686,
  49.8188646467,
  73.0104662709,
  98.2054141054,
  129.28748198,
  156.928479798,
  191.850578373,
  212.496278175,
  214.642570315,
  208.476526309,
  202.48603283,
  203.353703206,
  201.101137237,
  193.692296832,
  191.695859114,
  174.793101875,
  149.863754437,
  115.559324529,
  82.3029986289,
  51.7980867362,
  30.6908130604,
  14.7310945815,
  7.60289694584,
  3.05754237169,
  3.7808314286,
  -0.352367705324,
  2.25677604984,
  -0.855839851713,
  3.48904252221,
  -4.81855615383,
  14.0454504044,
];

/** The nodes λ_k, decreasing: in ln λ those of Chebyshev's first kind. */
export const spectrumNodes: readonly number[] = spectrumWeights.map((_, k) => {
  const place = Math.cos(Math.PI * (k + 0.5) / spectrumWeights.length);
  return Math.exp((Math.log(HIGHEST) * (1 + place) + Math.log(LOWEST) * (1 - place)) / 2);
});

/** A column of the published table. */
interface PublishedErrors {
  /** The paper's name of the scheme. */
  readonly scheme: string;
  /** W₂ by what the table calls the number of evaluations; a run has one step fewer, and RK4's a quarter of them less one. */
  readonly errors: Readonly<Record<50 | 250 | 1000, number>>;
}

/** Table 5 for runs from N(0, I) on a uniform grid to ε = 1e-3. */
export const publishedErrors: readonly PublishedErrors[] = [
  { scheme: "EM", errors: { 50: 4.68, 250: 0.7, 1000: 0.27 } },
  { scheme: "EI", errors: { 50: 2.91, 250: 0.67, 1000: 0.29 } },
  { scheme: "DDPM", errors: { 50: 6.74, 250: 1, 1000: 0.32 } },
  { scheme: "Euler", errors: { 50: 1.79, 250: 0.48, 1000: 0.25 } },
  { scheme: "Heun", errors: { 50: 0.59, 250: 0.15, 1000: 0.19 } },
  { scheme: "RK4", errors: { 50: 2.6, 250: 0.12, 1000: 0.19 } },
];
