/** @file What the termhood formulas count. */

import type { IndexLists } from '../index-lists.ts';

/** Counts of n candidate terms in a corpus. */
export interface TermCounts {
  /** Documents in the corpus. */
  readonly documents: number;
  /** How often each term occurs, within longer terms too, shape [n]. */
  readonly frequency: ArrayLike<number>;
  /** In how many documents each term occurs, shape [n]. */
  readonly documentFrequency: ArrayLike<number>;
  /** The words of each term, as numbers in a vocabulary. */
  readonly words: IndexLists;
  /** The distinct other terms that lie within each term as runs of its words. */
  readonly nested: IndexLists;
}
