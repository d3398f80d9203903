/** @file Attention that each cache entry has received since it exists (H2O, arXiv:2306.14048), and its mean over the queries that saw it. */

import { attentionRow, checkAppended, type EntryStatistic, type LaneEntries, type LaneRows } from './attention-rows.ts';

/** Σ over all queries so far of the attention an entry received. */
export class AccumulatedAttention implements EntryStatistic {
  readonly #sums: Float64Array[];

  constructor(lanes: number) {
    this.#sums = Array.from({ length: lanes }, () => new Float64Array(0));
  }

  /** Sums of a lane's entries, shape [length]. */
  of(lane: number): Float64Array {
    return this.#sums[lane];
  }

  see(rows: LaneRows, entries: LaneEntries): void {
    this.#sums.forEach((known, lane) => {
      checkAppended(known.length, rows, entries, lane);
      const sums = new Float64Array(entries.lengths[lane]);
      sums.set(known);
      for (let q = 0; q < rows.queries; q++) {
        const row = attentionRow(rows, lane, q, sums.length);
        for (let j = 0; j < row.length; j++) sums[j] += row[j];
      }
      this.#sums[lane] = sums;
    });
  }

  gather(kept: readonly Int32Array[]): void {
    kept.forEach((entries, lane) => {
      const sums = this.#sums[lane];
      this.#sums[lane] = Float64Array.from(entries, (entry) => sums[entry]);
    });
  }
}

/**
 * Attention received, averaged over the queries that could see an entry: those from its own position to the last.
 * It takes out the causal mask's favour for early entries.
 * @param sums shape [n].
 * @param positions of the entries, shape [n].
 * @param last position of the newest query.
 * @returns shape [n].
 */
export function causalMean(sums: ArrayLike<number>, positions: ArrayLike<number>, last: number): Float64Array {
  return Float64Array.from(sums, (sum, j) => sum / (last - positions[j] + 1));
}
