/** @file Attention that each cache entry received from the most recent queries, an observation window (SnapKV, arXiv:2404.14469), and its pooling along the text. */

import { ParameterError } from '../../core/errors.ts';
import { attentionRow, checkAppended, type EntryStatistic, type LaneEntries, type LaneRows } from './attention-rows.ts';
import { EntrySlots } from './entry-slots.ts';

interface Lane {
  readonly slots: EntrySlots;
  /** Attention received in each row of the window, shape [slots, window]. */
  rows: Float32Array;
}

/** Σ over the last w queries of the attention an entry received. */
export class WindowedAttention implements EntryStatistic {
  readonly #window: number;
  readonly #lanes: Lane[];

  /** @throws ParameterError for a window below 1. */
  constructor(lanes: number, window: number) {
    if (!(Number.isSafeInteger(window) && window >= 1))
      throw new ParameterError(`an observation window of ${window} queries is not a whole number of 1 or more`);
    this.#window = window;
    this.#lanes = Array.from({ length: lanes }, () => ({ slots: new EntrySlots(), rows: new Float32Array(0) }));
  }

  /** Sums of a lane's entries, shape [length]; O(length · window), added up anew so that nothing drifts. */
  of(lane: number): Float64Array {
    const { slots, rows } = this.#lanes[lane];
    return Float64Array.from({ length: slots.length }, (_, entry) => {
      const start = slots.of(entry) * this.#window;
      let sum = 0;
      for (let i = start; i < start + this.#window; i++) sum += rows[i];
      return sum;
    });
  }

  see(rows: LaneRows, entries: LaneEntries): void {
    this.#lanes.forEach((state, lane) => {
      checkAppended(state.slots.length, rows, entries, lane);
      this.#append(state, rows.queries);
      const length = entries.lengths[lane];
      for (let q = Math.max(0, rows.queries - this.#window); q < rows.queries; q++) {
        const row = attentionRow(rows, lane, q, length);
        const place = (rows.first + q) % this.#window;
        for (let j = 0; j < length; j++) state.rows[state.slots.of(j) * this.#window + place] = row[j];
      }
    });
  }

  gather(kept: readonly Int32Array[]): void {
    kept.forEach((entries, lane) => {
      this.#lanes[lane].slots.gather(entries);
    });
  }

  #append(state: Lane, count: number): void {
    const given = state.slots.append(count);
    const needed = state.slots.made * this.#window;
    if (needed > state.rows.length) {
      const rows = new Float32Array(Math.max(needed, Math.ceil(1.5 * state.rows.length)));
      rows.set(state.rows);
      state.rows = rows;
    }
    for (const slot of given) state.rows.fill(0, slot * this.#window, (slot + 1) * this.#window);
  }
}

/** How neighbours are pooled: their mean, places beyond the ends counting as 0, or their largest. */
export type Pooling = 'average' | 'max';

/**
 * One-dimensional pooling with stride 1 that keeps the length.
 * @param values shape [n].
 * @param kernel how many neighbours, itself in the middle; odd. 1 changes nothing.
 * @returns shape [n].
 * @throws ParameterError for a kernel that is not odd.
 */
export function pooled(values: ArrayLike<number>, kernel: number, pooling: Pooling = 'average'): Float64Array {
  if (!(Number.isSafeInteger(kernel) && kernel >= 1 && kernel % 2 === 1))
    throw new ParameterError(`a pooling kernel of ${kernel} entries is not an odd number`);
  const half = (kernel - 1) / 2;
  return Float64Array.from({ length: values.length }, (_, j) => {
    const from = Math.max(0, j - half);
    const to = Math.min(values.length - 1, j + half);
    let sum = 0;
    let most = -Infinity;
    for (let i = from; i <= to; i++) {
      sum += values[i];
      most = Math.max(most, values[i]);
    }
    return pooling === 'max' ? most : sum / kernel;
  });
}
