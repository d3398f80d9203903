/** @file The public tables in `shared/data/tabular` beside the repository, read as a practitioner would read them. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { InputError } from '../../core/errors.ts';
import { Run } from '../../core/run.ts';
import { openTableFile } from '../../models/table-files/open-table-file.ts';
import { readTable, remarksOf, splitOf, type TableReading } from './read-table.ts';
import { type Table, tableInMemory } from './table.ts';

/** What each file is, and what of its known flaws is treated how. */
const treatments = {
  /** 1,000 loans, 61 features of which most are one-hot groups (purpose_is_…, credit_history_…, housing_is_…), 70% good. */
  'german-credit': { target: 'is_credit_risk_good' },
  /**
   * 10,459 credit lines. −9: no record at all, −8: no usable value, −7: never happened. All three are read as missing; the 588 rows in which
   * every feature is −9 say nothing and are left out.
   */
  'fico-heloc': { target: 'RiskPerformance', missing: '-9,-8,-7' },
  /**
   * Two years of recidivism. `decile_score` and `score_text` are another model's answer and `age_cat` is `age` in bins: left out.
   * `days_b_screening_arrest` is a check of how the data were joined: left out.
   */
  compas: { target: 'two_year_recid', drop: 'decile_score,score_text,age_cat,days_b_screening_arrest' },
  /** 1,797 images of 8 × 8 pixels; no header, the class is the last column. Three pixels are 0 in every image. */
  digits: { target: 'c64' },
  /** 178 wines; the first line is scikit-learn's counts, the class is the last column. */
  wine: { target: 'c13' },
  /** 442 patients, all features standardised; the target is a value, not a class. */
  diabetes: { target: 'target' },
} as const;

/** The tables by name. */
export type RealTable = keyof typeof treatments;

const files: Readonly<Record<RealTable, string>> = {
  'german-credit': 'german-credit.csv',
  'fico-heloc': 'fico-heloc.csv',
  compas: 'compas-two-years.csv',
  digits: 'digits.csv',
  wine: 'wine.csv',
  diabetes: 'diabetes.csv',
};

/** The folder: beside the repository, which is four folders above this one, in `src` as in `dist`. */
const folder = fileURLToPath(new URL('../../../../../../shared/data/tabular/', import.meta.url));

/** Whether all of the tables are there. */
export function realTablesPresent(): boolean {
  return Object.values(files).every((file) => existsSync(`${folder}${file}`));
}

/**
 * Reads a real table; its split is drawn by the run's seed.
 * @throws InputError if it is not there.
 */
export async function realTable(name: RealTable, run = new Run(), options: Partial<TableReading> = {}): Promise<Table> {
  const path = `${folder}${files[name]}`;
  if (!existsSync(path)) throw new InputError(`${path}: no such file; the real tables lie beside the repository`);
  const reading = {
    types: '',
    missing: '',
    testShare: 0.25,
    maxRows: 100_000,
    drop: '',
    ...treatments[name],
    ...options,
  };
  const table = await readTable(await openTableFile(path, {}, run), reading, run);
  return { ...(name === 'fico-heloc' ? withoutEmptyRows(table, reading.testShare, run) : table), name };
}

/** The rows that have a value in some column, split anew. */
function withoutEmptyRows({ columns, target, rows, name, source }: Table, testShare: number, run: Run): Table {
  const kept = Array.from({ length: rows }, (_, i) => i).filter((i) =>
    columns.some(({ values }) => !Number.isNaN(values[i])),
  );
  const of = (values: Float64Array) => Float64Array.from(kept, (i) => values[i]);
  const goal = target && { ...target, values: of(target.values) };
  const left = columns.map((column) => ({ ...column, values: of(column.values) }));
  const split = splitOf(kept.length, goal, testShare, run);
  return {
    ...tableInMemory(left, goal, split, name),
    remarks: [`${rows - kept.length} rows without any value are left out`, ...remarksOf(left, goal, kept.length)],
    ...(source && { source }),
  };
}
