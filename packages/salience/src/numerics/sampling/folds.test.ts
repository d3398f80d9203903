import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { randomFolds, randomSplit, type Split, stratifiedFolds, stratifiedSplit } from './folds.ts';

const classes = fc.array(fc.nat(3), { minLength: 4, maxLength: 80 });
const random = () => new Random(1, 'folds');
const count = (rows: Uint32Array, y: readonly number[], of: number) => rows.filter((i) => y[i] === of).length;

function expectPartition({ train, test }: Split, n: number): void {
  expect([...train, ...test].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
  for (const rows of [train, test]) expect([...rows]).toEqual([...rows].sort((a, b) => a - b));
}

describe('a split', () => {
  it('parts the rows, ascending, in the share asked for', () => {
    const split = randomSplit(10, 0.25, random());
    expectPartition(split, 10);
    expect(split.test.length).toBe(3);
    expect(randomSplit(2, 0.01, random()).test.length).toBe(1);
    expect(randomSplit(10, 0.25, random())).toEqual(split);
    expect(randomSplit(10, 0.25, new Random(2, 'folds'))).not.toEqual(split);
  });

  it('that is stratified takes of each class its share, give or take one, and leaves one to train on', () => {
    fc.assert(
      fc.property(classes, fc.double({ min: 0.05, max: 0.95, noNaN: true }), (y, share) => {
        const split = stratifiedSplit(y, share, random());
        expectPartition(split, y.length);
        for (const of of new Set(y)) {
          const all = y.filter((own) => own === of).length;
          expect(Math.abs(count(split.test, y, of) - share * all)).toBeLessThanOrEqual(1);
          expect(count(split.train, y, of)).toBeGreaterThanOrEqual(1);
        }
      }),
    );
  });
});

describe('folds', () => {
  it('test each row once, and are as equal in size as can be', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 60 }), fc.integer({ min: 2, max: 4 }), (n, k) => {
        const folds = randomFolds(n, k, random());
        expect(folds.flatMap(({ test }) => [...test]).sort((a, b) => a - b)).toEqual(
          Array.from({ length: n }, (_, i) => i),
        );
        for (const fold of folds) {
          expectPartition(fold, n);
          expect(Math.abs(fold.test.length - n / k)).toBeLessThan(1);
        }
      }),
    );
  });

  it('that are stratified differ by at most one row of a class, and one row in all', () => {
    fc.assert(
      fc.property(classes, fc.integer({ min: 2, max: 4 }), (y, k) => {
        const folds = stratifiedFolds(y, k, random());
        for (const fold of folds) expectPartition(fold, y.length);
        for (const of of new Set(y)) {
          const counts = folds.map(({ test }) => count(test, y, of));
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        }
        const sizes = folds.map(({ test }) => test.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('are refused where rows are too few or shares are none', () => {
    expect(() => randomFolds(3, 4, random())).toThrow('3 rows make 2 to 3 folds, not 4');
    expect(() => randomSplit(10, 1, random())).toThrow('a share of test rows is above 0 and below 1, not 1');
    expect(() => stratifiedSplit([1], 0.5, random())).toThrow('1 rows cannot be split in two');
  });
});
