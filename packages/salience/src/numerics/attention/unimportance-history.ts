/** @file How often, in a window of recent queries, each cache entry received less than the uniform share of attention (arXiv:2305.17118). */

import { ParameterError } from '../../core/errors.ts';
import {
  attentionRow,
  checkAppended,
  type EntryStatistic,
  type LaneEntries,
  type LaneRows,
  positionsOf,
} from './attention-rows.ts';
import { EntrySlots } from './entry-slots.ts';

/** What an entry must receive to be important in a row: from t, the tokens seen so far, and n, the entries that the query sees. */
export type Threshold = (t: number, n: number) => number;

/** The uniform share of attention: 1/t, as published, or 1/n. */
export const uniformShare: Readonly<Record<'seen' | 'cached', Threshold>> = {
  seen: (t) => 1 / t,
  cached: (_, n) => 1 / n,
};

interface Lane {
  readonly slots: EntrySlots;
  /** Whether the entry was unimportant in each row of the window, a bit a row: shape [slots, words]. */
  bits: Uint32Array;
  /** How many of its bits are set, shape [slots]. */
  counts: Int32Array;
}

/**
 * Counts I_j = Σ over the last w rows of [a_j < threshold]. A row older than an entry counts nothing for it. A step costs O(entries): the window
 * is a ring of bits an entry, with its count kept running.
 */
export class UnimportanceHistory implements EntryStatistic {
  readonly #window: number;
  readonly #words: number;
  readonly #threshold: Threshold;
  readonly #lanes: Lane[];

  /** @throws ParameterError for a window below 1. */
  constructor(lanes: number, window: number, threshold: Threshold = uniformShare.seen) {
    if (!(Number.isSafeInteger(window) && window >= 1))
      throw new ParameterError(`a history window of ${window} rows is not a whole number of 1 or more`);
    this.#window = window;
    this.#words = Math.ceil(window / 32);
    this.#threshold = threshold;
    this.#lanes = Array.from({ length: lanes }, () => ({
      slots: new EntrySlots(),
      bits: new Uint32Array(0),
      counts: new Int32Array(0),
    }));
  }

  /** Counts of a lane's entries, shape [length]. */
  of(lane: number): Int32Array {
    const { slots, counts } = this.#lanes[lane];
    return Int32Array.from({ length: slots.length }, (_, entry) => counts[slots.of(entry)]);
  }

  see(rows: LaneRows, entries: LaneEntries): void {
    this.#lanes.forEach((state, lane) => {
      checkAppended(state.slots.length, rows, entries, lane);
      this.#append(state, rows.queries);
      const positions = positionsOf(entries, lane);
      // Of a long block only the last w rows stay in the window.
      for (let q = Math.max(0, rows.queries - this.#window); q < rows.queries; q++) {
        this.#record(state, attentionRow(rows, lane, q, positions.length), positions, rows.first + q);
      }
    });
  }

  gather(kept: readonly Int32Array[]): void {
    kept.forEach((entries, lane) => {
      this.#lanes[lane].slots.gather(entries);
    });
  }

  #append(state: Lane, count: number): void {
    const { slots } = state;
    const given = slots.append(count);
    if (slots.made > state.counts.length) {
      const made = Math.max(slots.made, Math.ceil(1.5 * state.counts.length));
      const counts = new Int32Array(made);
      counts.set(state.counts);
      const bits = new Uint32Array(made * this.#words);
      bits.set(state.bits);
      state.counts = counts;
      state.bits = bits;
    }
    for (const slot of given) {
      state.counts[slot] = 0;
      state.bits.fill(0, slot * this.#words, (slot + 1) * this.#words);
    }
  }

  #record({ slots, bits, counts }: Lane, row: Float32Array, positions: Int32Array, at: number): void {
    let visible = row.length;
    while (visible > 0 && positions[visible - 1] > at) visible--;
    // Rounded as the attention is, so that a uniform row is not below its own share.
    const uniform = Math.fround(this.#threshold(at + 1, visible));
    const place = at % this.#window;
    const word = place >>> 5;
    const bit = 1 << (place & 31);
    for (let j = 0; j < visible; j++) {
      const slot = slots.of(j);
      const w = slot * this.#words + word;
      const was = (bits[w] & bit) !== 0;
      const is = row[j] < uniform;
      if (was === is) continue;
      bits[w] ^= bit;
      counts[slot] += is ? 1 : -1;
    }
  }
}

/**
 * Counts as shares of the rows that could have counted: I_j / min(age_j, w), the age in queries from the entry's own to the last.
 * It takes out the favour for young entries.
 * @param counts shape [n].
 * @param positions of the entries, shape [n].
 * @param last position of the newest query.
 * @returns shape [n].
 */
export function normalisedByAge(
  counts: ArrayLike<number>,
  positions: ArrayLike<number>,
  last: number,
  window: number,
): Float64Array {
  return Float64Array.from(counts, (count, j) => count / Math.min(last - positions[j] + 1, window));
}
