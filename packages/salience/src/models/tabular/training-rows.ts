/** @file What every predictor asks of the rows it is trained on and of those it predicts. */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { TrainingRows } from './estimator.ts';

export interface TrainingWants {
  /** How errors call the predictor. */
  readonly name: string;
  /** Whether y has to be a class, or a value; default either. */
  readonly target?: 'class' | 'value';
  /** Whether x may hold NaN for what is missing; default no. */
  readonly missing?: boolean;
}

/**
 * How many rows there are.
 * @throws InputError if x and y do not fit, hold what is no number, or all rows are of one class; ParameterError if the target is
 * of the other kind.
 */
export function checkTraining({ columns, x, y, classes }: TrainingRows, wants: TrainingWants): number {
  const { name, target, missing = false } = wants;
  const n = y.length;
  if (!(Number.isInteger(columns) && columns >= 1))
    throw new InputError(`${name}: rows have 1 column or more, not ${columns}`);
  if (n === 0) throw new InputError(`${name}: there are no rows to train on`);
  if (x.length !== n * columns) {
    throw new InputError(`${name}: ${n} rows of ${columns} columns have ${n * columns} numbers, not ${x.length}`);
  }
  for (let i = 0; i < x.length; i++) {
    if (!Number.isFinite(x[i]) && !(missing && Number.isNaN(x[i]))) {
      throw new InputError(
        `${name}: row ${Math.floor(i / columns)}, column ${i % columns} is ${x[i]}, no finite number`,
      );
    }
  }
  if (target === 'class' && classes === undefined)
    throw new ParameterError(`${name} predicts classes; say how many there are`);
  if (target === 'value' && classes !== undefined) throw new ParameterError(`${name} predicts values, not classes`);
  if (classes === undefined) {
    const row = y.findIndex((value) => !Number.isFinite(value));
    if (row >= 0) throw new InputError(`${name}: the target of row ${row} is ${y[row]}, no finite number`);
    return n;
  }
  if (!(Number.isInteger(classes) && classes >= 2))
    throw new ParameterError(`${name}: there are 2 classes or more, not ${classes}`);
  let several = false;
  for (let i = 0; i < n; i++) {
    if (!(Number.isInteger(y[i]) && y[i] >= 0 && y[i] < classes)) {
      throw new InputError(`${name}: the class of row ${i} is ${y[i]}, not a whole number from 0 to ${classes - 1}`);
    }
    several ||= y[i] !== y[0];
  }
  if (!several) throw new InputError(`${name}: all ${n} rows are of class ${y[0]}; training needs rows of two classes`);
  return n;
}

/** How many rows the numbers are. @throws InputError if they are no whole rows. */
export function countRows(rows: Float64Array, columns: number, name: string): number {
  const n = rows.length / columns;
  if (!Number.isInteger(n)) throw new InputError(`${name}: ${rows.length} numbers are no rows of ${columns} columns`);
  return n;
}

/** @throws ParameterError unless the option is a finite number of at least (or above) the bound. */
export function checkOption(name: string, value: number, bound: number, open = false): void {
  if (!(Number.isFinite(value) && (open ? value > bound : value >= bound))) {
    throw new ParameterError(`${name} is ${open ? 'above' : 'at least'} ${bound}, not ${value}`);
  }
}
