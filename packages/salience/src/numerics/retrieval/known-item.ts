/** @file How well a search finds the one item that each query was made from. */

import { InputError, ParameterError } from '../../core/errors.ts';

export interface KnownItems {
  /** The mean of 1 / rank. */
  readonly meanReciprocalRank: number;
  /** Queries whose item comes first. */
  readonly first: number;
  /** Rank of each item, from 1, shape [queries]. */
  readonly ranks: Uint32Array;
}

/**
 * The rank of item q among the scores of query q; items of an equal score stand in their order.
 * @param scores shape [queries][items].
 * @param item of each query; query q asks for item q by default.
 * @throws InputError if there is no query; ParameterError if an item is not among the scores.
 */
export function knownItems(scores: readonly ArrayLike<number>[], item = (query: number) => query): KnownItems {
  if (scores.length === 0) throw new InputError('there is no query');
  const ranks = Uint32Array.from(scores, (row, q) => {
    const at = item(q);
    if (!(at >= 0 && at < row.length)) throw new ParameterError(`query ${q}: there is no item ${at}`);
    let rank = 1;
    for (let i = 0; i < row.length; i++) if (row[i] > row[at] || (row[i] === row[at] && i < at)) rank++;
    return rank;
  });
  return {
    meanReciprocalRank: ranks.reduce((sum, rank) => sum + 1 / rank, 0) / ranks.length,
    first: ranks.reduce((sum, rank) => sum + Number(rank === 1), 0),
    ranks,
  };
}
