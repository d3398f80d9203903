/** @file Label noise: some labels replaced by draws. */

import { ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';

/**
 * Labels of which round(share · n) are replaced by uniform draws from all classes, so that 1 in `classes` of those stays right.
 * @returns the new labels, shape [n], and which were redrawn, ascending.
 * @throws ParameterError unless the share is in [0, 1].
 */
export function withLabelNoise(
  labels: Uint32Array,
  classes: number,
  share: number,
  random: Random,
): { readonly labels: Uint32Array; readonly redrawn: Uint32Array } {
  if (!(share >= 0 && share <= 1)) throw new ParameterError(`the share of noisy labels is in [0, 1], not ${share}`);
  const noisy = labels.slice();
  const redrawn = random
    .permutation(labels.length)
    .subarray(0, Math.round(share * labels.length))
    .sort();
  for (const i of redrawn) noisy[i] = random.integer(classes);
  return { labels: noisy, redrawn };
}
