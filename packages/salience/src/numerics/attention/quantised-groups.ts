/** @file Symmetric linear quantisation of keys and values, a scale for each group of channels of each entry. */

import { ParameterError } from '../../core/errors.ts';

/**
 * What is left of some rows after storing them in whole numbers of few bits: x̂ = s · round(x / s), s = max|x| / (2^(bits−1) − 1) for
 * each run of `group` channels of a row. Rows already quantised come back as they are, up to rounding.
 * @param rows shape [n, channels].
 * @returns shape [n, channels].
 * @throws ParameterError for bits outside 2 to 16 or a group below 1.
 */
export function quantisedGroups(rows: Float32Array, channels: number, bits: number, group = channels): Float32Array {
  if (!(Number.isSafeInteger(bits) && bits >= 2 && bits <= 16))
    throw new ParameterError(`${bits} bits are not a whole number from 2 to 16`);
  if (!(Number.isSafeInteger(group) && group >= 1))
    throw new ParameterError(`a group of ${group} channels is not a whole number of 1 or more`);
  const most = 2 ** (bits - 1) - 1;
  const made = new Float32Array(rows.length);
  for (let row = 0; row < rows.length; row += channels) {
    for (let start = row; start < row + channels; start += group) {
      const end = Math.min(start + group, row + channels);
      let largest = 0;
      for (let i = start; i < end; i++) largest = Math.max(largest, Math.abs(rows[i]));
      if (largest === 0) continue;
      const scale = largest / most;
      for (let i = start; i < end; i++) made[i] = Math.round(rows[i] / scale) * scale;
    }
  }
  return made;
}
