/** @file A file of rows and columns, whatever its format: rows come in batches, so that it may be larger than memory. */

import type { Run } from '../../core/run.ts';

/** Where consecutive rows lie in a file, as plain data. */
export interface Place {
  /** Number of the first row; the first of the file is 0. */
  readonly start: number;
  /** Rows. */
  readonly length: number;
  /** First byte, in a text. */
  readonly offset: number;
  /** Bytes; in Parquet about as many as the rows take when read. */
  readonly bytes: number;
  /** Line of the first row in a text; the first of the file is 1. */
  readonly line: number;
}

/** Consecutive rows. */
export interface Batch extends Place {
  /**
   * The cells of a column by its place in `names`, shape [length]: texts in CSV, values in JSONL and Parquet, undefined or null where there
   * is none.
   */
  column(index: number): readonly unknown[];
  /** Where a row of the batch is, for errors: "line 7", "row 5". */
  where(row: number): string;
}

/** How a file is to be read, where it does not tell by itself. */
export interface ReadOptions {
  /** Whether the first record of a CSV file names its columns; found out where absent. */
  readonly header?: boolean;
  /** What separates the cells of a CSV file, one character; found out where absent. */
  readonly separator?: string;
}

export interface TableFile {
  readonly path: string;
  /** Its name without the folders. */
  readonly name: string;
  readonly format: 'csv' | 'jsonl' | 'parquet';
  readonly separator?: string;
  readonly header?: boolean;
  /** The columns, each name once. Those of JSONL are the keys met so far: all of them after a pass over the batches. */
  readonly names: readonly string[];
  /** Rows, where the file says so before it is read, as Parquet does. */
  readonly rows?: number;
  /** What was found on opening and a reader should know. */
  readonly remarks: readonly string[];
  /** Bytes of the file. */
  readonly size: number;
  /** When it was last changed, in milliseconds. */
  readonly changed: number;
  /**
   * All rows in order, in batches of about 256 KB of text, or of up to 65,536 rows of Parquet.
   * @param columns places of the columns that will be asked for; default: all.
   * @throws InputError naming the line or row that is wrong; CancelledError.
   */
  batches(run: Run, columns?: readonly number[]): AsyncGenerator<Batch>;
  /** The rows of a place that an earlier pass gave; of a text, its bytes alone until a column is asked for. */
  read(place: Place, columns?: readonly number[]): Promise<Batch>;
  /** Writes a file of the same format with the rows at these numbers, ascending, as they stand. */
  writeRows(path: string, rows: Uint32Array, run: Run): Promise<void>;
  /**
   * Writes a file of the same format with all rows and the columns of these names, in the order of the file; a column that is not there is
   * in no row.
   */
  writeColumns(path: string, columns: ReadonlySet<string>, run: Run): Promise<void>;
}

/** Columns of a file at the most. */
export const mostColumns = 100_000;
