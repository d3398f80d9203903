/** @file Several rankings made one. */

import { ParameterError } from '../../core/errors.ts';

/**
 * Σ over the rankings (best first) in which an item stands of 1 / (k + rank), rank from 1; by item.
 * @throws ParameterError if k is not above 0.
 * Source: Cormack, Clarke & Büttcher 2009 (SIGIR), with their k = 60.
 */
export function reciprocalRankFusion<T>(rankings: Iterable<ArrayLike<T>>, k = 60): Map<T, number> {
  if (!(k > 0)) throw new ParameterError(`k = ${k} is not above 0`);
  const scores = new Map<T, number>();
  for (const ranking of rankings) {
    for (let place = 0; place < ranking.length; place++) {
      scores.set(ranking[place], (scores.get(ranking[place]) ?? 0) + 1 / (k + place + 1));
    }
  }
  return scores;
}
