import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pearson } from './correlation.ts';
import { spearman } from './rank-correlation.ts';

describe('pearson', () => {
  const a = [0.5, 0.3, 0.1, 0.05, 0.05];
  const b = [0.4, 0.1, 0.3, 0.15, 0.05];

  it('of the worked pair is .609850, and Spearman with mid-ranks .615587', () => {
    expect(pearson(a, b)).toBeCloseTo(0.60985, 6);
    expect(spearman(a, b)).toBeCloseTo(0.615587, 6);
  });

  it('is NaN where either is constant, though rounding moves its mean', () => {
    expect(pearson([0.1, 0.1, 0.1], [1, 2, 3])).toBeNaN();
    expect(pearson([1, 2, 3], [0.7, 0.7, 0.7])).toBeNaN();
    expect(pearson([], [])).toBeNaN();
  });

  it('does not change with scale and shift, but for the sign of the scale', () => {
    const some = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 3, maxLength: 20 });
    fc.assert(
      fc.property(some, fc.double({ min: 0.5, max: 4, noNaN: true }), (x, scale) => {
        const y = x.map((v, i) => Math.sin(i) * 50 + v);
        const before = pearson(x, y);
        const spread = Math.max(...x) - Math.min(...x);
        fc.pre(Number.isFinite(before) && spread > 1e-3);
        expect(
          pearson(
            x.map((v) => -scale * v + 7),
            y,
          ),
        ).toBeCloseTo(-before, 6);
      }),
    );
  });

  it('refuses lists of two lengths', () => {
    expect(() => pearson([1], [1, 2])).toThrow('a correlation of 1 values with 2');
  });
});
