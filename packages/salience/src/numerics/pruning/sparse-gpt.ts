/**
 * @file SparseGPT (arXiv:2301.00774): weights are pruned column by column, and the columns to the right take over what each
 * pruned weight did, by the update of the optimal brain surgeon.
 */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { ChooseInRows } from '../../core/scores.ts';
import { finish, type Steps } from '../../core/steps.ts';
import { packColumns, subtractProduct } from '../linear-algebra/blocked-product.ts';
import { inverseFactorSteps } from '../linear-algebra/inverse-factor.ts';

/** Rows whose errors stay in the cache while they are passed on. */
const rowsTogether = 32;

export interface SparseGptOptions {
  /** Share of the Hessian's mean diagonal that is added to its diagonal. */
  damping?: number;
  /** Columns that get their mask together, by the weights as they then are. For N:M each M columns get theirs. */
  blockColumns?: number;
}

/** A pruned matrix, each shape [rows, columns]. */
export interface SparseGptResult {
  /** The new weights; 0 where not kept. */
  readonly values: Float32Array;
  /** 1 where kept. */
  readonly kept: Uint8Array;
  /** w² / U_cc² when the mask was chosen: what removing the weight alone adds to the squared error. */
  readonly scores: Float32Array;
}

/**
 * Prunes W so that ‖W X − Ŵ X‖² stays low, H = Σ x xᵀ up to a factor. With Uᵀ U = (H + λ I)⁻¹, a block of columns is scored
 * w² / U_cc² and masked by `choose` with one threshold over its rows; a pruned weight's error e = w / U_cc leaves −e U_cj in every column j to the right.
 * @param weight shape [rows, columns], row after row.
 * @param hessian shape [columns, columns]; columns without input (H_ii = 0) lose their weights.
 * @param choose what to keep of a block's scores, shape [rows, columns of the block].
 * @throws InputError for weights or a Hessian of another size or not finite; ParameterError for options out of range; what
 *   `choose` throws.
 * Source: Frantar & Alistarh 2023, algorithm 1.
 */
export function sparseGpt(
  weight: Float32Array,
  shape: readonly [rows: number, columns: number],
  hessian: ArrayLike<number>,
  choose: ChooseInRows,
  options: SparseGptOptions = {},
): SparseGptResult {
  return finish(sparseGptSteps(weight, shape, hessian, choose, options));
}

/** `sparseGpt` with pauses. */
export function* sparseGptSteps(
  weight: Float32Array,
  [rows, columns]: readonly [rows: number, columns: number],
  hessian: ArrayLike<number>,
  choose: ChooseInRows,
  { damping = 0.01, blockColumns = 128 }: SparseGptOptions = {},
): Steps<SparseGptResult> {
  if (!(Number.isSafeInteger(blockColumns) && blockColumns >= 1)) {
    throw new ParameterError(`blockColumns = ${blockColumns} is not a whole number of 1 or more`);
  }
  if (weight.length !== rows * columns) {
    throw new InputError(`there are ${weight.length} weights for ${rows} rows of ${columns} columns`);
  }
  const broken = weight.findIndex((w) => !Number.isFinite(w));
  if (broken >= 0) {
    throw new InputError(
      `the weight in row ${Math.floor(broken / columns)}, column ${broken % columns} is ${weight[broken]}; weights must be finite`,
    );
  }
  const { u, dead } = yield* inverseFactorSteps(hessian, columns, damping);
  const w = Float64Array.from(weight);
  for (const c of dead) for (let r = 0; r < rows; r++) w[r * columns + c] = 0;

  const { every } = choose;
  const block = every === undefined ? blockColumns : Math.max(every, blockColumns - (blockColumns % every));
  const kept = new Uint8Array(rows * columns);
  const scores = new Float32Array(rows * columns);
  const errors = new Float64Array(rows * block);
  const passed = new Float64Array(columns * block);
  for (let start = 0; start < columns; start += block) {
    const end = Math.min(columns, start + block);
    const width = end - start;
    for (let from = start; from < end; from += every ?? width) {
      const to = Math.min(end, from + (every ?? width));
      mask(from, to);
      for (let r = 0; r < rows; r++) prune(r, from, to, start, end);
    }
    packColumns(u, columns, start, end, end, columns, passed);
    for (let r = 0; r < rows; r += rowsTogether) {
      const some = Math.min(rowsTogether, rows - r);
      subtractProduct(w, r * columns + end, columns, errors, r * width, some, passed, 0, columns - end, width);
    }
    yield { done: end, total: columns };
  }
  return { values: Float32Array.from(w), kept, scores };

  /** Chooses among the columns `from` to `to`, by their weights as they are now. */
  function mask(from: number, to: number): void {
    const width = to - from;
    const own = new Float32Array(rows * width);
    for (let c = from; c < to; c++) {
      const d = u[c * columns + c];
      for (let r = 0; r < rows; r++) own[r * width + c - from] = (w[r * columns + c] / d) ** 2;
    }
    const chosen = choose(own, [rows, width], 'matrix');
    for (let r = 0; r < rows; r++) {
      scores.set(own.subarray(r * width, (r + 1) * width), r * columns + from);
      kept.set(chosen.subarray(r * width, (r + 1) * width), r * columns + from);
    }
  }

  /** Removes what is not kept of a row's columns `from` to `to`, and passes the errors on within the block. */
  function prune(r: number, from: number, to: number, start: number, end: number): void {
    const row = r * columns;
    const error = r * (end - start) - start;
    for (let c = from; c < to; c++) {
      if (kept[row + c] === 1) {
        errors[error + c] = 0;
        continue;
      }
      const e = w[row + c] / u[c * columns + c];
      errors[error + c] = e;
      w[row + c] = 0;
      for (let j = c + 1; j < end; j++) w[row + j] -= e * u[c * columns + j];
    }
  }
}
