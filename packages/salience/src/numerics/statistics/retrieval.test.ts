import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { f1, precisionAtK } from './retrieval.ts';

describe('precisionAtK', () => {
  it('is the share of the first k that is relevant, places past the end holding nothing', () => {
    const relevant = new Set(['a', 'c']);
    expect(precisionAtK(['a', 'b', 'c'], relevant, 1)).toBe(1);
    expect(precisionAtK(['a', 'b', 'c'], relevant, 2)).toBe(0.5);
    expect(precisionAtK(['a', 'b', 'c'], relevant, 8)).toBe(0.25);
  });

  it('refuses a k below 1', () => {
    expect(() => precisionAtK([1], new Set([1]), 0)).toThrow('k = 0 is not a whole number of 1 or more');
  });
});

describe('f1', () => {
  it('is the harmonic mean of precision and recall, and both where as many are selected as are relevant', () => {
    expect(f1(new Set([1, 2, 3, 4]), new Set([1, 2, 9]))).toBeCloseTo(2 / (1 / 0.5 + 1 / (2 / 3)), 14);
    expect(f1(new Set(), new Set())).toBe(0);
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 20 }), { minLength: 1, maxLength: 10 }), (items) => {
        const relevant = new Set(items.map((item) => item + 5));
        expect(f1(new Set(items), relevant)).toBeCloseTo(precisionAtK(items, relevant, items.length), 14);
      }),
    );
  });
});
