/** @file How many longer terms hold each term, and how often those occur. */

import type { TermCounts } from './term-counts.ts';

/** For each term the number of candidates that hold it, and the sum of their frequencies; shape [n] each. */
export function nestedCounts({ frequency, nested }: Pick<TermCounts, 'frequency' | 'nested'>) {
  const n = frequency.length;
  const holders = new Uint32Array(n);
  const holdersFrequency = new Float64Array(n);
  for (let t = 0; t < n; t++) {
    for (let e = nested.offsets[t]; e < nested.offsets[t + 1]; e++) {
      holders[nested.indices[e]]++;
      holdersFrequency[nested.indices[e]] += frequency[t];
    }
  }
  return { holders, holdersFrequency };
}
