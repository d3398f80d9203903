import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { added, mergeOf, moments, valuesAt } from './observation.ts';
import { within } from './tap.ts';

describe('joining', () => {
  it('adds by default, puts values one after the other, and joins moments by their counts', () => {
    const join = (left: number[][], right: number[][], merge = added) =>
      merge(
        left.map((leaf) => Float32Array.from(leaf)),
        right.map((leaf) => Float32Array.from(leaf)),
      ).map((leaf) => [...leaf]);
    expect(join([[1, 2], [3]], [[10, 20], [30]])).toEqual([[11, 22], [33]]);
    expect(join([[1, 2]], [[3]], mergeOf(valuesAt('output')))).toEqual([[1, 2, 3]]);
    // {0, 2} and {4, 4, 10}: means 1 and 6, squared deviations 2 and 24; together mean 4, 16 + 4 + 0 + 0 + 36 = 56.
    expect(join([[2], [1], [2]], [[3], [6], [24]], mergeOf(moments('output')))).toEqual([[5], [4], [56]]);
  });

  it('of moments is that of all samples at once, whatever the parts', () => {
    const values = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 1, maxLength: 20 });
    const merge = mergeOf(moments('output'));
    const of = (x: readonly number[]): Float32Array[] => {
      const mean = x.reduce((a, b) => a + b) / x.length;
      return [[x.length], [mean], [x.reduce((sum, a) => sum + (a - mean) ** 2, 0)]].map((leaf) =>
        Float32Array.from(leaf),
      );
    };
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 5 }), (parts) => {
        const [count, mean, squares] = parts.map(of).reduce((a, b) => merge(a, b));
        const [n, m, s] = of(parts.flat());
        expect(count).toEqual(n);
        expect(mean[0]).toBeCloseTo(m[0], 3);
        expect(Math.abs(squares[0] - s[0])).toBeLessThan(1e-5 * (1 + s[0]));
      }),
    );
  });

  it('refuses to add what has another size', () => {
    expect(() => added([new Float32Array(2)], [new Float32Array(3)])).toThrow(
      'results of 2 and 3 numbers cannot be added; batches of one shape would give as many',
    );
  });
});

describe('within', () => {
  it('hands a point on under a longer name', () => {
    const met: string[] = [];
    const tap = within((point, value) => {
      met.push(point);
      return value;
    }, 'layers.3.');
    within(tap, 'attention.')('weights', undefined as never);
    expect(met).toEqual(['layers.3.attention.weights']);
  });
});
