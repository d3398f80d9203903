/** @file Two rankings as one: by words and by meaning. */

import { reciprocalRankFusion } from 'salience/numerics';

/** Of equal places' worth 1 / (k + place). */
const k = 60;

/** Papers of each ranking that are fused; those behind them follow by their words alone. */
export const fused = 300;

/**
 * Items of two rankings by reciprocal rank, best first.
 * @param weight what a place by meaning is worth beside one by words.
 * @param before the order of equals.
 * Source: Cormack, Clarke and Büttcher 2009 (SIGIR).
 */
export function fuse<Item>(
  words: readonly Item[],
  meaning: readonly Item[],
  weight: number,
  before: (a: Item, b: Item) => boolean,
): Item[] {
  const scores = reciprocalRankFusion([words, meaning], { k, weights: [1, weight] });
  return [...scores.keys()].sort((a, b) => scores.get(b)! - scores.get(a)! || (before(a, b) ? -1 : 1));
}

/**
 * How far down the ranking by words something can be and still come among the first `last` of both, at most `fused`: where meaning
 * counts little, what is far down cannot make up for it, and need not be ranked.
 */
export function depth(last: number, weight: number): number {
  const most = weight / (k + 1);
  const least = 1 / (k + last);
  return most < least ? Math.min(fused, Math.ceil(1 / (least - most) - k)) : fused;
}
