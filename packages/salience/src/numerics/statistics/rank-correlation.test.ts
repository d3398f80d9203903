import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kendall, spearman } from './rank-correlation.ts';

/** Tau-b by its definition over all pairs. */
function kendallByPairs(x: number[], y: number[]): number {
  let agreement = 0;
  let untiedX = 0;
  let untiedY = 0;
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      const dx = Math.sign(x[i] - x[j]);
      const dy = Math.sign(y[i] - y[j]);
      agreement += dx * dy;
      untiedX += Math.abs(dx);
      untiedY += Math.abs(dy);
    }
  }
  return agreement / Math.sqrt(untiedX * untiedY);
}

const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 })), { maxLength: 60 });

describe('spearman', () => {
  it('without ties is 1 − 6 Σd² / (n (n² − 1))', () => {
    const x = [10, 20, 30, 40, 50];
    const y = [2, 1, 4, 3, 5]; // d² = 1 + 1 + 1 + 1 + 0
    expect(spearman(x, y)).toBeCloseTo(1 - (6 * 4) / (5 * 24), 14);
  });

  it('puts ties at the middle of the ranks they share', () => {
    // Mid-ranks of x 0, 1.5, 1.5, 3, and of y 0, 1, 2, 3: covariance 4.5, variances 4.5 and 5.
    expect(spearman([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 14);
  });

  it('is 1 under any increasing map, −1 under reversal, and NaN against a constant', () => {
    const x = [3, 1, 4, 1, 5, 9, 2, 6];
    expect(
      spearman(
        x,
        x.map((v) => Math.exp(v)),
      ),
    ).toBeCloseTo(1, 14);
    expect(
      spearman(
        x,
        x.map((v) => -v),
      ),
    ).toBeCloseTo(-1, 14);
    expect(spearman(x, x.fill(2))).toBeNaN();
  });
});

describe('kendall', () => {
  it('of the classic pair of rankings is 1 − 2 · discordant / pairs', () => {
    expect(kendall([1, 2, 3, 4], [1, 3, 2, 4])).toBeCloseTo(1 - (2 * 1) / 6, 14);
  });

  it('equals the count over all pairs, ties in either or both included', () => {
    fc.assert(
      fc.property(pairs, (list) => {
        const x = list.map(([a]) => a);
        const y = list.map(([, b]) => b);
        const expected = kendallByPairs(x, y);
        if (Number.isNaN(expected)) expect(kendall(x, y)).toBeNaN();
        else expect(kendall(x, y)).toBeCloseTo(expected, 12);
        expect(kendall(y, x)).toEqual(kendall(x, y));
      }),
    );
  });

  it('refuses lists of unequal length and NaN', () => {
    expect(() => kendall([1], [1, 2])).toThrow('a rank correlation of 1 values with 2');
    expect(() => spearman([1, Number.NaN], [1, 2])).toThrow('value 1 is NaN and has no rank');
  });
});
