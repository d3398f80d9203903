import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { nearest } from './nearest.ts';

/** Sorts all points by distance, then index. */
function bySorting(queries: Float64Array, points: Float64Array, columns: number, k: number, exceptSelf: boolean) {
  const n = points.length / columns;
  return Array.from({ length: queries.length / columns }, (_, i) => {
    const square = (j: number) => {
      let sum = 0;
      for (let c = 0; c < columns; c++) sum += (queries[i * columns + c] - points[j * columns + c]) ** 2;
      return sum;
    };
    return Array.from({ length: n }, (_, j) => j)
      .filter((j) => !(exceptSelf && j === i))
      .sort((a, b) => square(a) - square(b) || a - b)
      .slice(0, k);
  }).flat();
}

describe('the nearest rows', () => {
  it('are found with their distances, the nearest first', () => {
    const points = Float64Array.of(0, 0, 3, 4, 0, 1, 6, 8);
    const found = nearest(points, points, 2, { k: 2, exceptSelf: true });
    expect(Array.from(found.indices)).toEqual([2, 1, 2, 0, 0, 1, 1, 2]);
    expect(found.distances[0]).toBe(1);
    expect(found.distances[1]).toBe(5);
    expect(found.distances[3]).toBe(5);
    expect(found.distances[2]).toBeCloseTo(Math.sqrt(18), 12);
  });

  it('come with the lower index first where distances are equal', () => {
    const points = Float32Array.of(1, -1, 1, -1, 5);
    for (const by of ['tree', 'comparing all'] as const) {
      expect(Array.from(nearest(Float32Array.of(0), points, 1, { k: 3, by }).indices)).toEqual([0, 1, 2]);
    }
  });

  it('are all points where k is more than there are', () => {
    const points = Float64Array.of(0, 1, 2);
    expect(nearest(points, points, 1, { k: 9, exceptSelf: true })).toMatchObject({ k: 2 });
    expect(nearest(Float64Array.of(0), points, 1, { k: 9 }).k).toBe(3);
    expect(nearest(Float64Array.of(1), Float64Array.of(1), 1, { k: 1, exceptSelf: true }).k).toBe(0);
  });

  it('are those of sorting all points, by the tree and by comparing all, with ties and duplicates', () => {
    const small = fc.record({
      columns: fc.integer({ min: 1, max: 5 }),
      n: fc.integer({ min: 1, max: 90 }),
      levels: fc.integer({ min: 1, max: 6 }),
      k: fc.integer({ min: 1, max: 12 }),
      exceptSelf: fc.boolean(),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(small, ({ columns, n, levels, k, exceptSelf, seed }) => {
        const random = new Random(seed);
        const draw = (rows: number) => Float64Array.from({ length: rows * columns }, () => random.integer(levels) / 3);
        const points = draw(n);
        const queries = exceptSelf ? points : draw(7);
        const expected = bySorting(queries, points, columns, k, exceptSelf);
        for (const by of ['tree', 'comparing all'] as const) {
          expect(Array.from(nearest(queries, points, columns, { k, exceptSelf, by }).indices)).toEqual(expected);
        }
      }),
    );
  });

  it('are the same by both searches to the last bit of the distances', () => {
    const random = new Random(1);
    const points = Float32Array.from({ length: 3000 * 4 }, () => random.normal());
    const tree = nearest(points, points, 4, { k: 5, exceptSelf: true, by: 'tree' });
    expect(tree).toEqual(nearest(points, points, 4, { k: 5, exceptSelf: true, by: 'comparing all' }));
  });

  it('are refused for numbers that are not finite, rows that do not fit, and k below 1', () => {
    const x = Float64Array.of(0, 1, 2, 3);
    expect(() => nearest(Float64Array.of(0, NaN), x, 2, { k: 1 })).toThrow('queries: row 0, column 1 is NaN');
    expect(() => nearest(x, x, 3, { k: 1 })).toThrow('4 numbers are not queries of 3 columns');
    expect(() => nearest(x, x, 2, { k: 0 })).toThrow('k = 0');
    expect(() => nearest(x, x.subarray(2), 2, { k: 1, exceptSelf: true })).toThrow('2 queries are not the 1 points');
  });
});
