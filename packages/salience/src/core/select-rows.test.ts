import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countOfShare } from './budget.ts';
import { BudgetError, InputError } from './errors.ts';
import { keepInRows, keepInRuns } from './select-rows.ts';

/** The kept of one run by sorting. */
function bySorting(values: Float32Array, count: number): number[] {
  const best = [...values.keys()].sort((i, j) => values[j] - values[i] || i - j).slice(0, count);
  return Array.from(values, (_, i) => Number(best.includes(i)));
}

const value = fc.oneof(
  fc.constantFrom(0, -0, 0.5, 1),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -3, max: 3 }),
);

describe('selection in rows', () => {
  it('keeps the same share of every row, or one threshold over the matrix', () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    expect([...keepInRows(values, 2, 4, { share: 0.5 })]).toEqual([0, 0, 1, 1, 0, 0, 1, 1]);
    expect([...keepInRows(values, 2, 4, { share: 0.5 }, 'matrix')]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  });

  it('keeps N of every M columns, in either scope', () => {
    const values = Float32Array.of(1, 2, 3, 4, 8, 7, 6, 5);
    for (const scope of ['row', 'matrix'] as const) {
      expect([...keepInRows(values, 2, 4, { keep: 1, of: 2 }, scope)]).toEqual([0, 1, 0, 1, 1, 0, 1, 0]);
    }
  });

  it('takes both zeros for equal, and the lower column first', () => {
    expect([...keepInRows(Float32Array.of(0, -0, 0, -0), 1, 4, { share: 0.5 })]).toEqual([1, 1, 0, 0]);
    const ties = Float32Array.from({ length: 20 }, (_, i) => (i % 2 ? 0 : -0));
    expect(keepInRows(ties, 1, 20, { share: 0.5 }).lastIndexOf(1)).toBe(9);
  });

  it('lets exactly floor(columns · p) of each row go', () => {
    for (const p of [0, 0.1, 0.3, 0.5, 0.6, 0.99]) {
      const columns = 48;
      const values = Float32Array.from({ length: 2 * columns }, (_, i) => (i * 7919) % 31);
      const kept = keepInRows(values, 2, columns, { share: 1 - p });
      for (const row of [kept.subarray(0, columns), kept.subarray(columns)]) {
        expect(row.reduce((zeros, mark) => zeros + 1 - mark, 0)).toBe(Math.floor(columns * p + 1e-9));
      }
    }
  });

  it('keeps what sorting keeps, in short runs and long ones', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }).chain((length) =>
          fc.record({
            length: fc.constant(length),
            rows: fc.array(fc.array(value, { minLength: length, maxLength: length }), { minLength: 1, maxLength: 3 }),
          }),
        ),
        fc.double({ min: 0, max: 1, noNaN: true }),
        ({ length, rows }, share) => {
          const count = countOfShare(share, length);
          const kept = keepInRuns(Float32Array.from(rows.flat()), length, count);
          expect([...kept]).toEqual(rows.flatMap((row) => bySorting(Float32Array.from(row), count)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('takes matrices without rows, and rows without columns', () => {
    expect(keepInRows(new Float32Array(0), 0, 4, { share: 0.5 }).length).toBe(0);
    expect(keepInRows(new Float32Array(0), 4, 0, { share: 0.5 }).length).toBe(0);
  });

  it('names the row and column of a score that is not finite', () => {
    const bad = (x: number) => () => keepInRows(Float32Array.of(1, 2, 3, 4, x, 6), 2, 3, { share: 0.5 });
    expect(bad(Number.NaN)).toThrow('row 1, column 1 is NaN');
    expect(bad(Infinity)).toThrow(InputError);
  });

  it('refuses scores of another number, and M that does not divide the columns', () => {
    expect(() => keepInRows(new Float32Array(5), 2, 3, { share: 1 })).toThrow('5 scores for 2 rows of 3 columns');
    expect(() => keepInRows(new Float32Array(12), 2, 6, { keep: 2, of: 4 })).toThrow(BudgetError);
  });
});
