import { describe, expect, it } from 'vitest';
import { InputError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { foldsOf, labelledInputs, scaledRows } from './labelled-inputs.ts';
import { type Column, tableInMemory } from './table.ts';

const number = (name: string, ...values: number[]): Column => ({
  name,
  kind: 'number',
  values: Float64Array.from(values),
});
const category = (name: string, levels: string[], ...values: number[]): Column => ({
  name,
  kind: 'categorical',
  values: Float64Array.from(values),
  levels,
});
const nan = Number.NaN;

describe('a table as inputs', () => {
  const of = tableInMemory(
    [number('a', 1, 3, nan, 100), category('b', ['u', 'v', 'w'], 2, nan, 0, 1), category('c', ['p', 'q'], 0, 1, 1, 0)],
    category('y', ['no', 'yes'], 0, 1, 1, 0),
    { train: Uint32Array.of(0, 1, 2), test: Uint32Array.of(3) },
  );

  it('has an input for each level of a category of three, and one for every other column, of rows to train on alone', () => {
    const { x, y, featureOf, classes, missing, rows } = labelledInputs(of, 'a test');
    expect(featureOf).toEqual([0, 1, 1, 1, 2]);
    expect(Array.from(x)).toEqual([1, 0, 0, 1, 0, 3, 0, 0, 0, 1, nan, 1, 0, 0, 1]);
    expect([Array.from(y), classes, missing, rows]).toEqual([[0, 1, 1], 2, 2, 3]);
  });

  it('is scaled by the rows named, and what is missing is the mean', () => {
    const inputs = labelledInputs(of, 'a test');
    const { x, scaling } = scaledRows(inputs, [0, 1]);
    expect([x[0], x[5]]).toEqual([-1, 1]);
    const other = scaledRows(inputs, [2], scaling).x;
    expect(other[0]).toBe(0);
    expect(other[1]).toBe(1);
  });

  it('falls into folds that each test a class as often as can be', () => {
    const y = category('y', ['no', 'yes'], 0, 1, 0, 1, 0, 1);
    const inputs = labelledInputs(tableInMemory([number('a', 1, 2, 3, 4, 5, 6)], y), 'a test');
    for (const { test } of foldsOf(inputs, 3, new Random(1)))
      expect(Array.from(test, (row) => inputs.y[row]).sort()).toEqual([0, 1]);
  });

  it('refuses targets that are none, and folds without a class', () => {
    const a = number('a', 1, 2, 3);
    expect(() => labelledInputs(tableInMemory([a]), 'lasso')).toThrow('lasso needs a target');
    expect(() => labelledInputs(tableInMemory([a], number('y', 1, 1, 1)), 'lasso')).toThrow('one and the same');
    expect(() => labelledInputs(tableInMemory([a], number('y', 1, nan, 2)), 'lasso')).toThrow('row 1');
    expect(() => labelledInputs(tableInMemory([number('a', 1)], number('y', 1)), 'lasso')).toThrow('2 rows');
    expect(() => labelledInputs(tableInMemory([number('a', 1, -Infinity)], number('y', 1, 2)), 'lasso')).toThrow(
      InputError,
    );
    const rare = labelledInputs(tableInMemory([a], category('y', ['no', 'yes'], 0, 1, 0)), 'lasso');
    expect(() => foldsOf(rare, 2, new Random(1))).toThrow('class yes of the target has 1 row');
    const value = labelledInputs(tableInMemory([a], number('y', 1, 2, 3)), 'lasso');
    expect(() => foldsOf(value, 4, new Random(1))).toThrow('3 folds at the most');
  });
});
