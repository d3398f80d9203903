/** @file Standardising: values minus their mean over their deviation, of all together or of each class. */

import { groupMoments } from './standardise.ts';

/**
 * (v − mean) / deviation with the population's deviation; all 0 where it is 0. Shape [n].
 * @param least deviations below it count as 0; default 0.
 */
export function standardise(values: ArrayLike<number>, least = 0): Float64Array {
  return standardiseWithin(values, { of: new Uint32Array(values.length), count: 1 }, least);
}

/**
 * (v − mean of its class) / deviation of its class, the population's; 0 in a class whose values are all equal.
 * @param classes `of`: the class of each value, shape [n], below `count`.
 * @param least deviations below it count as 0; default 0.
 */
export function standardiseWithin(
  values: ArrayLike<number>,
  { of, count }: { readonly of: Uint32Array; readonly count: number },
  least = 0,
): Float64Array {
  const { means, deviations } = groupMoments(values, count, (i) => of[i]);
  return Float64Array.from(values, (value, i) => {
    const deviation = deviations[of[i]];
    return deviation > 0 && deviation >= least ? (value - means[of[i]]) / deviation : 0;
  });
}
