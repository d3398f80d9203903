/** @file Rankings by words and by meaning as one. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { depth, fuse, fused } from './fuse.ts';

const lower = (a: number, b: number) => a < b;

describe('two rankings as one', () => {
  it('order by the sum of what the places are worth', () => {
    // 1/61 + 0.5/62, 1/62 + 0.5/61, 0.5/63.
    expect(fuse([1, 2], [2, 1, 3], 0.5, lower)).toEqual([1, 2, 3]);
    expect(fuse([1, 2], [2, 1, 3], 1, lower)).toEqual([1, 2, 3]);
    expect(fuse([2, 1], [1, 2], 1, lower)).toEqual([1, 2]);
    expect(fuse([1, 2], [3], 2, lower)).toEqual([3, 1, 2]);
  });

  it('begin with the same ones where the ranking by words is cut at its depth', () => {
    const permutation = fc.shuffledSubarray(
      Array.from({ length: 400 }, (_, i) => i),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(
        permutation,
        permutation,
        fc.integer({ min: 1, max: 120 }),
        fc.constantFrom(0.1, 0.25, 0.5, 1),
        (words, meaning, last, weight) => {
          const near = meaning.slice(0, 100);
          const whole = fuse(words.slice(0, fused), near, weight, lower);
          const cut = fuse(words.slice(0, depth(last, weight)), near, weight, lower);
          const first = Math.min(last, words.length);
          expect(cut.slice(0, first)).toEqual(whole.slice(0, first));
        },
      ),
    );
  });

  it('need all 300 where meaning counts as much as words', () => {
    expect(depth(20, 1)).toBe(300);
    expect(depth(20, 0.25)).toBe(60);
  });
});
