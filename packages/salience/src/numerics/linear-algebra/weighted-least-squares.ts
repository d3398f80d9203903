/** @file Least squares with a weight for each row. */

import { InputError } from '../../core/errors.ts';
import { finish } from '../../core/steps.ts';
import { factorInPlace } from './cholesky.ts';

/**
 * The coefficients that minimise Σ_r w_r (y_r − x_r · b)² + Σ_j ridge_j b_j², shape [columns], by the normal equations; undefined
 * where these are singular.
 * @param x row-major, shape [n · columns].
 * @throws InputError if the shapes do not fit.
 */
export function weightedLeastSquares(
  x: Float64Array,
  y: ArrayLike<number>,
  weights: ArrayLike<number>,
  columns: number,
  ridge?: ArrayLike<number>,
): Float64Array | undefined {
  const n = y.length;
  if (x.length !== n * columns || weights.length !== n) {
    throw new InputError(`${x.length} entries and ${weights.length} weights are not ${n} rows of ${columns}`);
  }
  const a = new Float64Array(columns * columns);
  const b = new Float64Array(columns);
  for (let r = 0; r < n; r++) {
    for (let i = 0; i < columns; i++) {
      const wx = weights[r] * x[r * columns + i];
      if (wx === 0) continue;
      b[i] += wx * y[r];
      for (let j = 0; j <= i; j++) a[i * columns + j] += wx * x[r * columns + j];
    }
  }
  let largest = 0;
  for (let i = 0; i < columns; i++) {
    a[i * columns + i] += ridge?.[i] ?? 0;
    largest = Math.max(largest, a[i * columns + i]);
  }
  if (finish(factorInPlace(a, columns)) !== undefined) return undefined;
  for (let i = 0; i < columns; i++) {
    // A pivot that is nothing but rounding: the column is a sum of others.
    if (!(a[i * columns + i] ** 2 > 1e-13 * largest)) return undefined;
    for (let j = 0; j < i; j++) b[i] -= a[i * columns + j] * b[j];
    b[i] /= a[i * columns + i];
  }
  for (let i = columns - 1; i >= 0; i--) {
    for (let j = i + 1; j < columns; j++) b[i] -= a[j * columns + i] * b[j];
    b[i] /= a[i * columns + i];
  }
  return b;
}
