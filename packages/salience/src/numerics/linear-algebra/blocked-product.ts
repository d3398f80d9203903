/** @file The product that blocked factorisations spend their time in: C −= A Bᵀ, in tiles that stay in the processor's registers. */

/** Copies rows `start` to `end` of the columns `from` to `to` of a matrix of n columns, one after the other. */
export function packRows(
  a: Float64Array,
  n: number,
  start: number,
  end: number,
  from: number,
  to: number,
  packed: Float64Array,
): void {
  const width = to - from;
  for (let i = start; i < end; i++) packed.set(a.subarray(i * n + from, i * n + to), (i - start) * width);
}

/** Copies columns `from` to `to` of the rows `start` to `end`, one column after the other. */
export function packColumns(
  a: Float64Array,
  n: number,
  start: number,
  end: number,
  from: number,
  to: number,
  packed: Float64Array,
): void {
  const height = end - start;
  for (let j = from; j < to; j++) {
    for (let i = start; i < end; i++) packed[(j - from) * height + i - start] = a[i * n + j];
  }
}

/**
 * C −= A Bᵀ, where A has `rows` rows and B has `columns` rows, both of `depth` entries, packed one after the other.
 * @param c C begins at `c0` and has `stride` entries from one row to the next.
 * @param a A begins at `a0`.
 * @param b B begins at `b0`.
 */
export function subtractProduct(
  c: Float64Array,
  c0: number,
  stride: number,
  a: Float64Array,
  a0: number,
  rows: number,
  b: Float64Array,
  b0: number,
  columns: number,
  depth: number,
): void {
  const evenRows = rows - (rows % 4);
  const evenColumns = columns - (columns % 2);
  // Four rows of A stay in the first cache while B passes by.
  for (let j = 0; j < evenColumns; j += 2) {
    for (let i = 0; i < evenRows; i += 4)
      tile(c, c0 + i * stride + j, stride, a, a0 + i * depth, b, b0 + j * depth, depth);
  }
  for (let i = 0; i < rows; i++) {
    for (let j = i < evenRows ? evenColumns : 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < depth; k++) sum += a[a0 + i * depth + k] * b[b0 + j * depth + k];
      c[c0 + i * stride + j] -= sum;
    }
  }
}

/** Four rows by two columns of C. */
function tile(
  c: Float64Array,
  c0: number,
  stride: number,
  a: Float64Array,
  a0: number,
  b: Float64Array,
  b0: number,
  depth: number,
): void {
  const a1 = a0 + depth;
  const a2 = a1 + depth;
  const a3 = a2 + depth;
  const b1 = b0 + depth;
  let s00 = 0;
  let s01 = 0;
  let s10 = 0;
  let s11 = 0;
  let s20 = 0;
  let s21 = 0;
  let s30 = 0;
  let s31 = 0;
  for (let k = 0; k < depth; k++) {
    const x = b[b0 + k];
    const y = b[b1 + k];
    const p = a[a0 + k];
    const q = a[a1 + k];
    const r = a[a2 + k];
    const s = a[a3 + k];
    s00 += p * x;
    s01 += p * y;
    s10 += q * x;
    s11 += q * y;
    s20 += r * x;
    s21 += r * y;
    s30 += s * x;
    s31 += s * y;
  }
  const c1 = c0 + stride;
  const c2 = c1 + stride;
  const c3 = c2 + stride;
  c[c0] -= s00;
  c[c0 + 1] -= s01;
  c[c1] -= s10;
  c[c1 + 1] -= s11;
  c[c2] -= s20;
  c[c2 + 1] -= s21;
  c[c3] -= s30;
  c[c3 + 1] -= s31;
}
