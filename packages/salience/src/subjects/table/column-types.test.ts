import { describe, expect, it } from 'vitest';
import type { Batch } from '../../models/table-files/table-file.ts';
import { parseMissing, parseTypes, TypeFinder } from './column-types.ts';

const batch = { where: (row: number) => `line ${row + 2}` } as Batch;

function found(cells: readonly unknown[], types = '', missing = '') {
  const finder = new TypeFinder('t.csv', 'x', parseMissing(missing).of('x'), parseTypes(types).get('x'));
  const seen = cells.map((cell, i) => [finder.see(cell, batch, i), finder.text]);
  return { ...finder.find(), missing: cells.length - finder.present, seen };
}

describe('the type of a column', () => {
  it.each([
    [['1', '2', ' 3 '], 'integer'],
    [['1.5', '-2e3', '.5', '+7'], 'number'],
    [['0', '1', '1'], 'boolean'],
    [['0', '0'], 'boolean'],
    [['False', 'False'], 'boolean'],
    [['1', '2', '1'], 'integer'],
    [['yes', 'no'], 'boolean'],
    [[true, false], 'boolean'],
    [['red', 'green', 'blue'], 'categorical'],
    [['0x10', '0b1', '0o7'], 'categorical'],
    [['only', 'only'], 'categorical'],
    [['7', '7'], 'integer'],
    [['', 'NA', 'NaN', 'null', '?', null, undefined, Number.NaN], 'empty'],
    [[[1, 2], null], 'nested'],
    [[new Date(3 * 86_400_000)], 'integer'],
  ])('of %j is %s', (cells, kind) => {
    expect(found(cells).kind).toBe(kind);
  });

  it('of 64-bit integers is integer', () => {
    expect(found([2n, 3n]).kind).toBe('integer');
  });

  it('of whole numbers that doubles cannot tell apart is an integer with a remark', () => {
    expect(found(['1', '9007199254740993']).remark).toContain('above 2^53, the first 9007199254740993 in line 3');
    expect(found([2n ** 62n]).remark).toContain('2^53');
    expect(found(['9007199254740991', '1e30', '0.5']).remark).toBeUndefined();
  });

  it('is an identifier where nearly every text is another, or there are more than 1,000', () => {
    expect(found(Array.from({ length: 30 }, (_, i) => `id${i}`)).kind).toBe('identifier');
    expect(found(Array.from({ length: 5000 }, (_, i) => `id${i % 1001}`)).kind).toBe('identifier');
    expect(found(Array.from({ length: 5000 }, (_, i) => `id${i % 1000}`)).kind).toBe('categorical');
  });

  it('tells where a text stands among numbers', () => {
    const { kind, remark, levels } = found(['1', '2', 'abc', '2']);
    expect(kind).toBe('categorical');
    expect(levels).toEqual(['1', '2', 'abc']);
    expect(remark).toContain('has 1 cells that are no numbers, the first "abc" in line 4');
  });

  it('has levels in an order that rows do not change: numbers ascending, texts by character, the denying one first', () => {
    expect(found(['b', 'c', 'a']).levels).toEqual(['a', 'b', 'c']);
    expect(found(['10', '9'], 'x=categorical').levels).toEqual(['9', '10']);
    expect(found(['yes', 'no']).levels).toEqual(['no', 'yes']);
    expect(found(['N', 'Y']).levels).toEqual(['N', 'Y']);
    expect(found(['true', 'false']).levels).toEqual(['false', 'true']);
    expect(found(['off', 'on']).levels).toEqual(['off', 'on']);
    expect(found(['wrong', 'off']).levels).toEqual(['off', 'wrong']);
  });

  it('can be told, and then keeps texts such as 01 and 1 apart', () => {
    expect(found(['01', '1'], 'x=categorical').levels).toEqual(['01', '1']);
    expect(found(['low', 'high'], 'x=ordinal(low<mid<high)')).toMatchObject({
      kind: 'ordinal',
      levels: ['low', 'mid', 'high'],
    });
    expect(found(['0', '1'], 'x=number').kind).toBe('number');
  });

  it('is told for columns whose names and levels have commas and equal signs', () => {
    const types = parseTypes('a=b=number, c=ordinal(x, y<z=1)');
    expect(types.get('a=b')).toEqual({ kind: 'number' });
    expect(types.get('c')).toEqual({ kind: 'ordinal', levels: ['x, y', 'z=1'] });
  });

  it('is that of an identifier where almost all texts differ, and one of them is shown', () => {
    const amounts = Array.from({ length: 40 }, (_, i) => `1,${200 + i}`);
    expect(found(amounts).remark).toBe('has 40 different texts in 40 rows, the first "1,200" in line 2');
  });

  it('counts further texts and numbers as missing, in all columns or in one', () => {
    expect(found(['-9', '-9.0', '5', 'unknown'], '', '-9,Unknown')).toMatchObject({ missing: 3, kind: 'integer' });
    expect(found(['-9', '1'], '', 'y=-9').missing).toBe(0);
    expect(found(['-9', '1'], '', 'x=-9').missing).toBe(1);
    expect(found(['1e999', '1'], '', '1e999').missing).toBe(1);
    expect(found(['inf', '5'], '', 'inf')).toMatchObject({ missing: 1, kind: 'integer' });
  });

  it.each([
    [['1', 'b'], 'x=number', 't.csv: line 3, column x is "b" and should be a number'],
    [['1', '2.5'], 'x=integer', 'line 3, column x is 2.5 and should be a whole number'],
    [['low', 'hi'], 'x=ordinal(low<high)', 'line 3, column x is "hi" and should be one of low < high'],
    [['a', 'b', 'c'], 'x=boolean', 'column x should be boolean and has 3 different values: a, b, c'],
    [['1e999'], '', 'line 2, column x is infinite'],
    [['1', '-inf'], '', 'line 3, column x is infinite and should be a number up to 1e+150'],
    [['1e300'], '', 'line 2, column x is 1e+300 and should be a number up to 1e+150'],
    [[[1]], 'x=number', 'line 2, column x is a list or an object and should be a number'],
  ])('%j as %j is refused', (cells, types, message) => {
    expect(() => found(cells, types)).toThrow(message);
  });

  it.each(['age', 'age=real', 'age=ordinal(low)', 'age=ordinal(a<a)'])('%j is no type', (types) => {
    expect(() => parseTypes(types)).toThrow(/types: /);
  });
});
