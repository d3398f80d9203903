/** @file Columns as ranks: what trees are grown from. */

export interface CodedColumns {
  readonly rows: number;
  readonly columns: number;
  /** The rank of each value among the levels of its column, columns one after the other; what is missing has the number of levels. Shape [columns · rows]. */
  readonly codes: Uint8Array | Uint16Array | Int32Array;
  /** How many levels each column has. */
  readonly levels: Int32Array;
  /** The least and the greatest value of each level of a column. */
  readonly least: readonly Float64Array[];
  readonly greatest: readonly Float64Array[];
}

/**
 * Ranks of the values of each column. A column with more different values than `bins` has that many levels of about equally many
 * rows.
 * @param x row-major, shape [n · columns]; NaN is missing.
 */
export function codeColumns(x: Float64Array, columns: number, bins = Infinity): CodedColumns {
  const n = x.length / columns;
  const levels = new Int32Array(columns);
  const sorted = Array.from({ length: columns }, (_, c) => levelsOf(presentValues(x, columns, c), bins));
  const most = sorted.reduce((a, { highs }) => Math.max(a, highs.length), 0);
  const codes = new (most < 2 ** 8 ? Uint8Array : most < 2 ** 16 ? Uint16Array : Int32Array)(n * columns);
  const least: Float64Array[] = [];
  const greatest: Float64Array[] = [];
  for (const [c, { lows, highs }] of sorted.entries()) {
    for (let i = 0; i < n; i++) {
      const value = x[i * columns + c];
      codes[c * n + i] = Number.isNaN(value) ? highs.length : levelOf(highs, value);
    }
    levels[c] = highs.length;
    least.push(lows);
    greatest.push(highs);
  }
  return { rows: n, columns, codes, levels, least, greatest };
}

/** The values of a column that are not missing, ascending. */
function presentValues(x: Float64Array, columns: number, c: number): Float64Array {
  const n = x.length / columns;
  const column = new Float64Array(n);
  let present = 0;
  for (let i = 0; i < n; i++) {
    const value = x[i * columns + c];
    if (!Number.isNaN(value)) column[present++] = value;
  }
  return column.subarray(0, present).sort();
}

function levelsOf(sorted: Float64Array, bins: number): { lows: Float64Array; highs: Float64Array } {
  let different = sorted.length > 0 ? 1 : 0;
  for (let i = 1; i < sorted.length; i++) if (sorted[i] !== sorted[i - 1]) different++;
  const lows: number[] = [];
  const highs: number[] = [];
  for (let low = 0; low < sorted.length; ) {
    const size = different <= bins ? 1 : Math.ceil((sorted.length - low) / (bins - lows.length));
    let high = Math.min(sorted.length, low + size);
    while (high < sorted.length && sorted[high] === sorted[high - 1]) high++;
    lows.push(sorted[low]);
    highs.push(sorted[high - 1]);
    low = high;
  }
  return { lows: Float64Array.from(lows), highs: Float64Array.from(highs) };
}

/** The first level whose greatest value is not below the value. */
function levelOf(highs: Float64Array, value: number): number {
  let low = 0;
  let high = highs.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (highs[middle] >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}
