/** @file A table's training rows as numbers with their target: what selectors of features that train models begin with. */

import { InputError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { randomFolds, type Split, stratifiedFolds } from '../../numerics/sampling/folds.ts';
import { type Scaling, scaled, standardScaling } from '../../numerics/statistics/standardise.ts';
import { encodedRows } from './design.ts';
import { rowsOf, type Table } from './table.ts';

/**
 * Rows to train on. A category of more than two levels has an input for each level, also for one that no training row has; every other
 * column is one input. So, unlike in a design for a predictor, each feature has an input that its score comes from.
 */
export interface LabelledInputs {
  /** Names of the table's columns. */
  readonly features: readonly string[];
  /** The feature of each input, ascending. */
  readonly featureOf: readonly number[];
  readonly rows: number;
  /** Row-major, shape [rows · inputs]; NaN where a number is missing, all levels 0 where a category is. */
  readonly x: Float64Array;
  /** A class code or a value for each row. */
  readonly y: Float64Array;
  /** Present where the target is a class. */
  readonly classes?: number;
  /** Names of the classes, where they have some. */
  readonly classNames?: readonly string[];
  /** Values that are missing, all columns together. */
  readonly missing: number;
}

/**
 * What the rows of `table.train` are: a class code or a value each, and how many classes there are.
 * @param method how errors call who asks.
 * @throws InputError without a target, for fewer than 2 rows, and a target that is missing or constant.
 */
export function trainingTargets(
  { target, train, name }: Table,
  method: string,
): { readonly y: Float64Array; readonly classes?: number } {
  if (!target) throw new InputError(`${name}: ${method} needs a target; name its column with --target`);
  if (train.length < 2)
    throw new InputError(`${name}: ${method} needs 2 rows or more to train on, not ${train.length}`);
  const y = Float64Array.from(train, (row) => target.values[row]);
  const bad = y.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new InputError(`${name}: row ${train[bad]} has no value of the target ${target.name}`);
  if (y.every((value) => value === y[0])) {
    throw new InputError(`${name}: the target ${target.name} is one and the same in all rows to train on`);
  }
  return { y, ...(target.levels && { classes: target.levels.length }) };
}

/**
 * The rows of `table.train`.
 * @param method how errors call who asks.
 * @throws InputError without a target, for fewer than 2 rows, a number that is infinite, and a target that is missing or constant.
 */
export function labelledInputs(table: Table, method: string): LabelledInputs {
  const { columns, train, name } = table;
  const { y, classes } = trainingTargets(table, method);
  const width = columns.length;
  const raw = rowsOf(table, train);
  let missing = 0;
  for (const [at, value] of raw.entries()) {
    if (Number.isNaN(value)) missing++;
    else if (!Number.isFinite(value)) {
      const column = columns[at % width].name;
      throw new InputError(`${name}: row ${train[Math.floor(at / width)]} has ${value} in column ${column}`);
    }
  }
  const levels = columns.map(({ kind, levels }) =>
    kind === 'categorical' && levels && levels.length > 2 ? levels.map((_, code) => code) : [-1],
  );
  const featureOf = levels.flatMap((own, c) => own.map(() => c));
  const fills = featureOf.map(() => Number.NaN);
  return {
    features: columns.map((column) => column.name),
    featureOf,
    rows: train.length,
    x: encodedRows(raw, width, { from: featureOf, levels: levels.flat(), fills }),
    y,
    ...(classes !== undefined && { classes }),
    ...(table.target?.levels && { classNames: table.target.levels }),
    missing,
  };
}

/**
 * Folds of the rows, of classes each dealt out evenly.
 * @throws InputError if a class has fewer rows than a training part of each fold needs.
 */
export function foldsOf({ y, classes, classNames, rows }: LabelledInputs, folds: number, random: Random): Split[] {
  if (folds > rows) throw new InputError(`${rows} rows make ${rows} folds at the most, not ${folds}`);
  if (classes === undefined) return randomFolds(rows, folds, random);
  for (let c = 0; c < classes; c++) {
    const count = y.reduce((sum, of) => sum + Number(of === c), 0);
    if (count < 2) {
      throw new InputError(
        `class ${classNames?.[c] ?? c} of the target has ${count} ${count === 1 ? 'row' : 'rows'} to train on; each fold needs one to train on, so 2 or more`,
      );
    }
  }
  return stratifiedFolds(y, folds, random);
}

/** Some of the rows, scaled by a scaling of these or of others; what is missing is 0, the mean. Shape [rows · inputs]. */
export function scaledRows({ x, featureOf }: LabelledInputs, rows: ArrayLike<number>, scaling?: Scaling) {
  const inputs = featureOf.length;
  const own = new Float64Array(rows.length * inputs);
  for (let i = 0; i < rows.length; i++) own.set(x.subarray(rows[i] * inputs, (rows[i] + 1) * inputs), i * inputs);
  const by = scaling ?? standardScaling(own, inputs);
  return { x: scaled(own, by).map((value) => (Number.isNaN(value) ? 0 : value)), scaling: by };
}
