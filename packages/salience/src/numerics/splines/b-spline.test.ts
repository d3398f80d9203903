/** @file B-splines against worked numbers. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError, ParameterError } from '../../core/errors.ts';
import { splineBasis, splineCount, splineFit, splineKnots } from './b-spline.ts';

const hats = { intervals: 2, order: 1, low: -1, high: 1 };
const cubic = { intervals: 5, order: 3, low: -1, high: 1 };

function expectValues(x: number, grid: typeof hats, values: readonly number[]): void {
  const basis = splineBasis(x, grid);
  expect(basis.length).toBe(values.length);
  values.forEach((value, i) => {
    expect(basis[i], `B${i}(${x})`).toBeCloseTo(value, 6);
  });
}

describe('B-splines', () => {
  it('of order 1 on two intervals are hats at -1, 0 and 1', () => {
    expect(Array.from(splineKnots(hats))).toEqual([-2, -1, 0, 1, 2]);
    expectValues(0.25, hats, [0, 0.75, 0.25]);
    expectValues(-1.5, hats, [0.5, 0, 0]);
    expectValues(-1, hats, [1, 0, 0]);
    expectValues(1, hats, [0, 0, 1]);
    expectValues(1.5, hats, [0, 0, 0.5]);
    expectValues(2, hats, [0, 0, 0]);
    expectValues(2.5, hats, [0, 0, 0]);
  });

  it('of order 3 on five intervals have the knots -2.2, -1.8 to 2.2 and fall off beyond 1', () => {
    const knots = splineKnots(cubic);
    knots.forEach((t, i) => {
      expect(t).toBeCloseTo(-2.2 + 0.4 * i, 12);
    });
    expectValues(0.3, cubic, [0, 0, 0, 0.0703125, 0.611979167, 0.315104167, 0.002604167, 0]);
    expectValues(-1, cubic, [1 / 6, 2 / 3, 1 / 6, 0, 0, 0, 0, 0]);
    expectValues(1.4, cubic, [0, 0, 0, 0, 0, 0, 1 / 6, 2 / 3]);
  });

  it('of order 0 are steps, the last interval closed', () => {
    const steps = { intervals: 4, order: 0, low: 0, high: 1 };
    expect(Array.from(splineBasis(0.25, steps))).toEqual([0, 1, 0, 0]);
    expect(Array.from(splineBasis(1, steps))).toEqual([0, 0, 0, 1]);
    expect(Array.from(splineBasis(1.01, steps))).toEqual([0, 0, 0, 0]);
  });

  it('are not negative and sum to 1 within the range, and to 0 beyond the extended knots', () => {
    const grids = fc.record({
      intervals: fc.integer({ min: 1, max: 8 }),
      order: fc.integer({ min: 0, max: 4 }),
      low: fc.double({ min: -3, max: 0, noNaN: true }),
      high: fc.double({ min: 0.5, max: 4, noNaN: true }),
    });
    fc.assert(
      fc.property(grids, fc.double({ min: 0, max: 1, noNaN: true }), (grid, share) => {
        const values = splineBasis(grid.low + share * (grid.high - grid.low - 1e-9), grid);
        expect(values.length).toBe(splineCount(grid));
        expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
        expect(values.reduce((a, b) => a + b)).toBeCloseTo(1, 9);
        const knots = splineKnots(grid);
        expect(splineBasis(knots[knots.length - 1] + 0.01, grid).every((b) => b === 0)).toBe(true);
      }),
    );
  });

  it('are fitted through values at the inner knots, with the smallest coefficients where several would do', () => {
    const places = [-1, 0, 1];
    expect(Array.from(splineFit(places, hats)([3, -1, 2]))).toEqual([3, -1, 2]);
    const parabolas = { ...hats, order: 2 };
    const coefficients = splineFit(places, parabolas)([3, -1, 2]);
    const at = (x: number) => splineBasis(x, parabolas).reduce((sum, b, c) => sum + b * coefficients[c], 0);
    expect(places.map(at).map((y) => Math.round(1e9 * y) / 1e9)).toEqual([3, -1, 2]);
    // Splines of order 2 are ½ at two coefficients each: (a+b)/2 = 3, (b+c)/2 = -1, (c+d)/2 = 2; the alternating part is free.
    const [a, b, c, d] = coefficients;
    expect(a - b + c - d).toBeCloseTo(0, 9);
  });

  it('are fitted by least squares where places are more than splines', () => {
    const line = splineFit([-1, -0.5, 0, 0.5, 1], { intervals: 1, order: 1, low: -1, high: 1 });
    const [left, right] = line([0, 1, 0, 1, 3]);
    expect([left, right]).toEqual([expect.closeTo(-0.2, 9), expect.closeTo(2.2, 9)]);
  });

  it('refuse grids that are none, and places that determine no fit', () => {
    expect(() => splineKnots({ ...hats, intervals: 0 })).toThrow(ParameterError);
    expect(() => splineKnots({ ...hats, order: -1 })).toThrow(ParameterError);
    expect(() => splineKnots({ ...hats, high: -1 })).toThrow(ParameterError);
    expect(() => splineKnots({ ...hats, low: Number.NaN })).toThrow(ParameterError);
    expect(() => splineFit([0, 0], hats)).toThrow(InputError);
  });
});
