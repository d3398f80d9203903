/** @file Wanda (arXiv:2306.11695): a weight matters as much as its magnitude times the norm of the input it meets. */

import { InputError, ParameterError } from '../../core/errors.ts';
import { keepInRuns } from '../../core/select-rows.ts';

/** The share of a row's score may be found between these. */
const shares = { least: 0, first: 0.4, greatest: 0.8 };
const closeEnough = { sparsity: 0.001, share: 1e-9 };

/**
 * x_j = √(Σ X_j² / N), the sum over all tokens of all sequences, N the number of sequences (not of tokens), shape [columns].
 * @param sumOfSquares Σ X_j², shape [columns].
 * @throws InputError for a sum that is negative or not finite; ParameterError for no sequence.
 */
export function inputNorm(sumOfSquares: ArrayLike<number>, sequences: number): Float32Array {
  if (!(Number.isSafeInteger(sequences) && sequences >= 1)) {
    throw new ParameterError(`the norm of the inputs needs 1 sequence or more, not ${sequences}`);
  }
  return Float32Array.from(sumOfSquares, (sum, j) => {
    if (!(sum >= 0 && sum < Infinity)) {
      throw new InputError(`the squares of input ${j} add up to ${sum}; inputs must be finite`);
    }
    return Math.sqrt(sum / sequences);
  });
}

/**
 * S_ij = |W_ij| · x_j, shape [rows, columns].
 * @param weight shape [rows, columns], row after row.
 * @param x `inputNorm`, shape [columns].
 * @throws InputError if the sizes do not agree.
 */
export function wandaScores(weight: Float32Array, rows: number, columns: number, x: ArrayLike<number>): Float32Array {
  checkSizes(weight, rows, columns, x);
  const scores = new Float32Array(weight.length);
  for (let r = 0, i = 0; r < rows; r++) {
    for (let j = 0; j < columns; j++, i++) scores[i] = Math.abs(weight[i]) * x[j];
  }
  return scores;
}

/** @throws InputError unless weights and inputs are of the matrix's sizes. */
export function checkSizes(weight: Float32Array, rows: number, columns: number, x: ArrayLike<number>): void {
  if (weight.length !== rows * columns) {
    throw new InputError(`there are ${weight.length} weights for ${rows} rows of ${columns} columns`);
  }
  if (x.length !== columns) throw new InputError(`there are ${x.length} input norms for ${columns} columns`);
}

/**
 * Wanda's variant: each row loses its lowest scores as long as they add up to no more than a share a of the row's total; one a
 * for the matrix, by bisection until the sparsity is within 0.001 of what was asked, or no nearer can be had. Rows with
 * a few great scores lose more weights than even ones. Among equals the higher column goes first.
 * @param scores 0 or more, shape [rows, columns].
 * @param sparsity share of the weights that go.
 * @returns 1 where kept, shape [rows, columns], the sparsity reached, and a.
 * @throws ParameterError if the sparsity is outside 0 to 1.
 */
export function keepByCumulativeShare(
  scores: Float32Array,
  rows: number,
  columns: number,
  sparsity: number,
): { kept: Uint8Array; sparsity: number; share: number } {
  if (!(sparsity >= 0 && sparsity < 1)) throw new ParameterError(`sparsity = ${sparsity} is outside 0 to 1`);
  if (scores.length !== rows * columns) {
    throw new InputError(`there are ${scores.length} scores for ${rows} rows of ${columns} columns`);
  }
  const ascending = scores.slice();
  const totals = new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    const row = ascending.subarray(r * columns, (r + 1) * columns).sort();
    if (row[0] < 0 || !Number.isFinite(row[columns - 1])) {
      throw new InputError(`row ${r} has a score that is negative or not finite`);
    }
    for (let j = 0; j < columns; j++) totals[r] += row[j];
  }
  const gone = new Uint32Array(rows);
  let { least, first: share, greatest } = shares;
  let reached = remove(share);
  while (Math.abs(reached - sparsity) > closeEnough.sparsity && greatest - least > closeEnough.share) {
    if (reached > sparsity) greatest = share;
    else least = share;
    share = (least + greatest) / 2;
    reached = remove(share);
  }
  const kept = new Uint8Array(scores.length);
  for (let r = 0; r < rows; r++) {
    const row = scores.subarray(r * columns, (r + 1) * columns);
    kept.set(keepInRuns(row, columns, columns - gone[r]), r * columns);
  }
  return { kept, sparsity: reached, share };

  /** Counts what goes of each row, and gives the sparsity. */
  function remove(a: number): number {
    let all = 0;
    for (let r = 0; r < rows; r++) {
      const limit = a * totals[r];
      let sum = ascending[r * columns];
      let j = 0;
      while (j < columns && sum <= limit) sum += ascending[r * columns + ++j];
      gone[r] = j;
      all += j;
    }
    return all / scores.length;
  }
}
