import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classCounts } from './class-counts.ts';

describe('class counts', () => {
  it('are in proportion, with at least one each', () => {
    expect(classCounts([500, 300, 200], 40)).toEqual([20, 12, 8]);
    expect(classCounts([980, 15, 5], 40)).toEqual([38, 1, 1]);
    expect(classCounts([998, 1, 1], 3)).toEqual([1, 1, 1]);
    expect(classCounts([10, 0, 10], 4)).toEqual([2, 0, 2]);
  });

  it('are 1 for the largest classes where the budget is below the number of classes, and none where it is 0', () => {
    expect(classCounts([5, 5, 5], 2)).toEqual([1, 1, 0]);
    expect(classCounts([5, 9, 0, 7], 2)).toEqual([0, 1, 0, 1]);
    expect(classCounts([5, 5, 5], 0)).toEqual([0, 0, 0]);
  });

  it('add up to the budget, are within one of the share where no class is short, and never exceed a class', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (sizes, part) => {
          const n = sizes.reduce((sum, size) => sum + size, 0);
          const total = Math.round(sizes.length + part * (n - sizes.length));
          const counts = classCounts(sizes, total);
          expect(counts.reduce((sum, count) => sum + count, 0)).toBe(total);
          counts.forEach((count, c) => {
            expect(count).toBeGreaterThanOrEqual(1);
            expect(count).toBeLessThanOrEqual(sizes[c]);
            if (sizes.every((size) => total * size >= n))
              expect(Math.abs(count - (total * sizes[c]) / n)).toBeLessThan(1 + 1e-9);
          });
        },
      ),
    );
  });
});
