/** Dense linear algebra in float64 on the host, by ml-matrix, which only this file imports. @module */
import { EigenvalueDecomposition, Matrix } from "npm:ml-matrix@6.15.1";

export { Matrix, solve } from "npm:ml-matrix@6.15.1";

/**
 * The eigenvalues of a symmetric matrix, and its eigenvectors in columns; the eigenvectors are null for a diagonal
 * matrix.
 */
export function symmetricEigen(matrix: Matrix): { values: Float64Array; vectors: Matrix | null } {
  const size = matrix.rows;
  const scale = Math.max(...matrix.to1DArray().map(Math.abs));
  // ml-matrix fails on denormal numbers; those far below the rounding of the largest count as 0.
  const scaled = Matrix.zeros(size, size);
  let diagonal = true;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const value = matrix.get(i, j);
      if (Math.abs(value) <= 1e-30 * scale) continue;
      scaled.set(i, j, value / scale);
      if (i !== j) diagonal = false;
    }
  }
  if (diagonal) return { values: Float64Array.from(matrix.diagonal()), vectors: null };
  const eigen = new EigenvalueDecomposition(scaled, { assumeSymmetric: true });
  return {
    values: Float64Array.from(eigen.realEigenvalues, (value) => value * scale),
    vectors: eigen.eigenvectorMatrix,
  };
}
