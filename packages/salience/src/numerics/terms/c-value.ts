/** @file C-value: frequent terms that do not only occur within longer ones. */

import { nestedCounts } from './nested-counts.ts';
import type { TermCounts } from './term-counts.ts';

/**
 * log₂(|t| + 1) · (f(t) − mean of f(b) over the longer candidates b that hold t), without the mean for a term in no other;
 * |t| in words; shape [n]. The paper has log₂|t|, which gives every single word 0; the 1 lets single words count.
 * Source: Frantzi, Ananiadou & Mima 2000, section 2.3 (doi:10.1007/s007999900023).
 */
export function cValue({ frequency, words, nested }: Pick<TermCounts, 'frequency' | 'words' | 'nested'>): Float64Array {
  const { holders, holdersFrequency } = nestedCounts({ frequency, nested });
  return Float64Array.from(frequency, (f, t) => {
    const length = words.offsets[t + 1] - words.offsets[t];
    return Math.log2(length + 1) * (f - (holders[t] > 0 ? holdersFrequency[t] / holders[t] : 0));
  });
}
