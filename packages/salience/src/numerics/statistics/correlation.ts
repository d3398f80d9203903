/** @file Pearson's correlation. */

import { InputError } from '../../core/errors.ts';

/**
 * Pearson's correlation of x and y, shape [n] each, −1 to 1; NaN where either is constant.
 * @throws InputError if the lengths differ.
 */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const n = x.length;
  if (n !== y.length) throw new InputError(`a correlation of ${n} values with ${y.length}`);
  let meanX = 0;
  let meanY = 0;
  for (let i = 0; i < n; i++) {
    meanX += x[i] / n;
    meanY += y[i] / n;
  }
  let xy = 0;
  let xx = 0;
  let yy = 0;
  let constantX = true;
  let constantY = true;
  for (let i = 0; i < n; i++) {
    const dx = x[i] - meanX;
    const dy = y[i] - meanY;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
    constantX &&= x[i] === x[0];
    constantY &&= y[i] === y[0];
  }
  return constantX || constantY ? Number.NaN : xy / Math.sqrt(xx * yy);
}
