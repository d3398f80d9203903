/** @file What a coalition of features is worth: the mean prediction when its columns are the row's and the others the background's. */

import { InputError } from '../../core/errors.ts';

/** One number a row; rows are row-major, shape [n · columns]. */
export type RowFunction = (rows: Float64Array) => ArrayLike<number> | PromiseLike<ArrayLike<number>>;

/** Rows that stand for what is usual, row-major, shape [n · columns]. */
export interface Background {
  readonly rows: Float64Array;
  readonly columns: number;
}

/** The columns of each player: every column is in exactly one. */
export type Players = readonly (readonly number[])[];

/** Values of coalitions, shape [m]; `members` has a row of 0 and 1 for each coalition, shape [m · players]. */
export type CoalitionValues = (members: Uint8Array) => Promise<Float64Array>;

/** What each player gets of `full` − `empty`. */
export interface ShapleyValues {
  /** Shape [players]. */
  readonly values: Float64Array;
  /** Value of the coalition of nobody: the mean prediction over the background. */
  readonly empty: number;
  /** Value of the coalition of all: the prediction for the row. */
  readonly full: number;
  /** Standard errors of the values where they are sampled, shape [players]; NaN where one draw gives none. */
  readonly errors?: Float64Array;
}

/** Each column as a player of its own. */
export function singles(columns: number): number[][] {
  return Array.from({ length: columns }, (_, c) => [c]);
}

/**
 * The interventional value function v(S) = mean over background rows b of f(x_S, b_rest), for the row x, shape [columns]
 * (arXiv:1705.07874; "interventional" as in arXiv:1910.13413).
 * @param batch rows that one call of the function gets at the most.
 * @throws InputError if the background is empty or of another width, or the players do not partition the columns; in a call, if the
 * function gives something else than one finite number a row.
 */
export function interventional(
  predict: RowFunction,
  background: Background,
  row: ArrayLike<number>,
  players: Players,
  { batch = 16384 } = {},
): CoalitionValues {
  const { columns } = background;
  const n = rowCount(background);
  if (row.length !== columns) throw new InputError(`the row has ${row.length} columns and the background ${columns}`);
  checkPartition(players, columns);
  const m = players.length;
  return async (members) => {
    const coalitions = members.length / m;
    const values = new Float64Array(coalitions);
    const atOnce = Math.max(1, Math.floor(batch / n));
    for (let start = 0; start < coalitions; start += atOnce) {
      const end = Math.min(coalitions, start + atOnce);
      const rows = new Float64Array((end - start) * n * columns);
      for (let s = start; s < end; s++) {
        const at = (s - start) * n * columns;
        rows.set(background.rows, at);
        for (let p = 0; p < m; p++) {
          if (members[s * m + p] === 0) continue;
          for (const c of players[p]) for (let b = 0; b < n; b++) rows[at + b * columns + c] = row[c];
        }
      }
      const predictions = await predictChecked(predict, rows, columns);
      for (let s = start; s < end; s++) {
        let sum = 0;
        for (let b = (s - start) * n; b < (s - start + 1) * n; b++) sum += predictions[b];
        values[s] = sum / n;
      }
    }
    return values;
  };
}

/**
 * What a function says of rows, checked.
 * @throws InputError if it does not give one finite number a row.
 */
export async function predictChecked(
  predict: RowFunction,
  rows: Float64Array,
  columns: number,
): Promise<ArrayLike<number>> {
  const predictions = await predict(rows);
  const n = rows.length / columns;
  if (predictions.length !== n) throw new InputError(`the model gave ${predictions.length} numbers for ${n} rows`);
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(predictions[i])) {
      throw new InputError(`the model gave ${predictions[i]} for row ${i} of a call; it must give finite numbers`);
    }
  }
  return predictions;
}

/** How many rows a background has. @throws InputError if none, or the last one is cut short. */
export function rowCount({ rows, columns }: Background): number {
  const n = rows.length / columns;
  if (n === 0) throw new InputError('the background has no row; it needs 1 or more');
  if (!Number.isInteger(n)) throw new InputError(`${rows.length} numbers are no rows of ${columns} columns`);
  return n;
}

/** @throws InputError unless every column is in exactly one player. */
export function checkPartition(players: Players, columns: number): void {
  const seen = new Uint8Array(columns);
  for (const player of players) {
    if (player.length === 0) throw new InputError('a player without a column has nothing to give');
    for (const c of player) {
      if (!Number.isInteger(c) || c < 0 || c >= columns) {
        throw new InputError(`column ${c} of a player is none of the ${columns} columns`);
      }
      if (seen[c]++) throw new InputError(`column ${c} is in two players; each column belongs to one`);
    }
  }
  const missing = seen.indexOf(0);
  if (missing >= 0) throw new InputError(`column ${missing} is in no player; each column belongs to one`);
}
