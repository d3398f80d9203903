/** @file Rows of attention over the entries of a key/value cache, lane by lane: one lane for each key/value head of each sequence. */

import { InputError } from '../../core/errors.ts';

/** Attention of consecutive queries over the entries of each lane, their own included. */
export interface LaneRows {
  /** Probabilities, shape [lanes, queries, entries]; 0 for entries that a query does not see. */
  readonly values: Float32Array;
  readonly queries: number;
  /** Row length: entries of the fullest lane. */
  readonly entries: number;
  /** Position of the first query; query q stands at `first + q`. */
  readonly first: number;
}

/** The entries of each lane, in the order of their positions. */
export interface LaneEntries {
  readonly lanes: number;
  /** Shape [lanes]. */
  readonly lengths: Int32Array;
  /** Row length of `positions`. */
  readonly capacity: number;
  /** Shape [lanes, capacity]. */
  readonly positions: Int32Array;
}

/** What is remembered of the entries of a cache: it sees attention as they receive it, and follows them when some go. */
export interface EntryStatistic {
  /**
   * Takes in a block of rows; the block's own tokens are the newest entries of each lane.
   * @throws InputError for rows that are no probabilities, or if the lanes do not hold the entries known plus one a query.
   */
  see(rows: LaneRows, entries: LaneEntries): void;
  /** Goes on with the entries that stay: for each lane which, ascending. */
  gather(kept: readonly Int32Array[]): void;
}

/** How far from 1 a row of attention may add up. */
const tolerance = 1e-3;

/**
 * One row of attention, shape [length], as a view.
 * @throws InputError if it holds a number that is negative or not one, or does not add up to 1 within 0.001.
 */
export function attentionRow(
  { values, queries, entries, first }: LaneRows,
  lane: number,
  query: number,
  length: number,
) {
  const start = (lane * queries + query) * entries;
  const row = values.subarray(start, start + length);
  let sum = 0;
  for (let j = 0; j < row.length; j++) {
    if (!(row[j] >= 0))
      throw new InputError(
        `attention of lane ${lane}, position ${first + query}, to entry ${j} is ${row[j]}; it is a probability`,
      );
    sum += row[j];
  }
  if (!(Math.abs(sum - 1) <= tolerance))
    throw new InputError(`attention of lane ${lane}, position ${first + query}, adds up to ${sum}; it adds up to 1`);
  return row;
}

/** The positions of a lane's entries, shape [lengths[lane]], as a view. */
export function positionsOf({ positions, capacity, lengths }: LaneEntries, lane: number): Int32Array {
  return positions.subarray(lane * capacity, lane * capacity + lengths[lane]);
}

/**
 * Refuses lanes that do not hold the entries known so far and then one for each query.
 * @throws InputError naming the lane.
 */
export function checkAppended(
  known: number,
  { queries, entries }: LaneRows,
  { lengths }: LaneEntries,
  lane: number,
): void {
  const length = lengths[lane];
  if (length !== known + queries || length > entries)
    throw new InputError(
      `lane ${lane} holds ${length} entries and rows of ${entries}; ${known} are known and ${queries} queries came, which makes ${known + queries}`,
    );
}
