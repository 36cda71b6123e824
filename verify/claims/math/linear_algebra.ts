/** Quadrature, eigenvectors and lists on the host. @module */
import { integrate } from "../../../src/math/gauss_legendre.ts";
import { lagrangeWeights } from "../../../src/math/lagrange.ts";
import { Matrix, symmetricEigen } from "../../../src/math/linear_algebra.ts";
import { sameList, sizeOf } from "../../../src/math/shape.ts";
import { claim } from "../../suite/claim.ts";

claim(
  "the quadrature of eight points is exact for polynomials up to degree 15, and for no other",
  (check) => {
    const [a, b] = [-1, 2];
    for (let degree = 0; degree <= 16; degree++) {
      const exact = (b ** (degree + 1) - a ** (degree + 1)) / (degree + 1);
      const error = Math.abs(integrate(a, b, (x) => x ** degree) / exact - 1);
      if (degree < 16) {
        check.atMost(
          `∫ x^${degree}`,
          error,
          1e-14,
          "Gauss–Legendre; the nodes have 16 digits",
        );
      } else check.atLeast(`∫ x^${degree}`, error, 1e-9, "the rule has eight nodes");
    }
    check.within("from the right to the left", integrate(b, a, (x) => x), -1.5, 1e-15, "−∫_a^b");
  },
);

claim("the weights of a polynomial's values integrate it, and its product with a density", (check) => {
  const polynomial = (u: number) => 2 - u + 3 * u ** 2 - 0.5 * u ** 3;
  const nodes = [2, 2.5, 3.25, 5];
  const sum = (weights: number[]) =>
    weights.reduce((total, weight, j) => total + weight * polynomial(nodes[j]), 0);
  const plain = (u: number) => 2 * u - u ** 2 / 2 + u ** 3 - u ** 4 / 8;
  check.within(
    "from 2 to 1",
    sum(lagrangeWeights(nodes, 2, 1)),
    plain(1) - plain(2),
    1e-13,
    "a cubic through four values",
  );
  // The antiderivative of e^{−u} f is −e^{−u} times the sum of f and its derivatives.
  const weighted = (u: number) =>
    -Math.exp(-u) * (polynomial(u) + (-1 + 6 * u - 1.5 * u ** 2) + (6 - 3 * u) - 3);
  const found = sum(lagrangeWeights(nodes, 2, 1, (u) => Math.exp(-u)));
  check.within("times e^−u", found, weighted(1) - weighted(2), 1e-13, "by parts");
});

claim("a symmetric matrix is that of its eigenvalues and eigenvectors", (check) => {
  const matrices: Record<string, number[][]> = {
    "full": [[2, 1, 0.5], [1, 3, -1], [0.5, -1, 1]],
    "large and small numbers": [[4e200, 1e200, 1e-120], [1e200, 2e200, 0], [1e-120, 0, 1e190]],
    "denormal numbers": [[2, 1e-310], [1e-310, 5]],
    "symmetric but for rounding": [[2, 1], [1 + 1e-12, 2]],
    "small": [[2e-200, 1e-200], [1e-200, 3e-200]],
    "negative": [[-2, 1], [1, -3]],
  };
  for (const [name, rows] of Object.entries(matrices)) {
    const { values, vectors } = symmetricEigen(new Matrix(rows));
    const columns = vectors === null
      ? rows.map((_, i) => rows.map((_, j) => Number(i === j)))
      : vectors.to2DArray();
    const scale = Math.max(...rows.flat().map(Math.abs));
    let [worst, angle] = [0, 0];
    for (let i = 0; i < rows.length; i++) {
      for (let j = 0; j < rows.length; j++) {
        const entry = columns[i].reduce(
          (sum, value, k) => sum + value * (values[k] / scale) * columns[j][k],
          0,
        );
        worst = Math.max(worst, Math.abs(entry - rows[i][j] / scale));
        const product = columns.reduce((sum, row) => sum + row[i] * row[j], 0);
        angle = Math.max(angle, Math.abs(product - Number(i === j)));
      }
    }
    check.atMost(
      `${name}: Σ λ v vᵀ, worst entry of the largest`,
      worst,
      2e-12,
      "spectral theorem; 1e-12 is the asymmetry",
    );
    check.atMost(`${name}: products of eigenvectors`, angle, 1e-14, "they are orthonormal");
  }
  for (const [name, rows] of Object.entries({ "diagonal": [[3, 0], [0, 1]], "zero": [[0, 0], [0, 0]] })) {
    const { values, vectors } = symmetricEigen(new Matrix(rows));
    check.equal(
      `${name}: eigenvalues`,
      [...values],
      rows.map((row, i) => row[i]),
      "in the order of the diagonal",
    );
    check.equal(`${name}: eigenvectors`, vectors, null, "the standard basis");
  }
});

claim(
  "a shape's size is the product of its sizes, and lists are the same if all their numbers are",
  (check) => {
    check.equal("sizes", [[], [3], [2, 3, 4], [2, 0]].map(sizeOf), [1, 3, 24, 0], "by hand");
    const pairs: [number[], number[], boolean][] = [
      [[], [], true],
      [[1, 2], [1, 2], true],
      [[1, 2], [1, 3], false],
      [[1, 2], [3, 2], false],
      [[1, 2], [1, 2, 3], false],
      [[1, 2, 3], [1, 2], false],
    ];
    for (const [a, b, same] of pairs) check.equal(`[${a}] and [${b}]`, sameList(a, b), same, "by hand");
  },
);
