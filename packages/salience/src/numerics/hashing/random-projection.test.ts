import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { gaussianDirections, hamming, signCodes, slabBuckets } from './random-projection.ts';

describe('sign codes', () => {
  const directions = Float64Array.of(1, 0, 0, 1, 1, -1);
  const points = Float64Array.of(1, 2, 2, 1, -1, 3, 1, 1);

  it('are those worked by hand; a product of 0 counts as 1', () => {
    const codes = signCodes(points, 2, directions);
    expect(Array.from(codes, (code) => code.toString(2).padStart(3, '0'))).toEqual(['110', '111', '010', '111']);
    const agreement = (i: number, j: number) => 1 - hamming(codes[i], codes[j]) / 3;
    const pairs = [
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 2],
      [1, 3],
      [2, 3],
    ];
    [2 / 3, 2 / 3, 2 / 3, 1 / 3, 1, 1 / 3].forEach((expected, p) => {
      expect(agreement(pairs[p][0], pairs[p][1])).toBeCloseTo(expected, 12);
    });
  });

  it('agree in a bit with probability 1 − angle / π', () => {
    const random = new Random(1);
    const draws = 40_000;
    for (const [degrees, expected] of [
      [15, 0.916667],
      [45, 0.75],
      [90, 0.5],
    ]) {
      const angle = (degrees * Math.PI) / 180;
      const pair = Float64Array.of(1, 0, Math.cos(angle), Math.sin(angle));
      let same = 0;
      for (let t = 0; t < draws / 32; t++) {
        const [a, b] = signCodes(pair, 2, gaussianDirections(32, 2, random));
        same += 32 - hamming(a, b);
      }
      // Six standard deviations of the share at the most.
      expect(Math.abs(same / draws - expected)).toBeLessThan(0.015);
      expect((1 - angle / Math.PI) ** 8).toBeCloseTo([0.49853, 0.100113, 0.003906][[15, 45, 90].indexOf(degrees)], 5);
    }
  });

  it('do not change when rows and centre are moved together', () => {
    const moved = points.map((x, i) => x + [4, -8][i % 2]);
    expect(signCodes(moved, 2, directions, [4, -8])).toEqual(signCodes(points, 2, directions));
    expect(signCodes(moved, 2, directions)).not.toEqual(signCodes(points, 2, directions));
  });

  it('have 32 bits at the most', () => {
    expect(hamming(0xffffffff, 0)).toBe(32);
    expect(signCodes(Float64Array.of(1), 1, new Float64Array(32).fill(1))[0]).toBe(0xffffffff);
    expect(() => signCodes(Float64Array.of(1), 1, new Float64Array(33))).toThrow('1 to 32 bits, not 33');
  });
});

describe('slab buckets', () => {
  it('hold rows that share a slab along every direction', () => {
    const rows = Float64Array.of(0.2, 0.7, 1.2, -0.2, 0.4);
    expect([...slabBuckets(rows, 1, Float64Array.of(1), [0], 1)]).toEqual([0, 0, 1, 2, 0]);
    expect([...slabBuckets(rows, 1, Float64Array.of(1, 1), [0, 0.5], 1)]).toEqual([0, 1, 2, 3, 0]);
  });

  it('are refused without a width', () => {
    expect(() => slabBuckets([1], 1, Float64Array.of(1), [0], 0)).toThrow('width above 0, not 0');
  });
});
