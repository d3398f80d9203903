/** @file Cholesky factors of large symmetric positive definite matrices, in blocks and in place. */

import { InputError } from '../../core/errors.ts';
import { finish, type Steps } from '../../core/steps.ts';
import { packColumns, packRows, subtractProduct } from './blocked-product.ts';

/** Columns that are done together: a block of them stays in the processor's cache. */
const block = 64;

/**
 * The lower triangular L with A = L Lᵀ, shape [n, n], row after row.
 * @param a symmetric positive definite, shape [n, n]; only its lower triangle is read.
 * @throws InputError if A is not positive definite, with the column where it shows.
 */
export function cholesky(a: ArrayLike<number>, n: number): Float64Array {
  const l = square(a, n);
  const failed = finish(factorInPlace(l, n));
  if (failed !== undefined) throw new InputError(`the matrix is not positive definite: it fails in column ${failed}`);
  clearUpper(l, n);
  return l;
}

/**
 * The inverse of a symmetric positive definite matrix, L⁻ᵀ L⁻¹, shape [n, n].
 * @param a as for `cholesky`.
 * @throws InputError if A is not positive definite.
 */
export function invertPositiveDefinite(a: ArrayLike<number>, n: number): Float64Array {
  const m = cholesky(a, n);
  finish(invertLowerInPlace(m, n));
  const inverse = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    for (let i = 0; i <= k; i++) {
      const factor = m[k * n + i];
      for (let j = 0; j <= i; j++) inverse[i * n + j] += factor * m[k * n + j];
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) inverse[j * n + i] = inverse[i * n + j];
  return inverse;
}

/** A copy to work in, after a check of its size. */
function square(a: ArrayLike<number>, n: number): Float64Array {
  if (a.length !== n * n) throw new InputError(`a matrix of order ${n} has ${n * n} entries, this one ${a.length}`);
  return Float64Array.from(a);
}

/** Sets what lies above the diagonal to 0. */
export function clearUpper(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) a.fill(0, i * n + i + 1, (i + 1) * n);
}

/**
 * Puts L into the lower triangle; what lies above the diagonal stays. Returns the column where A proves not to be positive
 * definite, if there is one; the triangle is then spoilt.
 */
export function* factorInPlace(a: Float64Array, n: number): Steps<number | undefined> {
  const packed = new Float64Array(n * block);
  for (let p = 0; p < n; p += block) {
    const end = Math.min(n, p + block);
    for (let j = p; j < end; j++) {
      const pivot = a[j * n + j] - dot(a, j * n + p, j * n + p, j - p);
      if (!(pivot > 0 && pivot < Infinity)) return j;
      const d = Math.sqrt(pivot);
      a[j * n + j] = d;
      for (let i = j + 1; i < n; i++) {
        a[i * n + j] = (a[i * n + j] - dot(a, i * n + p, j * n + p, j - p)) / d;
      }
    }
    // What the block's columns take from the lower triangle to their right.
    packRows(a, n, end, n, p, end, packed);
    for (let i = end; i < n; i += block) {
      const rows = Math.min(block, n - i);
      subtractProduct(a, i * n + end, n, packed, (i - end) * (end - p), rows, packed, 0, i + rows - end, end - p);
    }
    yield { done: end, total: n };
  }
  return undefined;
}

/** Puts L⁻¹ in the place of a lower triangular L; what lies above the diagonal stays, but for the blocks on it. */
export function* invertLowerInPlace(l: Float64Array, n: number): Steps<void> {
  const left = new Float64Array(n * block);
  const right = new Float64Array(n * block);
  for (let p = 0; p < n; p += block) {
    const end = Math.min(n, p + block);
    const width = end - p;
    packRows(l, n, end, n, p, end, left);
    // The rows of the block: its own part inverted, what earlier blocks left multiplied by that.
    for (let i = p; i < end; i++) {
      const d = 1 / l[i * n + i];
      const row = l.subarray(i * n, i * n + i + 1);
      row[i] = 1;
      // Row i of L within the block is needed once; its place then holds the row of the inverse.
      const own = row.slice(p, i);
      row.fill(0, p, i);
      for (let k = p; k < i; k++) {
        const factor = own[k - p];
        if (factor !== 0) for (let j = 0; j <= k; j++) row[j] -= factor * l[k * n + j];
      }
      for (let j = 0; j <= i; j++) row[j] *= d;
    }
    clearUpperOfBlock(l, n, p, end);
    for (let i = end; i < n; i++) l.fill(0, i * n + p, i * n + end);
    packColumns(l, n, p, end, 0, end, right);
    for (let i = end; i < n; i += block) {
      subtractProduct(l, i * n, n, left, (i - end) * width, Math.min(block, n - i), right, 0, end, width);
    }
    yield { done: end, total: n };
  }
}

function clearUpperOfBlock(a: Float64Array, n: number, start: number, end: number): void {
  for (let i = start; i < end; i++) a.fill(0, i * n + i + 1, i * n + end);
}

function dot(a: Float64Array, i: number, j: number, length: number): number {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += a[i + k] * a[j + k];
  return sum;
}
