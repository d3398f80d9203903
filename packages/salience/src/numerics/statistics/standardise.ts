/** @file Scaling of columns: to mean 0 and deviation 1, or to the range 0 to 1. */

import { InputError } from '../../core/errors.ts';

/** What turns x into (x − shift) / scale, shape [columns] each. */
export interface Scaling {
  readonly shift: Float64Array;
  readonly scale: Float64Array;
}

/**
 * The mean and the population deviation of each group, shape [groups] each; 0 for a group without values. Missing values (NaN) do not
 * count, and a deviation that is what rounding leaves of a constant is 0.
 * @param groupOf the group of each value by its place.
 */
export function groupMoments(
  values: ArrayLike<number>,
  groups: number,
  groupOf: (place: number) => number,
): { readonly means: Float64Array; readonly deviations: Float64Array } {
  const means = new Float64Array(groups);
  const deviations = new Float64Array(groups);
  const counts = new Float64Array(groups);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isNaN(value)) continue;
    const g = groupOf(i);
    // Welford's running mean: no cancellation where the mean is large.
    const difference = value - means[g];
    means[g] += difference / ++counts[g];
    deviations[g] += difference * (value - means[g]);
  }
  for (let g = 0; g < groups; g++) {
    const deviation = counts[g] > 0 ? Math.sqrt(deviations[g] / counts[g]) : 0;
    deviations[g] = deviation > 1e-14 * Math.abs(means[g]) ? deviation : 0;
  }
  return { means, deviations };
}

/**
 * The mean and the population deviation of each column; the scale of a constant column is 1. Missing values (NaN) do not count,
 * a column without values has shift 0.
 * @param x row-major, shape [n · columns].
 */
export function standardScaling(x: ArrayLike<number>, columns: number): Scaling {
  checkRows(x, columns);
  const { means, deviations } = groupMoments(x, columns, (i) => i % columns);
  return { shift: means, scale: deviations.map((deviation) => deviation || 1) };
}

/** The least value and the range of each column; the scale of a constant column is 1. Missing values (NaN) do not count. */
export function rangeScaling(x: ArrayLike<number>, columns: number): Scaling {
  checkRows(x, columns);
  const shift = new Float64Array(columns).fill(Infinity);
  const scale = new Float64Array(columns).fill(-Infinity);
  for (let i = 0, c = 0; i < x.length; i++, c = c + 1 === columns ? 0 : c + 1) {
    if (x[i] < shift[c]) shift[c] = x[i];
    if (x[i] > scale[c]) scale[c] = x[i];
  }
  for (let c = 0; c < columns; c++) {
    if (shift[c] === Infinity) shift[c] = 0;
    scale[c] = scale[c] > shift[c] ? scale[c] - shift[c] : 1;
  }
  return { shift, scale };
}

/** (x − shift) / scale of row-major rows, in a new array; what is missing stays so. */
export function scaled(x: ArrayLike<number>, { shift, scale }: Scaling): Float64Array {
  checkRows(x, shift.length);
  const out = new Float64Array(x.length);
  for (let i = 0, c = 0; i < x.length; i++, c = c + 1 === shift.length ? 0 : c + 1)
    out[i] = (x[i] - shift[c]) / scale[c];
  return out;
}

function checkRows(x: ArrayLike<number>, columns: number): void {
  if (!(columns >= 1) || x.length % columns !== 0) {
    throw new InputError(`${x.length} numbers are no rows of ${columns} columns`);
  }
}
