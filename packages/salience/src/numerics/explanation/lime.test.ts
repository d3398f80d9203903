import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { lime, limeSpace } from './lime.ts';

const random = () => new Random(2, 'lime');
const source = random();
const rows = Float64Array.from({ length: 200 * 3 }, (_, i) => [5, 1, 0][i % 3] + [2, 0.5, 1][i % 3] * source.normal());
const over = (columns: number, f: (x: Float64Array) => number) => (x: Float64Array) =>
  Float64Array.from({ length: x.length / columns }, (_, r) => f(x.subarray(r * columns, (r + 1) * columns)));

describe('lime', () => {
  it('of a linear model gives each coefficient times its deviation, whatever the row', async () => {
    const space = limeSpace(rows, 3);
    for (const row of [
      [5, 1, 0],
      [9, 0, 2],
    ]) {
      const f = over(3, ([a, b, c]) => 2 * a - 3 * b + 0 * c + 1);
      const { weights, fit } = await lime(f, row, space, { samples: 2000, ridge: 1e-9, random: random() });
      expect(weights[0]).toBeCloseTo(2 * space.deviations[0], 6);
      expect(weights[1]).toBeCloseTo(-3 * space.deviations[1], 6);
      expect(weights[2]).toBeCloseTo(0, 6);
      expect(fit).toBeCloseTo(1, 9);
    }
  });

  it('of a curve gives its slope at the row when the kernel is narrow', async () => {
    const f = over(3, ([a]) => a * a);
    const space = limeSpace(rows, 3);
    const { weights } = await lime(f, [8, 1, 0], space, { samples: 20000, width: 0.3, ridge: 1e-6, random: random() });
    expect(weights[0] / space.deviations[0]).toBeGreaterThan(13);
    expect(weights[0] / space.deviations[0]).toBeLessThan(18);
  });

  it('gives a category the worth of being the row’s own', async () => {
    const codes = Float64Array.from({ length: 90 }, (_, i) => i % 3);
    const space = limeSpace(codes, 1, [true]);
    expect([...space.categories[0]!.shares]).toEqual([1 / 3, 1 / 3, 1 / 3]);
    const f = over(1, ([k]) => (k === 2 ? 7 : 4));
    const { weights, intercept } = await lime(f, [2], space, { samples: 500, ridge: 1e-9, random: random() });
    expect(weights[0]).toBeCloseTo(3, 6);
    expect(intercept).toBeCloseTo(4, 6);
  });

  it('leaves what is missing missing, and a constant column at 0', async () => {
    const space = limeSpace(Float64Array.of(1, 4, 2, 4, 3, 4), 2);
    const seen = new Set<number>();
    const f = over(2, ([a, b]) => (Number.isNaN(a) ? seen.add(0).size : 2) + b);
    const { weights } = await lime(f, [Number.NaN, 4], space, { samples: 50, random: random() });
    expect(seen.size).toBe(1);
    expect(weights[0]).toBe(0);
  });

  it('refuses a row of another width and a model that gives NaN', async () => {
    const space = limeSpace(rows, 3);
    await expect(
      lime(
        over(3, () => 1),
        [1],
        space,
        { random: random() },
      ),
    ).rejects.toThrow('has 1 columns');
    await expect(
      lime(
        over(3, () => Number.NaN),
        [1, 1, 1],
        space,
        { random: random() },
      ),
    ).rejects.toThrow('gave NaN');
  });
});
