import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import {
  binaryLogLoss,
  clippedLogLoss,
  errorRate,
  jointShuffles,
  permutationEffects,
  rankingLoss,
  separateShuffles,
  squaredLoss,
} from './permutation-importance.ts';

/** All orders of 0 to n − 1. */
function orders(n: number): number[][] {
  if (n === 0) return [[]];
  return orders(n - 1).flatMap((rest) => Array.from({ length: n }, (_, at) => rest.toSpliced(at, 0, n - 1)));
}

const random = () => new Random(1, 'shuffles');

describe('permutationEffects', () => {
  it('of the perfect rule y = x on (0, 0, 1, 1) is ½ in accuracy over all orders', async () => {
    const x = Float64Array.of(0, 0, 1, 1);
    const shuffles = orders(4).map((order) => () => order);
    const { baseline, effects } = await permutationEffects(
      (r) => r,
      { rows: x, columns: 1 },
      x,
      errorRate,
      [[0]],
      shuffles,
    );
    expect(baseline).toBe(0);
    expect(effects[0]).toBeCloseTo(0.5, 12);
  });

  it('of a full factorial is 2 + 2c² for one column and 4 + 2c² for both, each shuffled on its own', async () => {
    const rows = Float64Array.of(-1, -1, -1, 1, 1, -1, 1, 1);
    const all = orders(4);
    const shuffles = all.flatMap((a) => all.map((b) => (column: number) => (column === 0 ? a : b)));
    for (const c of [0, 0.5, 1]) {
      const f = (r: Float64Array) =>
        Float64Array.from({ length: r.length / 2 }, (_, i) => r[2 * i] + r[2 * i + 1] + c * r[2 * i] * r[2 * i + 1]);
      const { effects } = await permutationEffects(
        f,
        { rows, columns: 2 },
        f(rows),
        squaredLoss,
        [[0], [1], [0, 1]],
        shuffles,
      );
      expect(effects[0]).toBeCloseTo(2 + 2 * c * c, 10);
      expect(effects[1]).toBeCloseTo(2 + 2 * c * c, 10);
      expect(effects[2]).toBeCloseTo(4 + 2 * c * c, 10);
    }
  });

  it('a column that the model does not read has no effect, and sets share the shuffles', async () => {
    const rows = Float64Array.from({ length: 60 }, () => 0).map((_, i) => Math.sin(i));
    const f = (r: Float64Array) => Float64Array.from({ length: r.length / 3 }, (_, i) => r[3 * i]);
    const shuffles = jointShuffles(20, 4, random());
    const { effects, rises } = await permutationEffects(
      f,
      { rows, columns: 3 },
      f(rows),
      squaredLoss,
      [[0], [1], [0, 2]],
      shuffles,
      { batch: 45 },
    );
    expect(effects[1]).toBe(0);
    expect([...rises.subarray(0, 4)]).toEqual([...rises.subarray(8, 12)]);
    expect(effects[0]).toBeCloseTo((rises[0] + rises[1] + rises[2] + rises[3]) / 4, 12);
  });

  it('columns of a set move together under a joint shuffle and part under a separate one', async () => {
    const rows = Float64Array.from({ length: 24 }, (_, i) => Math.floor(i / 2));
    const same = (r: Float64Array) => Float64Array.from({ length: r.length / 2 }, (_, i) => r[2 * i] - r[2 * i + 1]);
    const run = (shuffles: ReturnType<typeof jointShuffles>) =>
      permutationEffects(same, { rows, columns: 2 }, new Float64Array(12), squaredLoss, [[0, 1]], shuffles);
    expect((await run(jointShuffles(12, 3, random()))).effects[0]).toBe(0);
    expect((await run(separateShuffles(12, 2, 3, random()))).effects[0]).toBeGreaterThan(0);
  });

  it('refuses what does not fit', async () => {
    const data = { rows: Float64Array.of(1, 2), columns: 1 };
    const run = (y: number[], count: number, p = [1, 0]) =>
      permutationEffects(() => p, data, y, binaryLogLoss, [[0]], jointShuffles(2, count, random()));
    await expect(run([1], 1)).rejects.toThrow('1 true values for 2 rows');
    await expect(run([1, 0], 0)).rejects.toThrow('no shuffle');
    await expect(run([1, 0], 1, [1, Number.NaN])).rejects.toThrow('the model gave NaN for row 1');
  });
});

it('losses have their closed forms', () => {
  expect(binaryLogLoss([1, 0], [0.5, 0.25])).toBeCloseTo((Math.log(2) - Math.log(0.75)) / 2, 12);
  expect(binaryLogLoss([1], [0])).toBeCloseTo(15 * Math.log(10), 9);
  expect(clippedLogLoss(1e-7)([1, 0], [0, 0])).toBeCloseTo((7 * Math.log(10)) / 2, 6);
  expect(() => binaryLogLoss([1, 0], [0.5, 1.2])).toThrow('the model gave 1.2; the log loss takes probabilities');
  expect(squaredLoss([1, 2], [1, 4])).toBe(2);
  expect(errorRate([0, 0, 1], [0.5, 0.6, 0.2])).toBeCloseTo(2 / 3, 12);
  expect(rankingLoss([0, 1, 1], [0.1, 0.1, 0.7])).toBeCloseTo(0.25, 12);
});
