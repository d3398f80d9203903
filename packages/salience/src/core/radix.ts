/** @file Rank by counting: the k-th highest of many floats from counts by the upper and then by the lower half of their keys. */

import type { Cut } from './cut.ts';
import { floatOfKey, halves } from './float-order.ts';

/** Counts by one half of the key, shape [65536]. */
export type Counts = Uint32Array | Float64Array;

/** The bin that holds the k-th highest of the counted, and how many of that bin are among the k highest. */
export interface Place {
  readonly bin: number;
  readonly inside: number;
}

/** Where the k-th highest lies; for k = 0 a bin above all, with nothing inside. */
export function placeOf(counts: Counts, k: number): Place {
  if (k === 0) return { bin: halves - 1, inside: 0 };
  let above = 0;
  for (let bin = halves - 1; bin >= 0; bin--) {
    if (above + counts[bin] >= k) return { bin, inside: k - above };
    above += counts[bin];
  }
  throw new RangeError(`rank ${k} of ${above}`);
}

/** How many of the highest reach a share of the whole sum, given each bin's count and sum and the detail of the bin reached. */
export function countOfMass(
  counts: Counts,
  sums: Float64Array,
  mass: number,
): { bin: number; above: number; missing: number } {
  let total = 0;
  for (let bin = halves - 1; bin >= 0; bin--) total += sums[bin];
  const target = mass * total;
  let above = 0;
  let sum = 0;
  for (let bin = halves - 1; bin >= 0; bin--) {
    if (sum >= target) return { bin, above, missing: 0 };
    if (sum + sums[bin] >= target) return { bin, above, missing: target - sum };
    sum += sums[bin];
    above += counts[bin];
  }
  return { bin: 0, above, missing: 0 };
}

/** How many of the highest of one bin add up to `missing`. */
export function countInBin(upper: number, lower: Counts, missing: number): number {
  let count = 0;
  let sum = 0;
  for (let low = halves - 1; low >= 0 && sum < missing; low--) {
    if (lower[low] === 0) continue;
    const value = floatOfKey(upper * halves + low);
    const needed = Math.min(lower[low], Math.ceil((missing - sum) / value));
    count += needed;
    sum += needed * value;
  }
  return count;
}

/** The cut that keeps the `inside` highest of the bin `upper`, and all above that bin. */
export function cutIn(upper: number, lower: Counts, inside: number): Cut {
  if (inside === 0) return { threshold: Infinity, ties: 0 };
  const { bin, inside: ties } = placeOf(lower, inside);
  return { threshold: floatOfKey(upper * halves + bin), ties: ties === lower[bin] ? Infinity : ties };
}
