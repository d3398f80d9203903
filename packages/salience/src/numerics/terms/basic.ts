/** @file Basic: C-value turned round, so that terms from which longer terms are built come first. */

import { comboBasic } from './combo-basic.ts';
import type { TermCounts } from './term-counts.ts';

/**
 * |t| · ln f(t) + α · e(t), shape [n]; e(t) is the number of longer candidates that hold t, counted for terms of two words
 * or more.
 * Source: Bordea, Buitelaar & Polajnar 2013 (TIA) with α = 3.5; α = 0.72 is from Bordea's thesis, as in ATR4S.
 */
export function basic(counts: Pick<TermCounts, 'frequency' | 'words' | 'nested'>, { alpha = 0.72 } = {}): Float64Array {
  return comboBasic(counts, { alpha, beta: 0 });
}
