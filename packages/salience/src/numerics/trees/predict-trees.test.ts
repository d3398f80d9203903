import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { predictTrees } from './predict-trees.ts';
import type { TreeEnsemble } from './tree-ensemble.ts';

/** x₀ ≤ 1 ? (x₁ ≤ 5 ? 10 : 20) : 30, what is missing in x₀ to the right and in x₁ to the left; and a tree that is one leaf of 0.5. */
const two: TreeEnsemble = {
  roots: Int32Array.of(0, 5),
  feature: Int32Array.of(0, 1, -1, -1, -1, -1),
  threshold: Float64Array.of(1, 5, 0, 0, 0, 0),
  left: Int32Array.of(1, 2, -1, -1, -1, -1),
  right: Int32Array.of(4, 3, -1, -1, -1, -1),
  missingLeft: Uint8Array.of(0, 1, 0, 0, 0, 0),
  value: Float64Array.of(0, 0, 10, 20, 30, 0.5),
  cover: Float64Array.of(4, 3, 2, 1, 1, 4),
  base: 100,
};

/** One row, one tree at a time, by the definition. */
function walked(
  { roots, feature, threshold, left, right, missingLeft, value, base }: TreeEnsemble,
  row: number[],
): number {
  return roots.reduce((sum, root) => {
    let node = root;
    while (feature[node] >= 0) {
      const x = row[feature[node]];
      const goesLeft = Number.isNaN(x) ? missingLeft[node] === 1 : x <= threshold[node];
      node = goesLeft ? left[node] : right[node];
    }
    return sum + value[node];
  }, base);
}

describe('the output of trees', () => {
  it('is the base and the values of the leaves, equality and what is missing to their sides', () => {
    const rows = Float64Array.of(1, 5, 1, 5.1, 1.1, 0, NaN, 0, 0, NaN);
    expect([...predictTrees([two], rows, 2)]).toEqual([110.5, 120.5, 130.5, 130.5, 110.5]);
  });

  it('is the same for ensembles walked together and one by one, for any number of rows', () => {
    const shared = { ...two, value: two.value.map((v) => -v), base: 7 };
    const apart = { ...shared, feature: shared.feature.slice() };
    const cell = fc.oneof(fc.double({ min: -10, max: 10, noNaN: true }), fc.constant(Number.NaN));
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { maxLength: 600 }), (list) => {
        const rows = Float64Array.from(list.flat());
        const together = predictTrees([two, shared], rows, 2);
        expect(predictTrees([two, apart], rows, 2)).toEqual(together);
        list.forEach((row, i) => {
          expect(together[2 * i]).toBe(walked(two, row));
          expect(together[2 * i + 1]).toBe(walked(shared, row));
        });
      }),
      { numRuns: 30 },
    );
  });

  it('wants whole rows', () => {
    expect(() => predictTrees([two], new Float64Array(3), 2)).toThrow('3 numbers are no rows of 2 columns');
  });
});
