/** @file The table subject: features and a target, read from CSV, JSONL or Parquet. Keeping keeps columns. */

import { z } from 'zod';
import type { SubjectKind } from '../../core/subject.ts';
import { keepColumns } from './keep-columns.ts';
import { lendingTable } from './lending.ts';
import { readTable } from './read-table.ts';
import type { Table } from './table.ts';
import { openOne, readingOptions } from './table-options.ts';

const options = z.object({
  target: z.string().optional().describe('column to be predicted'),
  ...readingOptions,
  testShare: z.number().min(0).lt(1).default(0.25).describe('share of the rows to test on, drawn by the seed'),
  maxRows: z.int().positive().default(100_000).describe('rows at the most; of more a sample is drawn by the seed'),
  drop: z.string().default('').describe('columns to leave out, joined by commas'),
});

/** A table of features with, for most methods, a target. */
export const table: SubjectKind<Table, typeof options> = {
  kind: 'table',
  accepts: 'a CSV, JSONL or Parquet file of rows and columns',
  options,
  needsOutput: false,

  async load(paths, { header, separator, ...reading }, run) {
    const file = await openOne('table', paths, { header, separator }, run);
    const read = await readTable(file, reading, run);
    for (const remark of read.remarks) run.log(`${read.name}: ${remark}`);
    return read;
  },

  async sample(run) {
    return lendingTable({ rows: 300, test: 100, random: run.random('lending') });
  },

  keep: keepColumns,
};
