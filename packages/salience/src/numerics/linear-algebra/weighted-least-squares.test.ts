import { describe, expect, it } from 'vitest';
import { weightedLeastSquares } from './weighted-least-squares.ts';

describe('weightedLeastSquares', () => {
  it('of one column is Σ w x y / (Σ w x² + ridge)', () => {
    const b = weightedLeastSquares(Float64Array.of(1, 2, 3), [2, 3, 5], [1, 2, 1], 1, [4])!;
    expect(b[0]).toBeCloseTo((2 + 12 + 15) / (1 + 8 + 9 + 4), 12);
  });

  it('finds the plane that rows lie on, whatever the weights', () => {
    const x = Float64Array.of(1, 0, 1, 1, 1, 2, 1, -3);
    const b = weightedLeastSquares(x, [1, 3, 5, -5], [1, 7, 0.2, 3], 2)!;
    expect(b[0]).toBeCloseTo(1, 12);
    expect(b[1]).toBeCloseTo(2, 12);
  });

  it('has no answer where a column is a sum of others, and one with a ridge', () => {
    const x = Float64Array.of(1, 2, 2, 4, 0.1, 0.2, 3, 6);
    expect(weightedLeastSquares(x, [1, 2, 3, 4], [1, 1, 1, 1], 2)).toBeUndefined();
    expect(weightedLeastSquares(x, [1, 2, 3, 4], [1, 1, 1, 1], 2, [1, 1])).toBeDefined();
  });

  it('refuses shapes that do not fit', () => {
    expect(() => weightedLeastSquares(new Float64Array(3), [1, 2], [1, 1], 2)).toThrow('not 2 rows of 2');
  });
});
