import { describe, expect, it } from 'vitest';
import { hashedNGrams, wordsAndSigns } from './hashed-n-grams.ts';
import { BucketCounts, binOf, logImportance, logRatios, quantileEdges } from './importance-weights.ts';

describe('importance weights of counts', () => {
  const counts = (buckets: number[], of = 2) => {
    const made = new BucketCounts(of);
    made.add(buckets);
    return made;
  };

  it('are the logarithm of how much likelier the target made an example', () => {
    // Target: bucket 0 three times, 1 once; pool: one and three; one more each: 4/6 over 2/6, 2/6 over 4/6.
    const ratios = logRatios(counts([0, 0, 0, 1]), counts([0, 1, 1, 1]));
    expect(ratios[0]).toBeCloseTo(Math.log(2), 12);
    expect(ratios[1]).toBeCloseTo(-Math.log(2), 12);
    expect(logImportance([0, 0, 1], ratios)).toBeCloseTo(Math.log(2), 12);
  });

  it('are 0 where target and pool are alike', () => {
    expect([...logRatios(counts([0, 1, 1]), counts([0, 1, 1]))]).toEqual([0, 0]);
  });

  it('refuse an empty target, an empty pool, and other buckets', () => {
    expect(() => logRatios(counts([]), counts([0]))).toThrow('the target has nothing');
    expect(() => logRatios(counts([0]), counts([]))).toThrow('the pool has nothing');
    expect(() => logRatios(counts([0]), counts([0], 3))).toThrow('2 buckets and 3 are not the same');
  });

  it('bins hold about as many values each, and a constant column has two at the most', () => {
    const edges = quantileEdges(
      Float64Array.from({ length: 100 }, (_, i) => i),
      4,
    );
    expect([...edges]).toEqual([25, 50, 75]);
    expect([-1, 24.9, 25, 60, 200].map((value) => binOf(value, edges))).toEqual([0, 0, 1, 2, 3]);
    expect(quantileEdges(new Float64Array(9), 4).length).toBe(1);
  });
});

describe('hashed n-grams', () => {
  it('of two words are the two words and their pair, the same in every text', () => {
    const one = hashedNGrams(['a', 'b'], { buckets: 1e6 });
    expect(one.length).toBe(3);
    const other = hashedNGrams(['x', 'a', 'b'], { buckets: 1e6 });
    for (const bucket of one) expect([...other]).toContain(bucket);
    expect(hashedNGrams(['ab', 'c'], { buckets: 1e6 })[1]).not.toBe(hashedNGrams(['a', 'bc'], { buckets: 1e6 })[1]);
  });

  it('fall into all buckets', () => {
    const words = Array.from({ length: 2000 }, (_, i) => `word${i}`);
    expect(new Set(hashedNGrams(words, { longest: 1, buckets: 16 })).size).toBe(16);
  });

  it('of an empty text are none; less than one bucket is refused', () => {
    expect(hashedNGrams([], { buckets: 4 }).length).toBe(0);
    expect(() => hashedNGrams(['a'], { buckets: 0 })).toThrow('buckets = 0');
    expect(wordsAndSigns('Don’t stop, 2 EGGS!')).toEqual(['don', '’', 't', 'stop', ',', '2', 'eggs', '!']);
  });
});
