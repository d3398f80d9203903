/** @file Tables: columns of numbers and categories with a target, in memory. */

import { InputError } from '../../core/errors.ts';

export type ColumnKind = 'number' | 'integer' | 'boolean' | 'categorical' | 'ordinal';

export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
  /** One number a row; the code (place in `levels`) of a boolean, categorical or ordinal value; NaN where missing. Shape [rows]. */
  readonly values: Float64Array;
  /** The texts of the codes: of a boolean its two texts, of an ordinal column from low to high. */
  readonly levels?: readonly string[];
}

export interface Table {
  /** How reports call it: the file's name. */
  readonly name: string;
  readonly rows: number;
  /** The features; the target is not among them. */
  readonly columns: readonly Column[];
  readonly target?: Column;
  /** Rows of the seeded split, ascending. */
  readonly train: Uint32Array;
  readonly test: Uint32Array;
  /** What was found on reading: types, missing values, constant and repeated columns, rows left out. */
  readonly remarks: readonly string[];
  /** Where it came from; absent for a table made in memory, which cannot be kept to a file. */
  readonly source?: TableSource;
}

export interface TableSource {
  readonly path: string;
  readonly format: 'csv' | 'jsonl' | 'parquet';
  /** The separator of a CSV file. */
  readonly separator?: string;
  /** Whether the first record of a CSV file names its columns. */
  readonly header?: boolean;
  /** Bytes of the file. */
  readonly size: number;
  /** When the file was last changed, in milliseconds. */
  readonly changed: number;
  /** All columns of the file in their order, the target among them. */
  readonly names: readonly string[];
}

/**
 * A table from columns in memory.
 * @param split row numbers to train and to test on; default: all rows are both.
 * @throws InputError if there is no column or row, or the columns differ in length.
 */
export function tableInMemory(
  columns: readonly Column[],
  target?: Column,
  split?: { readonly train: Uint32Array; readonly test: Uint32Array },
  name = 'table',
): Table {
  const rows = columns[0]?.values.length ?? 0;
  if (rows === 0) throw new InputError(`${name}: a table needs a column and a row`);
  for (const column of target ? [...columns, target] : columns) {
    if (column.values.length !== rows) {
      throw new InputError(
        `${name}: column ${column.name} has ${column.values.length} values and the first has ${rows}`,
      );
    }
  }
  const all = Uint32Array.from({ length: rows }, (_, i) => i);
  return { name, rows, columns, target, train: split?.train ?? all, test: split?.test ?? all, remarks: [] };
}

/** Rows of a table's features, row-major, shape [indices · columns]; all rows by default. */
export function rowsOf({ columns, rows }: Table, indices?: ArrayLike<number>): Float64Array {
  const n = indices?.length ?? rows;
  const d = columns.length;
  const out = new Float64Array(n * d);
  columns.forEach(({ values }, c) => {
    for (let i = 0; i < n; i++) out[i * d + c] = values[indices ? indices[i] : i];
  });
  return out;
}
