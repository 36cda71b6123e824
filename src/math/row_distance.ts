/** The distance between rows of two matrices. @module */

/**
 * The Euclidean distance of row i of `a` from row j of `b`, both of rows of `dimension` numbers, row-major; in float64.
 */
export function rowDistance(
  a: ArrayLike<number>,
  i: number,
  b: ArrayLike<number>,
  j: number,
  dimension: number,
): number {
  let sum = 0;
  for (let axis = 0; axis < dimension; axis++) {
    sum += (a[i * dimension + axis] - b[j * dimension + axis]) ** 2;
  }
  return Math.sqrt(sum);
}
