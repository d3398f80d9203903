import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { largestRemainders, waterFill } from './water-filling.ts';

describe('water filling', () => {
  it('scales proportions by one factor until the amount is met, and stops each at its cap', () => {
    const sizes = [1000, 10000, 200, 20];
    const caps = sizes.map((w) => Math.max(0, 1 - 50 / w));
    const { shares, scale } = waterFill(sizes, [0.5, 0.97, 0.995, 0], caps, 0.9 * 11220);
    expect(scale).toBeCloseTo(0.975294, 6);
    [0.487647, 0.946035, 0.75, 0].forEach((p, l) => {
      expect(shares[l]).toBeCloseTo(p, 6);
    });
  });

  it('meets the limit of what the caps take, and refuses more', () => {
    const caps = [3 / 4, 7 / 8, 2 / 3];
    const fill = (amount: number) => waterFill([4, 8, 3], [0.25, 0.875, 1], caps, amount);
    [0.375, 0.875, 2 / 3].forEach((p, l) => {
      expect(fill(0.7 * 15).shares[l]).toBeCloseTo(p, 6);
      expect(fill(12).shares[l]).toBeCloseTo(caps[l], 12);
    });
    expect(() => fill(12.75)).toThrow(/above the 12 that the caps take/);
  });

  it('adds up to the amount, within every cap, in proportion where no cap is met', () => {
    const layer = fc.record({
      w: fc.integer({ min: 1, max: 1000 }),
      p: fc.double({ min: 0.01, max: 1, noNaN: true }),
      cap: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.array(layer, { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (layers, part) => {
          const [w, p, caps] = [layers.map((l) => l.w), layers.map((l) => l.p), layers.map((l) => l.cap)];
          const amount = part * w.reduce((sum, x, l) => sum + x * caps[l], 0);
          const { shares, scale } = waterFill(w, p, caps, amount);
          expect(shares.reduce((sum, x, l) => sum + x * w[l], 0)).toBeCloseTo(amount, 6);
          shares.forEach((x, l) => {
            expect(x).toBeLessThanOrEqual(caps[l]);
            if (x < caps[l]) expect(x).toBeCloseTo(scale * p[l], 12);
          });
        },
      ),
    );
  });
});

describe('largest remainders', () => {
  it('give the missing ones to the largest remainders, the earlier among equals', () => {
    expect(largestRemainders([487.647, 9460.35, 150, 0], 10098)).toEqual([488, 9460, 150, 0]);
    expect(largestRemainders([0.5, 0.5, 1], 2)).toEqual([1, 0, 1]);
    expect(largestRemainders([149.99999999999997, 0.00000000000003], 150)).toEqual([150, 0]);
  });
});
