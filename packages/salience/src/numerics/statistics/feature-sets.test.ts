import { describe, expect, it } from 'vitest';
import { meanAbsoluteCorrelation, meanJaccard } from './feature-sets.ts';

describe('selected features', () => {
  it('are as steady as their sets overlap, pair by pair', () => {
    expect(
      meanJaccard([
        [1, 2],
        [2, 1],
      ]),
    ).toBe(1);
    expect(
      meanJaccard([
        [1, 2],
        [2, 3],
        [4, 5],
      ]),
    ).toBeCloseTo(1 / 9, 12);
    expect(meanJaccard([[1]])).toBe(1);
    expect(meanJaccard([[], []])).toBe(1);
  });

  it('are as redundant as their columns correlate, whatever the sign', () => {
    const a = [1, 2, 3];
    expect(meanAbsoluteCorrelation([a, [-2, -4, -6]])).toBeCloseTo(1, 12);
    expect(meanAbsoluteCorrelation([a, [1, -2, 1]])).toBeCloseTo(0, 12);
    expect(meanAbsoluteCorrelation([a, [7, 7, 7], [3, 2, 1]])).toBeCloseTo(1 / 3, 12);
    expect(meanAbsoluteCorrelation([a])).toBe(0);
  });
});
