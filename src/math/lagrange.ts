/**
 * Integrals of polynomials through given nodes.
 * @module
 */
import { integrate } from "./gauss_legendre.ts";

/**
 * The integrals ∫ ℓ_j(u) w(u) du from `from` to `to` of Lagrange's polynomials, ℓ_j(u_k) = 1 where j = k and else 0: the weights
 * of values f(u_j) in the integral of w times the polynomial through them. By Gauss–Legendre quadrature with eight points.
 *
 * @param nodes The u_j, each different from the others.
 * @param density w, by default 1.
 */
export function lagrangeWeights(
  nodes: readonly number[],
  from: number,
  to: number,
  density: (u: number) => number = () => 1,
): number[] {
  return nodes.map((own, j) =>
    integrate(
      from,
      to,
      (u) =>
        nodes.reduce(
          (product, other, k) => k === j ? product : product * (u - other) / (own - other),
          density(u),
        ),
    )
  );
}
