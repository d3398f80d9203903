/** @file Spline layers as array programs against the basis in float64. */

import { describe, expect, it } from 'vitest';
import { splineBasis } from '../numerics/splines/b-spline.ts';
import { compile, float32, type JaxArray } from '../runtime/index.ts';
import { kanContributions, kanLayer, splineValues } from './kan.ts';

const grids = [
  { intervals: 2, order: 1, low: -1, high: 1 },
  { intervals: 5, order: 3, low: -1, high: 1 },
  { intervals: 3, order: 0, low: -1, high: 1 },
  { intervals: 4, order: 2, low: 0, high: 2 },
];
const places = [0.25, -1.5, -1, 1, 1.5, 2, 2.5, -2, -2.2, 0.3, 1.4, 0, -40, 40];

describe('spline layers', () => {
  it.each(grids)(
    'have the basis of float64, at knots, inside and outside: $intervals intervals, order $order',
    async (grid) => {
      const values = await compile((x: JaxArray) => splineValues(x, grid))(float32([places.length], places));
      const c = grid.intervals + grid.order;
      expect(values.shape).toEqual([places.length, c]);
      places.forEach((x, i) => {
        splineBasis(x, grid).forEach((b, k) => {
          expect(values.data[i * c + k], `B${k}(${x})`).toBeCloseTo(b, 5);
        });
      });
    },
  );

  it('give the sum of their contributions, with leading axes and without', async () => {
    const [grid] = grids;
    const wave = (...shape: number[]) =>
      float32(
        shape,
        Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(1.7 * i + shape.length)),
      );
    const of = compile((x: JaxArray, base: JaxArray, spline: JaxArray, scale: JaxArray) => [
      kanLayer(x, { base, spline, scale }, grid),
      kanContributions(x, { base, spline, scale }, grid),
    ]);
    for (const lead of [[], [2]]) {
      const [y, phi] = await of(wave(...lead, 5, 3), wave(...lead, 4, 3), wave(...lead, 4, 3, 3), wave(...lead, 4, 3));
      expect(y.shape).toEqual([...lead, 5, 4]);
      expect(phi.shape).toEqual([...lead, 3, 5, 4]);
      y.data.forEach((value, at) => {
        const m = Math.floor(at / 20);
        const sum = [0, 1, 2].reduce((all, j) => all + phi.data[(m * 3 + j) * 20 + (at % 20)], 0);
        expect(sum).toBeCloseTo(value, 5);
      });
    }
  });
});
