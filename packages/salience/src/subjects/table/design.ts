/** @file Design matrices: the columns of a table as numbers that predictors are trained on. */

import { InputError } from '../../core/errors.ts';
import { scaled, standardScaling } from '../../numerics/statistics/standardise.ts';
import { type Column, rowsOf, type Table } from './table.ts';

export interface DesignOptions {
  /** A column of 0 and 1 for each level of a categorical column that training rows have (default), or its code. */
  readonly categories?: 'one-hot' | 'codes';
  /** The median of the training rows in place of what is missing (default), or NaN. A missing category has 0 in all of its columns. */
  readonly missing?: 'median' | 'keep';
  /** Whether columns are shifted to mean 0 and scaled to deviation 1 in the training rows; default no. */
  readonly scale?: boolean;
}

/** How rows of a table become rows of numbers. */
export interface Design {
  /** What its columns are: "age", "housing = own". */
  readonly names: readonly string[];
  /** The column of the table that each comes from, shape [names]. */
  readonly from: Int32Array;
  /** Rows of the table, row-major [n · columns of the table], to rows of the design, row-major [n · names]. */
  x(rows: Float64Array): Float64Array;
}

/** Which numbers of a table's rows inputs are, each array of shape [inputs]. */
export interface Inputs {
  /** The column that each comes from. */
  readonly from: ArrayLike<number>;
  /** The code that it is 1 for and 0 for all else, or −1 where it is the column's number. */
  readonly levels: ArrayLike<number>;
  /** What stands for a number that is missing. */
  readonly fills: ArrayLike<number>;
}

/** The inputs of rows, row-major [n · inputs], of rows row-major [n · width]. */
export function encodedRows(rows: Float64Array, width: number, { from, levels, fills }: Inputs): Float64Array {
  const n = rows.length / width;
  const d = from.length;
  const out = new Float64Array(n * d);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < d; k++) {
      const value = rows[i * width + from[k]];
      const at = i * d + k;
      if (levels[k] >= 0) out[at] = value === levels[k] ? 1 : 0;
      else out[at] = Number.isNaN(value) ? fills[k] : value;
    }
  }
  return out;
}

/**
 * The design of a table, fitted on its training rows. Numbers, booleans (0 or 1) and ordinal codes are a column each. A category that
 * no training row has gets no column: its rows have 0 in all columns of theirs.
 */
export function designOf(
  table: Table,
  { categories = 'one-hot', missing = 'median', scale = false }: DesignOptions = {},
): Design {
  const names: string[] = [];
  const from: number[] = [];
  const levels: number[] = []; // the code of a column of 0 and 1, or -1
  const fills: number[] = [];
  for (const [c, column] of table.columns.entries()) {
    const own = Float64Array.from(table.train, (row) => column.values[row]).filter((value) => !Number.isNaN(value));
    if (column.kind === 'categorical' && categories === 'one-hot') {
      for (const code of [...new Set(own)].sort((a, b) => a - b)) {
        names.push(`${column.name} = ${levelOf(column, code)}`);
        from.push(c);
        levels.push(code);
        fills.push(NaN);
      }
    } else {
      names.push(column.name);
      from.push(c);
      levels.push(-1);
      fills.push(missing === 'keep' ? NaN : median(own));
    }
  }
  const width = table.columns.length;
  const d = names.length;
  if (d === 0) throw new InputError(`${table.name}: no column has a value in the training rows`);
  const inputs = { from: Int32Array.from(from), levels: Int32Array.from(levels), fills: Float64Array.from(fills) };
  const encoded = (rows: Float64Array): Float64Array => {
    if (!Number.isInteger(rows.length / width))
      throw new InputError(`${table.name}: ${rows.length} numbers are no rows of ${width} columns`);
    return encodedRows(rows, width, inputs);
  };
  const scaling = scale ? standardScaling(encoded(rowsOf(table, table.train)), d) : undefined;
  return {
    names,
    from: inputs.from,
    x: scaling ? (rows) => scaled(encoded(rows), scaling) : encoded,
  };
}

function levelOf({ levels }: Column, code: number): string {
  return levels?.[code] ?? String(code);
}

/** The middle value, of two the mean; 0 where there is none. */
function median(values: Float64Array): number {
  if (values.length === 0) return 0;
  const sorted = values.slice().sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
