/** @file The rows of a table that explanations are made of, what is usual, and what came out. */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import type { Background } from '../../numerics/shapley/value-function.ts';
import { rowsOf, type Table } from './table.ts';

/**
 * Rows that explanations are made of: the one asked for, or those to test on (to train on, where there are none), at most `most`, drawn
 * by the seed; ascending.
 * @param row the number of a row; −1 for all.
 * @throws ParameterError for a row that is not there.
 */
export function rowsToExplain({ rows, train, test, name }: Table, row: number, most: number, run: Run): Uint32Array {
  if (row >= rows) throw new ParameterError(`${name} has rows 0 to ${rows - 1}; there is no row ${row} to explain`);
  return row >= 0 ? Uint32Array.of(row) : some(test.length > 0 ? test : train, most, run, 'rows to explain');
}

/** Training rows that stand for what is usual: all of them, or `most` drawn by the seed. */
export function backgroundOf(table: Table, most: number, run: Run): Background {
  return { rows: rowsOf(table, some(table.train, most, run, 'background')), columns: table.columns.length };
}

/** All of the rows, or as many as asked for. */
function some(rows: Uint32Array, most: number, run: Run, name: string): Uint32Array {
  if (rows.length <= most) return rows;
  const order = run.random(name).permutation(rows.length).subarray(0, most).sort();
  return Uint32Array.from(order, (i) => rows[i]);
}

/**
 * 1 for the positive class and 0 for others, or the value, of each row; shape [indices].
 * @throws InputError if there is no target, or a row has none.
 */
export function outcomesOf(
  { target, name }: Table,
  indices: ArrayLike<number>,
  positive: string | undefined,
): Float64Array {
  if (!target) throw new InputError(`${name}: has no target; name the column to be predicted (--target)`);
  const { values, levels } = target;
  return Float64Array.from(indices, (row) => {
    if (Number.isNaN(values[row])) throw new InputError(`${name}: row ${row} has no value of ${target.name}`);
    return positive === undefined ? values[row] : Number(levels![values[row]] === positive);
  });
}
