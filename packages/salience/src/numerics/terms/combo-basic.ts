/** @file ComboBasic: Basic with a say in how specific the terms are. */

import { nestedCounts } from './nested-counts.ts';
import type { TermCounts } from './term-counts.ts';

/**
 * |t| · ln f(t) + α · e(t) + β · e′(t), shape [n]; e(t) is the number of longer candidates that hold t, counted for terms of
 * two words or more, e′(t) the number of candidates nested in t. A larger α favours terms of a middle level, a larger β
 * specific ones.
 * Source: Astrakhantsev 2015 (thesis); α = 0.75 and β = 0.1 as in ATR4S (arXiv:1611.07804).
 */
export function comboBasic(
  { frequency, words, nested }: Pick<TermCounts, 'frequency' | 'words' | 'nested'>,
  { alpha = 0.75, beta = 0.1 } = {},
): Float64Array {
  const { holders } = nestedCounts({ frequency, nested });
  return Float64Array.from(frequency, (f, t) => {
    const length = words.offsets[t + 1] - words.offsets[t];
    const held = nested.offsets[t + 1] - nested.offsets[t];
    return length * Math.log(f) + alpha * (length > 1 ? holders[t] : 0) + beta * held;
  });
}
