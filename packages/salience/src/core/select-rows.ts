/** @file Selection in the rows of a matrix: the highest of every row, of the whole matrix, or of every M consecutive columns. */

import quickselect from 'quickselect';
import { countOfShare } from './budget.ts';
import { BudgetError, InputError } from './errors.ts';

/** What each row keeps: a share of its columns, or the `keep` highest of every `of` consecutive columns (N:M). */
export type RowRule = { readonly share: number } | { readonly keep: number; readonly of: number };

/** Runs up to this length are ranked by comparing all pairs. */
const fewUnits = 16;

/**
 * Which entries of a matrix are kept, 1 or 0, shape [rows, columns]: always as many as the rule says, the lower column first
 * among equals.
 * @param values scores, finite, shape [rows, columns], row after row.
 * @param scope `row`: each row keeps ⌈share · columns⌉ of its own, so that exactly ⌊(1 − share) · columns⌋ go; `matrix`: one
 *   threshold over all rows, which for N:M is the same as `row`.
 * @throws InputError for a score that is not finite, with its row and column, or scores of another number; BudgetError if M
 *   does not divide the columns.
 */
export function keepInRows(
  values: Float32Array,
  rows: number,
  columns: number,
  rule: RowRule,
  scope: 'row' | 'matrix' = 'row',
): Uint8Array {
  if (values.length !== rows * columns) {
    throw new InputError(`there are ${values.length} scores for ${rows} rows of ${columns} columns`);
  }
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new InputError(
        `the score in row ${Math.floor(i / columns)}, column ${i % columns} is ${values[i]}; scores must be finite`,
      );
    }
  }
  if ('of' in rule) {
    if (columns % rule.of !== 0) {
      throw new BudgetError(
        `a budget of ${rule.keep}:${rule.of} needs a multiple of ${rule.of} columns; ${columns} is none`,
      );
    }
    return keepInRuns(values, rule.of, rule.keep);
  }
  const run = scope === 'row' ? columns : values.length;
  return keepInRuns(values, run, countOfShare(rule.share, run));
}

/** Keeps the `count` highest of every `length` consecutive values, the lower index first among equals: 1 or 0, shape [n]. */
export function keepInRuns(values: Float32Array, length: number, count: number): Uint8Array {
  const kept = new Uint8Array(values.length);
  if (count >= length) return kept.fill(1);
  if (count <= 0) return kept;
  if (length <= fewUnits) keepByRank(values, length, count, kept);
  else keepByThreshold(values, length, count, kept);
  return kept;
}

function keepByRank(values: Float32Array, length: number, count: number, kept: Uint8Array): void {
  for (let start = 0; start < values.length; start += length) {
    const end = start + length;
    for (let i = start; i < end; i++) {
      const value = values[i];
      let rank = 0;
      for (let j = start; j < i; j++) if (values[j] >= value) rank++;
      for (let j = i + 1; j < end; j++) if (values[j] > value) rank++;
      if (rank < count) kept[i] = 1;
    }
  }
}

function keepByThreshold(values: Float32Array, length: number, count: number, kept: Uint8Array): void {
  const order = new Float32Array(length);
  for (let start = 0; start < values.length; start += length) {
    order.set(values.subarray(start, start + length));
    quickselect(order as unknown as number[], length - count);
    const threshold = order[length - count];
    let ties = count;
    for (let i = start; i < start + length; i++) {
      if (values[i] > threshold) {
        kept[i] = 1;
        ties--;
      }
    }
    for (let i = start; ties > 0; i++) {
      if (values[i] === threshold) {
        kept[i] = 1;
        ties--;
      }
    }
  }
}
