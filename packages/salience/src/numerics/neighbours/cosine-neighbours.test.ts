import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { listOf } from '../index-lists.ts';
import { cosineNeighbours } from './cosine-neighbours.ts';

const lists = async (...given: Parameters<typeof cosineNeighbours>) => {
  const near = await cosineNeighbours(...given);
  return Array.from({ length: near.offsets.length - 1 }, (_, i) => [...listOf(near, i)]);
};

/** Every cosine compared with every other, without any short cut. */
function slowly(vectors: Float32Array, d: number, limit: number, atLeast: number, among: number): number[][] {
  const n = vectors.length / d;
  const vector = (i: number) => {
    const v = [...vectors.subarray(i * d, (i + 1) * d)];
    const length = Math.hypot(...v);
    return v.map((x) => x / length);
  };
  return Array.from({ length: among }, (_, i) =>
    Array.from({ length: n }, (_, j) => ({ j, cosine: vector(i).reduce((sum, x, k) => sum + x * vector(j)[k], 0) }))
      .filter(({ j }) => j !== i)
      .sort((a, b) => b.cosine - a.cosine || a.j - b.j)
      .slice(0, limit)
      .filter(({ j, cosine }) => j < among && cosine >= atLeast)
      .map(({ j }) => j)
      .sort((a, b) => a - b),
  );
}

describe('cosineNeighbours', () => {
  it('joins vectors that point the same way, whatever their lengths', async () => {
    const vectors = Float32Array.of(1, 0, 3, 0.1, 0, 2, -1, 0);
    expect(await lists(vectors, 2, { limit: 3, atLeast: 0.5 })).toEqual([[1], [0], [], []]);
    expect(await lists(vectors, 2, { limit: 3, atLeast: 0 })).toEqual([[1, 2], [0, 2], [0, 1, 3], [2]]);
  });

  it('joins parallel vectors at a threshold of 1', async () => {
    expect(await lists(Float32Array.of(0.1, 0.2, 0.3, 0.6), 2, { limit: 1, atLeast: 1 })).toEqual([[1], [0]]);
  });

  it('keeps the nearest up to the limit, the lower index first among equals', async () => {
    const vectors = Float32Array.of(1, 0, 1, 1, 1, -1, 2, 2);
    expect(await lists(vectors, 2, { limit: 1, atLeast: 0.5 })).toEqual([[1], [3], [0], [1]]);
    expect(await lists(vectors, 2, { limit: 0, atLeast: 0.5 })).toEqual([[], [], [], []]);
  });

  it('gives ranks to the vectors beyond `among`, and no places', async () => {
    // The nearest to the first vector is the last one, which is no possible neighbour.
    const vectors = Float32Array.of(1, 0, 1, 0.5, 1, 0.1);
    expect(await lists(vectors, 2, { limit: 1, atLeast: 0.5, among: 2 })).toEqual([[], []]);
    expect(await lists(vectors, 2, { limit: 2, atLeast: 0.5, among: 2 })).toEqual([[1], [0]]);
  });

  it('agrees with a plain comparison of all with all', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.integer({ min: 1, max: 23 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(25),
        fc.constantFrom(-0.5, 0, 0.3, 0.5, 0.9),
        fc.nat(),
        async (seed, n, d, limit, atLeast, share) => {
          const random = new Random(seed);
          const vectors = Float32Array.from({ length: n * d }, () => random.normal());
          const among = share % (n + 1);
          const fast = await lists(vectors, d, { limit, atLeast, among });
          expect(fast).toEqual(slowly(vectors, d, limit, atLeast - 1e-6, among));
        },
      ),
    );
  });

  it('refuses vectors without direction and options out of range', async () => {
    const options = { limit: 1, atLeast: 0.5 };
    await expect(lists(Float32Array.of(1, 0, 0, 0), 2, options)).rejects.toThrow('vector 1 is zero');
    await expect(lists(Float32Array.of(1, Number.NaN), 2, options)).rejects.toThrow('vector 0 is not finite');
    await expect(lists(Float32Array.of(1, 0), 2, { ...options, atLeast: 1.1 })).rejects.toThrow('at least 1.1');
    await expect(lists(Float32Array.of(1, 0), 2, { ...options, limit: -1 })).rejects.toThrow('limit = -1');
    await expect(lists(Float32Array.of(1, 0), 2, { ...options, among: 2 })).rejects.toThrow('among = 2');
  });
});
