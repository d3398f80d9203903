/** @file B-splines on evenly spaced knots: the basis by Cox and de Boor's recursion, and coefficients by least squares. */

import { ParameterError } from '../../core/errors.ts';
import { cholesky } from '../linear-algebra/cholesky.ts';

/** Where splines have their knots. */
export interface SplineGrid {
  /** G: intervals between `low` and `high`. */
  readonly intervals: number;
  /** k: 0 for steps, 1 for hats, 3 for cubic splines. */
  readonly order: number;
  readonly low: number;
  readonly high: number;
}

/** Denominators of the recursion are at least this. */
const leastSpan = 1e-8;

/**
 * The extended knots low + h (i − k), h = (high − low) / G, shape [G + 2k + 1]. No spline reaches beyond the first and the last.
 * @throws ParameterError for a grid without an interval, an order below 0, or a range that is empty or not finite.
 */
export function splineKnots({ intervals, order, low, high }: SplineGrid): Float64Array {
  if (!Number.isSafeInteger(intervals) || intervals < 1) {
    throw new ParameterError(`a spline grid has 1 interval or more, not ${intervals}`);
  }
  if (!Number.isSafeInteger(order) || order < 0)
    throw new ParameterError(`a spline's order is 0 or more, not ${order}`);
  if (!(Number.isFinite(high - low) && high > low)) {
    throw new ParameterError(`a spline grid goes from a number up to a greater one, not from ${low} to ${high}`);
  }
  const h = (high - low) / intervals;
  return Float64Array.from({ length: intervals + 2 * order + 1 }, (_, i) => low + h * (i - order));
}

/** How many splines a grid has: G + k. */
export function splineCount({ intervals, order }: SplineGrid): number {
  return intervals + order;
}

/**
 * The values of all splines of a grid at one place, shape [G + k]:
 *   B_{i,0}(x) = 1 where t_i ≤ x < t_{i+1} (the last interval closed),
 *   B_{i,r}(x) = (x − t_i) / (t_{i+r} − t_i) B_{i,r−1}(x) + (t_{i+r+1} − x) / (t_{i+r+1} − t_{i+1}) B_{i+1,r−1}(x).
 * They sum to 1 between `low` and `high`, fall off outside, and are 0 beyond the extended knots.
 * @throws ParameterError as for `splineKnots`.
 */
export function splineBasis(x: number, grid: SplineGrid): Float64Array {
  const t = splineKnots(grid);
  const cells = t.length - 1;
  const b = Float64Array.from({ length: cells }, (_, i) =>
    Number(x >= t[i] && (x < t[i + 1] || (i === cells - 1 && x === t[i + 1]))),
  );
  for (let r = 1; r <= grid.order; r++) {
    for (let i = 0; i < cells - r; i++) {
      const rise = (x - t[i]) / Math.max(leastSpan, t[i + r] - t[i]);
      const fall = (t[i + r + 1] - x) / Math.max(leastSpan, t[i + r + 1] - t[i + 1]);
      b[i] = rise * b[i] + fall * b[i + 1];
    }
  }
  return b.slice(0, cells - grid.order);
}

/**
 * From values at given places to the coefficients of the spline that is nearest to them in least squares; where several are (fewer
 * places than splines), the one with the smallest coefficients. The places are as many as the splines allow: those of one place in
 * each spline's support, in order, determine it.
 * @param places shape [p].
 * @returns a function of values, shape [p], that gives coefficients, shape [G + k].
 * @throws InputError if the places do not determine the fit, as when two of them are one.
 */
export function splineFit(places: ArrayLike<number>, grid: SplineGrid): (values: ArrayLike<number>) => Float64Array {
  const p = places.length;
  const c = splineCount(grid);
  const rows = Array.from(places, (x) => splineBasis(x, grid));
  // Aᵀ (A Aᵀ)⁻¹ where A is wide, (AᵀA)⁻¹ Aᵀ where it is tall.
  const wide = p <= c;
  const n = wide ? p : c;
  const gram = new Float64Array(n * n);
  const entry = (i: number, j: number) => (wide ? rows[j][i] : rows[i][j]);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < (wide ? c : p); k++) gram[i * n + j] += entry(k, i) * entry(k, j);
    }
  }
  const l = cholesky(gram, n);
  const solved = (right: Float64Array) => {
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < i; k++) right[i] -= l[i * n + k] * right[k];
      right[i] /= l[i * n + i];
    }
    for (let i = n - 1; i >= 0; i--) {
      for (let k = i + 1; k < n; k++) right[i] -= l[k * n + i] * right[k];
      right[i] /= l[i * n + i];
    }
    return right;
  };
  const transposed = (of: ArrayLike<number>) => {
    const out = new Float64Array(c);
    for (let i = 0; i < p; i++) for (let j = 0; j < c; j++) out[j] += rows[i][j] * of[i];
    return out;
  };
  return (values) => (wide ? transposed(solved(Float64Array.from(values))) : solved(transposed(values)));
}
