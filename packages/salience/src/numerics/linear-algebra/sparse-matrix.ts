/** @file A sparse matrix in compressed rows (CSR) and its products with tall dense matrices. */

/** A sparse matrix; row i has the entries `offsets[i]` to `offsets[i + 1]`, each column at most once. */
export interface SparseMatrix {
  readonly rows: number;
  readonly columns: number;
  /** Shape [rows + 1]. */
  readonly offsets: Uint32Array;
  /** Column of each entry, shape [entries]. */
  readonly indices: Uint32Array;
  /** Shape [entries]. */
  readonly values: Float64Array;
}

/** A · X for a dense X of shape [columns, width], row after row; the result has shape [rows, width]. */
export function multiply({ rows, offsets, indices, values }: SparseMatrix, x: Float64Array, width: number) {
  const y = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++) {
    const row = i * width;
    for (let e = offsets[i]; e < offsets[i + 1]; e++) {
      const from = indices[e] * width;
      const value = values[e];
      for (let k = 0; k < width; k++) y[row + k] += value * x[from + k];
    }
  }
  return y;
}

/** Aᵀ · X for a dense X of shape [rows, width], row after row; the result has shape [columns, width]. */
export function multiplyTransposed(a: SparseMatrix, x: Float64Array, width: number): Float64Array {
  const { rows, columns, offsets, indices, values } = a;
  const y = new Float64Array(columns * width);
  for (let i = 0; i < rows; i++) {
    const row = i * width;
    for (let e = offsets[i]; e < offsets[i + 1]; e++) {
      const to = indices[e] * width;
      const value = values[e];
      for (let k = 0; k < width; k++) y[to + k] += value * x[row + k];
    }
  }
  return y;
}
