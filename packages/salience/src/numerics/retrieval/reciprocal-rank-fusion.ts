/** @file Several rankings made one. */

import { ParameterError } from '../../core/errors.ts';

/**
 * Σ over the rankings (best first) in which an item stands of weight / (k + rank), rank from 1; by item.
 * @param weights of the rankings; 1 where there is none.
 * @throws ParameterError if k is not above 0 or a weight is below 0.
 * Source: Cormack, Clarke & Büttcher 2009 (SIGIR), with their k = 60.
 */
export function reciprocalRankFusion<T>(
  rankings: readonly ArrayLike<T>[],
  { k = 60, weights = [] }: { readonly k?: number; readonly weights?: readonly number[] } = {},
): Map<T, number> {
  if (!(k > 0)) throw new ParameterError(`k = ${k} is not above 0`);
  const negative = weights.find((weight) => !(weight >= 0));
  if (negative !== undefined) throw new ParameterError(`a weight of ${negative} is not 0 or more`);
  const scores = new Map<T, number>();
  for (const [r, ranking] of rankings.entries()) {
    const weight = weights[r] ?? 1;
    for (let place = 0; place < ranking.length; place++) {
      scores.set(ranking[place], (scores.get(ranking[place]) ?? 0) + weight / (k + place + 1));
    }
  }
  return scores;
}
